import GridwalkKit
import SwiftUI

extension Look.Tint {
    /// The colour of the present surroundings, light or dark.
    var color: Color {
        Color(
            uiColor: UIColor { traits in
                let (red, green, blue) = Look.components(value(dark: traits.userInterfaceStyle == .dark))
                return UIColor(red: red, green: green, blue: blue, alpha: 1)
            })
    }
}

/// The four sizes of type; each grows with the size that the user chose.
enum TypeRole {
    case small, body, title, figure

    var size: Double {
        switch self {
        case .small: Look.typeSmall
        case .body: Look.typeBody
        case .title: Look.typeTitle
        case .figure: Look.typeFigure
        }
    }

    var grows: Font.TextStyle {
        switch self {
        case .small: .subheadline
        case .body: .body
        case .title: .title2
        case .figure: .largeTitle
        }
    }

    var weight: Font.Weight { self == .small || self == .body ? .regular : .semibold }
}

private struct Typed: ViewModifier {
    private let role: TypeRole
    @ScaledMetric private var size: Double

    init(_ role: TypeRole) {
        self.role = role
        _size = ScaledMetric(wrappedValue: role.size, relativeTo: role.grows)
    }

    func body(content: Content) -> some View {
        // The system's line is 1.2 high; Chinese wants 1.5.
        content.font(.system(size: size, weight: role.weight)).lineSpacing(size * 0.3)
    }
}

extension View {
    func type(_ role: TypeRole) -> some View { modifier(Typed(role)) }
    func ink(_ tint: Look.Tint) -> some View { foregroundStyle(tint.color) }
}

/// What the screens say: the texts and the times of one language.
struct Words {
    let texts: Texts
    let times: Times

    init(_ language: Language) {
        texts = Texts(language)
        times = Times(texts)
    }

    /// The language that the user chose for this app, else for the phone.
    static let ofThePhone = Words(.preferred(among: Bundle.main.preferredLocalizations + Locale.preferredLanguages))
}

extension EnvironmentValues {
    private struct Key: EnvironmentKey {
        static let defaultValue = Words(.zh)
    }

    var words: Words {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
