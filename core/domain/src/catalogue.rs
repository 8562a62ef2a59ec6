//! The catalogue of what can be reported: data with versions, never an enum
//! that needs a new app. An old report keeps the meaning it was made with.

use serde::{Deserialize, Serialize};

/// A text in the languages of the house.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// 中文, always there.
    pub zh: String,
    /// English.
    pub en: String,
}

/// A category of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its code, for ever.
    pub code: String,
    /// Its name.
    pub name: Text,
}

/// One version of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Its version; a report names the one it was made with.
    pub version: u32,
    /// Its categories, in the order in which they are shown.
    pub categories: Vec<Category>,
    /// Its severities, from the least.
    pub severities: Vec<Category>,
}

/// Why a catalogue cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalogue {
    /// It is not JSON of the expected shape.
    #[error("the catalogue cannot be read: line {line}, column {column}: {why}")]
    Unreadable {
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
        /// What was expected there.
        why: String,
    },
    /// Two entries bear one code.
    #[error("the catalogue has the code {0} twice; codes must differ")]
    Twice(String),
}

impl Catalogue {
    /// Reads one.
    ///
    /// # Errors
    /// [`BadCatalogue`] with the place at fault.
    pub fn parse(json: &str) -> Result<Self, BadCatalogue> {
        let catalogue: Self = serde_json::from_str(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            BadCatalogue::Unreadable {
                line,
                column,
                why: error.to_string(),
            }
        })?;
        for list in [&catalogue.categories, &catalogue.severities] {
            for (index, entry) in list.iter().enumerate() {
                if list[..index].iter().any(|other| other.code == entry.code) {
                    return Err(BadCatalogue::Twice(entry.code.clone()));
                }
            }
        }
        Ok(catalogue)
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
        Self::parse(include_str!("resources/catalogue.json")).expect("the shipped catalogue reads")
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
    pub fn severity(&self, code: &str) -> Option<&Category> {
        self.severities
            .iter()
            .find(|severity| severity.code == code)
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
            assert!(shipped.category(code).is_some(), "{code}");
        }
        assert!(shipped.severity("normal").is_some());
    }

    #[test]
    fn a_bad_one_is_refused_with_its_place() {
        let error =
            Catalogue::parse("{\n  \"version\": 1,\n  \"categories\": 3\n}").expect_err("bad");
        assert!(
            matches!(error, BadCatalogue::Unreadable { line: 3, .. }),
            "{error}"
        );
        let twice = r#"{"version":1,"categories":[
            {"code":"a","name":{"zh":"甲","en":"A"}},{"code":"a","name":{"zh":"乙","en":"B"}}],"severities":[]}"#;
        assert_eq!(
            Catalogue::parse(twice),
            Err(BadCatalogue::Twice("a".into()))
        );
    }
}
