//! The reference server.
//!
//! `cargo run --release --example server`

mod settings;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use helpdesk::export::FileWriter;
use helpdesk::http::dialects::smartsupport::smartsupport;
use helpdesk::http::dialects::supportdesk::{SupportDeskFeed, supportdesk};
use helpdesk::http::kernel::Dialect;
use helpdesk::http::{HttpApi, serve};
use helpdesk::identity::{NewUser, OrganisationId, Person, UserQuery};
use helpdesk::ws::Hub;
use helpdesk::{Actor, Chain, Helpdesk, HttpSocket, Limiter, LocalLimiter, SystemClock, Unlimited};
use helpdesk_examples::demo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::settings::{Limits, Settings};

/// How long requests may take to finish once the server was told to stop.
const GRACE: Duration = Duration::from_secs(8);
/// How many workers run jobs.
const WORKERS: usize = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Settings::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("helpdesk: {}", Chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let listener = TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let hub = Hub::new(helpdesk::ws::Settings::default());
    let desk = desk(&settings, &format!("http://{address}"), &hub).await?;
    let organisation = prepare(&desk, &settings).await?;
    let workers = desk.spawn_workers(WORKERS).await?;
    let api = api(&desk, &hub, organisation, &settings);
    welcome(&settings, address);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping");
    };
    serve(listener, api, stop, GRACE).await?;
    if tokio::time::timeout(Duration::from_secs(1), workers.stop()).await.is_err() {
        tracing::warn!("some jobs were not finished; they will be taken up again");
    }
    Ok(())
}

fn limiter(settings: &Settings) -> Arc<dyn Limiter> {
    match settings.limits {
        Limits::Documented => Arc::new(LocalLimiter::new(Arc::new(SystemClock))),
        Limits::Off => Arc::new(Unlimited),
    }
}

/// The help desk with the ports that the settings name.
async fn desk(settings: &Settings, own: &str, hub: &Hub) -> Result<Helpdesk, Box<dyn std::error::Error>> {
    if settings.forgets_files() {
        tracing::warn!("files end with this process, and no other server sees them: give --blobs");
    }
    let mut builder = Helpdesk::builder()
        .storage(settings.store().await?)
        .mailer(settings.mailer()?)
        .blobs(settings.blob_store()?)
        .report_writer(Arc::new(FileWriter::new()))
        .limiter(limiter(settings))
        .notifier(Arc::new(hub.clone()))
        .site(settings.site.as_deref().or(settings.public_url.as_deref()).unwrap_or(own));
    let reached = settings.public_url.as_deref().unwrap_or(own).trim_end_matches('/');
    builder = builder.rating_link(&format!("{reached}/supportdesk/api/satisfaction?token={{token}}"));
    match &settings.secret {
        Some(secret) => builder = builder.secret(secret.clone()),
        None => tracing::warn!("no --secret was given: tokens end with this process"),
    }
    Ok(builder.build())
}

/// Loads demo data, or makes the organisation and its first administrator.
async fn prepare(desk: &Helpdesk, settings: &Settings) -> Result<OrganisationId, Box<dyn std::error::Error>> {
    // Another server on the same database may be at it just now; then it is there the second time.
    match prepare_once(desk, settings).await {
        Ok(organisation) => Ok(organisation),
        Err(helpdesk::Error::Invalid(_) | helpdesk::Error::Conflict(_)) => {
            Ok(prepare_once(desk, settings).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn prepare_once(desk: &Helpdesk, settings: &Settings) -> helpdesk::Result<OrganisationId> {
    if settings.wants_demo() {
        return demo::load(desk).await;
    }
    let identity = desk.identity();
    let organisation = match identity.organisation_by_slug("main").await? {
        Some(organisation) => organisation,
        None => identity.create_organisation("Help desk", "main").await?,
    };
    let system = Actor::system(organisation);
    if !identity.users(&system, UserQuery::default()).await?.items.is_empty() {
        return Ok(organisation);
    }
    match (&settings.admin_email, &settings.admin_password) {
        (Some(email), Some(password)) => {
            use secrecy::ExposeSecret as _;
            let person = Person {
                first_name: "First".into(),
                last_name: "Administrator".into(),
                email: email.clone(),
                ..Person::default()
            };
            let password = Some(password.expose_secret().to_owned());
            let new = NewUser { person, role: "admin".into(), password, approved: true };
            identity.create_user(&system, new).await?;
        }
        _ => tracing::warn!("nobody can sign in: give --admin-email and --admin-password, or --demo"),
    }
    Ok(organisation)
}

/// The dialects. Links for a password lead to the site, where there is one; else to the page of Support Desk, at which the
/// tokens of both are good.
fn dialects(organisation: OrganisationId, settings: &Settings) -> (Dialect, Dialect) {
    let (smartsupport, supportdesk) = (smartsupport(organisation), supportdesk(organisation));
    if settings.site.is_some() {
        (smartsupport, supportdesk.reset_path("/reset-password?token={token}"))
    } else {
        (smartsupport.reset_path("/supportdesk/api/auth/password?uid={uid}&token={token}"), supportdesk)
    }
}

fn api(desk: &Helpdesk, hub: &Hub, organisation: OrganisationId, settings: &Settings) -> HttpApi {
    let events = Arc::new(HttpSocket::new(hub.socket(desk.clone(), Arc::new(SupportDeskFeed::new()))));
    let (smartsupport, supportdesk) = dialects(organisation, settings);
    let mut builder = HttpApi::builder(desk.clone())
        .dialect("/smartsupport", smartsupport.clone())
        .dialect("/supportdesk", supportdesk.clone())
        .socket("/supportdesk/ws", events.clone())
        .limiter(limiter(settings))
        .origins(settings.origins.clone())
        .trusted_proxies(settings.trusted_proxies.clone())
        .connections_per_address(settings.connections_per_address)
        .body_memory(u64::from(settings.body_memory) << 20);
    if let Some(url) = &settings.public_url {
        builder = builder.public_url(url);
    }
    match settings.root {
        Some(settings::Root::Smartsupport) => builder.dialect("", smartsupport).build(),
        Some(settings::Root::Supportdesk) => builder.dialect("", supportdesk).socket("/ws", events).build(),
        None => builder.build(),
    }
}

/// Says where to go and how to sign in.
fn welcome(settings: &Settings, address: std::net::SocketAddr) {
    println!("helpdesk is listening on http://{address}\n");
    println!("  SmartSupport   http://{address}/smartsupport/api/");
    println!("                 http://{address}/smartsupport/docs/");
    println!("  Support Desk   http://{address}/supportdesk/api/");
    println!("                 http://{address}/supportdesk/docs/");
    let root = if settings.root == Some(settings::Root::Supportdesk) { "" } else { "/supportdesk" };
    println!("                 ws://{address}{root}/ws?token=…");
    println!("  health         http://{address}/healthz  http://{address}/readyz\n");
    if settings.wants_demo() {
        println!("Demo accounts, all with the password {}:", demo::PASSWORD);
        for (name, role, ..) in demo::ACCOUNTS {
            println!("  {name:<12} {name}@demo.test ({role})");
        }
        println!("Demo API key: {}", demo::API_KEY);
    }
}
