//! Text as it is searched for: the same on phone and server.
//!
//! Chinese has no word boundaries, so a search is for substrings. Both sides
//! are folded first: full-width letters, digits and signs as input methods
//! make them (GB 18030's double-byte ones, U+FF01 to U+FF5E) become plain,
//! letters small, and blanks one space.

/// Folds a text for searching.
#[must_use]
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(|c| plain(c).to_lowercase()) {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether every word of a query is somewhere in a text; an empty query is in
/// every text. Both are [`folded`].
#[must_use]
pub fn matches(text: &str, query: &str) -> bool {
    query.split(' ').all(|word| text.contains(word))
}

/// The plain form of a full-width character.
fn plain(c: char) -> char {
    const SHIFT: u32 = '！' as u32 - '!' as u32;
    match c {
        '！'..='～' => char::from_u32(c as u32 - SHIFT).unwrap_or(c),
        // Ideographic full stop and comma as some keyboards give them.
        '｡' => '。',
        '､' => '、',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_alike_is_found() {
        let text = folded("三楼　楼道 堆放杂物，ＡＢ座１２号\nTel ０５３９");
        assert_eq!(text, "三楼 楼道 堆放杂物,ab座12号 tel 0539");
        for query in [
            "楼道",
            "堆放",
            "道 堆",
            "12号",
            "AB座",
            "ｔｅｌ",
            "0539 三楼",
            "  ",
            "，",
        ] {
            assert!(matches(&text, &folded(query)), "{query}");
        }
        for query in ["楼梯", "堆放 垃圾", "13号"] {
            assert!(!matches(&text, &folded(query)), "{query}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            prop_assert_eq!(folded(&folded(&text)), folded(&text));
        }

        #[test]
        fn every_part_of_a_text_is_found_in_it(text in "[ａ-ｚ a-zA-Z0-9楼道堆]{1,30}", from in 0_usize..30, length in 1_usize..10) {
            let part: String = text.chars().skip(from).take(length).collect();
            prop_assert!(matches(&folded(&text), &folded(&part)));
        }
    }
}
