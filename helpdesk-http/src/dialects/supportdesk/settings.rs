//! Settings.

use helpdesk_core::identity::{
    Enrolment, Organisation, OrganisationChange, PreferencesChange, ProfileChange, SecondFactorChange,
    SecurityChange, User, permissions,
};
use helpdesk_core::notifications::Preferences;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::envelope::{Success, data, told};
use super::files::upload_at;
use super::links::change_link;
use crate::input;
use crate::input::{Change, Email, Line, Text};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation};

input! {
    /// What is to change about the caller.
    struct ProfileBody {
        /// What they are called.
        name: Option<Line<200>>,
        /// Another address. It takes the place of the present one once it is confirmed by a mailed link.
        email: Option<Email>,
        /// A telephone number.
        phone: Change<Text<50>>,
        /// The http or https address of a picture. An upload of the caller's own stays, for everybody of the organization.
        avatar: Change<Text<500>>,
    }

    /// What the caller wants to be told of.
    struct NotificationsBody {
        /// Whether mails are sent as well.
        email_notifications: Option<bool>,
        /// Whether programs may show a note on the screen.
        desktop_notifications: Option<bool>,
        /// What happens to their tickets.
        ticket_updates: Option<bool>,
        /// Tickets that they were given.
        ticket_assignments: Option<bool>,
        /// Comments that call them by name.
        mentions: Option<bool>,
    }

    /// How the caller comes in from now on.
    struct SecurityBody {
        /// The present password.
        current_password: Text<1024>,
        /// Another one, of at least 8 characters.
        new_password: Option<Text<1024>>,
        /// `true` begins to set up a second factor, `false` ends it.
        two_factor_enabled: Option<bool>,
        /// The first code, which completes what `true` began.
        code: Option<Line<20>>,
    }

    /// What is to change about the caller's organization.
    struct OrganizationBody {
        /// What it is called.
        name: Option<Line<200>>,
        /// The domain of its addresses.
        domain: Change<Line<253>>,
        /// Settings by name; `null` takes one away. `time_zone` and `auto_close_hours` take effect, others are kept.
        settings: Option<Map<String, Value>>,
    }
}

/// Everything that is set.
#[derive(Debug, Serialize, ToSchema)]
struct SettingsView {
    profile: ProfileView,
    notifications: NotificationsView,
    security: SecurityView,
    /// For those who may see it.
    organization: Option<OwnOrganizationView>,
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
struct ProfileView {
    name: String,
    email: String,
    phone: Option<String>,
    avatar: Option<String>,
    /// The address that waits to be confirmed, where another one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_email: Option<String>,
}

/// What somebody is told of.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the document has five switches")]
struct NotificationsView {
    email_notifications: bool,
    desktop_notifications: bool,
    ticket_updates: bool,
    ticket_assignments: bool,
    mentions: bool,
}

/// How somebody comes in.
#[derive(Debug, Serialize, ToSchema)]
struct SecurityView {
    two_factor_enabled: bool,
}

/// What came of a change.
#[derive(Debug, Serialize, ToSchema)]
struct SecuredView {
    /// What sets up a second factor, told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    two_factor: Option<EnrolmentView>,
}

/// What sets up a second factor.
#[derive(Debug, Serialize, ToSchema)]
struct EnrolmentView {
    secret: String,
    otpauth_url: String,
    backup_codes: Vec<String>,
}

/// The caller's organization.
#[derive(Debug, Serialize, ToSchema)]
struct OwnOrganizationView {
    name: String,
    domain: Option<String>,
    settings: Value,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("settings.get", "/api/settings", get)
            .auth(Auth::Bearer)
            .says(
                "Shows the caller's settings",
                "With those of the organization, for callers who may see them.",
            )
            .errors(&[401]),
        Operation::put("settings.profile", "/api/settings/profile", profile)
            .auth(Auth::Bearer)
            .says(
                "Changes the caller's profile",
                "Another address is confirmed by a mailed link before it takes the place of the present one, which is \
                 told of it.",
            )
            .errors(&[400, 401, 422]),
        Operation::put("settings.notifications", "/api/settings/notifications", notifications)
            .auth(Auth::Bearer)
            .says("Changes what the caller is told of", "")
            .errors(&[400, 401, 422]),
        Operation::put("settings.security", "/api/settings/security", security)
            .auth(Auth::Bearer)
            .says(
                "Changes the caller's password and second factor",
                "With another password all other sessions end. A second factor is set up in two steps: \
                 `two_factor_enabled` answers a secret, and codes are asked for once the first was given here as \
                 `code`, or at the next login.",
            )
            .errors(&[400, 401, 422]),
        Operation::put("settings.organization", "/api/settings/organization", organization)
            .needs(permissions::ADMIN_MANAGE_ORGANIZATION)
            .says("Changes the caller's organization", "")
            .errors(&[400, 401, 403, 422]),
    ];
    operations.into_iter().map(|operation| operation.area("Settings")).collect()
}

fn profile_view(user: &User, pending_email: Option<String>) -> ProfileView {
    ProfileView {
        name: user.full_name(),
        email: user.email.clone(),
        phone: user.phone.clone(),
        avatar: user.avatar.clone(),
        pending_email,
    }
}

const fn notifications_view(preferences: &Preferences) -> NotificationsView {
    NotificationsView {
        email_notifications: preferences.by_mail,
        desktop_notifications: preferences.on_screen,
        ticket_updates: preferences.ticket_updates,
        ticket_assignments: preferences.ticket_assignments,
        mentions: preferences.mentions,
    }
}

fn organization_view(organisation: &Organisation) -> OwnOrganizationView {
    OwnOrganizationView {
        name: organisation.name.clone(),
        domain: organisation.domain.clone(),
        settings: Value::Object(organisation.all_settings()),
    }
}

fn enrolment_view(enrolment: Enrolment) -> EnrolmentView {
    EnrolmentView {
        secret: enrolment.secret,
        otpauth_url: enrolment.url,
        backup_codes: enrolment.backup_codes,
    }
}

async fn get(call: Call) -> Result<Json<Success<SettingsView>>, Failure> {
    let settings = call.desk.identity().settings(call.actor()).await?;
    Ok(data(SettingsView {
        profile: profile_view(&settings.user, None),
        notifications: notifications_view(&settings.user.preferences),
        security: SecurityView { two_factor_enabled: settings.second_factor },
        organization: settings.organisation.map(|organisation| organization_view(&organisation)),
    }))
}

async fn profile(call: Call, Body(body): Body<ProfileBody>) -> Result<Json<Success<ProfileView>>, Failure> {
    let avatar_upload = body.avatar.0.as_ref().and_then(|avatar| upload_at(avatar.as_ref()?));
    let change = ProfileChange {
        avatar_upload,
        name: body.name.map(|name| name.0),
        email: body.email.map(|email| email.0),
        phone: body.phone.0.map(|phone| phone.map(|phone| phone.0)),
        avatar: body.avatar.0.map(|avatar| avatar.map(|avatar| avatar.0)),
        link: change_link(&call),
    };
    let (user, pending) = call.desk.identity().change_profile(call.actor(), change).await?;
    Ok(told(profile_view(&user, pending), "Profile updated"))
}

async fn notifications(
    call: Call,
    Body(body): Body<NotificationsBody>,
) -> Result<Json<Success<NotificationsView>>, Failure> {
    let change = PreferencesChange {
        by_mail: body.email_notifications,
        on_screen: body.desktop_notifications,
        ticket_updates: body.ticket_updates,
        ticket_assignments: body.ticket_assignments,
        mentions: body.mentions,
    };
    let user = call.desk.identity().change_preferences(call.actor(), change).await?;
    Ok(told(notifications_view(&user.preferences), "Notification settings updated"))
}

async fn security(call: Call, Body(body): Body<SecurityBody>) -> Result<Json<Success<SecuredView>>, Failure> {
    let second_factor = match (body.two_factor_enabled, body.code.as_deref()) {
        (Some(false), _) => Some(SecondFactorChange::End),
        (_, Some(code)) => Some(SecondFactorChange::Confirm(code)),
        (Some(true), None) => Some(SecondFactorChange::Begin),
        (None, None) => None,
    };
    let change = SecurityChange {
        current_password: &body.current_password,
        new_password: body.new_password.as_deref(),
        second_factor,
    };
    let enrolment = call.desk.identity().change_security(&call.caller, change).await?;
    Ok(told(SecuredView { two_factor: enrolment.map(enrolment_view) }, "Security settings updated"))
}

async fn organization(
    call: Call,
    Body(body): Body<OrganizationBody>,
) -> Result<Json<Success<OwnOrganizationView>>, Failure> {
    let change = OrganisationChange {
        name: body.name.map(|name| name.0),
        domain: body.domain.0.map(|domain| domain.map(|domain| domain.0)),
        settings: body.settings.unwrap_or_default(),
    };
    let organisation = call.desk.identity().change_organisation(call.actor(), change).await?;
    Ok(told(organization_view(&organisation), "Organization settings updated"))
}
