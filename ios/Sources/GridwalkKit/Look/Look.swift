/// The look of the app: colours, spaces and sizes of the house.
///
/// The values come from `sync-server/web/tokens.json`, which the page and both
/// phones share; `ios/generate` writes them here as constants.
public enum Look {
    /// A colour for light and for dark surroundings.
    public struct Tint: Sendable, Hashable {
        /// `0xRRGGBB`.
        public let light: UInt32
        /// `0xRRGGBB`.
        public let dark: UInt32

        public func value(dark isDark: Bool) -> UInt32 { isDark ? dark : light }
    }

    /// Red, green and blue of `0xRRGGBB`, each 0 to 1.
    public static func components(_ rgb: UInt32) -> (red: Double, green: Double, blue: Double) {
        let part = { (shift: UInt32) in Double((rgb >> shift) & 0xFF) / 255 }
        return (part(16), part(8), part(0))
    }

    /// A category's colour; what a newer catalogue brings and this app does not
    /// know is drawn as "other".
    public static func tint(category code: String) -> Tint {
        tints[code.replacing("_", with: "-")] ?? other
    }
}
