import Foundation
import GridwalkFFI
import Observation

/// What the quick report shows.
public enum ReportState: Sendable, Equatable {
    case loading
    case failed(Problem)
    case ready(Ready)

    public struct Ready: Sendable, Equatable {
        public var categories: [CategoryName]
        public var category: String?
        public var words = ""
        /// The photo's bytes as the camera gave them.
        public var photo: Data?
        public var place = PlaceState.finding
        public var saving = false
        public var asksToDiscard = false
        public var problem: Problem?

        public var canSave: Bool { category != nil && !saving }
    }
}

/// A category as the catalogue names it, in both languages.
public struct CategoryName: Sendable, Equatable, Identifiable {
    public let code: String
    public let zh: String
    public let en: String

    public var id: String { code }
}

/// Where it is, as far as the phone found out by itself.
public enum PlaceState: Sendable, Equatable {
    case finding
    case unknown
    case known(GeoPoint, accuracyM: Double)
}

/// One tap for the kind, one for the photo, a few words, save.
@MainActor @Observable public final class ReportModel {
    public private(set) var state = ReportState.loading

    private let gridwalk: any Gridwalk
    private let source: any LocationSource
    private let clock: any WallClock
    private let haptics: any Haptics
    private let texts: Texts
    private let closed: @MainActor (_ saved: Bool) -> Void

    /// How long to look for a position; the report can be saved meanwhile.
    static let searchMs: Millis = 60_000
    /// A position this exact is not searched on for.
    static let exactEnough: Float = 20

    /// - Parameter closed: hears that the report was saved, or was left.
    public init(
        _ gridwalk: any Gridwalk, source: any LocationSource, clock: any WallClock, haptics: any Haptics, texts: Texts,
        closed: @escaping @MainActor (_ saved: Bool) -> Void
    ) {
        self.gridwalk = gridwalk
        self.source = source
        self.clock = clock
        self.haptics = haptics
        self.texts = texts
        self.closed = closed
    }

    /// Reads the categories, then looks for the place until it is exact, the
    /// time is over, or the task is cancelled.
    public func open() async {
        do {
            let catalogue = try await gridwalk.catalogue()
            state = .ready(.init(categories: catalogue.categories.map { CategoryName(code: $0.code, zh: $0.zh, en: $0.en) }))
        } catch {
            state = .failed(Problem(error))
            return
        }
        await findPlace()
    }

    public func choose(category code: String) { change { $0.category = code } }

    public func type(_ words: String) { change { $0.words = words } }

    public func took(_ photo: Data) { change { $0.photo = photo } }

    public func removePhoto() { change { $0.photo = nil } }

    /// Leaves at once where nothing would be lost; else asks once.
    public func back() {
        guard case .ready(let ready) = state else { return closed(false) }
        if ready.category == nil, ready.words.isEmpty, ready.photo == nil { return closed(false) }
        change { $0.asksToDiscard = true }
    }

    public func discard() { closed(false) }

    public func keep() { change { $0.asksToDiscard = false } }

    /// Returns when the report can no longer be lost.
    public func save() async {
        guard case .ready(let ready) = state, let category = ready.category, !ready.saving else { return }
        change {
            $0.saving = true
            $0.problem = nil
        }
        do {
            _ = try await gridwalk.report(incident(ready, category))
            haptics.saved()
            closed(true)
        } catch {
            haptics.failed()
            change {
                $0.saving = false
                $0.problem = Problem(error)
            }
        }
    }

    /// The first line is the title; who wrote nothing reported its category.
    private func incident(_ ready: ReportState.Ready, _ category: String) -> NewIncident {
        let words = ready.words.trimmingCharacters(in: .whitespacesAndNewlines)
        let name = ready.categories.first { $0.code == category }.map { texts.language == .zh ? $0.zh : $0.en }
        let (title, rest) = Self.split(words.isEmpty ? name ?? category : words)
        var place: Place?
        if case .known(let point, let accuracy) = ready.place {
            place = Place(lat: point.lat, lon: point.lon, accuracyM: accuracy)
        }
        let photos = ready.photo.map { [NewPhoto(bytes: $0, mime: "image/jpeg")] } ?? []
        return NewIncident(category: category, severity: nil, title: title, description: rest, place: place, photos: photos)
    }

    /// A title of at most 60 characters; what is longer goes whole into the description.
    static func split(_ words: String) -> (title: String, rest: String?) {
        let line = words.prefix { !$0.isNewline }
        let title = String(line.prefix(60)).trimmingCharacters(in: .whitespaces)
        return (title, title == words ? nil : words)
    }

    private func findPlace() async {
        switch await source.access {
        case .granted, .reduced: break
        // Who was never asked is asked by the patrol, which says why.
        case .notAsked, .denied, .switchedOff: return change { $0.place = .unknown }
        }
        let search = Task { [source] in
            for await event in source.events() {
                guard case .fix(let fix) = event, !fix.mocked else { continue }
                if self.found(fix) { return }
            }
        }
        let limit = Task { [clock] in
            try await clock.wait(until: clock.now() + Self.searchMs)
            search.cancel()
        }
        await withTaskCancellationHandler {
            await search.value
        } onCancel: {
            search.cancel()
        }
        limit.cancel()
        change { if $0.place == .finding { $0.place = .unknown } }
    }

    /// Keeps the most exact one. Returns whether it will do.
    private func found(_ fix: Fix) -> Bool {
        guard let accuracy = fix.accuracyM, accuracy >= 0 else { return false }
        change {
            if case .known(_, let best) = $0.place, best <= Double(accuracy) { return }
            $0.place = .known(GeoPoint(lat: fix.lat, lon: fix.lon), accuracyM: Double(accuracy))
        }
        return accuracy <= Self.exactEnough
    }

    private func change(_ edit: (inout ReportState.Ready) -> Void) {
        guard case .ready(var ready) = state else { return }
        edit(&ready)
        state = .ready(ready)
    }
}
