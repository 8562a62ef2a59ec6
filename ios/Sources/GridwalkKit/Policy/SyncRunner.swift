import GridwalkFFI

/// Runs the sync when ``SyncPolicy`` says so, one at a time, for ever.
///
/// It keeps no queue of its own: what is to be sent stands in the engine, so
/// that each run starts again from what is durable.
public actor SyncRunner {
    /// What the screens show of it.
    public struct Report: Sendable, Equatable {
        /// Done and all told of the phase under way; nothing while none runs.
        public var sending: Portion?
        public var problem: Problem?

        public struct Portion: Sendable, Equatable {
            public let done: UInt64
            public let total: UInt64
        }
    }

    private let gridwalk: any Gridwalk
    private let clock: any WallClock
    private let policy = SyncPolicy()
    private let chance: @Sendable () -> Double
    private let told: @Sendable (Report) -> Void

    private var network = NetworkKind.none
    private var failures = SyncPolicy.Failures()
    private var drawn = 0.0
    /// Whether the sync under way, or the last one, leaves the photos here.
    private var photosWait = false
    private var report = Report()
    private var running: Task<Bool, Never>?
    private var alarm: Task<Void, Never>?

    /// - Parameters:
    ///   - chance: 0 up to 1, anew at each call.
    ///   - told: hears each change of the report, on any thread, in order.
    public init(
        _ gridwalk: any Gridwalk, clock: any WallClock, chance: @escaping @Sendable () -> Double,
        told: @escaping @Sendable (Report) -> Void
    ) {
        self.gridwalk = gridwalk
        self.clock = clock
        self.chance = chance
        self.told = told
    }

    /// The network became another one: what failed for want of it may go at once.
    public func networkIs(_ kind: NetworkKind) async {
        let before = network
        network = kind
        if before == .none, kind != .none { failures = SyncPolicy.Failures() }
        await nudge()
    }

    /// Something happened: syncs if it is time to, else at the time that the
    /// policy names. Returns when a sync that it started has ended.
    public func nudge() async {
        guard running == nil, let status = try? await gridwalk.status(), status.identity != nil, running == nil else { return }
        switch decide(.byItself, status) {
        case .now: _ = await run(.byItself)
        case .at(let moment): wake(at: moment)
        case .whenNetworkChanges: alarm?.cancel()
        }
    }

    /// Syncs at once and with everything, or joins the sync under way.
    ///
    /// - Returns: whether it went through.
    @discardableResult public func now() async -> Bool {
        await run(.byHand)
    }

    /// The system gives a little time, over this network.
    ///
    /// - Returns: whether all that may go over it went through.
    public func sync(over kind: NetworkKind) async -> Bool {
        network = kind
        return kind == .none ? false : await run(.byItself)
    }

    /// Ends the sync under way between two requests; what is durable stays so.
    public func cancel() async {
        running?.cancel()
        _ = await running?.value
    }

    private func decide(_ cause: SyncPolicy.Cause, _ status: Status) -> SyncPolicy.Decision {
        policy.decide(
            cause, network: network, unsent: status.unsent, lastContact: status.lastContactMs, failures: failures, now: clock.now(),
            chance: drawn)
    }

    private func run(_ cause: SyncPolicy.Cause) async -> Bool {
        if let running {
            let went = await running.value
            // That one left the photos, and the user wants them sent.
            return went && photosWait && cause == .byHand ? await run(cause) : went
        }
        alarm?.cancel()
        let task = Task {
            let went = await attempt(cause)
            running = nil
            return went
        }
        running = task
        let went = await task.value
        await arm()
        return went
    }

    private func attempt(_ cause: SyncPolicy.Cause) async -> Bool {
        tell(Report(sending: .init(done: 0, total: 0), problem: nil))
        let (steps, feed) = AsyncStream.makeStream(of: SyncProgress.self, bufferingPolicy: .bufferingNewest(1))
        let showing = Task {
            for await step in steps { went(step) }
        }
        defer {
            feed.finish()
            showing.cancel()
        }
        do {
            let unsent = try await gridwalk.status().unsent
            photosWait = cause == .byItself && policy.photosWait(network, unsent: unsent, now: clock.now())
            _ = try await gridwalk.sync(photosWait: photosWait) { feed.yield($0) }
            failures = SyncPolicy.Failures()
            tell(Report())
            return true
        } catch is CancellationError {
            tell(Report())
            return false
        } catch {
            failures.count += 1
            failures.last = clock.now()
            failures.retryAfterMs = if case EngineError.Busy(let seconds) = error { Millis(seconds) * 1000 } else { 0 }
            drawn = chance()
            // Waiting for a network is no error to show where nobody asked.
            tell(Report(sending: nil, problem: Problem(error)))
            return false
        }
    }

    private func went(_ progress: SyncProgress) {
        // The last step may be seen after the end.
        guard report.sending != nil else { return }
        tell(Report(sending: .init(done: progress.done, total: progress.total), problem: nil))
    }

    private func tell(_ new: Report) {
        guard new != report else { return }
        report = new
        told(new)
    }

    /// The watchdog: sets the time of the next attempt after each one.
    private func arm() async {
        guard let status = try? await gridwalk.status() else { return }
        switch decide(.byItself, status) {
        // Something came in while the last one ran; or that one could not send
        // it, and then only the clock may bring the next attempt.
        case .now: wake(at: clock.now() + SyncPolicy.firstBackoff)
        case .at(let moment): wake(at: moment)
        case .whenNetworkChanges: break
        }
    }

    private func wake(at moment: Millis) {
        alarm?.cancel()
        alarm = Task { [weak self, clock] in
            guard (try? await clock.wait(until: moment)) != nil, !Task.isCancelled else { return }
            await self?.nudge()
        }
    }
}
