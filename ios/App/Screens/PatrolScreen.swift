import GridwalkKit
import SwiftUI
import UIKit

/// The route so far on the grid, and what can be done with the patrol.
struct PatrolScreen: View {
    @Environment(\.words) private var words
    let model: PatrolModel

    var body: some View {
        Page {
            switch model.state {
            case .loading: Waiting()
            case .failed(let problem): Failed(problem: problem) { model.tick() }
            case .ready(let ready): content(ready)
            }
        }
        .confirmationDialog(words.texts.patrolFinishAsk, isPresented: asks(.finish), titleVisibility: .visible) {
            Button(words.texts.patrolFinish) { Task { await model.confirmFinish() } }
            Button(words.texts.commonCancel, role: .cancel) { model.cancel() }
        } message: {
            Text(words.texts.patrolFinishNote)
        }
        .alert(words.texts.permissionLocationTitle, isPresented: asks(.location)) {
            Button(words.texts.commonAllow) { Task { await model.allowLocation() } }
            Button(words.texts.permissionLocationWithout, role: .cancel) { Task { await model.startWithoutRoute() } }
        } message: {
            Text(words.texts.permissionLocationWhy)
        }
    }

    private func asks(_ which: PatrolAsk) -> Binding<Bool> {
        Binding {
            if case .ready(let ready) = model.state { ready.ask == which } else { false }
        } set: {
            if !$0, case .ready(let ready) = model.state, ready.ask == which { model.cancel() }
        }
    }

    @ViewBuilder
    private func content(_ ready: PatrolState.Ready) -> some View {
        Text(ready.grid ?? words.texts.patrolTitle).type(.title).ink(Look.ink).accessibilityAddTraits(.isHeader)
        ProblemNotice(problem: ready.problem)
        if let trouble = ready.trouble { TroubleNotice(trouble: trouble) }
        GridMap(map: ready.map, spoken: spoken(ready))
        if let patrol = ready.patrol { running(ready, patrol) } else { idle(ready) }
    }

    /// What the map shows, for who cannot see it.
    private func spoken(_ ready: PatrolState.Ready) -> String {
        guard let patrol = ready.patrol else { return words.texts.patrolMap }
        let gaps = patrol.gaps.isEmpty ? words.texts.patrolNoGaps : "\(words.texts.patrolGaps) \(patrol.gaps.count)"
        return [words.texts.patrolMap, distanceText(metres: patrol.distanceM), gaps].joined(separator: ", ")
    }

    @ViewBuilder
    private func idle(_ ready: PatrolState.Ready) -> some View {
        Muted(text: ready.onShift ? words.texts.patrolIdleNote : words.texts.patrolOffShiftNote)
        if ready.onShift { BigButton(text: words.texts.patrolStart, symbol: "play.fill") { await model.start() } }
    }

    @ViewBuilder
    private func running(_ ready: PatrolState.Ready, _ patrol: PatrolState.Running) -> some View {
        let texts = words.texts
        PatrolWord(paused: patrol.paused)
        if !patrol.paused, ready.trouble == nil {
            Muted(text: patrol.lastFix.map { texts.patrolLastFix(age: words.times.ago($0, now: ready.now)) } ?? texts.patrolLocating)
        }
        SideBySide {
            Figure(label: texts.patrolDistance, value: distanceText(metres: patrol.distanceM))
            Figure(label: texts.patrolDuration, value: words.times.span(ms: ready.now - patrol.since))
        }
        SideBySide {
            if patrol.paused {
                PlainButton(text: texts.patrolResume, symbol: "play.fill") { await model.resume() }
            } else {
                PlainButton(text: texts.patrolPause, symbol: "pause.fill") { await model.pause() }
            }
            PlainButton(text: texts.patrolFinish, symbol: "stop.fill") { model.finish() }
        }
        Panel {
            Text(texts.patrolGaps).type(.body).fontWeight(.semibold).ink(Look.ink).accessibilityAddTraits(.isHeader)
            if patrol.gaps.isEmpty { Muted(text: texts.patrolNoGaps) }
            ForEach(patrol.gaps) { gap in
                HStack(alignment: .firstTextBaseline) {
                    Text(words.times.clock(gap.from)).monospacedDigit()
                    Text(gap.line(texts, words.times))
                }
                .type(.small)
                .ink(Look.ink)
                .accessibilityElement(children: .combine)
            }
        }
    }
}

/// Why nothing is recorded although a patrol runs.
private struct TroubleNotice: View {
    @Environment(\.words) private var words
    let trouble: PatrolRecorder.Trouble

    var body: some View {
        Notice(
            text: words.texts.trouble(trouble), symbol: "location.slash", tint: Look.overdue,
            action: leadsToSettings ? words.texts.commonSettings : nil,
            onAction: {
                guard let settings = URL(string: UIApplication.openSettingsURLString) else { return }
                await UIApplication.shared.open(settings)
            })
    }

    private var leadsToSettings: Bool {
        switch trouble {
        case .permissionOff, .locationOff, .reduced: true
        case .noSignal, .notSaved: false
        }
    }
}
