//! The templates, and filling them in.

use std::fmt::Write as _;

use helpdesk_core::jobs::JobError;
use helpdesk_core::{Mail, MailTemplate};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use crate::SetupError;
use crate::context::{one_line, prepare, sample};

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../templates/", $name)))),*]
    };
}

const EMBEDDED: &[(&str, &str)] = embedded![
    "layout.txt",
    "layout.html",
    "account_received.subject.txt",
    "account_received.txt",
    "account_received.html",
    "account_approved.subject.txt",
    "account_approved.txt",
    "account_approved.html",
    "account_rejected.subject.txt",
    "account_rejected.txt",
    "account_rejected.html",
    "password_reset.subject.txt",
    "password_reset.txt",
    "password_reset.html",
    "ticket_status.subject.txt",
    "ticket_status.txt",
    "ticket_status.html",
    "confirm_email.subject.txt",
    "confirm_email.txt",
    "confirm_email.html",
    "invitation.subject.txt",
    "invitation.txt",
    "invitation.html",
    "ticket_received.subject.txt",
    "ticket_received.txt",
    "ticket_received.html",
    "ticket_reply.subject.txt",
    "ticket_reply.txt",
    "ticket_reply.html",
    "notification.subject.txt",
    "notification.txt",
    "notification.html",
    "satisfaction_request.subject.txt",
    "satisfaction_request.txt",
    "satisfaction_request.html",
];

/// The longest subject, in characters. A ticket's own is longer than a list of mails can show.
const MAX_SUBJECT: usize = 150;

/// A mail's words.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// An address on the web without its scheme, as people say it. Only the mail that is about a link has one: those who
/// get used to links in other mails follow those of strangers.
fn host(address: &str) -> String {
    address.split_once("://").map_or(address, |(_, host)| host).to_owned()
}

/// All templates, ready to be filled in.
#[derive(Debug)]
pub(crate) struct Templates(Environment<'static>);

impl Templates {
    /// The embedded templates with some replaced, each tried on a sample.
    pub(crate) fn new(replaced: Vec<(String, String)>) -> Result<Self, SetupError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| wrong("syntax", error))?);
        environment.set_formatter(format);
        environment.add_filter("host", host);
        for (name, source) in EMBEDDED {
            environment.add_template(name, source).map_err(|error| wrong(name, error))?;
        }
        for (name, source) in replaced {
            if !EMBEDDED.iter().any(|(embedded, _)| *embedded == name) {
                return Err(SetupError::UnknownTemplate { name });
            }
            let added = environment.add_template_owned(name.clone(), source);
            added.map_err(|error| wrong(&name, error))?;
        }
        let templates = Self(environment);
        for template in MailTemplate::ALL {
            let tried = templates.fill(template, &sample(template));
            tried.map_err(|(name, error)| wrong(&name, error))?;
        }
        Ok(templates)
    }

    /// The words of a mail.
    ///
    /// # Errors
    ///
    /// A final [`JobError`] where a template does not fit what it is filled with.
    pub(crate) fn render(&self, mail: &Mail) -> Result<Rendered, JobError> {
        self.fill(mail.template, &mail.context).map_err(|(name, error)| {
            // The kind and the line, and not the detail: that may repeat what was filled in.
            let line = error.line().unwrap_or_default();
            JobError::give_up(format!("the template {name} fails in line {line}: {}", error.kind()))
        })
    }

    fn fill(&self, template: MailTemplate, context: &serde_json::Value) -> Result<Rendered, (String, Error)> {
        let context = Value::from(Serde(prepare(context)));
        let part = |suffix: &str| {
            let name = format!("{}.{suffix}", template.name());
            let filled = self.0.get_template(&name).and_then(|template| template.render(&context));
            filled.map_err(|error| (name, error))
        };
        let subject = one_line(&part("subject.txt")?);
        let subject = match subject.char_indices().nth(MAX_SUBJECT) {
            Some((end, _)) => format!("{}…", subject[..end].trim_end()),
            None => subject,
        };
        let trimmed = |text: String| format!("{}\n", text.trim());
        Ok(Rendered { subject, text: trimmed(part("txt")?), html: trimmed(part("html")?) })
    }
}

fn wrong(name: &str, error: Error) -> SetupError {
    SetupError::Template { name: name.to_owned(), source: Box::new(error) }
}

/// Writes a value into a template: nothing for what is null, and escaped in HTML.
///
/// The library's own escaping also hides every slash, and with them each address from programs that look for the
/// links of a mail.
fn format(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let escapes = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
    match value.as_str() {
        Some(text) if escapes => escape(out, text).map_err(|_| Error::from(ErrorKind::WriteFailure)),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn escape(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    for c in text.chars() {
        match c {
            '&' => out.write_str("&amp;")?,
            '<' => out.write_str("&lt;")?,
            '>' => out.write_str("&gt;")?,
            '"' => out.write_str("&quot;")?,
            '\'' => out.write_str("&#39;")?,
            other => out.write_char(other)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_has_its_three_templates() {
        for template in MailTemplate::ALL {
            for suffix in ["subject.txt", "txt", "html"] {
                let name = format!("{}.{suffix}", template.name());
                assert!(EMBEDDED.iter().any(|(embedded, _)| *embedded == name), "{name}");
            }
        }
    }

    #[test]
    fn a_replaced_template_is_tried_before_it_is_needed() {
        let replace = |name: &str, source: &str| Templates::new(vec![(name.to_owned(), source.to_owned())]);
        assert!(replace("account_approved.txt", "Welcome, {{ first_name }}").is_ok());
        for (name, source) in [
            ("account_approved.txt", "{% if %}"),
            ("account_approved.html", "{{ no_such_value }}"),
            ("layout.txt", "{{ greeting.nonsense.deeper }}"),
        ] {
            let refused = replace(name, source).expect_err("it is wrong");
            assert!(matches!(refused, SetupError::Template { .. }), "{refused:?}");
        }
        let unknown = replace("password_rest.txt", "").expect_err("there is none");
        assert!(matches!(unknown, SetupError::UnknownTemplate { name } if name == "password_rest.txt"));
    }
}
