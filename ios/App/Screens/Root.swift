import GridwalkKit
import SwiftUI

/// Which screen is seen.
struct Root: View {
    @Environment(\.words) private var words
    let app: AppModel

    var body: some View {
        switch app.state {
        case .opening: Waiting()
        case .failed(let problem): Failed(problem: problem) { await app.open() }
        case .enrolment: if let model = app.enrolment { EnrolmentScreen(model: model) }
        case .ready: Frame(app: app).task { await ticks() }
        }
    }

    /// Ages in words grow while somebody looks.
    private func ticks() async {
        while (try? await Task.sleep(for: .seconds(30))) != nil { app.tick() }
    }
}

/// What stands around every tab: the tabs, and the big action at the thumb.
struct Frame: View {
    @Environment(\.words) private var words
    @Environment(\.dynamicTypeSize) private var size
    @Bindable var app: AppModel

    var body: some View {
        let texts = words.texts
        TabView(selection: $app.tab) {
            tab(.today, texts.tabToday, "sun.max") { if let model = app.today { TodayScreen(model: model, app: app) } }
            tab(.patrol, texts.tabPatrol, "point.topleft.down.to.point.bottomright.curvepath") {
                if let model = app.patrol { PatrolScreen(model: model) }
            }
            tab(.incidents, texts.tabIncidents, "list.bullet.clipboard") { if let model = app.incidents { IncidentsScreen(model: model) } }
        }
        .fullScreenCover(isPresented: .constant(app.report != nil)) {
            if let model = app.report { ReportScreen(model: model) }
        }
        .fullScreenCover(isPresented: .constant(app.enrolment != nil)) {
            if let model = app.enrolment { EnrolmentScreen(model: model) { app.cancelEnrolment() } }
        }
    }

    private func tab(_ tab: MainTab, _ title: String, _ symbol: String, @ViewBuilder content: () -> some View) -> some View {
        content()
            .safeAreaInset(edge: .bottom, spacing: 0) { thumb }
            .tabItem { Label(title, systemImage: symbol) }
            .tag(tab)
    }

    /// What is on this phone only. Today says it itself, unless the type is so
    /// large that its panel is out of sight.
    private var unsent: String? {
        guard app.tab != .today || size.isAccessibilitySize, case .ready(let today)? = app.today?.state, today.unsent.count > 0 else {
            return nil
        }
        return today.unsent.line(words.texts, words.times, now: today.now)
    }

    private var thumb: some View {
        VStack(spacing: 12) {
            if app.saved {
                Notice(
                    text: words.texts.reportSaved, symbol: "checkmark.circle.fill", tint: Look.done, action: words.texts.commonClose,
                    onAction: { app.savedSeen() }
                )
                .onAppear { AccessibilityNotification.Announcement(words.texts.reportSaved).post() }
            }
            if let unsent { StateWord(text: unsent, symbol: "clock", tint: Look.waiting) }
            switch app.mainAction {
            case .startShift: BigButton(text: words.texts.shiftStart, symbol: "briefcase") { await app.act() }
            case .report: BigButton(text: words.texts.reportAction, symbol: "plus.circle") { await app.act() }
            }
        }
        .padding(.horizontal, 16)
        .padding(.vertical, 12)
        .background(Look.surface.color)
        .overlay(alignment: .top) { Rectangle().fill(Look.line.color).frame(height: 1) }
    }
}
