import Foundation
import GridwalkKit
import Security

/// The database's key in the Keychain: on this device only, never in a backup,
/// to be read from the first unlock since the start.
struct Keychain: KeyProvider {
    private var item: [CFString: Any] {
        [kSecClass: kSecClassGenericPassword, kSecAttrService: "org.gridwalk.app", kSecAttrAccount: "database-key"]
    }

    func read() throws -> Data? {
        var query = item
        query[kSecReturnData] = true
        query[kSecMatchLimit] = kSecMatchLimitOne
        var found: CFTypeRef?
        switch SecItemCopyMatching(query as CFDictionary, &found) {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        case errSecInteractionNotAllowed: throw KeyTrouble.lockedSinceStart
        case let status: throw KeyTrouble.refused(status: status)
        }
    }

    func destroy() throws {
        switch SecItemDelete(item as CFDictionary) {
        case errSecSuccess, errSecItemNotFound: return
        case let status: throw KeyTrouble.refused(status: status)
        }
    }

    func make() throws -> Data {
        var key = Data(count: 32)
        let drawn = key.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { SecRandomCopyBytes(kSecRandomDefault, bytes.count, $0) } ?? errSecParam
        }
        guard drawn == errSecSuccess else { throw KeyTrouble.refused(status: drawn) }
        var new = item
        new[kSecValueData] = key
        new[kSecAttrAccessible] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        switch SecItemAdd(new as CFDictionary, nil) {
        case errSecSuccess: return key
        case errSecDuplicateItem:
            guard let kept = try read() else { throw KeyTrouble.lost }
            return kept
        case errSecInteractionNotAllowed: throw KeyTrouble.lockedSinceStart
        case let status: throw KeyTrouble.refused(status: status)
        }
    }
}
