import Foundation
import GridwalkFFI

// What the logic asks of a phone. The app gives the real ones, tests their own.

/// The phone's wall clock.
public protocol WallClock: Sendable {
    func now() -> Millis
    /// Returns at that moment, or earlier when the task is cancelled.
    func wait(until moment: Millis) async throws
}

/// The phone's network.
public protocol NetworkWatch: Sendable {
    /// What the present one costs at once, then each other one.
    func costs() -> AsyncStream<NetworkCost>
}

/// What the user and the phone let us know of the position.
public enum LocationAccess: Sendable, Equatable {
    case notAsked
    case denied
    /// Location is switched off for the whole phone.
    case switchedOff
    /// Only the neighbourhood, not the street.
    case reduced
    case granted
}

/// What the position sensor says.
public enum LocationEvent: Sendable, Equatable {
    case fix(Fix)
    /// The phone does not move: the sensor rests until it does.
    case still
    /// No position until further notice, for this reason.
    case lost(GapCause)
}

/// The position sensor.
public protocol LocationSource: Sendable {
    var access: LocationAccess { get async }
    /// Lets the system ask the user, if it has not, and waits for the answer.
    func ask() async -> LocationAccess
    /// Switches the sensor on, also while the phone is locked, until the loop
    /// over the events ends.
    func events() -> AsyncStream<LocationEvent>
}

/// Tells the hand what the eyes, being elsewhere, do not see.
@MainActor public protocol Haptics {
    func saved()
    func failed()
}
