//! Where mails go that are not sent.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use helpdesk_core::{MailTemplate, Mailer as _};
use helpdesk_mail::{FileTransport, SetupError, parse_transport};
use serde_json::json;
use support::{first_link, mail, mailer, parse, parts};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const LINK: &str = "https://desk.example.org/reset?uid=MQ&token=secret";

/// A log that is kept.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().expect("nobody panicked")));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_log_says_that_there_was_a_mail_and_nothing_about_whom() {
    let log = Log::default();
    let mailer = mailer(parse_transport("log").expect("a transport")).build().expect("a mailer");
    let mail = mail(MailTemplate::PasswordReset, json!({ "link": LINK }));
    let guard = tracing::subscriber::set_default(log.clone());
    mailer.send(&mail).await.expect("noted");
    drop(guard);
    let written = log.0.lock().expect("nobody panicked").clone();
    assert!(written.contains("password_reset") && written.contains(&mail.id.to_string()), "{written}");
    for personal in ["ada", "Ada", "Byron", "secret", "http", "@"] {
        assert!(!written.contains(personal), "{written}");
    }
}

#[tokio::test]
async fn a_folder_gets_one_whole_file_a_mail() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("out going/mail");
    let transport = parse_transport(&format!("file:{}", folder.display())).expect("a transport");
    let mailer = mailer(transport).build().expect("a mailer");
    let reset = mail(MailTemplate::PasswordReset, json!({ "link": LINK }));
    mailer.send(&reset).await.expect("kept");
    let mut other = mail(MailTemplate::AccountApproved, json!({}));
    other.id = uuid::Uuid::from_u128(1);
    mailer.send(&other).await.expect("kept");

    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "20250115T090000.000000Z-00000000-0000-0000-0000-000000000001.eml",
            "20250115T090000.000000Z-0190163d-8694-739b-aea5-966c26f8ad91.eml",
        ]
    );
    let message = std::fs::read(folder.join(&names[1])).expect("a file");
    assert_eq!(parse(&message).subject(), Some("Set a new password for Example"));
    assert_eq!(first_link(&parts(&message).0), LINK);
}

#[tokio::test]
async fn a_folder_that_is_gone_is_tried_again_and_not_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let transport = Arc::new(FileTransport::new(folder.path()).expect("a transport"));
    let mailer = mailer(transport).build().expect("a mailer");
    let path = folder.path().to_path_buf();
    drop(folder);
    let failed = mailer.send(&mail(MailTemplate::AccountApproved, json!({}))).await.expect_err("no folder");
    assert!(format!("{failed:?}").contains("again: true"));
    assert!(!failed.to_string().contains(&path.display().to_string()));
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("written");
    assert!(matches!(FileTransport::new(file.join("below")), Err(SetupError::Folder { .. })));
}
