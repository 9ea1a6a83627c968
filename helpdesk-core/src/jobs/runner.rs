//! Claiming jobs and running them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use futures_util::FutureExt as _;
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, timeout_at};

use super::{Job, JobError};
use crate::error::Result;
use crate::events::Relay;
use crate::helpdesk::{Chain, Helpdesk};
use crate::storage::{Changes, Claim, Claimed, JobOp, StorageError};

/// How long a worker may take over a job before another may have it.
const LEASE: Duration = Duration::minutes(2);
/// How long a worker works on what it took. What is not done by then is broken off while the lease still holds, so that it
/// can be said that it was.
const TIME: StdDuration = StdDuration::from_secs(100);
/// How much of that is for doing jobs at once. The rest is for each by itself.
const TOGETHER: StdDuration = StdDuration::from_secs(50);
/// How many jobs a worker takes at a time.
const HANDFUL: usize = 16;
/// How many it takes where those it took before can be done at once, and there were as many as it asked for.
const ARMFUL: usize = 100;
/// How often idle workers look for jobs that became due or that another server enqueued.
const IDLE: StdDuration = StdDuration::from_secs(1);
/// After how many attempts a job is given up.
const ATTEMPTS: u32 = 10;
/// How often the effect of a job is decided on again after its commit crossed with another.
const DECISIONS: u32 = 5;

/// What became of the jobs that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Done.
    pub done: usize,
    /// To be tried again later.
    pub retried: usize,
    /// Given up.
    pub failed: usize,
}

/// The background tasks of a server: workers that run jobs, and the relay of events. Dropping it ends them too, once
/// they have finished what they are doing.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    stop_relay: watch::Sender<bool>,
    relay: JoinHandle<()>,
}

impl Workers {
    /// Lets what runs finish, starts nothing more, and has the notifiers told of what was committed until then.
    pub async fn stop(self) {
        let Self { stop, tasks, stop_relay, relay } = self;
        stop.send_replace(true);
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker ended badly");
            }
        }
        // Only now, so that it sees what the last jobs have done.
        stop_relay.send_replace(true);
        if let Err(error) = relay.await {
            tracing::error!(%error, "the relay ended badly");
        }
    }
}

/// Whether it was said to stop, or nobody is left who could say so.
pub(crate) fn is_over(stopped: &watch::Receiver<bool>) -> bool {
    *stopped.borrow() || stopped.has_changed().is_err()
}

impl Helpdesk {
    /// Runs every job that is due at `now`, and those that become due by running them, until none is left. It wants a tokio
    /// runtime with a clock, by which jobs are broken off that take too long.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached. A job that fails is no error: the report tells.
    pub async fn run_due(&self, now: DateTime<Utc>) -> Result<RunReport> {
        let mut report = RunReport::default();
        let mut limit = HANDFUL;
        loop {
            let begun = Instant::now();
            let claimed = self.claim(now, limit).await?;
            if claimed.is_empty() {
                return Ok(report);
            }
            limit = self.next_limit(&claimed, limit);
            for jobs in self.bundles(claimed) {
                self.run_all(jobs, (begun, now), &mut report).await?;
            }
            if begun.elapsed() >= TIME {
                // What takes so long takes nobody else's time the next time.
                limit = 1;
            }
        }
    }

    /// Starts `count` workers and the relay that tells the notifiers, on the present tokio runtime.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn spawn_workers(&self, count: usize) -> Result<Workers> {
        // First what can fail, so that no worker is left behind.
        let relay = Relay::from_now(self.clone()).await?;
        let (stop_relay, relay_stopped) = watch::channel(false);
        let relay = tokio::spawn(relay.run_until(relay_stopped));
        let (stop, stopped) = watch::channel(false);
        let turn = Arc::new(Mutex::new(()));
        let work = |_| tokio::spawn(work(self.clone(), stopped.clone(), Arc::clone(&turn)));
        let tasks = (0..count.max(1)).map(work).collect();
        Ok(Workers { stop, tasks, stop_relay, relay })
    }

    async fn claim(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Claimed>> {
        let token = self.ids().id(now);
        Ok(self.store().storage().claim(Claim { now, lease: LEASE, token, limit }).await?)
    }

    /// How many jobs to take next. Many at a time only while they can be done at once, so that no worker sits on jobs
    /// that another could do.
    fn next_limit(&self, claimed: &[Claimed], limit: usize) -> usize {
        let all = !claimed.is_empty()
            && claimed.len() == limit
            && claimed.iter().all(|job| self.together(&job.name) > 1);
        if all { ARMFUL } else { HANDFUL }
    }

    fn together(&self, name: &str) -> usize {
        self.handler(name).map_or(1, |handler| handler.together().clamp(1, ARMFUL))
    }

    /// Puts those jobs together that can be done at once: of one sort and organisation.
    fn bundles(&self, claimed: Vec<Claimed>) -> Vec<Vec<Job>> {
        let mut bundles: Vec<Vec<Job>> = Vec::new();
        for job in claimed {
            let room = self.together(&job.name);
            let fits = |bundle: &&mut Vec<Job>| {
                let first = &bundle[0].0;
                bundle.len() < room && first.name == job.name && first.lease.scope == job.lease.scope
            };
            match bundles.iter_mut().find(fits) {
                Some(bundle) => bundle.push(Job(job)),
                None => bundles.push(vec![Job(job)]),
            }
        }
        bundles
    }

    /// Runs jobs that can be done at once, or else one by one. They were claimed when the worker's clock stood at `begun`.
    async fn run_all(
        &self,
        jobs: Vec<Job>,
        (begun, now): (Instant, DateTime<Utc>),
        report: &mut RunReport,
    ) -> Result<()> {
        if jobs.len() > 1 && self.attempt_together(&jobs, begun + TOGETHER).await {
            report.done += jobs.len();
            return Ok(());
        }
        for job in jobs {
            if begun.elapsed() < TIME {
                self.run(job, (begun + TIME, now), report).await?;
            } else {
                self.give_back(&job, now).await?;
            }
        }
        Ok(())
    }

    /// Gives back a job of which nothing was done.
    async fn give_back(&self, job: &Job, now: DateTime<Utc>) -> Result<()> {
        let mut changes = self.changes_at(now);
        let error = "others took all the time there was".to_owned();
        changes.push_job(JobOp::Retry { lease: job.0.lease, due: now, error });
        self.end(changes).await
    }

    /// Answers whether it worked. What went wrong shows again when the jobs are run one by one.
    async fn attempt_together(&self, jobs: &[Job], until: Instant) -> bool {
        let Some(handler) = self.handler(&jobs[0].0.name) else { return false };
        if jobs.iter().any(is_hopeless) {
            return false;
        }
        let ran = AssertUnwindSafe(handler.run_together(self, jobs)).catch_unwind();
        let Ok(Ok(Ok(mut changes))) = timeout_at(until, ran).await else { return false };
        for job in jobs {
            changes.keep_job(job.scope(), &job.0.key);
            changes.push_job(JobOp::Complete(job.0.lease));
        }
        self.commit(changes).await.is_ok()
    }

    async fn run(
        &self,
        job: Job,
        (until, now): (Instant, DateTime<Utc>),
        report: &mut RunReport,
    ) -> Result<()> {
        let lease = job.0.lease;
        let attempted = self.attempt(&job, until).await;
        let error = match attempted {
            Ok(()) => {
                report.done += 1;
                return Ok(());
            }
            Err(Attempt::Lost) => return Ok(()),
            Err(Attempt::Failed(error)) => error,
        };
        // The pause begins when it is known that there is one, however long that took.
        let now = now.max(self.now());
        let mut changes = self.changes_at(now);
        let message: String = error.message.chars().take(500).collect();
        let (name, attempt) = (&job.0.name, job.attempt());
        if error.again && attempt < ATTEMPTS {
            tracing::warn!(job = %lease.job, name, attempt, error = %Chain(&error), "a job will be tried again");
            changes.push_job(JobOp::Retry { lease, due: now + pause(job.attempt()), error: message });
            report.retried += 1;
        } else {
            tracing::error!(job = %lease.job, name, attempt, error = %Chain(&error), "a job failed");
            changes.push_job(JobOp::Fail { lease, error: message });
            report.failed += 1;
        }
        self.end(changes).await
    }

    /// Writes down that jobs were not done. Where others have them by now, that is theirs to say.
    async fn end(&self, changes: Changes) -> Result<()> {
        match self.store().commit(changes).await {
            Ok(_) | Err(StorageError::LeaseLost { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn attempt(&self, job: &Job, until: Instant) -> Result<(), Attempt> {
        let name = &job.0.name;
        if is_hopeless(job) {
            return Err(JobError::give_up("it was begun again and again, and never came to an end").into());
        }
        let handler = self.handler(name);
        let handler = handler.ok_or_else(|| JobError::give_up(format!("nobody knows how to do {name}")))?;
        for _ in 0..DECISIONS {
            // A handler that panics has not touched the store: its effect is what it would have answered.
            let ran = AssertUnwindSafe(handler.run(self, job)).catch_unwind();
            let ran = timeout_at(until, ran).await.map_err(|_| JobError::retry("it took too long"))?;
            let mut changes = ran.map_err(|_| JobError::retry("the handler panicked"))??;
            changes.keep_job(job.scope(), &job.0.key);
            changes.push_job(JobOp::Complete(job.0.lease));
            match self.commit(changes).await {
                Ok(_) => return Ok(()),
                Err(StorageError::LeaseLost { .. }) => return Err(Attempt::Lost),
                Err(error) if error.is_retryable() => {}
                Err(error) => return Err(JobError::from(error).into()),
            }
        }
        Err(JobError::retry("its effect crossed with other changes").into())
    }
}

/// Whether a job was begun as often as it may be, and nobody lived to say what came of it.
const fn is_hopeless(job: &Job) -> bool {
    job.attempt() > ATTEMPTS
}

enum Attempt {
    /// Somebody else has the job now.
    Lost,
    Failed(JobError),
}

impl From<JobError> for Attempt {
    fn from(error: JobError) -> Self {
        Self::Failed(error)
    }
}

/// The pause after an attempt: 10 s, 40 s, 160 s … at most six hours.
fn pause(attempt: u32) -> Duration {
    let seconds = 10_i64.saturating_mul(4_i64.saturating_pow(attempt.saturating_sub(1)));
    Duration::seconds(seconds.min(6 * 3_600))
}

/// Runs jobs as they become due, until told to stop; then lets those that run finish.
async fn work(desk: Helpdesk, mut stopped: watch::Receiver<bool>, turn: Arc<Mutex<()>>) {
    let mut running = JoinSet::new();
    let mut limit = HANDFUL;
    while !is_over(&stopped) {
        // Room is filled as it becomes free, so that one slow job holds up no others.
        let room = match HANDFUL.saturating_sub(running.len()) {
            0 => 0,
            room if limit == HANDFUL => room,
            _ => limit,
        };
        let begun = Instant::now();
        let claimed = match room {
            0 => Vec::new(),
            room => desk.claim(desk.now(), room).await.unwrap_or_else(|error| {
                tracing::warn!(error = %Chain(&error), "jobs cannot be claimed; trying again");
                Vec::new()
            }),
        };
        let found = !claimed.is_empty();
        limit = desk.next_limit(&claimed, room);
        if found && claimed.len() == room {
            // There may be more than one worker can do.
            desk.wake_worker();
        }
        for jobs in desk.bundles(claimed) {
            let desk = desk.clone();
            running.spawn(async move {
                let now = desk.now();
                desk.run_all(jobs, (begun, now), &mut RunReport::default()).await
            });
        }
        if found && running.len() < HANDFUL {
            continue;
        }
        let full = running.len() >= HANDFUL;
        tokio::select! {
            Some(ran) = running.join_next() => ended(ran),
            () = desk.job_enqueued(), if !full => {}
            () = idle(&turn), if !full => {}
            _ = stopped.changed() => {}
        }
    }
    while let Some(ran) = running.join_next().await {
        ended(ran);
    }
}

/// Waits until it is time to look for jobs again. Workers that have nothing to do take turns, so that a process asks once in
/// that time, however many there are.
async fn idle(turn: &Mutex<()>) {
    let _mine = turn.lock().await;
    tokio::time::sleep(IDLE).await;
}

fn ended(ran: Result<Result<()>, JoinError>) {
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(error = %Chain(&error), "a job's end could not be stored"),
        Err(error) => tracing::error!(%error, "a job ended badly"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_six_hours() {
        let pauses: Vec<_> = (1..=ATTEMPTS).map(|attempt| pause(attempt).num_seconds()).collect();
        assert_eq!(pauses[..4], [10, 40, 160, 640]);
        assert_eq!(pauses[9], 6 * 3_600);
    }
}
