//! The shapes of the document's answers.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// A sentence about what was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Detail {
    pub detail: &'static str,
}

/// An account, as the list of employees and the profile show it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Employee {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
    pub middle_name: Option<String>,
    pub suffix: Option<String>,
    pub company_id: String,
    pub department: String,
    pub email: String,
    pub image: String,
    pub role: &'static str,
    pub status: &'static str,
    pub date_created: String,
}

/// An account that an administrator made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedEmployee {
    pub message: &'static str,
    pub company_id: String,
    pub employee: NewEmployee,
}

/// The account in that answer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewEmployee {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub company_id: String,
    pub department: String,
    pub role: &'static str,
    pub status: &'static str,
    pub image: String,
}

/// Somebody signed up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Registered {
    pub message: &'static str,
    pub employee_id: i64,
    pub email: String,
}

/// An account that was rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RejectedEmployee {
    pub id: i64,
    pub company_id: String,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub department: String,
    pub timestamp: String,
    pub reason: Option<String>,
}

/// How many accounts were rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RejectedCount {
    pub rejected_users_count: u64,
}

/// An employee came in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EmployeeSignedIn {
    pub access: String,
    pub refresh: String,
    pub email: String,
    pub role: &'static str,
    pub first_name: String,
    pub last_name: String,
    #[serde(rename = "dateCreated")]
    pub date_created: String,
    pub image: String,
}

/// An administrator came in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AdminSignedIn {
    pub access: String,
    pub refresh: String,
    pub email: String,
    pub role: &'static str,
    pub first_name: String,
}

/// Another access token.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Refreshed {
    pub access: String,
}

/// A new picture.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PictureSet {
    pub detail: &'static str,
    pub user: PictureOwner,
}

/// Whose picture.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PictureOwner {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub image: String,
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct File {
    pub id: i64,
    pub file: String,
    pub file_name: String,
    pub file_type: String,
    pub file_size: u64,
    pub upload_date: String,
}

/// Who asked.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketEmployee {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub company_id: String,
    pub department: String,
    pub image: String,
}

/// A ticket, as it is made and listed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ticket {
    pub id: i64,
    pub ticket_number: String,
    pub subject: String,
    pub category: String,
    pub sub_category: String,
    pub description: String,
    pub scheduled_date: Option<NaiveDate>,
    pub priority: Option<&'static str>,
    pub department: Option<String>,
    pub status: &'static str,
    pub submit_date: String,
    pub update_date: String,
    pub assigned_to: Option<String>,
    pub attachments: Vec<File>,
    pub employee: TicketEmployee,
}

/// A ticket with everything on it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketDetail {
    pub id: i64,
    pub ticket_number: String,
    pub subject: String,
    pub category: String,
    pub sub_category: String,
    pub description: String,
    pub scheduled_date: Option<NaiveDate>,
    pub attachments: Vec<File>,
    pub status: &'static str,
    pub priority: Option<&'static str>,
    pub department: Option<String>,
    pub submit_date: String,
    pub update_date: String,
    pub assigned_to: Option<Assignee>,
    pub employee: TicketEmployee,
    pub comments: Vec<Comment>,
}

/// Who has a ticket.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Assignee {
    pub id: i64,
    pub first_name: String,
    pub last_name: String,
}

/// Something that was said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Comment {
    pub id: i64,
    pub comment: String,
    pub created_at: String,
    pub is_internal: bool,
    pub user: Commenter,
}

/// Who said it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Commenter {
    pub first_name: String,
    pub last_name: String,
    pub role: &'static str,
}

/// A ticket in the list of new ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NewTicket {
    pub id: i64,
    pub ticket_number: String,
    pub subject: String,
    pub category: String,
    pub sub_category: String,
    pub status: &'static str,
    pub submit_date: String,
    pub employee_name: String,
    pub employee_department: String,
    pub has_attachment: bool,
}

/// A ticket in the list of one's own work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MyTicket {
    pub id: i64,
    pub ticket_number: String,
    pub subject: String,
    pub category: String,
    pub priority: Option<&'static str>,
    pub department: Option<String>,
    pub status: &'static str,
    pub submit_date: String,
    pub update_date: String,
    pub employee_name: String,
    pub employee_department: String,
    pub has_attachment: bool,
}

/// A page of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TicketPage {
    pub count: u64,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<Ticket>,
}

/// A ticket was approved.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Approved {
    pub message: &'static str,
    pub ticket_id: i64,
    pub status: &'static str,
    pub priority: Option<&'static str>,
    pub department: Option<String>,
}

/// A ticket was rejected.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rejected {
    pub message: &'static str,
    pub ticket_id: i64,
    pub status: &'static str,
    pub rejection_reason: String,
}

/// A ticket was claimed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Claimed {
    pub message: &'static str,
    pub ticket_id: i64,
    pub status: &'static str,
    pub assigned_to: String,
}

/// A ticket's status was set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusSet {
    pub message: &'static str,
    pub ticket_id: i64,
    pub old_status: &'static str,
    pub new_status: &'static str,
}

/// A ticket was withdrawn or closed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ended {
    pub message: &'static str,
    pub status: &'static str,
}
