import Foundation

/// A patrol's route as it is put on a canvas: all geometry, no drawing.
///
/// A segment is a line; between two segments there is a gap, which is never a
/// line: its two ends stay open. The screen only strokes what stands here.
public struct RouteScene: Sendable, Equatable {
    /// A direction arrow on the line.
    public struct Arrow: Sendable, Equatable {
        public let at: CanvasPoint
        /// Clockwise from east, in radians, as a canvas rotates.
        public let angle: Double
    }

    /// Outlines of the grid, closed.
    public let outlines: [[CanvasPoint]]
    /// One line a segment, at least two points each.
    public let lines: [[CanvasPoint]]
    public let arrows: [Arrow]
    /// Where the patrol began: a ring.
    public let start: CanvasPoint?
    /// Where it is now, or where it ended: a disc while it runs, a square after.
    public let end: CanvasPoint?
    /// The two ends of each gap, joined by nothing.
    public let openEnds: [CanvasPoint]

    /// - Parameters:
    ///   - segments: the route's segments in order; a gap lies between two.
    ///   - outlines: rings of the grid's boundary.
    ///   - arrowEvery: distance between two arrows along the line, in points.
    ///   - width: of the canvas, in points.
    ///   - height: of the canvas, in points.
    /// - Returns: nothing where there is neither route nor boundary to show.
    public init?(
        segments: [[GeoPoint]], outlines: [[GeoPoint]], width: Double, height: Double,
        margin: Double = 24, arrowEvery: Double = Look.routeArrowEvery
    ) {
        // The route decides where it leaves the grid: what was walked must be seen.
        let all = [outlines.joined(), segments.joined()].joined()
        guard let frame = MapFrame(showing: all, width: width, height: height, margin: margin) else { return nil }
        let drawn = segments.map { $0.filter(\.isValid).map(frame.point) }.filter { !$0.isEmpty }
        self.outlines = outlines.map { $0.filter(\.isValid).map(frame.point) }.filter { $0.count >= 3 }
        lines = drawn.filter { $0.count >= 2 }
        arrows = lines.flatMap { Self.arrows(along: $0, every: arrowEvery) }
        start = drawn.first?.first
        end = drawn.last?.last
        openEnds = zip(drawn, drawn.dropFirst()).flatMap { before, after in [before.last, after.first].compactMap(\.self) }
    }

    private static func arrows(along line: [CanvasPoint], every: Double) -> [Arrow] {
        guard every > 0 else { return [] }
        var arrows: [Arrow] = []
        // The first stands half a step in: a short line then has one too.
        var untilNext = every / 2
        for (from, to) in zip(line, line.dropFirst()) {
            let length = from.distance(to: to)
            guard length > 0 else { continue }
            var along = untilNext
            while along <= length {
                let angle = atan2(to.y - from.y, to.x - from.x)
                arrows.append(Arrow(at: from.towards(to, by: along / length), angle: angle))
                along += every
            }
            untilNext = along - length
        }
        return arrows
    }
}
