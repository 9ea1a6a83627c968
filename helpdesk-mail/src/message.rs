//! Making a MIME message of a mail's words.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use helpdesk_core::Mail;
use helpdesk_core::jobs::JobError;
use lettre::message::header::{ContentTransferEncoding, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use uuid::Uuid;

use crate::context::one_line;
use crate::templates::Rendered;
use crate::transport::Outgoing;

/// The message of a mail.
///
/// # Errors
///
/// A final [`JobError`] where the address cannot be sent to. It does not tell the address.
pub(crate) fn build(
    mail: &Mail,
    words: Rendered,
    from: &Mailbox,
    at: DateTime<Utc>,
) -> Result<Outgoing, JobError> {
    let to =
        recipient(mail).ok_or_else(|| JobError::give_up("the address is none that mail can be sent to"))?;
    let (sender, recipient) = (from.email.to_string(), to.email.to_string());
    let alternative = MultiPart::alternative()
        .boundary(boundary(mail.id, &words))
        .singlepart(SinglePart::plain(body(words.text)))
        .singlepart(SinglePart::html(body(words.html)));
    let message = Message::builder()
        .from(from.clone())
        .to(to)
        .subject(words.subject)
        .date(SystemTime::from(at))
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        // RFC 3834: nobody's out-of-office note is to answer this.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .multipart(alternative);
    let message = message.as_ref().map(Message::formatted);
    let message = message.map_err(|_| JobError::give_up("the message cannot be put together"))?;
    Ok(Outgoing { id: mail.id, template: mail.template, at, from: sender, to: recipient, message })
}

/// The longest line that goes through as it is (RFC 5322, 2.1.1), in bytes without its end.
const MAX_RAW_LINE: usize = 998;

/// A part's content. What is ASCII stays as it is, so that a link is whole for whoever looks into the message
/// without decoding it; the library would break lines from 77 characters on.
fn body(text: String) -> Body {
    if text.is_ascii() && text.lines().all(|line| line.len() <= MAX_RAW_LINE) {
        let text: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
        return Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit);
    }
    Body::new(text)
}

/// What stands between the parts: made of the id, so that a repetition is the same but for its date, and found in
/// neither part, so that nobody ends one from within.
fn boundary(id: Uuid, words: &Rendered) -> String {
    let within = |boundary: &String| words.text.contains(boundary) || words.html.contains(boundary);
    let mut boundary = format!("=_{}", id.simple());
    while within(&boundary) {
        boundary.push('_');
    }
    boundary
}

/// Whom a mail goes to, or `None` where the address is none.
fn recipient(mail: &Mail) -> Option<Mailbox> {
    let whole = !mail.to.contains(|c: char| c.is_control() || c.is_whitespace());
    let address = whole.then(|| mail.to.parse::<Address>().ok()).flatten()?;
    let name = one_line(&mail.name);
    Some(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
