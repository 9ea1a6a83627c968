//! Coming in, signing up, forgotten passwords.

use helpdesk_core::contacts::CompanyId;
use helpdesk_core::identity::{Admission, Credentials, Permissions, Person, SecondFactor, SignUp, User};
use helpdesk_core::storage::{EntityId as _, Stored};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::envelope::{Nothing, Success, data, done, told};
use super::links::{confirm_link, with_links};
use super::words;
use crate::input;
use crate::input::{Email, Line, Text};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation};

input! {
    /// A name and its password.
    struct Login {
        /// The account's address.
        email: Email,
        /// Its password.
        password: Text<1024>,
        /// For accounts with a second factor: the code of the moment.
        code: Option<Text<20>>,
        /// In its place, one of the backup codes.
        backup_code: Option<Text<50>>,
    }

    /// Somebody who signs up.
    struct Signup {
        /// What they are called.
        name: Line<200>,
        /// Their address.
        email: Email,
        /// A password of at least 8 characters.
        password: Text<1024>,
        /// The organization they belong to.
        organization["organizationId"]: Option<Uuid>,
        /// A telephone number.
        phone: Option<Text<50>>,
    }

    /// Whose password was forgotten.
    struct Forgot {
        /// The account's address.
        email: Email,
    }

    /// A new password, with the token of the mailed link.
    struct Reset {
        /// The token.
        token: Line<500>,
        /// The new password, of at least 8 characters.
        new_password["newPassword"]: Text<1024>,
    }
}

/// Somebody who is signed in.
#[derive(Debug, Serialize, ToSchema)]
struct SignedInView {
    token: String,
    user: AccountView,
}

/// An account that was made.
#[derive(Debug, Serialize, ToSchema)]
struct SignedUpView {
    user: AccountView,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountView {
    id: String,
    email: String,
    name: String,
    role: &'static str,
}

/// The caller's own account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MeView {
    id: String,
    name: String,
    email: String,
    role: &'static str,
    organization_id: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("auth.login", "/api/auth/login", login)
            .says(
                "Signs somebody in",
                "The token is good for twelve hours, or until the session ends. An account with a second factor asks \
                 for a code as well, with the error `TWO_FACTOR_REQUIRED`.",
            )
            .errors(&[400, 401, 403, 422]),
        Operation::post("auth.signup", "/api/auth/signup", signup)
            .success(StatusCode::CREATED)
            .says(
                "Signs somebody up",
                "The account can be used once its address is confirmed by the link of a mail.",
            )
            .errors(&[400, 422]),
        Operation::post("auth.logout", "/api/auth/logout", logout)
            .auth(Auth::Bearer)
            .says("Signs the caller out", "The token is not good any more.")
            .errors(&[401]),
        Operation::post("auth.forgot_password", "/api/auth/forgot-password", forgot)
            .says(
                "Mails a link for a new password",
                "The answer is the same whether or not there is such an account. Where the address was still to be \
                 confirmed, the link does that too.",
            )
            .errors(&[400, 422]),
        Operation::post("auth.reset_password", "/api/auth/reset-password", reset)
            .says("Sets a new password by a mailed link", "A link works once, and for an hour.")
            .errors(&[400, 422]),
        Operation::get("auth.me", "/api/auth/me", me)
            .auth(Auth::Bearer)
            .says("Shows who the caller is", "")
            .errors(&[401]),
    ];
    operations.into_iter().map(|operation| operation.area("Authentication")).collect()
}

fn account(user: &Stored<User>, may: &Permissions) -> AccountView {
    AccountView {
        id: user.id.to_string(),
        email: user.email.clone(),
        name: user.full_name(),
        role: words::role(may),
    }
}

/// What a field says, where it says something.
pub(super) fn filled<const MAX: usize>(text: Text<MAX>) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

async fn login(call: Call, Body(body): Body<Login>) -> Result<Json<Success<SignedInView>>, Failure> {
    // A form sends empty what nobody filled in.
    let (code, backup) = (body.code.and_then(filled), body.backup_code.and_then(filled));
    let code = code.as_deref().map(SecondFactor::Code);
    let second = code.or(backup.as_deref().map(SecondFactor::Backup));
    let credentials = Credentials { name: &body.email.0, password: &body.password, second };
    let admit = |_: &_, _: &_| Ok(Admission::Approved);
    let via = call.actor().via().clone();
    let signed_in = call.desk.identity().sign_in_with(None, credentials, via, admit).await?;
    let user = account(&signed_in.user, signed_in.caller.actor.permissions());
    Ok(data(SignedInView { token: signed_in.access, user }))
}

async fn signup(call: Call, Body(body): Body<Signup>) -> Result<Json<Success<SignedUpView>>, Failure> {
    let new = SignUp {
        person: Person { email: body.email.0, ..Person::named(&body.name) },
        password: body.password.0,
        phone: body.phone.and_then(filled),
        company: body.organization.map(CompanyId::from_uuid),
        link: confirm_link(&call),
    };
    let identity = call.desk.identity();
    let user = identity.sign_up(call.actor(), new).await.map_err(|error| {
        Failure::from(error).renamed(|field| match field {
            "first_name" | "last_name" => Some("name"),
            "company" => Some("organizationId"),
            _ => None,
        })
    })?;
    let user = account(&user, &*identity.permissions_of(&user).await?);
    Ok(told(SignedUpView { user }, "Account created, please confirm your email"))
}

async fn logout(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.identity().sign_out(&call.caller).await?;
    Ok(done("Logged out"))
}

async fn forgot(call: Call, Body(body): Body<Forgot>) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.identity().request_reset_anywhere(&with_links(&call), &body.email.0).await?;
    Ok(done("If the email exists, a reset link has been sent"))
}

async fn reset(call: Call, Body(body): Body<Reset>) -> Result<Json<Success<Nothing>>, Failure> {
    let (identity, via) = (call.desk.identity(), call.actor().via());
    identity.reset_password_anywhere(via, &body.token, &body.new_password).await.map_err(|error| {
        Failure::from(error).renamed(|field| (field == "new_password").then_some("newPassword"))
    })?;
    Ok(done("Password has been reset"))
}

async fn me(call: Call) -> Result<Json<Success<MeView>>, Failure> {
    let identity = call.desk.identity();
    let user = identity.profile(call.actor()).await?;
    let company = identity.company_of(call.actor(), &user).await?;
    Ok(data(MeView {
        id: user.id.to_string(),
        name: user.full_name(),
        email: user.email.clone(),
        role: words::role(call.actor().permissions()),
        organization_id: company.map(|company| company.id.to_string()),
    }))
}
