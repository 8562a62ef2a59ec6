import Foundation

// Distances, sizes and counts. The units m, km, B, KB and MB are the same in
// both languages.

private func oneDecimal(_ value: Double) -> String {
    String(format: "%.1f", locale: Locale(identifier: "en_US_POSIX"), value)
}

/// Metres in words: `430 m`, `3.2 km`, `128 km`.
public func distanceText(metres: Double) -> String {
    guard metres.isFinite else { return "–" }
    if metres < 999.5 { return withUnit(String(Int(max(0, metres).rounded())), "m") }
    let km = metres / 1000
    return withUnit(km < 99.95 ? oneDecimal(km) : countText(Int(km.rounded())), "km")
}

/// A size in words, in steps of 1024: `512 B`, `38 KB`, `4.2 MB`.
public func bytesText(_ count: UInt64) -> String {
    if count < 1024 { return withUnit(String(count), "B") }
    let kib = Double(count) / 1024
    return kib < 1023.5 ? withUnit(String(Int(kib.rounded())), "KB") : withUnit(oneDecimal(kib / 1024), "MB")
}

/// A whole number, with a narrow space each three digits from five digits on.
public func countText(_ value: Int) -> String {
    let digits = String(value.magnitude)
    guard digits.count >= 5 else { return String(value) }
    var out = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index).isMultiple(of: 3) { out.unicodeScalars.append(narrowSpace) }
        out.append(digit)
    }
    return (value < 0 ? "-" : "") + out
}

/// A position in degrees to five places, about a metre.
public func positionText(lat: Double, lon: Double) -> String {
    let posix = Locale(identifier: "en_US_POSIX")
    return String(format: "%.5f, %.5f", locale: posix, lat, lon)
}
