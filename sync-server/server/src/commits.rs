//! Commits that are shared.
//!
//! The disk's sync is what a commit costs, and one sync serves any number of
//! writes. Whoever comes while a commit is under way queues up; whoever then
//! gets the lead runs the whole queue in one transaction, and all are answered
//! after the commit. Most jobs succeed and a savepoint costs a copy of every page
//! that changes under it, so only where one of several fails do all run again,
//! each in a savepoint of its own. There is no thread and no waiting for a time:
//! alone, a job commits at once.

use gridwalk_store::{Store, StoreError, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;

type Answer<T> = Arc<Mutex<Option<Result<T, Error>>>>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded here is never left half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a job went, while the transaction can be used on.
#[derive(PartialEq, Eq)]
enum Run {
    /// What it wrote is to be kept.
    Done,
    /// It failed, and what it wrote is undone.
    Undone,
    /// It failed, and what it wrote is still there.
    Failed,
}

trait Job: Send {
    /// Does its work, in a savepoint where it is to be undone alone; an error
    /// means that the transaction is lost.
    fn run(&mut self, tx: &mut dyn Write, apart: bool) -> Result<Run, StoreError>;
    /// Gives the answer, once the commit is durable or has failed.
    fn settle(&mut self, committed: Result<(), StoreError>);
}

struct Typed<T, F> {
    work: F,
    result: Option<Result<T, Error>>,
    answer: Answer<T>,
}

impl<T, F> Job for Typed<T, F>
where
    T: Send,
    F: FnMut(&mut dyn Write) -> Result<T, Error> + Send,
{
    fn run(&mut self, tx: &mut dyn Write, apart: bool) -> Result<Run, StoreError> {
        if apart {
            tx.savepoint()?;
        }
        let result = (self.work)(tx);
        let run = match &result {
            Err(Error::Store(error)) if error.ends_transaction() => return Err(error.clone()),
            Ok(_) => Run::Done,
            Err(_) if apart => Run::Undone,
            Err(_) => Run::Failed,
        };
        match run {
            Run::Done if apart => tx.release()?,
            Run::Undone => tx.rollback()?,
            Run::Done | Run::Failed => {}
        }
        self.result = Some(result);
        Ok(run)
    }

    fn settle(&mut self, committed: Result<(), StoreError>) {
        let result = match (committed, self.result.take()) {
            // The job's own refusal stands, whatever became of the others.
            (_, Some(Err(error))) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(StoreError::Failed("the job did not run".into()).into()),
            (Err(error), _) => Err(error.into()),
        };
        *lock(&self.answer) = Some(result);
    }
}

/// The queue and the lead.
#[derive(Default)]
pub(crate) struct Commits {
    queue: Mutex<Vec<Box<dyn Job>>>,
    lead: Mutex<()>,
}

impl Commits {
    /// Runs `work` in a transaction that others may share; on return it is
    /// durable. Where it fails, what it wrote is undone, and only that.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        store: &dyn Store,
        work: impl FnMut(&mut dyn Write) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let answer: Answer<T> = Arc::default();
        lock(&self.queue).push(Box::new(Typed {
            work,
            result: None,
            answer: Arc::clone(&answer),
        }));
        let _lead = lock(&self.lead);
        if let Some(answer) = lock(&answer).take() {
            return answer;
        }
        let mut jobs = std::mem::take(&mut *lock(&self.queue));
        run_all(store, &mut jobs);
        // None where the one who led before us fell while it ran our job.
        let fallen = || Err(StoreError::Failed("the commit was interrupted".into()).into());
        lock(&answer).take().unwrap_or_else(fallen)
    }
}

fn run_all(store: &dyn Store, jobs: &mut [Box<dyn Job>]) {
    let mut apart = false;
    let committed = loop {
        let mut failed = false;
        let committed = store.write(&mut |tx| {
            for job in &mut *jobs {
                failed = job.run(tx, apart)? == Run::Failed;
                if failed {
                    return Err(StoreError::Failed("a job failed".into()));
                }
            }
            Ok(())
        });
        if failed && jobs.len() > 1 {
            apart = true;
        } else if committed != Err(StoreError::Conflict) {
            break committed;
        }
    };
    for job in jobs {
        job.settle(committed.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;
    use gridwalk_domain::{GridId, StreamKey, TenantId};
    use gridwalk_store::memory::MemoryStore;
    use gridwalk_store::{Read, StreamHead};
    use std::sync::atomic::{AtomicUsize, Ordering};

    const TENANT: TenantId = TenantId::from_bytes([1; 16]);
    const STREAM: StreamKey = StreamKey::Records(GridId::from_bytes([1; 16]));

    /// Counts transactions, and can be told to fail the next one.
    #[derive(Default)]
    struct Counting {
        store: MemoryStore,
        commits: AtomicUsize,
        fail: std::sync::atomic::AtomicBool,
    }

    impl Store for Counting {
        fn read(
            &self,
            run: &mut dyn FnMut(&dyn Read) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            self.store.read(run)
        }

        fn write(
            &self,
            run: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            self.commits.fetch_add(1, Ordering::Relaxed);
            let fails = self.fail.load(Ordering::Relaxed);
            self.store.write(&mut |tx| {
                run(tx)?;
                if fails { Err(StoreError::Full) } else { Ok(()) }
            })
        }

        fn copy(&self, folder: &std::path::Path) -> Result<Arc<dyn Store>, StoreError> {
            self.store.copy(folder)
        }

        fn replace(&self, copy: &dyn Store) -> Result<(), StoreError> {
            self.store.replace(copy)
        }

        fn check(&self) -> Result<(), StoreError> {
            self.store.check()
        }

        fn scrub(&self) -> Result<(), StoreError> {
            self.store.scrub()
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self.store.as_any()
        }
    }

    fn count(tx: &mut dyn Write) -> Result<u64, Error> {
        let head = tx.heads(TENANT, &[STREAM])?[0];
        let next = StreamHead {
            seq: head.seq + 1,
            ..head
        };
        tx.put_heads(TENANT, &[(STREAM, next)])?;
        Ok(next.seq)
    }

    fn stands_at(store: &Counting) -> u64 {
        gridwalk_store::read::<_, StoreError>(store, |tx| Ok(tx.heads(TENANT, &[STREAM])?[0].seq))
            .expect("reads")
    }

    #[test]
    fn many_writers_share_commits_and_each_is_answered_once() {
        let (store, commits) = (Counting::default(), Commits::default());
        let numbers = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        (0..50)
                            .map(|_| commits.run(&store, count).expect("commits"))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            let numbers = threads.into_iter().flat_map(|t| t.join().expect("runs"));
            numbers.collect::<std::collections::BTreeSet<_>>()
        });
        assert_eq!(numbers, (1..=400).collect());
        assert_eq!(stands_at(&store), 400);
        assert!(store.commits.load(Ordering::Relaxed) <= 400);
    }

    #[test]
    fn a_job_that_refuses_undoes_itself_alone() {
        let (store, commits) = (Counting::default(), Commits::default());
        let refused: Result<u64, Error> = commits.run(&store, |tx| {
            count(tx)?;
            Err(Fault::not_found().into())
        });
        assert_eq!(refused, Err(Fault::not_found().into()));
        assert_eq!(commits.run(&store, count), Ok(1));
    }

    #[test]
    fn a_job_that_refuses_among_others_undoes_itself_alone() {
        let (store, commits) = (Counting::default(), Commits::default());
        let answers: Vec<Result<u64, Error>> = std::thread::scope(|scope| {
            let lead = lock(&commits.lead);
            let threads: Vec<_> = (0..8)
                .map(|n| {
                    let (store, commits) = (&store, &commits);
                    scope.spawn(move || {
                        commits.run(store, move |tx| {
                            let number = count(tx)?;
                            if n % 2 == 0 {
                                Ok(number)
                            } else {
                                Err(Fault::not_found().into())
                            }
                        })
                    })
                })
                .collect();
            while lock(&commits.queue).len() < 8 {
                std::thread::yield_now();
            }
            drop(lead);
            threads
                .into_iter()
                .map(|t| t.join().expect("runs"))
                .collect()
        });
        let numbers: std::collections::BTreeSet<u64> = answers.into_iter().flatten().collect();
        assert_eq!(numbers, (1..=4).collect());
        assert_eq!(stands_at(&store), 4);
        let tries = store.commits.load(Ordering::Relaxed);
        assert_eq!(tries, 2, "all together, and once more, each apart");
    }

    #[test]
    fn a_commit_that_fails_is_no_answer() {
        let (store, commits) = (Counting::default(), Commits::default());
        store.fail.store(true, Ordering::Relaxed);
        assert_eq!(commits.run(&store, count), Err(StoreError::Full.into()));
        store.fail.store(false, Ordering::Relaxed);
        assert_eq!(commits.run(&store, count), Ok(1));
    }
}
