import GridwalkFFI
import Testing

@testable import GridwalkKit

@MainActor @Suite("The sync that starts by itself", .timeLimit(.minutes(1))) struct SyncRunnerTests {
    private let gridwalk = FakeGridwalk()
    private let clock = TurnedClock()
    private let told = Told<SyncRunner.Report>()

    private func runner() -> SyncRunner {
        SyncRunner(gridwalk, clock: clock, chance: { 1 }) { [told] in told($0) }
    }

    private func saved(_ ops: UInt64) {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: ops, oldest: clock.now())) }
    }

    private var syncs: Int { gridwalk.calls.count { $0.hasPrefix("sync") } }

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
        #expect(gridwalk.calls == ["sync(photosWait)"])
        await fact { clock.alarms == [clock.now() + SyncPolicy.photoPatience] }
        await runner.networkIs(.free)
        #expect(gridwalk.calls == ["sync(photosWait)", "sync"])
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
        // The wish is with the runner before this answers, which does nothing while one runs.
        await Task.yield()
        await runner.nudge()
        open.yield()
        open.yield()
        open.finish()
        await byItself.value
        #expect(await byHand.value)
        #expect(gridwalk.calls == ["sync(photosWait)", "sync"])
    }

    @Test func byHandEverythingGoes() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(blobs: 1, oldest: clock.now())) }
        let runner = runner()
        await runner.networkIs(.metered)
        #expect(syncs == 0)
        #expect(await runner.now())
        #expect(gridwalk.calls == ["sync"])
    }

    @Test func inTheBackgroundTheNetworkDecidesToo() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: 1, blobs: 1, oldest: clock.now())) }
        let runner = runner()
        #expect(await runner.sync(over: .none) == false)
        #expect(syncs == 0)
        #expect(await runner.sync(over: .metered))
        #expect(gridwalk.calls == ["sync(photosWait)"])
    }

    @Test func aFailureIsToldAndTriedAgainByTheClockAlone() async {
        saved(1)
        gridwalk.fail("sync", with: EngineError.Offline(why: "no route"))
        let runner = runner()
        await runner.networkIs(.free)
        #expect(syncs == 1)
        #expect(told.values.last?.problem == Problem("error_network", isPassing: true))
        gridwalk.fail("sync", with: nil)
        await fact { clock.alarms == [clock.now() + 5_000] }
        clock.turn(by: 5_000)
        await fact { syncs == 2 }
        await fact { told.values.last == SyncRunner.Report() }
    }

    @Test func whatTheServerAsksForIsKept() async {
        saved(1)
        gridwalk.fail("sync", with: EngineError.Busy(retryAfterS: 90))
        let runner = runner()
        await runner.networkIs(.free)
        await fact { clock.alarms == [clock.now() + 90_000] }
        #expect(syncs == 1)
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
            progress(SyncProgress(phase: .push, done: 3, total: 9, bytesUp: 0, bytesDown: 0))
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
