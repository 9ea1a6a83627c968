//! Roles: named sets of permissions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::permissions::{self as p, Permission, Permissions};
use crate::entity_id;
use crate::storage::{Entity, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a role.
    pub RoleId
}

/// A named set of permissions. Data, not code: no rule asks for a role by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// A short name for programs, unique in the organisation: `agent`.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What those who have it may do.
    pub permissions: Arc<Permissions>,
    /// Whether it came with the organisation.
    pub builtin: bool,
    /// Values of the embedding team.
    #[serde(default)]
    pub ext: serde_json::Map<String, serde_json::Value>,
}

impl Entity for Role {
    type Id = RoleId;

    const SPEC: &'static KindSpec = &KindSpec::new("role", &[FieldSpec::text("key").unique()]).of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("key", &self.key);
    }
}

/// A role that every organisation begins with.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinRole {
    /// Its short name.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    permissions: Grant,
}

#[derive(Clone, Copy, Debug)]
enum Grant {
    /// What another has, and these.
    More(&'static [&'static [Permission]]),
    /// Everything in the catalogue.
    Everything,
}

impl BuiltinRole {
    /// What those who have it may do.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        match self.permissions {
            Grant::More(sets) => sets.iter().copied().flatten().cloned().collect(),
            Grant::Everything => p::CATALOGUE.iter().map(|(permission, _)| permission.clone()).collect(),
        }
    }

    /// The role as a record.
    #[must_use]
    pub fn role(&self) -> Role {
        Role {
            key: self.key.to_owned(),
            name: self.name.to_owned(),
            permissions: Arc::new(self.permissions()),
            builtin: true,
            ext: serde_json::Map::new(),
        }
    }
}

const CUSTOMER: &[Permission] = &[
    p::TICKET_CREATE,
    p::TICKET_VIEW_OWN,
    p::TICKET_UPDATE_OWN,
    p::TICKET_COMMENT_OWN,
    p::TICKET_COMMENT_DELETE_OWN,
    p::CHAT_ACCESS_CHANNELS,
    p::CHAT_SEND_MESSAGES,
    p::CHAT_SEND_FILES,
    p::CHAT_CREATE_DIRECT,
    p::CHAT_EDIT_OWN_MESSAGES,
    p::CHAT_DELETE_OWN_MESSAGES,
    p::SYSTEM_VIEW_BASIC_INFO,
    p::KNOWLEDGE_VIEW,
];

const TECHNICIAN: &[Permission] = &[
    p::TICKET_VIEW_TEAM,
    p::TICKET_ACCESS_INTERNAL,
    p::TICKET_SET_STATUS,
    p::TICKET_VIEW_HISTORY,
    p::HELPDESK_ADD_INTERNAL_NOTES,
    p::STAFF_CHANGE_WORK_MODE,
    p::STAFF_UPLOAD_ATTACHMENTS,
    p::QUEUE_VIEW_OWN_TEAM,
];

const AGENT: &[Permission] = &[
    p::TICKET_VIEW_ALL,
    p::TICKET_CLAIM,
    p::TICKET_ASSIGN_OWN,
    p::TICKET_ASSIGN_WITHIN_TEAM,
    p::TICKET_CREATE_FOR_USERS,
    p::TICKET_ESCALATE,
    p::TICKET_SET_PRIORITY,
    p::TICKET_CLOSE,
    p::STAFF_CREATE_TICKETS,
    p::STAFF_HANDLE_CHATS,
    p::CHAT_CREATE_GROUPS,
    p::HELPDESK_ESCALATE_TICKETS,
    p::QUEUE_ACCESS_HELPDESK,
    p::QUEUE_VIEW_TEAM,
    p::TABLES_VIEW_CONFIG,
    p::TABLES_CREATE_VIEWS,
    p::ADMIN_VIEW_CATEGORIES,
    p::ADMIN_VIEW_TEAMS,
    p::ADMIN_VIEW_SLA,
    p::CONTACT_MANAGE,
    p::CONTACT_VIEW,
    p::DASHBOARD_VIEW,
    p::KNOWLEDGE_WRITE,
    p::TICKET_DELETE,
    p::TICKET_MERGE,
];

const SENIOR_AGENT: &[Permission] = &[
    p::TICKET_REOPEN,
    p::TICKET_ASSIGN_CROSS_TEAM,
    p::TICKET_MANAGE_ESCALATED,
    p::TICKET_CREATE_NEW_USERS,
    p::HELPDESK_TRANSFER_TICKETS,
    p::HELPDESK_OVERRIDE_PRIORITY,
    p::HELPDESK_MULTI_QUEUE_ACCESS,
    p::QUEUE_VIEW_ESCALATED,
    p::CHAT_DOWNLOAD_HISTORY,
];

const TEAM_LEAD: &[Permission] = &[
    p::KNOWLEDGE_MANAGE,
    p::TICKET_ASSIGN_ANY,
    p::TICKET_OVERRIDE_ASSIGNMENT,
    p::TICKET_COMMENT_DELETE_ANY,
    p::HELPDESK_ASSIGN_CROSS_TEAM,
    p::HELPDESK_VIEW_ALL_TEAMS,
    p::HELPDESK_VIEW_TEAM_METRICS,
    p::STAFF_VIEW_ALL_WORK_MODES,
    p::STAFF_OVERRIDE_WORK_MODES,
    p::STAFF_ACCESS_ANALYTICS,
    p::REPORTING_VIEW_TEAM_METRICS,
    p::CHAT_CREATE_CHANNELS,
    p::CHAT_MANAGE_CHANNELS,
    p::CHAT_MANAGE_MESSAGES,
    p::QUEUE_MANAGE,
    p::TABLES_SHARE_VIEWS,
];

/// Takes new tickets in: approves or rejects them and sees to it that somebody has them.
const COORDINATOR: &[Permission] = &[
    p::TICKET_APPROVE,
    p::TICKET_REJECT,
    p::TICKET_FINALIZE,
    p::TICKET_ASSIGN_ANY,
    p::TICKET_REASSIGN_ANY_TEAM,
    p::STAFF_ACCESS_ANALYTICS,
    p::HELPDESK_MULTI_QUEUE_ACCESS,
    p::QUEUE_VIEW_ALL,
];

const MANAGER: &[Permission] = &[
    p::TICKET_APPROVE,
    p::TICKET_REJECT,
    p::TICKET_FINALIZE,
    p::TICKET_REASSIGN_ANY_TEAM,
    p::CONTACT_MANAGE_COMPANIES,
    p::TAG_MANAGE,
    p::ADMIN_VIEW_ANALYTICS,
    p::ADMIN_VIEW_ORGANIZATION,
    p::ADMIN_VIEW_ROLES,
    p::ADMIN_VIEW_SUPPORT_TEAMS,
    p::ADMIN_MANAGE_CATEGORIES,
    p::ADMIN_MANAGE_SLA,
    p::ADMIN_MANAGE_TEAMS,
    p::STAFF_MANAGE_WORK_MODES,
    p::REPORTING_VIEW_ALL,
    p::QUEUE_VIEW_ALL,
    p::CHAT_SEND_BROADCASTS,
    p::CHAT_VIEW_ANALYTICS,
    p::TABLES_MANAGE_EXPORTS,
];

const SECURITY: &[Permission] = &[
    p::SECURITY_MANAGE,
    p::ADMIN_VIEW_AUDIT,
    p::ADMIN_VIEW_USERS,
    p::TICKET_VIEW_ALL,
    p::TICKET_VIEW_HISTORY,
];

/// The roles that every organisation begins with, from the fewest rights to the most.
pub const BUILTIN_ROLES: &[BuiltinRole] = &[
    BuiltinRole { key: "customer", name: "Customer", permissions: Grant::More(&[CUSTOMER]) },
    BuiltinRole { key: "technician", name: "Technician", permissions: Grant::More(&[CUSTOMER, TECHNICIAN]) },
    BuiltinRole { key: "agent", name: "Agent", permissions: Grant::More(&[CUSTOMER, TECHNICIAN, AGENT]) },
    BuiltinRole {
        key: "senior_agent",
        name: "Senior agent",
        permissions: Grant::More(&[CUSTOMER, TECHNICIAN, AGENT, SENIOR_AGENT]),
    },
    BuiltinRole {
        key: "team_lead",
        name: "Team lead",
        permissions: Grant::More(&[CUSTOMER, TECHNICIAN, AGENT, SENIOR_AGENT, TEAM_LEAD]),
    },
    BuiltinRole {
        key: "coordinator",
        name: "Coordinator",
        permissions: Grant::More(&[CUSTOMER, TECHNICIAN, AGENT, COORDINATOR]),
    },
    BuiltinRole {
        key: "manager",
        name: "Manager",
        permissions: Grant::More(&[CUSTOMER, TECHNICIAN, AGENT, SENIOR_AGENT, TEAM_LEAD, MANAGER]),
    },
    BuiltinRole { key: "security", name: "Security", permissions: Grant::More(&[CUSTOMER, SECURITY]) },
    BuiltinRole { key: "admin", name: "Administrator", permissions: Grant::Everything },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_administrators_manage_people() {
        for role in BUILTIN_ROLES.iter().filter(|role| role.key != "admin") {
            let permissions = role.permissions();
            for reserved in [p::ADMIN_MANAGE_USERS, p::ADMIN_APPROVE_USERS, p::ADMIN_MANAGE_ROLES] {
                assert!(!permissions.contains(&reserved), "{} has {reserved}", role.key);
            }
        }
    }

    #[test]
    fn customers_see_only_their_own() {
        let customer = BUILTIN_ROLES[0].permissions();
        assert!(customer.contains(&p::TICKET_VIEW_OWN) && !customer.contains(&p::TICKET_VIEW_ALL));
        assert!(!customer.contains(&p::TICKET_ACCESS_INTERNAL));
    }
}
