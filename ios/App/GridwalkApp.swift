import GridwalkKit
import SwiftUI
import UIKit

@main
struct GridwalkApp: App {
    @UIApplicationDelegateAdaptor(Launch.self) private var launch
    @Environment(\.scenePhase) private var phase

    var body: some Scene {
        WindowGroup {
            Root(app: launch.app)
                .environment(\.words, Words.ofThePhone)
                .tint(Look.primary.color)
                .onOpenURL { launch.app.opened($0) }
                .task { await launch.app.open() }
        }
        .onChange(of: phase) { _, now in
            switch now {
            case .active: launch.cameToFront()
            case .background: launch.wentToBackground()
            default: break
            }
        }
    }
}

/// What happens at the start, before there is a window, and at its edges.
@MainActor
final class Launch: NSObject, UIApplicationDelegate {
    let app = AppModel(.real, haptics: PhoneHaptics(), texts: Words.ofThePhone.texts)
    private lazy var background = BackgroundSync(app)

    func application(_: UIApplication, didFinishLaunchingWithOptions _: [UIApplication.LaunchOptionsKey: Any]? = nil) -> Bool {
        background.register()
        // The system starts a killed app again when positions come for a patrol
        // that runs: the recorder goes on with no window.
        Task { await app.open() }
        return true
    }

    func cameToFront() {
        Task {
            await app.open()
            await app.cameToFront()
        }
    }

    /// The file is closed before the system suspends the app, unless it records:
    /// then the app is not suspended.
    func wentToBackground() {
        background.schedule()
        guard app.mayClose else { return }
        let time = BackgroundTime()
        Task {
            // Somebody may have come back meanwhile.
            if UIApplication.shared.applicationState == .background { await app.close() }
            time.end()
        }
    }
}

/// A little time that the system gives to finish what was begun in sight.
@MainActor
private final class BackgroundTime {
    private var token = UIBackgroundTaskIdentifier.invalid

    init() {
        token = UIApplication.shared.beginBackgroundTask { [weak self] in self?.end() }
    }

    func end() {
        UIApplication.shared.endBackgroundTask(token)
        token = .invalid
    }
}
