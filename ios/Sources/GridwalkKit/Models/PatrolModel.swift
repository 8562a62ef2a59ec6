import GridwalkFFI
import Observation

/// What the screen of the patrol shows.
public enum PatrolState: Sendable, Equatable {
    case loading
    case failed(Problem)
    case ready(Ready)

    public struct Ready: Sendable, Equatable {
        public var now: Millis
        public var grid: String?
        public var map: GridMapState
        public var onShift: Bool
        /// The patrol that is running, if one is.
        public var patrol: Running?
        /// Why nothing is recorded although a patrol runs.
        public var trouble: PatrolRecorder.Trouble?
        public var ask: PatrolAsk?
        public var problem: Problem?
    }

    public struct Running: Sendable, Equatable {
        public let paused: Bool
        public let since: Millis
        public let distanceM: Double
        public let lastFix: Millis?
        /// Newest last.
        public let gaps: [GapState]
    }
}

public struct GapState: Sendable, Equatable, Identifiable {
    public let from: Millis
    public let to: Millis
    public let cause: GapCause

    public var id: Millis { from }

    /// "中断 12 分钟 · 没有定位信号"
    public func line(_ texts: Texts, _ times: Times) -> String {
        texts.patrolGap(span: times.span(ms: to - from), cause: texts.gap(cause))
    }
}

/// What the map shows.
public struct GridMapState: Sendable, Equatable {
    /// The rings of the grid's polygons.
    public var outlines: [[GeoPoint]] = []
    /// The route, cut where there is a gap.
    public var segments: [[GeoPoint]] = []
    /// Whether the patrol goes on: its end is then where the worker is.
    public var isRunning = false

    public init() {}
}

/// A question that stands over the screen.
public enum PatrolAsk: Sendable, Equatable { case location, finish }

/// The route so far on the grid, and what can be done with the patrol.
@MainActor @Observable public final class PatrolModel {
    public private(set) var state = PatrolState.loading

    private let gridwalk: any Gridwalk
    private let source: any LocationSource
    private let clock: any WallClock
    private var everything: Everything?
    private var outlines: [String: [[GeoPoint]]] = [:]
    private var route: RouteView?
    private var routeAt: (patrol: String, fixes: UInt64)?
    private var routeLoading = false
    private var trouble: PatrolRecorder.Trouble?
    private var ask: PatrolAsk?
    private var problem: Problem?

    public init(_ gridwalk: any Gridwalk, source: any LocationSource, clock: any WallClock) {
        self.gridwalk = gridwalk
        self.source = source
        self.clock = clock
    }

    func show(_ everything: Everything) async {
        self.everything = everything
        draw()
        await loadOutlines()
        await loadRoute()
    }

    func show(_ trouble: PatrolRecorder.Trouble?) {
        self.trouble = trouble
        draw()
    }

    /// Time went by: ages grow.
    public func tick() { draw() }

    /// Starts at once where the system need not be asked for the position;
    /// else says first why.
    public func start() async {
        if await source.access == .notAsked {
            ask = .location
            return draw()
        }
        await attempt { try await $0.startPatrol() }
    }

    /// The reason was read: the system may ask now. A refusal is survivable.
    public func allowLocation() async {
        ask = nil
        _ = await source.ask()
        await attempt { try await $0.startPatrol() }
    }

    /// The patrol starts without a route.
    public func startWithoutRoute() async {
        ask = nil
        await attempt { try await $0.startPatrol() }
    }

    public func pause() async { await attempt { try await $0.pausePatrol() } }

    public func resume() async { await attempt { try await $0.resumePatrol() } }

    public func finish() {
        ask = .finish
        draw()
    }

    public func confirmFinish() async {
        ask = nil
        await attempt { _ = try await $0.finishPatrol() }
    }

    public func cancel() {
        ask = nil
        problem = nil
        draw()
    }

    private func attempt(_ work: @Sendable (any Gridwalk) async throws -> Void) async {
        problem = nil
        draw()
        do { try await work(gridwalk) } catch { problem = Problem(error) }
        draw()
    }

    private var gridId: String? {
        guard let status = everything?.status else { return nil }
        return status.shift?.grid.id ?? (status.grids.count == 1 ? status.grids.first?.id : nil)
    }

    /// Boundaries change with a sync at most, so they are read once a grid.
    private func loadOutlines() async {
        guard let id = gridId, outlines[id] == nil, let grids = try? await gridwalk.grids() else { return }
        for grid in grids {
            outlines[grid.id] = grid.boundary.joined().map { $0.map { GeoPoint(lat: $0.lat, lon: $0.lon) } }
        }
        draw()
    }

    /// The route is read again when it grew, one reading at a time: the engine
    /// answers slower the longer it is, and only the last answer is shown.
    private func loadRoute() async {
        guard !routeLoading else { return }
        routeLoading = true
        defer { routeLoading = false }
        while let patrol = everything?.status.patrol, routeAt.map({ $0 != (patrol.id, patrol.fixes) }) ?? true {
            guard let read = try? await gridwalk.route(of: patrol.id) else { return }
            route = read
            routeAt = (patrol.id, patrol.fixes)
            draw()
        }
    }

    private func draw() {
        guard let status = everything?.status else { return }
        let route = status.patrol.flatMap { patrol in self.route.flatMap { $0.patrol == patrol.id ? $0 : nil } }
        var map = GridMapState()
        map.outlines = gridId.flatMap { outlines[$0] } ?? []
        map.segments = route?.segments.map { $0.map { GeoPoint(lat: $0.lat, lon: $0.lon) } } ?? []
        map.isRunning = status.patrol != nil
        state = .ready(
            .init(
                now: clock.now(),
                grid: status.shift?.grid.name ?? (status.grids.count == 1 ? status.grids.first?.name : nil),
                map: map,
                onShift: status.shift != nil,
                patrol: status.patrol.map { patrol in
                    .init(
                        paused: patrol.paused, since: patrol.sinceMs, distanceM: patrol.distanceM, lastFix: patrol.lastFix?.timeMs,
                        gaps: route?.gaps.map { GapState(from: $0.fromMs, to: $0.toMs, cause: $0.cause) } ?? [])
                },
                trouble: status.missing(trouble),
                ask: ask,
                problem: problem))
    }
}
