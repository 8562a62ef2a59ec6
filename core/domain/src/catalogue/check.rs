//! What a catalogue must be before an administrator may put it in force.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalogue, Category, FieldKind, FormField, Limit, Proof, Rules, ShownWhen, Text};
use crate::check as value;
use crate::check::parse_date;
use crate::import::{Fault, Path};
use crate::kind::incident;

type Checked = Result<(), Fault>;

/// The longest name, in characters.
const MOST_NAME: usize = 60;
/// The most entries of any list.
const MOST_ENTRIES: usize = 200;
/// The most characters that a text may be allowed to have.
const MOST_CHARACTERS: u32 = 5_000;
/// The most photos that an answer may be allowed to have.
const MOST_PHOTOS: u32 = 20;

pub(super) fn check(catalogue: &Catalogue) -> Checked {
    let whole = Path::default();
    if catalogue.version == 0 {
        return whole.key("version").fault("versions count from 1");
    }
    for (name, number) in [
        ("reopen_days", catalogue.reopen_days),
        ("on_spot_metres", catalogue.on_spot_metres),
    ] {
        within(&whole.key(name), number, 1..=100_000)?;
    }
    if let Some(near) = catalogue.duplicates {
        let at = whole.key("duplicates");
        within(&at.key("metres"), Some(near.metres), 1..=5_000)?;
        within(&at.key("hours"), Some(near.hours), 1..=8_784)?;
    }
    rules(&whole.key("rules"), &catalogue.rules)?;
    let mut codes = Codes::default();
    let all = whole.key("severities");
    some(&all, catalogue.severities.len())?;
    for (n, severity) in catalogue.severities.iter().enumerate() {
        let at = all.index(n);
        codes.take(&at, "", &severity.code)?;
        text(&at.key("name"), &severity.name)?;
        rules(&at.key("rules"), &severity.rules)?;
    }
    let all = whole.key("categories");
    some(&all, catalogue.categories.len())?;
    for (n, category) in catalogue.categories.iter().enumerate() {
        self::category(&all.index(n), catalogue, category, &mut codes)?;
    }
    Ok(())
}

fn category(at: &Path, catalogue: &Catalogue, category: &Category, codes: &mut Codes) -> Checked {
    codes.take(at, "category", &category.code)?;
    text(&at.key("name"), &category.name)?;
    rules(&at.key("rules"), &category.rules)?;
    form(&at.key("form"), &[], &category.form)?;
    few(&at.key("subs"), category.subs.len())?;
    for (n, sub) in category.subs.iter().enumerate() {
        let at = at.key("subs").index(n);
        codes.take(&at, "sub", &sub.code)?;
        text(&at.key("name"), &sub.name)?;
        rules(&at.key("rules"), &sub.rules)?;
        form(&at.key("form"), &category.form, &sub.form)?;
        if let Some(code) = &sub.severity
            && catalogue.severity(code).is_none()
        {
            return at
                .key("severity")
                .fault(format!("there is no severity {code}"));
        }
        national(&at.key("national"), sub.national.as_deref())?;
    }
    Ok(())
}

/// Codes that were taken, each kind of thing by itself.
#[derive(Default)]
struct Codes(BTreeSet<(&'static str, String)>);

impl Codes {
    fn take(&mut self, at: &Path, what: &'static str, code: &str) -> Checked {
        word(&at.key("code"), code)?;
        if self.0.insert((what, code.to_owned())) {
            return Ok(());
        }
        at.key("code")
            .fault(format!("{code} is there twice; codes must differ"))
    }
}

fn rules(at: &Path, rules: &Rules) -> Checked {
    let ends = [incident::CLOSED, incident::REJECTED];
    for (status, limit) in &rules.limits {
        if !incident::STATUSES.contains(&status.as_str()) || ends.contains(&status.as_str()) {
            let known = incident::STATUSES
                .iter()
                .filter(|known| !ends.contains(known));
            let known: Vec<&str> = known.copied().collect();
            let why = format!(
                "is no status with a limit; expected one of {}",
                known.join(", ")
            );
            return at.key("limits").key(status).fault(why);
        }
        if let Err(bad) = limit.parse::<Limit>() {
            return at.key("limits").key(status).fault(bad.to_string());
        }
    }
    proof(&at.key("proof"), &rules.proof)
}

fn proof(at: &Path, asked: &BTreeMap<String, Vec<Proof>>) -> Checked {
    for (step, proofs) in asked {
        let at = at.key(step);
        if !incident::PROVEN.contains(&step.as_str()) {
            let known = incident::PROVEN.join(", ");
            return at.fault(format!(
                "is no step that proves anything; expected one of {known}"
            ));
        }
        let unknown = proofs.iter().position(|proof| *proof == Proof::Unknown);
        if let Some(n) = unknown {
            return at.index(n).fault("expected note or photo");
        }
    }
    Ok(())
}

/// A form and the questions that stand before it.
fn form(at: &Path, before: &[FormField], form: &[FormField]) -> Checked {
    few(at, before.len() + form.len())?;
    for (n, field) in form.iter().enumerate() {
        let at = at.index(n);
        let earlier = || before.iter().chain(&form[..n]);
        word(&at.key("code"), &field.code)?;
        if earlier().any(|other| other.code == field.code) {
            let why = format!(
                "the question {} is there twice; codes must differ",
                field.code
            );
            return at.key("code").fault(why);
        }
        text(&at.key("name"), &field.name)?;
        if let Some(unit) = &field.unit {
            text(&at.key("unit"), unit)?;
        }
        shape(&at, field)?;
        if let Some(when) = &field.shown_when {
            let other = earlier().find(|other| other.code == when.field);
            shown_when(&at.key("shown_when"), when, other)?;
        }
    }
    Ok(())
}

/// Each kind has words of its own.
fn shape(at: &Path, field: &FormField) -> Checked {
    use FieldKind as K;
    if field.kind == K::Unknown {
        let why = "expected text, number, choice, many, date, place, person, photo or signature";
        return at.key("kind").fault(why);
    }
    let only = |name: &str, said: bool, kinds: &[K]| {
        if !said || kinds.contains(&field.kind) {
            return Ok(());
        }
        at.key(name)
            .fault("means nothing for a question of this kind")
    };
    only("min", field.min.is_some(), &[K::Number])?;
    only("max", field.max.is_some(), &[K::Number])?;
    only("unit", field.unit.is_some(), &[K::Number])?;
    only("most", field.most.is_some(), &[K::Text, K::Photo])?;
    only("from", field.from.is_some(), &[K::Date])?;
    only("choices", !field.choices.is_empty(), &[K::Choice, K::Many])?;
    if field.numbers().is_empty() {
        return at.key("max").fault("is less than the least number");
    }
    let most = if field.kind == K::Photo {
        MOST_PHOTOS
    } else {
        MOST_CHARACTERS
    };
    within(&at.key("most"), field.most, 1..=most)?;
    if let Some(from) = &field.from
        && (parse_date(from).is_none() || field.dates().is_empty())
    {
        return at.key("from").fault("expected a date, as YYYY-MM-DD");
    }
    if matches!(field.kind, K::Choice | K::Many) {
        choices(&at.key("choices"), field)?;
    }
    Ok(())
}

fn choices(at: &Path, field: &FormField) -> Checked {
    some(at, field.choices.len())?;
    let mut codes = Codes::default();
    for (n, choice) in field.choices.iter().enumerate() {
        codes.take(&at.index(n), "choice", &choice.code)?;
        text(&at.index(n).key("name"), &choice.name)?;
    }
    Ok(())
}

fn shown_when(at: &Path, when: &ShownWhen, other: Option<&FormField>) -> Checked {
    let Some(other) = other else {
        let why = format!("there is no question {} before this one", when.field);
        return at.key("field").fault(why);
    };
    for (n, code) in when.is.iter().enumerate() {
        if !other.choices.iter().any(|choice| choice.code == *code) {
            let why = format!("{} has no choice {code}", other.code);
            return at.key("is").index(n).fault(why);
        }
    }
    Ok(())
}

fn text(at: &Path, text: &Text) -> Checked {
    for (language, words) in [("zh", &text.zh), ("en", &text.en)] {
        let length = words.chars().count();
        let plain = !words.chars().any(char::is_control) && !words.trim().is_empty();
        if !plain || length > MOST_NAME {
            let why = format!("expected 1 to {MOST_NAME} characters in one line");
            return at.key(language).fault(why);
        }
    }
    Ok(())
}

fn national(at: &Path, code: Option<&str>) -> Checked {
    let fits = |code: &str| {
        (1..=32).contains(&code.len())
            && code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    };
    match code {
        Some(code) if !fits(code) => at.fault("expected 1 to 32 letters, digits, . -"),
        _ => Ok(()),
    }
}

fn word(at: &Path, code: &str) -> Checked {
    value::word(&code.into()).or_else(|why| at.fault(why))
}

fn within(at: &Path, number: Option<u32>, range: std::ops::RangeInclusive<u32>) -> Checked {
    match number {
        Some(number) if !range.contains(&number) => {
            at.fault(format!("expected {} to {}", range.start(), range.end()))
        }
        _ => Ok(()),
    }
}

fn some(at: &Path, entries: usize) -> Checked {
    if entries == 0 {
        return at.fault("is empty");
    }
    few(at, entries)
}

fn few(at: &Path, entries: usize) -> Checked {
    if entries > MOST_ENTRIES {
        return at.fault(format!(
            "{entries} entries; at most {MOST_ENTRIES} are taken"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::BadData;

    /// Line 1 is `{`; each fault below says on which line it is planted.
    const GOOD: &str = r#"{
  "version": 2,
  "duplicates": { "metres": 50, "hours": 72 },
  "rules": {
    "limits": { "escalated": "4wh" },
    "proof": { "resolve": ["note", "photo"] }
  },
  "severities": [
    { "code": "normal", "name": { "zh": "一般", "en": "Normal" } }
  ],
  "categories": [
    { "code": "a", "name": { "zh": "甲", "en": "A" },
      "form": [
        { "code": "found", "name": { "zh": "找到", "en": "Found" }, "kind": "choice",
          "choices": [{ "code": "yes", "name": { "zh": "是", "en": "Yes" } }] },
        { "code": "who", "name": { "zh": "谁", "en": "Who" }, "kind": "text", "most": 50,
          "shown_when": { "field": "found", "is": ["yes"] } },
        { "code": "since", "name": { "zh": "自", "en": "Since" }, "kind": "date", "from": "2000-01-01" },
        { "code": "many", "name": { "zh": "几", "en": "How many" }, "kind": "number", "min": 1, "max": 9 }
      ],
      "subs": [
        { "code": "b", "name": { "zh": "乙", "en": "B" }, "severity": "normal", "national": "06010" },
        { "code": "c", "name": { "zh": "丙", "en": "C" } }
      ] },
    { "code": "d", "name": { "zh": "丁", "en": "D" },
      "subs": [
        { "code": "e", "name": { "zh": "戊", "en": "E" } }
      ] }
  ]
}"#;

    fn fault(from: &str, to: &str) -> BadData {
        assert_eq!(GOOD.matches(from).count(), 1, "{from}");
        Catalogue::parse(&GOOD.replace(from, to)).expect_err(to)
    }

    #[test]
    fn every_fault_of_meaning_is_refused_with_its_line() {
        assert_eq!(Catalogue::parse(GOOD).map(|good| good.version), Ok(2));
        let long = format!("\"zh\": \"{}\"", "长".repeat(61));
        let cases = [
            (2, "version", r#""version": 2"#, r#""version": 0"#),
            (3, "duplicates.metres", r#""metres": 50"#, r#""metres": 0"#),
            (
                5,
                "rules.limits.escalatd",
                r#""escalated""#,
                r#""escalatd""#,
            ),
            (5, "rules.limits.closed", r#""escalated""#, r#""closed""#),
            (6, "rules.proof.reslove", r#""resolve""#, r#""reslove""#),
            (6, "rules.proof.resolve[1]", r#""photo""#, r#""phto""#),
            (9, "severities[0].name.zh", r#""zh": "一般""#, r#""zh": """#),
            (
                12,
                "categories[0].code",
                r#""code": "a""#,
                r#""code": "甲""#,
            ),
            (12, "categories[0].name.zh", r#""zh": "甲""#, &long),
            (
                14,
                "categories[0].form[0].kind",
                r#""kind": "choice""#,
                r#""kind": "choise""#,
            ),
            (
                15,
                "categories[0].form[0].choices",
                r#""kind": "choice""#,
                r#""kind": "text""#,
            ),
            (
                16,
                "categories[0].form[1].code",
                r#""code": "who""#,
                r#""code": "found""#,
            ),
            (
                16,
                "categories[0].form[1].most",
                r#""most": 50"#,
                r#""most": 0"#,
            ),
            (
                17,
                "categories[0].form[1].shown_when.field",
                r#""field": "found""#,
                r#""field": "lost""#,
            ),
            (
                17,
                "categories[0].form[1].shown_when.is[0]",
                r#""is": ["yes"]"#,
                r#""is": ["maybe"]"#,
            ),
            (18, "categories[0].form[2].from", "2000-01-01", "2000-13-01"),
            (
                19,
                "categories[0].form[3].max",
                r#""max": 9"#,
                r#""max": 0"#,
            ),
            (
                19,
                "categories[0].form[3].most",
                r#""max": 9"#,
                r#""most": 9"#,
            ),
            (
                22,
                "categories[0].subs[0].severity",
                r#""severity": "normal""#,
                r#""severity": "grave""#,
            ),
            (22, "categories[0].subs[0].national", "06010", "０６０１０"),
            (
                23,
                "categories[0].subs[1].code",
                r#""code": "c""#,
                r#""code": "b""#,
            ),
            (25, "categories[1].code", r#""code": "d""#, r#""code": "a""#),
            (
                27,
                "categories[1].subs[0].code",
                r#""code": "e""#,
                r#""code": "b""#,
            ),
        ];
        for (line, at, from, to) in cases {
            let bad = fault(from, to);
            assert_eq!((bad.line, bad.at.as_str()), (line, at), "{bad}");
        }
    }

    #[test]
    fn faults_of_shape_and_mistyped_words_are_refused_with_their_line() {
        let cases = [
            (5, r#""4wh""#, r#""0wh""#),
            (5, r#""4wh""#, r#""4 hours""#),
            (3, r#""hours": 72"#, r#""hours": -72"#),
            (4, r#""rules": {"#, r#""rulse": {"#),
            (22, r#""national": "06010""#, r#""nationl": "06010""#),
            (9, r#", "en": "Normal""#, ""),
        ];
        for (line, from, to) in cases {
            let bad = fault(from, to);
            assert_eq!(bad.line, line, "{bad}");
        }
    }

    #[test]
    fn an_empty_one_and_an_endless_one_are_refused() {
        let sub = |n| format!(r#"{{ "code": "x{n}", "name": {{ "zh": "项", "en": "X" }} }}"#);
        let many: Vec<String> = (0..=MOST_ENTRIES).map(sub).collect();
        let bad = fault(
            r#"{ "code": "c", "name": { "zh": "丙", "en": "C" } }"#,
            &many.join(","),
        );
        assert_eq!(bad.at, "categories[0].subs");
        let empty = r#"{"version": 1, "severities": [], "categories": []}"#;
        assert_eq!(Catalogue::parse(empty).expect_err("empty").at, "severities");
    }
}
