import Foundation
import Testing

@testable import GridwalkKit

@Suite("Formatting") struct FormatTests {
    @Test(
        arguments: [
            (0, "0\u{202F}m"), (429.6, "430\u{202F}m"), (999.4, "999\u{202F}m"), (999.5, "1.0\u{202F}km"),
            (3_249, "3.2\u{202F}km"), (99_949, "99.9\u{202F}km"), (128_400, "128\u{202F}km"), (-5, "0\u{202F}m"),
            (.nan, "–"),
        ] as [(Double, String)])
    func distances(metres: Double, text: String) {
        #expect(distanceText(metres: metres) == text)
    }

    @Test(
        arguments: [
            (0, "0\u{202F}B"), (1023, "1023\u{202F}B"), (1024, "1\u{202F}KB"), (38 * 1024, "38\u{202F}KB"),
            (1_048_576, "1.0\u{202F}MB"), (4_404_019, "4.2\u{202F}MB"),
        ] as [(UInt64, String)])
    func sizes(count: UInt64, text: String) {
        #expect(bytesText(count) == text)
    }

    @Test(arguments: [(7, "7"), (1956, "1956"), (28_800, "28\u{202F}800"), (1_234_567, "1\u{202F}234\u{202F}567")])
    func counts(value: Int, text: String) {
        #expect(countText(value) == text)
    }

    @Test func chineseAndLatinKeepAThinSpace() {
        #expect(spaced("GPS定位3次") == "GPS\u{2009}定位\u{2009}3\u{202F}次")
        #expect(spaced("完成62%了") == "完成\u{2009}62%\u{202F}了")
        #expect(spaced("no change 3 km") == "no change 3 km")
        let once = spaced("共12条，app关闭")
        #expect(spaced(once) == once)
    }

    @Test(
        arguments: [
            (-61_000, Age.date), (-60_000, .now), (0, .now), (59_999, .now), (60_000, .minutes(1)),
            (3_599_999, .minutes(59)), (3_600_000, .hours(1)), (86_399_999, .hours(23)), (86_400_000, .date),
        ] as [(Millis, Age)])
    func ages(past: Millis, age: Age) {
        let now: Millis = 1_763_800_000_000
        #expect(Age(of: now - past, at: now) == age)
    }

    @Test func timesInBothLanguagesAndTheZone() throws {
        let zone = try #require(TimeZone(identifier: "Asia/Shanghai"))
        let zh = Times(Texts(.zh), zone: zone)
        let en = Times(Texts(.en), zone: zone)
        let moment: Millis = 1_763_692_325_000  // 2025-11-21 02:32:05 UTC
        #expect(zh.clock(moment) == "10:32")
        #expect(zh.exact(moment) == "2025-11-21 10:32:05")
        #expect(zh.ago(moment, now: moment + 240_000) == "4\u{202F}分钟前")
        #expect(en.ago(moment, now: moment + 240_000) == "4 min ago")
        #expect(en.ago(moment, now: moment + 90_000_000) == "2025-11-21 10:32")
        #expect(zh.span(ms: 11_100_000) == "3\u{202F}小时\u{2009}5\u{202F}分钟")
        #expect(en.span(ms: 11_100_000) == "3 h 5 min")
        #expect(en.span(ms: 44_600) == "45 s")
        #expect(en.span(ms: 59_600) == "1 min")
        #expect(en.span(ms: 7_200_000) == "2 h")
    }
}
