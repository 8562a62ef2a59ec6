import Foundation
import GridwalkFFI

/// ``Gridwalk`` over the generated bindings.
///
/// The engine blocks, so each call runs on a queue of threads that may block;
/// Swift's own pool, which may not, only waits for it. Callbacks come on threads
/// of the core and become sequences here.
public final class FfiGridwalk: Gridwalk {
    private let engine: Engine
    private let queue = DispatchQueue(label: "gridwalk.engine", qos: .userInitiated, attributes: .concurrent)

    private init(_ engine: Engine) {
        self.engine = engine
    }

    /// Opens the data file, and makes it where there is none.
    ///
    /// - Parameters:
    ///   - path: where it lies; other files of that name with a suffix lie beside it.
    ///   - key: 32 bytes.
    ///   - version: the app's, as the server shall see it.
    public static func open(path: String, key: Data?, version: String) async throws -> FfiGridwalk {
        let options = OpenOptions(path: path, key: key, platform: "ios", app: version)
        let opening = DispatchQueue(label: "gridwalk.open", qos: .userInitiated)
        return FfiGridwalk(try await opening.blocking { try Engine.open(options: options) })
    }

    public func everything() -> AsyncStream<Everything> {
        let engine = engine
        let (stream, feed) = AsyncStream.makeStream(of: Everything.self, bufferingPolicy: .bufferingNewest(1))
        do {
            let subscription = try engine.observe(observer: Fold(into: feed))
            // The handle lives as long as somebody listens. To cancel waits for a
            // callback under way, which a thread of Swift's own pool must not.
            feed.onTermination = { [queue] _ in queue.async { subscription.cancel() } }
        } catch {
            feed.finish()
        }
        return stream
    }

    public func status() async throws -> Status {
        try await call { try $0.status() }
    }

    public func enrol(_ invitation: String, server: String?) async throws -> Identity {
        try await call { try $0.enrol(invitation: invitation, server: server) }
    }

    public func grids() async throws -> [Grid] {
        try await call { try $0.grids() }
    }

    public func catalogue() async throws -> Catalogue {
        try await call { try $0.catalogue() }
    }

    public func startShift(grid: String?) async throws {
        _ = try await call { try $0.startShift(grid: grid) }
    }

    public func endShift() async throws {
        try await call { try $0.endShift() }
    }

    public func startPatrol() async throws {
        _ = try await call { try $0.startPatrol() }
    }

    public func pausePatrol() async throws {
        try await call { try $0.pausePatrol() }
    }

    public func resumePatrol() async throws {
        try await call { try $0.resumePatrol() }
    }

    public func finishPatrol() async throws -> PatrolSummary {
        try await call { try $0.finishPatrol() }
    }

    public func record(_ fixes: [Fix]) async throws -> Recorded {
        try await call { try $0.record(fixes: fixes) }
    }

    public func sensorPlan(_ power: Power) async throws -> SensorPlan? {
        try await call { try $0.sensorPlan(power: power) }
    }

    public func mark(_ mark: SensorMark) async throws {
        try await call { try $0.mark(mark: mark) }
    }

    public func route(of patrol: String) async throws -> RouteView {
        try await call { try $0.route(patrol: patrol) }
    }

    public func report(_ incident: NewIncident) async throws -> String {
        try await call { try $0.reportIncident(incident: incident) }
    }

    public func sync(over network: NetworkCost?, onProgress: @escaping @Sendable (SyncProgress) -> Void) async throws -> SyncReport {
        let token = CancelToken()
        return try await withTaskCancellationHandler {
            do {
                return try await call { try $0.sync(observer: Progress(onProgress), cancel: token, network: network) }
            } catch EngineError.Cancelled {
                throw CancellationError()
            }
        } onCancel: {
            token.cancel()
        }
    }

    public func nextSync(over network: NetworkCost) async throws -> NextSync {
        try await call { try $0.nextSync(network: network) }
    }

    public func networkReturned() async throws {
        try await call { try $0.networkReturned() }
    }

    public func logOut(confirm: Bool) async throws -> LogOut {
        try await call { try $0.logOut(confirm: confirm) }
    }

    public func shut() async {
        // Closing cannot fail, and waits for the call under way.
        try? await call { $0.shut() }
    }

    private func call<T: Sendable>(_ work: @escaping @Sendable (Engine) throws -> T) async throws -> T {
        try await queue.blocking { [engine] in try work(engine) }
    }
}

extension DispatchQueue {
    /// Runs work that blocks on this queue, and waits for it without blocking.
    func blocking<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            self.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}

/// Lays each change on what stood before it.
private final class Fold: Observer, @unchecked Sendable {
    private let feed: AsyncStream<Everything>.Continuation
    // Written by the subscription's one thread only.
    private var now: Everything?

    init(into feed: AsyncStream<Everything>.Continuation) {
        self.feed = feed
    }

    func changed(change: Change) {
        if case .closed = change { return feed.finish() }
        now = Everything.after(change, from: now)
        if let now { feed.yield(now) }
    }
}

private final class Progress: SyncObserver {
    private let told: @Sendable (SyncProgress) -> Void

    init(_ told: @escaping @Sendable (SyncProgress) -> Void) {
        self.told = told
    }

    func progress(progress: SyncProgress) {
        told(progress)
    }
}
