//! Changing records: everything of a batch happens, or nothing.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::job::JOB;
use super::kind::{KindSpec, Mode};
use super::record::Body;
use super::{Position, Scope, StorageError, Value, Words};
use crate::events::EVENT;

/// The most writes, requirements, counters, events and jobs of one batch together.
pub const MAX_WRITES: usize = 1_000;
/// The most bytes of bodies and payloads of one batch together.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// A set of changes that a store makes as one, or not at all.
///
/// All preconditions are checked against the state before the batch and against the batch itself: a unique
/// value that one write frees another may take, and a record may refer to one that the same batch inserts.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Names the batch. A batch that is committed twice under one id happens once and answers the same.
    pub id: Uuid,
    /// When, by the caller's clock: becomes the records' times.
    pub at: DateTime<Utc>,
    /// Records to insert, change and delete; no record twice.
    pub writes: Vec<Write>,
    /// Records that were only read, and must still be as they were.
    pub requires: Vec<Require>,
    /// Numbers to draw. See [`Counter`].
    pub counters: Vec<Counter>,
    /// What happened, for the event log: inserts of the kind `event`.
    pub events: Vec<Put>,
    /// What is to be done, or was done.
    pub jobs: Vec<JobOp>,
}

/// What a write expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// No record of that id.
    Absent,
    /// The record at this version.
    Version(i64),
    /// Anything; only for [`Mode::Quiet`]. A delete still needs a record to be there.
    Anything,
}

/// One change to one record.
#[derive(Clone, Debug)]
pub enum Write {
    /// Inserts or replaces a record.
    Put(Put),
    /// Deletes a record.
    Delete {
        /// The record's kind.
        kind: &'static KindSpec,
        /// Its scope.
        scope: Scope,
        /// Its id.
        id: Uuid,
        /// What must be there.
        expect: Expect,
    },
}

impl Write {
    /// Kind, scope, id and expectation of the write.
    #[must_use]
    pub const fn target(&self) -> (&'static KindSpec, Scope, Uuid, Expect) {
        match self {
            Self::Put(put) => (put.kind, put.scope, put.id, put.expect),
            Self::Delete { kind, scope, id, expect } => (*kind, *scope, *id, *expect),
        }
    }
}

/// A record to insert or replace.
#[derive(Clone, Debug)]
pub struct Put {
    /// The record's kind.
    pub kind: &'static KindSpec,
    /// Its scope.
    pub scope: Scope,
    /// Its id.
    pub id: Uuid,
    /// What must be there.
    pub expect: Expect,
    /// The declared fields, in the kind's order.
    pub fields: Box<[Value]>,
    /// The words that full-text search sees; `None` leaves those of a replaced record as they are.
    pub words: Option<Words>,
    /// The body.
    pub body: Body,
}

/// A record that must be as it was read when the batch commits.
#[derive(Clone, Debug)]
pub struct Require {
    /// The record's kind.
    pub kind: &'static KindSpec,
    /// Its scope.
    pub scope: Scope,
    /// Its id.
    pub id: Uuid,
    /// [`Expect::Version`], or [`Expect::Absent`] for "still not there".
    pub expect: Expect,
}

/// A number to draw from a series, which begins at 1 and rises by 1 with each draw that is committed.
///
/// Where the number is to stand, texts of fields, bodies, events and jobs of the same batch hold its
/// [`placeholder`](Counter::placeholder); [`Batch::place`] puts the numbers in once they are drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Whose series.
    pub scope: Scope,
    /// The series' name.
    pub series: String,
}

impl Counter {
    /// Marks where the number of the batch's counter `place` is to stand, with at least `width` digits. The
    /// batch's id keeps a user from writing such a mark.
    #[must_use]
    pub fn placeholder(batch: Uuid, place: usize, width: usize) -> String {
        format!("{MARK}{}:{place}:{width}{MARK}", batch.simple())
    }
}

/// A character of the private use area: it needs no escape in JSON, so one replacement serves texts and bodies.
const MARK: char = '\u{f8f0}';

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// The job's id, should it be a new one.
    pub id: Uuid,
    /// The organisation it belongs to.
    pub scope: Scope,
    /// Its name in the scope. While a job of that key waits, another is not enqueued; while one runs, it will
    /// run once more at `due`; a failed one is taken up again.
    pub key: String,
    /// What sort of work it is.
    pub name: String,
    /// What the worker needs to know, as JSON.
    pub payload: Box<str>,
    /// When it is to be done.
    pub due: DateTime<Utc>,
}

/// A change to the jobs.
#[derive(Clone, Debug)]
pub enum JobOp {
    /// Enqueues a job.
    Enqueue(NewJob),
    /// Moves a waiting job to another time; nothing where there is none. One that runs will run once more.
    Move {
        /// Whose job.
        scope: Scope,
        /// Its key.
        key: String,
        /// The new time.
        due: DateTime<Utc>,
    },
    /// Takes a job back; nothing where there is none. A worker that runs it can no longer complete it.
    Cancel {
        /// Whose job.
        scope: Scope,
        /// Its key.
        key: String,
    },
    /// Ends a job that was done. The batch fails with [`StorageError::LeaseLost`] unless the lease still holds,
    /// so that the effect of a job in the store happens once.
    Complete(Lease),
    /// Gives a job back, to be tried again.
    Retry {
        /// The worker's right to the job.
        lease: Lease,
        /// When to try again.
        due: DateTime<Utc>,
        /// Why it did not work.
        error: String,
    },
    /// Gives a job up. It stays visible as failed.
    Fail {
        /// The worker's right to the job.
        lease: Lease,
        /// Why it did not work.
        error: String,
    },
}

impl JobOp {
    /// The names that the change goes by.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::Enqueue(job) => [Some(&*job.key), Some(&*job.name)],
            Self::Move { key, .. } | Self::Cancel { key, .. } => [Some(&**key), None],
            Self::Complete(_) | Self::Retry { .. } | Self::Fail { .. } => [None, None],
        };
        names.into_iter().flatten()
    }
}

/// A worker's right to a job: holds until it lapses, the job is cancelled, or the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job's organisation.
    pub scope: Scope,
    /// The job.
    pub job: Uuid,
    /// This claim of it.
    pub token: Uuid,
}

/// A request for due jobs.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The present, by the caller's clock.
    pub now: DateTime<Utc>,
    /// How long the worker may take before somebody else may claim the job.
    pub lease: Duration,
    /// Names this claim; fresh for every call.
    pub token: Uuid,
    /// The most jobs to hand out.
    pub limit: usize,
}

/// A job handed out to a worker.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The right to it.
    pub lease: Lease,
    /// Its key.
    pub key: String,
    /// What sort of work it is.
    pub name: String,
    /// What there is to know, as JSON.
    pub payload: Box<str>,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// How often it was claimed, this time included.
    pub attempt: u32,
}

/// What a store gave to a committed batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Number and version of each written record, in the order of the writes. A deleted record's are what they
    /// were.
    pub written: Vec<Written>,
    /// The drawn numbers, in the order of the counters.
    pub counters: Vec<i64>,
}

/// Number and version of a written record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number.
    pub number: i64,
    /// Its version after the write.
    pub version: i64,
}

/// How a store is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The place of the newest event in the log.
    pub newest: Position,
    /// How many committed events have no place in the log yet.
    pub unplaced: u64,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub const fn new(id: Uuid, at: DateTime<Utc>) -> Self {
        Self {
            id,
            at,
            writes: Vec::new(),
            requires: Vec::new(),
            counters: Vec::new(),
            events: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty() && self.jobs.is_empty() && self.counters.is_empty()
    }

    /// Checks the batch against its kinds and bounds, before a store looks at it.
    ///
    /// # Errors
    ///
    /// [`StorageError::TooLarge`], or [`StorageError::Invalid`] where values do not fit the declared fields, a
    /// record is written twice, a kind is changed in a way it does not allow, or jobs and events are written as
    /// if they were records.
    pub fn check(&self) -> Result<(), StorageError> {
        let parts = self.writes.len()
            + self.events.len()
            + self.jobs.len()
            + self.requires.len()
            + self.counters.len();
        if parts > MAX_WRITES {
            return Err(StorageError::TooLarge { what: format!("{parts} parts, over {MAX_WRITES}") });
        }
        let bytes = self.bytes();
        if bytes > MAX_BYTES {
            return Err(StorageError::TooLarge { what: format!("{bytes} bytes, over {MAX_BYTES}") });
        }
        let mut seen = std::collections::HashSet::with_capacity(parts);
        for write in &self.writes {
            let (kind, scope, id, expect) = write.target();
            if !seen.insert((kind.name, scope, id)) {
                return Err(StorageError::Invalid(format!("{} {id} is written twice", kind.name)));
            }
            let changes = matches!(write, Write::Put(_)) && expect != Expect::Absent;
            if (kind.mode == Mode::AppendOnly && changes)
                || (kind.mode != Mode::Quiet && expect == Expect::Anything)
                || (matches!(write, Write::Delete { .. }) && expect == Expect::Absent)
                || kind.name == JOB.name
                || kind.name == EVENT.name
            {
                return Err(StorageError::Invalid(format!("{} cannot be changed so", kind.name)));
            }
            if let Write::Put(put) = write {
                put.check()?;
            }
        }
        for event in &self.events {
            if event.kind.name != EVENT.name || event.expect != Expect::Absent {
                return Err(StorageError::Invalid("only inserts of events are logged".into()));
            }
            event.check()?;
        }
        let names = self.jobs.iter().flat_map(JobOp::names);
        if names.chain(self.counters.iter().map(|counter| &*counter.series)).any(|name| name.contains('\0')) {
            return Err(StorageError::Invalid("a job or series has U+0000 in its name".into()));
        }
        for require in &self.requires {
            if require.expect == Expect::Anything {
                return Err(StorageError::Invalid("a requirement without an expectation".into()));
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let puts = self.writes.iter().filter_map(|write| match write {
            Write::Put(put) => Some(put),
            Write::Delete { .. } => None,
        });
        let bodies: usize = puts.chain(&self.events).map(|put| put.body.json.len()).sum();
        let jobs =
            self.jobs.iter().map(|job| if let JobOp::Enqueue(job) = job { job.payload.len() } else { 0 });
        bodies + jobs.sum::<usize>()
    }

    /// Puts the drawn numbers in the place of their marks. A store calls it once it has drawn them.
    pub fn place(&mut self, numbers: &[i64]) {
        if numbers.is_empty() {
            return;
        }
        let placer = Placer { batch: self.id, numbers };
        for write in &mut self.writes {
            if let Write::Put(put) = write {
                placer.put(put);
            }
        }
        self.events.iter_mut().for_each(|event| placer.put(event));
        for job in &mut self.jobs {
            if let JobOp::Enqueue(job) = job {
                placer.text(&mut job.payload);
                let mut key = std::mem::take(&mut job.key).into_boxed_str();
                placer.text(&mut key);
                job.key = key.into();
            }
        }
    }
}

impl Put {
    fn check(&self) -> Result<(), StorageError> {
        let kind = self.kind;
        if self.fields.len() != kind.fields.len() {
            return Err(StorageError::Invalid(format!("{} has {} fields", kind.name, kind.fields.len())));
        }
        for (field, value) in kind.fields.iter().zip(&self.fields) {
            let fits = match value {
                Value::Null => true,
                Value::Many(values) => {
                    field.many && values.iter().all(|value| super::filter::fits(field.ty, value))
                }
                value => !field.many && super::filter::fits(field.ty, value),
            };
            if !fits {
                return Err(StorageError::Invalid(format!(
                    "{}.{} is of another type",
                    kind.name, field.name
                )));
            }
            if !value.is_storable() {
                return Err(super::filter::unstorable(kind, field.name));
            }
        }
        if has_nul(&self.body.json) {
            return Err(StorageError::Invalid(format!("the body of {} holds U+0000", kind.name)));
        }
        Ok(())
    }
}

/// Whether a JSON text says U+0000, which not every store can keep.
fn has_nul(json: &str) -> bool {
    // Backslashes come in pairs, but for the one that begins an escape.
    json.match_indices("\\u0000").any(|(place, _)| {
        let before = json.as_bytes()[..place].iter().rev().take_while(|byte| **byte == b'\\').count();
        before % 2 == 0
    })
}

struct Placer<'a> {
    batch: Uuid,
    numbers: &'a [i64],
}

impl Placer<'_> {
    fn put(&self, put: &mut Put) {
        for value in &mut put.fields {
            let marked = |value: &Value| value.as_text().is_some_and(|text| text.contains(MARK));
            if value.elements().iter().any(marked) {
                *value = match &*value {
                    Value::Many(values) => Value::many(values.iter().map(|value| self.value(value))),
                    single => self.value(single),
                };
            }
        }
        self.text(&mut put.body.json);
    }

    fn value(&self, value: &Value) -> Value {
        let Value::Text(text) = value else { return value.clone() };
        let mut placed = Box::<str>::from(&**text);
        self.text(&mut placed);
        Value::Text(Arc::from(placed))
    }

    fn text(&self, text: &mut Box<str>) {
        let opening = format!("{MARK}{}:", self.batch.simple());
        let mut placed = String::new();
        let mut rest = &**text;
        while let Some((before, after)) = rest.split_once(&opening) {
            let Some((mark, behind)) = after.split_once(MARK) else { break };
            placed.push_str(before);
            match self.number(mark) {
                Some(number) => placed.push_str(&number),
                None => placed.extend([&opening, mark, "\u{f8f0}"]),
            }
            rest = behind;
        }
        if rest.len() < text.len() {
            placed.push_str(rest);
            *text = placed.into_boxed_str();
        }
    }

    fn number(&self, mark: &str) -> Option<String> {
        let (place, width) = mark.split_once(':')?;
        let number = self.numbers.get(place.parse::<usize>().ok()?)?;
        let width = width.parse::<usize>().ok()?.min(20);
        Some(format!("{number:0width$}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_nul_is_told_from_words_about_one() {
        assert!(has_nul(r#"{"a":"\u0000"}"#) && has_nul(r#"{"a":"x\\\u0000"}"#));
        assert!(!has_nul(r#"{"a":"\\u0000"}"#) && !has_nul(r#"{"a":"u0000 \u0001"}"#));
    }

    #[test]
    fn numbers_take_the_place_of_their_marks_and_of_nothing_else() {
        let (batch, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let (first, second) = (Counter::placeholder(batch, 0, 3), Counter::placeholder(batch, 1, 0));
        let foreign = Counter::placeholder(other, 0, 3);
        let mut text = format!("T-250115-{first}/{second} {foreign} {MARK}").into_boxed_str();
        Placer { batch, numbers: &[4, 12] }.text(&mut text);
        assert_eq!(*text, *format!("T-250115-004/12 {foreign} {MARK}"));
    }

    #[test]
    fn marks_side_by_side_are_all_replaced() {
        let batch = Uuid::from_u128(7);
        let mark = Counter::placeholder(batch, 0, 1);
        let mut text = format!("{mark}{mark}a{mark}").into_boxed_str();
        Placer { batch, numbers: &[5] }.text(&mut text);
        assert_eq!(&*text, "55a5");
    }
}
