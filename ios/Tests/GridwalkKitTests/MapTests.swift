import Foundation
import Testing

@testable import GridwalkKit

@Suite("The route on a canvas") struct MapTests {
    /// Metres east and north of a point in Lanshan.
    private func place(_ east: Double, _ north: Double) -> GeoPoint {
        GeoPoint(lat: 35.05 + north / 111_195, lon: 118.34 + east / (111_195 * cos(35.05 * .pi / 180)))
    }

    private var square: [GeoPoint] { [place(0, 0), place(600, 0), place(600, 600), place(0, 600), place(0, 0)] }

    @Test func scaleIsTheSameBothWaysAndNorthIsUp() throws {
        let frame = try #require(MapFrame(showing: square, width: 300, height: 500, margin: 20))
        let (southWest, southEast, northWest) = (frame.point(place(0, 0)), frame.point(place(600, 0)), frame.point(place(0, 600)))
        #expect(abs(southWest.x - 20) < 0.5 && abs(southEast.x - 280) < 0.5)
        #expect(northWest.y < southWest.y)
        #expect(abs((southEast.x - southWest.x) - (southWest.y - northWest.y)) < 0.5)
    }

    @Test func nothingToShowIsNoFrame() {
        #expect(MapFrame(showing: [], width: 300, height: 300, margin: 10) == nil)
        #expect(MapFrame(showing: [GeoPoint(lat: .nan, lon: 0)], width: 300, height: 300, margin: 10) == nil)
        #expect(MapFrame(showing: square, width: 10, height: 10, margin: 10) == nil)
        #expect(RouteScene(segments: [], outlines: [], width: 300, height: 300) == nil)
    }

    @Test func oneFixDoesNotFillTheScreen() throws {
        let frame = try #require(MapFrame(showing: [place(0, 0)], width: 240, height: 240, margin: 0))
        #expect(frame.point(place(0, 0)) == CanvasPoint(x: 120, y: 120))
        #expect(abs(frame.point(place(60, 0)).x - 240) < 0.5)
    }

    @Test func aGapIsTwoOpenEndsAndNoLine() throws {
        let segments = [[place(0, 0), place(100, 0)], [place(400, 0), place(500, 0)]]
        let scene = try #require(RouteScene(segments: segments, outlines: [square], width: 320, height: 320))
        try #require(scene.lines.count == 2)
        #expect(scene.openEnds == [scene.lines[0][1], scene.lines[1][0]])
        #expect(scene.start == scene.lines[0][0])
        #expect(scene.end == scene.lines[1][1])
        let longest = scene.lines.flatMap { zip($0, $0.dropFirst()).map { $0.distance(to: $1) } }.max() ?? 0
        #expect(longest < scene.openEnds[0].distance(to: scene.openEnds[1]))
    }

    @Test func arrowsStandEvenlyAcrossCorners() throws {
        // 240 points of line in four pieces: arrows at 40, 120 and 200.
        let line = [place(0, 0), place(60, 0), place(120, 0), place(120, 60), place(120, 120)]
        let scene = try #require(RouteScene(segments: [line], outlines: [], width: 168, height: 168, arrowEvery: 80))
        try #require(scene.arrows.count == 3)
        #expect(abs(scene.arrows[0].angle) < 0.01)
        #expect(abs(scene.arrows[2].angle + .pi / 2) < 0.01)
        #expect(abs(scene.arrows[0].at.distance(to: scene.arrows[1].at) - 80) < 1)
    }

    @Test func aSegmentOfOneFixIsStillAnEnd() throws {
        let scene = try #require(
            RouteScene(segments: [[place(0, 0)], [place(50, 0), place(90, 0)]], outlines: [], width: 200, height: 200))
        #expect(scene.lines.count == 1)
        #expect(scene.start != nil)
        #expect(scene.openEnds.count == 2)
    }
}
