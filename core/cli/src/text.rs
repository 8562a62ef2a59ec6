//! The texts, from `resources/texts.json`.

use std::collections::BTreeMap;

use crate::args::Lang;

/// The texts in the language asked for, or in both.
pub(crate) struct Texts {
    lang: Option<Lang>,
    all: BTreeMap<String, [String; 2]>,
}

impl Texts {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program and a test reads it"
    )]
    pub(crate) fn new(lang: Option<Lang>) -> Self {
        let all =
            serde_json::from_str(include_str!("resources/texts.json")).expect("the texts read");
        Self { lang, all }
    }

    /// A text; `{name}` in it is replaced.
    pub(crate) fn say(&self, name: &str, values: &[(&str, String)]) -> String {
        let [zh, en] = self.both(name, values);
        self.choose(zh, en)
    }

    /// A text in Chinese and in English.
    pub(crate) fn both(&self, name: &str, values: &[(&str, String)]) -> [String; 2] {
        let filled = |text: &String| {
            values.iter().fold(text.clone(), |text, (key, value)| {
                text.replace(&format!("{{{key}}}"), value)
            })
        };
        match self.all.get(name) {
            Some([zh, en]) => [filled(zh), filled(en)],
            None => [name.to_owned(), name.to_owned()],
        }
    }

    /// A text whose blanks are texts themselves.
    pub(crate) fn say_of(&self, name: &str, values: &[(&str, [String; 2])]) -> String {
        let [zh, en] = self.both_of(name, values);
        self.choose(zh, en)
    }

    /// The same in Chinese and in English.
    pub(crate) fn both_of(&self, name: &str, values: &[(&str, [String; 2])]) -> [String; 2] {
        let in_language = |at: usize| -> Vec<(&str, String)> {
            values
                .iter()
                .map(|(key, both)| (*key, both[at].clone()))
                .collect()
        };
        let [zh, _] = self.both(name, &in_language(0));
        let [_, en] = self.both(name, &in_language(1));
        [zh, en]
    }

    /// What is shown of a text in both languages.
    pub(crate) fn choose(&self, zh: String, en: String) -> String {
        match self.lang {
            Some(Lang::Zh) => zh,
            Some(Lang::En) => en,
            None if zh == en => zh,
            None => format!("{zh} · {en}"),
        }
    }

    #[cfg(test)]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_both_with_the_same_blanks() {
        let texts = Texts::new(None);
        let blanks = |text: &str| {
            let mut found: Vec<_> = text
                .split('{')
                .skip(1)
                .filter_map(|part| part.split('}').next())
                .collect();
            found.sort_unstable();
            found.join(" ")
        };
        for (name, [zh, en]) in &texts.all {
            // Errors say their English themselves.
            let error = ["error.", "track.", "rule."]
                .iter()
                .any(|of| name.starts_with(of));
            assert_eq!(en.is_empty(), error, "{name}");
            assert!(zh.chars().any(|c| c > '\u{2e80}'), "{name} is not Chinese");
            if !error {
                assert_eq!(blanks(zh), blanks(en), "{name}");
            }
        }
    }

    #[test]
    fn blanks_are_filled_and_a_language_chosen() {
        let both = Texts::new(None).say("shift.ended", &[]);
        assert!(both.contains(" · "));
        assert!(
            !Texts::new(Some(Lang::En))
                .say("shift.ended", &[])
                .contains(" · ")
        );
        let id = Texts::new(Some(Lang::Zh)).say("patrol.started", &[("id", "7".into())]);
        assert!(id.contains('7') && !id.contains('{'), "{id}");
    }
}
