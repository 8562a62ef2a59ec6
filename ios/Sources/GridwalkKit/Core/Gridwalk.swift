import Foundation
import GridwalkFFI

/// Everything on this phone, as it stood at one moment.
public struct Everything: Sendable, Equatable {
    public var status: Status
    /// Newest first.
    public var incidents: [IncidentView]
    /// Newest first.
    public var patrols: [PatrolView]

    public init(status: Status, incidents: [IncidentView], patrols: [PatrolView]) {
        self.status = status
        self.incidents = incidents
        self.patrols = patrols
    }
}

/// The core as the app sees it: the engine's calls as async functions, its
/// observers as an `AsyncSequence`. What the screens, the recorder and the sync
/// ask for, and no more.
///
/// Every call may throw an `EngineError`; nothing was changed then, and nothing
/// is lost. When a call that saves has returned, a kill of the app loses nothing
/// of it.
public protocol Gridwalk: Sendable {
    /// Everything at once, then again after each change; the slow see the last
    /// only. Ends when the engine is shut, or when the loop over it ends.
    func everything() -> AsyncStream<Everything>

    func status() async throws -> Status

    /// - Parameters:
    ///   - invitation: the whole text of the QR code, or the bare code.
    ///   - server: the server's address, where the invitation does not carry it.
    func enrol(_ invitation: String, server: String?) async throws -> Identity

    func grids() async throws -> [Grid]
    func catalogue() async throws -> Catalogue

    /// - Parameter grid: an id; none where the worker has but one.
    func startShift(grid: String?) async throws
    func endShift() async throws
    func startPatrol() async throws
    func pausePatrol() async throws
    func resumePatrol() async throws
    func finishPatrol() async throws -> PatrolSummary
    func record(_ fixes: [Fix]) async throws -> Recorded
    /// What to ask of the sensors now; nothing: leave them alone.
    func sensorPlan(_ power: Power) async throws -> SensorPlan?
    func mark(_ mark: SensorMark) async throws
    func route(of patrol: String) async throws -> RouteView
    func report(_ incident: NewIncident) async throws -> String

    /// Sends and receives. Cancelling the task ends it between two requests
    /// with a `CancellationError`.
    ///
    /// - Parameter network: what goes over it is the engine's to say; nothing: everything.
    func sync(over network: NetworkCost?, onProgress: @escaping @Sendable (SyncProgress) -> Void) async throws -> SyncReport

    /// When the next sync is due on this network: the engine knows of failures,
    /// of what the server asked for and of what is unsent.
    func nextSync(over network: NetworkCost) async throws -> NextSync

    /// There is a network after there was none: what failed for want of it need
    /// not wait.
    func networkReturned() async throws

    /// Without `confirm` nothing changes where something would be left behind;
    /// the answer says what.
    func logOut(confirm: Bool) async throws -> LogOut

    /// Closes the data file. Idempotent.
    func shut() async
}

extension Everything {
    /// What stands after a change; nothing before the first snapshot.
    static func after(_ change: Change, from before: Everything?) -> Everything? {
        if case .snapshot(let status, let incidents, let patrols) = change {
            return Everything(status: status, incidents: incidents, patrols: patrols)
        }
        guard var now = before else { return nil }
        switch change {
        case .statusChanged(let status):
            now.status = status
        case .incidentChanged(let incident):
            now.incidents.removeAll { $0.id == incident.id }
            let place = now.incidents.firstIndex { $0.foundMs < incident.foundMs } ?? now.incidents.endIndex
            now.incidents.insert(incident, at: place)
        case .patrolChanged(let patrol):
            now.patrols.removeAll { $0.id == patrol.id }
            let place = now.patrols.firstIndex { $0.startedMs < patrol.startedMs } ?? now.patrols.endIndex
            now.patrols.insert(patrol, at: place)
        case .gone(let id):
            now.incidents.removeAll { $0.id == id }
            now.patrols.removeAll { $0.id == id }
        case .snapshot, .closed:
            break
        }
        return now
    }
}
