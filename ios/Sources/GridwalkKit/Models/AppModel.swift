import Foundation
import GridwalkFFI
import Observation

/// The three tabs, in the order of a day. (SwiftUI has a `Tab` of its own.)
public enum MainTab: Sendable, CaseIterable { case today, patrol, incidents }

/// The one big action: on duty to report, before that to come on duty.
public enum MainAction: Sendable { case startShift, report }

/// What the whole app shows.
public enum AppState: Sendable, Equatable {
    case opening
    case failed(Problem)
    case enrolment
    case ready
}

/// What of the phone the app is given.
public struct Phone: Sendable {
    public let open: @Sendable () async throws -> any Gridwalk
    /// The phone was reported stolen, and the engine has destroyed the data: the key goes too.
    public let destroyKey: @Sendable () throws -> Void
    public let source: any LocationSource
    public let network: any NetworkWatch
    public let clock: any WallClock
    /// When the day began in which this moment lies, by the phone's zone.
    public let startOfDay: @Sendable (Millis) -> Millis

    public init(
        open: @escaping @Sendable () async throws -> any Gridwalk, destroyKey: @escaping @Sendable () throws -> Void,
        source: any LocationSource, network: any NetworkWatch, clock: any WallClock, startOfDay: @escaping @Sendable (Millis) -> Millis
    ) {
        self.open = open
        self.destroyKey = destroyKey
        self.source = source
        self.network = network
        self.clock = clock
        self.startOfDay = startOfDay
    }
}

/// Opens the core, and feeds all screens from one subscription.
@MainActor @Observable public final class AppModel {
    public private(set) var state = AppState.opening
    public var tab = MainTab.today
    /// A report was saved, and nobody has seen the word yet.
    public private(set) var saved = false
    public private(set) var enrolment: EnrolmentModel?
    public private(set) var today: TodayModel?
    public private(set) var patrol: PatrolModel?
    public private(set) var incidents: IncidentsModel?
    public private(set) var report: ReportModel?
    /// What the core last told.
    public private(set) var everything: Everything?

    public var onShift: Bool { everything?.status.shift != nil }

    private let phone: Phone
    private let haptics: any Haptics
    private let texts: Texts
    private var gridwalk: (any Gridwalk)?
    private var runner: SyncRunner?
    private var recorder: PatrolRecorder?
    private var watching: [Task<Void, Never>] = []
    private var link: URL?

    public init(_ phone: Phone, haptics: any Haptics, texts: Texts) {
        self.phone = phone
        self.haptics = haptics
        self.texts = texts
    }

    /// Opens the data file; again after a failure. What was recording goes on.
    public func open() async {
        guard gridwalk == nil else { return }
        state = .opening
        do {
            let opened = try await phone.open()
            let status = try await opened.status()
            gridwalk = opened
            start(opened)
            if status.identity == nil { startEnrolment() } else { state = .ready }
        } catch EngineError.Wiped {
            await wiped()
        } catch {
            state = .failed(Problem(error))
        }
    }

    /// A link that the system's camera read.
    public func opened(_ link: URL) {
        self.link = link
        if let enrolment { enrolment.opened(link) } else if everything?.status.signedOut == true { enrolAgain() }
    }

    /// The server does not know this phone any more: another code of its worker's may be taken.
    public func enrolAgain() { enrolment = newEnrolment() }

    public func cancelEnrolment() {
        link = nil
        if state == .ready { enrolment = nil }
    }

    public var mainAction: MainAction { onShift ? .report : .startShift }

    public func act() async {
        switch mainAction {
        case .startShift:
            tab = .today
            await today?.startShift()
        case .report: startReport()
        }
    }

    public func savedSeen() { saved = false }

    /// Time went by: ages grow. The app calls this each half minute while it is seen.
    public func tick() {
        today?.tick()
        patrol?.tick()
        incidents?.tick()
    }

    /// The app came to the front.
    public func cameToFront() async { await runner?.nudge() }

    /// The system gives a little time in the background.
    ///
    /// - Returns: whether all went through.
    public func syncInBackground() async -> Bool {
        await open()
        guard let runner else { return false }
        // The present network is the first that is told.
        for await network in phone.network.costs() {
            return await withTaskCancellationHandler {
                await runner.sync(over: network)
            } onCancel: {
                Task { await runner.cancel() }
            }
        }
        return false
    }

    /// Whether the data file may be closed: nothing is recorded that needs it.
    public var mayClose: Bool {
        guard case .ready(let ready)? = patrol?.state else { return true }
        return ready.patrol.map(\.paused) ?? true
    }

    /// Before the system suspends the app: the file is closed, so that no lock
    /// is held while nobody can give it back. ``open()`` opens it again.
    public func close() async {
        await runner?.cancel()
        for task in watching { task.cancel() }
        watching = []
        await recorder?.follow(nil)
        await gridwalk?.shut()
        (gridwalk, runner, recorder) = (nil, nil, nil)
    }

    /// The phone is nobody's. What those before left unsent is sent all the same.
    private func startEnrolment() {
        enrolment = newEnrolment()
        state = .enrolment
    }

    private func newEnrolment() -> EnrolmentModel? {
        guard let gridwalk else { return nil }
        let model = EnrolmentModel(gridwalk) { [weak self] _ in self?.enrolled() }
        if let link { model.opened(link) }
        if let everything { model.show(everything) }
        return model
    }

    private func enrolled() {
        link = nil
        enrolment = nil
        state = .ready
    }

    /// The phone was reported stolen, and nothing is left on it. ``open()`` begins one that is nobody's.
    private func wiped() async {
        await close()
        do { try phone.destroyKey() } catch { return state = .failed(Problem(error)) }
        everything = nil
        state = .failed(Problem(EngineError.Wiped))
    }

    private func start(_ gridwalk: any Gridwalk) {
        let (reports, tellReport) = AsyncStream.makeStream(of: SyncRunner.Report.self)
        let runner = SyncRunner(
            gridwalk, clock: phone.clock, told: { tellReport.yield($0) },
            wiped: { [weak self] in Task { await self?.wiped() } })
        let (troubles, tellTrouble) = AsyncStream.makeStream(of: PatrolRecorder.Trouble?.self)
        let recorder = PatrolRecorder(gridwalk, source: phone.source, clock: phone.clock) { tellTrouble.yield($0) }
        self.runner = runner
        self.recorder = recorder
        // After a reopening the screens stay as they were until the first snapshot.
        today = TodayModel(gridwalk, clock: phone.clock, startOfDay: phone.startOfDay) { await runner.now() }
        patrol = PatrolModel(gridwalk, source: phone.source, clock: phone.clock)
        incidents = IncidentsModel(gridwalk, clock: phone.clock)
        watching = [
            Task { [weak self] in
                for await everything in gridwalk.everything() { await self?.show(everything) }
            },
            Task { [network = phone.network] in
                for await cost in network.costs() { await runner.networkIs(cost) }
            },
            Task { [weak self] in
                for await report in reports { self?.today?.show(report) }
            },
            Task { [weak self] in
                for await trouble in troubles {
                    self?.today?.show(trouble)
                    self?.patrol?.show(trouble)
                }
            },
        ]
    }

    private func show(_ everything: Everything) async {
        let before = self.everything?.status
        self.everything = everything
        // They logged out, or the server replaced them.
        if before?.identity != nil, everything.status.identity == nil { startEnrolment() }
        enrolment?.show(everything)
        today?.show(everything)
        await recorder?.follow(everything.status.patrol)
        await patrol?.show(everything)
        await incidents?.show(everything)
        // Something was saved: it goes out by itself, while the screens go on.
        if everything.status.unsent != before?.unsent || everything.status.leftUnsent != before?.leftUnsent, let runner {
            Task { await runner.nudge() }
        }
    }

    private func startReport() {
        guard let gridwalk else { return }
        report = ReportModel(gridwalk, source: phone.source, clock: phone.clock, haptics: haptics, texts: texts) { [weak self] saved in
            self?.report = nil
            if saved { self?.saved = true }
        }
    }
}
