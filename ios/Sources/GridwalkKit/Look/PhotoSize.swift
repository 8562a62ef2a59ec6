/// How large a photo leaves the phone: enough to read a sign across a street,
/// some 400 KB on a line that comes and goes.
public enum PhotoSize {
    static let longestSide = 2048.0
    /// Of JPEG, 0 to 1.
    public static let quality = 0.8

    /// The size to draw a photo at; never larger than it is.
    public static func fitted(width: Double, height: Double) -> (width: Double, height: Double) {
        let longest = max(width, height)
        guard longest > longestSide else { return (width, height) }
        let scale = longestSide / longest
        return (max(1, (width * scale).rounded()), max(1, (height * scale).rounded()))
    }
}
