//! The catalogue of permissions.
//!
//! A permission is a name; roles are named sets of them, kept as data. The catalogue is open: an embedding team
//! names its own with [`Permission::named`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The right to do one sort of thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permission(Cow<'static, str>);

impl Permission {
    /// A permission of the program's own.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// A permission whose name came from outside, such as a role's record.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        CATALOGUE
            .binary_search_by(|(permission, _)| permission.name().cmp(name))
            .map_or_else(|_| Self(Cow::Owned(name.to_owned())), |place| CATALOGUE[place].0.clone())
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody may do.
pub type Permissions = BTreeSet<Permission>;

macro_rules! catalogue {
    ($($constant:ident = $name:literal, $what:literal;)*) => {
        $(
            #[doc = concat!($what, ".")]
            pub const $constant: Permission = Permission::named($name);
        )*

        /// All permissions that this crate knows, by name, and what each is for.
        pub const CATALOGUE: &[(Permission, &str)] = &[$(($constant, $what)),*];
    };
}

catalogue! {
    ADMIN_APPROVE_USERS = "admin.approve_users", "Approve and reject accounts that wait";
    ADMIN_MAINTENANCE_OVERRIDE = "admin.maintenance_override", "Work during maintenance";
    ADMIN_MANAGE_API_KEYS = "admin.manage_api_keys", "Make and revoke API keys";
    ADMIN_MANAGE_BACKUP = "admin.manage_backup", "Backup management";
    ADMIN_MANAGE_CATEGORIES = "admin.manage_categories", "Manage ticket categories";
    ADMIN_MANAGE_CHAT = "admin.manage_chat", "Manage chat settings";
    ADMIN_MANAGE_CHAT_CHANNELS = "admin.manage_chat_channels", "Manage chat channels";
    ADMIN_MANAGE_ORGANIZATION = "admin.manage_organization", "Manage the organisation";
    ADMIN_MANAGE_ROLES = "admin.manage_roles", "Role and permission management";
    ADMIN_MANAGE_SLA = "admin.manage_sla", "Manage service levels";
    ADMIN_MANAGE_SUPPORT_TEAMS = "admin.manage_support_teams", "Manage support teams";
    ADMIN_MANAGE_TEAMS = "admin.manage_teams", "Team management";
    ADMIN_MANAGE_USERS = "admin.manage_users", "User management";
    ADMIN_SYSTEM_SETTINGS = "admin.system_settings", "System configuration";
    ADMIN_VIEW_ANALYTICS = "admin.view_analytics", "System analytics";
    ADMIN_VIEW_AUDIT = "admin.view_audit", "Read the audit log";
    ADMIN_VIEW_CATEGORIES = "admin.view_categories", "See ticket categories";
    ADMIN_VIEW_JOBS = "admin.view_jobs", "See jobs, and try failed ones again";
    ADMIN_VIEW_ORGANIZATION = "admin.view_organization", "See the organisation";
    ADMIN_VIEW_ROLES = "admin.view_roles", "See roles and permissions";
    ADMIN_VIEW_SLA = "admin.view_sla", "See service levels";
    ADMIN_VIEW_SUPPORT_TEAMS = "admin.view_support_teams", "See support teams";
    ADMIN_VIEW_TEAMS = "admin.view_teams", "See teams";
    ADMIN_VIEW_USERS = "admin.view_users", "See all accounts";
    CHAT_ACCESS_CHANNELS = "chat.access_channels", "Basic chat access";
    CHAT_BLOCK_USERS = "chat.block_users", "Block people from writing in chat";
    CHAT_CREATE_CHANNELS = "chat.create_channels", "Create new channels";
    CHAT_CREATE_DIRECT = "chat.create_direct", "Create direct messages";
    CHAT_CREATE_GROUPS = "chat.create_groups", "Create group chats";
    CHAT_CUSTOMIZE_WIDGET = "chat.customize_widget", "Customize chat widget";
    CHAT_DELETE_OWN_MESSAGES = "chat.delete_own_messages", "Delete one's own messages";
    CHAT_DOWNLOAD_HISTORY = "chat.download_history", "Download a chat's history";
    CHAT_EDIT_OWN_MESSAGES = "chat.edit_own_messages", "Edit one's own messages";
    CHAT_FORCE_LOGOUT = "chat.force_logout", "Sign people out of chat";
    CHAT_MANAGE_CHANNELS = "chat.manage_channels", "Edit/delete channels";
    CHAT_MANAGE_MESSAGES = "chat.manage_messages", "Edit/delete any messages";
    CHAT_MANAGE_SYSTEM = "chat.manage_system", "Chat system administration";
    CHAT_MODERATE = "chat.moderate", "Moderate chat content";
    CHAT_MONITOR_ALL = "chat.monitor_all", "Advanced message monitoring";
    CHAT_SEND_BROADCASTS = "chat.send_broadcasts", "Write to everybody at once";
    CHAT_SEND_FILES = "chat.send_files", "Upload and share files";
    CHAT_SEND_MESSAGES = "chat.send_messages", "Send chat messages";
    CHAT_VIEW_ALL_CHANNELS = "chat.view_all_channels", "Access all channels";
    CHAT_VIEW_ALL_MESSAGES = "chat.view_all_messages", "Monitor all messages (admin)";
    CHAT_VIEW_ANALYTICS = "chat.view_analytics", "See figures about chat";
    CONTACT_MANAGE = "contact.manage", "Make, change and delete contacts";
    CONTACT_MANAGE_COMPANIES = "contact.manage_companies", "Make, change and delete the companies that contacts belong to";
    CONTACT_VIEW = "contact.view", "See contacts and companies";
    DASHBOARD_VIEW = "dashboard.view", "See the dashboard: today's figures and what happened lately";
    HELPDESK_ADD_INTERNAL_NOTES = "helpdesk.add_internal_notes", "Write internal notes";
    HELPDESK_ASSIGN_CROSS_TEAM = "helpdesk.assign_cross_team", "Cross-team assignment";
    HELPDESK_ESCALATE_TICKETS = "helpdesk.escalate_tickets", "Escalate tickets";
    HELPDESK_MULTI_QUEUE_ACCESS = "helpdesk.multi_queue_access", "Access multi-team queue";
    HELPDESK_OVERRIDE_PRIORITY = "helpdesk.override_priority", "Change a priority that was set";
    HELPDESK_TRANSFER_TICKETS = "helpdesk.transfer_tickets", "Hand tickets over";
    HELPDESK_VIEW_ALL_TEAMS = "helpdesk.view_all_teams", "See the queues of all teams";
    HELPDESK_VIEW_TEAM_METRICS = "helpdesk.view_team_metrics", "See a team's figures";
    KNOWLEDGE_MANAGE = "knowledge.manage", "Change and delete other people's articles";
    KNOWLEDGE_VIEW = "knowledge.view", "Read published articles, and vote on them";
    KNOWLEDGE_WRITE = "knowledge.write", "Write articles and see drafts";
    QUEUE_ACCESS_HELPDESK = "queue.access_helpdesk", "Work in the help desk's queue";
    QUEUE_MANAGE = "queue.manage", "Manage queues";
    QUEUE_VIEW_ALL = "queue.view_all", "See all queues";
    QUEUE_VIEW_ESCALATED = "queue.view_escalated", "See the escalated queue";
    QUEUE_VIEW_OWN_TEAM = "queue.view_own_team", "See the queue of one's own team";
    QUEUE_VIEW_TEAM = "queue.view_team", "See the queues of teams";
    REPORTING_VIEW_ALL = "reporting.view_all", "See all reports";
    REPORTING_VIEW_TEAM_METRICS = "reporting.view_team_metrics", "See reports of one's team";
    SECURITY_MANAGE = "security.manage", "Manage security incidents and settings";
    STAFF_ACCESS_ANALYTICS = "staff.access_analytics", "Access staff analytics";
    STAFF_CHANGE_WORK_MODE = "staff.change_work_mode", "Change one's own work mode";
    STAFF_CREATE_TICKETS = "staff.create_tickets", "Create staff-generated tickets";
    STAFF_HANDLE_CHATS = "staff.handle_chats", "Take chats with guests";
    STAFF_MANAGE_WORK_MODES = "staff.manage_work_modes", "Manage work mode settings";
    STAFF_OVERRIDE_WORK_MODES = "staff.override_work_modes", "Change other people's work modes";
    STAFF_UPLOAD_ATTACHMENTS = "staff.upload_attachments", "Upload ticket attachments";
    STAFF_VIEW_ALL_WORK_MODES = "staff.view_all_work_modes", "View all staff work mode statuses";
    SYSTEM_MANAGE_SETTINGS = "system.manage_settings", "Change settings of the system";
    SYSTEM_VIEW_BASIC_INFO = "system.view_basic_info", "See basic facts about the system";
    TABLES_CREATE_VIEWS = "tables.create_views", "Create views of tables";
    TABLES_MANAGE_ACTIONS = "tables.manage_actions", "Arrange actions of tables";
    TABLES_MANAGE_COLUMNS = "tables.manage_columns", "Arrange columns of tables";
    TABLES_MANAGE_EXPORTS = "tables.manage_exports", "Export tables";
    TABLES_MANAGE_FILTERS = "tables.manage_filters", "Arrange filters of tables";
    TABLES_MANAGE_GROUPING = "tables.manage_grouping", "Group tables";
    TABLES_MANAGE_PERMISSIONS = "tables.manage_permissions", "Say who sees which tables";
    TABLES_MANAGE_SORTING = "tables.manage_sorting", "Sort tables";
    TABLES_MANAGE_STYLES = "tables.manage_styles", "Style tables";
    TABLES_RESET_DEFAULTS = "tables.reset_defaults", "Reset tables";
    TABLES_SHARE_VIEWS = "tables.share_views", "Share views of tables";
    TABLES_VIEW_CONFIG = "tables.view_config", "See how tables are arranged";
    TAG_MANAGE = "tag.manage", "Make and delete tags";
    TICKET_ACCESS_INTERNAL = "ticket.access_internal", "Read internal notes";
    TICKET_APPROVE = "ticket.approve", "Approve new tickets, which sets their priority and department";
    TICKET_ASSIGN_ANY = "ticket.assign_any", "Assign tickets to anybody";
    TICKET_ASSIGN_CROSS_TEAM = "ticket.assign_cross_team", "Assign tickets across teams";
    TICKET_ASSIGN_OWN = "ticket.assign_own", "Take tickets oneself";
    TICKET_ASSIGN_WITHIN_TEAM = "ticket.assign_within_team", "Assign tickets within team";
    TICKET_CLAIM = "ticket.claim", "Claim tickets that nobody has";
    TICKET_CLOSE = "ticket.close", "Close tickets";
    TICKET_COMMENT_DELETE_ANY = "ticket.comment_delete_any", "Delete anybody's comments";
    TICKET_COMMENT_DELETE_OWN = "ticket.comment_delete_own", "Delete one's own comments";
    TICKET_COMMENT_OWN = "ticket.comment_own", "Comment on one's own tickets";
    TICKET_CREATE = "ticket.create", "Create new tickets";
    TICKET_CREATE_FOR_USERS = "ticket.create_for_users", "Create tickets for other users";
    TICKET_CREATE_NEW_USERS = "ticket.create_new_users", "Create tickets for people who have no account yet";
    TICKET_DELETE = "ticket.delete", "Delete tickets";
    TICKET_ESCALATE = "ticket.escalate", "Escalate tickets";
    TICKET_FINALIZE = "ticket.finalize", "Hand tickets over to the external workflow";
    TICKET_MANAGE_ESCALATED = "ticket.manage_escalated", "Handle escalated tickets";
    TICKET_MERGE = "ticket.merge", "Merge, split and link tickets";
    TICKET_OVERRIDE_ASSIGNMENT = "ticket.override_assignment", "Take tickets over from others";
    TICKET_REASSIGN_ANY_TEAM = "ticket.reassign_any_team", "Move tickets between all teams";
    TICKET_REJECT = "ticket.reject", "Reject new tickets";
    TICKET_REOPEN = "ticket.reopen", "Reopen closed tickets";
    TICKET_SET_PRIORITY = "ticket.set_priority", "Set the priority of tickets";
    TICKET_SET_STATUS = "ticket.set_status", "Move tickets through their states";
    TICKET_UPDATE_OWN = "ticket.update_own", "Change one's own tickets";
    TICKET_VIEW_ALL = "ticket.view_all", "View all tickets";
    TICKET_VIEW_FILES = "ticket.view_files", "Read every attachment and picture: for external systems";
    TICKET_VIEW_HISTORY = "ticket.view_history", "Read the history of tickets";
    TICKET_VIEW_OWN = "ticket.view_own", "View own tickets";
    TICKET_VIEW_TEAM = "ticket.view_team", "View team tickets";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_in_order_without_repeats() {
        assert!(CATALOGUE.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn a_name_from_outside_is_the_same_permission() {
        assert_eq!(Permission::parse("ticket.claim"), TICKET_CLAIM);
        assert_eq!(Permission::parse("parcel.send"), Permission::named("parcel.send"));
    }
}
