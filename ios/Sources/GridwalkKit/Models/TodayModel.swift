import GridwalkFFI
import Observation

/// What the screen of today shows.
public enum TodayState: Sendable, Equatable {
    case loading
    case failed(Problem)
    case ready(Ready)

    public struct Ready: Sendable, Equatable {
        public var now: Millis
        public var worker: String
        /// Where the worker is on duty; off duty the only grid, where there is but one.
        public var grid: String?
        /// Since when on duty; none off duty.
        public var shiftSince: Millis?
        public var patrol: PatrolBrief?
        /// Why nothing is recorded although a patrol runs.
        public var trouble: PatrolRecorder.Trouble?
        public var unsent: UnsentState
        /// Patrols of today that are over.
        public var finished: Int
        public var finishedM: Double
        public var ask: TodayAsk?
        /// The server does not know this phone any more.
        public var signedOut: Bool
        public var problem: Problem?
    }
}

/// The running patrol in short.
public struct PatrolBrief: Sendable, Equatable {
    public let paused: Bool
    public let since: Millis
    public let distanceM: Double
}

/// What is still on this phone only.
public struct UnsentState: Sendable, Equatable {
    public var count: UInt64 = 0
    public var oldest: Millis?
    public var refused = 0
    public var lastContact: Millis?
    public var sync = SyncRunner.Report()

    init() {}

    init(_ status: Status, sync: SyncRunner.Report) {
        count = status.unsent.count
        oldest = status.unsent.oldestMs
        refused = status.refused.count
        lastContact = status.lastContactMs
        self.sync = sync
        // That the phone is signed out stands at the top, for as long as it is so.
        if status.signedOut, sync.problem == Problem(EngineError.SignedOut) { self.sync.problem = nil }
    }

    /// What is unsent, in words: "3 条未上报 · 最早 2 小时前". Never an error when it only waits.
    public func line(_ texts: Texts, _ times: Times, now: Millis) -> String {
        if let sending = sync.sending, sending.total > 0 {
            return texts.unsentSending(done: countText(Int(sending.done)), total: countText(Int(sending.total)))
        }
        guard count > 0 else { return texts.unsentNone }
        guard let oldest else { return texts.unsentSome(count: countText(Int(count))) }
        return texts.unsentSomeSince(count: countText(Int(count)), age: times.ago(oldest, now: now))
    }
}

/// A question that stands over the screen.
public enum TodayAsk: Sendable, Equatable {
    case endShift
    /// So much would be left behind; it is sent all the same.
    case logOut(unsent: UInt64)
    /// The worker has several grids.
    case whichGrid([GridChoice])

    /// What would be left behind, where that is the question.
    public var unsentAtLogOut: UInt64? {
        if case .logOut(let unsent) = self { unsent } else { nil }
    }

    /// The grids to choose from, where that is the question.
    public var grids: [GridChoice]? {
        if case .whichGrid(let grids) = self { grids } else { nil }
    }
}

public struct GridChoice: Sendable, Equatable, Identifiable {
    public let id: String
    public let name: String
}

/// Shift, patrol, and what is unsent.
@MainActor @Observable public final class TodayModel {
    public private(set) var state = TodayState.loading

    private let gridwalk: any Gridwalk
    private let clock: any WallClock
    private let syncNow: @Sendable () async -> Void
    private let startOfDay: @Sendable (Millis) -> Millis
    private var everything: Everything?
    private var sync = SyncRunner.Report()
    private var trouble: PatrolRecorder.Trouble?
    private var ask: TodayAsk?
    private var problem: Problem?

    public init(
        _ gridwalk: any Gridwalk, clock: any WallClock, startOfDay: @escaping @Sendable (Millis) -> Millis,
        syncNow: @escaping @Sendable () async -> Void
    ) {
        self.gridwalk = gridwalk
        self.clock = clock
        self.startOfDay = startOfDay
        self.syncNow = syncNow
    }

    func show(_ everything: Everything) {
        self.everything = everything
        draw()
    }

    func show(_ sync: SyncRunner.Report) {
        self.sync = sync
        draw()
    }

    func show(_ trouble: PatrolRecorder.Trouble?) {
        self.trouble = trouble
        draw()
    }

    /// A minute went by: ages grow.
    public func tick() { draw() }

    public func startShift() async {
        let grids = everything?.status.grids ?? []
        guard grids.count < 2 else {
            ask = .whichGrid(grids.map { GridChoice(id: $0.id, name: $0.name) })
            return draw()
        }
        await attempt { try await $0.startShift(grid: nil) }
    }

    public func choose(grid id: String) async {
        ask = nil
        await attempt { try await $0.startShift(grid: id) }
    }

    public func endShift() {
        ask = .endShift
        draw()
    }

    /// A patrol that runs ends with the shift.
    public func confirmEndShift() async {
        ask = nil
        let patrolRuns = everything?.status.patrol != nil
        await attempt {
            if patrolRuns { _ = try await $0.finishPatrol() }
            try await $0.endShift()
        }
    }

    public func logOut() {
        ask = .logOut(unsent: everything?.status.unsent.count ?? 0)
        draw()
    }

    /// What is unsent stays on this phone, seen by nobody, and is sent.
    public func confirmLogOut() async {
        ask = nil
        await attempt { _ = try await $0.logOut(confirm: true) }
    }

    public func cancel() {
        ask = nil
        problem = nil
        draw()
    }

    public func sendNow() async { await syncNow() }

    private func attempt(_ work: @Sendable (any Gridwalk) async throws -> Void) async {
        problem = nil
        draw()
        do { try await work(gridwalk) } catch { problem = Problem(error) }
        draw()
    }

    private func draw() {
        guard let everything else { return }
        let status = everything.status
        let now = clock.now()
        let today = startOfDay(now)
        let finished = everything.patrols.filter { $0.mine && $0.status == "finished" && $0.startedMs >= today }
        state = .ready(
            .init(
                now: now,
                worker: status.identity?.workerName ?? "",
                grid: status.shift?.grid.name ?? (status.grids.count == 1 ? status.grids.first?.name : nil),
                shiftSince: status.shift?.sinceMs,
                patrol: status.patrol.map { PatrolBrief(paused: $0.paused, since: $0.sinceMs, distanceM: $0.distanceM) },
                trouble: status.missing(trouble),
                unsent: UnsentState(status, sync: sync),
                finished: finished.count,
                finishedM: finished.reduce(0) { $0 + ($1.distanceM ?? 0) },
                ask: ask,
                signedOut: status.signedOut,
                problem: problem))
    }
}

extension Unsent {
    var count: UInt64 { ops + chunks + blobs }
}
