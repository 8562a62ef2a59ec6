/// The languages of the house.
public enum Language: String, Sendable, CaseIterable {
    case zh, en

    /// The first of these language tags that is one of ours; Chinese where none is.
    ///
    /// - Parameter tags: BCP 47 tags in the user's order, such as `zh-Hans-CN`.
    public static func preferred(among tags: [String]) -> Language {
        for tag in tags {
            let primary = tag.prefix { $0 != "-" && $0 != "_" }
            if let language = Language(rawValue: primary.lowercased()) { return language }
        }
        return .zh
    }
}

/// Every text that a user reads, in one language.
///
/// The texts themselves come from `bindings/strings/strings.json`, the one
/// source for both phones: `ios/generate` makes a property of each key, a
/// function where the text has placeholders. So a text that does not exist, or
/// one that lacks a value, does not compile.
public struct Texts: Sendable, Equatable {
    public let language: Language

    public init(_ language: Language) {
        self.language = language
    }

    struct Pair: Sendable, Equatable {
        let zh: String
        let en: String

        subscript(language: Language) -> String { language == .zh ? zh : en }
    }

    /// The text under a key that was put together at run time (an error's code,
    /// a state's name), or nothing where there is none.
    public func known(_ key: String, _ values: [String: String] = [:]) -> String? {
        Self.table[key].map { spaced(fill($0[language], values)) }
    }

    func text(_ key: String, _ values: [String: String] = [:]) -> String {
        known(key, values) ?? key
    }

    /// Puts the values in the places of `{name}`, in one pass over the text: a
    /// value that looks like a placeholder (a user's own words) is never filled
    /// in turn.
    private func fill(_ text: String, _ values: [String: String]) -> String {
        var filled = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let name = String(rest[rest.index(after: open)..<close])
            filled += rest[..<open]
            filled += values[name] ?? String(rest[open...close])
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }
}
