// An outline of CoreLocation: declarations of what App uses of it, written by hand from
// Apple's documentation. It lets Linux check the types in App; nothing here does
// anything, and an outline that is wrong proves nothing.

@_exported import Foundation

public struct CLLocationCoordinate2D: Sendable {
    public let latitude, longitude: Double
}
open class CLLocationSourceInformation: NSObject, @unchecked Sendable {
    public var isSimulatedBySoftware: Bool { false }
}
open class CLLocation: NSObject, @unchecked Sendable {
    public var timestamp: Date { fatalError() }
    public var coordinate: CLLocationCoordinate2D { fatalError() }
    public var horizontalAccuracy: Double { 0 }
    public var verticalAccuracy: Double { 0 }
    public var altitude: Double { 0 }
    public var speed: Double { 0 }
    public var course: Double { 0 }
    public var sourceInformation: CLLocationSourceInformation? { nil }
}
public enum CLAuthorizationStatus: Sendable { case notDetermined, denied, restricted, authorizedAlways, authorizedWhenInUse }
public enum CLAccuracyAuthorization: Sendable { case fullAccuracy, reducedAccuracy }
public protocol CLLocationManagerDelegate: NSObjectProtocol { func locationManagerDidChangeAuthorization(_ m: CLLocationManager) }
open class CLLocationManager: NSObject {
    public override init() {}
    public weak var delegate: (any CLLocationManagerDelegate)?
    public class func locationServicesEnabled() -> Bool { true }
    public var authorizationStatus: CLAuthorizationStatus { .denied }
    public var accuracyAuthorization: CLAccuracyAuthorization { .fullAccuracy }
    public func requestWhenInUseAuthorization() {}
}
open class CLBackgroundActivitySession: NSObject {
    public override init() {}
    public func invalidate() {}
}
public struct CLLocationUpdate: Sendable {
    public enum LiveConfiguration: Sendable { case fitness, `default` }
    public struct Updates: AsyncSequence {
        public typealias Element = CLLocationUpdate
        public struct AsyncIterator: AsyncIteratorProtocol { public mutating func next() async throws -> CLLocationUpdate? { nil } }
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator() }
    }
    public static func liveUpdates(_ c: LiveConfiguration = .default) -> Updates { Updates() }
    public var location: CLLocation? { nil }
    public var isStationary: Bool { false }
    public var stationary: Bool { false }
    public var authorizationDenied: Bool { false }
    public var authorizationRestricted: Bool { false }
    public var authorizationDeniedGlobally: Bool { false }
    public var locationUnavailable: Bool { false }
}
