//! Passwords.

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use helpdesk_core::{Error, Problem};

use super::{MAILING, PUBLIC, views};
use crate::input;
use crate::input::{Email, Line, Text};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation};

input! {
    /// A password to be checked.
    struct Check {
        /// The caller's password.
        current_password: Text<1024>,
    }

    /// A password to be changed.
    struct Change {
        /// The caller's password so far.
        current_password: Text<1024>,
        /// The new one, of at least 8 characters.
        new_password: Text<1024>,
    }

    /// Whose password was forgotten.
    struct Forgot {
        /// The account's address.
        email: Email,
    }

    /// A new password, with what the mailed link holds.
    struct Reset {
        /// The account, as the link names it.
        uidb64: Line<100>,
        /// The link's token.
        token: Line<500>,
        /// The new password, of at least 8 characters.
        new_password: Text<1024>,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("password.change", "/api/employee/change-password/", change)
            .auth(Auth::Bearer)
            .says("Changes the caller's own password", "Their other sessions end.")
            .errors(&[400, 401]),
        Operation::post("password.check", "/api/employee/check-password/", check)
            .auth(Auth::Bearer)
            .says("Checks the caller's own password", "")
            .errors(&[400, 401]),
        Operation::post("password.forgot", "/api/employee/forgot-password/", forgot)
            .rate(MAILING)
            .says(
                "Mails a link for a new password",
                "The answer is the same whether or not there is such an account.",
            )
            .errors(&[400]),
        Operation::post("password.reset", "/api/employee/reset-password/", reset)
            .rate(PUBLIC)
            .says("Sets a new password by a mailed link", "A link works once.")
            .errors(&[400]),
    ];
    operations.into_iter().map(|operation| operation.area("Password Management")).collect()
}

async fn check(call: Call, Body(body): Body<Check>) -> Result<Json<views::Detail>, Failure> {
    call.desk.identity().check_password(call.actor(), &body.current_password).await?;
    Ok(Json(views::Detail { detail: "Password correct." }))
}

async fn change(call: Call, Body(body): Body<Change>) -> Result<Json<views::Detail>, Failure> {
    call.desk.identity().change_password(&call.caller, &body.current_password, &body.new_password).await?;
    Ok(Json(views::Detail { detail: "Password changed successfully." }))
}

async fn forgot(call: Call, Body(body): Body<Forgot>) -> Result<Json<views::Detail>, Failure> {
    call.desk.identity().request_reset(call.actor(), &body.email.0).await?;
    Ok(Json(views::Detail { detail: "Password reset link sent." }))
}

async fn reset(call: Call, Body(body): Body<Reset>) -> Result<Json<views::Detail>, Failure> {
    let number =
        account(&body.uidb64).ok_or_else(|| Failure::invalid("uidb64", Problem::Format("account")))?;
    let identity = call.desk.identity();
    let reset = identity.reset_password(call.actor(), number, &body.token, &body.new_password).await;
    reset.map_err(|error| match error {
        Error::BadToken => Error::invalid("token", Problem::Format("token")),
        other => other,
    })?;
    Ok(Json(views::Detail { detail: "Password reset successful." }))
}

/// The number in a link, with or without the padding that some clients add.
fn account(uid: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(uid).or_else(|_| URL_SAFE.decode(uid)).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}
