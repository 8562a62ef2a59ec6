//! The catalogue of what can be reported: data with versions, never an enum
//! that needs a new app. An old report keeps the meaning it was made with, so
//! whoever looks at one asks for the version that it names.
//!
//! What a report must say and its steps must carry, and how long they may
//! take, is said once for the whole ([`Rules`]), and again for a category, a
//! sub-category or a severity where that differs: the nearest word counts.
//! docs/incidents.md shows the format.

mod check;
mod form;
mod limit;
mod report;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::import::{self, BadData};

pub use form::{Choice, FieldKind, FormField, ShownWhen};
pub use limit::{BadLimit, Limit};
pub use report::{ANSWER, BadReport, version_named};

/// A text in the languages of the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// 中文, always there.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A category of incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// Its code, for ever.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Where it differs from the whole.
    #[serde(default, skip_serializing_if = "Rules::is_silent")]
    pub rules: Rules,
    /// Its questions, in the order in which they are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<FormField>,
    /// Its sub-categories, in the order in which they are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subs: Vec<SubCategory>,
}

/// A sub-category of incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubCategory {
    /// Its code, for ever; one of a kind in the whole catalogue.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// The severity that it mostly has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Its code in the national system that the catalogue names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national: Option<String>,
    /// Where it differs from its category.
    #[serde(default, skip_serializing_if = "Rules::is_silent")]
    pub rules: Rules,
    /// Questions after those of its category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<FormField>,
}

/// How grave an incident is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Severity {
    /// Its code, for ever.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Where it differs from every category: these words come first.
    #[serde(default, skip_serializing_if = "Rules::is_silent")]
    pub rules: Rules,
}

/// What the life of an incident asks for; what is not said is asked further
/// out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// How long an incident may stay in a status: [`Limit`]s, as text, so that a
    /// phone takes a unit that only newer ones know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
    /// What a step must carry, by the step's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof: BTreeMap<String, Vec<Proof>>,
    /// Whether gridworkers may close what they handled on the spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_close: Option<bool>,
    /// Whether the clock sends an incident up that nobody accepts in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub climbs: Option<bool>,
}

impl Rules {
    fn is_silent(&self) -> bool {
        self == &Self::default()
    }
}

/// What proves that something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A few words: `note` in the step.
    Note,
    /// At least one photo: `photos` in the step.
    Photo,
    /// A newer catalogue asks for something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Proof {
    /// The name in the step that carries it.
    #[must_use]
    pub const fn carried_as(self) -> Option<&'static str> {
        match self {
            Self::Note => Some("note"),
            Self::Photo => Some("photos"),
            Self::Unknown => None,
        }
    }
}

/// When two reports may be of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearness {
    /// Metres between their places, apart from the places' own accuracy.
    pub metres: u32,
    /// Hours between their findings.
    pub hours: u32,
}

/// One version of the catalogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Its version; a report names the one it was made with.
    pub version: u32,
    /// Whose codes the national ones are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national: Option<String>,
    /// Days within which a gridworker may reopen what was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopen_days: Option<u32>,
    /// Metres within which a gridworker is on the spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_spot_metres: Option<u32>,
    /// When two reports may be of one thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Nearness>,
    /// What holds where nothing nearer says otherwise.
    #[serde(default, skip_serializing_if = "Rules::is_silent")]
    pub rules: Rules,
    /// Its categories, in the order in which they are shown.
    pub categories: Vec<Category>,
    /// Its severities, from the least.
    pub severities: Vec<Severity>,
}

/// How an incident is classified: codes of its catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class<'a> {
    /// The category; none for a quick capture.
    pub category: Option<&'a str>,
    /// The sub-category.
    pub subcategory: Option<&'a str>,
    /// The severity.
    pub severity: Option<&'a str>,
}

impl Catalogue {
    /// Reads one that somebody wrote.
    ///
    /// # Errors
    /// [`BadData`] with the line at fault.
    pub fn parse(json: &str) -> Result<Self, BadData> {
        import::read("catalogue", json, check::check)
    }

    /// The catalogue that ships with this version.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program and a test reads it"
    )]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../resources/catalogue.json")).expect("the shipped one reads")
    }

    /// The category with this code.
    #[must_use]
    pub fn category(&self, code: &str) -> Option<&Category> {
        self.categories
            .iter()
            .find(|category| category.code == code)
    }

    /// The severity with this code.
    #[must_use]
    pub fn severity(&self, code: &str) -> Option<&Severity> {
        self.severities
            .iter()
            .find(|severity| severity.code == code)
    }

    /// The national code of a sub-category.
    #[must_use]
    pub fn national_code(&self, category: &str, subcategory: &str) -> Option<&str> {
        self.category(category)?
            .sub(subcategory)?
            .national
            .as_deref()
    }

    /// The sub-categories that bear a national code; several local ones may
    /// share one.
    pub fn by_national<'a>(
        &'a self,
        code: &'a str,
    ) -> impl Iterator<Item = (&'a Category, &'a SubCategory)> {
        let all = self.categories.iter();
        let all = all.flat_map(|category| category.subs.iter().map(move |sub| (category, sub)));
        all.filter(move |(_, sub)| sub.national.as_deref() == Some(code))
    }

    /// How long an incident of this class may stay in `status`.
    #[must_use]
    pub fn limit(&self, class: Class<'_>, status: &str) -> Option<Limit> {
        self.nearest(class, |rules| rules.limits.get(status)?.parse().ok())
    }

    /// What the step of this name must carry for an incident of this class.
    #[must_use]
    pub fn proof(&self, class: Class<'_>, step: &str) -> &[Proof] {
        self.nearest(class, |rules| rules.proof.get(step))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether gridworkers may close what they handled on the spot; no where
    /// nothing says so.
    #[must_use]
    pub fn self_close(&self, class: Class<'_>) -> bool {
        self.nearest(class, |rules| rules.self_close)
            .unwrap_or(false)
    }

    /// Whether the clock sends up what nobody accepts in time; yes where
    /// nothing says otherwise.
    #[must_use]
    pub fn climbs(&self, class: Class<'_>) -> bool {
        self.nearest(class, |rules| rules.climbs).unwrap_or(true)
    }

    /// Days within which a gridworker may reopen what was closed.
    #[must_use]
    pub fn reopen_days(&self) -> u32 {
        self.reopen_days.unwrap_or(30)
    }

    /// Metres within which a gridworker is on the spot.
    #[must_use]
    pub fn on_spot_metres(&self) -> u32 {
        self.on_spot_metres.unwrap_or(300)
    }

    /// When two reports may be of one thing.
    #[must_use]
    pub fn duplicates(&self) -> Nearness {
        self.duplicates.unwrap_or(Nearness {
            metres: 50,
            hours: 72,
        })
    }

    /// The nearest word: the severity's, the sub-category's, the category's,
    /// the whole's.
    fn nearest<'a, T>(
        &'a self,
        class: Class<'_>,
        word: impl Fn(&'a Rules) -> Option<T>,
    ) -> Option<T> {
        let category = class.category.and_then(|code| self.category(code));
        let sub = category.and_then(|category| category.sub(class.subcategory?));
        let severity = class.severity.and_then(|code| self.severity(code));
        let said = [
            severity.map(|severity| &severity.rules),
            sub.map(|sub| &sub.rules),
            category.map(|category| &category.rules),
            Some(&self.rules),
        ];
        said.into_iter().flatten().find_map(word)
    }
}

impl Category {
    /// The sub-category with this code.
    #[must_use]
    pub fn sub(&self, code: &str) -> Option<&SubCategory> {
        self.subs.iter().find(|sub| sub.code == code)
    }

    /// The questions of a report of this category and sub-category.
    pub fn questions<'a>(&'a self, sub: Option<&str>) -> impl Iterator<Item = &'a FormField> {
        let sub = sub.and_then(|code| self.sub(code));
        self.form
            .iter()
            .chain(sub.into_iter().flat_map(|sub| &sub.form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_one_reads_and_has_the_four_categories() {
        let shipped = Catalogue::shipped();
        for code in [
            "hygiene",
            "fire_safety",
            "public_order",
            "family_dispute",
            "other",
        ] {
            let category = shipped.category(code).expect(code);
            assert!(category.subs.len() >= 8, "{code}");
        }
        let subs = shipped
            .categories
            .iter()
            .map(|category| category.subs.len());
        assert!(subs.sum::<usize>() >= 60);
        assert!(shipped.severity("normal").is_some());
    }

    /// It goes to every phone; docs/incidents.md says how large it is.
    #[test]
    fn the_shipped_one_is_small_on_the_wire() {
        let json = serde_json::to_string(&Catalogue::shipped()).expect("writes");
        assert!(json.len() < 24 * 1024, "{} bytes", json.len());
        let again: Catalogue = serde_json::from_str(&json).expect("reads");
        assert_eq!(again, Catalogue::shipped());
    }

    #[test]
    fn every_text_of_the_shipped_one_is_in_both_languages() {
        let value = serde_json::to_value(Catalogue::shipped()).expect("json");
        fn walk(value: &serde_json::Value) {
            if let (Some(zh), Some(en)) = (value.get("zh"), value.get("en")) {
                let zh = zh.as_str().unwrap_or_default();
                let en = en.as_str().unwrap_or_default();
                assert!(!zh.is_ascii(), "{zh}: not Chinese");
                assert!(!en.is_empty() && en.is_ascii(), "{en}: not English");
            }
            match value {
                serde_json::Value::Array(list) => list.iter().for_each(walk),
                serde_json::Value::Object(map) => map.values().for_each(walk),
                _ => {}
            }
        }
        walk(&value);
    }

    #[test]
    fn the_nearest_word_counts() {
        let json = r#"{"version": 1,
            "rules": {"limits": {"escalated": "9wh", "resolved": "2wd"}, "climbs": false},
            "severities": [{"code": "s", "name": {"zh": "急", "en": "S"}, "rules": {"limits": {"escalated": "1h"}}},
                           {"code": "n", "name": {"zh": "常", "en": "N"}}],
            "categories": [{"code": "c", "name": {"zh": "类", "en": "C"},
                "rules": {"limits": {"escalated": "4wh"}, "self_close": true, "proof": {"resolve": ["photo"]}},
                "subs": [{"code": "d", "name": {"zh": "项", "en": "D"}, "national": "06010",
                    "rules": {"limits": {"escalated": "2wh"}, "self_close": false}}]}]}"#;
        let catalogue = Catalogue::parse(json).expect("good");
        let class = |category, subcategory, severity| Class {
            category,
            subcategory,
            severity,
        };
        let none = Class::default();
        let whole = class(Some("c"), None, Some("n"));
        let sub = class(Some("c"), Some("d"), Some("n"));
        let urgent = class(Some("c"), Some("d"), Some("s"));
        let limit = |class, status| {
            catalogue
                .limit(class, status)
                .map(|limit| limit.to_string())
        };
        for (class, expected) in [(none, "9wh"), (whole, "4wh"), (sub, "2wh"), (urgent, "1h")] {
            assert_eq!(
                limit(class, "escalated").as_deref(),
                Some(expected),
                "{class:?}"
            );
            assert_eq!(limit(class, "resolved").as_deref(), Some("2wd"));
            assert_eq!(limit(class, "verified"), None);
            assert!(!catalogue.climbs(class));
        }
        assert!(
            catalogue.self_close(whole)
                && !catalogue.self_close(sub)
                && !catalogue.self_close(none)
        );
        assert_eq!(catalogue.proof(sub, "resolve"), [Proof::Photo]);
        assert!(catalogue.proof(none, "resolve").is_empty());
        assert_eq!(catalogue.national_code("c", "d"), Some("06010"));
        let local: Vec<_> = catalogue
            .by_national("06010")
            .map(|(_, sub)| sub.code.as_str())
            .collect();
        assert_eq!(local, ["d"]);
    }

    /// A phone of this version must take what a newer server says.
    #[test]
    fn a_newer_catalogue_reads_on_the_wire_and_is_refused_at_import() {
        let json = r#"{"version": 7, "from_the_future": 1, "severities": [], "categories": [
            {"code": "c", "name": {"zh": "类", "en": "C"}, "rules": {"proof": {"handle": ["hologram"]}, "limits": {"reported": "3 moons"}},
             "form": [{"code": "q", "name": {"zh": "问", "en": "Q"}, "kind": "hologram"}]}]}"#;
        let read: Catalogue = serde_json::from_str(json).expect("reads");
        let class = Class {
            category: Some("c"),
            ..Class::default()
        };
        assert_eq!(read.proof(class, "handle"), [Proof::Unknown]);
        assert_eq!(read.limit(class, "reported"), None);
        assert!(Catalogue::parse(json).is_err());
    }
}
