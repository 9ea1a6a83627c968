//! Callers who are not known, or not any more.

use chrono::Duration;
use helpdesk::Actor;
use helpdesk::http::kernel::{Auth, Tenant};
use helpdesk::identity::{NewApiKey, permissions};
use helpdesk_examples::demo;
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;

use super::refused;
use crate::support::{PASSWORD, Rights, World, assert_none, sample};

/// What somebody of another organisation comes with.
const ANOTHERS_TOKEN: &str = "a token of another organisation";

/// Something that opens nothing: what is called how, in which header or parameter, and what it is.
struct Nobody {
    name: &'static str,
    header: Option<(&'static str, String)>,
    query: Option<(&'static str, String)>,
}

fn in_header(name: &'static str, value: impl Into<String>) -> Nobody {
    Nobody { name, header: Some(("authorization", value.into())), query: None }
}

fn in_query(name: &'static str, key: &'static str, value: impl Into<String>) -> Nobody {
    Nobody { name, header: None, query: Some((key, value.into())) }
}

/// Everything that opens no operation that needs a caller.
async fn nobodies(world: &World) -> Vec<Nobody> {
    let (desk, server) = (&world.server.desk, &world.server);
    let identity = desk.identity();
    let system = Actor::system(server.organisation);

    // What was good once comes first: then the clock moves.
    let expired = server.sign_in("admin").await;
    let file = identity.file_token(&expired.caller).expect("a token for files");
    let key = |expires| NewApiKey {
        name: "A key".into(),
        permissions: [permissions::TICKET_VIEW_FILES].into(),
        expires,
    };
    let soon = desk.now() + Duration::minutes(1);
    identity.import_api_key(&system, key(Some(soon)), "a key that expires soon").await.expect("a key");
    let (revoked, revoked_text) = identity.create_api_key(&system, key(None)).await.expect("a key");
    identity.revoke_api_key(&system, revoked.id).await.expect("revoked");
    let elsewhere = Actor::system(world.other);
    identity.import_api_key(&elsewhere, key(None), "a key of another organisation").await.expect("a key");
    server.clock.advance(Duration::hours(2));

    let present = server.sign_in("admin").await;
    let out = server.sign_in("admin").await;
    identity.sign_out(&out.caller).await.expect("signed out");
    let foreigner = server.sign_in("foreign-admin@demo.test").await;

    let ended = |name: &'static str| async move {
        world.account(name, "admin").await;
        server.sign_in(&format!("{name}@demo.test")).await
    };
    let deactivated = ended("deactivated").await;
    identity.deactivate(&system, deactivated.user.id).await.expect("deactivated");
    let blocked = ended("blocked").await;
    identity.block(&system, blocked.user.id, None).await.expect("blocked");
    let changed = ended("changed").await;
    let elsewhere = server.sign_in("changed@demo.test").await;
    identity.change_password(&elsewhere.caller, PASSWORD, "another password").await.expect("changed");

    let fresh_file = identity.file_token(&present.caller).expect("a token for files");
    let claims = present.access.split('.').nth(1).expect("claims").to_owned();
    let signature = present.access.rsplit('.').next().expect("a signature").to_owned();
    vec![
        Nobody { name: "no token", header: None, query: None },
        in_header("a made-up token", "Bearer not-a-token"),
        in_header("an empty token", "Bearer "),
        in_header("a scheme alone", "Bearer"),
        in_header("a name and password", "Basic YWRtaW46aGVscGRlc2stZGVtbw=="),
        in_header("a token without a scheme", present.access.clone()),
        // {"alg":"none"}
        in_header("an unsigned token", format!("Bearer eyJhbGciOiJub25lIn0.{claims}.")),
        in_header("a token of another head", format!("Bearer eyJhbGciOiJub25lIn0.{claims}.{signature}")),
        in_header("half a token", format!("Bearer {}", &present.access[..present.access.len() - 5])),
        in_header("a refresh token", format!("Bearer {}", present.refresh)),
        in_header("a token for files", format!("Bearer {fresh_file}")),
        in_header(ANOTHERS_TOKEN, format!("Bearer {}", foreigner.access)),
        in_header("an expired token", format!("Bearer {}", expired.access)),
        in_header("a token of a session that was ended", format!("Bearer {}", out.access)),
        in_header("a token of a deactivated account", format!("Bearer {}", deactivated.access)),
        in_header("a token of a blocked account", format!("Bearer {}", blocked.access)),
        in_header("a token from before the password was changed", format!("Bearer {}", changed.access)),
        in_header("an API key as a token", format!("Bearer {}", demo::API_KEY)),
        in_query("an expired token for files", "token", file),
        in_query("a refresh token in the address", "token", present.refresh.clone()),
        in_query("a made-up token in the address", "token", "not-a-token"),
        in_query("a made-up key", "api_key", "not-a-key"),
        in_query("an expired key", "api_key", "a key that expires soon"),
        in_query("a revoked key", "api_key", revoked_text),
        in_query("a key of another organisation", "api_key", "a key of another organisation"),
        Nobody {
            name: "a made-up token beside a good one",
            header: Some(("authorization", "Bearer not-a-token".into())),
            query: Some(("token", present.access.clone())),
        },
        Nobody {
            name: "a made-up key in the header",
            header: Some(("x-api-key", "not-a-key".into())),
            query: None,
        },
    ]
}

on_every_store! {
    /// Every operation that needs a caller refuses everybody who is nobody, and does nothing for them.
    async fn nobody_gets_in(store: NewStore) {
        let world = World::new(store).await;
        let nobodies = nobodies(&world).await;
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                if operation.auth == Auth::None {
                    continue;
                }
                let sample = sample(spoken, operation.id);
                for nobody in &nobodies {
                    // Where everybody acts in their own organisation, there is no other one's token.
                    let at_home = matches!((spoken.make)(world.server.organisation).tenant, Tenant::Callers { .. });
                    if at_home && nobody.name == ANOTHERS_TOKEN {
                        continue;
                    }
                    let mut request = sample.request(spoken, &operation, &world.things);
                    if let Some((name, value)) = &nobody.header {
                        request = request.header(name, value);
                    }
                    if let Some((name, value)) = &nobody.query {
                        request.target = format!("{}?{name}={}", request.target, value.replace(' ', "+"));
                    }
                    let what = format!("{} with {}", operation.id, nobody.name);
                    problems.extend(refused(&world, spoken, &what, request, &[401]).await);
                }
            }
        }
        assert_none(&problems);
    }

    /// What opens files opens nothing else: a token for files or a key in the address of an operation that wants a
    /// token in the header.
    async fn tokens_for_files_and_keys_open_only_files(store: NewStore) {
        let world = World::new(store).await;
        let signed_in = world.server.sign_in("admin").await;
        let file = world.server.desk.identity().file_token(&signed_in.caller).expect("a token for files");
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                let sample = sample(spoken, operation.id);
                let request = sample.request(spoken, &operation, &world.things);
                let addressed = |parameter: &str| Request {
                    target: format!("{}?{parameter}", request.target),
                    ..request.clone()
                };
                let good = [
                    ("a token for files", addressed(&format!("token={file}"))),
                    ("an access token in the address", addressed(&format!("token={}", signed_in.access))),
                    ("a key in the address", addressed(&format!("api_key={}", demo::API_KEY))),
                    ("a key in the header", request.clone().header("x-api-key", demo::API_KEY)),
                ];
                for (name, request) in good {
                    let what = format!("{} with {name}", operation.id);
                    match operation.auth {
                        Auth::None => {}
                        Auth::Bearer => problems.extend(refused(&world, spoken, &what, request, &[401]).await),
                        Auth::File => {
                            let reply = world.server.client.send(request).await;
                            problems.extend((reply.status != 200).then(|| format!("{what}: {}", reply.status)));
                        }
                    }
                }
            }
        }
        assert_none(&problems);
    }
}

/// The list of what anybody may call is this one. Whoever adds to it says so here.
#[tokio::test]
async fn only_these_operations_are_public() {
    let server = helpdesk_tests::server::Server::start(helpdesk_tests::stores::memory).await;
    for spoken in ALL {
        let operations = spoken.operations(server.organisation);
        let public = operations.iter().filter(|operation| operation.auth == Auth::None);
        let mut ids: Vec<_> = public.clone().map(|operation| operation.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, Rights::of(spoken).public, "{}", spoken.name);
        // A permission without a caller would be no protection.
        let bare: Vec<_> = public.filter(|operation| operation.permission.is_some()).collect();
        assert!(bare.is_empty(), "{bare:?}");
    }
    // And what is public stays so for somebody whose token has gone stale.
    let request = Request::get("/smartsupport/api/").bearer("not-a-token");
    assert_eq!(server.client.send(request).await.status, 200);
}
