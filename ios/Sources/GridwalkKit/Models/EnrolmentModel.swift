import Foundation
import GridwalkFFI
import Observation

/// What the enrolment screen shows.
public struct EnrolmentState: Sendable, Equatable {
    /// What was typed, or the whole text of the QR code.
    public var code = ""
    /// The server's address, asked for only where the code does not carry it.
    public var server = ""
    /// The code came from a QR code and names its server itself.
    public var scanned = false
    public var working = false
    public var problem: Problem?
    /// What people who left this phone have not sent yet.
    public var left: UInt64 = 0

    public var canEnrol: Bool {
        let blank = { (text: String) in text.allSatisfy(\.isWhitespace) }
        return !working && !blank(code) && (scanned || !blank(server))
    }
}

/// The phone belongs to nobody, or the server knows it no more: a code makes it a gridworker's.
@MainActor @Observable public final class EnrolmentModel {
    public private(set) var state = EnrolmentState()

    private let gridwalk: any Gridwalk
    private let enrolled: @MainActor (Identity) -> Void

    public init(_ gridwalk: any Gridwalk, enrolled: @escaping @MainActor (Identity) -> Void) {
        self.gridwalk = gridwalk
        self.enrolled = enrolled
    }

    func show(_ everything: Everything) { state.left = everything.status.leftUnsent }

    /// The text of an invitation that carries its server.
    public static func isInvitation(_ text: String) -> Bool {
        text.trimmingCharacters(in: .whitespacesAndNewlines).lowercased().hasPrefix("gridwalk://enrol")
    }

    public func type(code: String) {
        state.code = code
        state.scanned = Self.isInvitation(code)
        state.problem = nil
    }

    public func type(server: String) {
        state.server = server
        state.problem = nil
    }

    /// The system's camera read a QR code and gave us its link. Nothing is sent
    /// before the worker has seen it.
    public func opened(_ link: URL) {
        guard Self.isInvitation(link.absoluteString) else {
            state.problem = Problem("error_link_unreadable")
            return
        }
        type(code: link.absoluteString)
    }

    public func enrol() async {
        guard state.canEnrol else { return }
        state.working = true
        state.problem = nil
        defer { state.working = false }
        let code = state.code.trimmingCharacters(in: .whitespacesAndNewlines)
        let server = state.server.trimmingCharacters(in: .whitespacesAndNewlines)
        do {
            enrolled(try await gridwalk.enrol(code, server: state.scanned ? nil : server))
        } catch {
            state.problem = Problem(error)
        }
    }
}
