//! Organisations: the tenants of a help desk.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::service_levels::CalendarId;
use crate::storage::{Entity, FieldSpec, KindSpec, Row};
use crate::tickets::TicketField;

entity_id! {
    /// The id of an organisation.
    pub OrganisationId
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    /// What it is called.
    pub name: String,
    /// A short name for addresses and settings; unique.
    pub slug: String,
    /// The domain of its addresses, in lower case.
    #[serde(default)]
    pub domain: Option<String>,
    /// How it runs its help desk.
    #[serde(default)]
    pub settings: OrganisationSettings,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

/// How an organisation runs its help desk. Every value has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrganisationSettings {
    /// The zone by whose clocks days and weeks are counted.
    pub time_zone: Tz,
    /// After how many hours a resolved ticket closes by itself: from 1 to 672 (28 days). Default: 96 (4 days).
    pub auto_close_hours: u32,
    /// The fields that its tickets have beside those of every ticket. Default: none.
    pub ticket_fields: Vec<TicketField>,
    /// After how many minutes the requester of a solved ticket is asked how satisfied they are: at most 40,320 (28 days).
    /// Nobody is asked where there are none. Default: 60.
    pub satisfaction_minutes: Option<u32>,
    /// What is known of its promises.
    pub promises: Promises,
    /// How well the desk is to keep what it promises.
    pub goals: Goals,
}

/// What is known of an organisation's promises without reading its policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Promises {
    /// Whether there is any policy that holds.
    pub any: bool,
    /// Rises with every change of policies and business hours.
    pub revision: u32,
    /// When they last changed.
    pub changed: Option<DateTime<Utc>>,
    /// The calendar of its business hours. Default: always open.
    pub calendar: Option<CalendarId>,
}

/// How well a desk is to keep what it promises, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Goals {
    /// How many first replies are to come in time. Default: 95.
    pub first_response: u8,
    /// How many solutions are to come in time. Default: 90.
    pub resolution: u8,
    /// How many people are to be satisfied. Default: 85.
    pub satisfaction: u8,
}

impl Default for Goals {
    fn default() -> Self {
        Self { first_response: 95, resolution: 90, satisfaction: 85 }
    }
}

impl Default for OrganisationSettings {
    fn default() -> Self {
        Self {
            time_zone: Tz::UTC,
            auto_close_hours: 96,
            ticket_fields: Vec::new(),
            satisfaction_minutes: Some(60),
            promises: Promises::default(),
            goals: Goals::default(),
        }
    }
}

impl Entity for Organisation {
    type Id = OrganisationId;

    const SPEC: &'static KindSpec =
        &KindSpec::new("organisation", &[FieldSpec::text("slug").unique()]).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("slug", &self.slug);
    }
}
