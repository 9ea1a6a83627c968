//! Organisations: the tenants of a help desk.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::entity_id;
use crate::storage::{Entity, FieldSpec, KindSpec, Row};

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
    /// How well the desk is to keep what it promises.
    pub goals: Goals,
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
        Self { time_zone: Tz::UTC, auto_close_hours: 96, goals: Goals::default() }
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
