//! A server in a process of its own, for tests that kill it.
//!
//! `desk DATABASE MAIL_DIR HOURS`: on a database, sending mail to a folder, by a clock that is so many hours ahead. Says
//! where it listens.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use helpdesk::http::dialects::smartsupport::smartsupport;
use helpdesk::http::{HttpApi, serve};
use helpdesk::identity::PasswordCost;
use helpdesk::mail::{TemplateMailer, parse_transport};
use helpdesk::{Clock, Helpdesk, PostgresSettings, PostgresStorage, SystemClock};
use helpdesk_examples::demo;
use tokio::net::TcpListener;

#[derive(Debug)]
struct Ahead(chrono::Duration);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [database, mails, hours] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "three words")?;
    let settings = PostgresSettings::parse(&database)?;
    let storage = PostgresStorage::open(&settings, Helpdesk::schema()).await?;
    let transport = parse_transport(&format!("file:{mails}"))?;
    let desk = Helpdesk::builder()
        .storage(Arc::new(storage))
        .clock(Arc::new(Ahead(chrono::Duration::hours(hours.parse()?))))
        .mailer(Arc::new(TemplateMailer::builder("Desk <desk@desk.test>", transport).build()?))
        .password_cost(PasswordCost::Least)
        .build();
    let organisation = demo::load(&desk).await?;
    let _workers = desk.spawn_workers(2).await?;
    let api = HttpApi::builder(desk).dialect("/smartsupport", smartsupport(organisation)).build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    Ok(serve(listener, api, std::future::pending(), Duration::ZERO).await?)
}
