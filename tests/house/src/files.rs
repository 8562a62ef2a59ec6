//! The files of the repository.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository, path from its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it; none where it is no text.
    pub text: Option<String>,
}

impl File {
    /// Whether its name ends so.
    #[must_use]
    pub fn is_one_of(&self, extensions: &[&str]) -> bool {
        let extension = self.path.extension().and_then(|e| e.to_str());
        extension.is_some_and(|e| extensions.contains(&e))
    }
}

/// The files that git keeps, and those it would keep after `git add`.
///
/// # Errors
///
/// When this is no checkout, or a file cannot be read.
pub fn kept(root: &Path) -> io::Result<Vec<File>> {
    let listed = listed(root, &["--cached", "--others", "--exclude-standard"])?;
    let mut files = Vec::new();
    for path in listed {
        match std::fs::read(root.join(&path)) {
            Ok(bytes) => files.push(File {
                path,
                text: String::from_utf8(bytes).ok(),
            }),
            // Deleted, and git has not been told yet; or a link to a folder.
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::IsADirectory
                ) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(files)
}

/// The paths of the files that git keeps now.
///
/// # Errors
///
/// When this is no checkout.
pub fn tracked(root: &Path) -> io::Result<Vec<PathBuf>> {
    listed(root, &["--cached"])
}

fn listed(root: &Path, which: &[&str]) -> io::Result<Vec<PathBuf>> {
    let answer = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(["ls-files", "-z"])
        .args(which)
        .output()?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        return Err(io::Error::other(format!(
            "git ls-files: {said}; this needs a git checkout"
        )));
    }
    let paths = String::from_utf8_lossy(&answer.stdout).into_owned();
    Ok(paths.split_terminator('\0').map(PathBuf::from).collect())
}

/// Each file of more than `most` lines, longest first, with its number of lines.
#[must_use]
pub fn longer_than<'a>(
    files: &'a [File],
    most: usize,
    extensions: &[&str],
) -> Vec<(usize, &'a Path)> {
    let mut long: Vec<_> = files
        .iter()
        .filter(|f| f.is_one_of(extensions))
        .map(|f| {
            (
                f.text.as_deref().unwrap_or_default().lines().count(),
                f.path.as_path(),
            )
        })
        .filter(|(lines, _)| *lines > most)
        .collect();
    long.sort_by(|a, b| b.cmp(a));
    long
}

/// Each line that holds one of these texts at the start of a path, as
/// `file:line: text`. `androidx/work/` is a path of its own and no folder of a machine.
#[must_use]
pub fn naming(files: &[File], places: &[&str], except: &[&str]) -> Vec<String> {
    let begins_a_path = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/}".contains(c)))
    };
    let names = |line: &str| {
        places.iter().any(|place| {
            line.match_indices(place)
                .any(|(at, _)| begins_a_path(line, at))
        })
    };
    let looked_at = |f: &&File| !except.iter().any(|folder| f.path.starts_with(folder));
    let mut found = Vec::new();
    for file in files.iter().filter(looked_at) {
        for (line, number) in file.text.as_deref().unwrap_or_default().lines().zip(1..) {
            if names(line) {
                let shown: String = line.trim().chars().take(100).collect();
                found.push(format!("{}:{number}: {shown}", file.path.display()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.into(),
            text: Some(text.into()),
        }
    }

    #[test]
    fn long_files_of_the_named_kinds_are_found() {
        let files = [
            file("a.rs", &"x\n".repeat(11)),
            file("b.rs", &"x\n".repeat(10)),
            file("c.json", &"x\n".repeat(99)),
            file("d.ts", &"x\n".repeat(20)),
        ];
        let long = longer_than(&files, 10, &["rs", "ts"]);
        assert_eq!(long, [(20, Path::new("d.ts")), (11, Path::new("a.rs"))]);
    }

    #[test]
    fn folders_of_a_machine_are_found_and_look_alikes_are_not() {
        let files = [
            file("a.md", "fine\nsee /machine/main/x\n"),
            file(
                "b.lock",
                "androidx/machine/runtime and ${dir}/machine/ and ../machine/\n",
            ),
            file(".ci/run", "cd /machine/main\n"),
        ];
        assert_eq!(
            naming(&files, &["/machine/"], &[".ci"]),
            ["a.md:2: see /machine/main/x"]
        );
    }

    #[test]
    fn a_folder_without_git_says_so() {
        let error = kept(Path::new("/")).unwrap_err().to_string();
        assert!(error.contains("git checkout"), "{error}");
    }
}
