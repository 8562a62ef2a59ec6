import Foundation

/// Milliseconds since 1970 (UTC), as the core counts.
public typealias Millis = Int64

let minuteMs: Millis = 60_000
let hourMs: Millis = 60 * minuteMs
let dayMs: Millis = 24 * hourMs

/// How long ago a moment is; the words belong to the language.
public enum Age: Equatable, Sendable {
    case now
    case minutes(Int)
    case hours(Int)
    /// Older than a day, or ahead of the clock: to be written as a date.
    case date

    public init(of moment: Millis, at now: Millis) {
        let past = now - moment
        switch past {
        // A little ahead is the difference between two clocks, not the future.
        case ..<(-minuteMs): self = .date
        case ..<minuteMs: self = .now
        case ..<hourMs: self = .minutes(Int(past / minuteMs))
        case ..<dayMs: self = .hours(Int(past / hourMs))
        default: self = .date
        }
    }
}

/// Writes times in one language and one zone.
///
/// The zone is the phone's: a gridworker's phone is where its district is.
public struct Times: Sendable {
    let texts: Texts
    let zone: TimeZone

    public init(_ texts: Texts, zone: TimeZone = .current) {
        self.texts = texts
        self.zone = zone
    }

    private func parts(_ ms: Millis) -> DateComponents {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let wanted: Set<Calendar.Component> = [.year, .month, .day, .hour, .minute, .second]
        return calendar.dateComponents(wanted, from: Date(timeIntervalSince1970: Double(ms) / 1000))
    }

    private func two(_ value: Int?) -> String {
        let value = value ?? 0
        return value < 10 ? "0\(value)" : String(value)
    }

    /// `10:32`
    public func clock(_ ms: Millis) -> String {
        let at = parts(ms)
        return "\(two(at.hour)):\(two(at.minute))"
    }

    /// `2026-11-21`
    public func day(_ ms: Millis) -> String {
        let at = parts(ms)
        return "\(at.year ?? 0)-\(two(at.month))-\(two(at.day))"
    }

    /// `2026-11-21 10:32:05`, for a long press and for VoiceOver.
    public func exact(_ ms: Millis) -> String {
        "\(day(ms)) \(clock(ms)):\(two(parts(ms).second))"
    }

    /// "4 分钟前" when fresh, `2026-11-20 10:32` when older than a day.
    public func ago(_ ms: Millis, now: Millis) -> String {
        switch Age(of: ms, at: now) {
        case .now: texts.timeNow
        case .minutes(let n): texts.timeMinutesAgo(n: String(n))
        case .hours(let n): texts.timeHoursAgo(n: String(n))
        case .date: "\(day(ms)) \(clock(ms))"
        }
    }

    /// A length of time: "45 秒", "12 分钟", "3 小时 5 分钟". Seconds only below a minute.
    public func span(ms: Millis) -> String {
        let seconds = max(0, (ms + 500) / 1000)
        if seconds < 60 { return texts.spanSeconds(n: String(seconds)) }
        let minutes = (seconds + 30) / 60
        let (hours, rest) = (minutes / 60, minutes % 60)
        if hours == 0 { return texts.spanMinutes(n: String(rest)) }
        if rest == 0 { return texts.spanHours(n: String(hours)) }
        return texts.spanHoursMinutes(h: String(hours), m: String(rest))
    }
}
