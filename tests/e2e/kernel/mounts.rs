//! One dialect in several places.

use helpdesk::http::dialects::smartsupport::smartsupport;
use helpdesk_tests::client::Request;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Setup;
use serde_json::json;

on_every_store! {
    /// A dialect at the root leaves the mounts theirs, and each hands out addresses of its own place.
    async fn the_root_leaves_the_mounts_theirs(store: NewStore) {
        let server = Setup::new(store).mount("", smartsupport).mount("/deep/down/", smartsupport).start().await;
        let token = server.token("customer").await;
        let ask = async |path: &str| server.client.send(Request::get(path).bearer(&token)).await;
        for mount in ["", "/smartsupport", "/deep/down"] {
            let root = ask(&format!("{mount}/api/")).await;
            let here = format!("http://{}{mount}/api/tickets/", server.address);
            assert_eq!((root.status, &root.json()["tickets"]), (200, &json!(here)));
            assert_eq!(ask(&format!("{mount}/openapi.json")).await.json()["info"]["title"], "SmartSupport");
            assert_eq!(ask(&format!("{mount}/docs/")).await.status, 200);
            let none = ask(&format!("{mount}/none")).await;
            assert_eq!((none.status, &none.json()["error"]), (404, &json!("Not found.")), "{mount}");
            // Addresses of files lead to the same mount, and open there.
            let profile = ask(&format!("{mount}/api/employee/profile/")).await.json();
            let image = profile["image"].as_str().expect("an address").to_owned();
            let path = image.strip_prefix(&format!("http://{}", server.address)).expect("an address of this server");
            assert!(path.starts_with(&format!("{mount}/media/")), "{path}");
            assert_eq!(server.client.send(Request::get(path)).await.status, 200);
        }
        // The server's own addresses are nobody's.
        assert_eq!(ask("/healthz").await.text(), "ok\n");
        assert_eq!(ask("/readyz").await.status, 200);
        // A name that only begins like a mount is not it.
        assert_eq!(ask("/smartsupports/api/").await.status, 404);
        assert_eq!(ask("/smartsupport/smartsupport/api/").await.status, 404);
    }

    /// Addresses that are handed out are those of the public site, where one was named.
    async fn addresses_are_those_of_the_public_site(store: NewStore) {
        let public = |builder: helpdesk::http::Builder| builder.public_url("https://desk.example/");
        let server = Setup::new(store).http(public).start().await;
        let request = Request::get("/smartsupport/api/").header("host", "evil.example");
        let told = server.client.send(request).await.json();
        assert_eq!(told["tickets"], "https://desk.example/smartsupport/api/tickets/");
        let document = server.client.send(Request::get("/smartsupport/openapi.json")).await.json();
        assert_eq!(document["servers"][0]["url"], "https://desk.example/smartsupport");
        let docs = server.client.send(Request::get("/smartsupport/docs")).await;
        assert_eq!(docs.header("location"), "https://desk.example/smartsupport/docs/");
    }
}
