//! Mails that are sent by SMTP.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use helpdesk_core::jobs::JobError;
use lettre::address::Envelope;
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::runtime::Handle;
use url::{Host, Url};

use super::{Outgoing, Transport};
use crate::SetupError;

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

/// How long the server may take over one command.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Sends mails to a server, over a pool of connections.
///
/// What the server refuses for good (5xx) is not tried again; what it refuses for now (4xx) is, and so is what
/// comes of the line, of the certificate or of the credentials, because none of that is the mail's fault.
pub struct SmtpTransport {
    builder: AsyncSmtpTransportBuilder,
    // The pool starts a task of its own, so it is made in the first mail's runtime and must go in it too.
    smtp: OnceLock<(Smtp, Handle)>,
}

impl SmtpTransport {
    /// A server by its address.
    ///
    /// | address | the line |
    /// | --- | --- |
    /// | `smtps://HOST` | encrypted from the start; port 465 |
    /// | `smtp://HOST` | encrypted if the server offers it (STARTTLS), and always where there is a password and the server is not this machine; port 587 |
    /// | `smtp://HOST?tls=required` | encrypted, or the mail is not sent; port 587 |
    /// | `smtp://HOST?tls=none` | in the clear; port 25 |
    ///
    /// `USER:PASSWORD@` goes before the host, with what is special in addresses percent-encoded, and `:PORT` after
    /// it. A path is the name that this machine gives for itself.
    ///
    /// # Errors
    ///
    /// [`SetupError::Setting`], [`SetupError::Server`].
    pub fn new(url: &str) -> Result<Self, SetupError> {
        let mut url = Url::parse(url).map_err(|_| SetupError::Setting)?;
        if url.host_str().is_none_or(str::is_empty) {
            return Err(SetupError::Setting);
        }
        encrypt(&mut url)?;
        let builder = Smtp::from_url(url.as_str());
        let builder = builder.map_err(|error| SetupError::Server { source: Box::new(error) })?;
        Ok(Self { builder: builder.timeout(Some(TIMEOUT)), smtp: OnceLock::new() })
    }
}

/// Says in the address how the line is encrypted, where it does not say so yet.
fn encrypt(url: &mut Url) -> Result<(), SetupError> {
    if url.scheme() != "smtp" {
        return Ok(());
    }
    let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    let query = match asked.as_deref() {
        Some("required") => Some("tls=required"),
        Some("opportunistic") => Some("tls=opportunistic"),
        Some("none") => None,
        Some(_) => return Err(SetupError::Setting),
        None if url.password().is_some() && !is_this_machine(url) => Some("tls=required"),
        None => Some("tls=opportunistic"),
    };
    url.set_query(query);
    Ok(())
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        // Hosts of schemes that the web does not know stay text.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl Drop for SmtpTransport {
    fn drop(&mut self) {
        if let Some((smtp, runtime)) = self.smtp.take() {
            let _inside = runtime.enter();
            drop(smtp);
        }
    }
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransport").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    async fn deliver(&self, mail: &Outgoing) -> Result<(), JobError> {
        let address = |text: &str| text.parse().map_err(|_| JobError::give_up("an address is not valid"));
        let envelope = Envelope::new(Some(address(mail.from())?), vec![address(mail.to())?]);
        let envelope = envelope.map_err(|_| JobError::give_up("the mail has no receiver"))?;
        let (smtp, _) = self.smtp.get_or_init(|| (self.builder.clone().build(), Handle::current()));
        let sent = smtp.send_raw(&envelope, mail.message()).await;
        sent.map(drop).map_err(|error| judge(&error, mail.to().is_ascii()))
    }
}

/// Whether a failure is worth another attempt. What the server said may repeat the address: only its code is told.
fn judge(error: &Error, ascii: bool) -> JobError {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        let message = format!("the mail server answered {code}");
        return if is_final(code) { JobError::give_up(message) } else { JobError::retry(message) };
    }
    if error.is_client() && !ascii {
        return JobError::give_up("the mail server takes no addresses outside ASCII");
    }
    JobError::retry(if error.is_timeout() {
        "the mail server did not answer in time"
    } else if error.is_tls() {
        "no encrypted line to the mail server could be made"
    } else if error.is_client() {
        "the mail server does not offer what is needed to sign in or encrypt"
    } else {
        "the mail server cannot be reached"
    })
}

/// Whether an answer is about the mail and for good. 530, 534, 535 and 538 are about how this program signs in
/// (RFC 4954): once that is put right, every mail that waits is sent.
const fn is_final(code: u16) -> bool {
    code >= 500 && !matches!(code, 530 | 534 | 535 | 538)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_are_checked_at_once() {
        for url in [
            "smtp://localhost",
            "smtp://127.0.0.1:2525",
            "smtp://[::1]:2525",
            "smtp://ada:p%40ss@mail.example.org:2525/desk.example.org",
            "smtp://mail.example.org?tls=none",
            "smtps://ada:secret@mail.example.org",
        ] {
            assert!(SmtpTransport::new(url).is_ok(), "{url}");
        }
        for url in ["smtp://", "smtp://:25", "smtp://host:port", "smtp://host?tls=perhaps", "http://host"] {
            assert!(SmtpTransport::new(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_leaves_this_machine_encrypted_unless_it_is_told_otherwise() {
        for (setting, query) in [
            ("smtp://ada:secret@mail.example.org", Some("tls=required")),
            ("smtp://ada:secret@192.0.2.1:25", Some("tls=required")),
            ("smtp://ada:secret@localhost", Some("tls=opportunistic")),
            ("smtp://ada:secret@127.0.0.1", Some("tls=opportunistic")),
            ("smtp://ada:secret@[::1]", Some("tls=opportunistic")),
            ("smtp://mail.example.org", Some("tls=opportunistic")),
            ("smtp://ada:secret@mail.example.org?tls=opportunistic", Some("tls=opportunistic")),
            ("smtp://ada:secret@mail.example.org?tls=none", None),
            ("smtps://ada:secret@mail.example.org", None),
        ] {
            let mut url = setting.parse().expect("an address");
            encrypt(&mut url).expect("known");
            assert_eq!(url.query(), query, "{setting}");
        }
    }

    #[test]
    fn only_what_is_about_the_mail_and_for_good_is_final() {
        for code in [500, 550, 552, 554] {
            assert!(is_final(code));
        }
        for code in [421, 450, 451, 454, 530, 535] {
            assert!(!is_final(code));
        }
    }

    #[test]
    fn debugging_tells_no_password() {
        let smtp = SmtpTransport::new("smtp://ada:secret@mail.example.org").expect("a server");
        assert_eq!(format!("{smtp:?}"), "SmtpTransport { .. }");
    }
}
