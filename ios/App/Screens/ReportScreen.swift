import GridwalkKit
import SwiftUI
import UIKit

/// One tap for the kind, one for the photo, a few words, save.
struct ReportScreen: View {
    @Environment(\.words) private var words
    @State private var takesPhoto = false
    let model: ReportModel

    var body: some View {
        NavigationStack {
            Page {
                switch model.state {
                case .loading: Waiting()
                case .failed(let problem): Failed(problem: problem) { await model.open() }
                case .ready(let ready): form(ready)
                }
            }
            .navigationTitle(words.texts.reportTitle)
            .navigationBarTitleDisplayMode(.inline)
            .toolbar {
                ToolbarItem(placement: .cancellationAction) {
                    Button(words.texts.commonBack, systemImage: "chevron.backward") { model.back() }
                }
            }
            .safeAreaInset(edge: .bottom) { bottom }
            .confirmationDialog(words.texts.reportDiscardAsk, isPresented: asksToDiscard, titleVisibility: .visible) {
                Button(words.texts.reportDiscard, role: .destructive) { model.discard() }
                Button(words.texts.commonCancel, role: .cancel) { model.keep() }
            }
            .fullScreenCover(isPresented: $takesPhoto) {
                Camera { photo in
                    takesPhoto = false
                    if let photo { model.took(photo) }
                }
                .ignoresSafeArea()
            }
        }
        .interactiveDismissDisabled()
        .task { await model.open() }
    }

    private var ready: ReportState.Ready? {
        if case .ready(let ready) = model.state { ready } else { nil }
    }

    private var asksToDiscard: Binding<Bool> {
        Binding(get: { ready?.asksToDiscard ?? false }, set: { if !$0 { model.keep() } })
    }

    @ViewBuilder
    private func form(_ ready: ReportState.Ready) -> some View {
        let texts = words.texts
        Text(texts.reportCategory).type(.title).ink(Look.ink).accessibilityAddTraits(.isHeader)
        LazyVGrid(columns: [GridItem(.adaptive(minimum: 148), spacing: 8)], spacing: 8) {
            ForEach(ready.categories) { category in
                CategoryTile(category: category, isChosen: category.code == ready.category) { model.choose(category: category.code) }
            }
        }
        photo(ready)
        TextField(
            texts.reportWords, text: Binding(get: { ready.words }, set: model.type), prompt: Text(texts.reportWordsHint), axis: .vertical
        )
        .type(.body)
        .lineLimit(3...8)
        .padding(12)
        .overlay { RoundedRectangle(cornerRadius: Look.radiusControl).strokeBorder(Look.muted.color) }
        place(ready.place)
    }

    @ViewBuilder
    private func photo(_ ready: ReportState.Ready) -> some View {
        let texts = words.texts
        if let bytes = ready.photo, let image = UIImage(data: bytes) {
            Image(uiImage: image).resizable().scaledToFit().frame(maxHeight: 240)
                .clipShape(.rect(cornerRadius: Look.radiusCard))
                .accessibilityLabel(texts.reportPhotoTaken)
            SideBySide {
                PlainButton(text: texts.reportPhotoAgain, symbol: "camera") { takesPhoto = true }
                PlainButton(text: texts.reportPhotoRemove, symbol: "trash") { model.removePhoto() }
            }
        } else if Camera.isThere {
            PlainButton(text: texts.reportPhoto, symbol: "camera") { takesPhoto = true }
        } else {
            Muted(text: texts.reportCameraMissing)
        }
    }

    @ViewBuilder
    private func place(_ place: PlaceState) -> some View {
        switch place {
        case .finding: Muted(text: words.texts.patrolLocating)
        case .unknown: StateWord(text: words.texts.reportPlaceUnknown, symbol: "location.slash", tint: Look.waiting)
        case .known(_, let accuracy):
            StateWord(text: words.texts.reportPlace(distance: distanceText(metres: accuracy)), symbol: "location", tint: Look.muted)
        }
    }

    @ViewBuilder
    private var bottom: some View {
        if let ready {
            let texts = words.texts
            VStack(spacing: 12) {
                ProblemNotice(problem: ready.problem)
                BigButton(
                    text: ready.saving ? texts.reportSaving : ready.category == nil ? texts.reportNeedsCategory : texts.reportSave,
                    symbol: ready.canSave ? "checkmark" : nil, isBusy: ready.saving
                ) { await model.save() }
                .disabled(!ready.canSave)
            }
            .padding(16)
            .background(Look.surface.color)
        }
    }
}

/// A category to choose: icon, word and colour.
private struct CategoryTile: View {
    @Environment(\.words) private var words
    let category: CategoryName
    let isChosen: Bool
    let onChoose: @MainActor () -> Void

    var body: some View {
        let look = CategoryLook(category.code)
        Button(action: onChoose) {
            Label(words.texts.either(zh: category.zh, en: category.en), systemImage: look.symbol)
                .type(.body)
                .frame(maxWidth: .infinity, minHeight: 64, alignment: .leading)
                .padding(.horizontal, 12)
                .foregroundStyle(isChosen ? Look.onColor.color : look.tint.color)
                .background(isChosen ? look.tint.color : Look.surface.color, in: .rect(cornerRadius: Look.radiusCard))
                .overlay { RoundedRectangle(cornerRadius: Look.radiusCard).strokeBorder(isChosen ? look.tint.color : Look.line.color) }
        }
        .buttonStyle(.plain)
        .accessibilityAddTraits(isChosen ? .isSelected : [])
    }
}
