//! The form of a category: what is asked beside the few words and the photo.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::RangeInclusive;

use super::Text;
use crate::check::{self, parse_date};

/// A question of a form.
///
/// An incident keeps the answer in its field `form.<code>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FormField {
    /// Its code, for ever; one of a kind within a category.
    pub code: String,
    /// The question.
    pub name: Text,
    /// What an answer is.
    pub kind: FieldKind,
    /// Whether it must be answered where it is shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Another question whose answer decides whether this one is shown; always
    /// where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_when: Option<ShownWhen>,
    /// The answers of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The most characters of a text; the most photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// The earliest date, `YYYY-MM-DD`; 2020-01-01 where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What a number counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Text>,
}

/// What the answer to a question is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A text of at most `most` characters, 200 where none is given.
    Text,
    /// A number from `min` to `max`.
    Number,
    /// The code of one choice.
    Choice,
    /// Codes of choices, each once.
    Many,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// A place, `{"lat","lon"}`.
    Place,
    /// A person, `{"name"}` with `phone` and `note` where known.
    Person,
    /// References to photos, at most `most` of them, 9 where none is given.
    Photo,
    /// A reference to the picture of a signature.
    Signature,
    /// A newer catalogue says something that this version does not know: it is
    /// not shown, and what is answered is kept within a size.
    #[serde(other)]
    Unknown,
}

/// Which answer to another question shows a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownWhen {
    /// The other question; it comes before in the form.
    pub field: String,
    /// The choices that show it; none for any answer at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
}

/// One of several answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its code, for ever.
    pub code: String,
    /// What it says.
    pub name: Text,
}

/// The most characters of a text where the form says nothing.
const MOST_CHARACTERS: u32 = 200;
/// The most photos of an answer where the form says nothing.
const MOST_PHOTOS: u32 = 9;
/// The last year of a date.
const LAST_YEAR: i32 = 2100;

impl FormField {
    /// Whether the question is to be asked, by the answers so far.
    pub fn is_shown<'a>(&self, answer: impl Fn(&str) -> Option<&'a Value>) -> bool {
        let Some(when) = &self.shown_when else {
            return true;
        };
        let is = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| when.is.iter().any(|w| w == text))
        };
        match answer(&when.field) {
            None | Some(Value::Null) => false,
            Some(_) if when.is.is_empty() => true,
            Some(Value::Array(many)) => many.iter().any(is),
            Some(one) => is(one),
        }
    }

    /// Whether `value` answers the question; says what is wrong and what is
    /// expected.
    ///
    /// # Errors
    /// A sentence without the value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match self.kind {
            FieldKind::Text => check::text_within(value, self.most()),
            FieldKind::Number => self.number(value),
            FieldKind::Choice => self.choice(value),
            FieldKind::Many => self.many(value),
            FieldKind::Date => self.date(value),
            FieldKind::Place => check::place(value),
            FieldKind::Person => check::person(value),
            FieldKind::Photo => check::each(value, self.most(), check::photo),
            FieldKind::Signature => check::signature(value),
            FieldKind::Unknown => check::unknown(value),
        }
    }

    /// The most characters of a text, the most photos.
    #[must_use]
    pub fn most(&self) -> usize {
        let otherwise = match self.kind {
            FieldKind::Photo => MOST_PHOTOS,
            _ => MOST_CHARACTERS,
        };
        usize::try_from(self.most.unwrap_or(otherwise)).unwrap_or(usize::MAX)
    }

    fn number(&self, value: &Value) -> Result<(), String> {
        let range = self.numbers();
        let fits = value.as_f64().is_some_and(|n| range.contains(&n));
        fits.then_some(()).ok_or_else(|| {
            format!(
                "expected a number from {} to {}",
                range.start(),
                range.end()
            )
        })
    }

    /// The numbers that may be an answer.
    #[must_use]
    pub fn numbers(&self) -> RangeInclusive<f64> {
        self.min.unwrap_or(0.0)..=self.max.unwrap_or(1e9)
    }

    fn has(&self, value: &Value) -> bool {
        let code = value.as_str();
        self.choices
            .iter()
            .any(|choice| Some(choice.code.as_str()) == code)
    }

    fn choice(&self, value: &Value) -> Result<(), String> {
        self.has(value)
            .then_some(())
            .ok_or_else(|| "expected the code of one of the choices".to_owned())
    }

    fn many(&self, value: &Value) -> Result<(), String> {
        let codes = value.as_array().map_or(&[][..], Vec::as_slice);
        let once = |(n, code): (usize, &Value)| self.has(code) && !codes[..n].contains(code);
        let fits = !codes.is_empty() && codes.iter().enumerate().all(once);
        fits.then_some(())
            .ok_or_else(|| "expected a list of codes of the choices, each once".to_owned())
    }

    fn date(&self, value: &Value) -> Result<(), String> {
        let range = self.dates();
        let date = value.as_str().and_then(parse_date);
        let fits = date.is_some_and(|date| range.contains(&date));
        fits.then_some(())
            .ok_or_else(|| format!("expected a date from {} to {}", range.start(), range.end()))
    }

    /// The dates that may be an answer.
    #[must_use]
    pub fn dates(&self) -> RangeInclusive<NaiveDate> {
        let given = self.from.as_deref().and_then(parse_date);
        let from = given.or_else(|| NaiveDate::from_ymd_opt(2020, 1, 1));
        let until = NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31);
        from.unwrap_or(NaiveDate::MAX)..=until.unwrap_or(NaiveDate::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(json: Value) -> FormField {
        let mut whole = json!({"code": "x", "name": {"zh": "问", "en": "q"}});
        for (key, value) in json.as_object().expect("an object") {
            whole[key] = value.clone();
        }
        serde_json::from_value(whole).expect("reads")
    }

    #[test]
    fn each_kind_takes_its_answers_and_no_others() {
        let choices = json!([
            {"code": "a", "name": {"zh": "甲", "en": "A"}},
            {"code": "b", "name": {"zh": "乙", "en": "B"}}
        ]);
        let photo = json!({"sha256": "ab".repeat(32), "mime": "image/jpeg", "bytes": 10});
        let cases = [
            (
                json!({"kind": "text", "most": 4}),
                vec![json!("四字以内"), json!("")],
                vec![json!("超过四个字"), json!(4), json!("\u{7}")],
            ),
            (
                json!({"kind": "number", "min": 1, "max": 9}),
                vec![json!(1), json!(8.5)],
                vec![json!(0), json!(10), json!("3"), json!(null)],
            ),
            (
                json!({"kind": "choice", "choices": choices}),
                vec![json!("a")],
                vec![json!("c"), json!(["a"]), json!("")],
            ),
            (
                json!({"kind": "many", "choices": choices}),
                vec![json!(["a"]), json!(["b", "a"])],
                vec![json!([]), json!(["a", "a"]), json!(["c"]), json!("a")],
            ),
            (
                json!({"kind": "date"}),
                vec![json!("2026-02-28")],
                vec![
                    json!("1970-01-01"),
                    json!("2026-02-29"),
                    json!("2026-2-8"),
                    json!("2101-01-01"),
                ],
            ),
            (
                json!({"kind": "date", "from": "1900-01-01"}),
                vec![json!("1958-07-01")],
                vec![json!("1899-12-31")],
            ),
            (
                json!({"kind": "place"}),
                vec![json!({"lat": 35.1, "lon": 118.3})],
                vec![json!({"lat": 95, "lon": 0}), json!("here")],
            ),
            (
                json!({"kind": "person"}),
                vec![json!({"name": "某人", "phone": "0539-1234567"})],
                vec![
                    json!({"phone": "1"}),
                    json!("某人"),
                    json!({"name": "某人", "phone": "abc"}),
                ],
            ),
            (
                json!({"kind": "photo", "most": 1}),
                vec![json!([photo])],
                vec![json!([photo, photo]), json!([]), photo.clone()],
            ),
            (
                json!({"kind": "signature"}),
                vec![photo.clone()],
                vec![json!({"sha256": "ab"})],
            ),
        ];
        for (shape, good, bad) in cases {
            let field = field(shape);
            for value in good {
                assert_eq!(field.check(&value), Ok(()), "{:?} {value}", field.kind);
            }
            for value in bad {
                let why = field.check(&value).expect_err("must be refused");
                assert!(why.starts_with(|c: char| c.is_alphanumeric()), "{why}");
            }
        }
    }

    #[test]
    fn a_question_is_shown_by_the_answer_to_another() {
        let any = field(json!({"kind": "text", "shown_when": {"field": "o"}}));
        let one = field(json!({"kind": "text", "shown_when": {"field": "o", "is": ["yes"]}}));
        let shown = |field: &FormField, answer: Option<&Value>| {
            field.is_shown(|code| answer.filter(|_| code == "o"))
        };
        for (answer, by_any, by_one) in [
            (None, false, false),
            (Some(json!(null)), false, false),
            (Some(json!("no")), true, false),
            (Some(json!("yes")), true, true),
            (Some(json!(["no", "yes"])), true, true),
            (Some(json!(3)), true, false),
        ] {
            assert_eq!(shown(&any, answer.as_ref()), by_any, "{answer:?}");
            assert_eq!(shown(&one, answer.as_ref()), by_one, "{answer:?}");
        }
    }

    #[test]
    fn what_a_newer_catalogue_asks_is_kept_and_not_refused() {
        let future = field(json!({"kind": "hologram"}));
        assert_eq!(future.kind, FieldKind::Unknown);
        assert_eq!(future.check(&json!({"deep": [1]})), Ok(()));
        assert!(future.check(&json!("长".repeat(10_000))).is_err());
    }
}
