import Foundation
import Testing

@testable import GridwalkKit

private struct KeptKey: KeyProvider {
    var kept: Data?
    var trouble: KeyTrouble?

    func read() throws -> Data? {
        if let trouble { throw trouble }
        return kept
    }

    func destroy() throws {}

    func make() throws -> Data { Data(repeating: 7, count: 32) }
}

@Suite("The database's key") struct KeyTests {
    @Test func theKeptKeyComesBack() throws {
        let key = Data(repeating: 9, count: 32)
        #expect(try KeptKey(kept: key).databaseKey(fileExists: true) == key)
    }

    @Test func aNewPhoneGetsANewKey() throws {
        #expect(try KeptKey().databaseKey(fileExists: false) == Data(repeating: 7, count: 32))
    }

    @Test func anOldFileNeverGetsANewKey() {
        #expect(throws: KeyTrouble.lost) { try KeptKey().databaseKey(fileExists: true) }
        #expect(throws: KeyTrouble.lost) { try KeptKey(kept: Data([1])).databaseKey(fileExists: true) }
    }

    @Test func aLockedPhoneWaits() {
        let locked = KeptKey(trouble: .lockedSinceStart)
        #expect(throws: KeyTrouble.lockedSinceStart) { try locked.databaseKey(fileExists: false) }
        #expect(Problem(KeyTrouble.lockedSinceStart).isPassing)
    }
}
