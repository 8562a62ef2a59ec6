//! The program itself, run as its operator does.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

pub fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridwalk-server"));
    command.arg("--data").arg(data).args(["--lang", "en"]);
    command
}

pub fn run(data: &Path, arguments: &[&str]) -> Output {
    program(data).args(arguments).output().expect("runs")
}

pub fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The one line that a failure says.
pub fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

pub struct Serving {
    pub child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    pub url: String,
}

pub fn serve(data: &Path, listen: &str) -> Serving {
    let mut child = program(data)
        .args(["serve", "--listen", listen])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = lines
        .by_ref()
        .map(|line| line.expect("a line"))
        .find_map(|line| {
            line.split_whitespace()
                .find(|word| word.starts_with("http://"))
                .map(str::to_owned)
        });
    Serving {
        child,
        lines,
        url: url.expect("the address"),
    }
}

impl Serving {
    /// Ends it as a service manager does.
    pub fn end(mut self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("runs");
        assert!(killed.success());
        let rest: Vec<_> = self.lines.map(|line| line.expect("a line")).collect();
        assert_eq!(rest.last().map(String::as_str), Some("Stopped."));
        assert!(
            self.child.wait().expect("ends").success(),
            "a graceful end is a good end"
        );
    }
}

impl Serving {
    /// Ends it as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}
