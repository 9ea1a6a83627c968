//! Events as values and as records.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::actor::{Actor, Who};
use crate::identity::{OrganisationId, Permission, UserId};
use crate::storage::{
    Body, Changes, Entity, EntityId, Expect, FieldSpec, KindSpec, Mode, Position, Put, Record, StorageError,
    Value,
};

/// The kind that events are stored and found under.
pub static EVENT: KindSpec = KindSpec::new(
    "event",
    &[
        FieldSpec::text("subject_kind").uncounted(),
        FieldSpec::uuid("subject"),
        FieldSpec::uuid("actor"),
        FieldSpec::text("action"),
    ],
)
.indexes(&[&["subject"], &["actor"], &["action"]])
.mode(Mode::AppendOnly);

/// What happened, before it is stored.
///
/// An event names people by id and says which fields changed. Texts and addresses stay in the records, so that
/// the log can be kept when a person's data must go.
#[derive(Clone, Debug)]
pub struct EventDraft {
    /// What was done, `ticket.claimed`.
    pub action: &'static str,
    /// The kind of the record it was done to.
    pub subject_kind: &'static str,
    /// The record.
    pub subject: Uuid,
    /// The record's version after it.
    pub version: i64,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
    /// Who may see it.
    pub audience: Audience,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// More that belongs to it: ids, counts, names of states.
    pub data: serde_json::Map<String, Json>,
}

/// A field before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name.
    pub field: Cow<'static, str>,
    /// Its value before; `null` for texts, which are not told.
    pub from: Json,
    /// Its value after; `null` for texts, which are not told.
    pub to: Json,
}

/// Who may see an event: whoever has the permission, and the people named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// The permission, or `None` where it makes no difference.
    pub permission: Option<Permission>,
    /// The people.
    pub people: Vec<UserId>,
}

impl Audience {
    /// Whoever has the permission.
    #[must_use]
    pub const fn holders(permission: Permission) -> Self {
        Self { permission: Some(permission), people: Vec::new() }
    }

    /// And these people.
    #[must_use]
    pub fn and(mut self, people: impl IntoIterator<Item = UserId>) -> Self {
        self.people.extend(people);
        self
    }

    /// Whether an actor is among them, as far as permissions and names go. It knows no organisation: see
    /// [`Event::is_visible_to`].
    #[must_use]
    pub fn includes(&self, actor: &Actor) -> bool {
        self.permission.as_ref().is_some_and(|permission| actor.has(permission))
            || actor.user().is_some_and(|user| self.people.contains(&user))
    }
}

impl EventDraft {
    /// Something that was done to a record.
    #[must_use]
    pub fn new<T: Entity>(action: &'static str, subject: T::Id, version: i64, audience: Audience) -> Self {
        Self {
            action,
            subject_kind: T::SPEC.name,
            subject: subject.uuid(),
            version,
            changes: Vec::new(),
            audience,
            reason: None,
            data: serde_json::Map::new(),
        }
    }

    /// With the fields that changed.
    #[must_use]
    pub fn changes(mut self, changes: Vec<FieldChange>) -> Self {
        self.changes = changes;
        self
    }

    /// With the actor's reason.
    #[must_use]
    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// With something more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Its place in the log, where it was read from there.
    pub position: Option<Position>,
    /// The organisation it happened in; `None` for what belongs to none.
    pub organisation: Option<OrganisationId>,
    /// When.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: String,
    /// The kind of the record it was done to.
    pub subject_kind: String,
    /// The record.
    pub subject: Uuid,
    /// The rest.
    pub detail: Detail,
}

/// What an event says beyond its declared fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Who did it.
    pub actor: Who,
    /// By which door.
    pub via: String,
    /// The batch it was committed in.
    pub batch: Uuid,
    /// The record's version after it.
    pub version: i64,
    /// The fields that changed.
    pub changes: Vec<FieldChange>,
    /// Who may see it.
    pub audience: Audience,
    /// Why.
    pub reason: Option<String>,
    /// More that belongs to it.
    pub data: serde_json::Map<String, Json>,
}

impl Event {
    /// Whether an actor may see it: those it is meant for, in the organisation it happened in. What hands events on
    /// asks this and not the audience alone, because permissions are held in one organisation and not in another.
    #[must_use]
    pub fn is_visible_to(&self, actor: &Actor) -> bool {
        self.organisation == Some(actor.organisation()) && self.detail.audience.includes(actor)
    }

    /// Reads an event's record.
    ///
    /// # Errors
    ///
    /// [`StorageError::Corrupt`].
    pub fn read(record: &Record, position: Option<Position>) -> Result<Self, StorageError> {
        let detail = serde_json::from_str(&record.body.json)
            .map_err(|error| StorageError::Corrupt { kind: EVENT.name, source: Box::new(error) })?;
        let text = |place: usize| record.fields[place].as_text().unwrap_or_default().to_owned();
        Ok(Self {
            id: record.id,
            position,
            organisation: record.scope.id().map(OrganisationId::from_uuid),
            at: record.created_at,
            action: text(3),
            subject_kind: text(0),
            subject: record.fields[1].as_uuid().unwrap_or_default(),
            detail,
        })
    }
}

impl Changes {
    /// Has the commit write down what happened.
    pub fn event(&mut self, actor: &Actor, id: Uuid, draft: EventDraft) {
        let detail = Detail {
            actor: actor.who(),
            via: actor.via().name.clone().into_owned(),
            batch: self.id(),
            version: draft.version,
            changes: draft.changes,
            audience: draft.audience,
            reason: draft.reason,
            data: draft.data,
        };
        // A detail holds strings, numbers and ids only, all of which JSON can say.
        let json = serde_json::to_string(&detail).unwrap_or_default();
        let who = match actor.who() {
            Who::User(id) => Value::Uuid(id.uuid()),
            Who::ApiKey(id) => Value::Uuid(id.uuid()),
            Who::Anonymous | Who::System => Value::Null,
        };
        self.push_event(Put {
            kind: &EVENT,
            scope: actor.scope(),
            id,
            expect: Expect::Absent,
            fields: Box::new([
                Value::text(draft.subject_kind),
                Value::Uuid(draft.subject),
                who,
                Value::text(draft.action),
            ]),
            words: None,
            body: Body { version: EVENT.body_version, json: json.into_boxed_str() },
        });
    }
}
