import GridwalkFFI
import Testing

@testable import GridwalkKit

@MainActor @Suite("The sync that starts by itself", .timeLimit(.minutes(1))) struct SyncRunnerTests {
    private let gridwalk = FakeGridwalk()
    private let clock = TurnedClock()
    private let told = Told<SyncRunner.Report>()
    private let wiped = Told<Int>()

    private func runner() -> SyncRunner {
        SyncRunner(gridwalk, clock: clock, told: { [told] in told($0) }, wiped: { [wiped] in wiped(1) })
    }

    private func saved(_ ops: UInt64) {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: ops, oldest: clock.now())) }
    }

    private var syncs: Int { synced.count }
    private var synced: [String] { gridwalk.calls.filter { $0.hasPrefix("sync") } }

    @Test func offlineItWaitsAndTheNetworkStartsIt() async {
        saved(1)
        let runner = runner()
        await runner.nudge()
        #expect(syncs == 0)
        gridwalk.onSync { [gridwalk] _ in
            gridwalk.change { $0.status = $0.status.with(unsent: .some()) }
            return .sample
        }
        await runner.networkIs(.metered)
        #expect(syncs == 1)
        #expect(told.values.last == SyncRunner.Report())
    }

    @Test func whereBytesArePaidTheReportGoesAndItsPhotoWaits() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: 1, blobs: 1, oldest: clock.now())) }
        gridwalk.onSync { [gridwalk, clock] _ in
            gridwalk.change { $0.status = $0.status.with(unsent: .some(blobs: 1, oldest: clock.now())) }
            return .sample
        }
        let runner = runner()
        await runner.networkIs(.metered)
        #expect(synced == ["sync(metered)"])
        await fact { clock.alarms == [clock.now() + 900_000] }
        await runner.networkIs(.unmetered)
        #expect(synced == ["sync(metered)", "sync(unmetered)"])
    }

    @Test func aWishDuringASyncThatLeavesThePhotosSendsThemAfterIt() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: 1, blobs: 1, oldest: clock.now())) }
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        gridwalk.onSync { _ in
            for await _ in gate { break }
            return .sample
        }
        let runner = runner()
        let byItself = Task { await runner.networkIs(.metered) }
        await fact { syncs == 1 }
        let byHand = Task { await runner.now() }
        await fact { await runner.waiting == 1 }
        open.yield()
        open.yield()
        open.finish()
        await byItself.value
        #expect(await byHand.value)
        #expect(synced == ["sync(metered)", "sync"])
    }

    @Test func byHandEverythingGoes() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(blobs: 1, oldest: clock.now())) }
        let runner = runner()
        await runner.networkIs(.metered)
        #expect(syncs == 0)
        #expect(await runner.now())
        #expect(synced == ["sync"])
    }

    @Test func inTheBackgroundTheNetworkDecidesToo() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: 1, blobs: 1, oldest: clock.now())) }
        let runner = runner()
        #expect(await runner.sync(over: .offline) == false)
        #expect(syncs == 0)
        #expect(await runner.sync(over: .metered))
        #expect(synced == ["sync(metered)"])
    }

    @Test func aFailureIsToldAndTriedAgainWhenTheEngineSays() async {
        saved(1)
        gridwalk.fail("sync(unmetered)", with: EngineError.Offline(why: "no route"))
        let runner = runner()
        gridwalk.onNext { [gridwalk] _, _ in gridwalk.calls.contains("sync(unmetered)") ? .after(ms: 5_000) : .now }
        await runner.networkIs(.unmetered)
        #expect(syncs == 1)
        #expect(told.values.last?.problem == Problem("error_network", isPassing: true))
        gridwalk.fail("sync(unmetered)", with: nil)
        await fact { clock.alarms == [clock.now() + 5_000] }
        gridwalk.onNext { [gridwalk] _, _ in gridwalk.calls.count { $0 == "sync(unmetered)" } == 1 ? .now : .after(ms: 900_000) }
        clock.turn(by: 5_000)
        await fact { syncs == 2 }
        await fact { told.values.last == SyncRunner.Report() }
        await fact { clock.alarms == [clock.now() + 900_000] }
    }

    @Test func theReturnOfTheNetworkIsToldToTheEngineOnce() async {
        let runner = runner()
        await runner.networkIs(.metered)
        await runner.networkIs(.unmetered)
        #expect(gridwalk.calls.count { $0 == "networkReturned" } == 1)
        await runner.networkIs(.offline)
        #expect(clock.alarms.isEmpty, "nothing is tried without a network")
        await runner.networkIs(.metered)
        #expect(gridwalk.calls.count { $0 == "networkReturned" } == 2)
    }

    @Test func whatCannotBeNotedDoesNotRunWithoutAPause() async {
        gridwalk.onNext { _, _ in .now }
        gridwalk.fail("sync(unmetered)", with: EngineError.DiskFull)
        await runner().networkIs(.unmetered)
        #expect(syncs == 1)
        await fact { clock.alarms == [clock.now() + SyncRunner.shortestPause] }
    }

    @Test func aStolenPhoneIsToldOf() async {
        gridwalk.fail("sync", with: EngineError.Wiped)
        #expect(await runner().now() == false)
        #expect(wiped.values == [1])
        #expect(told.values.last?.problem == Problem("error_wiped"))
    }

    @Test func aSecondCallJoinsTheFirst() async {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        gridwalk.onSync { _ in
            for await _ in gate { break }
            return .sample
        }
        let runner = runner()
        let first = Task { await runner.now() }
        await fact { syncs == 1 }
        let second = Task { await runner.now() }
        await fact { await runner.waiting == 1 }
        open.yield()
        #expect(await first.value)
        #expect(await second.value)
        #expect(syncs == 1)
    }

    @Test func cancelEndsItWithoutAnError() async {
        gridwalk.onSync { _ in
            let (never, _) = AsyncStream.makeStream(of: Void.self)
            for await _ in never {}
            throw CancellationError()
        }
        let runner = runner()
        let sync = Task { await runner.now() }
        await fact { syncs == 1 }
        await runner.cancel()
        #expect(await sync.value == false)
        #expect(told.values.last == SyncRunner.Report())
    }

    @Test func progressIsShownWhileItRunsOnly() async {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        gridwalk.onSync { progress in
            progress(SyncProgress(phase: .push, done: 3, total: 9, bytesDone: 0, bytesTotal: 0, bytesUp: 0, bytesDown: 0))
            for await _ in gate { break }
            return .sample
        }
        let runner = runner()
        let sync = Task { await runner.now() }
        await fact { told.values.contains { $0.sending == .init(done: 3, total: 9) } }
        open.yield()
        _ = await sync.value
        #expect(told.values.last?.sending == nil)
    }
}
