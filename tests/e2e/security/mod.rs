//! What must never be told, and what must never be run.

mod files;
mod secrets;
mod trust;

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::files::Form;
use helpdesk_tests::server::Server;

/// A ticket with one file, by somebody.
async fn ticket_with(server: &Server, token: &str, name: &str, content: Vec<u8>) -> Reply {
    let form = Form::new().text("subject", "A file").text("description", "See there.");
    let form = form.text("category", "Software").text("sub_category", "Other");
    let form = form.file("files[]", name, "application/octet-stream", content);
    server.client.send(Request::post("/smartsupport/api/tickets/").bearer(token).form(&form)).await
}
