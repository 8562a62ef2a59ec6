import GridwalkFFI

/// When to sync, decided from what stands on the phone and how the last attempt
/// went. Pure: time and chance are parameters.
///
/// Whatever it answers, there is always a next attempt while something is
/// unsent: a time, or the next change of network.
public struct SyncPolicy: Sendable, Equatable {
    /// What makes us ask.
    public enum Cause: Sendable, Equatable {
        /// The user pressed the button.
        case byHand
        /// Something was saved, the network or the clock changed, the app came to the front.
        case byItself
    }

    public enum Decision: Sendable, Equatable {
        case now
        case at(Millis)
        case whenNetworkChanges
    }

    /// How the attempts since the last success went.
    public struct Failures: Sendable, Equatable {
        public var count = 0
        /// When the last of them ended.
        public var last: Millis = 0
        /// What the server asked for, from then on.
        public var retryAfterMs: Millis = 0

        public init() {}
    }

    /// With nothing to send, how often to look what came down.
    static let lookEvery: Millis = 15 * minuteMs
    /// Photos wait so long for a network that nobody pays by the byte. Records
    /// and routes, which are small, do not.
    static let photoPatience: Millis = hourMs
    /// The longest wait after failures.
    static let longestBackoff: Millis = 15 * minuteMs
    static let firstBackoff: Millis = 5_000

    public init() {}

    /// - Parameters:
    ///   - lastContact: when the server was last heard from.
    ///   - chance: 0 up to 1, drawn anew after each failure, so that phones which
    ///     lost the server together do not come back together.
    public func decide(
        _ cause: Cause, network: NetworkKind, unsent: Unsent, lastContact: Millis?, failures: Failures, now: Millis, chance: Double
    ) -> Decision {
        // The user's word counts for more than what the phone believes of its network.
        if cause == .byHand { return .now }
        if network == .none { return .whenNetworkChanges }
        if failures.count > 0 {
            let next = failures.last + backoff(failures, chance: chance)
            // A clock set back must not keep the phone silent until it has caught up.
            if now < next, now >= failures.last { return .at(next) }
        }
        if unsent.ops == 0, unsent.chunks == 0, unsent.blobs == 0 { return look(network, lastContact, now) }
        if unsent.ops > 0 || unsent.chunks > 0 || !photosWait(network, unsent: unsent, now: now) { return .now }
        guard network == .metered, let since = unsent.oldestMs else { return .whenNetworkChanges }
        return .at(since + Self.photoPatience)
    }

    /// Whether a sync that starts by itself leaves the photos here.
    public func photosWait(_ network: NetworkKind, unsent: Unsent, now: Millis) -> Bool {
        guard network != .free, unsent.blobs > 0 else { return false }
        guard network == .metered, let since = unsent.oldestMs else { return true }
        // A clock set back must not keep them for ever.
        return now < since + Self.photoPatience && now >= since
    }

    private func look(_ network: NetworkKind, _ lastContact: Millis?, _ now: Millis) -> Decision {
        if network == .constrained { return .whenNetworkChanges }
        guard let lastContact, now >= lastContact else { return .now }
        let next = lastContact + Self.lookEvery
        return now >= next ? .now : .at(next)
    }

    private func backoff(_ failures: Failures, chance: Double) -> Millis {
        let doublings = min(max(0, failures.count - 1), 20)
        let ceiling = min(Self.longestBackoff, Self.firstBackoff << Millis(doublings))
        return max(failures.retryAfterMs, Millis(Double(ceiling) * min(1, max(0, chance))))
    }
}
