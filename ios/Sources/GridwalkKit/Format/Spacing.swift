// Spacing of Chinese text: a thin space where Chinese meets Latin letters or
// digits, and one that does not break between a number and its unit. The page
// and the Android app do the same.

/// Between Chinese and Latin; a line may break there.
let thinSpace: Unicode.Scalar = "\u{2009}"
/// Between a number and its unit; a line may not break there.
let narrowSpace: Unicode.Scalar = "\u{202F}"

private func isHan(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3005, 0x3007, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: true
    default: false
    }
}

private func isLatin(_ scalar: Unicode.Scalar) -> Bool {
    ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar)
}

private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

/// The text with thin spaces where Chinese and Latin letters or digits meet.
/// A second time changes nothing.
public func spaced(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
        if let previous {
            if isHan(previous), isLatin(scalar) || isDigit(scalar) {
                out.append(thinSpace)
            } else if isHan(scalar), isLatin(previous) {
                out.append(thinSpace)
            } else if isHan(scalar), isDigit(previous) || previous == "%" {
                out.append(narrowSpace)
            }
        }
        out.append(scalar)
        previous = scalar
    }
    return String(out)
}

/// A number and its unit, kept on one line.
func withUnit(_ number: String, _ unit: String) -> String {
    "\(number)\(narrowSpace)\(unit)"
}
