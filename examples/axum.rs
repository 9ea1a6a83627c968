//! The help desk nested in an axum application, beside routes of its own.
//!
//! `cargo run --example axum --features axum`, then <http://127.0.0.1:8081/desk/docs/>.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use helpdesk::http::HttpApi;
use helpdesk::http::dialects::smartsupport::smartsupport;
use helpdesk::{Helpdesk, MemoryStorage};
use helpdesk_examples::demo;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let desk = Helpdesk::builder().storage(Arc::new(MemoryStorage::new(Helpdesk::schema()))).build();
    let organisation = demo::load(&desk).await?;
    let workers = desk.spawn_workers(1).await?;
    // axum strips the prefix of a nested service, so the dialect is mounted at the root of its own.
    let api = HttpApi::builder(desk)
        .dialect("", smartsupport(organisation))
        .public_url("http://127.0.0.1:8081/desk")
        .build();
    let app = Router::new().route("/", get(async || "an application of its own")).nest_service("/desk", api);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8081").await?;
    println!("http://127.0.0.1:8081/desk/docs/");
    axum::serve(listener, app).await?;
    workers.stop().await;
    Ok(())
}
