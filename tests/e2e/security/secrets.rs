//! Tokens, links, passwords, keys and addresses: not in the log, not in a refusal.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use helpdesk_examples::demo;
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::files::Form;
use helpdesk_tests::json::search;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use helpdesk_tests::stores::Mood;
use helpdesk_tests::walk::Walker;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::contracts::accounts;

/// The log of this process, kept from its first use on. It is the process's and not a test's, because what is worth
/// logging at all is remembered for the whole process: a place that another test's thread comes to first, where nobody
/// listens, stays silent for everybody.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .init();
    log
});

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long it is.
    fn mark(&self) -> usize {
        self.lines().len()
    }

    /// What was added since a mark, by this test and by those beside it.
    fn since(&self, mark: usize) -> String {
        String::from_utf8_lossy(&self.lines()[mark..]).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.lines().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

on_every_store! {
    /// The whole contract is walked with the log as wide open as it goes; whatever was secret on the way is not in
    /// it. Neither are addresses: who they belong to is nobody's business who reads a log.
    async fn the_log_tells_no_secrets(store: NewStore) {
        let mark = LOG.mark();
        let server = Server::start(store).await;
        let (mut secrets, mut requests) = (BTreeSet::new(), 0);
        for spoken in ALL {
            let mut walker = Walker::new(&server, spoken, &accounts(spoken));
            walker.run().await;
            secrets.append(&mut walker.secrets);
            requests += walker.report.requests;
        }
        assert!(secrets.len() > 50, "{}", secrets.len());
        secrets.extend(server.mails.links());
        secrets.extend([demo::PASSWORD.to_owned(), demo::API_KEY.to_owned()]);
        secrets.extend(demo::ACCOUNTS.iter().map(|(name, ..)| format!("{name}@demo.test")));

        // And once more where everything fails.
        let token = server.token("admin").await;
        server.storage.be(Mood::Down);
        for spoken in ALL {
            for operation in spoken.operations(server.organisation) {
                let path = operation.path.replace(['{', '}', '*'], "");
                let target = format!("{}{path}?token={token}", spoken.mount);
                let request = Request::new(operation.method, target).bearer(&token);
                let body = json!({ "email": "admin@demo.test", "password": demo::PASSWORD, "refresh": token });
                server.client.send(request.json(&body)).await;
            }
        }
        server.storage.be(Mood::Well);
        secrets.insert(token);

        let text = LOG.since(mark);
        let lines = text.lines().filter(|line| line.contains("answered")).count();
        assert!(lines >= requests && text.contains("tickets.create"), "only {lines} answers are logged");
        assert!(text.contains("an operation failed"), "an outage is logged");
        let told: Vec<_> = secrets
            .iter()
            .filter(|secret| {
                let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
                text.contains(secret.as_str()) || text.contains(&encoded)
            })
            .collect();
        assert!(told.is_empty(), "the log tells {told:?}");
    }

    /// However a request with a secret in it is broken, the refusal does not give it back.
    async fn refusals_tell_no_secrets(store: NewStore) {
        let server = Server::start(store).await;
        let secret = "hunter2-of-somebody";
        let json = |body: &str| ("application/json".to_owned(), body.replace('$', secret).into_bytes());
        let form = Form::new().text("email", "a@demo.test").text("password", secret);
        let half = form.encode()[..form.encode().len() - 20].to_vec();
        let bodies = [
            json(r#"{"email": "admin@demo.test", "password": "$"}"#),
            json(r#"{"email": "admin@demo.test", "password": "$""#),
            json(r#"{"email": "admin@demo.test", "password": $}"#),
            json(r#"{"email": "admin@demo.test", "password": {"$": "$"}}"#),
            json(r#"{"email": "admin@demo.test", "password": ["$"]}"#),
            json(r#"{"email": "$", "password": "$"}"#),
            json(r#"{"password": "$", "current_password": "$", "new_password": "$", "token": "$", "uidb64": "$"}"#),
            json(r#"{"refresh": "$", "email": {"a": "$"}, "confirm_password": "$$"}"#),
            json(r#"{"$": "$"}"#),
            json("$"),
            (form.content_type(), form.encode().to_vec()),
            (form.content_type(), half),
            ("application/x-www-form-urlencoded".into(), format!("password={secret}&%ff").into_bytes()),
            (format!("text/{secret}"), secret.as_bytes().to_vec()),
        ];
        let token = server.token("customer").await;
        for spoken in ALL {
            for operation in spoken.operations(server.organisation) {
                let path = operation.path.replace(['{', '}', '*'], "");
                for (media_type, body) in &bodies {
                    let target = format!("{}{path}?token={secret}&api_key={secret}&page={secret}", spoken.mount);
                    let request = Request::new(operation.method.clone(), target).body(media_type, body.clone());
                    for request in [request.clone(), request.clone().bearer(secret), request.bearer(&token)] {
                        let reply = server.client.send(request).await;
                        let told = reply.text().contains(secret)
                            || reply.headers.values().any(|value| value.to_str().is_ok_and(|it| it.contains(secret)));
                        assert!(!told || reply.status < 400, "{} tells: {}", operation.id, reply.excerpt());
                        assert!(reply.status < 500, "{}: {}", operation.id, reply.excerpt());
                    }
                }
            }
        }
        for path in [format!("/smartsupport/{secret}"), format!("/{secret}")] {
            assert!(!server.client.send(Request::get(path)).await.text().contains(secret));
        }
    }

    /// Accounts are shown without anything that opens them.
    async fn accounts_are_shown_without_their_passwords(store: NewStore) {
        let server = Server::start(store).await;
        let token = server.token("admin").await;
        for path in ["/api/employees/", "/api/employee/profile/", "/api/rejected-employees/", "/api/tickets/"] {
            let reply = server.client.send(Request::get(format!("/smartsupport{path}")).bearer(&token)).await;
            assert!(!reply.text().contains("$argon2") && reply.status == 200, "{path}");
            for key in ["password", "hash", "credential", "session_epoch", "kept_session"] {
                assert_eq!(search(&reply.json(), key), None, "{path}");
            }
        }
    }
}
