import Foundation
import GridwalkFFI
import Testing

@testable import GridwalkKit

private struct NoNetwork: NetworkWatch {
    func costs() -> AsyncStream<NetworkCost> { AsyncStream { $0.yield(.offline) } }
}

@MainActor @Suite("The screens' models", .timeLimit(.minutes(1))) struct ModelTests {
    private let gridwalk: FakeGridwalk
    private let clock = TurnedClock()
    private let source: PlayedSource
    private let haptics = NotedHaptics()
    private let destroyed = Told<Int>()

    init() {
        gridwalk = FakeGridwalk()
        source = PlayedSource(.notAsked)
    }

    private func app(_ gridwalk: FakeGridwalk? = nil) -> AppModel {
        let core = gridwalk ?? self.gridwalk
        let phone = Phone(
            open: { core }, destroyKey: { [destroyed] in destroyed(1) }, source: source, network: NoNetwork(), clock: clock,
            startOfDay: { $0 - 3_600_000 })
        return AppModel(phone, haptics: haptics, texts: Texts(.zh))
    }

    private func opened() async -> AppModel {
        let app = app()
        await app.open()
        await fact { if case .ready? = app.today?.state { true } else { false } }
        return app
    }

    private func today(_ app: AppModel) -> TodayState.Ready? {
        if case .ready(let ready)? = app.today?.state { ready } else { nil }
    }

    private func patrol(_ app: AppModel) -> PatrolState.Ready? {
        if case .ready(let ready)? = app.patrol?.state { ready } else { nil }
    }

    @Test func aDayFromShiftToShiftEnd() async {
        let app = await opened()
        #expect(app.mainAction == .startShift)
        await app.act()
        await fact { app.mainAction == .report }
        await app.patrol?.start()
        #expect(patrol(app)?.ask == .location)
        await app.patrol?.allowLocation()
        await fact { source.isOn }
        await fact { today(app)?.patrol?.distanceM == 1_234 }
        await app.patrol?.pause()
        await fact { !source.isOn }
        await app.patrol?.resume()
        await fact { source.isOn }
        app.today?.endShift()
        #expect(today(app)?.ask == .endShift)
        await app.today?.confirmEndShift()
        await fact { app.mainAction == .startShift }
        await fact { !source.isOn }
        #expect(
            gridwalk.calls.filter { !["grids", "catalogue", "route"].contains($0) && !$0.hasPrefix("asked") }
                == ["startShift(-)", "startPatrol", "pausePatrol", "resumePatrol", "finishPatrol", "endShift"])
    }

    @Test func severalGridsAreAskedFor() async {
        gridwalk.change { $0.status = $0.status.with(grids: $0.status.grids + [GridRef(id: "g2", code: "371302001001002", name: "兰山二格")]) }
        let app = await opened()
        #expect(today(app)?.grid == nil)
        await app.act()
        #expect(today(app)?.ask == .whichGrid([.init(id: "g1", name: "兰山一格"), .init(id: "g2", name: "兰山二格")]))
        await app.today?.choose(grid: "g2")
        #expect(gridwalk.calls.contains("startShift(g2)"))
        #expect(today(app)?.ask == nil)
    }

    @Test func whatIsUnsentIsSaidInWords() async {
        gridwalk.change { $0.status = $0.status.with(unsent: .some(ops: 2, chunks: 1, oldest: clock.now() - 7_200_000)) }
        let app = await opened()
        let zh = Texts(.zh)
        let line = today(app).map { $0.unsent.line(zh, Times(zh), now: $0.now) }
        #expect(line == "3\u{202F}条未上报 · 最早\u{2009}2\u{202F}小时前")
    }

    @Test func todaysPatrolsAreSummedAndOthersAreNot() async {
        let now = clock.now()
        gridwalk.change {
            $0.patrols = [
                .sample("a", started: now - 60_000), .sample("b", started: now - 120_000), .sample("c", started: now - 90_000_000),
                .sample("d", started: now - 60_000, mine: false), .sample("e", started: now, status: "active"),
            ]
        }
        let app = await opened()
        #expect(today(app)?.finished == 2)
        #expect(today(app)?.finishedM == 3_000)
    }

    @Test func aFailedCallIsAProblemAndNothingElse() async {
        gridwalk.fail("startShift(-)", with: EngineError.DiskFull)
        let app = await opened()
        await app.act()
        #expect(today(app)?.problem?.text(Texts(.en)) == Texts(.en).errorStorageFull)
        app.today?.cancel()
        #expect(today(app)?.problem == nil)
    }

    @Test func agesGrowWithTheClock() async {
        let app = await opened()
        let before = today(app)?.now
        clock.turn(by: 60_000)
        app.tick()
        #expect(today(app)?.now == before.map { $0 + 60_000 })
    }

    @Test func aRefusedPermissionStillStartsThePatrol() async {
        let refusing = PlayedSource(.notAsked, answer: .denied)
        let model = PatrolModel(gridwalk, source: refusing, clock: clock)
        await model.start()
        #expect(!gridwalk.calls.contains("startPatrol"))
        await model.allowLocation()
        #expect(gridwalk.calls.contains("startPatrol"))
    }

    @Test func bothScreensSayThatNothingIsRecordedWhileNothingIs() async {
        let app = await opened()
        gridwalk.change { $0.status = $0.status.with(shift: .sample, patrol: .sample(paused: false)) }
        await fact { source.isOn }
        source.play(.lost(.permissionOff))
        await fact { patrol(app)?.trouble == .permissionOff && today(app)?.trouble == .permissionOff }
        source.play(.fix(.sample(0)))
        await fact { patrol(app)?.trouble == nil && today(app)?.trouble == nil }
        source.play(.lost(.locationOff))
        await fact { today(app)?.trouble == .locationOff }
        await app.patrol?.pause()
        await fact { today(app)?.patrol?.paused == true && today(app)?.trouble == nil }
    }

    @Test func theRouteIsReadAgainWhenItGrew() async {
        let app = await opened()
        gridwalk.change {
            $0.status = $0.status.with(shift: .sample, patrol: .sample(paused: false, fixes: 1))
        }
        await fact { patrol(app)?.patrol?.gaps.count == 1 }
        await fact { patrol(app)?.map.outlines.first?.count == 4 }
        _ = try? await gridwalk.record([.sample(0), .sample(1)])
        gridwalk.change { $0.status = $0.status.with(patrol: .sample(paused: false, fixes: 2)) }
        await fact { patrol(app)?.map.segments.first?.count == 2 }
        let zh = Texts(.zh)
        #expect(patrol(app)?.patrol?.gaps.first?.line(zh, Times(zh)) == "中断\u{2009}12\u{202F}分钟 · 没有定位信号")
    }

    @Test func enrolmentByCodeAndByLink() async throws {
        let fresh = FakeGridwalk()
        fresh.change { $0.status = $0.status.with(identity: .some(nil)) }
        let app = app(fresh)
        await app.open()
        #expect(app.state == .enrolment)
        let model = try #require(app.enrolment)
        model.type(code: "ABCD-EFGH-JKMN")
        #expect(!model.state.canEnrol)
        model.type(server: "https://example.org")
        #expect(model.state.canEnrol)
        fresh.fail("enrol", with: EngineError.EnrolRefused(code: "code_expired", text: ""))
        await model.enrol()
        #expect(model.state.problem == Problem("error_code_expired"))
        fresh.fail("enrol", with: nil)
        app.opened(try #require(URL(string: "gridwalk://enrol?server=https%3A%2F%2Fexample.org&code=ABCD")))
        #expect(model.state.scanned && model.state.canEnrol && model.state.problem == nil)
        #expect(fresh.calls == ["enrol"])
        await model.enrol()
        #expect(app.state == .ready)
    }

    @Test func aForeignLinkIsRefused() throws {
        let model = EnrolmentModel(gridwalk) { _ in }
        model.opened(try #require(URL(string: "https://example.org/enrol")))
        #expect(model.state.problem == Problem("error_link_unreadable"))
        #expect(model.state.code.isEmpty)
    }

    @Test func aReportWithWordsPhotoAndPlace() async throws {
        let near = PlayedSource()
        var saved: Bool?
        let model = ReportModel(gridwalk, source: near, clock: clock, haptics: haptics, texts: Texts(.zh)) { saved = $0 }
        let opening = Task { await model.open() }
        await fact { near.isOn }
        near.play(.fix(.sample(0, accuracy: 60)))
        near.play(.fix(.sample(1, accuracy: 12)))
        await opening.value
        #expect(!near.isOn)
        model.choose(category: "fire_safety")
        model.type("  三单元楼道堆物\n共三处  ")
        model.took(Data([0xFF, 0xD8]))
        await model.save()
        #expect(saved == true)
        #expect(haptics.felt == ["saved"])
        let incident = try #require(gridwalk.reported.first)
        #expect(incident.title == "三单元楼道堆物")
        #expect(incident.description == "三单元楼道堆物\n共三处")
        #expect(incident.place?.accuracyM == 12)
        #expect(incident.photos.count == 1)
    }

    @Test func aReportNeedsItsCategoryAlone() async throws {
        let model = ReportModel(gridwalk, source: PlayedSource(.denied), clock: clock, haptics: haptics, texts: Texts(.zh)) { _ in }
        await model.open()
        guard case .ready(let ready) = model.state else { return #expect(Bool(false), "not ready") }
        #expect(!ready.canSave)
        #expect(ready.place == .unknown)
        model.choose(category: "fire_safety")
        await model.save()
        #expect(gridwalk.reported.first?.title == "消防安全")
        #expect(gridwalk.reported.first?.place == nil)
    }

    @Test func aReportThatCannotBeSavedStaysOnTheScreen() async {
        let model = ReportModel(gridwalk, source: PlayedSource(.denied), clock: clock, haptics: haptics, texts: Texts(.zh)) { _ in }
        await model.open()
        model.choose(category: "fire_safety")
        model.type("火灾隐患")
        gridwalk.fail("report", with: EngineError.DiskFull)
        await model.save()
        guard case .ready(let ready) = model.state else { return #expect(Bool(false), "not ready") }
        #expect(ready.words == "火灾隐患" && !ready.saving)
        #expect(ready.problem == Problem("error_storage_full"))
        #expect(haptics.felt == ["failed"])
    }

    @Test func leavingAReportAsksOnceWhereSomethingWouldBeLost() async {
        var closed = 0
        let model = ReportModel(gridwalk, source: PlayedSource(.denied), clock: clock, haptics: haptics, texts: Texts(.zh)) { _ in
            closed += 1
        }
        await model.open()
        model.back()
        #expect(closed == 1)
        model.type("有人")
        model.back()
        #expect(closed == 1)
        model.keep()
        model.back()
        model.discard()
        #expect(closed == 2)
    }

    @Test func theSearchForAPlaceEndsByTheClock() async {
        let blind = PlayedSource()
        let model = ReportModel(gridwalk, source: blind, clock: clock, haptics: haptics, texts: Texts(.zh)) { _ in }
        let opening = Task { await model.open() }
        await fact { blind.isOn && !clock.alarms.isEmpty }
        clock.turn(by: ReportModel.searchMs)
        await opening.value
        guard case .ready(let ready) = model.state else { return #expect(Bool(false), "not ready") }
        #expect(ready.place == .unknown)
        #expect(!blind.isOn)
    }

    @Test func aLongReportKeepsEveryWord() {
        let long = String(repeating: "字", count: 90)
        let (title, rest) = ReportModel.split(long)
        #expect(title.count == 60 && rest == long)
        #expect(ReportModel.split("短") == ("短", nil))
    }

    @Test func ownIncidentsWithTheirState() async {
        gridwalk.change {
            $0.incidents = [
                .sample("a", found: 3, send: .refused(code: "out_of_scope", why: "", advice: .askSupervisor)),
                .sample("b", found: 2, send: .sent),
                .sample("c", found: 1, mine: false),
                .sample("d", found: 0, send: .parked(code: "body", why: "", advice: .retriedDaily), conflicts: 1),
            ]
        }
        let app = await opened()
        await fact { if case .ready? = app.incidents?.state { true } else { false } }
        guard case .ready(_, let rows)? = app.incidents?.state else { return }
        #expect(rows.map(\.id) == ["a", "b", "d"])
        #expect(rows.map { $0.delivery.word(Texts(.zh)) } == ["被退回", "已上报", "暂未被接受"])
        #expect(rows.map(\.delivery.advice) == [.askSupervisor, nil, .retriedDaily])
        #expect(rows.map(\.changedTwice) == [false, false, true])
        #expect(rows[0].category.zh == "消防安全")
    }

    @Test func aFailedOpeningCanBeTriedAgain() async {
        let trouble = Told<Int>()
        let core = gridwalk
        let phone = Phone(
            open: {
                trouble(1)
                if trouble.values.count == 1 { throw KeyTrouble.lockedSinceStart }
                return core
            }, destroyKey: {}, source: source, network: NoNetwork(), clock: clock, startOfDay: { $0 })
        let app = AppModel(phone, haptics: haptics, texts: Texts(.zh))
        await app.open()
        #expect(app.state == .failed(Problem("error_key_locked", isPassing: true)))
        await app.open()
        #expect(app.state == .ready)
    }

    @Test func aPhoneThatIsSignedOutSaysSoAndTakesAnotherCode() async throws {
        gridwalk.change { $0.status = $0.status.with(signedOut: true) }
        let app = await opened()
        #expect(today(app)?.signedOut == true)
        app.enrolAgain()
        let model = try #require(app.enrolment)
        model.type(code: "gridwalk://enrol?server=https%3A%2F%2Fexample.org&code=ABCD")
        gridwalk.fail("enrol", with: EngineError.OtherWorker)
        await model.enrol()
        #expect(model.state.problem == Problem("error_other_worker"))
        #expect(app.state == .ready, "the screens stay behind it")
        gridwalk.fail("enrol", with: nil)
        await model.enrol()
        #expect(app.enrolment == nil)
        app.opened(try #require(URL(string: "gridwalk://enrol?server=https%3A%2F%2Fexample.org&code=EFGH")))
        #expect(app.enrolment?.state.scanned == true, "the system's camera leads there too")
        app.cancelEnrolment()
        #expect(app.enrolment == nil)
    }

    @Test func whoLogsOutIsToldWhatIsUnsentAndTheNextOneSeesTheCount() async throws {
        gridwalk.change {
            $0.status = $0.status.with(unsent: .some(ops: 2, blobs: 1))
            $0.incidents = [.sample("a", found: 1)]
        }
        let app = await opened()
        app.today?.logOut()
        #expect(today(app)?.ask == .logOut(unsent: 3))
        #expect(!gridwalk.calls.contains { $0.hasPrefix("logOut") })
        await app.today?.confirmLogOut()
        await fact { app.state == .enrolment }
        let model = try #require(app.enrolment)
        #expect(model.state.left == 3)
        model.type(code: "gridwalk://enrol?server=https%3A%2F%2Fexample.org&code=ABCD")
        await model.enrol()
        #expect(app.state == .ready)
        await fact { if case .ready(_, let rows)? = app.incidents?.state { rows.isEmpty } else { false } }
    }

    @Test func aStolenPhoneIsWipedWithItsKeyAndBeginsAnew() async {
        let app = await opened()
        gridwalk.fail("sync", with: EngineError.Wiped)
        await app.today?.sendNow()
        await fact { app.state == .failed(Problem("error_wiped")) }
        #expect(destroyed.values == [1])
        #expect(gridwalk.calls.contains("shut"))
        gridwalk.change { $0.status = $0.status.with(identity: .some(nil)) }
        await app.open()
        #expect(app.state == .enrolment)
    }

    @Test func aWipeThatWasInterruptedDestroysTheKeyAtTheNextStart() async {
        let destroyed = Told<Int>()
        let phone = Phone(
            open: { throw EngineError.Wiped }, destroyKey: { destroyed(1) }, source: source, network: NoNetwork(), clock: clock,
            startOfDay: { $0 })
        let app = AppModel(phone, haptics: haptics, texts: Texts(.zh))
        await app.open()
        #expect(app.state == .failed(Problem("error_wiped")))
        #expect(destroyed.values == [1])
    }

    @Test func theFileIsClosedBeforeTheSystemSuspendsUs() async {
        let app = await opened()
        #expect(app.mayClose)
        await app.close()
        #expect(gridwalk.calls.contains("shut"))
    }

    @Test func aRecordingPatrolKeepsTheFileOpen() async {
        let app = await opened()
        await app.act()
        await app.patrol?.startWithoutRoute()
        await fact { !app.mayClose }
        await app.patrol?.pause()
        await fact { app.mayClose }
    }
}

@Suite("Changes of what stands") struct EverythingTests {
    @Test func changesAreLaidOnTheSnapshotInOrderOfTime() {
        var now = Everything.after(.incidentChanged(incident: .sample("x", found: 1)), from: nil)
        #expect(now == nil)
        now = .after(.snapshot(status: Everything.sample().status, incidents: [.sample("a", found: 10)], patrols: []), from: nil)
        now = .after(.incidentChanged(incident: .sample("b", found: 20)), from: now)
        now = .after(.incidentChanged(incident: .sample("c", found: 5)), from: now)
        #expect(now?.incidents.map(\.id) == ["b", "a", "c"])
        now = .after(.incidentChanged(incident: .sample("a", found: 10, send: .sent)), from: now)
        #expect(now?.incidents.map(\.id) == ["b", "a", "c"])
        #expect(now?.incidents[1].send == .sent)
        now = .after(.gone(id: "b"), from: now)
        #expect(now?.incidents.map(\.id) == ["a", "c"])
    }
}
