//! Whether what a report says fits the version of the catalogue that it names.

use serde_json::Value;

use super::{Catalogue, Category, Class, FieldKind};

/// The answer to a question of the form is the field of this and its code.
pub const ANSWER: &str = "form.";

/// The version of the catalogue that a record's field `catalogue` names.
#[must_use]
pub fn version_named(field: Option<&Value>) -> Option<u32> {
    field?
        .as_u64()
        .and_then(|version| u32::try_from(version).ok())
}

/// Why a report does not fit its catalogue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadReport {
    /// Nobody here has that version.
    #[error("version {0} of the catalogue is not known here; sync")]
    UnknownCatalogue(u32),
    /// That version has no such category, sub-category or severity.
    #[error("{field}: the catalogue's version {version} has no {code}")]
    UnknownCode {
        /// `category`, `subcategory`, `severity`.
        field: &'static str,
        /// The code.
        code: String,
        /// The version.
        version: u32,
    },
    /// The category's form asks no such question.
    #[error("{0}: the form of this category asks no such question")]
    UnknownQuestion(String),
    /// An answer is not one.
    #[error("{field}: {why}")]
    BadAnswer {
        /// The field.
        field: String,
        /// What is wrong and what is expected.
        why: String,
    },
    /// A question that is shown must be answered.
    #[error("{0}: this question must be answered")]
    Unanswered(String),
}

impl BadReport {
    /// A word for programs; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownCatalogue(_) => "unknown_catalogue",
            Self::UnknownCode { .. } => "unknown_code",
            Self::UnknownQuestion(_) => "unknown_question",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Unanswered(_) => "unanswered",
        }
    }
}

impl Catalogue {
    /// Whether a report fits. `value` gives what stands in a field, `written`
    /// names the fields that are being written: an answer of another category
    /// that stood there before is left alone. What is not answered yet may wait:
    /// [`Self::check_answered`].
    ///
    /// # Errors
    /// The first [`BadReport`].
    pub fn check_report<'a>(
        &self,
        value: impl Fn(&str) -> Option<&'a Value>,
        written: impl Iterator<Item = &'a str>,
    ) -> Result<(), BadReport> {
        let class = class(&value);
        let category = self.classify(class)?;
        for field in written {
            let Some(code) = field.strip_prefix(ANSWER) else {
                continue;
            };
            let question = category.and_then(|category| {
                category
                    .questions(class.subcategory)
                    .find(|q| q.code == code)
            });
            let question = question.ok_or_else(|| BadReport::UnknownQuestion(field.to_owned()))?;
            let given = value(field).filter(|value| !value.is_null());
            given.map_or(Ok(()), |given| {
                question.check(given).map_err(|why| BadReport::BadAnswer {
                    field: field.to_owned(),
                    why,
                })
            })?;
        }
        Ok(())
    }

    /// Whether a report says all that its category must know before it goes on
    /// its way. `value` gives what stands in a field.
    ///
    /// # Errors
    /// The first [`BadReport`].
    pub fn check_answered<'a>(
        &self,
        value: impl Fn(&str) -> Option<&'a Value>,
    ) -> Result<(), BadReport> {
        let class = class(&value);
        let category = self.classify(class)?;
        category.map_or(Ok(()), |category| answered(category, class, &value))
    }

    /// The category of a class all of whose codes are known.
    fn classify(&self, class: Class<'_>) -> Result<Option<&Category>, BadReport> {
        let unknown = |field, code: &str| BadReport::UnknownCode {
            field,
            code: code.to_owned(),
            version: self.version,
        };
        if let Some(code) = class.severity
            && self.severity(code).is_none()
        {
            return Err(unknown("severity", code));
        }
        let category = match class.category {
            Some(code) => Some(
                self.category(code)
                    .ok_or_else(|| unknown("category", code))?,
            ),
            None => None,
        };
        if let Some(code) = class.subcategory
            && category.is_none_or(|category| category.sub(code).is_none())
        {
            return Err(unknown("subcategory", code));
        }
        Ok(category)
    }
}

fn class<'a>(value: impl Fn(&str) -> Option<&'a Value>) -> Class<'a> {
    let text = |field| value(field).and_then(Value::as_str);
    Class {
        category: text("category"),
        subcategory: text("subcategory"),
        severity: text("severity"),
    }
}

/// Whether every question that is shown and must be answered is.
fn answered<'a>(
    category: &Category,
    class: Class<'_>,
    value: impl Fn(&str) -> Option<&'a Value>,
) -> Result<(), BadReport> {
    let answer = |code: &str| value(&format!("{ANSWER}{code}"));
    let blank = |value: &Value| {
        value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
    };
    let missing = category
        .questions(class.subcategory)
        .filter(|question| question.required && question.kind != FieldKind::Unknown)
        .filter(|question| question.is_shown(answer))
        .find(|question| answer(&question.code).is_none_or(blank));
    match missing {
        Some(question) => Err(BadReport::Unanswered(format!("{ANSWER}{}", question.code))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn catalogue() -> Catalogue {
        Catalogue::parse(
            r#"{"version": 3,
            "severities": [{"code": "n", "name": {"zh": "一般", "en": "N"}}],
            "categories": [
              {"code": "order", "name": {"zh": "治安", "en": "Order"},
               "form": [
                {"code": "police", "name": {"zh": "报警", "en": "Police"}, "kind": "choice", "required": true,
                 "choices": [{"code": "yes", "name": {"zh": "是", "en": "Yes"}}, {"code": "no", "name": {"zh": "否", "en": "No"}}]},
                {"code": "number", "name": {"zh": "编号", "en": "Number"}, "kind": "text", "required": true,
                 "shown_when": {"field": "police", "is": ["yes"]}}],
               "subs": [{"code": "theft", "name": {"zh": "盗窃", "en": "Theft"},
                 "form": [{"code": "lost", "name": {"zh": "损失", "en": "Lost"}, "kind": "number"}]}]},
              {"code": "other", "name": {"zh": "其他", "en": "Other"}}]}"#,
        )
        .expect("good")
    }

    fn check(fields: Value, written: &[&str]) -> Result<(), &'static str> {
        let fields: BTreeMap<String, Value> = serde_json::from_value(fields).expect("a map");
        let value = |name: &str| fields.get(name);
        let catalogue = catalogue();
        let checked = catalogue.check_report(value, written.iter().copied());
        let whole = checked.and_then(|()| catalogue.check_answered(value));
        whole.map_err(|bad| bad.code())
    }

    #[test]
    fn a_report_must_fit_its_catalogue() {
        let theft = json!({"category": "order", "subcategory": "theft", "severity": "n",
            "form.police": "yes", "form.number": "3713", "form.lost": 200});
        let all = ["form.police", "form.number", "form.lost"];
        assert_eq!(check(theft.clone(), &all), Ok(()));
        let with = |name: &str, value: Value| {
            let mut fields = theft.clone();
            fields[name] = value;
            check(fields, &all)
        };
        assert_eq!(with("category", json!("unheard_of")), Err("unknown_code"));
        assert_eq!(with("subcategory", json!("murder")), Err("unknown_code"));
        assert_eq!(with("severity", json!("extreme")), Err("unknown_code"));
        assert_eq!(with("form.police", json!("perhaps")), Err("bad_answer"));
        assert_eq!(with("form.lost", json!("a lot")), Err("bad_answer"));
        assert_eq!(with("form.number", json!(null)), Err("unanswered"));
        assert_eq!(with("form.number", json!("  ")), Err("unanswered"));
        assert_eq!(
            with("form.police", json!("no")),
            Ok(()),
            "then no number is asked"
        );
        assert_eq!(
            with("subcategory", json!(null)),
            Err("unknown_question"),
            "nobody asks what was lost"
        );
    }

    #[test]
    fn a_report_may_wait_for_its_answers() {
        let fields = json!({"category": "order"});
        let value = |name: &str| fields.get(name);
        assert_eq!(
            catalogue().check_report(value, ["category"].into_iter()),
            Ok(())
        );
        let missing = BadReport::Unanswered("form.police".to_owned());
        assert_eq!(catalogue().check_answered(value), Err(missing));
    }

    #[test]
    fn a_quick_capture_has_no_category_and_no_answers() {
        assert_eq!(check(json!({}), &["title"]), Ok(()));
        assert_eq!(
            check(json!({"form.police": "yes"}), &["form.police"]),
            Err("unknown_question")
        );
        assert_eq!(
            check(json!({"subcategory": "theft"}), &[]),
            Err("unknown_code")
        );
    }

    #[test]
    fn answers_of_a_former_category_are_left_alone() {
        let moved = json!({"category": "other", "form.police": "yes"});
        assert_eq!(check(moved, &["category"]), Ok(()));
    }
}
