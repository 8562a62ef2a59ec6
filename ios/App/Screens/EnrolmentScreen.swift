import GridwalkKit
import SwiftUI

/// The phone belongs to nobody, or the server knows it no more: a code makes it a gridworker's. The QR code
/// is read by the system's camera, which opens our link.
struct EnrolmentScreen: View {
    @Environment(\.words) private var words
    let model: EnrolmentModel
    /// Where there is something to go back to.
    var onBack: (@MainActor () -> Void)?

    var body: some View {
        let texts = words.texts
        let state = model.state
        Page {
            Label(texts.enrolTitle, systemImage: "qrcode").type(.figure).ink(Look.ink).accessibilityAddTraits(.isHeader)
            Text(texts.enrolIntro).type(.body).ink(Look.ink)
            if state.left > 0 {
                StateWord(text: texts.enrolLeft(count: countText(Int(state.left))), symbol: "clock", tint: Look.waiting)
            }
            if state.scanned { Notice(text: texts.enrolScanned, symbol: "checkmark.circle.fill", tint: Look.done) }
            Field(label: texts.enrolCode, text: Binding(get: { state.code }, set: model.type(code:)), keyboard: .asciiCapable)
            if !state.scanned {
                Field(label: texts.enrolServer, text: Binding(get: { state.server }, set: model.type(server:)), keyboard: .URL)
            }
        }
        .disabled(state.working)
        .safeAreaInset(edge: .bottom) {
            VStack(spacing: 12) {
                ProblemNotice(problem: state.problem)
                BigButton(text: state.working ? texts.enrolWorking : texts.enrolAction, symbol: "person.badge.key", isBusy: state.working) {
                    await model.enrol()
                }
                .disabled(!state.canEnrol)
                if let onBack { PlainButton(text: texts.commonBack, symbol: "chevron.backward") { onBack() } }
            }
            .padding(16)
            .background(Look.surface.color)
        }
    }
}

private struct Field: View {
    let label: String
    @Binding var text: String
    let keyboard: UIKeyboardType

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(label).type(.small).ink(Look.muted).accessibilityHidden(true)
            TextField(label, text: $text, axis: .vertical)
                .type(.body)
                .keyboardType(keyboard)
                .textInputAutocapitalization(.never)
                .autocorrectionDisabled()
                .padding(12)
                .frame(minHeight: Look.sizeTarget)
                .overlay { RoundedRectangle(cornerRadius: Look.radiusControl).strokeBorder(Look.muted.color) }
        }
    }
}
