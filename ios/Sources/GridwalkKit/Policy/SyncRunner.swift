import GridwalkFFI

/// Runs the sync when the engine says so, one at a time, for ever.
///
/// It keeps no queue and no rules of its own: what is to be sent stands in the
/// engine, and so does when.
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

    /// The shortest pause after a sync: the engine may have been unable to note
    /// how it went, on a full disk.
    static let shortestPause: Millis = 1_000

    private let gridwalk: any Gridwalk
    private let clock: any WallClock
    private let told: @Sendable (Report) -> Void
    private let wiped: @Sendable () -> Void

    private var network = NetworkCost.offline
    private var report = Report()
    private var running: (whole: Bool, task: Task<Bool, Never>)?
    private var alarm: Task<Void, Never>?
    /// How many wait for the sync under way to end.
    private(set) var waiting = 0

    /// - Parameters:
    ///   - told: hears each change of the report, on any thread, in order.
    ///   - wiped: the phone was reported stolen, and the engine destroyed its data.
    public init(
        _ gridwalk: any Gridwalk, clock: any WallClock, told: @escaping @Sendable (Report) -> Void, wiped: @escaping @Sendable () -> Void
    ) {
        self.gridwalk = gridwalk
        self.clock = clock
        self.told = told
        self.wiped = wiped
    }

    /// The network became another one.
    public func networkIs(_ cost: NetworkCost) async {
        let before = network
        network = cost
        if before == .offline, cost != .offline { try? await gridwalk.networkReturned() }
        await nudge()
    }

    /// Something happened: syncs if it is time to, else at the time that the
    /// engine names. Returns when a sync that it started has ended.
    public func nudge() async {
        guard running == nil, let next = try? await gridwalk.nextSync(over: network), running == nil else { return }
        switch next {
        case .now: _ = await run(over: network)
        case .after(let ms): wake(in: ms)
        case .whenOnline, .never: alarm?.cancel()
        }
    }

    /// Syncs at once and with everything, or joins the sync under way.
    ///
    /// - Returns: whether it went through.
    @discardableResult public func now() async -> Bool {
        await run(over: nil)
    }

    /// The system gives a little time, over this network.
    ///
    /// - Returns: whether all that may go over it went through.
    public func sync(over cost: NetworkCost) async -> Bool {
        network = cost
        return cost == .offline ? false : await run(over: cost)
    }

    /// Ends the sync under way between two requests; what is durable stays so.
    public func cancel() async {
        running?.task.cancel()
        _ = await running?.task.value
    }

    /// - Parameter cost: nothing: everything goes, whatever it costs.
    private func run(over cost: NetworkCost?) async -> Bool {
        if let running {
            waiting += 1
            let went = await running.task.value
            waiting -= 1
            // That one left something for a network that costs nothing, and the user wants it sent.
            return went && cost == nil && !running.whole ? await run(over: nil) : went
        }
        alarm?.cancel()
        let task = Task {
            let went = await attempt(over: cost)
            running = nil
            return went
        }
        running = (cost != .metered, task)
        let went = await task.value
        await arm()
        return went
    }

    private func attempt(over cost: NetworkCost?) async -> Bool {
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
            _ = try await gridwalk.sync(over: cost) { feed.yield($0) }
            tell(Report())
            return true
        } catch is CancellationError {
            tell(Report())
            return false
        } catch {
            tell(Report(sending: nil, problem: Problem(error)))
            if case EngineError.Wiped = error { wiped() }
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
        switch try? await gridwalk.nextSync(over: network) {
        // Something came in while the last one ran.
        case .now: wake(in: Self.shortestPause)
        case .after(let ms): wake(in: max(ms, Self.shortestPause))
        case .whenOnline, .never, nil: break
        }
    }

    private func wake(in ms: Millis) {
        alarm?.cancel()
        let moment = clock.now() + ms
        alarm = Task { [weak self, clock] in
            guard (try? await clock.wait(until: moment)) != nil, !Task.isCancelled else { return }
            await self?.nudge()
        }
    }
}
