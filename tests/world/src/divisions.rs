//! The official list of towns and communities.

use std::collections::HashSet;

use gridwalk_domain::GridLevel;
use serde::Deserialize;

use crate::WorldError;

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Division {
    /// 6 digits for the district, 9 for a town, 12 for a community.
    pub code: String,
    /// The code of the division it lies in; empty for the district.
    pub parent: String,
    /// Where it stands.
    pub level: GridLevel,
    /// The official name.
    pub name: String,
}

/// Reads the list: a district first, every parent before its children.
///
/// # Errors
///
/// A line that is malformed, comes twice, or names a parent that has not come yet.
pub fn read(csv_text: &str) -> Result<Vec<Division>, WorldError> {
    let mut known = HashSet::new();
    let mut divisions = Vec::new();
    let mut reader = csv::Reader::from_reader(csv_text.as_bytes());
    for (row, line) in reader.deserialize::<Division>().zip(2_u64..) {
        let fault = |problem: String| WorldError::Divisions { line, problem };
        let division = row.map_err(|e| fault(e.to_string()))?;
        let is_root = divisions.is_empty();
        if is_root != (division.level == GridLevel::District) {
            return Err(fault("the list starts with its one district".into()));
        }
        if !is_root && !known.contains(&division.parent) {
            return Err(fault(format!(
                "the parent {} has not come yet",
                division.parent
            )));
        }
        if !known.insert(division.code.clone()) {
            return Err(fault(format!("the code {} comes twice", division.code)));
        }
        divisions.push(division);
    }
    Ok(divisions)
}

/// The name people use: without the words for the committee that governs it.
#[must_use]
pub fn short_name(official: &str) -> &str {
    // One name of the list is cut off before its last character, 会.
    let rest = ["民委员会", "民委员"]
        .iter()
        .find_map(|tail| official.strip_suffix(tail));
    match rest {
        // 前十社区·居民委员会 is 前十社区.
        Some(rest) if rest.ends_with('居') => rest.trim_end_matches('居'),
        // 八里屯村·村民委员会 is 八里屯村, and 东街·村民委员会 is 东街村.
        Some(rest) if rest.ends_with("村村") => rest.strip_suffix('村').unwrap_or(rest),
        Some(rest) if rest.ends_with('村') => rest,
        _ => official,
    }
}

/// A number from 1 to 99 in Chinese numerals, as in 第十二网格.
#[must_use]
pub fn numeral(n: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    match (n / 10, n % 10) {
        (0, ones) => DIGITS[ones].into(),
        (1, ones) => format!("十{}", DIGITS[ones]),
        (tens, ones) => format!("{}十{}", DIGITS[tens % 10], DIGITS[ones]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "code,parent,level,name\n371302,,district,兰山区\n";

    #[test]
    fn a_good_list_is_read_in_its_order() {
        let list = read(&format!("{HEAD}371302001,371302,town,兰山街道\n")).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[1].name, "兰山街道");
    }

    #[test]
    fn a_bad_line_is_named() {
        let text = |line: &str| read(&format!("{HEAD}{line}\n")).unwrap_err().to_string();
        assert!(text("371302001,371399,town,x").contains("line 3: the parent 371399"));
        assert!(text("371302,371302,town,x").contains("comes twice"));
        assert!(text("371302001,371302,hamlet,x").contains("line 3"));
        assert!(text("371303,,district,x").contains("one district"));
    }

    #[test]
    fn names_lose_the_committee_and_nothing_else() {
        assert_eq!(short_name("前十社区居民委员会"), "前十社区");
        assert_eq!(short_name("八里屯村村民委员会"), "八里屯村");
        assert_eq!(short_name("东街村民委员会"), "东街村");
        assert_eq!(short_name("开元社区居民委员"), "开元社区");
        assert_eq!(short_name("义堂镇"), "义堂镇");
    }

    #[test]
    fn numerals_count_as_people_do() {
        let said: Vec<_> = [1, 6, 10, 12, 20, 35].map(numeral).into();
        assert_eq!(said, ["一", "六", "十", "十二", "二十", "三十五"]);
    }
}
