import Foundation

/// Where the database's key comes from.
///
/// On a phone the key lies in the Keychain, on this device only, and can be
/// read after the first unlock since the start, so that a locked phone goes on
/// recording. Tests keep it in memory.
public protocol KeyProvider: Sendable {
    /// The 32 raw bytes of the key; makes and keeps them at the first call.
    ///
    /// The same key comes back for ever on this device. Where it cannot be read
    /// this throws: a new key would make what is recorded unreadable.
    ///
    /// - Throws: ``KeyTrouble``.
    func databaseKey() throws -> Data
}

/// Why the key cannot be had.
public enum KeyTrouble: Error, Equatable, Sendable {
    /// The phone was started and not unlocked yet: try again after that.
    case lockedSinceStart
    /// The Keychain answered with this status.
    case refused(status: Int32)
    /// What lies in the Keychain is not a key of ours.
    case damaged
}
