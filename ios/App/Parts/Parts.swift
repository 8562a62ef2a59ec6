import GridwalkKit
import SwiftUI

/// A card: a line around it and no shadow.
struct Panel<Content: View>: View {
    @ViewBuilder let content: Content

    var body: some View {
        VStack(alignment: .leading, spacing: 8) { content }
            .frame(maxWidth: .infinity, alignment: .leading)
            .padding(16)
            .background(Look.surface.color, in: .rect(cornerRadius: Look.radiusCard))
            .overlay { RoundedRectangle(cornerRadius: Look.radiusCard).strokeBorder(Look.line.color) }
    }
}

/// A state: always shape, word and colour together.
struct StateWord: View {
    let text: String
    let symbol: String
    let tint: Look.Tint

    var body: some View {
        Label(text, systemImage: symbol).type(.body).fontWeight(.semibold).ink(tint)
    }
}

/// Muted words that explain the line above them.
struct Muted: View {
    let text: String

    var body: some View { Text(text).type(.small).ink(Look.muted) }
}

/// A number and what it is.
struct Figure: View {
    let label: String
    let value: String

    var body: some View {
        VStack(alignment: .leading, spacing: 0) {
            Text(label).type(.small).ink(Look.muted)
            Text(value).type(.figure).monospacedDigit().ink(Look.ink)
        }
        .frame(maxWidth: .infinity, alignment: .leading)
        .accessibilityElement(children: .combine)
    }
}

/// Side by side; below each other where the type is large.
struct SideBySide<Content: View>: View {
    @Environment(\.dynamicTypeSize) private var size
    @ViewBuilder let content: Content

    var body: some View {
        let layout =
            size.isAccessibilitySize ? AnyLayout(VStackLayout(alignment: .leading, spacing: 12)) : AnyLayout(HStackLayout(spacing: 12))
        layout { content }
    }
}

/// The main action of a screen: high enough for a thumb in a glove.
struct BigButton: View {
    let text: String
    var symbol: String?
    var isBusy = false
    let action: @MainActor () async -> Void

    var body: some View {
        Button {
            Task { await action() }
        } label: {
            HStack(spacing: 12) {
                if isBusy { ProgressView() } else if let symbol { Image(systemName: symbol) }
                Text(text).multilineTextAlignment(.center)
            }
            .type(.title)
            .frame(maxWidth: .infinity, minHeight: Look.sizeAction)
        }
        .buttonStyle(.borderedProminent)
        .buttonBorderShape(.roundedRectangle(radius: Look.radiusCard))
        .disabled(isBusy)
    }
}

/// Another action: a line around it.
struct PlainButton: View {
    let text: String
    var symbol: String?
    let action: @MainActor () async -> Void

    var body: some View {
        Button {
            Task { await action() }
        } label: {
            HStack(spacing: 8) {
                if let symbol { Image(systemName: symbol) }
                Text(text).multilineTextAlignment(.center)
            }
            .type(.body)
            .frame(maxWidth: .infinity, minHeight: Look.sizeTarget)
        }
        .buttonStyle(.bordered)
        .buttonBorderShape(.roundedRectangle(radius: Look.radiusControl))
    }
}

/// Something to know, and where there is one, what to do about it.
struct Notice: View {
    let text: String
    let symbol: String
    let tint: Look.Tint
    var action: String?
    var onAction: @MainActor () async -> Void = {}

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Label(text, systemImage: symbol).type(.body).ink(tint)
            if let action { PlainButton(text: action, action: onAction) }
        }
        .frame(maxWidth: .infinity, alignment: .leading)
        .padding(12)
        .overlay { RoundedRectangle(cornerRadius: Look.radiusCard).strokeBorder(tint.color) }
        .accessibilityElement(children: .contain)
    }
}

/// What went wrong with the last thing that was tried.
struct ProblemNotice: View {
    @Environment(\.words) private var words
    let problem: Problem?

    var body: some View {
        if let problem { Notice(text: problem.text(words.texts), symbol: "exclamationmark.triangle", tint: Look.overdue) }
    }
}

/// Nothing here, or nothing can be shown: a shape, a sentence, and a next step.
struct Blank: View {
    let symbol: String
    let title: String
    let note: String
    var tint = Look.muted
    var action: String?
    var onAction: @MainActor () async -> Void = {}

    var body: some View {
        VStack(spacing: 12) {
            Image(systemName: symbol).font(.system(size: 56)).ink(tint).accessibilityHidden(true)
            Text(title).type(.title).ink(Look.ink)
            Text(note).type(.body).ink(Look.muted)
            if let action { BigButton(text: action, action: onAction) }
        }
        .multilineTextAlignment(.center)
        .frame(maxWidth: .infinity)
        .padding(.vertical, 40)
    }
}

/// A screen that could not be filled.
struct Failed: View {
    @Environment(\.words) private var words
    let problem: Problem
    let onRetry: @MainActor () async -> Void

    var body: some View {
        let texts = words.texts
        Blank(
            symbol: "exclamationmark.triangle", title: texts.commonFailed, note: problem.text(texts), tint: Look.overdue,
            action: texts.commonRetry, onAction: onRetry)
    }
}

/// While the data is being opened: a word says what happens.
struct Waiting: View {
    @Environment(\.words) private var words

    var body: some View {
        ProgressView { Text(words.texts.commonLoading).type(.body).ink(Look.muted) }
            .frame(maxWidth: .infinity)
            .padding(.vertical, 64)
    }
}

/// A page's content: scrolls, so that no word is cut at any size of type.
struct Page<Content: View>: View {
    @ViewBuilder let content: Content

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 12) { content }.padding(16)
        }
        .background(Look.ground.color)
        .scrollBounceBehavior(.basedOnSize)
    }
}
