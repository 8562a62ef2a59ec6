// An outline of Security: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation

public typealias CFString = NSString
public typealias CFDictionary = NSDictionary
public typealias CFTypeRef = AnyObject
public nonisolated(unsafe) let kSecClass: CFString = ""
public nonisolated(unsafe) let kSecClassGenericPassword: CFString = ""
public nonisolated(unsafe) let kSecAttrService: CFString = ""
public nonisolated(unsafe) let kSecAttrAccount: CFString = ""
public nonisolated(unsafe) let kSecReturnData: CFString = ""
public nonisolated(unsafe) let kSecMatchLimit: CFString = ""
public nonisolated(unsafe) let kSecMatchLimitOne: CFString = ""
public nonisolated(unsafe) let kSecValueData: CFString = ""
public nonisolated(unsafe) let kSecAttrAccessible: CFString = ""
public nonisolated(unsafe) let kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly: CFString = ""
public struct SecRandomRef: Sendable {}
public let kSecRandomDefault: SecRandomRef? = nil
public let errSecSuccess: Int32 = 0
public let errSecItemNotFound: Int32 = 1
public let errSecInteractionNotAllowed: Int32 = 2
public let errSecDuplicateItem: Int32 = 3
public let errSecParam: Int32 = 4
public func SecItemCopyMatching(_ q: CFDictionary, _ r: UnsafeMutablePointer<CFTypeRef?>?) -> Int32 { 0 }
public func SecItemAdd(_ q: CFDictionary, _ r: UnsafeMutablePointer<CFTypeRef?>?) -> Int32 { 0 }
public func SecItemDelete(_ q: CFDictionary) -> Int32 { 0 }
public func SecRandomCopyBytes(_ r: SecRandomRef?, _ n: Int, _ p: UnsafeMutableRawPointer) -> Int32 { 0 }
