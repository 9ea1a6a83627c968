//! People and programs: organisations, accounts, roles, sessions, passwords and keys.
//!
//! The records and their pure rules stand in the files named after them; what a transport calls is [`Identity`],
//! by area in `service/`.

mod api_key;
mod cleanup;
mod confirmation;
mod invitations;
mod login;
mod mails;
mod off_thread;
mod one_time;
mod organisation;
mod passwords;
pub mod permissions;
mod picture;
mod role;
mod service;
mod session;
mod tokens;
mod two_factor;
mod user;

use std::sync::Arc;

pub use self::api_key::{ApiKey, ApiKeyId};
pub use self::login::{CredentialId, LoginId};
pub(crate) use self::mails::{Receiver, send as send_mail, send_to as send_mail_to};
pub use self::one_time::OneTimeId;
pub use self::organisation::{Goals, Organisation, OrganisationId, OrganisationSettings, Promises};
pub use self::passwords::{MAX_PASSWORD, MIN_PASSWORD, PasswordCost, Passwords, password_problem};
pub use self::permissions::{Permission, Permissions};
pub(crate) use self::picture::Pictures;
pub use self::picture::{MAX_PICTURE, PICTURE_SIDE};
pub use self::role::{BUILTIN_ROLES, BuiltinRole, Role, RoleId};
pub use self::service::{
    Agent, AgentEdit, AgentPage, AgentQuery, Confirming, Credentials, Identity, NewAgent, NewApiKey, NewUser,
    OrganisationChange, Person, PreferencesChange, ProfileChange, Registration, Rotation, SecondFactorChange,
    SecurityChange, Settings, SignUp, SignedIn, UserQuery,
};
pub(crate) use self::service::{of_the_desk, permissions_by};
pub use self::session::{Admission, EndReason, Ended, REFRESH_GRACE, Refresh, Session, SessionId};
pub use self::tokens::{Lifetimes, Tokens};
pub(crate) use self::tokens::{RatingClaims, RatingPurpose};
pub use self::two_factor::{Enrolment, SecondFactor, TwoFactorId};
pub use self::user::{AccountState, Availability, Picture, User, UserId};
use crate::jobs::JobHandler;
use crate::storage::{Entity, KindSpec};

/// The kinds of record of this context.
pub(crate) const KINDS: [&KindSpec; 10] = [
    Organisation::SPEC,
    Role::SPEC,
    User::SPEC,
    login::Login::SPEC,
    login::Credential::SPEC,
    Session::SPEC,
    one_time::OneTime::SPEC,
    two_factor::TwoFactor::SPEC,
    ApiKey::SPEC,
    service::AdminGuard::SPEC,
];

/// The sorts of work of this context.
pub(crate) fn handlers() -> [Arc<dyn JobHandler>; 8] {
    [
        Arc::new(mails::AccountMail),
        Arc::new(mails::ResetMail),
        Arc::new(invitations::InvitationMail),
        Arc::new(confirmation::ConfirmationMail),
        Arc::new(confirmation::NewAddressMail),
        Arc::new(confirmation::AddressChangeMail),
        Arc::new(cleanup::Ended),
        Arc::new(cleanup::Unconfirmed),
    ]
}
