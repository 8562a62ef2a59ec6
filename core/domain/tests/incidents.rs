//! docs/incidents.md says what the code says: its table of steps is the
//! table, and its examples read.

#![allow(clippy::expect_used, reason = "a test says what it expected")]

use gridwalk_domain::kind::KINDS;
use gridwalk_domain::kind::incident;
use gridwalk_domain::{Calendar, Catalogue};

const PAGE: &str = include_str!("../../../docs/incidents.md");

fn rows_after(heading: &str) -> Vec<&'static str> {
    let rest = PAGE.split(heading).nth(1).expect("the table");
    let rows = rest.lines().skip_while(|line| !line.starts_with("|--"));
    rows.skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

fn example(name: &str) -> &'static str {
    let rest = PAGE.split(&format!("```json {name}\n")).nth(1);
    let example = rest.and_then(|rest| rest.split("\n```").next());
    example.expect("the example")
}

#[test]
fn the_table_of_steps_is_the_table() {
    let told = rows_after("| step | from | to | who | must carry |");
    let list = |words: Vec<String>, by: &str| match words.join(by) {
        none if none.is_empty() => "–".to_owned(),
        some => some,
    };
    let meant = incident::KIND.steps.iter().map(|row| {
        let who = list(row.who.iter().map(ToString::to_string).collect(), "; ");
        let needs = list(row.needs.iter().map(ToString::to_string).collect(), ", ");
        let (name, from, to) = (row.name, row.from, row.to);
        format!("| {name} | {from} | {to} | {who} | {needs} |")
    });
    assert_eq!(told, meant.collect::<Vec<_>>());
}

#[test]
fn every_kind_is_in_the_table_of_rights() {
    let rows = rows_after("| kind | lives in | made by | read by |").join("\n");
    for kind in KINDS {
        assert!(rows.contains(&format!("`{}`", kind.name)), "{}", kind.name);
    }
}

#[test]
fn the_examples_read() {
    let catalogue = Catalogue::parse(example("catalogue")).expect("a catalogue");
    assert_eq!(
        catalogue.national_code("hygiene", "exposed_garbage"),
        Some("06010")
    );
    assert_eq!(
        Calendar::parse(example("calendar")).map(|calendar| calendar.version),
        Ok(1)
    );
}

/// What the page says of the catalogue that ships.
#[test]
fn the_figures_are_right() {
    let shipped = Catalogue::shipped();
    let subs: usize = shipped
        .categories
        .iter()
        .map(|category| category.subs.len())
        .sum();
    let categories = shipped.categories.len();
    let counted = format!("has {categories} categories with {subs} sub-categories");
    assert!(PAGE.contains(&counted), "{counted}");
    let bytes = serde_json::to_string(&shipped).expect("writes").len();
    let told = format!("{},{:03} bytes", bytes / 1000, bytes % 1000);
    assert!(PAGE.contains(&told), "{told}");
}
