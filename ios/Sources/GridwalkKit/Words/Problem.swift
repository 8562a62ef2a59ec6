import GridwalkFFI

/// Something went wrong: what happened and what to do, in one sentence.
public struct Problem: Sendable, Equatable {
    /// The key of the sentence in ``Texts``.
    let key: String
    /// Whether to try again may help by itself: nothing but time or a network is missing.
    public let isPassing: Bool

    init(_ key: String, isPassing: Bool = false) {
        self.key = key
        self.isPassing = isPassing
    }

    public init(_ error: any Error) {
        self =
            switch error {
            case let engine as EngineError: Problem(engine)
            case let key as KeyTrouble:
                key == .lockedSinceStart ? Problem("error_key_locked", isPassing: true) : Problem("error_key_missing")
            default: Problem("error_internal")
            }
    }

    private init(_ error: EngineError) {
        self =
            switch error {
            case .InUse: Problem("error_in_use")
            case .NoCipher, .WrongKey: Problem("error_key_missing")
            case .Damaged: Problem("error_database_damaged")
            case .TooNew: Problem("error_too_new")
            case .DiskFull: Problem("error_storage_full")
            case .BadInvitation: Problem("error_link_unreadable")
            case .AlreadyEnrolled: Problem("error_enrolled")
            case .EnrolRefused(let code, _): Problem(code == "code_expired" ? "error_code_expired" : "error_code_wrong")
            case .UnknownGrid, .OutOfScope, .ChooseGrid: Problem("error_no_grid")
            case .OtherWorker: Problem("error_other_worker")
            case .Wiped: Problem("error_wiped")
            case .NoShift: Problem("error_off_shift")
            case .PhotoNotTaken: Problem("error_photo_unreadable")
            case .Offline: Problem("error_network", isPassing: true)
            case .Untrusted: Problem("error_server_untrusted")
            case .SignedOut: Problem("error_revoked")
            case .Busy: Problem("error_busy", isPassing: true)
            case .ServerFault(let status, _, _): Problem("error_server_refused", isPassing: status >= 500)
            case .BadAnswer: Problem("error_server_refused", isPassing: true)
            case .Closed, .Storage, .NotEnrolled, .ShiftRunning, .NoPatrol, .PatrolRunning, .PatrolPaused, .PatrolNotPaused, .BadInput,
                .UnknownCategory, .NotFound, .Cancelled, .NoEntropy:
                Problem("error_internal")
            }
    }

    public func text(_ texts: Texts) -> String { texts.text(key) }
}
