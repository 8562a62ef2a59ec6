import Foundation
import GridwalkKit
import UIKit

extension Phone {
    /// This phone.
    static let real = Phone(
        open: {
            let file = try DataFolder.databaseFile()
            let key = try Keychain().databaseKey(fileExists: FileManager.default.fileExists(atPath: file.path))
            return try await FfiGridwalk.open(path: file.path, key: key, version: Bundle.main.version)
        },
        destroyKey: { try Keychain().destroy() },
        source: CoreLocationSource(),
        network: PathNetwork(),
        clock: SystemClock(),
        startOfDay: { ms in
            let date = Date(timeIntervalSince1970: Double(ms) / 1000)
            return Int64(Calendar.current.startOfDay(for: date).timeIntervalSince1970 * 1000)
        })
}

extension Bundle {
    var version: String { object(forInfoDictionaryKey: "CFBundleShortVersionString") as? String ?? "0" }
}

/// Where the data lies.
enum DataFolder {
    /// The data file in a folder of its own. Everything in it can be read and
    /// written from the first unlock since the start, so that a locked phone
    /// records; none of it goes into a backup.
    static func databaseFile() throws -> URL {
        let protection = [FileAttributeKey.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        let support = try FileManager.default.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        var folder = support.appending(path: "gridwalk", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: protection)
        // A folder from an earlier version may have been made without.
        try FileManager.default.setAttributes(protection, ofItemAtPath: folder.path)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder.appending(path: "phone.db")
    }
}

struct SystemClock: WallClock {
    func now() -> Millis { Int64(Date().timeIntervalSince1970 * 1000) }

    func wait(until moment: Millis) async throws {
        try await Task.sleep(for: .milliseconds(max(0, moment - now())))
    }
}

/// The hand feels what was saved.
@MainActor
struct PhoneHaptics: Haptics {
    func saved() { UINotificationFeedbackGenerator().notificationOccurred(.success) }
    func failed() { UINotificationFeedbackGenerator().notificationOccurred(.error) }
}
