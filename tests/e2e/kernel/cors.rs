//! Pages of other origins.

use helpdesk_tests::client::{Reply, Request};
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::{Server, Setup};
use http::{HeaderValue, Method};

const PATH: &str = "/smartsupport/api/tickets/";

/// What a browser asks before it sends something for a page of an origin.
async fn preflight(server: &Server, origin: &str) -> Reply {
    let request = Request::new(Method::OPTIONS, PATH)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    server.client.send(request).await
}

fn allowed_by(
    origins: &'static [&'static str],
) -> impl FnOnce(helpdesk::http::Builder) -> helpdesk::http::Builder {
    move |builder| builder.origins(origins.iter().map(|origin| HeaderValue::from_static(origin)))
}

on_every_store! {
    /// By default no page of another origin may read anything.
    async fn nobody_is_allowed_by_default(store: NewStore) {
        let server = Server::start(store).await;
        let reply = server.client.send(Request::get(PATH).header("origin", "https://desk.example")).await;
        let names: Vec<_> = reply.headers.keys().filter(|name| name.as_str().starts_with("access-control")).collect();
        assert!(names.is_empty(), "{names:?}");
        assert_eq!(preflight(&server, "https://desk.example").await.status, 405);
    }

    /// Pages of the origins that were named may, those of others may not.
    async fn named_origins_are_allowed(store: NewStore) {
        let origins = allowed_by(&["https://desk.example", "http://localhost:3000"]);
        let server = Setup::new(store).http(origins).start().await;
        for origin in ["https://desk.example", "http://localhost:3000"] {
            let reply = preflight(&server, origin).await;
            assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, origin));
            let methods = reply.header("access-control-allow-methods");
            assert!(["GET", "POST", "PUT", "PATCH", "DELETE"].iter().all(|method| methods.contains(method)));
            let headers = reply.header("access-control-allow-headers").to_lowercase();
            assert!(headers.contains("authorization") && headers.contains("content-type"));
            // Refusals must be readable as well, or a page could not tell why.
            for (request, status) in [
                (Request::get("/smartsupport/api/"), 200),
                (Request::get(PATH), 401),
                (Request::get("/smartsupport/none"), 404),
            ] {
                let reply = server.client.send(request.header("origin", origin)).await;
                assert_eq!((reply.status, reply.header("access-control-allow-origin")), (status, origin));
                let exposed = reply.header("access-control-expose-headers").to_lowercase();
                assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
                assert!(reply.headers.get_all("vary").iter().any(|vary| {
                    vary.to_str().is_ok_and(|vary| vary.to_lowercase().contains("origin"))
                }));
                assert_eq!(reply.header("access-control-allow-credentials"), "");
            }
        }
        for origin in ["https://evil.example", "https://desk.example.evil.example", "http://desk.example", "null"] {
            assert_eq!(preflight(&server, origin).await.header("access-control-allow-origin"), "", "{origin}");
            let reply = server.client.send(Request::get(PATH).header("origin", origin)).await;
            assert_eq!(reply.header("access-control-allow-origin"), "", "{origin}");
        }
    }

    /// Or all of them.
    async fn all_origins_are_allowed(store: NewStore) {
        let server = Setup::new(store).http(allowed_by(&["*"])).start().await;
        assert_eq!(preflight(&server, "https://any.example").await.header("access-control-allow-origin"), "*");
        let reply = server.client.send(Request::get(PATH).header("origin", "https://any.example")).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (401, "*"));
    }
}
