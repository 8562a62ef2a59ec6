// An outline of Network: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation

public struct NWPath: Sendable {
    public enum Status: Sendable { case satisfied, unsatisfied }
    public var status: Status { .satisfied }
    public var isConstrained: Bool { false }
    public var isExpensive: Bool { false }
}
public final class NWPathMonitor: @unchecked Sendable {
    public init() {}
    public var pathUpdateHandler: (@Sendable (NWPath) -> Void)?
    public func cancel() {}
    public func start(queue: DispatchQueue) {}
}
