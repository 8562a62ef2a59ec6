import Foundation
import GridwalkFFI

@testable import GridwalkKit

/// A core that a test plays: it holds what the test says and notes what it is told.
final class FakeGridwalk: Gridwalk, @unchecked Sendable {
    private let lock = NSLock()
    private var standing: Everything
    private var feeds: [AsyncStream<Everything>.Continuation] = []
    private var noted: [String] = []
    private var failing: [String: any Error] = [:]
    private var syncing: (@Sendable (@Sendable (SyncProgress) -> Void) async throws -> SyncReport)?
    private var due: @Sendable (Unsent, NetworkCost) -> NextSync = FakeGridwalk.asTheEngine
    private var taken: [Fix] = []
    private var askedPlans = 0
    private var reportedOnes: [NewIncident] = []

    init(_ everything: Everything = .sample()) {
        standing = everything
    }

    /// Each call by name, in order.
    var calls: [String] { lock.withLock { noted } }
    var recorded: [Fix] { lock.withLock { taken } }
    var reported: [NewIncident] { lock.withLock { reportedOnes } }

    /// How often the plan was asked for.
    var plans: Int { lock.withLock { askedPlans } }

    func fail(_ call: String, with error: (any Error)?) { lock.withLock { failing[call] = error } }

    func onSync(_ body: @escaping @Sendable (@Sendable (SyncProgress) -> Void) async throws -> SyncReport) {
        lock.withLock { syncing = body }
    }

    /// What the engine answers when it is asked for the next sync.
    func onNext(_ body: @escaping @Sendable (Unsent, NetworkCost) -> NextSync) { lock.withLock { due = body } }

    /// Roughly what the engine does without failures.
    private static func asTheEngine(_ unsent: Unsent, over network: NetworkCost) -> NextSync {
        if network == .offline { return .whenOnline }
        return unsent.ops > 0 || unsent.count > 0 && network == .unmetered ? .now : .after(ms: 900_000)
    }

    func change(_ edit: (inout Everything) -> Void) {
        let (now, feeds) = lock.withLock {
            edit(&standing)
            return (standing, self.feeds)
        }
        for feed in feeds { feed.yield(now) }
    }

    private func note(_ call: String) throws {
        let error = lock.withLock {
            noted.append(call)
            return failing[call]
        }
        if let error { throw error }
    }

    func everything() -> AsyncStream<Everything> {
        let (stream, feed) = AsyncStream.makeStream(of: Everything.self)
        let now = lock.withLock {
            feeds.append(feed)
            return standing
        }
        feed.yield(now)
        return stream
    }

    func status() async throws -> Status { lock.withLock { standing.status } }

    func enrol(_ invitation: String, server: String?) async throws -> Identity {
        try note("enrol")
        let identity = Identity(workerId: "w", workerName: "网格员01", deviceId: "d", tenantId: "t", server: server ?? invitation)
        change { $0.status = $0.status.with(identity: identity) }
        return identity
    }

    func grids() async throws -> [Grid] {
        try note("grids")
        let ring = [(35.0, 118.0), (35.0, 118.01), (35.01, 118.01), (35.0, 118.0)].map { Position(lat: $0.0, lon: $0.1) }
        return [Grid(id: "g1", code: "371302001001001", name: "兰山一格", parent: nil, level: .base, synthetic: true, boundary: [[ring]])]
    }

    func catalogue() async throws -> Catalogue {
        try note("catalogue")
        return Catalogue(
            version: 1, categories: [CatalogueEntry(code: "fire_safety", zh: "消防安全", en: "Fire safety")], severities: [])
    }

    func startShift(grid: String?) async throws {
        try note("startShift(\(grid ?? "-"))")
        change { $0.status = $0.status.with(shift: .sample) }
    }

    func endShift() async throws {
        try note("endShift")
        change { $0.status = $0.status.with(shift: .some(nil)) }
    }

    func startPatrol() async throws {
        try note("startPatrol")
        change { $0.status = $0.status.with(patrol: .sample(paused: false)) }
    }

    func pausePatrol() async throws {
        try note("pausePatrol")
        change { $0.status = $0.status.with(patrol: .sample(paused: true)) }
    }

    func resumePatrol() async throws {
        try note("resumePatrol")
        change { $0.status = $0.status.with(patrol: .sample(paused: false)) }
    }

    func finishPatrol() async throws -> PatrolSummary {
        try note("finishPatrol")
        change { $0.status = $0.status.with(patrol: .some(nil)) }
        return PatrolSummary(patrol: "p", startedMs: 0, endedMs: 1, distanceM: 0, movingS: 0, fixes: 0, used: 0, gaps: 0, gapS: 0, stops: 0)
    }

    func record(_ fixes: [Fix]) async throws -> Recorded {
        try note("record(\(fixes.count))")
        lock.withLock { taken += fixes }
        return Recorded(patrol: "p", acked: UInt64(recorded.count), refused: [])
    }

    func sensorPlan(_ power: Power) async throws -> SensorPlan? {
        lock.withLock { askedPlans += 1 }
        return SensorPlan(everyMs: 1_000, priority: .high, displacementM: 0)
    }

    func mark(_ mark: SensorMark) async throws {
        switch mark {
        case .lost(let cause): try note("lost(\(cause))")
        case .found: try note("found")
        case .asked(let ms): try note("asked(\(ms))")
        }
    }

    func route(of patrol: String) async throws -> RouteView {
        try note("route")
        let points = recorded.map { RoutePoint(timeMs: $0.timeMs, lat: $0.lat, lon: $0.lon) }
        let gap = Gap(fromMs: 0, toMs: 720_000, cause: .noSignal, from: nil, to: nil)
        return RouteView(patrol: patrol, segments: [points], gaps: [gap], stops: [], distanceM: 0, movingS: 0, fixes: 0, used: 0)
    }

    func report(_ incident: NewIncident) async throws -> String {
        try note("report")
        lock.withLock { reportedOnes.append(incident) }
        return "i"
    }

    func nextSync(over network: NetworkCost) async throws -> NextSync {
        let unsent = try await status().unsent
        // Called without the lock: the answer may ask for the calls so far.
        let answer = lock.withLock { due }
        return answer(unsent, network)
    }

    func networkReturned() async throws { try note("networkReturned") }

    func logOut(confirm: Bool) async throws -> LogOut {
        try note("logOut(\(confirm))")
        change {
            let left = $0.status.unsent.count
            $0.status = $0.status.with(identity: .some(nil), unsent: .some(), leftUnsent: left)
            $0.incidents = []
        }
        return .done
    }

    func sync(over network: NetworkCost?, onProgress: @escaping @Sendable (SyncProgress) -> Void) async throws -> SyncReport {
        try note(network.map { "sync(\($0))" } ?? "sync")
        if let body = lock.withLock({ syncing }) { return try await body(onProgress) }
        return .sample
    }

    func shut() async {
        try? note("shut")
        for feed in lock.withLock({ feeds }) { feed.finish() }
    }
}

/// A clock that the test turns.
final class TurnedClock: WallClock, @unchecked Sendable {
    private let lock = NSLock()
    private var moment: Millis
    private var sleepers: [(id: Int, until: Millis, wake: CheckedContinuation<Void, any Error>)] = []
    private var next = 0

    init(at moment: Millis = 1_763_692_325_000) { self.moment = moment }

    func now() -> Millis { lock.withLock { moment } }

    /// The moments that somebody waits for, in order.
    var alarms: [Millis] { lock.withLock { sleepers.map(\.until).sorted() } }

    func turn(by ms: Millis) {
        let due = lock.withLock {
            moment += ms
            defer { sleepers.removeAll { $0.until <= moment } }
            return sleepers.filter { $0.until <= moment }
        }
        for sleeper in due { sleeper.wake.resume() }
    }

    func wait(until: Millis) async throws {
        let id = lock.withLock {
            next += 1
            return next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
                let now: Result<Void, any Error>? = lock.withLock {
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if until <= moment { return .success(()) }
                    sleepers.append((id, until, wake))
                    return nil
                }
                if let now { wake.resume(with: now) }
            }
        } onCancel: {
            let sleeper = lock.withLock {
                defer { sleepers.removeAll { $0.id == id } }
                return sleepers.first { $0.id == id }
            }
            sleeper?.wake.resume(throwing: CancellationError())
        }
    }
}

/// A sensor that the test plays.
final class PlayedSource: LocationSource, @unchecked Sendable {
    private let lock = NSLock()
    private var allowed: LocationAccess
    private let answer: LocationAccess
    private var feed: AsyncStream<LocationEvent>.Continuation?

    init(_ allowed: LocationAccess = .granted, answer: LocationAccess = .granted) {
        self.allowed = allowed
        self.answer = answer
    }

    var access: LocationAccess { get async { lock.withLock { allowed } } }
    var isOn: Bool { lock.withLock { feed != nil } }

    func ask() async -> LocationAccess {
        lock.withLock {
            allowed = answer
            return answer
        }
    }

    func events() -> AsyncStream<LocationEvent> {
        let (stream, feed) = AsyncStream.makeStream(of: LocationEvent.self)
        lock.withLock { self.feed = feed }
        feed.onTermination = { [weak self] _ in self?.lock.withLock { self?.feed = nil } }
        return stream
    }

    func play(_ event: LocationEvent) { _ = lock.withLock { feed }?.yield(event) }
}

@MainActor final class NotedHaptics: Haptics {
    private(set) var felt: [String] = []

    func saved() { felt.append("saved") }
    func failed() { felt.append("failed") }
}

/// What a callback told, in order.
final class Told<T: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var all: [T] = []

    var values: [T] { lock.withLock { all } }

    func callAsFunction(_ value: T) { lock.withLock { all.append(value) } }
}

/// Waits for a fact, letting everything else run meanwhile.
@MainActor func fact(_ isTrue: () async -> Bool) async {
    while !(await isTrue()) { await Task.yield() }
}

extension Everything {
    static func sample() -> Everything {
        let grid = GridRef(id: "g1", code: "371302001001001", name: "兰山一格")
        let identity = Identity(workerId: "w", workerName: "网格员01", deviceId: "d", tenantId: "t", server: "https://example.org")
        let status = Status(
            identity: identity, grids: [grid], shift: nil, patrol: nil, unsent: Unsent(ops: 0, chunks: 0, blobs: 0, oldestMs: nil),
            unsealedFixes: 0, lastContactMs: nil, skewMs: nil, refused: [], conflicts: 0, upgradeNeeded: false,
            signedOut: false, leftUnsent: 0)
        return Everything(status: status, incidents: [], patrols: [])
    }
}

extension Status {
    /// The same with something changed; `.some(nil)` takes it away.
    func with(
        identity: Identity?? = nil, grids: [GridRef]? = nil, shift: ShiftView?? = nil, patrol: PatrolNow?? = nil, unsent: Unsent? = nil,
        signedOut: Bool? = nil, leftUnsent: UInt64? = nil
    ) -> Status {
        Status(
            identity: identity ?? self.identity, grids: grids ?? self.grids, shift: shift ?? self.shift, patrol: patrol ?? self.patrol,
            unsent: unsent ?? self.unsent, unsealedFixes: unsealedFixes, lastContactMs: lastContactMs, skewMs: skewMs, refused: refused,
            conflicts: conflicts, upgradeNeeded: upgradeNeeded, signedOut: signedOut ?? self.signedOut,
            leftUnsent: leftUnsent ?? self.leftUnsent)
    }
}

extension Unsent {
    static func some(ops: UInt64 = 0, chunks: UInt64 = 0, blobs: UInt64 = 0, oldest: Millis? = nil) -> Unsent {
        Unsent(ops: ops, chunks: chunks, blobs: blobs, oldestMs: oldest)
    }
}

extension ShiftView {
    static let sample = ShiftView(id: "s", grid: GridRef(id: "g1", code: "371302001001001", name: "兰山一格"), sinceMs: 0)
}

extension PatrolNow {
    static func sample(paused: Bool, fixes: UInt64 = 0) -> PatrolNow {
        PatrolNow(
            id: "p", paused: paused, sinceMs: 1_763_690_000_000, fixes: fixes, refused: 0, distanceM: 1_234, movingS: 900, lastFix: nil)
    }
}

extension Fix {
    static func sample(_ second: Int64, accuracy: Float? = 5) -> Fix {
        Fix(
            timeMs: 1_763_692_325_000 + second * 1000, lat: 35.05 + Double(second) * 1e-5, lon: 118.34, accuracyM: accuracy, altitudeM: nil,
            speedMps: nil, bearingDeg: nil, mocked: false)
    }
}

extension SyncReport {
    static let sample = SyncReport(
        opsSent: 0, conflicts: 0, refused: 0, deferred: 0, chunksSent: 0, blobsSent: 0, asked: 0, entitiesPulled: 0, snapshots: 0,
        requests: 1, bytesUp: 0, bytesDown: 0, upgradeNeeded: false, loggedOut: false, cut: nil)
}

extension IncidentView {
    static func sample(_ id: String, found: Millis, send: SendState = .saved, mine: Bool = true, conflicts: UInt32 = 0) -> IncidentView {
        IncidentView(
            id: id, status: "reported", category: "fire_safety", severity: "normal", title: "楼道堆物", description: nil, grid: "g1",
            worker: "w", patrol: nil, place: nil, foundMs: found, photos: [], history: [], comments: [], conflicts: conflicts, mine: mine,
            send: send)
    }
}

extension PatrolView {
    static func sample(_ id: String, started: Millis, distance: Double? = 1_500, status: String = "finished", mine: Bool = true)
        -> PatrolView
    {
        PatrolView(
            id: id, status: status, grid: "g1", worker: "w", shift: "s", startedMs: started, endedMs: nil, fixes: 10, distanceM: distance,
            movingS: 900, mine: mine, send: .saved)
    }
}
