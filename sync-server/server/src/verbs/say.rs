//! What is said to the operator: Chinese first, English beside it.

use gridwalk_server::admin::{Lang, message};
use std::io::Write as _;

/// The languages that are spoken.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Tongue {
    /// 中文，English
    Both,
    /// 中文
    Zh,
    /// English
    En,
}

/// Says things.
pub(super) struct Say {
    tongue: Tongue,
}

impl Say {
    pub(super) const fn new(tongue: Tongue) -> Self {
        Self { tongue }
    }

    fn text(&self, text: impl Fn(Lang) -> String) -> String {
        match self.tongue {
            Tongue::Zh => text(Lang::Zh),
            Tongue::En => text(Lang::En),
            Tongue::Both => format!("{}  {}", text(Lang::Zh), text(Lang::En)),
        }
    }

    /// A message, one line on standard output.
    pub(super) fn line(&self, key: &str, values: &[(&str, &str)]) {
        self.plain(&self.text(|lang| message(key, lang, values)));
    }

    /// Text as it is, on standard output; flushed, so that who reads it by a
    /// pipe has it at once.
    pub(super) fn plain(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // Nobody may be reading: that is no reason to stop.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// An error, one line on standard error.
    pub(super) fn error(&self, text: impl Fn(Lang) -> String) {
        let _ = writeln!(std::io::stderr().lock(), "{}", self.text(text));
    }
}
