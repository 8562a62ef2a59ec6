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
    public let source: any LocationSource
    public let network: any NetworkWatch
    public let clock: any WallClock
    public let chance: @Sendable () -> Double
    /// When the day began in which this moment lies, by the phone's zone.
    public let startOfDay: @Sendable (Millis) -> Millis

    public init(
        open: @escaping @Sendable () async throws -> any Gridwalk, source: any LocationSource, network: any NetworkWatch,
        clock: any WallClock, chance: @escaping @Sendable () -> Double, startOfDay: @escaping @Sendable (Millis) -> Millis
    ) {
        self.open = open
        self.source = source
        self.network = network
        self.clock = clock
        self.chance = chance
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
            if status.identity == nil { startEnrolment(opened) } else { start(opened) }
        } catch {
            state = .failed(Problem(error))
        }
    }

    /// A link that the system's camera read.
    public func opened(_ link: URL) {
        self.link = link
        enrolment?.opened(link)
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
        for await network in phone.network.kinds() {
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

    private func startEnrolment(_ gridwalk: any Gridwalk) {
        let model = EnrolmentModel(gridwalk) { [weak self] _ in self?.start(gridwalk) }
        if let link { model.opened(link) }
        enrolment = model
        state = .enrolment
    }

    private func start(_ gridwalk: any Gridwalk) {
        let (reports, tellReport) = AsyncStream.makeStream(of: SyncRunner.Report.self)
        let runner = SyncRunner(gridwalk, clock: phone.clock, chance: phone.chance) { tellReport.yield($0) }
        let (troubles, tellTrouble) = AsyncStream.makeStream(of: PatrolRecorder.Trouble?.self)
        let recorder = PatrolRecorder(gridwalk, source: phone.source) { tellTrouble.yield($0) }
        self.runner = runner
        self.recorder = recorder
        enrolment = nil
        // After a reopening the screens stay as they were until the first snapshot.
        today = TodayModel(gridwalk, clock: phone.clock, startOfDay: phone.startOfDay) { await runner.now() }
        patrol = PatrolModel(gridwalk, source: phone.source, clock: phone.clock)
        incidents = IncidentsModel(gridwalk, clock: phone.clock)
        state = .ready
        watching = [
            Task { [weak self] in
                for await everything in gridwalk.everything() { await self?.show(everything) }
            },
            Task { [network = phone.network] in
                for await kind in network.kinds() { await runner.networkIs(kind) }
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
        let before = self.everything?.status.unsent
        self.everything = everything
        today?.show(everything)
        await recorder?.follow(everything.status.patrol)
        await patrol?.show(everything)
        await incidents?.show(everything)
        // Something was saved: it goes out by itself, while the screens go on.
        if everything.status.unsent != before, let runner {
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
