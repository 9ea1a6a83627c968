//! A well-formed call of every operation.

use helpdesk::http::kernel::Operation;
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::Spoken;
use helpdesk_tests::files::{Form, pdf, png};
use serde_json::{Value, json};

use super::PASSWORD;
use super::world::Things;

/// What a parameter of a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A ticket.
    Ticket,
    /// An account that waits for approval.
    Employee,
    /// A file on a ticket, by its number.
    Attachment,
    /// The same by its path.
    File,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Nothing,
    Json(Value),
    Form(Form),
}

/// A call of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// The operation.
    pub(crate) id: &'static str,
    /// What its path names.
    pub(crate) names: Option<Thing>,
    /// What is sent.
    pub(crate) payload: fn() -> Payload,
}

impl Sample {
    /// The path below the mount.
    pub(crate) fn path(&self, operation: &Operation, things: &Things) -> String {
        let id = self.names.map_or_else(String::new, |thing| things.id(thing));
        self.path_with(operation, &id)
    }

    /// The path with something else in place of the id, as it is.
    pub(crate) fn path_with(&self, operation: &Operation, id: &str) -> String {
        match operation.path.split_once('{') {
            Some((before, rest)) => {
                let (_, after) = rest.split_once('}').expect("a parameter ends");
                format!("{before}{id}{after}")
            }
            None => operation.path.to_owned(),
        }
    }

    /// The request.
    pub(crate) fn request(&self, spoken: &Spoken, operation: &Operation, things: &Things) -> Request {
        self.request_to(&format!("{}{}", spoken.mount, self.path(operation, things)), operation)
    }

    /// The request to another path.
    pub(crate) fn request_to(&self, target: &str, operation: &Operation) -> Request {
        let request = Request::new(operation.method.clone(), target);
        match (self.payload)() {
            Payload::Nothing => request,
            Payload::Json(body) => request.json(&body),
            Payload::Form(form) => request.form(&form),
        }
    }
}

/// A call of each operation of a dialect.
fn samples(spoken: &Spoken) -> &'static [Sample] {
    match spoken.name {
        "smartsupport" => SMARTSUPPORT,
        other => panic!("nobody has written samples for {other}"),
    }
}

/// The call of an operation. An operation without one has to get one.
pub(crate) fn sample(spoken: &Spoken, id: &str) -> &'static Sample {
    let found = samples(spoken).iter().find(|sample| sample.id == id);
    found.unwrap_or_else(|| panic!("{id} is new: write down how it is called"))
}

const fn plain(id: &'static str) -> Sample {
    Sample { id, names: None, payload: || Payload::Nothing }
}

const fn of(thing: Thing, id: &'static str) -> Sample {
    Sample { id, names: Some(thing), payload: || Payload::Nothing }
}

impl Sample {
    const fn sends(mut self, payload: fn() -> Payload) -> Self {
        self.payload = payload;
        self
    }
}

const SMARTSUPPORT: &[Sample] = &[
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
    of(Thing::Employee, "employees.approve"),
    of(Thing::Employee, "employees.reject").sends(|| Payload::Json(json!({ "reason": "Nobody knows them" }))),
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
    of(Thing::Ticket, "tickets.get"),
    of(Thing::Ticket, "tickets.approve").sends(|| {
        let notes = "Looks right";
        let body = json!({ "priority": "High", "department": "IT Department", "approval_notes": notes });
        Payload::Json(body)
    }),
    of(Thing::Ticket, "tickets.reject").sends(|| Payload::Json(json!({ "rejection_reason": "Not ours" }))),
    of(Thing::Ticket, "tickets.claim"),
    of(Thing::Ticket, "tickets.update_status")
        .sends(|| Payload::Json(json!({ "status": "Resolved", "comment": "Put out" }))),
    of(Thing::Ticket, "tickets.withdraw").sends(|| Payload::Json(json!({ "comment": "It went out" }))),
    of(Thing::Ticket, "tickets.close").sends(|| Payload::Json(json!({ "comment": "Thank you" }))),
    of(Thing::Ticket, "tickets.finalize"),
    of(Thing::Attachment, "attachments.download"),
    of(Thing::File, "media.get"),
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
