import Foundation

/// A place on the earth, WGS-84, in degrees.
public struct GeoPoint: Sendable, Hashable {
    public let lat: Double
    public let lon: Double

    public init(lat: Double, lon: Double) {
        self.lat = lat
        self.lon = lon
    }

    var isValid: Bool { lat.isFinite && lon.isFinite && abs(lat) <= 90 && abs(lon) <= 180 }
}

/// A place on the canvas, in points; y grows downwards.
public struct CanvasPoint: Sendable, Hashable {
    public let x: Double
    public let y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }

    func distance(to other: CanvasPoint) -> Double { hypot(other.x - x, other.y - y) }

    func towards(_ other: CanvasPoint, by fraction: Double) -> CanvasPoint {
        CanvasPoint(x: x + (other.x - x) * fraction, y: y + (other.y - y) * fraction)
    }
}

/// Fits places into a canvas: the same scale in both directions, north up.
///
/// A base grid is some 670 m wide, so that a plane with the scale of its middle
/// latitude is exact to a fraction of a point.
public struct MapFrame: Sendable, Equatable {
    /// Shows at least this much, so that one fix does not fill the screen, metres.
    static let leastSpan = 120.0
    private static let metresPerDegree = 111_195.0

    private let middle: GeoPoint
    private let pointsPerDegreeLat: Double
    private let pointsPerDegreeLon: Double
    private let centre: CanvasPoint

    /// - Parameters:
    ///   - places: what must be seen; without a valid one there is no frame.
    ///   - width: of the canvas, in points.
    ///   - height: of the canvas, in points.
    ///   - margin: kept free at each edge, in points.
    public init?(showing places: some Sequence<GeoPoint>, width: Double, height: Double, margin: Double) {
        let places = places.filter(\.isValid)
        guard let first = places.first, width > 2 * margin, height > 2 * margin else { return nil }
        var (south, north, west, east) = (first.lat, first.lat, first.lon, first.lon)
        for place in places {
            south = min(south, place.lat)
            north = max(north, place.lat)
            west = min(west, place.lon)
            east = max(east, place.lon)
        }
        middle = GeoPoint(lat: (south + north) / 2, lon: (west + east) / 2)
        let narrowing = max(0.01, cos(middle.lat * .pi / 180))
        let metresHigh = max(Self.leastSpan, (north - south) * Self.metresPerDegree)
        let metresWide = max(Self.leastSpan, (east - west) * Self.metresPerDegree * narrowing)
        let pointsPerMetre = min((width - 2 * margin) / metresWide, (height - 2 * margin) / metresHigh)
        pointsPerDegreeLat = pointsPerMetre * Self.metresPerDegree
        pointsPerDegreeLon = pointsPerDegreeLat * narrowing
        centre = CanvasPoint(x: width / 2, y: height / 2)
    }

    public func point(_ place: GeoPoint) -> CanvasPoint {
        CanvasPoint(
            x: centre.x + (place.lon - middle.lon) * pointsPerDegreeLon,
            y: centre.y - (place.lat - middle.lat) * pointsPerDegreeLat)
    }
}
