//! Signing up, second factors and what people set for themselves, through the services.

mod cleanup;
mod settings;
mod sign_up;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;
mod two_factor;

use std::sync::Arc;

use helpdesk_core::Via;
use helpdesk_core::identity::Confirming;

/// A door whose clients keep one token.
fn door() -> Arc<Via> {
    Arc::new(Via { access_minutes: Some(12 * 60), ..Via::SYSTEM })
}

/// Where mailed links lead.
const LINK: &str = "/api/auth/confirm?token={token}";

/// What who signed up knows.
const OWN: Confirming<'static> = Confirming::Password(support::PASSWORD);

/// The token of a mailed link.
fn token(mail: &helpdesk_core::Mail) -> String {
    let link = mail.context["link"].as_str().expect("a link");
    link.split_once("token=").expect("a token").1.to_owned()
}
