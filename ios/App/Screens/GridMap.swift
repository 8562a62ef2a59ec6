import GridwalkKit
import SwiftUI

/// The grid's polygon and the route on it, with no tile service beneath. A gap
/// is drawn as nothing: two open ends.
struct GridMap: View {
    let map: GridMapState
    let spoken: String

    var body: some View {
        Canvas { context, size in
            guard
                let scene = RouteScene(segments: map.segments, outlines: map.outlines, width: size.width, height: size.height)
            else { return }
            drawGrid(scene, in: &context)
            drawRoute(scene, in: &context)
        }
        .frame(height: 264)
        .background(Look.ground.color)
        .clipShape(.rect(cornerRadius: Look.radiusCard))
        .overlay { RoundedRectangle(cornerRadius: Look.radiusCard).strokeBorder(Look.line.color) }
        .accessibilityElement()
        .accessibilityLabel(spoken)
        .accessibilityAddTraits(.isImage)
    }

    private func drawGrid(_ scene: RouteScene, in context: inout GraphicsContext) {
        var area = Path()
        for ring in scene.outlines {
            area.addLines(ring.map(\.cg))
            area.closeSubpath()
        }
        context.fill(area, with: .color(Look.surface.color), style: FillStyle(eoFill: true))
        context.stroke(area, with: .color(Look.mapTownLine.color), lineWidth: 1.5)
    }

    private func drawRoute(_ scene: RouteScene, in context: inout GraphicsContext) {
        let line = Look.primary.color
        let casing = Look.mapCasing.color
        for (color, width) in [(casing, Look.routeCasing), (line.opacity(Look.routeOpacity), Look.routeLine)] {
            for points in scene.lines {
                var path = Path()
                path.addLines(points.map(\.cg))
                context.stroke(path, with: .color(color), style: StrokeStyle(lineWidth: width, lineCap: .round, lineJoin: .round))
            }
        }
        for arrow in scene.arrows { drawArrow(arrow, in: context) }
        for end in scene.openEnds {
            context.fill(disc(end, 4.5), with: .color(casing))
            context.stroke(disc(end, 3.5), with: .color(Look.muted.color), lineWidth: 2)
        }
        if let start = scene.start {
            context.fill(disc(start, 7), with: .color(casing))
            context.stroke(disc(start, 5.5), with: .color(line), lineWidth: 2.5)
        }
        if let end = scene.end { drawEnd(end, in: context) }
    }

    /// Where the worker stands; a filled square once it is over.
    private func drawEnd(_ end: CanvasPoint, in context: GraphicsContext) {
        let line = Look.primary.color
        if map.isRunning {
            context.fill(disc(end, 16), with: .color(line.opacity(0.18)))
            context.fill(disc(end, 9), with: .color(Look.mapCasing.color))
            context.fill(disc(end, 6.5), with: .color(line))
        } else {
            context.fill(Path(CGRect(x: end.x - 6, y: end.y - 6, width: 12, height: 12)), with: .color(line))
        }
    }

    private func drawArrow(_ arrow: RouteScene.Arrow, in context: GraphicsContext) {
        var turned = context
        turned.translateBy(x: arrow.at.x, y: arrow.at.y)
        turned.rotate(by: .radians(arrow.angle))
        var head = Path()
        head.addLines([CGPoint(x: -4.5, y: -4.5), CGPoint(x: 4.5, y: 0), CGPoint(x: -4.5, y: 4.5)])
        for (color, width) in [(Look.mapCasing.color, 5.0), (Look.primary.color, 2.5)] {
            turned.stroke(head, with: .color(color), style: StrokeStyle(lineWidth: width, lineCap: .round, lineJoin: .round))
        }
    }

    private func disc(_ at: CanvasPoint, _ radius: Double) -> Path {
        Path(ellipseIn: CGRect(x: at.x - radius, y: at.y - radius, width: 2 * radius, height: 2 * radius))
    }
}

extension CanvasPoint {
    fileprivate var cg: CGPoint { CGPoint(x: x, y: y) }
}
