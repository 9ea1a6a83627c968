//! Sending to a server that does as it is told, on this machine.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use helpdesk_core::{MailTemplate, Mailer as _};
use helpdesk_mail::{TemplateMailer, parse_transport};
use serde_json::json;
use support::{mail, mailer, parse, ticket_mail};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server answers to a command, where it is not what it should.
type Refusals = &'static [(&'static str, &'static str)];

/// What the server was told: commands, and the messages it took.
#[derive(Debug, Default)]
struct Told {
    commands: Mutex<Vec<String>>,
    messages: Mutex<Vec<Vec<u8>>>,
    port: AtomicU16,
}

impl Told {
    fn commands(&self) -> Vec<String> {
        self.commands.lock().expect("nobody panicked").clone()
    }
}

async fn converse(stream: TcpStream, told: &Told, refusals: Refusals) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        told.commands.lock().expect("nobody panicked").push(command.clone());
        let refused = refusals.iter().find(|(begins, _)| command.starts_with(begins));
        let answer = match (refused, command.split([' ', ':']).next().unwrap_or_default()) {
            (Some((_, answer)), _) => answer,
            (None, "EHLO") => "250-mail.test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME",
            (None, "AUTH") => "235 welcome",
            (None, "DATA") => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut message = Vec::new();
                while !message.ends_with(b"\r\n.\r\n") {
                    stream.read_until(b'\n', &mut message).await?;
                }
                message.truncate(message.len() - 3);
                told.messages.lock().expect("nobody panicked").push(message);
                "250 taken"
            }
            (None, "QUIT") => "221 bye",
            (None, _) => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// A server, and a mailer that sends to it. `login` goes before the host.
async fn server(login: &str, refusals: Refusals) -> (Arc<Told>, TemplateMailer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let told = Arc::new(Told { port: port.into(), ..Told::default() });
    let kept = Arc::clone(&told);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = Arc::clone(&kept);
            tokio::spawn(async move { converse(stream, &kept, refusals).await });
        }
    });
    let transport = parse_transport(&format!("smtp://{login}127.0.0.1:{port}/desk.test"));
    (told, mailer(transport.expect("a transport")).build().expect("a mailer"))
}

#[tokio::test]
async fn a_mail_is_sent_signed_in_and_over_one_connection() {
    let (told, mailer) = server("ada:p%40ss@", &[]).await;
    for subject in ["First", ".\r\n.dots\r\n."] {
        mailer.send(&ticket_mail(subject, Some(".\n..\n.end"))).await.expect("sent");
        // The connection goes back to the pool in a task of its own.
        tokio::task::yield_now().await;
    }
    let commands = told.commands();
    let count = |begin: &str| commands.iter().filter(|command| command.starts_with(begin)).count();
    assert_eq!(commands[0], "EHLO desk.test");
    // PLAIN: nobody, the user, the password.
    assert_eq!(commands[1], "AUTH PLAIN AGFkYQBwQHNz");
    assert_eq!(count("MAIL FROM:<desk@example.org>"), 2);
    assert_eq!(count("RCPT TO:<ada@example.com>"), 2);
    assert_eq!(count("EHLO"), 1, "the second mail takes the same connection");
    let messages = told.messages.lock().expect("nobody panicked").clone();
    let unstuffed = String::from_utf8(messages[1].clone()).expect("ASCII").replace("\r\n.", "\r\n");
    assert_eq!(parse(unstuffed.as_bytes()).subject(), Some("TX0001 is now Rejected: . .dots ."));
    let text = parse(unstuffed.as_bytes()).body_text(0).expect("a text").into_owned();
    assert!(text.contains("\r\n.\r\n..\r\n.end\r\n"), "{text}");
}

#[tokio::test]
async fn what_the_server_refuses_for_good_is_given_up_and_the_rest_tried_again() {
    let cases: [(Refusals, bool, &str); 7] = [
        (&[("RCPT", "550 5.1.1 <ada@example.com> unknown")], false, "the mail server answered 550"),
        (&[("MAIL", "553 who are you")], false, "the mail server answered 553"),
        (&[("DATA", "554 no")], false, "the mail server answered 554"),
        (&[("RCPT", "451 <ada@example.com> later")], true, "the mail server answered 451"),
        (&[("MAIL", "421 closing")], true, "the mail server answered 421"),
        (&[("AUTH", "535 wrong password for ada")], true, "the mail server answered 535"),
        (&[("EHLO", "250 mail.test")], true, "does not offer what is needed"),
    ];
    for (refusals, again, message) in cases {
        let (_, mailer) = server("ada:secret@", refusals).await;
        let failed = mailer.send(&ticket_mail("Printer", None)).await.expect_err("refused");
        assert!(format!("{failed:?}").contains(&format!("again: {again}")), "{refusals:?}: {failed:?}");
        assert!(failed.to_string().contains(message), "{refusals:?}: {failed}");
        assert!(!failed.to_string().contains("ada"), "{failed}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let transport = parse_transport(&format!("smtp://{address}")).expect("a transport");
    let mailer = mailer(transport).build().expect("a mailer");
    let failed = mailer.send(&ticket_mail("Printer", None)).await.expect_err("nobody there");
    assert_eq!(failed.to_string(), "the mail server cannot be reached");
    assert!(format!("{failed:?}").contains("again: true"));
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced() {
    let (told, mailer) = server("", &[("RCPT TO:<bob@example.com>", "550 unknown")]).await;
    let mut bob = mail(MailTemplate::AccountApproved, json!({}));
    bob.to = "bob@example.com".into();
    mailer.send(&bob).await.expect_err("refused");
    mailer.send(&ticket_mail("Printer", None)).await.expect("sent");
    assert_eq!(told.messages.lock().expect("nobody panicked").len(), 1);
}

#[tokio::test]
async fn what_must_be_encrypted_is_not_sent_in_the_clear() {
    let (told, _) = server("", &[]).await;
    let port = told.port.load(Ordering::SeqCst);
    let transport = parse_transport(&format!("smtp://ada:secret@127.0.0.1:{port}?tls=required"));
    let mailer = mailer(transport.expect("a transport")).build().expect("a mailer");
    let failed = mailer.send(&ticket_mail("Printer", None)).await.expect_err("the server cannot encrypt");
    assert!(format!("{failed:?}").contains("again: true"));
    assert!(told.commands().iter().all(|command| ["EHLO", "QUIT"].contains(&&command[..4])));
}

#[test]
fn a_mailer_outlives_its_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let first = runtime();
    let mailer = first.block_on(async {
        let (_, mailer) = server("", &[]).await;
        mailer.send(&ticket_mail("Printer", None)).await.expect("sent");
        mailer
    });
    drop(first);
    drop(mailer);
}
