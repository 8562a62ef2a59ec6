import Foundation
import Testing

@testable import GridwalkKit

@Suite("Look") struct LookTests {
    private func tokens() throws -> [String: Any] {
        let data = try Data(contentsOf: repository.appending(path: "sync-server/web/tokens.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func coloursAreThoseOfTheHouse() throws {
        let colours = try #require(try tokens()["color"] as? [String: [String: String]])
        for (name, pair) in colours {
            let tint = try #require(Look.tints[name], "\(name)")
            #expect(String(format: "#%06X", tint.light) == pair["light"], "\(name)")
            #expect(String(format: "#%06X", tint.dark) == pair["dark"], "\(name)")
        }
        let map = try #require(try tokens()["map"] as? [String: Any])
        #expect(Look.tints.count == colours.count + map.count)
    }

    private func luminance(_ rgb: UInt32) -> Double {
        let (red, green, blue) = Look.components(rgb)
        let linear = { (part: Double) in part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4) }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// At least 5 : 1 on both grounds, in light and in dark.
    @Test(arguments: [
        "ink", "muted", "primary", "hygiene", "fire-safety", "public-order", "family-dispute", "other", "overdue",
        "waiting", "done",
    ])
    func contrast(name: String) throws {
        let tint = try #require(Look.tints[name])
        for dark in [false, true] {
            for ground in [Look.ground, Look.surface] {
                let pair = [luminance(tint.value(dark: dark)), luminance(ground.value(dark: dark))].sorted()
                #expect((pair[1] + 0.05) / (pair[0] + 0.05) >= 5, "\(name), dark: \(dark)")
            }
        }
    }

    @Test func categoriesHaveTheirColourAndNewOnesOneToo() {
        #expect(Look.tint(category: "fire_safety") == Look.fireSafety)
        #expect(Look.tint(category: "brought_by_a_later_catalogue") == Look.other)
    }

    @Test func targetsAreBigEnoughForAThumb() {
        #expect(Look.sizeTarget == 56)
        #expect(Look.sizeAction == 72)
    }
}
