//! Other people's records, and other organisations'.

use helpdesk::http::kernel::Auth;
use helpdesk::identity::BUILTIN_ROLES;
use helpdesk_examples::demo;
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::{ALL, SMARTSUPPORT};
use helpdesk_tests::on_every_store;

use super::refused;
use crate::support::{ELSEWHERE, Whose, World, assert_none, sample};

on_every_store! {
    /// One employee and the records of another: nothing, at any operation.
    async fn another_employees_records_are_shut(store: NewStore) {
        let world = World::new(store).await;
        let (owner, other) = (world.server.token("customer").await, world.server.token("customer2").await);
        let customers = BUILTIN_ROLES.iter().find(|role| role.key == "customer").expect("a role").permissions();
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                let sample = sample(spoken, operation.id);
                // A new parameter needs a sample that says what it names.
                assert_eq!(sample.names.len(), operation.parameters().count(), "{}", operation.id);
                let Some(thing) = sample.names.first() else { continue };
                // What is everybody's to read may still be nobody's to change.
                let permitted = |permission| customers.contains(permission);
                if thing.whose() == Whose::Everybodys && operation.permission.as_ref().is_none_or(permitted) {
                    continue;
                }
                let request = sample.request(spoken, &operation, &world.things);
                let theirs = request.clone().bearer(&other);
                problems.extend(refused(&world, spoken, operation.id, theirs, &[403, 404]).await);
                // Reading one's own is another matter.
                if thing.whose() == Whose::Somebodys && operation.method == http::Method::GET {
                    let reply = world.server.client.send(request.bearer(&owner)).await;
                    problems.extend((reply.status != 200).then(|| format!("{}: {}", operation.id, reply.status)));
                }
            }
        }
        assert_none(&problems);
    }

    /// An administrator and the records of another organisation: there are none, whatever the operation. So it is
    /// for an API key.
    async fn another_organisations_records_are_not_there(store: NewStore) {
        let world = World::new(store).await;
        let token = world.server.token("admin").await;
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                let sample = sample(spoken, operation.id);
                if sample.names.is_empty() {
                    continue;
                }
                let request = sample.request(spoken, &operation, &world.others);
                let asked = request.clone().bearer(&token);
                problems.extend(refused(&world, spoken, operation.id, asked, &[404]).await);
                if operation.auth == Auth::File {
                    let asked = request.header("x-api-key", demo::API_KEY);
                    let what = format!("{} with a key", operation.id);
                    problems.extend(refused(&world, spoken, &what, asked, &[404]).await);
                }
            }
        }
        assert_none(&problems);
    }

    /// No list and no record shows anything of another organisation, to anybody.
    async fn lists_show_nothing_of_another_organisation(store: NewStore) {
        let world = World::new(store).await;
        let mut problems = Vec::new();
        for name in ["admin", "coordinator", "agent", "security", "customer"] {
            let token = world.server.token(name).await;
            for spoken in ALL {
                for operation in spoken.operations(world.server.organisation) {
                    if operation.method != http::Method::GET {
                        continue;
                    }
                    let sample = sample(spoken, operation.id);
                    let mut request = sample.request(spoken, &operation, &world.things).bearer(&token);
                    if operation.id == "tickets.list" {
                        request.target += "?page_size=100&search=printer";
                    }
                    let reply = world.server.client.send(request).await;
                    let text = reply.text().to_lowercase();
                    if text.contains(&ELSEWHERE.to_lowercase()) || text.contains("foreign-admin") {
                        problems.push(format!("{} as {name} shows {ELSEWHERE}", operation.id));
                    }
                    if reply.status >= 500 {
                        problems.push(format!("{} as {name}: {}", operation.id, reply.status));
                    }
                }
            }
        }
        assert_none(&problems);
    }

    /// Lists of the desk show the desk everything, and employees no more than their own and what they get copies of.
    async fn an_employees_list_is_their_own(store: NewStore) {
        let world = World::new(store).await;
        let page = |token: String| {
            let request = Request::get("/smartsupport/api/tickets/?page_size=100").bearer(&token);
            async { world.server.client.send(request).await.json() }
        };
        let all = page(world.server.token("coordinator").await).await;
        let (own, other) =
            (page(world.server.token("customer").await).await, page(world.server.token("customer2").await).await);
        let of_others = |page: &serde_json::Value, own: &str| {
            let tickets = page["results"].as_array().expect("a list").iter();
            let others = tickets.filter(|ticket| ticket["employee"]["email"] != own);
            let mut subjects: Vec<_> = others.map(|ticket| ticket["subject"].clone()).collect();
            subjects.sort_by_key(ToString::to_string);
            subjects
        };
        assert_eq!(of_others(&own, "customer@demo.test"), Vec::<serde_json::Value>::new());
        let copies = of_others(&other, "customer2@demo.test");
        assert_eq!(copies, ["Move my desk to floor 4", "No light in meeting room 2"]);
        let count = |page: &serde_json::Value| page["count"].as_u64().expect("a count");
        assert_eq!(count(&all) + 2, count(&own) + count(&other));
        assert!(count(&own) > 1 && count(&other) > 2);
    }

    /// Pictures are for everybody in the organisation, and for nobody else.
    async fn pictures_are_the_organisations(store: NewStore) {
        let world = World::new(store).await;
        let token = world.server.token("customer2").await;
        let own = world.picture("customer").await;
        let foreign = world.picture("foreign-admin@demo.test").await;
        let path = |picture: &str| format!("{}/media/{picture}", SMARTSUPPORT.mount);
        let reply = world.server.client.send(Request::get(path(&own)).bearer(&token)).await;
        assert_eq!((reply.status, reply.media_type().as_str()), (200, "image/jpeg"));
        let reply = world.server.client.send(Request::get(path(&foreign)).bearer(&token)).await;
        assert_eq!(reply.status, 404);
    }
}
