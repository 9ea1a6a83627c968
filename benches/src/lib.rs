//! What is measured on: help desks with any number of tickets.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use futures_util::FutureExt as _;
use helpdesk_core::events::{Audience, EventDraft};
use helpdesk_core::identity::{NewUser, OrganisationId, PasswordCost, Person, UserId, permissions};
use helpdesk_core::jobs::JobDraft;
use helpdesk_core::storage::{
    Batch, Changes, EntityId as _, Expect, From, KindSpec, MAX_PAGE, Put, Query, Scope, Storage, Write,
};
use helpdesk_core::tickets::{Deletion, Priority, State, Ticket, TicketId};
use helpdesk_core::{Actor, Helpdesk, ManualClock, SeededIds};
use helpdesk_storage_memory::MemoryStorage;
use uuid::Uuid;

/// Accounts that tickets are spread over.
const PEOPLE: usize = 1_000;
/// Words that tickets are made of.
const WORDS: [&str; 24] = [
    "printer", "network", "screen", "keyboard", "laptop", "password", "account", "invoice", "broken",
    "error", "crash", "login", "urgent", "slow", "update", "software", "hardware", "monitor", "cable",
    "driver", "please", "again", "office", "morning",
];

/// The sizes to measure at: those of `HELPDESK_BENCH_SIZES`, or 10,000, 100,000 and 1,000,000 tickets.
#[must_use]
pub fn sizes() -> Vec<usize> {
    let given = std::env::var("HELPDESK_BENCH_SIZES").unwrap_or_default();
    let sizes: Vec<usize> = given.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes }
}

/// The outcome of something that does not wait, as nothing of the embedded store does.
///
/// # Panics
///
/// If it does.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the embedded store never waits")
}

/// A help desk full of tickets.
#[derive(Debug)]
pub struct World {
    /// The help desk.
    pub desk: Helpdesk,
    /// Its store.
    pub storage: Arc<MemoryStorage>,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Its people.
    pub people: Vec<UserId>,
    /// Its tickets.
    pub tickets: Vec<TicketId>,
    random: u64,
    at: DateTime<Utc>,
}

impl World {
    /// A help desk with people and no tickets.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let storage = Arc::new(MemoryStorage::new(Helpdesk::schema()));
        let at = DateTime::from_timestamp(1_736_931_600, 0).expect("an instant");
        let desk = Helpdesk::builder()
            .storage(Arc::clone(&storage) as Arc<dyn Storage>)
            .clock(Arc::new(ManualClock::at(at)))
            .ids(Arc::new(SeededIds::new(1)))
            .password_cost(PasswordCost::Least)
            .build();
        let organisation =
            now(desk.identity().create_organisation("Bench", "bench")).expect("an organisation");
        let system = Actor::system(organisation);
        let people = (0..PEOPLE)
            .map(|number| {
                let person = Person {
                    first_name: "Ada".into(),
                    last_name: format!("Number {number}"),
                    email: format!("ada{number}@bench.test"),
                    ..Person::default()
                };
                let new = NewUser { person, role: "customer".into(), password: None, approved: true };
                now(desk.identity().create_user(&system, new)).expect("an account").id
            })
            .collect();
        Self { desk, storage, organisation, people, tickets: Vec::new(), random: 88_172_645_463_325_252, at }
    }

    /// Adds tickets until there are so many.
    ///
    /// # Panics
    ///
    /// If one cannot be added.
    pub fn grow_to(&mut self, count: usize) {
        while self.tickets.len() < count {
            let batch = self.ticket(false);
            now(self.storage.commit(batch)).expect("a ticket");
        }
    }

    /// A batch with one more ticket, with an event and a job if wanted.
    ///
    /// # Panics
    ///
    /// If it cannot be written down.
    pub fn ticket(&mut self, event_and_job: bool) -> Batch {
        self.at += Duration::seconds(1);
        let ids = self.desk.ids();
        let mut changes = Changes::new(ids.id(self.at), self.at);
        let id = TicketId::from_uuid(ids.id(self.at));
        let (event, job) = (ids.id(self.at), ids.id(self.at));
        let ticket = self.made_up();
        let scope = self.scope();
        changes.insert(scope, id, &ticket);
        if event_and_job {
            let audience = Audience::holders(permissions::TICKET_VIEW_ALL).and([ticket.requester]);
            let draft = EventDraft::new::<Ticket>("ticket.created", id, 1, audience).with("attachments", 0);
            changes.event(&Actor::system(self.organisation), event, draft);
            changes.enqueue(scope, job, JobDraft::new("mail", format!("mail:{id}"), self.at, &id));
        }
        self.tickets.push(id);
        changes.into_batch().expect("a batch")
    }

    /// The scope of everything here.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::organisation(self.organisation.uuid())
    }

    /// When the last ticket came in.
    #[must_use]
    pub const fn now(&self) -> DateTime<Utc> {
        self.at
    }

    /// Batches that insert the records of a kind into another store.
    ///
    /// # Panics
    ///
    /// If they cannot be read.
    #[must_use]
    pub fn copies(&self, kind: &'static KindSpec) -> Vec<Batch> {
        let (mut batches, mut from) = (Vec::new(), From::Start);
        loop {
            let query = Query::new(kind, self.scope()).limit(MAX_PAGE).from(from);
            let page = now(self.storage.find(&query)).expect("the accounts");
            let ids = self.desk.ids();
            let mut batch = Batch::new(ids.id(page.records[0].created_at), page.records[0].created_at);
            batch.writes = page
                .records
                .iter()
                .map(|record| {
                    Write::Put(Put {
                        kind,
                        scope: record.scope,
                        id: record.id,
                        expect: Expect::Absent,
                        fields: record.fields.clone(),
                        words: None,
                        body: record.body.clone(),
                    })
                })
                .collect();
            batches.push(batch);
            match page.next {
                Some(next) => from = From::After(next),
                None => return batches,
            }
        }
    }

    /// Any one of the tickets.
    pub fn any_ticket(&mut self) -> Uuid {
        let place = self.next(self.tickets.len());
        self.tickets[place].uuid()
    }

    /// A ticket whose body has some 900 bytes, in a state that is more often closed than not. One in fifty is
    /// deleted, which every list leaves out.
    fn made_up(&mut self) -> Ticket {
        let at = self.at;
        let state = match self.next(10) {
            0 => State::New,
            1 => State::Open,
            2 => State::InProgress,
            3 => State::Pending,
            4 => State::Resolved { at },
            _ => State::Closed { at },
        };
        let mut description = String::new();
        while description.len() < 310 {
            let word = WORDS[self.next(WORDS.len())];
            description.push_str(word);
            description.push(' ');
            if self.next(4) == 0 {
                description.push_str(&format!("case{} ", self.next(50_000)));
            }
        }
        let solved = matches!(state, State::Resolved { .. } | State::Closed { .. });
        let (requester, assignee) = (self.next(PEOPLE), self.next(50));
        Ticket {
            assignee: Some(self.people[assignee]),
            state,
            solved_at: solved.then_some(at),
            priority: Some(Priority::ALL[self.next(4)]),
            category: Some(["Software", "Hardware", "Network"][self.next(3)].to_owned()),
            subcategory: Some("General".to_owned()),
            department: Some(
                ["IT Department", "Asset Department", "Budget Department"][self.next(3)].to_owned(),
            ),
            via: "bench".to_owned(),
            deleted: (self.next(50) == 0).then_some(Deletion { at, by: None }),
            ..Ticket::new(self.people[requester], description[..30].to_owned(), description)
        }
    }

    /// A number below `below`, the same in every run (xorshift).
    fn next(&mut self, below: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % below as u64) as usize
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// The memory that this process has in use, in megabytes (millions of bytes), where the system says so.
#[must_use]
pub fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1_024 / 1_000_000)
}
