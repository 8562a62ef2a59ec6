//! A phone in a process of its own, so that it can be killed as a phone's
//! system kills an app: at any instant, without a word.
//!
//! The driver writes a line for each minute; the phone answers with what it
//! acknowledged, a JSON line each, and `done`.

use anyhow::{Context as _, Result};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use crate::clock::WorldClock;
use crate::ledger::Event;
use crate::phone::{Phone, Setup};

const DONE: &str = "done";

/// The driver's end.
pub(crate) struct Puppet {
    setup: PathBuf,
    process: Option<(Child, BufReader<ChildStdout>)>,
}

impl Puppet {
    /// Starts the process; it opens its phone at `minute`.
    ///
    /// # Errors
    /// Where the process cannot be started or its phone not be opened.
    pub(crate) fn start(setup: PathBuf, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<Self> {
        let mut puppet = Self {
            setup,
            process: None,
        };
        puppet.restart(minute, tell)?;
        Ok(puppet)
    }

    /// Starts it again after a kill.
    ///
    /// # Errors
    /// As for [`Puppet::start`].
    pub(crate) fn restart(&mut self, minute: u32, tell: &mut dyn FnMut(Event)) -> Result<()> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("phone")
            .arg(&self.setup)
            .arg(minute.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("a phone's process could not be started")?;
        let out = BufReader::new(child.stdout.take().context("its output is piped")?);
        self.process = Some((child, out));
        self.hear(tell, usize::MAX).map(drop)
    }

    /// Lets it live through a minute (or `live`, `sync`).
    ///
    /// # Errors
    /// Where the phone failed; it says why on standard error.
    pub(crate) fn say(&mut self, line: &str, tell: &mut dyn FnMut(Event)) -> Result<()> {
        self.order(line)?;
        self.hear(tell, usize::MAX).map(drop)
    }

    /// Lets it begin a minute and kills it after `events` acknowledgements;
    /// those already on their way still count.
    ///
    /// # Errors
    /// Where the phone failed before.
    pub(crate) fn kill_in(
        &mut self,
        line: &str,
        events: usize,
        tell: &mut dyn FnMut(Event),
    ) -> Result<()> {
        self.order(line)?;
        self.hear(tell, events)?;
        let (mut child, mut out) = self.process.take().context("it runs")?;
        child
            .kill()
            .context("the phone's process could not be killed")?;
        child.wait()?;
        let mut said = String::new();
        // The last line may be torn: it was never acknowledged.
        while out.read_line(&mut said)? > 0 {
            serde_json::from_str(&said)
                .map(&mut *tell)
                .unwrap_or_default();
            said.clear();
        }
        Ok(())
    }

    fn order(&mut self, line: &str) -> Result<()> {
        let (child, _) = self.process.as_mut().context("it runs")?;
        let mut orders = child.stdin.as_ref().context("its input is piped")?;
        writeln!(orders, "{line}").context("the phone's process is gone")
    }

    fn hear(&mut self, tell: &mut dyn FnMut(Event), most: usize) -> Result<usize> {
        let (_, out) = self.process.as_mut().context("it runs")?;
        let mut said = String::new();
        let mut heard = 0;
        while heard < most {
            said.clear();
            anyhow::ensure!(
                out.read_line(&mut said)? > 0,
                "the phone's process ended too early"
            );
            if said.trim_end() == DONE {
                break;
            }
            tell(serde_json::from_str(&said)?);
            heard += 1;
        }
        Ok(heard)
    }
}

impl Drop for Puppet {
    /// The phone ends with its driver: its input closes.
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.process.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// The phone's end: the main of its process.
///
/// # Errors
/// Whatever the phone met.
pub(crate) fn main(setup: &Path, minute: u32) -> Result<()> {
    let setup: Setup = serde_json::from_slice(&fs::read(setup)?)?;
    let clock = Arc::new(WorldClock::new(setup.clock_start_ms, setup.boot));
    clock.advance_to(setup.day.time_ms(minute));
    let midnight_ms = setup.day.midnight_ms;
    let mut broken = None;
    let mut tell = |event: Event| {
        let said = serde_json::to_string(&event).map_err(io::Error::from);
        broken = broken.take().or(said.and_then(|text| answer(&text)).err());
    };
    let mut phone = Phone::open(setup, clock.clone(), minute, &mut tell)?;
    answer(DONE)?;
    for line in io::stdin().lock().lines() {
        match line?.as_str() {
            "live" => clock.go_live(),
            "sync" => phone.sync()?,
            minute => {
                let minute = minute.parse()?;
                clock.advance_to(midnight_ms + i64::from(minute) * 60_000);
                phone.live(minute, &mut tell)?;
            }
        }
        answer(DONE)?;
    }
    broken.map_or(Ok(()), |error| {
        Err(error).context("the driver does not listen")
    })
}

/// One line, flushed: what was said stays said when the process is killed.
fn answer(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
