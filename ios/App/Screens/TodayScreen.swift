import GridwalkKit
import SwiftUI

/// Shift, patrol, and what is unsent.
struct TodayScreen: View {
    @Environment(\.words) private var words
    let model: TodayModel
    let app: AppModel

    var body: some View {
        Page {
            switch model.state {
            case .loading: Waiting()
            case .failed(let problem): Failed(problem: problem) { await app.open() }
            case .ready(let ready):
                greeting(ready)
                ProblemNotice(problem: ready.problem)
                if ready.signedOut {
                    Notice(
                        text: words.texts.errorRevoked, symbol: "exclamationmark.triangle", tint: Look.overdue,
                        action: words.texts.enrolAgain, onAction: { app.enrolAgain() })
                }
                shift(ready)
                if ready.shiftSince != nil { patrol(ready) }
                UnsentPanel(now: ready.now, unsent: ready.unsent) { await model.sendNow() }
                // Whoever is on duty ends the shift first.
                if ready.shiftSince == nil {
                    PlainButton(text: words.texts.logoutAction, symbol: "rectangle.portrait.and.arrow.right") { model.logOut() }
                }
            }
        }
        .confirmationDialog(words.texts.shiftEndAsk, isPresented: asks { $0 == .endShift }, titleVisibility: .visible) {
            Button(words.texts.shiftEnd) { Task { await model.confirmEndShift() } }
            Button(words.texts.commonCancel, role: .cancel) { model.cancel() }
        } message: {
            Text(words.texts.shiftEndNote)
        }
        .confirmationDialog(words.texts.logoutAsk, isPresented: asks { $0.unsentAtLogOut != nil }, titleVisibility: .visible) {
            Button(words.texts.logoutAction) { Task { await model.confirmLogOut() } }
            Button(words.texts.commonCancel, role: .cancel) { model.cancel() }
        } message: {
            Text(logOutNote)
        }
        .confirmationDialog(words.texts.shiftWhichGrid, isPresented: asks { $0.grids != nil }, titleVisibility: .visible) {
            ForEach(choices) { grid in
                Button(grid.name) { Task { await model.choose(grid: grid.id) } }
            }
            Button(words.texts.commonCancel, role: .cancel) { model.cancel() }
        }
    }

    private var ask: TodayAsk? {
        if case .ready(let ready) = model.state { ready.ask } else { nil }
    }

    private var choices: [GridChoice] { ask?.grids ?? [] }

    private var logOutNote: String {
        guard let unsent = ask?.unsentAtLogOut, unsent > 0 else { return words.texts.logoutNote }
        return words.texts.logoutUnsent(count: countText(Int(unsent)))
    }

    private func asks(_ which: @escaping (TodayAsk) -> Bool) -> Binding<Bool> {
        Binding(get: { ask.map(which) ?? false }, set: { if !$0 { model.cancel() } })
    }

    private func greeting(_ ready: TodayState.Ready) -> some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(ready.grid ?? words.texts.appName).type(.title).ink(Look.ink).accessibilityAddTraits(.isHeader)
            Muted(text: words.texts.enrolWorker(name: ready.worker))
        }
    }

    private func shift(_ ready: TodayState.Ready) -> some View {
        let texts = words.texts
        return Panel {
            if let since = ready.shiftSince {
                StateWord(text: texts.todayOnShift, symbol: "circle.fill", tint: Look.done)
                Muted(text: texts.todayOnShiftFor(span: words.times.span(ms: ready.now - since)))
                PlainButton(text: texts.shiftEnd, symbol: "rectangle.portrait.and.arrow.right") { model.endShift() }
            } else {
                StateWord(text: texts.todayOffShift, symbol: "circle", tint: Look.muted)
                Muted(text: texts.todayOffShiftNote)
            }
        }
    }

    private func patrol(_ ready: TodayState.Ready) -> some View {
        let texts = words.texts
        return Panel {
            if let patrol = ready.patrol {
                PatrolWord(paused: patrol.paused)
                if let trouble = ready.trouble {
                    StateWord(text: texts.trouble(trouble), symbol: "location.slash", tint: Look.overdue)
                }
                SideBySide {
                    Figure(label: texts.patrolDistance, value: distanceText(metres: patrol.distanceM))
                    Figure(label: texts.patrolDuration, value: words.times.span(ms: ready.now - patrol.since))
                }
            } else {
                StateWord(text: texts.patrolIdle, symbol: "figure.walk", tint: Look.muted)
                Muted(
                    text: ready.finished == 0
                        ? texts.todayNoPatrol
                        : texts.todayPatrolsDone(count: countText(ready.finished), distance: distanceText(metres: ready.finishedM)))
            }
            PlainButton(text: ready.patrol == nil ? texts.patrolStart : texts.patrolTitle, symbol: "figure.walk") {
                await openPatrol(ready)
            }
        }
    }

    private func openPatrol(_ ready: TodayState.Ready) async {
        app.tab = .patrol
        if ready.patrol == nil { await app.patrol?.start() }
    }
}

/// Whether the patrol records or rests.
struct PatrolWord: View {
    @Environment(\.words) private var words
    let paused: Bool

    var body: some View {
        if paused {
            StateWord(text: words.texts.patrolPaused, symbol: "pause.circle", tint: Look.waiting)
        } else {
            StateWord(text: words.texts.patrolActive, symbol: "figure.walk", tint: Look.primary)
        }
    }
}

/// What is unsent, in words; never an error when it only waits.
private struct UnsentPanel: View {
    @Environment(\.words) private var words
    let now: Millis
    let unsent: UnsentState
    let onSync: @MainActor () async -> Void

    var body: some View {
        let texts = words.texts
        Panel {
            StateWord(
                text: unsent.line(texts, words.times, now: now), symbol: unsent.count == 0 ? "checkmark.circle.fill" : "clock",
                tint: unsent.count == 0 ? Look.done : Look.waiting)
            if unsent.count > 0 { Muted(text: texts.unsentWaiting) }
            if unsent.refused > 0 {
                StateWord(
                    text: texts.unsentRefused(count: countText(unsent.refused)), symbol: "exclamationmark.triangle", tint: Look.overdue)
            }
            if let sending = unsent.sync.sending {
                ProgressView(value: sending.total == 0 ? nil : Double(sending.done) / Double(sending.total))
            } else {
                lastTime
                if let problem = unsent.sync.problem { Text(problem.text(texts)).type(.body).ink(Look.ink) }
                if unsent.count > 0 || unsent.sync.problem != nil {
                    PlainButton(text: texts.syncNow, symbol: "arrow.up.circle", action: onSync)
                }
            }
        }
    }

    private var lastTime: some View {
        let texts = words.texts
        return Muted(text: unsent.lastContact.map { texts.syncLast(age: words.times.ago($0, now: now)) } ?? texts.syncNever)
            .accessibilityValue(unsent.lastContact.map(words.times.exact) ?? "")
    }
}
