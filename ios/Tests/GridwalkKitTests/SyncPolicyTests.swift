import GridwalkFFI
import Testing

@testable import GridwalkKit

@Suite("When to sync") struct SyncPolicyTests {
    private let now: Millis = 1_763_692_325_000

    private func decide(
        _ cause: SyncPolicy.Cause = .byItself, on network: NetworkKind, ops: UInt64 = 0, chunks: UInt64 = 0, blobs: UInt64 = 0,
        age: Millis = 60_000, contact: Millis? = 60_000, failures: SyncPolicy.Failures = .init(), chance: Double = 1
    ) -> SyncPolicy.Decision {
        let unsent = Unsent(ops: ops, chunks: chunks, blobs: blobs, oldestMs: now - age)
        return SyncPolicy().decide(
            cause, network: network, unsent: unsent, lastContact: contact.map { now - $0 }, failures: failures, now: now, chance: chance)
    }

    private func failed(_ count: Int, ago: Millis = 0, retryAfter: Millis = 0) -> SyncPolicy.Failures {
        var failures = SyncPolicy.Failures()
        failures.count = count
        failures.last = now - ago
        failures.retryAfterMs = retryAfter
        return failures
    }

    @Test func aReportGoesAtOnceOnAnyNetwork() {
        for network in [NetworkKind.constrained, .metered, .free] { #expect(decide(on: network, ops: 1) == .now) }
        #expect(decide(on: .none, ops: 1) == .whenNetworkChanges)
    }

    @Test func routesAreSmallAndGoAtOnceToo() {
        for network in [NetworkKind.constrained, .metered, .free] { #expect(decide(on: network, chunks: 1) == .now) }
    }

    @Test func photosWaitForANetworkThatCostsNothing() {
        #expect(decide(on: .free, blobs: 1) == .now)
        #expect(decide(on: .metered, blobs: 1, age: 60_000) == .at(now - 60_000 + SyncPolicy.photoPatience))
        #expect(decide(on: .metered, blobs: 1, age: SyncPolicy.photoPatience) == .now)
        #expect(decide(on: .constrained, blobs: 1, age: SyncPolicy.photoPatience) == .whenNetworkChanges)
    }

    @Test func aReportGoesAheadOfItsPhotos() {
        func wait(_ network: NetworkKind, blobs: UInt64 = 1, age: Millis = 60_000) -> Bool {
            SyncPolicy().photosWait(network, unsent: Unsent(ops: 1, chunks: 0, blobs: blobs, oldestMs: now - age), now: now)
        }
        #expect(wait(.metered) && wait(.constrained))
        #expect(!wait(.free) && !wait(.metered, blobs: 0))
        #expect(!wait(.metered, age: SyncPolicy.photoPatience))
        #expect(!wait(.metered, age: -86_400_000), "a clock set back keeps none for ever")
        #expect(wait(.constrained, age: SyncPolicy.photoPatience), "who saves data is asked first")
    }

    @Test func theUserDecidesOverAll() {
        #expect(decide(.byHand, on: .none) == .now)
        #expect(decide(.byHand, on: .constrained, blobs: 1, failures: failed(5)) == .now)
    }

    @Test func withNothingToSendItLooksNowAndThen() {
        #expect(decide(on: .free, contact: nil) == .now)
        #expect(decide(on: .free, contact: 60_000) == .at(now - 60_000 + SyncPolicy.lookEvery))
        #expect(decide(on: .metered, contact: SyncPolicy.lookEvery) == .now)
        #expect(decide(on: .constrained, contact: SyncPolicy.lookEvery) == .whenNetworkChanges)
    }

    @Test func failuresWaitLongerAndLongerButNeverForEver() {
        #expect(decide(on: .free, ops: 1, failures: failed(1)) == .at(now + 5_000))
        #expect(decide(on: .free, ops: 1, failures: failed(3)) == .at(now + 20_000))
        #expect(decide(on: .free, ops: 1, failures: failed(60)) == .at(now + SyncPolicy.longestBackoff))
        #expect(decide(on: .free, ops: 1, failures: failed(3), chance: 0.5) == .at(now + 10_000))
        #expect(decide(on: .free, ops: 1, failures: failed(3, ago: 20_000)) == .now)
        #expect(decide(on: .free, ops: 1, failures: failed(1, retryAfter: 90_000), chance: 0) == .at(now + 90_000))
    }

    @Test func aClockSetBackSilencesNobody() {
        #expect(decide(on: .free, ops: 1, failures: failed(9, ago: -86_400_000)) == .now)
        #expect(decide(on: .free, contact: -86_400_000) == .now)
        #expect(decide(on: .metered, blobs: 1, age: -86_400_000) == .now)
    }
}
