//! The house as it must stand. What is allowed is data; a new crate, arrow or
//! exception is written here on purpose, and in docs/architecture.md.

use std::path::{Path, PathBuf};

use gridwalk_house::files::{self, File};
use gridwalk_house::graph::{self, Arrows, Crate};

const DOMAIN: &str = "gridwalk-domain";
const TRACK: &str = "gridwalk-track";
const MEDIA: &str = "gridwalk-media";
const SYSTEM: &str = "gridwalk-system";
const ENGINE: &str = "gridwalk-engine";
const STORE: &str = "gridwalk-store";
const STORE_SQLITE: &str = "gridwalk-store-sqlite";

/// Arrows run down only. The phone's side and the server's side meet in the
/// domain and in the tracks, and nowhere else.
const ARROWS: &[Arrows<'_>] = &[
    Arrows {
        from: DOMAIN,
        to: &[],
    },
    Arrows {
        from: SYSTEM,
        to: &[DOMAIN],
    },
    Arrows {
        from: TRACK,
        to: &[DOMAIN],
    },
    Arrows {
        from: MEDIA,
        to: &[DOMAIN],
    },
    // The phone.
    Arrows {
        from: ENGINE,
        to: &[DOMAIN, TRACK, MEDIA],
    },
    Arrows {
        from: "gridwalk-cli",
        to: &[DOMAIN, TRACK, ENGINE, SYSTEM],
    },
    Arrows {
        from: "gridwalk-ffi",
        to: &[DOMAIN, TRACK, ENGINE, SYSTEM],
    },
    Arrows {
        from: "gridwalk-bindgen",
        to: &[],
    },
    // The server.
    Arrows {
        from: STORE,
        to: &[DOMAIN, TRACK],
    },
    Arrows {
        from: STORE_SQLITE,
        to: &[DOMAIN, TRACK, STORE],
    },
    Arrows {
        from: "gridwalk-server",
        to: &[DOMAIN, TRACK, MEDIA, SYSTEM, STORE, STORE_SQLITE],
    },
];

/// What a crate's own tests may use besides: real clocks and entropy.
const IN_TESTS: &[&str] = &[SYSTEM];

/// State and input in, state and output out.
const PURE: &[&str] = &[DOMAIN, TRACK, MEDIA];
/// Crates that read a disk, a socket, a clock or a random source.
const REACHING_OUT: &[&str] = &[
    "fastrand",
    "getrandom",
    "hyper",
    "object_store",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "tokio",
];

/// The crates that may hold unsafe code: what UniFFI generates is, and so is a
/// file system for SQLite.
const UNSAFE: &[&str] = &["gridwalk-ffi", "gridwalk-sim"];
/// The one file of ours that does.
const UNSAFE_FILE: &str = "tests/sim/src/disk/vfs.rs";

/// What clippy.toml must go on banning.
const BANNED: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "chrono::Utc::now",
    "chrono::Local::now",
    "uuid::Uuid::new_v4",
    "uuid::Uuid::now_v7",
    "getrandom::fill",
    "std::thread::sleep",
];

/// Sources, whose length is looked at.
const SOURCES: &[&str] = &["rs", "ts", "vue", "kt", "swift", "py"];
/// Past this a file is asked what two things it is; the test only says so.
const LONG: usize = 600;
/// Past this the test fails.
const TOO_LONG: usize = 900;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap_or(Path::new("/"))
        .into()
}

fn crates() -> Vec<Crate> {
    match graph::crates(&root()) {
        Ok(crates) => crates,
        Err(error) => panic!("{error}"),
    }
}

fn kept() -> Vec<File> {
    match files::kept(&root()) {
        Ok(files) => files,
        Err(error) => panic!("{error}"),
    }
}

fn toml(path: impl AsRef<Path>) -> toml::Table {
    let path = root().join(path);
    match std::fs::read_to_string(&path).map(|text| text.parse()) {
        Ok(Ok(table)) => table,
        other => panic!("{}: {other:?}", path.display()),
    }
}

fn assert_none<T: std::fmt::Display>(what: &str, found: &[T]) {
    let listed: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{what}:\n  {}", listed.join("\n  "));
}

#[test]
fn arrows_run_strictly_down() {
    assert_none("arrows", &graph::wrong_arrows(&crates(), ARROWS, IN_TESTS));
}

#[test]
fn pure_crates_reach_out_for_nothing() {
    assert_none("not pure", &graph::impure(&crates(), PURE, REACHING_OUT));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let lints = &toml("Cargo.toml")["workspace"]["lints"];
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    assert!(
        lints["clippy"].get("disallowed_methods").is_none(),
        "its default is to warn"
    );
    let inherits = |c: &Crate| {
        let manifest = toml(c.folder.join("Cargo.toml"));
        manifest
            .get("lints")
            .and_then(|l| l.get("workspace"))
            .and_then(toml::Value::as_bool)
    };
    let without: Vec<_> = crates()
        .into_iter()
        .filter(|c| inherits(c) != Some(true) && !UNSAFE.contains(&c.name.as_str()))
        .map(|c| c.name)
        .collect();
    assert_none("crates without [lints] workspace = true", &without);
}

#[test]
fn unsafe_code_is_written_in_one_file() {
    let lifts = |f: &File| {
        let text = f.text.as_deref().unwrap_or_default();
        ["expect", "allow"]
            .iter()
            .any(|word| text.contains(&format!("{word}(unsafe_code")))
    };
    let found: Vec<_> = kept()
        .into_iter()
        .filter(|f| f.is_one_of(&["rs"]) && lifts(f))
        .map(|f| f.path.display().to_string())
        .collect();
    assert_eq!(found, [UNSAFE_FILE]);
    let lints = &toml("tests/sim/Cargo.toml")["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("deny"));
}

#[test]
fn clocks_and_random_sources_stay_banned() {
    let clippy = toml("clippy.toml");
    let paths: Vec<&str> = clippy["disallowed-methods"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|method| method.get("path").unwrap_or(method).as_str())
        .collect();
    let missing: Vec<_> = BANNED
        .iter()
        .filter(|banned| !paths.contains(banned))
        .collect();
    assert_none("no longer banned in clippy.toml", &missing);
}

/// The ban can be lifted where it stands; in core/ and sync-server/ only for
/// the crate that is the system, and in mains: programs', and those of benches.
#[test]
fn only_mains_and_the_system_lift_the_ban() {
    let lifts = |f: &File| {
        f.text
            .as_deref()
            .unwrap_or_default()
            .contains("disallowed_methods")
    };
    let bench = |path: &Path| {
        path.parent()
            .is_some_and(|folder| folder.ends_with("benches"))
    };
    let may = |path: &Path| {
        path.starts_with("core/system") || path.ends_with("src/main.rs") || bench(path)
    };
    let found: Vec<_> = kept()
        .into_iter()
        .filter(|f| f.is_one_of(&["rs", "toml"]) && lifts(f) && !may(&f.path))
        .filter(|f| f.path.starts_with("core") || f.path.starts_with("sync-server"))
        .map(|f| f.path.display().to_string())
        .collect();
    assert_none("clippy's ban on clocks is lifted in", &found);
}

#[test]
fn no_file_is_too_long_to_live_in() {
    let files = kept();
    for (lines, path) in files::longer_than(&files, LONG, SOURCES) {
        println!(
            "{} has {lines} lines: is it still one thing?",
            path.display()
        );
    }
    let too_long: Vec<_> = files::longer_than(&files, TOO_LONG, SOURCES)
        .into_iter()
        .map(|(lines, path)| format!("{} ({lines})", path.display()))
        .collect();
    assert_none("more than 900 lines", &too_long);
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    // Put together here, so that this file does not name them either.
    let places = ["work/", "tmp/bash_jobs"].map(|place| format!("/{place}"));
    let places = places.each_ref().map(String::as_str);
    assert_none(
        "folders of a machine",
        &files::naming(&kept(), &places, &[".ci"]),
    );
}

#[test]
fn the_licence_is_the_same_everywhere() {
    let other: Vec<_> = crates()
        .into_iter()
        .filter(|c| c.licence.as_deref() != Some("Apache-2.0"))
        .map(|c| format!("{}: {:?}", c.name, c.licence))
        .collect();
    assert_none("crates under another licence", &other);
    for file in kept().iter().filter(|f| f.path.ends_with("package.json")) {
        let text = file.text.as_deref().unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json["license"], "Apache-2.0", "{}", file.path.display());
    }
    let text = std::fs::read_to_string(root().join("LICENSE")).unwrap();
    for part in [
        "Apache License",
        "Version 2.0, January 2004",
        "END OF TERMS AND CONDITIONS",
    ] {
        assert!(text.contains(part), "LICENSE lacks {part:?}");
    }
}

#[test]
fn lock_files_are_committed() {
    let tracked = files::tracked(&root()).unwrap();
    let mut missing = Vec::new();
    let packages = tracked.iter().filter(|path| path.ends_with("package.json"));
    let locks = packages.map(|path| path.with_file_name("package-lock.json"));
    for lock in locks.chain(["Cargo.lock", "sync-server/web/package-lock.json"].map(PathBuf::from))
    {
        if !tracked.contains(&lock) {
            missing.push(lock.display().to_string());
        }
    }
    assert_none("not committed", &missing);
}
