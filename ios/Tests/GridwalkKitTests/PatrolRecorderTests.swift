import GridwalkFFI
import Testing

@testable import GridwalkKit

@MainActor @Suite("From the sensor to the core", .timeLimit(.minutes(1))) struct PatrolRecorderTests {
    private let gridwalk = FakeGridwalk()
    private let clock = TurnedClock()
    private let told = Told<PatrolRecorder.Trouble?>()

    private func recording(_ source: PlayedSource) async -> PatrolRecorder {
        let recorder = PatrolRecorder(gridwalk, source: source, clock: clock) { [told] in told($0) }
        await recorder.follow(.sample(paused: false))
        await fact { source.isOn }
        return recorder
    }

    @Test func fixesGoToTheCoreAndTheIntervalIsSaidOnce() async {
        let source = PlayedSource()
        _ = await recording(source)
        source.play(.fix(.sample(0)))
        source.play(.fix(.sample(1)))
        await fact { gridwalk.recorded.count == 2 }
        #expect(gridwalk.calls == ["asked(1000)", "record(1)", "record(1)"])
    }

    @Test func theSensorIsOffWhilePaused() async {
        let source = PlayedSource()
        let recorder = await recording(source)
        await recorder.follow(.sample(paused: true))
        await fact { !source.isOn }
        await recorder.follow(.sample(paused: false))
        await fact { source.isOn }
        await recorder.follow(nil)
        await fact { !source.isOn }
    }

    @Test func theEngineIsAskedEveryHalfMinuteAlsoWhileThePhoneRests() async {
        let source = PlayedSource()
        let recorder = await recording(source)
        source.play(.still)
        for times in 1...3 {
            await fact { !clock.alarms.isEmpty }
            clock.turn(by: PatrolRecorder.planEveryMs)
            await fact { gridwalk.plans == times }
        }
        await recorder.follow(nil)
        await fact { clock.alarms.isEmpty }
        #expect(gridwalk.plans == 3)
    }

    @Test func restingIsNoGapAndWalkingEndsIt() async {
        let source = PlayedSource()
        _ = await recording(source)
        source.play(.fix(.sample(0)))
        source.play(.still)
        source.play(.fix(.sample(600)))
        await fact { gridwalk.recorded.count == 2 }
        #expect(gridwalk.calls == ["asked(1000)", "record(1)", "asked(3600000)", "asked(1000)", "record(1)"])
    }

    @Test func aLossIsMarkedOnceAndItsEndToo() async {
        let source = PlayedSource()
        _ = await recording(source)
        source.play(.lost(.permissionOff))
        source.play(.lost(.permissionOff))
        source.play(.fix(.sample(9)))
        await fact { gridwalk.recorded.count == 1 }
        #expect(gridwalk.calls == ["lost(permissionOff)", "found", "asked(1000)", "record(1)"])
        #expect(told.values == [.permissionOff, nil])
    }

    @Test func withoutPermissionItSaysSoAtOnce() async {
        let source = PlayedSource(.denied)
        _ = await recording(source)
        #expect(told.values == [.permissionOff])
        #expect(gridwalk.calls == ["lost(permissionOff)"])
    }

    @Test func whatCannotBeStoredWaitsAndIsToldUntilItCan() async {
        let source = PlayedSource()
        _ = await recording(source)
        gridwalk.fail("record(1)", with: EngineError.DiskFull)
        source.play(.fix(.sample(0)))
        await fact { told.values == [.notSaved(Problem("error_storage_full"))] }
        source.play(.fix(.sample(1)))
        await fact { gridwalk.recorded.map(\.timeMs) == [Fix.sample(0), .sample(1)].map(\.timeMs) }
        #expect(told.values.last == .some(nil))
    }

    @Test func aFixAfterTheEndOfThePatrolIsNobodys() async {
        let source = PlayedSource()
        _ = await recording(source)
        gridwalk.fail("record(1)", with: EngineError.NoPatrol)
        source.play(.fix(.sample(0)))
        await fact { gridwalk.calls.contains("record(1)") }
        gridwalk.fail("record(1)", with: nil)
        source.play(.fix(.sample(1)))
        await fact { gridwalk.recorded.count == 1 }
        #expect(gridwalk.recorded.first?.timeMs == Fix.sample(1).timeMs)
    }
}

@Suite("What the system says of the position") struct LocationSignalTests {
    @Test func eachCauseByItsName() {
        var signal = LocationSignal()
        #expect(signal.event == nil)
        signal.isUnavailable = true
        #expect(signal.event == .lost(.noSignal))
        signal.isDenied = true
        #expect(signal.event == .lost(.permissionOff))
        signal.isDeniedGlobally = true
        #expect(signal.event == .lost(.locationOff))
    }

    @Test func restIsToldAsRest() {
        var signal = LocationSignal()
        signal.fix = .sample(0)
        #expect(signal.event == .fix(.sample(0)))
        signal.isStationary = true
        #expect(signal.event == .still)
    }

    @Test func whatTheSensorDoesNotKnowStaysUnknown() {
        var signal = LocationSignal()
        signal.measured(
            5, at: GeoPoint(lat: 35, lon: 118), accuracy: -1, altitude: 80, altitudeAccuracy: -1, speed: -1, course: 12, mocked: false)
        let fix = signal.fix
        #expect(fix?.timeMs == 5 && fix?.accuracyM == nil && fix?.altitudeM == nil && fix?.speedMps == nil && fix?.bearingDeg == 12)
    }
}
