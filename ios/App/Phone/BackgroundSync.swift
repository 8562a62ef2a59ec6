import BackgroundTasks
import GridwalkKit
import UIKit

/// The times that the system gives to an app that is not seen: a short one now
/// and then, and a long one on the charger for routes and photos.
@MainActor
struct BackgroundSync {
    /// Both stand in Info.plist under BGTaskSchedulerPermittedIdentifiers.
    private static let short = "org.gridwalk.app.sync"
    private static let long = "org.gridwalk.app.sync.bulk"

    private let app: AppModel

    init(_ app: AppModel) {
        self.app = app
    }

    /// Before the app has finished launching, as the system wants it.
    func register() {
        for name in [Self.short, Self.long] {
            BGTaskScheduler.shared.register(forTaskWithIdentifier: name, using: .main) { task in
                MainActor.assumeIsolated { run(task) }
            }
        }
    }

    /// Asks for the next times. A refusal (the user switched background refresh
    /// off) costs nothing but time: the next start of the app syncs.
    func schedule() {
        let short = BGAppRefreshTaskRequest(identifier: Self.short)
        short.earliestBeginDate = Date(timeIntervalSinceNow: 15 * 60)
        let long = BGProcessingTaskRequest(identifier: Self.long)
        long.requiresNetworkConnectivity = true
        long.requiresExternalPower = true
        for request in [short, long] { try? BGTaskScheduler.shared.submit(request) }
    }

    private func run(_ task: BGTask) {
        schedule()
        let syncing = Task {
            let went = await app.syncInBackground()
            if UIApplication.shared.applicationState == .background, app.mayClose { await app.close() }
            task.setTaskCompleted(success: went)
        }
        task.expirationHandler = { syncing.cancel() }
    }
}
