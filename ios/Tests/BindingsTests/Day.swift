import Foundation
import GridwalkFFI
import GridwalkKit

/// One start of the app on a phone: the models of all screens over the real
/// library, with a sensor, a network and a hand that the test plays.
@MainActor final class Day {
    let app: AppModel
    private let sensor = Sensor()
    private let texts = Texts(.zh)

    init(_ phone: Phone) {
        let open: @Sendable () async throws -> any Gridwalk = {
            try await FfiGridwalk.open(path: phone.path, key: phone.key, version: "0.0.0")
        }
        app = AppModel(
            GridwalkKit.Phone(
                open: open, destroyKey: {}, source: sensor, network: Wifi(), clock: WallTime(),
                startOfDay: {
                    Int64(Calendar.current.startOfDay(for: Date(timeIntervalSince1970: Double($0) / 1000)).timeIntervalSince1970 * 1000)
                }),
            haptics: Hand(), texts: texts)
    }

    func enrol(_ invitation: String) async throws {
        await app.open()
        guard let model = app.enrolment, let link = URL(string: invitation) else { throw Failed("no enrolment, but \(app.state)") }
        app.opened(link)
        await model.enrol()
        guard app.state == .ready else { throw Failed("\(String(describing: model.state.problem))") }
        await fact { self.today != nil }
        await app.act()
        await fact { self.app.onShift }
    }

    func walk(_ fixes: [Fix], starting: Bool = true) async throws {
        if starting { await app.patrol?.start() }
        await fact { self.sensor.isOn }
        let before = now?.fixes ?? 0
        for fix in fixes { sensor.play(.fix(fix)) }
        await fact { (self.now?.fixes ?? 0) == before + UInt64(fixes.count) }
        await fact { self.patrol.map { !$0.map.segments.isEmpty } ?? false }
    }

    func report(_ photo: Data) async throws {
        await app.act()
        guard let model = app.report else { throw Failed("no report") }
        let opening = Task { await model.open() }
        await fact { if case .ready = model.state { true } else { false } }
        model.choose(category: "fire_safety")
        model.type("三单元楼道堆物")
        model.took(photo)
        await model.save()
        opening.cancel()
        await fact { self.app.report == nil && self.app.saved }
        // It goes out by itself, photo and all.
        await fact { self.sentIncidents == ["三单元楼道堆物"] }
    }

    func goesOn(after fixes: UInt64) async throws {
        await app.open()
        await fact { self.now != nil }
        guard now?.fixes == fixes else { throw Failed("\(String(describing: now))") }
    }

    func finish() async throws {
        app.patrol?.finish()
        await app.patrol?.confirmFinish()
        await fact { self.patrol?.patrol == nil && !self.sensor.isOn }
        app.today?.endShift()
        await app.today?.confirmEndShift()
        await fact { !self.app.onShift }
        await fact { self.today.map { $0.unsent.count == 0 && $0.finished == 1 } ?? false }
    }

    func lastPatrol() async throws -> String {
        guard let id = latest?.patrols.first?.id else { throw Failed("no patrol") }
        return id
    }

    private var latest: Everything? { app.everything }
    private var now: PatrolNow? { latest?.status.patrol }

    private var today: TodayState.Ready? {
        if case .ready(let ready)? = app.today?.state { ready } else { nil }
    }

    private var patrol: PatrolState.Ready? {
        if case .ready(let ready)? = app.patrol?.state { ready } else { nil }
    }

    private var sentIncidents: [String] {
        guard case .ready(_, let rows)? = app.incidents?.state else { return [] }
        return rows.filter { $0.delivery == .sent }.map(\.title)
    }

    /// Waits for a fact, letting everything else run meanwhile.
    private func fact(_ isTrue: () -> Bool) async {
        while !isTrue() { await Task.yield() }
    }
}

private struct Wifi: NetworkWatch {
    func costs() -> AsyncStream<NetworkCost> { AsyncStream { $0.yield(.unmetered) } }
}

private struct WallTime: WallClock {
    func now() -> Millis { nowMs() }

    func wait(until moment: Millis) async throws {
        try await Task.sleep(for: .milliseconds(max(0, moment - now())))
    }
}

@MainActor private struct Hand: Haptics {
    func saved() {}
    func failed() {}
}

private final class Sensor: LocationSource, @unchecked Sendable {
    private let lock = NSLock()
    private var feeds: [UUID: AsyncStream<LocationEvent>.Continuation] = [:]

    var access: LocationAccess { get async { .granted } }
    var isOn: Bool { lock.withLock { !feeds.isEmpty } }

    func ask() async -> LocationAccess { .granted }

    func events() -> AsyncStream<LocationEvent> {
        let (stream, feed) = AsyncStream.makeStream(of: LocationEvent.self)
        let id = UUID()
        lock.withLock { feeds[id] = feed }
        feed.onTermination = { [weak self] _ in self?.lock.withLock { self?.feeds[id] = nil } }
        return stream
    }

    func play(_ event: LocationEvent) {
        for feed in lock.withLock({ Array(feeds.values) }) { feed.yield(event) }
    }
}
