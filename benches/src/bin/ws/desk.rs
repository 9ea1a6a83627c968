//! The help desk's server: the Support Desk API's events, through the HTTP server.

use std::sync::Arc;
use std::time::Duration;

use helpdesk::events::Relay;
use helpdesk::http::dialects::supportdesk::SupportDeskFeed;
use helpdesk::identity::{Admission, NewUser, PasswordCost, Person};
use helpdesk::tickets::{Act, Edit, NewTicket, TicketId};
use helpdesk::ws::{Hub, Settings};
use helpdesk::{Actor, Helpdesk, HttpSocket, MemoryStorage, Via};
use tokio::net::TcpListener;

use crate::Failed;
use crate::server::{Order, nanoseconds, obey};

/// How many people the clients are of.
const PEOPLE: usize = 50;

pub(crate) async fn serve() -> Result<(), Failed> {
    let settings = Settings { per_account: 1_000, per_address: 5_000, ..Settings::default() };
    let hub = Hub::new(settings);
    let desk = Helpdesk::builder()
        .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
        .password_cost(PasswordCost::Least)
        .notifier(Arc::new(hub.clone()))
        .build();
    let organisation = desk.identity().create_organisation("Bench", "bench").await?;
    let system = Actor::system(organisation);
    let (mut tokens, mut agent) = (Vec::new(), system.clone());
    for number in 0..PEOPLE {
        let email = format!("agent{number}@bench.test");
        let person = Person {
            first_name: "Ada".into(),
            last_name: "Agent".into(),
            email: email.clone(),
            ..Person::default()
        };
        let password = Some("correct horse".to_owned());
        let new = NewUser { person, role: "agent".into(), password, approved: true };
        desk.identity().create_user(&system, new).await?;
        let admit = |_: &_, _: &_| Ok(Admission::Approved);
        let via = Arc::new(Via::SYSTEM);
        let signed_in = desk.identity().sign_in(None, &email, "correct horse", via, admit).await?;
        agent = signed_in.caller.actor;
        tokens.push(signed_in.access);
    }
    let new = NewTicket { subject: "Bench".into(), description: "words ".repeat(15), ..NewTicket::default() };
    let ticket = desk.tickets().create(&agent, new).await?.0.id;

    let socket = hub.socket(desk.clone(), Arc::new(SupportDeskFeed::new()));
    let api = helpdesk::http::HttpApi::builder(desk.clone())
        .socket("/ws", Arc::new(HttpSocket::new(socket)))
        .build();
    let listener = TcpListener::bind("0.0.0.0:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(helpdesk::http::serve(listener, api, std::future::pending(), Duration::ZERO));

    let mut relay = None;
    obey(port, &tokens, async |order| {
        match order {
            Order::Prepare(count) => {
                // Only telling is measured, not what it is that is told of.
                relay = Some(Relay::from_now(desk.clone()).await?);
                for _ in 0..count {
                    change(&desk, &system, ticket).await?;
                }
            }
            Order::Go => {
                if let Some(relay) = &mut relay {
                    while relay.pump().await? > 0 {}
                }
            }
            Order::Steady(rate, seconds) => {
                let workers = desk.spawn_workers(1).await?;
                let mut ticks = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate)?);
                for _ in 0..rate * seconds {
                    ticks.tick().await;
                    change(&desk, &system, ticket).await?;
                }
                workers.stop().await;
            }
        }
        Ok(())
    })
    .await
}

/// A change with the time in it.
async fn change(desk: &Helpdesk, actor: &Actor, ticket: TicketId) -> Result<(), Failed> {
    let edit = Edit { subject: Some(nanoseconds().to_string()), ..Edit::default() };
    desk.tickets().act(actor, ticket, None, Act::Edit(edit)).await?;
    Ok(())
}
