import GridwalkFFI

/// What the system says at one update of the position, in its own words.
public struct LocationSignal: Sendable, Equatable {
    var fix: Fix?
    public var isStationary = false
    public var isDenied = false
    /// Location is switched off for the whole phone.
    public var isDeniedGlobally = false
    public var isUnavailable = false

    public init() {}

    /// A position as the sensor measured it; what it does not know it gives as a
    /// negative number.
    public mutating func measured(
        _ ms: Millis, at point: GeoPoint, accuracy: Double, altitude: Double, altitudeAccuracy: Double, speed: Double, course: Double,
        mocked: Bool
    ) {
        let known = { (value: Double) in value >= 0 ? Float(value) : nil }
        fix = Fix(
            timeMs: ms, lat: point.lat, lon: point.lon, accuracyM: known(accuracy), altitudeM: altitudeAccuracy > 0 ? Float(altitude) : nil,
            speedMps: known(speed), bearingDeg: known(course), mocked: mocked)
    }

    /// What it means for a patrol; nothing where it changes nothing.
    public var event: LocationEvent? {
        if isDeniedGlobally { return .lost(.locationOff) }
        if isDenied { return .lost(.permissionOff) }
        // A last position comes along when the phone comes to rest: it counts first.
        if let fix, !isStationary { return .fix(fix) }
        if isStationary { return .still }
        return isUnavailable ? .lost(.noSignal) : nil
    }
}
