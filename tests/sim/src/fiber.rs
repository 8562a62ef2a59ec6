//! A call of the engine that stops at each request.
//!
//! The engine blocks while it waits for an answer. Here the call runs on a
//! thread of its own that hands control back with every request and is handed
//! it again with the answer. One thread of a run is awake at any time, so the
//! order of things is the simulation's alone.

use gridwalk_engine::{Request, Response, Transport, TransportError};
use std::panic;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What a request came to.
pub(crate) type Answer = Result<Response, TransportError>;

/// Where a call stands.
pub(crate) enum Step<T> {
    /// It waits for the answer to this.
    Asks(Request),
    /// It is over.
    Ended(T),
}

/// A call under way.
pub(crate) struct Fiber<T> {
    steps: Receiver<Step<T>>,
    answers: Sender<Answer>,
    thread: JoinHandle<()>,
}

struct Line<T> {
    steps: Sender<Step<T>>,
    answers: Mutex<Receiver<Answer>>,
}

impl<T: Send> Transport for Line<T> {
    fn send(&self, request: &Request) -> Answer {
        let gone = |_| TransportError::Unreachable {
            message: "the simulation is over".to_owned(),
        };
        let asks = Step::Asks(request.clone());
        self.steps.send(asks).map_err(|_| gone(()))?;
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.recv().map_err(|_| gone(()))?
    }

    fn host(&self) -> String {
        "district".to_owned()
    }
}

impl<T: Send + 'static> Fiber<T> {
    /// Begins a call and runs it up to its first request.
    pub(crate) fn start(
        work: impl FnOnce(&dyn Transport) -> T + Send + 'static,
    ) -> (Self, Step<T>) {
        let (to_us, steps) = channel();
        let (answers, to_it) = channel();
        let line = Line {
            steps: to_us.clone(),
            answers: Mutex::new(to_it),
        };
        let thread = thread::spawn(move || {
            let out = work(&line);
            let _ = to_us.send(Step::Ended(out));
        });
        let fiber = Self {
            steps,
            answers,
            thread,
        };
        fiber.next()
    }

    /// Hands it the answer and runs it up to its next request.
    pub(crate) fn resume(self, answer: Answer) -> (Self, Step<T>) {
        // It waits for just this.
        let _ = self.answers.send(answer);
        self.next()
    }

    fn next(self) -> (Self, Step<T>) {
        match self.steps.recv() {
            Ok(step) => (self, step),
            // It fell: what it says is what went wrong.
            Err(_) => match self.thread.join() {
                Err(fell) => panic::resume_unwind(fell),
                Ok(()) => unreachable!("a call ends with a word or falls"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_engine::Method;

    fn request(path: &str) -> Request {
        Request {
            method: Method::Get,
            path: path.to_owned(),
            headers: vec![],
            body: vec![],
        }
    }

    #[test]
    fn a_call_waits_at_each_request_and_ends_with_its_result() {
        let (fiber, step) = Fiber::start(|line| {
            let first = line.send(&request("/1")).expect("answered").status;
            line.send(&request("/2")).expect_err("no answer");
            first
        });
        assert!(matches!(step, Step::Asks(asked) if asked.path == "/1"));
        let ok = Response {
            status: 204,
            headers: vec![],
            body: vec![],
        };
        let (fiber, step) = fiber.resume(Ok(ok));
        assert!(matches!(step, Step::Asks(asked) if asked.path == "/2"));
        let (_, step) = fiber.resume(Err(TransportError::TimedOut));
        assert!(matches!(step, Step::Ended(204)));
    }
}
