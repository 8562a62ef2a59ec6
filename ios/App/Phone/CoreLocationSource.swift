import CoreLocation
import GridwalkKit

/// The phone's position sensor.
///
/// `CLLocationUpdate` rests by itself while the phone lies still, and the system
/// starts the app again when it was killed. A `CLBackgroundActivitySession` lets
/// it go on with the screen locked, and shows the worker that it does.
struct CoreLocationSource: LocationSource {
    var access: LocationAccess {
        get async {
            // Documented as slow: never on the main thread.
            let isOn = await Task.detached { CLLocationManager.locationServicesEnabled() }.value
            return isOn ? await Permission.shared.access : .switchedOff
        }
    }

    func ask() async -> LocationAccess {
        await Permission.shared.ask()
        return await access
    }

    func events() -> AsyncStream<LocationEvent> {
        AsyncStream { feed in
            let listening = Task { @MainActor in
                let session = CLBackgroundActivitySession()
                defer { session.invalidate() }
                do {
                    for try await update in CLLocationUpdate.liveUpdates(.fitness) {
                        if let event = LocationSignal(update).event { feed.yield(event) }
                    }
                } catch {
                    feed.yield(.lost(.noSignal))
                }
                feed.finish()
            }
            feed.onTermination = { _ in listening.cancel() }
        }
    }
}

extension LocationSignal {
    @MainActor
    fileprivate init(_ update: CLLocationUpdate) {
        self.init()
        if let location = update.location { measured(location) }
        if #available(iOS 18, *) {
            isStationary = update.stationary
            isDenied = update.authorizationDenied || update.authorizationRestricted
            isDeniedGlobally = update.authorizationDeniedGlobally
            isUnavailable = update.locationUnavailable
        } else {
            isStationary = update.isStationary
            isDenied = update.location == nil && Permission.shared.access == .denied
            isUnavailable = update.location == nil && !update.isStationary
        }
    }

    private mutating func measured(_ location: CLLocation) {
        measured(
            Int64(location.timestamp.timeIntervalSince1970 * 1000),
            at: GeoPoint(lat: location.coordinate.latitude, lon: location.coordinate.longitude),
            accuracy: location.horizontalAccuracy, altitude: location.altitude, altitudeAccuracy: location.verticalAccuracy,
            speed: location.speed, course: location.course,
            mocked: location.sourceInformation?.isSimulatedBySoftware ?? false)
    }
}

/// What the user allows, and the system's question.
@MainActor
private final class Permission: NSObject, CLLocationManagerDelegate {
    static let shared = Permission()

    private let manager = CLLocationManager()
    private var waiting: [CheckedContinuation<Void, Never>] = []

    override init() {
        super.init()
        manager.delegate = self
    }

    var access: LocationAccess {
        switch manager.authorizationStatus {
        case .notDetermined: .notAsked
        case .denied, .restricted: .denied
        case .authorizedAlways, .authorizedWhenInUse: manager.accuracyAuthorization == .reducedAccuracy ? .reduced : .granted
        @unknown default: .denied
        }
    }

    func ask() async {
        guard manager.authorizationStatus == .notDetermined else { return }
        await withCheckedContinuation { answer in
            waiting.append(answer)
            manager.requestWhenInUseAuthorization()
        }
    }

    nonisolated func locationManagerDidChangeAuthorization(_: CLLocationManager) {
        Task { @MainActor in
            guard manager.authorizationStatus != .notDetermined else { return }
            for answer in waiting { answer.resume() }
            waiting = []
        }
    }
}
