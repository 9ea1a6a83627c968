//! Callers who are known and may do too little.

use helpdesk::http::kernel::Auth;
use helpdesk::identity::permissions::{
    ADMIN_APPROVE_USERS, ADMIN_MANAGE_USERS, CATALOGUE, STAFF_ACCESS_ANALYTICS,
};
use helpdesk::identity::{BUILTIN_ROLES, Permissions};
use helpdesk_tests::client::Request;
use helpdesk_tests::dialects::ALL;
use helpdesk_tests::on_every_store;

use super::{let_in, refused};
use crate::support::{Rights, World, assert_none, sample};

fn everything() -> Permissions {
    CATALOGUE.iter().map(|(permission, _)| permission.clone()).collect()
}

on_every_store! {
    /// Every operation that declares a permission refuses those who have all others.
    async fn the_declared_permission_is_needed(store: NewStore) {
        let world = World::new(store).await;
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                let Some(permission) = &operation.permission else { continue };
                let mut all_but = everything();
                assert!(all_but.remove(permission), "{permission} is not in the catalogue");
                let name = format!("all-but-{}", operation.id.replace(['.', '_'], "-"));
                let token = world.with_permissions(&name, all_but).await;
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                let what = format!("{} without {permission}", operation.id);
                problems.extend(refused(&world, spoken, &what, request.bearer(&token), &[403]).await);
            }
        }
        assert_none(&problems);
    }

    /// And it is enough, but for what the list above says.
    async fn the_declared_permission_is_enough(store: NewStore) {
        let world = World::new(store).await;
        let mut problems = Vec::new();
        for spoken in ALL {
            for operation in spoken.operations(world.server.organisation) {
                let Some(permission) = &operation.permission else { continue };
                let mut only = Permissions::from([permission.clone()]);
                let rights = Rights::of(spoken);
                only.extend(rights.more(operation.id).cloned());
                // Nobody gives what they do not have.
                for (_, given) in rights.gives_role.iter().filter(|(id, _)| *id == operation.id) {
                    let role = BUILTIN_ROLES.iter().find(|role| role.key == *given).expect("a role");
                    only.extend(role.permissions());
                }
                let name = format!("only-{}", operation.id.replace(['.', '_'], "-"));
                let token = world.with_permissions(&name, only).await;
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                let reply = world.server.client.send(request.bearer(&token)).await;
                problems.extend(let_in(&format!("{} with {permission}", operation.id), &reply));
            }
        }
        assert_none(&problems);
    }

    /// Every built-in role at every operation: those without the permission are refused before anything is read,
    /// those with it are not.
    async fn roles_get_as_far_as_their_permissions(store: NewStore) {
        let world = World::new(store).await;
        let mut problems = Vec::new();
        for role in BUILTIN_ROLES {
            let has = role.permissions();
            let token = world.account(&format!("a-{}", role.key.replace('_', "-")), role.key).await;
            for spoken in ALL {
                for operation in spoken.operations(world.server.organisation) {
                    let Some(permission) = &operation.permission else { continue };
                    let sample = sample(spoken, operation.id);
                    let request = sample.request(spoken, &operation, &world.things).bearer(&token);
                    let what = format!("{} as {}", operation.id, role.key);
                    if has.contains(permission) {
                        let reply = world.server.client.send(request).await;
                        if Rights::of(spoken).more(operation.id).all(|more| has.contains(more)) {
                            problems.extend(let_in(&what, &reply));
                        }
                    } else {
                        problems.extend(refused(&world, spoken, &what, request, &[403]).await);
                        // What is sent does not matter to somebody who may not send it.
                        let mut broken = sample.request(spoken, &operation, &world.things).bearer(&token);
                        broken.body = "{\"broken\": ".into();
                        let broken = refused(&world, spoken, &what, broken, &[403]).await;
                        problems.extend(broken);
                    }
                }
            }
        }
        assert_none(&problems);
    }

    /// Somebody who is signed in and may do nothing: their own account, empty lists, and nothing else.
    async fn without_any_permission_there_is_only_oneself(store: NewStore) {
        let world = World::new(store).await;
        let token = world.with_permissions("nothing", Permissions::new()).await;
        let mut problems = Vec::new();
        for spoken in ALL {
            let rights = Rights::of(spoken);
            for operation in spoken.operations(world.server.organisation) {
                let request = sample(spoken, operation.id).request(spoken, &operation, &world.things);
                let request = request.bearer(&token);
                if operation.auth == Auth::None || rights.ends_session.contains(&operation.id) {
                    continue;
                }
                if rights.oneself.contains(&operation.id) {
                    let reply = world.server.client.send(request).await;
                    let right = reply.status == operation.success.as_u16();
                    problems.extend((!right).then(|| format!("{}: {}", operation.id, reply.excerpt())));
                } else {
                    let status = if rights.nothing_of_others.contains(&operation.id) { 404 } else { 403 };
                    problems.extend(refused(&world, spoken, operation.id, request, &[status]).await);
                }
            }
        }
        assert_none(&problems);
        let list = Request::get("/smartsupport/api/tickets/").bearer(&token);
        let page = world.server.client.send(list).await.json();
        assert_eq!((&page["count"], &page["results"]), (&0.into(), &serde_json::json!([])));
    }
}

/// Every operation that needs a caller declares a permission, or stands in the list with its reason.
#[tokio::test]
async fn operations_without_a_permission_have_a_reason() {
    let server = helpdesk_tests::server::Server::start(helpdesk_tests::stores::memory).await;
    for spoken in ALL {
        let operations = spoken.operations(server.organisation);
        let bare = |operation: &&helpdesk::http::kernel::Operation| {
            operation.auth != Auth::None && operation.permission.is_none()
        };
        let mut bare: Vec<_> = operations.iter().filter(bare).map(|operation| operation.id).collect();
        bare.sort_unstable();
        let listed: Vec<_> = Rights::of(spoken).for_everybody.iter().map(|(id, _)| *id).collect();
        assert_eq!(bare, listed, "{}", spoken.name);
    }
}

/// What only administrators may do needs what only administrators have.
#[test]
fn people_are_managed_by_administrators_alone() {
    for role in BUILTIN_ROLES.iter().filter(|role| role.key != "admin") {
        for reserved in [ADMIN_MANAGE_USERS, ADMIN_APPROVE_USERS] {
            assert!(!role.permissions().contains(&reserved), "{} has {reserved}", role.key);
        }
    }
    assert!(!BUILTIN_ROLES[0].permissions().contains(&STAFF_ACCESS_ANALYTICS));
}
