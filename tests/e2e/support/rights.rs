//! Who may call what, as it was agreed to for each dialect. What is added to a dialect is added here as well, with its
//! reason.

use helpdesk::identity::Permission;
use helpdesk::identity::permissions::{ADMIN_VIEW_USERS, KNOWLEDGE_MANAGE, TICKET_VIEW_ALL};
use helpdesk_tests::dialects::Spoken;

/// Who may call what of a dialect.
#[derive(Debug)]
pub(crate) struct Rights {
    /// The operations that anybody may call.
    pub(crate) public: &'static [&'static str],
    /// Those that everybody who is signed in may call, and why no permission stands before them.
    pub(crate) for_everybody: &'static [(&'static str, &'static str)],
    /// Those that need more than the permission in the table, because of what they show or touch on the way.
    pub(crate) needs_more: &'static [(&'static str, Permission)],
    /// Those that give a role, which nobody gives who has less.
    pub(crate) gives_role: &'static [(&'static str, &'static str)],
    /// Those that answer somebody who may do nothing at all: their own things, and lists that are empty then.
    pub(crate) oneself: &'static [&'static str],
    /// Those that tell somebody who may do nothing that what is named is not there: whether it is, is not theirs to know.
    pub(crate) nothing_of_others: &'static [&'static str],
    /// Those that would end the token that they are called with.
    pub(crate) ends_session: &'static [&'static str],
}

impl Rights {
    /// Those of a dialect.
    pub(crate) fn of(spoken: &Spoken) -> &'static Self {
        match spoken.name {
            "smartsupport" => &SMARTSUPPORT,
            "supportdesk" => &SUPPORTDESK,
            other => panic!("nobody has written down who may call what of {other}"),
        }
    }

    /// What an operation needs beyond the permission in the table.
    pub(crate) fn more(&self, id: &str) -> impl Iterator<Item = &Permission> {
        self.needs_more.iter().filter(move |(other, _)| *other == id).map(|(_, more)| more)
    }
}

const SMARTSUPPORT: Rights = Rights {
    public: &[
        // The ways in.
        "auth.login_admin",
        "auth.login_employee",
        "auth.refresh",
        "employees.register",
        // For those who cannot come in.
        "password.forgot",
        "password.reset",
        // Says where the others are.
        "root.get",
    ],
    for_everybody: &[
        ("attachments.download", "whoever may see the ticket: depends on the ticket"),
        ("media.get", "the same, and everybody's pictures"),
        ("password.change", "one's own"),
        ("password.check", "one's own"),
        ("profile.get", "one's own"),
        ("profile.upload_image", "one's own"),
        ("tickets.close", "the requester's: depends on the ticket"),
        ("tickets.create", "checked by the service, which knows for whom it is made"),
        ("tickets.get", "whoever may see the ticket: depends on the ticket"),
        ("tickets.list", "shows what the caller may see"),
        ("tickets.withdraw", "the requester's: depends on the ticket"),
    ],
    needs_more: &[
        ("employees.approve", ADMIN_VIEW_USERS),
        ("employees.reject", ADMIN_VIEW_USERS),
        ("tickets.approve", TICKET_VIEW_ALL),
        ("tickets.claim", TICKET_VIEW_ALL),
        ("tickets.finalize", TICKET_VIEW_ALL),
        ("tickets.reject", TICKET_VIEW_ALL),
        ("tickets.update_status", TICKET_VIEW_ALL),
    ],
    gives_role: &[("admin.create_employee", "customer")],
    oneself: &["password.check", "profile.get", "profile.upload_image", "tickets.list"],
    nothing_of_others: &[],
    ends_session: &["password.change"],
};

const SUPPORTDESK: Rights = Rights {
    public: &[
        // By the link of a mail, which carries a token of its own.
        "auth.choose_password",
        "auth.confirm",
        "auth.confirm_address",
        // For those who cannot come in.
        "auth.forgot_password",
        // The ways in.
        "auth.login",
        "auth.password",
        "auth.reset_password",
        "auth.signup",
        // By the links of a mail again.
        "satisfaction.comment",
        "satisfaction.rate",
    ],
    for_everybody: &[
        ("agents.status", "one's own; that of others with the permission to manage users"),
        ("auth.logout", "one's own"),
        ("auth.me", "one's own"),
        ("files.delete", "one's own, or depends on the ticket"),
        ("files.download", "one's own, or whoever may see the ticket"),
        ("files.upload", "one's own, until a ticket takes it over"),
        ("notifications.delete", "one's own"),
        ("notifications.list", "one's own"),
        ("notifications.read", "one's own"),
        ("notifications.read_all", "one's own"),
        ("search.global", "finds what the caller may see"),
        ("search.tickets", "finds what the caller may see"),
        ("settings.get", "one's own"),
        ("settings.notifications", "one's own"),
        ("settings.profile", "one's own"),
        ("settings.security", "one's own"),
        ("tags.list", "names and colours alone"),
        ("tickets.assign", "depends on whether it is taken, given or moved"),
        ("tickets.comments.create", "whoever may see the ticket: depends on the ticket"),
        ("tickets.comments.list", "whoever may see the ticket: depends on the ticket"),
        ("tickets.create", "checked by the service, which knows for whom it is made"),
        ("tickets.get", "whoever may see the ticket: depends on the ticket"),
        ("tickets.history", "whoever may see the ticket: depends on the ticket"),
        ("tickets.list", "shows what the caller may see"),
        ("tickets.update", "whoever may see the ticket: depends on the ticket"),
    ],
    needs_more: &[
        ("agents.get", TICKET_VIEW_ALL),
        ("agents.list", TICKET_VIEW_ALL),
        ("agents.performance", TICKET_VIEW_ALL),
        ("agents.update", ADMIN_VIEW_USERS),
        ("agents.update", TICKET_VIEW_ALL),
        // For what somebody else wrote.
        ("kb.articles.delete", KNOWLEDGE_MANAGE),
        ("kb.articles.update", KNOWLEDGE_MANAGE),
        ("tickets.delete", TICKET_VIEW_ALL),
        ("tickets.priority", TICKET_VIEW_ALL),
        ("tickets.status", TICKET_VIEW_ALL),
    ],
    gives_role: &[("agents.create", "agent")],
    oneself: &[
        "auth.me",
        "files.upload",
        "notifications.list",
        "notifications.read_all",
        "search.global",
        "search.tickets",
        "settings.get",
        "settings.notifications",
        "settings.profile",
        "tags.list",
        "tickets.list",
    ],
    nothing_of_others: &["files.delete", "files.download", "notifications.delete", "notifications.read"],
    ends_session: &["auth.logout", "settings.security"],
};
