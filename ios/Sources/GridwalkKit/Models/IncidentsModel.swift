import GridwalkFFI
import Observation

/// What the list of own incidents shows.
public enum IncidentsState: Sendable, Equatable {
    case loading
    case failed(Problem)
    case ready(now: Millis, [IncidentRow])
}

public struct IncidentRow: Sendable, Equatable, Identifiable {
    public let id: String
    public let category: CategoryName
    public let title: String
    public let found: Millis
    /// The wire's word for its state.
    public let status: String
    public let photos: Int
    public let delivery: Delivery
    /// Somebody else wrote a field too that this worker wrote, and nobody has settled it.
    public let changedTwice: Bool
}

/// Whether the server has it.
public enum Delivery: Sendable, Equatable {
    case onPhone
    case sent
    /// The server did not take it; the advice says what to do.
    case refused(Advice)
    /// The server does not take it yet; it is tried again by itself.
    case parked(Advice)

    init(_ state: SendState) {
        self =
            switch state {
            case .saved, .waiting: .onPhone
            case .sent: .sent
            case .refused(_, _, let advice): .refused(advice)
            case .parked(_, _, let advice): .parked(advice)
            }
    }

    /// What there is to do or to know.
    public var advice: Advice? {
        switch self {
        case .onPhone, .sent: nil
        case .refused(let advice), .parked(let advice): advice
        }
    }

    public func word(_ texts: Texts) -> String {
        switch self {
        case .onPhone: texts.incidentOnPhone
        case .sent: texts.incidentSent
        case .refused: texts.incidentRefused
        case .parked: texts.incidentParked
        }
    }

    /// The name of an SF Symbol.
    public var symbol: String {
        switch self {
        case .onPhone, .parked: "clock"
        case .sent: "checkmark.circle.fill"
        case .refused: "exclamationmark.triangle"
        }
    }

    public var tint: Look.Tint {
        switch self {
        case .onPhone, .parked: Look.waiting
        case .sent: Look.done
        case .refused: Look.overdue
        }
    }
}

/// Own incidents, newest first, each with its state.
@MainActor @Observable public final class IncidentsModel {
    public private(set) var state = IncidentsState.loading

    private let gridwalk: any Gridwalk
    private let clock: any WallClock
    private var incidents: [IncidentView]?
    private var catalogue: [String: CatalogueEntry] = [:]

    public init(_ gridwalk: any Gridwalk, clock: any WallClock) {
        self.gridwalk = gridwalk
        self.clock = clock
    }

    func show(_ everything: Everything) async {
        incidents = everything.incidents.filter(\.mine)
        if catalogue.isEmpty, let entries = try? await gridwalk.catalogue().categories {
            catalogue = Dictionary(entries.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
        }
        draw()
    }

    /// A minute went by: ages grow.
    public func tick() { draw() }

    private func draw() {
        guard let incidents else { return }
        state = .ready(now: clock.now(), incidents.map(row))
    }

    private func row(_ incident: IncidentView) -> IncidentRow {
        // What is not classified yet bears the name that was chosen as a tag.
        let name = catalogue[incident.category] ?? catalogue.values.first { incident.category.isEmpty && incident.tags.contains($0.zh) }
        return IncidentRow(
            id: incident.id,
            category: CategoryName(code: name?.code ?? incident.category, zh: name?.zh ?? incident.category, en: name?.en ?? incident.category),
            title: incident.title,
            found: incident.foundMs,
            status: incident.status,
            photos: incident.photos.count,
            delivery: Delivery(incident.send),
            changedTwice: incident.conflicts > 0)
    }
}
