//! The crates of the workspace and the arrows between them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// A crate of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its folder, from the root of the workspace.
    pub folder: PathBuf,
    /// Its licence.
    pub licence: Option<String>,
    /// What its product is built from, by name: ours and others'.
    pub needs: BTreeSet<String>,
    /// What its tests and benches need besides.
    pub needs_for_tests: BTreeSet<String>,
}

impl Crate {
    /// Whether it is one of the whole-system tests.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.folder.starts_with("tests")
    }
}

/// What a crate of ours may need of ours.
#[derive(Clone, Copy, Debug)]
pub struct Arrows<'a> {
    /// The crate.
    pub from: &'a str,
    /// The crates it may be built from.
    pub to: &'a [&'a str],
}

/// The crates of the workspace at this root.
///
/// # Errors
///
/// What `cargo metadata` says when it cannot read the workspace.
pub fn crates(root: &Path) -> Result<Vec<Crate>, cargo_metadata::Error> {
    let metadata = MetadataCommand::new().current_dir(root).no_deps().exec()?;
    Ok(of_metadata(&metadata))
}

fn of_metadata(metadata: &Metadata) -> Vec<Crate> {
    let described = |package: &cargo_metadata::Package| {
        let of_kind = |tests: bool| {
            package
                .dependencies
                .iter()
                .filter(|d| (d.kind == DependencyKind::Development) == tests)
                .map(|d| d.name.clone())
                .collect()
        };
        let folder = package.manifest_path.parent().map(|p| p.as_std_path());
        Crate {
            name: package.name.to_string(),
            folder: folder
                .and_then(|f| f.strip_prefix(&metadata.workspace_root).ok())
                .unwrap_or(Path::new(""))
                .into(),
            licence: package.license.clone(),
            needs: of_kind(false),
            needs_for_tests: of_kind(true),
        }
    };
    metadata
        .workspace_packages()
        .into_iter()
        .map(described)
        .collect()
}

/// Each arrow that is not allowed, as a sentence; none is what one wants.
///
/// A crate's tests may use what the crate itself may, itself, and `in_tests`.
/// Crates under `tests/` may use everything, and nothing else may use them.
#[must_use]
pub fn wrong_arrows(crates: &[Crate], allowed: &[Arrows<'_>], in_tests: &[&str]) -> Vec<String> {
    let ours: BTreeSet<&str> = crates.iter().map(|c| c.name.as_str()).collect();
    let mut wrong = Vec::new();
    for from in crates.iter().filter(|c| !c.is_test()) {
        let name = from.name.as_str();
        let Some(arrows) = allowed.iter().find(|a| a.from == name) else {
            wrong.push(format!(
                "{name} is not in the table: say what it may depend on"
            ));
            continue;
        };
        let is_ours = |to: &&String| ours.contains(to.as_str());
        for to in from.needs.iter().filter(is_ours) {
            if !arrows.to.contains(&to.as_str()) {
                wrong.push(format!("{name} must not depend on {to}"));
            }
        }
        for to in from.needs_for_tests.iter().filter(is_ours) {
            let known = arrows.to.iter().chain(in_tests);
            if to != name && !known.into_iter().any(|k| k == to) {
                wrong.push(format!("the tests of {name} must not depend on {to}"));
            }
        }
    }
    for arrows in allowed.iter().filter(|a| !ours.contains(a.from)) {
        wrong.push(format!(
            "{} is in the table and not in the workspace",
            arrows.from
        ));
    }
    wrong
}

/// Each crate of these that is built from something it must do without.
#[must_use]
pub fn impure(crates: &[Crate], pure: &[&str], forbidden: &[&str]) -> Vec<String> {
    crates
        .iter()
        .filter(|c| pure.contains(&c.name.as_str()))
        .flat_map(|c| c.needs.iter().map(move |need| (c, need)))
        .filter(|(_, need)| forbidden.contains(&need.as_str()))
        .map(|(c, need)| format!("{} is pure and must do without {need}", c.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, folder: &str, needs: &[&str], for_tests: &[&str]) -> Crate {
        let names = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Crate {
            name: name.into(),
            folder: folder.into(),
            licence: Some("Apache-2.0".into()),
            needs: names(needs),
            needs_for_tests: names(for_tests),
        }
    }

    const TABLE: &[Arrows<'_>] = &[
        Arrows {
            from: "low",
            to: &[],
        },
        Arrows {
            from: "high",
            to: &["low"],
        },
    ];

    fn wrong(crates: &[Crate]) -> Vec<String> {
        wrong_arrows(crates, TABLE, &["clocks"])
    }

    #[test]
    fn arrows_that_run_down_are_fine() {
        let crates = [
            node("low", "core/low", &["serde"], &["proptest"]),
            node("high", "core/high", &["low"], &["low", "high"]),
            node("world", "tests/world", &["low", "high"], &[]),
        ];
        assert_eq!(wrong(&crates), Vec::<String>::new());
    }

    #[test]
    fn an_arrow_that_runs_up_is_found() {
        let crates = [
            node("low", "core/low", &["high"], &[]),
            node("high", "core/high", &[], &[]),
        ];
        assert_eq!(wrong(&crates), ["low must not depend on high"]);
    }

    #[test]
    fn an_arrow_that_runs_up_in_tests_is_found_too() {
        let crates = [
            node("low", "core/low", &[], &["high"]),
            node("high", "core/high", &[], &[]),
        ];
        assert_eq!(wrong(&crates), ["the tests of low must not depend on high"]);
    }

    #[test]
    fn nothing_may_depend_on_the_tests() {
        let crates = [
            node("low", "core/low", &["world"], &["world"]),
            node("high", "core/high", &[], &[]),
            node("world", "tests/world", &[], &[]),
        ];
        assert_eq!(wrong(&crates).len(), 2);
    }

    #[test]
    fn the_table_and_the_workspace_name_the_same_crates() {
        let crates = [
            node("low", "core/low", &[], &[]),
            node("new", "core/new", &[], &[]),
        ];
        let found = wrong(&crates);
        assert!(found[0].starts_with("new is not in the table"), "{found:?}");
        assert!(found[1].starts_with("high is in the table"), "{found:?}");
    }

    #[test]
    fn a_pure_crate_that_reaches_out_is_found() {
        let crates = [node("low", "core/low", &["tokio", "serde"], &[])];
        assert_eq!(
            impure(&crates, &["low"], &["tokio", "rusqlite"]),
            ["low is pure and must do without tokio"]
        );
        assert!(impure(&crates, &["high"], &["tokio"]).is_empty());
    }
}
