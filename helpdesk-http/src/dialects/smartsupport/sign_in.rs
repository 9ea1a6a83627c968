//! Tokens: two doors, one for employees and one for administrators.

use helpdesk_core::identity::{Admission, Rotation, SignedIn};
use helpdesk_core::{AuthFailure, Error};

use super::show::{self, Show, time};
use super::words::Role;
use super::{PUBLIC, views};
use crate::input;
use crate::input::{Email, Text};
use crate::kernel::{Body, Call, Failure, Json, Operation};

input! {
    /// Who comes in.
    struct Credentials {
        /// The account's address.
        email: Email,
        /// Its password.
        password: Text<1024>,
    }

    /// A refresh token.
    struct Refresh {
        /// The token.
        refresh: Text<4096>,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("auth.login_employee", "/api/token/employee/", employee)
            .says(
                "Signs an employee in",
                "The account must be approved, and not be an administrator's or coordinator's.",
            )
            .errors(&[400, 401, 403]),
        Operation::post("auth.login_admin", "/api/token/admin/", admin)
            .says("Signs an administrator or coordinator in", "")
            .errors(&[400, 401, 403]),
        Operation::post("auth.refresh", "/api/token/refresh/", refresh)
            .says("Gives another access token for a refresh token", "The refresh token stays good.")
            .errors(&[400, 401]),
    ];
    operations.into_iter().map(|operation| operation.area("Authentication").rate(PUBLIC)).collect()
}

async fn sign_in(
    call: &Call,
    Credentials { email, password }: Credentials,
    admit: fn(Role) -> Result<Admission, Error>,
) -> Result<SignedIn, Failure> {
    let (door, via) = (call.actor().organisation(), call.actor().via().clone());
    let admit = |actor: &helpdesk_core::Actor, _: &_| admit(show::role(actor.permissions()));
    Ok(call.desk.identity().sign_in(Some(door), &email.0, &password, via, admit).await?)
}

async fn employee(
    call: Call,
    Body(credentials): Body<Credentials>,
) -> Result<Json<views::EmployeeSignedIn>, Failure> {
    let signed_in = sign_in(&call, credentials, |role| {
        if role.is_staff() { Err(Error::NotYours { who: "employees" }) } else { Ok(Admission::Approved) }
    })
    .await?;
    let SignedIn { access, refresh, caller, user, .. } = signed_in;
    Ok(Json(views::EmployeeSignedIn {
        access,
        refresh,
        email: user.email.clone(),
        role: show::role(caller.actor.permissions()).word(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        date_created: time(user.created_at),
        image: Show::to(&call, &caller).picture(&user),
    }))
}

/// The document asks for a role here and for nothing else.
async fn admin(
    call: Call,
    Body(credentials): Body<Credentials>,
) -> Result<Json<views::AdminSignedIn>, Failure> {
    let signed_in = sign_in(&call, credentials, |role| {
        if role.is_staff() {
            Ok(Admission::Pending)
        } else {
            Err(Error::NotYours { who: "administrators and coordinators" })
        }
    })
    .await?;
    Ok(Json(views::AdminSignedIn {
        access: signed_in.access,
        refresh: signed_in.refresh,
        email: signed_in.user.email.clone(),
        role: show::role(signed_in.caller.actor.permissions()).word(),
        first_name: signed_in.user.first_name.clone(),
    }))
}

async fn refresh(
    call: Call,
    Body(Refresh { refresh }): Body<Refresh>,
) -> Result<Json<views::Refreshed>, Failure> {
    let via = call.actor().via().clone();
    let signed_in = call.desk.identity().refresh(&refresh, Rotation::Keep, via).await?;
    if signed_in.caller.actor.organisation() != call.actor().organisation() {
        return Err(Failure::unauthenticated(AuthFailure::Token));
    }
    Ok(Json(views::Refreshed { access: signed_in.access }))
}
