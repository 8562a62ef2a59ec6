import GridwalkFFI

extension Texts {
    /// Why a route is interrupted.
    public func gap(_ cause: GapCause) -> String {
        switch cause {
        case .paused: gapPaused
        case .appKilled: gapAppKilled
        case .permissionOff: gapPermissionOff
        case .locationOff: gapLocationOff
        case .batteryLow: gapBatteryLow
        case .phoneOff: gapPhoneOff
        case .noSignal: gapNoSignal
        case .unknown: gapUnknown
        }
    }

    /// Why a patrol that runs records no route.
    public func trouble(_ trouble: PatrolRecorder.Trouble) -> String {
        switch trouble {
        case .permissionOff: permissionLocationOff
        case .locationOff: locationOff
        case .reduced: permissionLocationReduced
        case .noSignal: gapNoSignal
        case .notSaved(let problem): problem.text(self)
        }
    }

    /// What a refused record waits for.
    public func advice(_ advice: Advice) -> String {
        switch advice {
        case .askSupervisor: adviceAskSupervisor
        case .waitForReview: adviceWaitForReview
        case .upgrade: adviceUpgrade
        case .retriedDaily: adviceRetriedDaily
        }
    }

    /// A name that comes in both languages, as the catalogue's do.
    public func either(zh: String, en: String) -> String {
        spaced(language == .zh ? zh : en)
    }

    /// A state of an incident's life; one that came after this app is shown as it is.
    public func status(_ wire: String) -> String {
        known("status_\(wire)") ?? wire
    }
}

/// How an incident's state looks: always shape, word and colour together.
public struct StatusLook: Sendable, Equatable {
    /// The name of an SF Symbol.
    public let symbol: String
    public let tint: Look.Tint

    public init(_ wire: String) {
        (symbol, tint) =
            switch wire {
            case "reported": ("circle", Look.primary)
            case "escalated": ("arrow.up.circle", Look.primary)
            case "accepted", "dispatched": ("circle.lefthalf.filled", Look.primary)
            case "in_progress": ("circle.dotted", Look.primary)
            case "handled_on_site", "resolved", "verified": ("checkmark.circle", Look.done)
            case "closed": ("checkmark.circle.fill", Look.done)
            case "rejected": ("xmark.circle", Look.muted)
            default: ("circle", Look.muted)
            }
    }
}

/// How a category looks: always icon, word and colour together.
public struct CategoryLook: Sendable, Equatable {
    /// The name of an SF Symbol.
    public let symbol: String
    public let tint: Look.Tint

    public init(_ code: String) {
        tint = Look.tint(category: code)
        symbol =
            switch code {
            case "hygiene": "trash"
            case "fire_safety": "flame"
            case "public_order": "shield"
            case "family_dispute": "person.2"
            default: "ellipsis.circle"
            }
    }
}
