//! SmartSupport's.

use helpdesk_tests::files::{Form, pdf, png};
use serde_json::{Value, json};

use super::{Payload, Sample, Thing, of, plain};
use crate::support::PASSWORD;

pub(super) const SAMPLES: &[Sample] = &[
    plain("root.get"),
    plain("auth.login_employee")
        .sends(|| Payload::Json(json!({ "email": "customer@demo.test", "password": PASSWORD }))),
    plain("auth.login_admin")
        .sends(|| Payload::Json(json!({ "email": "admin@demo.test", "password": PASSWORD }))),
    plain("auth.refresh").sends(|| Payload::Json(json!({ "refresh": "a.b.c" }))),
    plain("employees.register").sends(|| {
        let form = person().into_iter().fold(Form::new(), |form, (name, value)| form.text(name, value));
        let form = form.text("password", "long enough").text("confirm_password", "long enough");
        Payload::Form(form.file("image", "me.png", "image/png", png(0)))
    }),
    plain("admin.create_employee").sends(|| {
        let mut body: Value =
            person().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        body["role"] = json!("Employee");
        body["password"] = json!("long enough");
        Payload::Json(body)
    }),
    plain("employees.list"),
    plain("employees.rejected.list"),
    plain("admin.rejected_users_count"),
    of(&[Thing::Employee], "employees.approve"),
    of(&[Thing::Employee], "employees.reject")
        .sends(|| Payload::Json(json!({ "reason": "Nobody knows them" }))),
    plain("tickets.create").sends(|| {
        let form = Form::new()
            .text("subject", "The printer is on fire")
            .text("category", "Hardware")
            .text("sub_category", "Printer")
            .text("description", "Flames, two feet high.")
            .text("scheduled_date", "2025-02-01")
            .text("department", "IT Department");
        Payload::Form(form.file("files[]", "fire.pdf", "application/pdf", pdf(0)))
    }),
    plain("tickets.list"),
    plain("tickets.new"),
    plain("tickets.open"),
    plain("tickets.my"),
    of(&[Thing::Ticket], "tickets.get"),
    of(&[Thing::Ticket], "tickets.approve").sends(|| {
        let notes = "Looks right";
        let body = json!({ "priority": "High", "department": "IT Department", "approval_notes": notes });
        Payload::Json(body)
    }),
    of(&[Thing::Ticket], "tickets.reject").sends(|| Payload::Json(json!({ "rejection_reason": "Not ours" }))),
    of(&[Thing::Ticket], "tickets.claim"),
    of(&[Thing::Ticket], "tickets.update_status")
        .sends(|| Payload::Json(json!({ "status": "Resolved", "comment": "Put out" }))),
    of(&[Thing::Ticket], "tickets.withdraw").sends(|| Payload::Json(json!({ "comment": "It went out" }))),
    of(&[Thing::Ticket], "tickets.close").sends(|| Payload::Json(json!({ "comment": "Thank you" }))),
    of(&[Thing::Ticket], "tickets.finalize"),
    of(&[Thing::Attachment], "attachments.download"),
    of(&[Thing::File], "media.get"),
    plain("profile.get"),
    plain("profile.upload_image")
        .sends(|| Payload::Form(Form::new().file("image", "me.png", "image/png", png(0)))),
    plain("password.check").sends(|| Payload::Json(json!({ "current_password": PASSWORD }))),
    plain("password.change")
        .sends(|| Payload::Json(json!({ "current_password": PASSWORD, "new_password": "another one" }))),
    plain("password.forgot").sends(|| Payload::Json(json!({ "email": "customer@demo.test" }))),
    plain("password.reset").sends(|| {
        Payload::Json(json!({ "uidb64": "MQ", "token": "not-a-token", "new_password": "long enough" }))
    }),
];

/// Somebody new.
fn person() -> [(&'static str, &'static str); 6] {
    [
        ("first_name", "Ada"),
        ("last_name", "Byron"),
        ("middle_name", "King"),
        ("suffix", "III"),
        ("email", "ada@example.test"),
        ("department", "IT Department"),
    ]
}
