// An outline of BackgroundTasks: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation

open class BGTaskRequest: NSObject {
    public var earliestBeginDate: Date?
}
open class BGAppRefreshTaskRequest: BGTaskRequest {
    public init(identifier: String) {}
}
open class BGProcessingTaskRequest: BGTaskRequest {
    public init(identifier: String) {}
    public var requiresNetworkConnectivity = false
    public var requiresExternalPower = false
}
open class BGTask: NSObject {
    public var expirationHandler: (() -> Void)?
    public func setTaskCompleted(success: Bool) {}
}
open class BGTaskScheduler: NSObject, @unchecked Sendable {
    public static let shared = BGTaskScheduler()
    @discardableResult public func register(forTaskWithIdentifier: String, using: DispatchQueue?, launchHandler: @escaping (BGTask) -> Void)
        -> Bool
    { true }
    public func submit(_ r: BGTaskRequest) throws {}
}
