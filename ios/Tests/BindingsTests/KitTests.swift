import Foundation
import GridwalkFFI
import GridwalkKit
import XCTest

/// GridwalkKit's async functions and sequences over the real library, against a
/// real server.
final class KitTests: XCTestCase {
    nonisolated(unsafe) private static var scratch = URL(filePath: "/")
    nonisolated(unsafe) private static var shared: Result<Server, any Error> = .failure(Failed("not started"))

    override class func setUp() {
        scratch = FileManager.default.temporaryDirectory.appending(path: "gridwalk-kit-\(UUID())")
        shared = Result {
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            return try Server(scratch.appending(path: "server"))
        }
    }

    override class func tearDown() {
        if case .success(let server) = shared { server.stop() }
        try? FileManager.default.removeItem(at: scratch)
    }

    private func opened() async throws -> FfiGridwalk {
        let phone = try Phone(Self.scratch.appending(path: "phone-\(UUID())"))
        let gridwalk = try await FfiGridwalk.open(path: phone.path, key: phone.key, version: "0.0.0")
        addTeardownBlock { await gridwalk.shut() }
        return gridwalk
    }

    private func enrolled() async throws -> FfiGridwalk {
        let gridwalk = try await opened()
        _ = try await gridwalk.enrol(Self.shared.get().invitation(), server: nil)
        return gridwalk
    }

    func testADayThroughTheScreensModels() async throws {
        let invitation = try Self.shared.get().invitation()
        let phone = try Phone(Self.scratch.appending(path: "day"))
        let day = await Day(phone)
        try await day.enrol(invitation)
        try await day.walk(try trace(700..<800, ends: nowMs() - 60_000))
        try await day.report(photo(20).bytes)
        // The system takes the app away and starts it again.
        await day.app.close()
        let next = await Day(phone)
        try await next.goesOn(after: 100)
        try await next.walk(try trace(800..<900, ends: nowMs()), starting: false)
        try await next.finish()
        let holdings = try Self.shared.get().holdings()
        let patrol = try await next.lastPatrol()
        XCTAssertEqual(holdings.patrols.first { $0.id == patrol }?.fixesStored, 200)
        await next.app.close()
    }

    func testEverythingIsASequenceThatEndsWithItsLoop() async throws {
        let gridwalk = try await enrolled()
        var stages = [gridwalk.everything()].makeIterator()
        let everything = try XCTUnwrap(stages.next())
        var saved: String?
        for await now in everything {
            if now.status.shift == nil {
                try await gridwalk.startShift(grid: nil)
            } else if saved == nil {
                saved = try await gridwalk.report(incident("井盖缺失"))
            } else if let first = now.incidents.first {
                XCTAssertEqual(first.id, saved)
                break
            }
        }
        // The engine told two listeners at once, and the one that left is forgotten.
        let again = gridwalk.everything()
        for await now in again {
            XCTAssertEqual(now.incidents.first?.title, "井盖缺失")
            break
        }
    }

    func testTheSequenceEndsWhenTheEngineIsShut() async throws {
        let gridwalk = try await enrolled()
        let ended = Task {
            for await _ in gridwalk.everything() { await gridwalk.shut() }
            return true
        }
        let over = await ended.value
        XCTAssert(over)
        var more = gridwalk.everything().makeAsyncIterator()
        let nothing = await more.next()
        XCTAssertNil(nothing, "a closed engine tells nothing more")
    }

    func testACancelledTaskEndsTheSync() async throws {
        let gridwalk = try await enrolled()
        try await gridwalk.startShift(grid: nil)
        _ = try await gridwalk.report(incident("占道经营", photo(500), photo(500)))
        let (phases, feed) = AsyncStream.makeStream(of: SyncPhase.self)
        let released = DispatchSemaphore(value: 0)
        let sync = Task {
            try await gridwalk.sync(over: nil) { step in
                feed.yield(step.phase)
                if step.phase == .blobs { released.wait() }
            }
        }
        for await phase in phases where phase == .blobs { break }
        sync.cancel()
        for _ in 0..<100 { released.signal() }
        do {
            _ = try await sync.value
            XCTFail("the sync went through")
        } catch is CancellationError {}
        let unsent = try await gridwalk.status().unsent
        XCTAssertGreaterThan(unsent.blobs, 0)
        _ = try await gridwalk.sync(over: .metered) { _ in }
        let waiting = try await gridwalk.status().unsent
        XCTAssertEqual([waiting.ops, waiting.blobs], [0, unsent.blobs])
        _ = try await gridwalk.sync(over: nil) { _ in }
        let after = try await gridwalk.status().unsent
        XCTAssertEqual(after.blobs, 0)
    }

    func testCallsDoNotHoldUpSwiftsOwnThreads() async throws {
        let gridwalk = try await enrolled()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 {
                group.addTask { _ = try await gridwalk.status() }
                group.addTask { _ = try await gridwalk.catalogue() }
            }
            try await group.waitForAll()
        }
    }

    func testErrorsReachTheScreensAsSentences() async throws {
        let gridwalk = try await enrolled()
        do {
            try await gridwalk.startPatrol()
            XCTFail("no error")
        } catch {
            XCTAssertEqual(Problem(error).text(Texts(.en)), Texts(.en).errorOffShift)
        }
        do {
            _ = try await gridwalk.enrol("AAAA-AAAA-AAAA", server: Self.shared.get().url)
            XCTFail("no error")
        } catch {
            XCTAssertEqual(Problem(error).text(Texts(.zh)), Texts(.zh).errorEnrolled)
        }
    }
}
