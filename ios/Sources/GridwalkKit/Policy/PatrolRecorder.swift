import GridwalkFFI

/// Carries positions from the sensor to the engine while a patrol runs.
///
/// The sensor is on exactly while a patrol is active: paused, finished or off
/// duty it is off. What keeps the route from being recorded is told as it is
/// measured, so that the screen never says "recording" when nothing is.
public actor PatrolRecorder {
    /// What keeps the route from being recorded.
    public enum Trouble: Sendable, Equatable {
        case permissionOff
        case locationOff
        case noSignal
        /// Only the neighbourhood is known: such fixes are kept, but make no route.
        case reduced
        /// The phone could not store them.
        case notSaved(Problem)
    }

    /// A fix a second while walking.
    static let walkingEveryMs: UInt32 = 1_000
    /// The sensor rests while the phone lies still: an hour without a fix is then no gap.
    static let stillEveryMs: UInt32 = 3_600_000
    /// How often the engine is asked for its plan. Core Location itself decides how
    /// often it tells a position, so that the plan's interval goes unused here; but
    /// where the phone came to rest, it is the engine's occasion to bring the last
    /// fixes to the disk.
    static let planEveryMs: Millis = 30_000
    /// So many fixes wait in memory while the engine cannot store them (a full
    /// disk), twenty minutes of walking; the oldest go first.
    static let held = 1_200

    private let gridwalk: any Gridwalk
    private let source: any LocationSource
    private let clock: any WallClock
    private let told: @Sendable (Trouble?) -> Void

    private var listening: Task<Void, Never>?
    private var asking: Task<Void, Never>?
    private var waiting: [Fix] = []
    private var lost: GapCause?
    private var asked: UInt32?
    private var trouble: Trouble?

    /// - Parameter told: hears each change of the trouble, on any thread, in order.
    public init(_ gridwalk: any Gridwalk, source: any LocationSource, clock: any WallClock, told: @escaping @Sendable (Trouble?) -> Void) {
        self.gridwalk = gridwalk
        self.source = source
        self.clock = clock
        self.told = told
    }

    /// Follows what stands on the phone: a patrol that is active is listened for.
    public func follow(_ patrol: PatrolNow?) {
        let wanted = patrol.map { !$0.paused } ?? false
        if wanted, listening == nil {
            listening = Task { await listen() }
            asking = Task { await askPlans() }
        } else if !wanted, let task = listening {
            task.cancel()
            asking?.cancel()
            listening = nil
            waiting = []
            lost = nil
            asked = nil
            say(nil)
        }
    }

    private func listen() async {
        switch await source.access {
        case .denied, .notAsked: await lose(.permissionOff)
        case .switchedOff: await lose(.locationOff)
        case .reduced: say(.reduced)
        case .granted: break
        }
        for await event in source.events() {
            guard !Task.isCancelled else { return }
            switch event {
            case .fix(let fix): await take(fix)
            case .still: await ask(every: Self.stillEveryMs)
            case .lost(let cause): await lose(cause)
            }
        }
    }

    private func askPlans() async {
        while (try? await clock.wait(until: clock.now() + Self.planEveryMs)) != nil, !Task.isCancelled {
            _ = try? await gridwalk.sensorPlan(Power(percent: nil, charging: false, saving: false))
        }
    }

    private func take(_ fix: Fix) async {
        if lost != nil, await marked(.found) { lost = nil }
        await ask(every: Self.walkingEveryMs)
        waiting.append(fix)
        if waiting.count > Self.held { waiting.removeFirst(waiting.count - Self.held) }
        let batch = waiting
        do {
            _ = try await gridwalk.record(batch)
            // While that was awaited nothing came in: one event is taken at a time.
            waiting.removeAll()
            if trouble != .reduced { say(nil) }
        } catch EngineError.NoPatrol, EngineError.PatrolPaused {
            // It was paused or finished in this moment: the fix belongs to no patrol.
            waiting.removeAll()
        } catch {
            say(.notSaved(Problem(error)))
        }
    }

    private func ask(every ms: UInt32) async {
        guard asked != ms, await marked(.asked(everyMs: ms)) else { return }
        asked = ms
    }

    private func lose(_ cause: GapCause) async {
        say(Trouble(cause))
        guard lost != cause, await marked(.lost(cause: cause)) else { return }
        lost = cause
    }

    /// A mark that could not be stored is tried again with the next event.
    private func marked(_ mark: SensorMark) async -> Bool {
        (try? await gridwalk.mark(mark)) != nil
    }

    private func say(_ new: Trouble?) {
        guard new != trouble else { return }
        trouble = new
        told(new)
    }
}

extension Status {
    /// The trouble where it costs a route: without a patrol, or in a paused one,
    /// nothing is missed.
    func missing(_ trouble: PatrolRecorder.Trouble?) -> PatrolRecorder.Trouble? {
        patrol.map { !$0.paused } ?? false ? trouble : nil
    }
}

extension PatrolRecorder.Trouble {
    fileprivate init(_ cause: GapCause) {
        self =
            switch cause {
            case .permissionOff: .permissionOff
            case .locationOff: .locationOff
            case .paused, .appKilled, .batteryLow, .phoneOff, .noSignal, .unknown: .noSignal
            }
    }
}
