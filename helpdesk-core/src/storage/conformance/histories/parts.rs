//! From planned parts to the parts of a batch.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::plan::{Part, Slip, Values};
use super::play::Player;
use super::pools::{ACTIONS, KEYS, SERIES, kind, said};
use crate::events::EVENT;
use crate::storage::conformance::fixture::at;
use crate::storage::conformance::kinds::ITEM;
use crate::storage::{
    Batch, Body, Counter, Expect, JOB, JobOp, KindSpec, Lease, Mode, NewJob, Put, Require, Scope, Value,
    Write,
};

/// The records that a batch writes already; it may write none twice.
pub(super) type Touched = BTreeSet<(&'static str, Scope, Uuid)>;

/// Adds a part to a batch, if there is what it speaks of.
pub(super) fn add(player: &mut Player, batch: &mut Batch, part: &Part, touched: &mut Touched) {
    match part {
        Part::Insert { sort, org, values, words, taken } => {
            let (kind, scope) = (kind(*sort), player.scope(*org));
            let there = taken.and_then(|pick| player.target(kind, scope, pick, Slip::None));
            let id = there.map_or_else(|| player.id(kind, scope), |(id, _)| id);
            if touched.insert((kind.name, scope, id)) {
                let put = player.put(batch, kind, scope, id, Expect::Absent, values, *words);
                batch.writes.push(Write::Put(put));
            }
        }
        Part::Update { sort, org, pick, values, words, slip } => {
            let (kind, scope) = (kind(*sort), player.scope(*org));
            let Some((id, version)) = player.target(kind, scope, *pick, *slip) else { return };
            if kind.mode != Mode::AppendOnly && touched.insert((kind.name, scope, id)) {
                let expect = expect(kind, *pick, version);
                let put = player.put(batch, kind, scope, id, expect, values, *words);
                batch.writes.push(Write::Put(put));
            }
        }
        Part::Delete { sort, org, pick, slip } => {
            let (kind, scope) = (kind(*sort), player.scope(*org));
            let Some((id, version)) = player.target(kind, scope, *pick, *slip) else { return };
            if touched.insert((kind.name, scope, id)) {
                batch.writes.push(Write::Delete { kind, scope, id, expect: expect(kind, *pick, version) });
            }
        }
        Part::Require { sort, org, pick, absent, slip } => {
            let (kind, scope) = (kind(*sort), player.scope(*org));
            let require = if *absent && *slip == Slip::None {
                Some((player.unnamed(), Expect::Absent))
            } else {
                let target = player.target(kind, scope, *pick, *slip);
                target.map(|(id, version)| {
                    (id, if *absent { Expect::Absent } else { Expect::Version(version) })
                })
            };
            if let Some((id, expect)) = require {
                batch.requires.push(Require { kind, scope, id, expect });
            }
        }
        Part::Fill { org, count, seed } => {
            let scope = player.scope(*org);
            let mut random = Random(u32::from(*seed));
            for _ in 0..*count {
                let (values, words) = (random.values(), random.next());
                let id = player.id(&ITEM, scope);
                touched.insert((ITEM.name, scope, id));
                let put = player.put(batch, &ITEM, scope, id, Expect::Absent, &values, Some(words));
                batch.writes.push(Write::Put(put));
            }
        }
        Part::Sweep { org, every, seed } => {
            let scope = player.scope(*org);
            let mut random = Random(u32::from(*seed));
            for id in player.ids(ITEM.name, scope, true).into_iter().step_by(usize::from(*every)).take(60) {
                let version = player.oracle.version(&ITEM, scope, id).unwrap_or(1);
                let (values, words) =
                    (random.values(), random.next().is_multiple_of(2).then(|| random.next()));
                if touched.insert((ITEM.name, scope, id)) {
                    let put = player.put(batch, &ITEM, scope, id, Expect::Version(version), &values, words);
                    batch.writes.push(Write::Put(put));
                }
            }
        }
        Part::Draw { org, series } => {
            let series = SERIES[usize::from(*series) % SERIES.len()].to_owned();
            batch.counters.push(Counter { scope: player.scope(*org), series });
        }
        Part::Event { org, pick, action } => {
            let scope = player.scope(*org);
            // Now and then one that is in the log already.
            let there = (*pick == 255).then(|| player.target(&EVENT, scope, *action, Slip::None)).flatten();
            let id = there.map_or_else(|| player.id(&EVENT, scope), |(id, _)| id);
            let subject = player.target(&ITEM, scope, *pick, Slip::None).map(|(id, _)| id);
            let action = ACTIONS[usize::from(*action) % ACTIONS.len()];
            let fields = [ITEM.name.into(), subject.into(), Value::Null, action.into()];
            batch.events.push(Put {
                kind: &EVENT,
                scope,
                id,
                expect: Expect::Absent,
                fields: Box::new(fields),
                words: None,
                body: Body { version: 1, json: format!(r#"{{"pick":{pick}}}"#).into() },
            });
        }
        Part::Enqueue { org, key, due } => {
            let scope = player.scope(*org);
            let id = player.id(&JOB, scope);
            let payload = format!(r#"{{"due":{due}}}"#).into();
            let (key, due) = (key_of(*key), player.soon(*due));
            batch.jobs.push(JobOp::Enqueue(NewJob { id, scope, key, name: "work".to_owned(), payload, due }));
        }
        Part::Move { org, key, due } => {
            let (scope, key, due) = (player.scope(*org), key_of(*key), player.soon(*due));
            batch.jobs.push(JobOp::Move { scope, key, due });
        }
        Part::Cancel { org, key } => {
            batch.jobs.push(JobOp::Cancel { scope: player.scope(*org), key: key_of(*key) });
        }
        Part::Finish { lease, end, due } => {
            let Some(lease) = player.lease(*lease) else { return };
            let error = "no answer".to_owned();
            batch.jobs.push(match end {
                0..=2 => JobOp::Complete(lease),
                3 | 4 => JobOp::Retry { lease, due: player.soon(*due), error },
                _ => JobOp::Fail { lease, error },
            });
        }
    }
}

/// Quiet kinds are written with and without a version.
fn expect(kind: &KindSpec, pick: u8, version: i64) -> Expect {
    if kind.mode == Mode::Quiet && pick.is_multiple_of(2) {
        Expect::Anything
    } else {
        Expect::Version(version)
    }
}

fn key_of(place: u8) -> String {
    KEYS[usize::from(place) % KEYS.len()].to_owned()
}

/// Bytes that follow from a seed.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 24) as u8
    }

    /// The fields of an item without references and unique values, so that nothing keeps it from being written.
    fn values(&mut self) -> Values {
        let mut values = Values::default();
        for (value, field) in values.iter_mut().zip(ITEM.fields) {
            let byte = self.next();
            if !field.unique && field.refers.is_none() {
                *value = byte;
            }
        }
        values
    }
}

impl Player {
    #[expect(clippy::too_many_arguments, reason = "a put has that many parts")]
    fn put(
        &self,
        batch: &Batch,
        kind: &'static KindSpec,
        scope: Scope,
        id: Uuid,
        expect: Expect,
        values: &Values,
        words: Option<u8>,
    ) -> Put {
        let mut fields: Box<[Value]> = kind
            .fields
            .iter()
            .zip(values)
            .map(|(field, byte)| self.written(kind, field, scope, *byte))
            .collect();
        let mut number = String::new();
        if let (Some(drawn), Some(place)) = (batch.counters.len().checked_sub(1), kind.position("note")) {
            number = Counter::placeholder(batch.id, drawn, 2);
            fields[place] = Value::from(format!("a{number}"));
        }
        let json = format!(r#"{{"values":{values:?},"number":"{number}"}}"#).into();
        let words = words.filter(|_| kind.searched).map(said);
        Put { kind, scope, id, expect, fields, words, body: Body { version: 1, json } }
    }

    /// So many seconds from now.
    fn soon(&self, seconds: i8) -> DateTime<Utc> {
        at(self.elapsed + i64::from(seconds))
    }

    fn lease(&self, pick: u8) -> Option<Lease> {
        // The later ones more often: those are the ones that hold.
        let place = self.leases.len().checked_sub(1 + usize::from(pick % 8))?;
        self.leases.get(place).copied()
    }
}

/// The sorts of records that a question may be about have no more fields than there are bytes for.
const _: () = assert!(ITEM.fields.len() <= super::plan::FIELDS);
