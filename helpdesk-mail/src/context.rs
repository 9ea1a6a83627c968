//! What templates are filled with, made harmless.

use helpdesk_core::MailTemplate;
use serde_json::{Map, Value, json};

/// The values that may run over several lines. Every other is brought onto one: what people type ends in headers
/// and between the lines of a mail, where a line of its own could pass for one of ours.
const SEVERAL_LINES: [&str; 3] = ["reason", "body", "message"];

/// A context as templates see it.
pub(crate) fn prepare(context: &Value) -> Value {
    let mut prepared = Map::new();
    for (key, value) in context.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) if SEVERAL_LINES.contains(&key.as_str()) => lines(text).into(),
            Value::String(text) => one_line(text).into(),
            other => other.clone(),
        };
        prepared.insert(key.clone(), value);
    }
    let name = prepared.get("first_name").and_then(Value::as_str).unwrap_or_default();
    let greeting =
        if name.is_empty() || is_like_a_link(name) { "Hello,".into() } else { format!("Hello {name},") };
    prepared.insert("greeting".into(), greeting.into());
    Value::Object(prepared)
}

/// A text on one line, without what a reader cannot see.
pub(crate) fn one_line(text: &str) -> String {
    let visible: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text without what a reader cannot see, but with its lines.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| *c == '\n' || !is_hidden(*c)).collect::<String>().trim().to_owned()
}

/// Control characters, and marks that turn the direction of a text to make it look like another.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Whether mail programs may make a link of a text: `https://…`, `www.…`, `example.com`, `a@b`.
fn is_like_a_link(text: &str) -> bool {
    let dotted = |word: &str| {
        let after = word.split('.').skip(1);
        let letters = |part: &str| part.chars().take_while(|c| c.is_alphanumeric()).count();
        after.map(letters).any(|count| count > 1)
    };
    text.contains(['/', '\\', '@', ':']) || text.split_whitespace().any(dotted)
}

/// A context such as the core gives, to try a template on.
pub(crate) fn sample(template: MailTemplate) -> Value {
    let mut context = json!({
        "name": "Ada Byron",
        "first_name": "Ada",
        "organisation": "Example",
        "site": "https://desk.example.org",
    });
    match template {
        MailTemplate::AccountReceived | MailTemplate::AccountApproved | MailTemplate::AccountRejected => {}
        MailTemplate::PasswordReset => {
            context["link"] = "https://desk.example.org/reset?uid=MQ&token=x".into()
        }
        MailTemplate::TicketReceived => {
            context["reference"] = "TX0001".into();
            context["subject"] = "Printer".into();
            context["description"] = "It burns.".into();
        }
        MailTemplate::TicketStatus => {
            context["reference"] = "TX0001".into();
            context["subject"] = "Printer".into();
            context["status"] = "Rejected".into();
            context["reason"] = "A duplicate.".into();
        }
        MailTemplate::ConfirmEmail | MailTemplate::Invitation => {
            context["link"] = "https://desk.example.org/confirm?token=x".into();
        }
        MailTemplate::TicketReply => {
            context["reference"] = "TX0001".into();
            context["subject"] = "Printer".into();
            context["author"] = "Gus Agent".into();
            context["body"] = "It has a new roller.".into();
        }
        MailTemplate::Notification => {
            context["title"] = "Ticket assigned".into();
            context["message"] = "Printer was assigned to you".into();
            context["link"] = "https://desk.example.org/tickets/1".into();
        }
        MailTemplate::SatisfactionRequest => {
            context["reference"] = "TX0001".into();
            context["subject"] = "Printer".into();
            context["ratings"] =
                json!([{ "label": "Very good", "link": "https://desk.example.org/rate?t=x" }]);
        }
    }
    context
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_stays_on_its_line() {
        let typed = json!({
            "subject": "a\r\nBcc: all@example.org\n\n\u{202e}b\u{0}",
            "reason": "first\r\n\r\nsecond\u{7}",
            "count": 3,
            "nothing": null,
        });
        let prepared = prepare(&typed);
        assert_eq!(prepared["subject"], "a Bcc: all@example.org b");
        assert_eq!(prepared["reason"], "first\n\nsecond");
        assert_eq!((&prepared["count"], &prepared["nothing"]), (&json!(3), &Value::Null));
    }

    #[test]
    fn a_name_that_looks_like_a_link_is_not_greeted() {
        for name in ["Ada", "J. R.", "J.R.R.", "O'Neill", "Jean-Luc", "St. John", "李"] {
            assert_eq!(prepare(&json!({ "first_name": name }))["greeting"], format!("Hello {name},"));
        }
        for name in ["", "http://evil.test", "win at evil.test now", "www.evil", "a@b", "evil .test", "//x"] {
            assert_eq!(prepare(&json!({ "first_name": name }))["greeting"], "Hello,", "{name}");
        }
    }
}
