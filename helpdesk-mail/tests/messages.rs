//! What is written, read as a mail program reads it.

mod support;

use std::sync::Arc;

use helpdesk_core::{Mail, MailTemplate, Mailer as _};
use helpdesk_mail::{LogTransport, SetupError, TemplateMailer};
use serde_json::json;
use support::{Kept, composer, first_link, mail, mailer, now, parse, parts, ticket_mail};

const HOSTILE: &str = "\"><script>alert('x')</script>&amp;\r\nBcc: all@example.org\r\n\r\nHi";

fn composed(mail: &Mail) -> Vec<u8> {
    composer().compose(mail).expect("a message").message().to_vec()
}

#[test]
fn a_message_has_the_headers_of_one_that_a_program_sends() {
    let message = composed(&mail(MailTemplate::AccountApproved, json!({})));
    let parsed = parse(&message);
    let from = parsed.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!((from.name(), from.address()), (Some("The help desk"), Some("desk@example.org")));
    let to = parsed.to().and_then(|to| to.first()).expect("a receiver");
    assert_eq!((to.name(), to.address()), (Some("Ada Byron"), Some("ada@example.com")));
    assert_eq!(parsed.message_id(), Some("0190163d-8694-739b-aea5-966c26f8ad91@example.org"));
    assert_eq!(parsed.date().map(mail_parser::DateTime::to_timestamp), Some(now().timestamp()));
    assert_eq!(parsed.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
    assert_eq!(parsed.header_raw("MIME-Version").map(str::trim), Some("1.0"));
    assert_eq!(parsed.subject(), Some("Your account at Example is ready"));
    let kind = parsed.header_raw("Content-Type").expect("a type");
    assert!(kind.trim().starts_with("multipart/alternative;"), "{kind}");
    assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, 1));
    assert!(message.split(|byte| *byte == b'\n').all(|line| line.is_empty() || line.ends_with(b"\r")));
}

#[test]
fn what_is_filled_in_is_escaped_in_html_and_left_alone_in_text() {
    let (text, html) = parts(&composed(&ticket_mail("a < b & \"c\" <script>", Some("1 < 2\nnext line"))));
    assert!(
        text.contains("Subject: a < b & \"c\" <script>") && text.contains("1 < 2\r\nnext line"),
        "{text}"
    );
    assert!(html.contains("a &lt; b &amp; &quot;c&quot; &lt;script&gt;") && html.contains("1 &lt; 2"));
    assert!(!html.contains("<script>"));
}

#[test]
fn a_mail_that_is_needed_is_no_matter_of_taste() {
    let news = json!({ "title": "News", "message": "Something happened", "link": null });
    let (text, html) = parts(&composed(&mail(MailTemplate::Notification, news)));
    assert!(text.contains("up to you") && html.contains("up to you"));
    let needed = json!({ "title": "News", "message": "Something happened", "link": null, "needed": true });
    let needed = composed(&mail(MailTemplate::Notification, needed));
    let (text, html) = parts(&needed);
    assert!(!text.contains("up to you") && !html.contains("up to you"));
    assert_eq!(parse(&needed).subject(), Some("News"));
}

#[test]
fn a_reason_is_told_where_there_is_one() {
    let (text, html) = parts(&composed(&ticket_mail("Printer", None)));
    assert!(!text.contains("Reason") && !html.contains("Reason") && !text.contains("none"));
    let (text, _) = parts(&composed(&ticket_mail("Printer", Some("A duplicate."))));
    assert!(text.contains("Reason:\r\nA duplicate.\r\n"), "{text}");
}

#[test]
fn the_link_is_the_first_of_both_parts() {
    let link = "https://desk.example.org/reset-password?uid=MQ&token=Zm9v_-bar";
    for first_name in ["Ada", "http://evil.test", "evil.test"] {
        let more = json!({ "link": link, "first_name": first_name });
        let (text, html) = parts(&composed(&mail(MailTemplate::PasswordReset, more)));
        assert_eq!((first_link(&text), first_link(&html)), (link.to_owned(), link.to_owned()));
        assert!(!text.contains("evil") && !html.contains("evil"));
    }
}

#[test]
fn a_link_is_whole_also_for_who_does_not_decode() {
    let link = format!("https://desk.example.org/reset-password?uid=MQ&token={}", "x".repeat(200));
    let message = composed(&mail(MailTemplate::PasswordReset, json!({ "link": link })));
    assert!(String::from_utf8(message).expect("ASCII").contains(&link));
    // A line that is too long for the wire is broken, and put together by the reader.
    let subject = "x".repeat(500);
    let message = composed(&ticket_mail(&subject, Some(&"y".repeat(5_000))));
    assert!(message.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    assert!(parts(&message).0.contains(&"y".repeat(5_000)));
}

#[test]
fn nothing_that_people_type_makes_a_header() {
    let clean = |message: &[u8]| {
        let parsed = parse(message);
        let names: Vec<_> = parsed.headers().iter().map(|header| header.name().to_lowercase()).collect();
        assert_eq!(
            names,
            ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"]
        );
        assert!(parsed.bcc().is_none() && parsed.to().is_some_and(|to| to.iter().count() == 1));
        assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, 1));
    };
    for hostile in
        [HOSTILE, "a\nBcc: b@example.org", "a\rBcc: b@example.org", "x\u{2028}Bcc: y", "=?utf-8?q?a=0ABcc?="]
    {
        let mut named = ticket_mail(hostile, Some(hostile));
        named.name = hostile.to_owned();
        for key in ["name", "first_name", "organisation", "site", "reference", "status"] {
            named.context[key] = hostile.into();
        }
        clean(&composed(&named));
    }
}

#[test]
fn a_part_cannot_be_ended_from_within() {
    let id = mail(MailTemplate::TicketStatus, json!({})).id;
    let part = "Content-Type: text/html\n\n<b>mine</b>";
    let reason = format!("--=_{0}_--\n--=_{0}__\n{part}\n--=_{0}\n{part}", id.simple());
    let (text, html) = parts(&composed(&ticket_mail("Printer", Some(&reason))));
    assert!(text.contains("<b>mine</b>") && html.contains("&lt;b&gt;mine&lt;/b&gt;"));
}

#[tokio::test]
async fn an_address_that_cannot_be_sent_to_is_given_up_and_not_told() {
    let kept = Arc::new(Kept::default());
    let mailer = mailer(kept.clone()).build().expect("a mailer");
    for address in [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@exam ple.com",
        "ada@example.com>\r\nRCPT TO:<eve@example.com",
        "\"ada\r\n\"@example.com",
        "ada@example.com\0",
        "ada@example.com,eve@example.com",
        "Ada <ada@example.com>",
        "\"a b\"@example.com",
    ] {
        let mut mail = mail(MailTemplate::AccountApproved, json!({}));
        mail.to = address.to_owned();
        let refused = mailer.send(&mail).await.expect_err(address);
        assert!(
            !refused.to_string().contains("ada") && !refused.to_string().contains("example"),
            "{refused}"
        );
        assert!(format!("{refused:?}").contains("again: false"), "{refused:?}");
    }
    assert!(kept.mails.lock().expect("nobody panicked").is_empty());
}

#[test]
fn letters_of_the_world_survive() {
    let mut mail = ticket_mail("Drucker brennt – 打印机着火了 🔥", Some("größer als £5"));
    mail.name = "Łukasz Müller, Dr. \"Ł\" <x>".into();
    let message = composed(&mail);
    assert!(message.is_ascii());
    let parsed = parse(&message);
    assert_eq!(parsed.subject(), Some("TX0001 is now Rejected: Drucker brennt – 打印机着火了 🔥"));
    let to = parsed.to().and_then(|to| to.first()).and_then(|to| to.name());
    assert_eq!(to, Some("Łukasz Müller, Dr. \"Ł\" <x>"));
    let (text, html) = parts(&message);
    assert!(text.contains("größer als £5") && html.contains("打印机着火了 🔥"));
}

#[test]
fn a_long_subject_is_cut() {
    let message = composed(&ticket_mail(&"ä ".repeat(250), None));
    let subject = parse(&message).subject().expect("a subject").to_owned();
    assert!(subject.ends_with('…') && subject.chars().count() <= 151, "{subject}");
    assert!(message.split(|byte| *byte == b'\n').all(|line| line.len() <= 998));
}

#[test]
fn a_team_replaces_templates_by_name() {
    let mailer = mailer(Arc::new(LogTransport))
        .template("account_approved.subject.txt", "Willkommen, {{ first_name }}")
        .template("account_approved.txt", "Los geht's: {{ site }}")
        .template("layout.html", "<p>{{ organisation }}</p>{% block body %}{% endblock %}")
        .build()
        .expect("a mailer");
    let more = json!({ "organisation": "A & B" });
    let approved = mailer.compose(&mail(MailTemplate::AccountApproved, more.clone())).expect("a message");
    assert_eq!(parse(approved.message()).subject(), Some("Willkommen, Ada"));
    let (text, html) = parts(approved.message());
    assert_eq!(text.trim(), "Los geht's: https://desk.example.org");
    assert!(html.starts_with("<p>A &amp; B</p>"), "{html}");
    let received = mailer.compose(&mail(MailTemplate::AccountReceived, more)).expect("a message");
    assert!(parts(received.message()).1.starts_with("<p>A &amp; B</p>"));
}

#[test]
fn a_sender_is_one_plain_address() {
    let build = |from: &str| TemplateMailer::builder(from, Arc::new(LogTransport)).build();
    for from in ["desk@example.org", "Desk <desk@example.org>", "\"Desk, the\" <desk@example.org>"] {
        assert!(build(from).is_ok(), "{from}");
    }
    for from in ["", "desk", "desk@exämple.org", "a@example.org, b@example.org", "Desk <>"] {
        assert!(matches!(build(from), Err(SetupError::Sender)), "{from}");
    }
    let mut mail = mail(MailTemplate::AccountApproved, json!({}));
    mail.name = String::new();
    let tricked = build("\"Desk\r\nBcc: all@example.org\" <desk@example.org>");
    let message = tricked.expect("a mailer").compose(&mail).expect("a message");
    assert!(parse(message.message()).bcc().is_none());
}

#[tokio::test]
async fn a_mail_that_is_tried_again_is_the_same_but_for_its_date() {
    let kept = Arc::new(Kept::default());
    let mailer = mailer(kept.clone()).build().expect("a mailer");
    let mail = ticket_mail("Printer", None);
    for _ in 0..2 {
        mailer.send(&mail).await.expect("taken");
    }
    let mails = kept.mails.lock().expect("nobody panicked");
    assert_eq!(mails[0].message(), mails[1].message());
    assert_eq!((mails[0].from(), mails[0].to()), ("desk@example.org", "ada@example.com"));
    assert!(!format!("{:?}", mails[0]).contains("ada"));
}
