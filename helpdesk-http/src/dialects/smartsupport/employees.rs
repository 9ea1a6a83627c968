//! Accounts: signing up, making, approving, rejecting.

use std::sync::Arc;

use helpdesk_core::identity::{AccountState, NewUser, Person, Registration, User, UserQuery, permissions};
use helpdesk_core::storage::Stored;
use helpdesk_core::{Problem, Problems};
use http::StatusCode;

use super::show::{self, Show, time};
use super::words::{self, Departments, Roles, Suffixes};
use super::{EMPLOYEES, MAILING, views};
use crate::input;
use crate::input::{Choice, Email, Line, Text, Upload};
use crate::kernel::{Body, Call, Failure, Json, Operation};

/// The most bytes of a picture that is read. Those over 2 MB are read as well, to say what is wrong with them.
pub(super) const PICTURE_BYTES: u64 = 8 * 1024 * 1024;

input! {
    /// Somebody who signs up.
    struct Register {
        /// Given name.
        first_name: Line<100>,
        /// Family name.
        last_name: Line<100>,
        /// Second given name.
        middle_name: Option<Line<100>>,
        /// What follows the name.
        suffix: Option<Choice<Suffixes>>,
        /// The address; no other account may have it.
        email: Email,
        /// The password, of at least 8 characters.
        password: Text<1024>,
        /// The password once more.
        confirm_password: Text<1024>,
        /// Where they work.
        department: Choice<Departments>,
        /// A profile picture: PNG or JPEG, 2 MB at most.
        image: Option<Upload>,
    }

    /// An account that an administrator makes.
    struct Create {
        /// Given name.
        first_name: Line<100>,
        /// Family name.
        last_name: Line<100>,
        /// Second given name.
        middle_name: Option<Line<100>>,
        /// What follows the name.
        suffix: Option<Choice<Suffixes>>,
        /// The address; no other account may have it.
        email: Email,
        /// Where they work.
        department: Choice<Departments>,
        /// What they may do.
        role: Choice<Roles>,
        /// A password; without one, none works until it is reset by mail.
        password: Option<Text<1024>>,
    }

    /// Why an account is rejected.
    struct Reject {
        /// The reason, for the audit.
        reason: Option<Text<10000>>,
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("employees.register", "/api/create_employee/", register)
            .form(PICTURE_BYTES, PICTURE_BYTES + 64 * 1024)
            .rate(MAILING)
            .success(StatusCode::CREATED)
            .says("Signs somebody up", "The account waits for approval. They get a mail.")
            .errors(&[400]),
        Operation::post("admin.create_employee", "/api/admin/create-employee/", create)
            .needs(permissions::ADMIN_MANAGE_USERS)
            .success(StatusCode::CREATED)
            .says(
                "Makes an account",
                "It waits for approval. Without a password it gets one by mail, as a forgotten one.",
            )
            .errors(&[400, 401, 403]),
        Operation::get("employees.list", "/api/employees/", list)
            .needs(permissions::ADMIN_VIEW_USERS)
            .says("Lists all employees", "")
            .errors(&[401, 403]),
        Operation::post("employees.approve", "/api/employees/{employee_id}/approve/", approve)
            .needs(permissions::ADMIN_APPROVE_USERS)
            .says("Approves an account that waits", "They get a mail.")
            .errors(&[400, 401, 403, 404]),
        Operation::post("employees.reject", "/api/employees/{employee_id}/reject/", reject)
            .needs(permissions::ADMIN_APPROVE_USERS)
            .says(
                "Rejects an account that waits",
                "It is kept in the audit list, and its address is free for another. They get a mail.",
            )
            .errors(&[400, 401, 403, 404]),
        Operation::get("employees.rejected.list", "/api/rejected-employees/", rejected)
            .needs(permissions::ADMIN_VIEW_USERS)
            .says("Lists the accounts that were rejected", "")
            .errors(&[401, 403]),
        Operation::get("admin.rejected_users_count", "/api/admin/rejected-users-count/", rejected_count)
            .needs(permissions::STAFF_ACCESS_ANALYTICS)
            .says("Counts the accounts that were rejected", "")
            .errors(&[401, 403]),
    ];
    operations.into_iter().map(|operation| operation.area("Employee Management")).collect()
}

async fn register(call: Call, Body(body): Body<Register>) -> Result<Json<views::Registered>, Failure> {
    if body.password != body.confirm_password {
        let problems = Problems::one("confirm_password", Problem::Mismatch("the password"));
        return Err(Failure::problems(problems));
    }
    let registration = Registration {
        person: Person {
            first_name: body.first_name.0,
            last_name: body.last_name.0,
            middle_name: body.middle_name.map(|name| name.0),
            suffix: body.suffix.map(|suffix| suffix.0.to_owned()),
            email: body.email.0,
            username: None,
            department: Some(body.department.0.to_owned()),
            ..Person::default()
        },
        password: body.password.0,
        picture: body.image.map(|image| image.content),
    };
    let user = call.desk.identity().register(call.actor(), registration).await?;
    Ok(Json(views::Registered {
        message: "Account created successfully. Pending approval. Email sent successfully",
        employee_id: user.number,
        email: user.email.clone(),
    }))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<views::CreatedEmployee>, Failure> {
    let role = body.role.0;
    let new = NewUser {
        person: Person {
            first_name: body.first_name.0,
            last_name: body.last_name.0,
            middle_name: body.middle_name.map(|name| name.0),
            suffix: body.suffix.map(|suffix| suffix.0.to_owned()),
            email: body.email.0,
            username: None,
            department: Some(body.department.0.to_owned()),
            ..Person::default()
        },
        role: role.key().to_owned(),
        password: body.password.map(|password| password.0),
        approved: false,
    };
    let user = call.desk.identity().create_user(call.actor(), new).await?;
    let company_id = EMPLOYEES.format(user.number);
    Ok(Json(views::CreatedEmployee {
        message: "Employee account created successfully",
        company_id: company_id.clone(),
        employee: views::NewEmployee {
            id: user.number,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            email: user.email.clone(),
            company_id,
            department: show::department(&user),
            role: role.word(),
            status: words::account_state(user.state.name()),
            image: Show::new(&call).picture(&user),
        },
    }))
}

async fn list(call: Call) -> Result<Json<Vec<views::Employee>>, Failure> {
    let identity = call.desk.identity();
    let users = identity.all_users(call.actor(), UserQuery::default()).await?;
    let roles = identity.roles_of(call.actor(), users.iter().map(|user| &user.value)).await?;
    let show = Show::new(&call);
    Ok(Json(users.iter().map(|user| show.employee(user, show::role_of(user, &roles))).collect()))
}

/// The account that the path names.
async fn named(call: &Call) -> Result<Arc<Stored<User>>, Failure> {
    let number = call.number("employee_id", "account")?;
    let user = call.desk.identity().user_by_number(call.actor(), number).await?;
    // A rejected account is gone from here, but for the audit list.
    if matches!(user.state, AccountState::Rejected { .. }) {
        return Err(Failure::not_found("account"));
    }
    Ok(user)
}

async fn approve(call: Call) -> Result<Json<views::Detail>, Failure> {
    let user = named(&call).await?;
    call.desk.identity().approve(call.actor(), user.id).await?;
    Ok(Json(views::Detail { detail: "Employee approved and email sent." }))
}

async fn reject(call: Call, Body(body): Body<Reject>) -> Result<Json<views::Detail>, Failure> {
    let user = named(&call).await?;
    let reason = body.reason.map(|reason| reason.0).filter(|reason| !reason.trim().is_empty());
    call.desk.identity().reject(call.actor(), user.id, reason).await?;
    Ok(Json(views::Detail { detail: "Employee rejected, audited, and deleted." }))
}

async fn rejected(call: Call) -> Result<Json<Vec<views::RejectedEmployee>>, Failure> {
    let users = call.desk.identity().all_users(call.actor(), UserQuery::rejected()).await?;
    Ok(Json(users.iter().filter_map(|user| audited(user)).collect()))
}

fn audited(user: &Stored<User>) -> Option<views::RejectedEmployee> {
    let AccountState::Rejected { at, reason, .. } = &user.state else { return None };
    Some(views::RejectedEmployee {
        id: user.number,
        company_id: EMPLOYEES.format(user.number),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
        department: show::department(user),
        timestamp: time(*at),
        reason: reason.clone(),
    })
}

async fn rejected_count(call: Call) -> Result<Json<views::RejectedCount>, Failure> {
    let rejected_users_count = call.desk.identity().count_rejected(call.actor()).await?;
    Ok(Json(views::RejectedCount { rejected_users_count }))
}
