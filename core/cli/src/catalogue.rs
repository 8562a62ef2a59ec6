//! `catalogue`: what can be reported, and what a report must say.

use gridwalk_domain::Catalogue;
use gridwalk_domain::catalogue::{
    Category, Class, FieldKind, FormField, Limit, Proof, Severity, ShownWhen, SubCategory, Text,
};
use gridwalk_domain::kind::incident::{PROVEN, STATUSES};
use gridwalk_engine::{Engine, EngineError};
use std::io::Write;

use crate::problem::Outcome;
use crate::text::Texts;

/// The severity of what names none.
const NORMAL: &str = "normal";

/// A text in Chinese and in English.
type Both = [String; 2];

pub(crate) fn run(
    engine: &Engine,
    code: Option<&str>,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let catalogue = engine.catalogue()?;
    let mut page = Page { texts, out };
    let Some(code) = code else {
        return page.whole(&catalogue);
    };
    let (category, sub) = find(&catalogue, code).ok_or_else(|| EngineError::UnknownCategory {
        code: code.to_owned(),
    })?;
    page.one(&catalogue, category, sub)
}

/// What has this code: a category, or a sub-category with its category.
fn find<'c>(
    catalogue: &'c Catalogue,
    code: &str,
) -> Option<(&'c Category, Option<&'c SubCategory>)> {
    let category = catalogue.category(code).map(|category| (category, None));
    category.or_else(|| {
        let mut all = catalogue.categories.iter();
        all.find_map(|category| Some((category, Some(category.sub(code)?))))
    })
}

fn both(text: &Text) -> Both {
    [text.zh.clone(), text.en.clone()]
}

/// Where a catalogue is written to.
struct Page<'a> {
    texts: &'a Texts,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn line(&mut self, before: &str, [zh, en]: Both) -> Outcome<()> {
        Ok(writeln!(self.out, "{before}{}", self.texts.choose(zh, en))?)
    }

    fn fact(&mut self, name: &str, value: Both) -> Outcome<()> {
        let said = self.texts.say_of(name, &[("value", value)]);
        Ok(writeln!(self.out, "{said}")?)
    }

    fn whole(&mut self, catalogue: &Catalogue) -> Outcome<()> {
        let version = catalogue.version.to_string();
        self.fact("catalogue.version", [version.clone(), version])?;
        if let Some(system) = &catalogue.national {
            self.fact("catalogue.system", [system.clone(), system.clone()])?;
        }
        for category in &catalogue.categories {
            self.line(&format!("{}  ", category.code), both(&category.name))?;
            for sub in &category.subs {
                self.line(&format!("  {}  ", sub.code), both(&sub.name))?;
            }
        }
        for severity in &catalogue.severities {
            self.fact("catalogue.severity", named(severity))?;
        }
        Ok(())
    }

    fn one(
        &mut self,
        catalogue: &Catalogue,
        category: &Category,
        sub: Option<&SubCategory>,
    ) -> Outcome<()> {
        self.line(&format!("{}  ", category.code), both(&category.name))?;
        if let Some(sub) = sub {
            self.line(&format!("{}  ", sub.code), both(&sub.name))?;
        }
        if let Some(code) = sub.and_then(|sub| sub.national.clone()) {
            self.fact("catalogue.national", [code.clone(), code])?;
        }
        let usual = sub.and_then(|sub| sub.severity.as_deref());
        let usual = usual.unwrap_or(NORMAL);
        if let Some(severity) = catalogue.severity(usual) {
            self.fact("catalogue.usual", named(severity))?;
        }
        let class = |severity| Class {
            category: Some(&category.code),
            subcategory: sub.map(|sub| sub.code.as_str()),
            severity: Some(severity),
        };
        for severity in &catalogue.severities {
            self.limits(catalogue, class(&severity.code), severity)?;
        }
        self.ends(catalogue, class(usual))?;
        let mut questions = category.questions(sub.map(|sub| sub.code.as_str()));
        questions.try_for_each(|question| self.question(question))
    }

    /// How long each step may take where it is as grave as this.
    fn limits(
        &mut self,
        catalogue: &Catalogue,
        class: Class<'_>,
        severity: &Severity,
    ) -> Outcome<()> {
        let limits = STATUSES.iter().filter_map(|status| {
            let limit = catalogue.limit(class, status)?;
            Some(self.limit(limit).map(|text| format!("{status} {text}")))
        });
        let limits = self.joined(limits.collect());
        let values = [("severity", both(&severity.name)), ("value", limits)];
        let said = self.texts.say_of("catalogue.limits", &values);
        Ok(writeln!(self.out, "{said}")?)
    }

    fn limit(&self, limit: Limit) -> Both {
        let (name, n) = match limit {
            Limit::WorkingHours(n) => ("limit.working_hours", n),
            Limit::WorkingDays(n) => ("limit.working_days", n),
            Limit::Hours(n) => ("limit.hours", n),
        };
        self.texts.both(name, &[("n", n.to_string())])
    }

    /// What its steps must carry, and who brings it to its end.
    fn ends(&mut self, catalogue: &Catalogue, class: Class<'_>) -> Outcome<()> {
        for step in PROVEN {
            let proof = catalogue.proof(class, step).iter();
            let proof = proof.map(|proof| {
                let name = match proof {
                    Proof::Note => "proof.note",
                    Proof::Photo => "proof.photo",
                    Proof::Unknown => "proof.unknown",
                };
                self.texts.both(name, &[])
            });
            let proof: Vec<Both> = proof.collect();
            if !proof.is_empty() {
                let step = [step.to_owned(), step.to_owned()];
                let values = [("step", step), ("value", self.joined(proof))];
                let said = self.texts.say_of("catalogue.proof", &values);
                writeln!(self.out, "{said}")?;
            }
        }
        let closing = if catalogue.self_close(class) {
            "catalogue.self_close"
        } else {
            "catalogue.supervisor_closes"
        };
        writeln!(self.out, "{}", self.texts.say(closing, &[]))?;
        if catalogue.climbs(class) {
            writeln!(self.out, "{}", self.texts.say("catalogue.climbs", &[]))?;
        }
        Ok(())
    }

    fn question(&mut self, question: &FormField) -> Outcome<()> {
        let mut what = vec![self.kind(question)];
        if let Some(unit) = &question.unit {
            what.push(self.texts.both_of("form.unit", &[("unit", both(unit))]));
        }
        if question.required {
            what.push(self.texts.both("form.required", &[]));
        }
        if let Some(when) = &question.shown_when {
            what.push(self.when(when));
        }
        let values = [("name", both(&question.name)), ("what", self.joined(what))];
        let said = self.texts.say_of("form.question", &values);
        writeln!(self.out, "{}  {said}", question.code)?;
        let mut choices = question.choices.iter();
        choices
            .try_for_each(|choice| self.line(&format!("  {}  ", choice.code), both(&choice.name)))
    }

    /// What its answer is, and how large.
    fn kind(&self, question: &FormField) -> Both {
        let (numbers, dates) = (question.numbers(), question.dates());
        let most = ("most", question.most().to_string());
        let (name, values) = match question.kind {
            FieldKind::Text => ("form.text", vec![most]),
            FieldKind::Number => {
                let from = ("from", numbers.start().to_string());
                ("form.number", vec![from, ("to", numbers.end().to_string())])
            }
            FieldKind::Choice => ("form.choice", vec![]),
            FieldKind::Many => ("form.many", vec![]),
            FieldKind::Date => {
                let from = ("from", dates.start().to_string());
                ("form.date", vec![from, ("to", dates.end().to_string())])
            }
            FieldKind::Place => ("form.place", vec![]),
            FieldKind::Person => ("form.person", vec![]),
            FieldKind::Photo => ("form.photo", vec![most]),
            FieldKind::Signature => ("form.signature", vec![]),
            FieldKind::Unknown => ("form.unknown", vec![]),
        };
        self.texts.both(name, &values)
    }

    fn when(&self, when: &ShownWhen) -> Both {
        let field = ("field", when.field.clone());
        if when.is.is_empty() {
            return self.texts.both("form.answered", &[field]);
        }
        let codes = ("codes", when.is.join("/"));
        self.texts.both("form.when", &[field, codes])
    }

    fn joined(&self, all: Vec<Both>) -> Both {
        let [zh, en] = self.texts.both("list.comma", &[]);
        let of = |at: usize, comma: &str| {
            let all: Vec<&str> = all.iter().map(|text| text[at].as_str()).collect();
            all.join(comma)
        };
        [of(0, &zh), of(1, &en)]
    }
}

/// A severity with its code.
fn named(severity: &Severity) -> Both {
    both(&severity.name).map(|name| format!("{} {name}", severity.code))
}
