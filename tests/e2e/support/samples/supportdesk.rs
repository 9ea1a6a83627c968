//! Support Desk's.

use helpdesk_tests::files::{Form, png};
use serde_json::json;

use super::{Payload, Sample, Thing, of, plain};
use crate::support::PASSWORD;

const TICKET: &[Thing] = &[Thing::Request];
const CONTACT: &[Thing] = &[Thing::Contact];
const AGENT: &[Thing] = &[Thing::Agent];
const GROUP: &[Thing] = &[Thing::Group];
const COMPANY: &[Thing] = &[Thing::Company];
const ARTICLE: &[Thing] = &[Thing::Article];
const UPLOAD: &[Thing] = &[Thing::Upload];
const NOTIFICATION: &[Thing] = &[Thing::Notification];

pub(super) const SAMPLES: &[Sample] = &[
    plain("auth.login")
        .sends(|| Payload::Json(json!({ "email": "customer@demo.test", "password": PASSWORD }))),
    plain("auth.signup").sends(|| {
        Payload::Json(json!({ "name": "Ada Byron", "email": "ada@example.test", "password": "long enough" }))
    }),
    plain("auth.confirm").asks("token=not-a-token"),
    plain("auth.confirm_address")
        .sends(|| Payload::Form(Form::new().text("token", "not-a-token").text("password", "long enough"))),
    plain("auth.password").asks("token=not-a-token"),
    plain("auth.choose_password")
        .sends(|| Payload::Form(Form::new().text("token", "not-a-token").text("newPassword", "long enough"))),
    plain("auth.forgot_password").sends(|| Payload::Json(json!({ "email": "customer@demo.test" }))),
    plain("auth.reset_password")
        .sends(|| Payload::Json(json!({ "token": "not-a-token", "newPassword": "long enough" }))),
    plain("auth.me"),
    plain("auth.logout"),
    plain("tickets.list"),
    plain("tickets.create").sends(|| {
        Payload::Json(json!({
            "subject": "The printer is on fire",
            "description": "Flames, two feet high.",
            "priority": "urgent",
            "type": "incident",
            "tags": ["printer"],
        }))
    }),
    of(TICKET, "tickets.get"),
    of(TICKET, "tickets.update").sends(|| {
        Payload::Json(json!({ "subject": "The printer was on fire", "priority": "high", "type": "problem" }))
    }),
    of(TICKET, "tickets.delete"),
    of(TICKET, "tickets.status").sends(|| Payload::Json(json!({ "status": "open" }))),
    of(TICKET, "tickets.priority").sends(|| Payload::Json(json!({ "priority": "high" }))),
    of(TICKET, "tickets.assign").sends(|| Payload::Json(json!({ "assignee_id": null }))),
    of(TICKET, "tickets.comments.create")
        .sends(|| Payload::Json(json!({ "body": "It still burns.", "public": true, "attachments": [] }))),
    of(TICKET, "tickets.comments.list"),
    of(TICKET, "tickets.history"),
    plain("tickets.bulk_update").sends(|| {
        let nobody = "01943fa5-9c80-7000-8000-000000000000";
        Payload::Json(json!({ "ticket_ids": [nobody], "updates": { "priority": "high" } }))
    }),
    plain("tickets.bulk_delete")
        .sends(|| Payload::Json(json!({ "ticket_ids": ["01943fa5-9c80-7000-8000-000000000000"] }))),
    plain("contacts.list"),
    plain("contacts.create").sends(|| {
        Payload::Json(json!({
            "name": "Carla Contact",
            "email": "carla@example.test",
            "phone": "+1234567890",
            "company": "Acme",
            "role": "Office manager",
        }))
    }),
    of(CONTACT, "contacts.get"),
    of(CONTACT, "contacts.update").sends(|| Payload::Json(json!({ "role": "Facility manager" }))),
    of(CONTACT, "contacts.delete"),
    of(CONTACT, "contacts.tickets"),
    of(CONTACT, "contacts.activity"),
    plain("agents.list"),
    plain("agents.create").sends(|| {
        Payload::Json(json!({
            "name": "Nina New",
            "email": "nina@example.test",
            "password": "long enough",
            "role": "agent",
            "department": "Hardware",
            "groups": [],
        }))
    }),
    of(AGENT, "agents.get"),
    of(AGENT, "agents.update").sends(|| Payload::Json(json!({ "department": "Software" }))),
    of(AGENT, "agents.delete"),
    of(AGENT, "agents.status").sends(|| Payload::Json(json!({ "status": "online" }))),
    of(AGENT, "agents.tickets"),
    of(AGENT, "agents.performance"),
    plain("groups.list"),
    plain("groups.create").sends(|| {
        let body = json!({ "name": "Network", "description": "Cables and switches", "member_ids": [] });
        Payload::Json(body)
    }),
    of(GROUP, "groups.get"),
    of(GROUP, "groups.update").sends(|| Payload::Json(json!({ "description": "Printers and phones" }))),
    of(GROUP, "groups.delete"),
    of(GROUP, "groups.members.add")
        .sends(|| Payload::Json(json!({ "user_id": "01943fa5-9c80-7000-8000-000000000000" }))),
    of(&[Thing::Group, Thing::Agent], "groups.members.remove"),
    plain("organizations.list"),
    plain("organizations.create")
        .sends(|| Payload::Json(json!({ "name": "Acme", "domain": "acme.example", "settings": {} }))),
    of(COMPANY, "organizations.get"),
    of(COMPANY, "organizations.update").sends(|| Payload::Json(json!({ "name": "Acme & Sons" }))),
    of(COMPANY, "organizations.delete"),
    plain("dashboard.stats"),
    plain("dashboard.activity"),
    plain("dashboard.sla_status"),
    plain("reports.tickets"),
    plain("reports.agents"),
    plain("reports.satisfaction"),
    plain("reports.sla"),
    plain("reports.export").asks("type=tickets&format=csv"),
    plain("satisfaction.rate").asks("token=not-a-token"),
    plain("satisfaction.comment")
        .asks("token=not-a-token")
        .sends(|| Payload::Form(Form::new().text("comment", "Quick and kind."))),
    plain("kb.articles.list"),
    plain("kb.articles.create").sends(|| {
        Payload::Json(json!({
            "title": "How to put out a printer",
            "content": "Use **sand**.",
            "category": "Hardware",
            "tags": ["printer"],
            "published": true,
        }))
    }),
    of(ARTICLE, "kb.articles.get"),
    of(ARTICLE, "kb.articles.update").sends(|| Payload::Json(json!({ "content": "Use *water*." }))),
    of(ARTICLE, "kb.articles.delete"),
    of(ARTICLE, "kb.articles.vote").sends(|| Payload::Json(json!({ "helpful": true }))),
    plain("kb.categories"),
    plain("settings.get"),
    plain("settings.profile").sends(|| Payload::Json(json!({ "phone": "+1234567890" }))),
    plain("settings.notifications").sends(|| Payload::Json(json!({ "mentions": true }))),
    plain("settings.security")
        .sends(|| Payload::Json(json!({ "current_password": PASSWORD, "new_password": "another one" }))),
    plain("settings.organization").sends(|| Payload::Json(json!({ "name": "Demo" }))),
    plain("tags.list"),
    plain("tags.create").sends(|| Payload::Json(json!({ "name": "fire", "color": "#ff0000" }))),
    of(&[Thing::Tag], "tags.delete"),
    plain("files.upload").sends(|| Payload::Form(Form::new().file("file", "fire.png", "image/png", png(0)))),
    of(UPLOAD, "files.download"),
    of(UPLOAD, "files.delete"),
    plain("search.global").asks("q=printer"),
    plain("search.tickets").asks("q=printer"),
    plain("search.contacts").asks("q=printer"),
    plain("notifications.list"),
    of(NOTIFICATION, "notifications.read"),
    plain("notifications.read_all"),
    of(NOTIFICATION, "notifications.delete"),
];
