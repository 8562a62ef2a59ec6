import GridwalkKit
import SwiftUI

/// Own incidents, newest first, each with its state.
struct IncidentsScreen: View {
    @Environment(\.words) private var words
    let model: IncidentsModel

    var body: some View {
        Page {
            Text(words.texts.incidentsTitle).type(.title).ink(Look.ink).accessibilityAddTraits(.isHeader)
            switch model.state {
            case .loading: Waiting()
            case .failed(let problem): Failed(problem: problem) { model.tick() }
            case .ready(let now, let incidents):
                if incidents.isEmpty {
                    Blank(symbol: "list.bullet.clipboard", title: words.texts.incidentsEmpty, note: words.texts.incidentsEmptyNote)
                }
                LazyVStack(spacing: 12) {
                    ForEach(incidents) { IncidentPanel(now: now, incident: $0) }
                }
            }
        }
    }
}

private struct IncidentPanel: View {
    @Environment(\.words) private var words
    let now: Millis
    let incident: IncidentRow

    var body: some View {
        let texts = words.texts
        let category = CategoryLook(incident.category.code)
        let status = StatusLook(incident.status)
        Panel {
            Label(texts.either(zh: incident.category.zh, en: incident.category.en), systemImage: category.symbol)
                .type(.small).fontWeight(.semibold).ink(category.tint)
            Text(spaced(incident.title)).type(.body).ink(Look.ink)
            Muted(text: facts).accessibilityLabel("\(words.times.exact(incident.found)) \(facts)")
            SideBySide {
                StateWord(text: texts.status(incident.status), symbol: status.symbol, tint: status.tint)
                StateWord(text: incident.delivery.word(texts), symbol: incident.delivery.symbol, tint: incident.delivery.tint)
            }
            if incident.changedTwice { StateWord(text: texts.incidentChangedTwice, symbol: "exclamationmark.triangle", tint: Look.waiting) }
            if let advice = incident.delivery.advice { Text(texts.advice(advice)).type(.small).ink(Look.ink) }
        }
        .accessibilityElement(children: .combine)
    }

    private var facts: String {
        let age = words.times.ago(incident.found, now: now)
        return incident.photos == 0 ? age : "\(age) · \(words.texts.incidentPhotos(count: countText(incident.photos)))"
    }
}
