import Foundation

/// Where the database's key lies.
///
/// On a phone that is the Keychain, on this device only, to be read after the
/// first unlock since the start, so that a locked phone goes on recording.
/// Tests keep it in memory.
public protocol KeyProvider: Sendable {
    /// The key, or nothing where none was ever made.
    ///
    /// - Throws: ``KeyTrouble`` where there is one and it cannot be read.
    func read() throws -> Data?

    /// Makes 32 random bytes and keeps them, unless a key came to be meanwhile:
    /// then that one.
    ///
    /// - Throws: ``KeyTrouble`` where it cannot be kept.
    func make() throws -> Data

    /// Makes the data unreadable for ever: the phone was reported stolen.
    ///
    /// - Throws: ``KeyTrouble`` where it cannot be removed.
    func destroy() throws
}

/// Why the key cannot be had.
public enum KeyTrouble: Error, Equatable, Sendable {
    /// The phone was started and not unlocked yet: try again after that.
    case lockedSinceStart
    /// The Keychain answered with this status.
    case refused(status: Int32)
    /// There is a data file, and the key that opens it is not there or is none.
    case lost
}

extension KeyProvider {
    /// The key of the data file.
    ///
    /// A key is made only where there is no data file yet: another key would
    /// make what is recorded unreadable.
    public func databaseKey(fileExists: Bool) throws -> Data {
        let key = try read() ?? (fileExists ? { throw KeyTrouble.lost }() : make())
        guard key.count == 32 else { throw KeyTrouble.lost }
        return key
    }
}
