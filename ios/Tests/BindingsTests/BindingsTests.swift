import Foundation
import GridwalkFFI
import XCTest

/// The generated Swift over the real library, against a real server.
final class BindingsTests: XCTestCase {
    nonisolated(unsafe) private static var scratch = URL(filePath: "/")
    nonisolated(unsafe) private static var shared: Result<Server, any Error> = .failure(Failed("not started"))

    override class func setUp() {
        scratch = FileManager.default.temporaryDirectory.appending(path: "gridwalk-swift-\(UUID())")
        shared = Result {
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            return try Server(scratch.appending(path: "server"))
        }
    }

    override class func tearDown() {
        if case .success(let server) = shared { server.stop() }
        try? FileManager.default.removeItem(at: scratch)
    }

    private func server() throws -> Server { try Self.shared.get() }

    private func phone() throws -> Phone { try Phone(Self.scratch.appending(path: "phone-\(UUID())")) }

    private func opened(_ phone: Phone? = nil) throws -> Engine {
        let engine = try (phone ?? self.phone()).open()
        addTeardownBlock { engine.shut() }
        return engine
    }

    private func enrolled(_ server: Server? = nil, phone: Phone? = nil) throws -> Engine {
        let engine = try opened(phone)
        _ = try engine.enrol(invitation: try (server ?? self.server()).invitation(), server: nil)
        return engine
    }

    func testEnrolsAndKnowsItsGrid() throws {
        let engine = try opened()
        XCTAssertNil(try engine.identity())
        let identity = try engine.enrol(invitation: server().invitation(), server: nil)
        XCTAssertEqual(try engine.identity(), identity)
        XCTAssertEqual(identity.server, try server().url)
        let grids = try engine.grids()
        XCTAssertEqual(grids.map(\.code), [grid])
        XCTAssertEqual(grids[0].level, .base)
        let ring = grids[0].boundary[0][0]
        XCTAssertEqual(ring.first, ring.last, "a ring is closed")
        XCTAssertEqual(Set(ring.map(\.lat)), [52.62, 52.69])
        XCTAssert(try engine.catalogue().categories.contains { $0.code == "fire_safety" && $0.zh == "消防安全" })
    }

    func testAShiftAndAPatrolFromARealTrace() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        let patrol = try engine.startPatrol()
        try engine.mark(mark: .asked(everyMs: 1000))
        let fixes = try trace(700..<900, ends: nowMs())
        for first in stride(from: 0, to: 200, by: 20) {
            let recorded = try engine.record(fixes: Array(fixes[first..<first + 20]))
            XCTAssertEqual(recorded.patrol, patrol)
            XCTAssertEqual(recorded.acked, UInt64(first + 20))
        }
        try engine.pausePatrol()
        XCTAssertEqual(try engine.status().patrol?.paused, true)
        try engine.resumePatrol()
        XCTAssertEqual(try engine.status().patrol?.fixes, 200)
        XCTAssertEqual(try engine.status().shift?.grid.code, grid)
        let summary = try engine.finishPatrol()
        XCTAssertEqual(summary.fixes, 200)
        let route = try engine.route(patrol: patrol)
        XCTAssertEqual(route.fixes, 200)
        // From fix to fix it is 1,125 m, jitter included; what is counted is a little less.
        XCTAssert((900..<1_125).contains(route.distanceM), "\(route.distanceM)")
        XCTAssertEqual(route.distanceM, summary.distanceM, accuracy: 1)
        XCTAssertEqual(UInt64(route.segments.joined().count), route.used)
        XCTAssert(try engine.export(record: patrol, format: .gpx).contains("<trkpt"))
        try engine.endShift()
        _ = try engine.sync(observer: nil, cancel: nil)
        XCTAssertEqual(try engine.patrol(id: patrol).send, .sent)
        XCTAssertEqual(try server().holdings().patrols.first { $0.id == patrol }?.fixesStored, 200)
    }

    func testKilledAndGoesOn() throws {
        let phone = try phone()
        let before = try enrolled(phone: phone)
        _ = try before.startShift(grid: nil)
        let patrol = try before.startPatrol()
        before.shut()
        let doomed = Process()
        // Beside this test, where SwiftPM builds everything.
        let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        doomed.executableURL = products.appending(path: "DoomedPhone")
        doomed.arguments = [phone.path, phone.key.base64EncodedString(), repository.path]
        let (heard, kept) = (Pipe(), Pipe())
        doomed.standardOutput = heard
        doomed.standardInput = kept
        try doomed.run()
        var told = ""
        while acked(told) < 120 {
            let more = heard.fileHandleForReading.availableData
            guard !more.isEmpty else { throw Failed("the phone's process ended by itself: \(told)") }
            told += String(decoding: more, as: UTF8.self)
        }
        XCTAssertEqual(kill(doomed.processIdentifier, SIGKILL), 0)
        doomed.waitUntilExit()
        XCTAssertEqual(doomed.terminationReason, .uncaughtSignal)
        told += String(decoding: heard.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)

        let again = try opened(phone)
        let now = try XCTUnwrap(try again.status().patrol)
        XCTAssertEqual(now.id, patrol, "the patrol goes on")
        XCTAssertGreaterThanOrEqual(now.fixes, UInt64(acked(told)), "every acknowledged fix is there")
        _ = try again.record(fixes: trace(1600..<1650, starts: nowMs() + 1_000))
        _ = try again.finishPatrol()
        let route = try again.route(patrol: patrol)
        XCTAssertEqual(route.fixes, now.fixes + 50)
        XCTAssert(route.gaps.contains { $0.cause == .appKilled }, "\(route.gaps)")
        XCTAssertGreaterThanOrEqual(route.segments.count, 2, "a gap is not a line")
    }

    /// The last whole `acked N` line.
    private func acked(_ told: String) -> Int {
        let whole = told.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        return whole.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.last ?? 0
    }

    func testAnIncidentWithAPhoto() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        let saved = try engine.reportIncident(incident: incident("楼道堆物", photo(40)))
        let shown = try XCTUnwrap(try engine.incidents().first)
        XCTAssertEqual(shown.id, saved)
        XCTAssertEqual(shown.title, "楼道堆物")
        XCTAssertEqual(shown.status, "reported")
        XCTAssertEqual(shown.send, .saved)
        let kept = try XCTUnwrap(shown.photos.first)
        XCTAssertEqual(UInt64(try engine.photo(sha256: kept.sha256).count), kept.bytes)
        let report = try engine.sync(observer: nil, cancel: nil)
        XCTAssertEqual(report.blobsSent, 1)
        XCTAssertEqual(try engine.incident(id: saved).send, .sent)
        XCTAssertEqual(try engine.incident(id: saved).photos.first?.sent, true)
        let holdings = try server().holdings()
        XCTAssert(holdings.incidents.contains(saved))
        XCTAssert(holdings.attachments.contains(kept.sha256))
    }

    func testOfflineLosesNothing() throws {
        let server = try Server(Self.scratch.appending(path: "offline-server"))
        defer { server.stop() }
        let engine = try enrolled(server)
        _ = try engine.startShift(grid: nil)
        _ = try engine.sync(observer: nil, cancel: nil)
        server.stop()
        let saved = try engine.reportIncident(incident: incident("断网时上报", photo(8)))
        let before = try engine.status().unsent
        XCTAssertGreaterThanOrEqual(before.ops, 1)
        XCTAssertEqual(before.blobs, 1)
        expect({ if case .Offline = $0 { true } else { false } }) { try engine.sync(observer: nil, cancel: nil) }
        XCTAssertEqual(try engine.status().unsent, before)
        try server.start()
        _ = try engine.sync(observer: nil, cancel: nil)
        XCTAssertEqual(try engine.incident(id: saved).send, .sent)
        XCTAssertEqual(try engine.status().unsent, Unsent(ops: 0, chunks: 0, blobs: 0, oldestMs: nil))
    }

    func testSyncWithProgress() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        _ = try engine.reportIncident(incident: incident("消防通道被占", photo(300)))
        let steps = Steps()
        let report = try engine.sync(observer: steps, cancel: nil)
        let seen = steps.seen
        for phase in [SyncPhase.hello, .push, .blobs, .pull] { XCTAssert(seen.contains { $0.phase == phase }, "\(phase)") }
        for step in seen { XCTAssertLessThanOrEqual(step.done, step.total) }
        let up = seen.map(\.bytesUp)
        XCTAssertEqual(up, up.sorted(), "what is sent only grows")
        XCTAssertGreaterThan(report.bytesUp, 300 * 1024)
    }

    func testTheEngineSaysWhenAndOverWhichNetwork() throws {
        let engine = try opened(phone())
        XCTAssertEqual(try engine.nextSync(network: .unmetered), .never)
        _ = try engine.enrol(invitation: server().invitation(), server: nil)
        _ = try engine.startShift(grid: nil)
        let saved = try engine.reportIncident(incident: incident("路灯不亮", photo(20)))
        XCTAssertEqual(try engine.nextSync(network: .offline), .whenOnline)
        XCTAssertEqual(try engine.nextSync(network: .metered), .now)
        _ = try engine.sync(observer: nil, cancel: nil, network: .metered)
        XCTAssertEqual(try engine.incident(id: saved).send, .waiting, "its photo waits")
        guard case .after(let ms) = try engine.nextSync(network: .metered) else { return XCTFail("no time was named") }
        XCTAssert((1...900_000).contains(ms), "\(ms)")
        XCTAssertEqual(try engine.nextSync(network: .unmetered), .now)
        try engine.networkReturned()
        try engine.setSyncSettings(settings: SyncSettings(routesOnMetered: true, photosOnMetered: true, keepRoutesDays: 30))
        XCTAssert(try engine.syncSettings().photosOnMetered)
        XCTAssertEqual(try engine.nextSync(network: .metered), .now)
        _ = try engine.sync(observer: nil, cancel: nil, network: .metered)
        XCTAssertEqual(try engine.incident(id: saved).send, .sent)
        XCTAssertEqual(try engine.sync(observer: nil, cancel: nil, network: .unmetered, budgetBytes: 1).cut, .budget)
    }

    func testWhoLeavesIsAskedAndWhatIsUnsentIsSent() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        _ = try engine.reportIncident(incident: incident("井盖缺失", photo(20)))
        guard case .asks(let departure) = try engine.logOut(confirm: false) else { return XCTFail("it did not ask") }
        XCTAssert(departure.onShift && departure.unsent.blobs == 1, "\(departure)")
        XCTAssertNotNil(try engine.identity(), "nothing was changed")
        XCTAssertEqual(try engine.logOut(confirm: true), .done)
        XCTAssertNil(try engine.identity())
        XCTAssert(try engine.incidents().isEmpty)
        let left = try XCTUnwrap(engine.vault().first)
        XCTAssertEqual(left.why, .loggedOut)
        XCTAssertEqual(try engine.status().leftUnsent, left.unsent.ops + left.unsent.blobs)
        let written = try engine.exportUnsent(folder: Self.scratch.appending(path: "unsent").path)
        XCTAssertEqual([written.ops, written.blobs], [left.unsent.ops, 1])
        _ = try engine.enrol(invitation: server().invitation(), server: nil)
        XCTAssert(try engine.incidents().isEmpty && engine.conflicts().isEmpty)
        _ = try engine.sync(observer: nil, cancel: nil)
        XCTAssertEqual(try engine.status().leftUnsent, 0)
    }

    func testTheSensorsPlan() throws {
        let engine = try enrolled()
        let full = Power(percent: 90, charging: false, saving: false)
        XCTAssertNil(try engine.sensorPlan(power: full), "no patrol, no sensor")
        _ = try engine.startShift(grid: nil)
        _ = try engine.startPatrol()
        let plan = try XCTUnwrap(engine.sensorPlan(power: full))
        XCTAssertEqual(plan.everyMs, 1_000)
        XCTAssertEqual(plan.priority, .high)
        let low = try XCTUnwrap(engine.sensorPlan(power: Power(percent: nil, charging: false, saving: true)))
        XCTAssertGreaterThan(low.everyMs, plan.everyMs)
        try engine.pausePatrol()
        XCTAssertNil(try engine.sensorPlan(power: full))
        XCTAssert(try engine.coverage().sites.isEmpty)
    }

    func testErrorsHaveTheirTypes() throws {
        let phone = try phone()
        let engine = try opened(phone)
        expect({ $0 == .NotEnrolled }) { try engine.sync(observer: nil, cancel: nil) }
        expect({ if case .BadInvitation = $0 { true } else { false } }) {
            try engine.enrol(invitation: "https://example.org/", server: nil)
        }
        let url = try server().url
        expect({ if case .EnrolRefused(code: "wrong_code", _) = $0 { true } else { false } }) {
            try engine.enrol(invitation: "AAAA-AAAA-AAAA", server: url)
        }
        XCTAssertNil(try engine.identity(), "a refused code changes nothing")
        _ = try engine.enrol(invitation: server().invitation(), server: nil)
        expect({ $0 == .AlreadyEnrolled }) { try engine.enrol(invitation: self.server().invitation(), server: nil) }
        expect({ $0 == .NoShift }) { try engine.startPatrol() }
        expect({ if case .OutOfScope = $0 { true } else { false } }) { try engine.startShift(grid: "00000000-0000-4000-8000-000000000000") }
        expect({ if case .BadInput(what: "grid", _) = $0 { true } else { false } }) { try engine.startShift(grid: "第一网格") }
        _ = try engine.startShift(grid: engine.grids()[0].id)
        expect({ $0 == .NoPatrol }) { try engine.record(fixes: trace(0..<1, ends: nowMs())) }
        expect({ if case .UnknownCategory = $0 { true } else { false } }) {
            try engine.reportIncident(incident: incident("楼道堆物", category: "weather"))
        }
        expect({ if case .PhotoNotTaken(index: 0, _) = $0 { true } else { false } }) {
            try engine.reportIncident(incident: incident("楼道堆物", NewPhoto(bytes: Data("GIF89a".utf8), mime: "image/gif")))
        }
        XCTAssertEqual(try engine.incidents(), [], "a refused report leaves nothing")
        expect({ $0 == .NotFound }) { try engine.incident(id: "00000000-0000-4000-8000-000000000000") }
        expect({ $0 == .InUse }) { try phone.open() }
        engine.shut()
        engine.shut()
        expect({ $0 == .Closed }) { try engine.status() }
        expect({ $0 == .WrongKey }) { try Engine.open(options: phone.options(key: Data(repeating: 1, count: 32))) }
        expect({ if case .BadInput = $0 { true } else { false } }) { try Engine.open(options: phone.options(key: Data("too short".utf8))) }
        XCTAssertEqual(try opened(phone).status().shift?.grid.code, grid)
    }

    func testACallbackFromAnotherThread() throws {
        let engine = try enrolled()
        let changes = Changes()
        let subscription = try engine.observe(observer: changes)
        guard case .snapshot(let status, _, _) = try changes.next() else { return XCTFail("a snapshot comes first") }
        XCTAssertNil(status.shift)
        _ = try engine.startShift(grid: nil)
        _ = try changes.until { if case .statusChanged(let status) = $0 { status.shift } else { nil } }
        let saved = try engine.reportIncident(incident: incident("井盖缺失"))
        let told = try changes.until { if case .incidentChanged(let incident) = $0 { incident } else { nil } }
        XCTAssertEqual(told.id, saved)
        XCTAssertFalse(changes.threads.contains(ObjectIdentifier(Thread.current)))
        subscription.cancel()
        changes.clear()
        try engine.endShift()
        _ = try engine.status()
        XCTAssert(changes.isEmpty, "nothing is told after cancel returned")
    }

    func testASubscriptionEndsWithTheEngine() throws {
        let engine = try enrolled()
        let changes = Changes()
        let subscription = try engine.observe(observer: changes)
        engine.shut()
        try changes.until { if case .closed = $0 { () } else { nil } }
        subscription.cancel()
    }

    func testAnObserverThatThrowsDoesNoHarm() throws {
        let engine = try enrolled()
        let changes = Changes(fails: true)
        let subscription = try engine.observe(observer: changes)
        _ = try engine.startShift(grid: nil)
        try changes.until { if case .statusChanged(let status) = $0, status.shift != nil { () } else { nil } }
        subscription.cancel()
        let steps = Steps { _ in throw Failed("this observer always fails") }
        _ = try engine.sync(observer: steps, cancel: nil)
        XCTAssertGreaterThan(steps.seen.count, 1, "the sync went on and told more")
        XCTAssertEqual(try engine.status().unsent.ops, 0)
    }

    func testCancel() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        let saved = try engine.reportIncident(incident: incident("占道经营", photo(500), photo(500)))
        let early = CancelToken()
        early.cancel()
        XCTAssert(early.isCancelled())
        expect({ $0 == .Cancelled }) { try engine.sync(observer: nil, cancel: early) }
        XCTAssertNotEqual(try engine.incident(id: saved).send, .sent)

        // From another thread, while the photos go.
        let token = CancelToken()
        let steps = Steps { step in
            guard step.phase == .blobs else { return }
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                token.cancel()
                done.signal()
            }
            done.wait()
        }
        expect({ $0 == .Cancelled }) { try engine.sync(observer: steps, cancel: token) }
        let half = try engine.incident(id: saved)
        XCTAssertEqual(half.send, .waiting)
        XCTAssertFalse(half.photos.allSatisfy(\.sent))
        _ = try engine.sync(observer: nil, cancel: CancelToken())
        XCTAssertEqual(try engine.incident(id: saved).send, .sent)
    }

    func testTenThousandCallsWithoutALeak() throws {
        let engine = try enrolled()
        _ = try engine.startShift(grid: nil)
        _ = try engine.startPatrol()
        _ = try engine.reportIncident(incident: incident("井盖缺失", photo(4)))
        _ = try engine.record(fixes: trace(700..<900, ends: nowMs()))
        let calls = { (times: Int) in
            for number in 0..<times {
                _ = try engine.status()
                _ = try engine.incidents()
                CancelToken().cancel()
                expect({ $0 == .PatrolRunning }) { try engine.startPatrol() }
                if number.isMultiple(of: 50) {
                    let changes = Changes()
                    let subscription = try engine.observe(observer: changes)
                    _ = try changes.next()
                    subscription.cancel()
                }
            }
        }
        try calls(500)
        let before = try residentKb()
        try calls(2_500)
        let grown = try residentKb() - before
        XCTAssertLessThan(grown, 1_500, "KB more after 10,000 calls")
    }
}
