//! Accounts, sessions, passwords and keys, through the services.

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::pin::Pin;
use std::sync::Arc;

use chrono::Duration;
use futures_util::FutureExt as _;
use helpdesk_core::identity::{
    Admission, MAX_PICTURE, NewApiKey, NewUser, Person, Registration, Rotation, SignedIn, UserQuery,
    permissions,
};
use helpdesk_core::storage::StorageError;
use helpdesk_core::{AuthFailure, Error, MailTemplate, Problem, Rejection, Result, Via};
use support::{PASSWORD, World};

fn via() -> Arc<Via> {
    Arc::new(Via::SYSTEM)
}

fn registration(email: &str) -> Registration {
    Registration {
        person: Person {
            first_name: "Ada".into(),
            last_name: "Byron".into(),
            email: email.into(),
            ..Person::default()
        },
        password: PASSWORD.into(),
        picture: None,
    }
}

async fn sign_in(world: &World, email: &str, password: &str) -> Result<SignedIn> {
    world.desk.identity().sign_in(None, email, password, via(), |_, _| Ok(Admission::Approved)).await
}

fn problems(error: &Error) -> Vec<(String, Vec<Problem>)> {
    let Error::Invalid(problems) = error else { panic!("{error:?} is another error") };
    problems.iter().map(|(field, list)| (field.to_owned(), list.to_vec())).collect()
}

#[tokio::test]
async fn somebody_signs_up_is_approved_and_logs_in() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let user = identity.register(&world.anonymous(), registration(" Ada@Example.COM ")).await?;
    assert_eq!((user.email.as_str(), user.state.name(), user.number), ("ada@example.com", "pending", 1));
    let mails = world.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.template).collect::<Vec<_>>(), [MailTemplate::AccountReceived]);
    assert_eq!(mails[0].to, "ada@example.com");

    let waiting = sign_in(&world, "ada@example.com", PASSWORD).await;
    assert!(matches!(waiting, Err(Error::Unauthenticated(AuthFailure::Inactive))));

    let admin = world.actor("admin", "admin").await;
    let approved = identity.approve(&admin, user.id).await?;
    assert!(approved.state.is_active() && approved.notified);
    assert_eq!(world.mails().await[0].template, MailTemplate::AccountApproved);
    assert!(matches!(
        identity.approve(&admin, user.id).await,
        Err(Error::Rejected(Rejection::Account { state: "approved" }))
    ));
    let signed_in = sign_in(&world, "ADA@example.com", PASSWORD).await?;
    let caller = identity.authenticate(&signed_in.access, via()).await?;
    assert_eq!(caller.actor.user(), Some(user.id));
    assert!(
        caller.actor.has(&permissions::TICKET_CREATE) && !caller.actor.has(&permissions::TICKET_VIEW_ALL)
    );
    Ok(())
}

#[tokio::test]
async fn a_rejected_account_is_kept_for_the_audit_and_frees_its_address() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let first = identity.register(&world.anonymous(), registration("ada@example.com")).await?;
    identity.reject(&admin, first.id, Some("unknown here".into())).await?;
    assert_eq!(world.mails().await.last().map(|mail| mail.template), Some(MailTemplate::AccountRejected));
    let refused = sign_in(&world, "ada@example.com", PASSWORD).await;
    assert!(matches!(refused, Err(Error::Unauthenticated(AuthFailure::Credentials))));

    let second = identity.register(&world.anonymous(), registration("ada@example.com")).await?;
    assert_ne!(first.id, second.id);
    let audit = identity.all_users(&admin, UserQuery::rejected()).await?;
    assert_eq!(audit.iter().map(|user| user.id).collect::<Vec<_>>(), [first.id]);
    assert_eq!(identity.count_rejected(&admin).await?, 1);
    let listed = identity.all_users(&admin, UserQuery::default()).await?;
    assert!(listed.iter().all(|user| user.id != first.id));
    Ok(())
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_registration_is_said_at_once() {
    let world = World::new().await;
    let mut wrong = registration("no address");
    wrong.person.first_name = "x".repeat(101);
    wrong.person.last_name = "  ".into();
    wrong.password = "short".into();
    let error = world.desk.identity().register(&world.anonymous(), wrong).await.expect_err("it is wrong");
    assert_eq!(
        problems(&error),
        [
            ("email".to_owned(), vec![Problem::Format("e-mail address")]),
            ("first_name".to_owned(), vec![Problem::TooLong(100)]),
            ("last_name".to_owned(), vec![Problem::Blank]),
            ("password".to_owned(), vec![Problem::TooShort(8)]),
        ]
    );
}

#[tokio::test]
async fn one_address_is_one_account_also_when_two_sign_up_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let anonymous = world.anonymous();
    let (a, b) = tokio::join!(
        identity.register(&anonymous, registration("ada@example.com")),
        identity.register(&anonymous, registration("ADA@example.com")),
    );
    let error = match (a, b) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(problems(&error), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    Ok(())
}

#[tokio::test]
async fn nobody_gives_a_role_that_may_do_what_they_may_not() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let new = |role: &str| NewUser {
        person: registration("gus@example.com").person,
        role: role.into(),
        ..NewUser::default()
    };
    let coordinator = world.actor("coordinator", "coordinator").await;
    let refused = identity.create_user(&coordinator, new("customer")).await;
    assert!(
        matches!(refused, Err(Error::Forbidden { permission }) if permission == permissions::ADMIN_MANAGE_USERS)
    );
    let admin = world.actor("admin", "admin").await;
    let unknown = identity.create_user(&admin, new("emperor")).await.expect_err("no such role");
    assert_eq!(problems(&unknown), [("role".to_owned(), vec![Problem::Unknown("role")])]);
    let made = identity.create_user(&admin, new("admin")).await?;
    assert_eq!(made.state.name(), "pending");
    // Without a password none works.
    identity.approve(&admin, made.id).await?;
    for guess in ["", "nobody has this password"] {
        assert!(sign_in(&world, "gus@example.com", guess).await.is_err());
    }
    Ok(())
}

#[tokio::test]
async fn deactivation_ends_everything_at_once_and_the_last_administrator_stays() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let agent = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    assert!(identity.authenticate(&agent.access, via()).await.is_ok());
    identity.deactivate(&admin, agent.user.id).await?;
    assert!(identity.authenticate(&agent.access, via()).await.is_err());
    assert!(identity.refresh(&agent.refresh, Rotation::Keep, via()).await.is_err());
    identity.reactivate(&admin, agent.user.id).await?;
    assert!(identity.authenticate(&agent.access, via()).await.is_err(), "who comes back signs in again");
    assert!(sign_in(&world, "agent@demo.test", PASSWORD).await.is_ok());

    let me = admin.person()?;
    let last = identity.deactivate(&admin, me).await;
    assert!(matches!(last, Err(Error::Rejected(Rejection::LastAdministrator))));
    let second = world.user("admin2", "admin").await;
    // Two who switch each other off: one of them stays.
    let other = world.sign_in("admin2").await.actor;
    let (a, b) = tokio::join!(identity.deactivate(&admin, second.id), identity.deactivate(&other, me));
    assert!(a.is_ok() != b.is_ok());
    Ok(())
}

#[tokio::test]
async fn access_tokens_expire_and_are_good_for_nothing_else() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let signed_in = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    for wrong in [signed_in.refresh.as_str(), "", "x.y.z"] {
        let refused = identity.authenticate(wrong, via()).await;
        assert!(matches!(refused, Err(Error::Unauthenticated(AuthFailure::Token))));
    }
    assert!(identity.refresh(&signed_in.access, Rotation::Keep, via()).await.is_err());
    world.clock.advance(Duration::minutes(15));
    let expired = identity.authenticate(&signed_in.access, via()).await;
    assert!(matches!(expired, Err(Error::Unauthenticated(AuthFailure::Expired))));
    let again = identity.refresh(&signed_in.refresh, Rotation::Keep, via()).await?;
    assert!(identity.authenticate(&again.access, via()).await.is_ok());
    world.clock.advance(Duration::days(14));
    assert!(identity.refresh(&signed_in.refresh, Rotation::Keep, via()).await.is_err());
    Ok(())
}

/// A token is good at another door only as far as that one lets the account in.
#[tokio::test]
async fn a_door_lets_in_whom_it_would_have_let_sign_in() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let wide = || Arc::new(Via { admission: Admission::Pending, ..Via::SYSTEM });
    let new = NewUser {
        person: registration("ada@demo.test").person,
        role: "admin".into(),
        password: Some(PASSWORD.into()),
        approved: false,
    };
    let ada = identity.create_user(&world.system(), new).await?;
    let admit = |_: &_, _: &_| Ok(Admission::Pending);
    let signed_in = identity.sign_in(None, "ada@demo.test", PASSWORD, wide(), admit).await?;
    assert!(identity.authenticate(&signed_in.access, wide()).await.is_ok());
    let file = identity.file_token(&signed_in.caller).expect("a token");
    let refused = [
        identity.sign_in(None, "ada@demo.test", PASSWORD, via(), admit).await.map(drop),
        identity.authenticate(&signed_in.access, via()).await.map(drop),
        identity.authenticate_file(&file, via()).await.map(drop),
        identity.authenticate_bearer(&signed_in.access, via()).await.map(drop),
        identity.refresh(&signed_in.refresh, Rotation::Keep, via()).await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::Unauthenticated(AuthFailure::Inactive))));
    }
    assert!(identity.refresh(&signed_in.refresh, Rotation::Keep, wide()).await.is_ok());
    identity.approve(&world.system(), ada.id).await?;
    assert!(identity.authenticate(&signed_in.access, via()).await.is_ok());
    assert!(identity.refresh(&signed_in.refresh, Rotation::Keep, via()).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_ends_the_session() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let first = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    let second = identity.refresh(&first.refresh, Rotation::Rotate, via()).await?;
    assert_ne!(first.refresh, second.refresh);
    // Parallel tabs get the same successor.
    world.clock.advance(Duration::seconds(9));
    let tab = identity.refresh(&first.refresh, Rotation::Rotate, via()).await?;
    assert_eq!(tab.refresh, second.refresh);
    // Later, it is a theft.
    world.clock.advance(Duration::seconds(1));
    assert!(identity.refresh(&first.refresh, Rotation::Rotate, via()).await.is_err());
    assert!(identity.refresh(&second.refresh, Rotation::Rotate, via()).await.is_err());
    assert!(identity.authenticate(&second.access, via()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn two_who_refresh_at_once_get_the_same_successor() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let first = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    let (a, b) = tokio::join!(
        identity.refresh(&first.refresh, Rotation::Rotate, via()),
        identity.refresh(&first.refresh, Rotation::Rotate, via()),
    );
    assert_eq!(a?.refresh, b?.refresh);
    Ok(())
}

#[tokio::test]
async fn logging_out_ends_one_session_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let here = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    let there = sign_in(&world, "agent@demo.test", PASSWORD).await?;
    identity.sign_out(&identity.authenticate(&here.access, via()).await?).await?;
    assert!(identity.authenticate(&here.access, via()).await.is_err());
    assert!(identity.authenticate(&there.access, via()).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let here = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    let there = sign_in(&world, "agent@demo.test", PASSWORD).await?;
    let caller = identity.authenticate(&here.access, via()).await?;
    let wrong = identity.change_password(&caller, "wrong", "new password").await.expect_err("wrong");
    assert_eq!(problems(&wrong), [("current_password".to_owned(), vec![Problem::Wrong("current password")])]);
    let short = identity.change_password(&caller, PASSWORD, "short").await.expect_err("short");
    assert_eq!(problems(&short), [("new_password".to_owned(), vec![Problem::TooShort(8)])]);
    identity.change_password(&caller, PASSWORD, "new password").await?;
    assert!(identity.authenticate(&here.access, via()).await.is_ok());
    assert!(identity.authenticate(&there.access, via()).await.is_err());
    assert!(identity.refresh(&there.refresh, Rotation::Keep, via()).await.is_err());
    assert!(sign_in(&world, "agent@demo.test", PASSWORD).await.is_err());
    assert!(sign_in(&world, "agent@demo.test", "new password").await.is_ok());
    identity.check_password(&caller.actor, "new password").await?;
    Ok(())
}

/// Number and token of a mailed link.
fn link(text: &str) -> (i64, String) {
    use base64::Engine as _;
    let (_, query) = text.split_once("uid=").expect("a link");
    let (uid, token) = query.split_once("&token=").expect("a link");
    let number = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(uid).expect("base64");
    (String::from_utf8(number).expect("a text").parse().expect("a number"), token.to_owned())
}

#[tokio::test]
async fn a_forgotten_password_is_reset_once_by_a_mailed_link() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let anonymous = world.anonymous();
    let session = sign_in(&world, &world.user("agent", "agent").await.email, PASSWORD).await?;
    identity.request_reset(&anonymous, "agent@demo.test").await?;
    let mails = world.mails().await;
    let (number, token) = link(mails[0].context["link"].as_str().expect("a link"));
    assert_eq!(number, session.user.number);

    let bad =
        identity.reset_password(&anonymous, number + 1, &token, "new password").await.expect_err("other");
    assert!(matches!(bad, Error::BadToken));
    assert!(identity.reset_password(&anonymous, number, "made up", "new password").await.is_err());
    let short = identity.reset_password(&anonymous, number, &token, "short").await.expect_err("short");
    assert_eq!(problems(&short), [("new_password".to_owned(), vec![Problem::TooShort(8)])]);
    identity.reset_password(&anonymous, number, &token, "new password").await?;
    assert!(identity.reset_password(&anonymous, number, &token, "another one").await.is_err());
    assert!(identity.authenticate(&session.access, via()).await.is_err());
    assert!(sign_in(&world, "agent@demo.test", "new password").await.is_ok());
    Ok(())
}

/// Begins something that makes a hash, and leaves it there: what it has to prove is read. The runtime must have one
/// thread for such work.
fn begun<T>(future: impl Future<Output = T>) -> Pin<Box<impl Future<Output = T>>> {
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    drop(tokio::task::spawn_blocking(move || may_go_on.recv()));
    let mut future = Box::pin(future);
    assert!((&mut future).now_or_never().is_none(), "the thread that makes hashes is busy");
    drop(go_on);
    future
}

#[test]
fn who_proved_it_before_the_password_was_changed_comes_too_late() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new().await;
        let identity = world.desk.identity();
        let anonymous = world.anonymous();
        let caller = world.caller("agent", "agent").await;
        let number = identity.profile(&caller.actor).await?.number;
        let mailed = async || {
            identity.request_reset(&anonymous, "agent@demo.test").await?;
            Ok::<_, Error>(link(world.mails().await[0].context["link"].as_str().expect("a link")).1)
        };

        let token = mailed().await?;
        let late = begun(identity.reset_password(&anonymous, number, &token, "the second one"));
        identity.reset_password(&anonymous, number, &token, "the first one").await?;
        let late = late.await.expect_err("the link was used");
        assert!(matches!(late, Error::BadToken));

        let token = mailed().await?;
        let caller = sign_in(&world, "agent@demo.test", "the first one").await?.caller;
        let late = begun(identity.reset_password(&anonymous, number, &token, "the second one"));
        identity.change_password(&caller, "the first one", "another one").await?;
        assert!(late.await.is_err(), "the link was taken back");

        let late = begun(identity.change_password(&caller, "another one", "the second one"));
        identity.change_password(&caller, "another one", "the last one").await?;
        assert!(matches!(late.await, Err(Error::Conflict(_))));
        assert!(sign_in(&world, "agent@demo.test", "the last one").await.is_ok());
        Ok(())
    })
}

#[tokio::test]
async fn a_link_expires_and_is_spent_by_any_change_of_the_password() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let anonymous = world.anonymous();
    let caller = world.caller("agent", "agent").await;
    let number = identity.profile(&caller.actor).await?.number;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        identity.request_reset(&anonymous, "agent@demo.test").await?;
        tokens.push(link(world.mails().await[0].context["link"].as_str().expect("a link")).1);
    }
    identity.change_password(&caller, PASSWORD, "new password").await?;
    for token in &tokens {
        assert!(identity.reset_password(&anonymous, number, token, "another one").await.is_err());
    }
    identity.request_reset(&anonymous, "agent@demo.test").await?;
    let (_, token) = link(world.mails().await[0].context["link"].as_str().expect("a link"));
    world.clock.advance(Duration::hours(1));
    assert!(identity.reset_password(&anonymous, number, &token, "another one").await.is_err());
    Ok(())
}

#[tokio::test]
async fn nobody_learns_which_accounts_exist() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    world.user("agent", "agent").await;
    let wrong = sign_in(&world, "agent@demo.test", "wrong").await.expect_err("wrong").to_string();
    let nobody = sign_in(&world, "nobody@demo.test", "wrong").await.expect_err("nobody").to_string();
    assert_eq!(wrong, nobody);
    identity.request_reset(&world.anonymous(), "nobody@demo.test").await?;
    assert!(world.mails().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn guessing_is_slowed_down_by_account() {
    let world = World::new().await;
    world.user("agent", "agent").await;
    let mut limited = None;
    for _ in 0..40 {
        if let Err(Error::Limited { retry_after }) = sign_in(&world, "agent@demo.test", "guess").await {
            limited = Some(retry_after);
            break;
        }
    }
    let wait = limited.expect("limited");
    assert!(matches!(sign_in(&world, "agent@demo.test", PASSWORD).await, Err(Error::Limited { .. })));
    world.clock.advance(Duration::from_std(wait).expect("a duration") + Duration::seconds(1));
    assert!(sign_in(&world, "agent@demo.test", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn keys_let_programs_do_what_they_were_given() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let new = || NewApiKey {
        name: "workflow".into(),
        permissions: [permissions::TICKET_VIEW_FILES].into(),
        expires: Some(world.desk.now() + Duration::days(1)),
    };
    let agent = world.actor("agent", "agent").await;
    assert!(matches!(identity.create_api_key(&agent, new()).await, Err(Error::Forbidden { .. })));
    let (stored, key) = identity.create_api_key(&admin, new()).await?;
    let program = identity.authenticate_key(&key, via()).await?.actor;
    assert!(program.has(&permissions::TICKET_VIEW_FILES) && !program.has(&permissions::TICKET_VIEW_ALL));
    assert!(identity.authenticate_key("hdk_made_up", via()).await.is_err());
    assert!(matches!(
        identity.import_api_key(&admin, new(), &key).await,
        Err(Error::Invalid(_)) | Err(Error::Internal { .. })
    ));
    identity.revoke_api_key(&admin, stored.id).await?;
    assert!(identity.authenticate_key(&key, via()).await.is_err());
    let (_, expiring) = identity.create_api_key(&admin, new()).await?;
    world.clock.advance(Duration::days(1));
    assert!(identity.authenticate_key(&expiring, via()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn pictures_are_for_those_who_have_an_account_in_the_organisation() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.actor("ada", "customer").await;
    let mut png = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(30, 20).write_to(&mut png, image::ImageFormat::Png).expect("a picture");
    let png = bytes::Bytes::from(png.into_inner());
    let first = identity.set_picture(&ada, png.clone()).await?.value.picture.expect("a picture").file;
    let second = identity.set_picture(&ada, png).await?.value.picture.expect("a picture").file;
    assert!(matches!(identity.picture(&ada, &first).await, Err(Error::NotFound { .. })));
    let gus = world.actor("gus", "customer").await;
    assert_eq!(identity.picture(&gus, &second).await?.1, "image/jpeg");
    let elsewhere = identity.create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    for (actor, file) in [(&eve, second.as_str()), (&gus, "../demo/secret"), (&gus, "x.jpg")] {
        assert!(matches!(identity.picture(actor, file).await, Err(Error::NotFound { .. })));
    }
    assert!(identity.picture(&world.anonymous(), &second).await.is_err());
    let large = bytes::Bytes::from(vec![0; MAX_PICTURE + 1]);
    assert!(matches!(identity.set_picture(&ada, large).await, Err(Error::Invalid(_))));
    Ok(())
}

#[tokio::test]
async fn administrators_reach_nobody_of_another_organisation() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = identity.register(&world.anonymous(), registration("ada@example.com")).await?;
    let elsewhere = identity.create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    assert!(matches!(identity.approve(&eve, ada.id).await, Err(Error::NotFound { .. })));
    assert!(matches!(identity.reject(&eve, ada.id, None).await, Err(Error::NotFound { .. })));
    assert!(matches!(identity.deactivate(&eve, ada.id).await, Err(Error::NotFound { .. })));
    assert!(identity.all_users(&eve, UserQuery::default()).await?.iter().all(|user| user.id != ada.id));
    // A door that belongs to one organisation does not know the accounts of another.
    let foreign = identity
        .sign_in(Some(world.organisation), "eve@demo.test", PASSWORD, via(), |_, _| Ok(Admission::Approved))
        .await;
    assert!(matches!(foreign, Err(Error::Unauthenticated(AuthFailure::Credentials))));
    Ok(())
}

#[test]
fn what_a_store_says_becomes_what_a_caller_understands() {
    let lost = StorageError::Unavailable { source: "gone".into() };
    assert!(matches!(Error::from(lost), Error::Unavailable { .. }));
    let taken = StorageError::Duplicate { kind: "login", field: "name" };
    assert!(matches!(Error::from(taken), Error::Invalid(_)));
}
