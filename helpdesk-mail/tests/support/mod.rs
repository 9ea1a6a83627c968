//! Mails for tests, and reading what became of them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use helpdesk_core::jobs::JobError;
use helpdesk_core::{Mail, MailTemplate, ManualClock};
use helpdesk_mail::{Builder, LogTransport, Outgoing, TemplateMailer, Transport};
use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const SENDER: &str = "The help desk <desk@example.org>";

/// When the tests happen.
pub(crate) fn now() -> DateTime<Utc> {
    "2025-01-15T09:00:00Z".parse().expect("an instant")
}

/// A mailer in the making, with a clock that stands still.
pub(crate) fn mailer(transport: Arc<dyn Transport>) -> Builder {
    TemplateMailer::builder(SENDER, transport).clock(Arc::new(ManualClock::at(now())))
}

/// A mailer whose mails are only composed.
pub(crate) fn composer() -> TemplateMailer {
    mailer(Arc::new(LogTransport)).build().expect("a mailer")
}

/// A mail to Ada, with what every template has and some more.
pub(crate) fn mail(template: MailTemplate, more: Value) -> Mail {
    let mut context = json!({
        "name": "Ada Byron",
        "first_name": "Ada",
        "organisation": "Example",
        "site": "https://desk.example.org",
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        context[key] = value.clone();
    }
    let id = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
    Mail { id, to: "ada@example.com".into(), name: "Ada Byron".into(), template, context }
}

/// A mail about a ticket.
pub(crate) fn ticket_mail(subject: &str, reason: Option<&str>) -> Mail {
    let more = json!({ "reference": "TX0001", "subject": subject, "status": "Rejected", "reason": reason });
    mail(MailTemplate::TicketStatus, more)
}

/// What a mail program reads.
pub(crate) fn parse(message: &[u8]) -> Message<'_> {
    MessageParser::default().parse(message).expect("a message")
}

/// The text part and the HTML part.
pub(crate) fn parts(message: &[u8]) -> (String, String) {
    let parsed = parse(message);
    let text = parsed.body_text(0).expect("a text part").into_owned();
    (text, parsed.body_html(0).expect("an HTML part").into_owned())
}

/// The first address on the web in a text, as programs look for one.
pub(crate) fn first_link(text: &str) -> String {
    let start = text.find("http").expect("a link");
    let end = text[start..].find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'));
    text[start..end.map_or(text.len(), |end| start + end)].replace("&amp;", "&")
}

/// A transport that keeps what it is handed, and refuses it some times before.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) mails: Mutex<Vec<Outgoing>>,
    pub(crate) refusals: Mutex<u32>,
}

#[async_trait]
impl Transport for Kept {
    async fn deliver(&self, mail: &Outgoing) -> Result<(), JobError> {
        self.mails.lock().expect("nobody panicked").push(mail.clone());
        let mut refusals = self.refusals.lock().expect("nobody panicked");
        if *refusals == 0 {
            return Ok(());
        }
        *refusals -= 1;
        Err(JobError::retry("not now"))
    }
}
