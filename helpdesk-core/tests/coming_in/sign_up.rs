//! Signing up with an address that is confirmed by mail.

use chrono::Duration;
use helpdesk_core::contacts::{Company, CompanyId};
use helpdesk_core::identity::{Admission, Confirming, Person, SignUp, SignedIn};
use helpdesk_core::storage::{EntityId as _, Stored};
use helpdesk_core::{AuthFailure, Error, MailTemplate, Problem, Result};

use crate::support::tickets::problems;
use crate::support::{PASSWORD, World};
use crate::{LINK, OWN, door, token};

const EMAIL: &str = "sam@acme.example";

fn sam() -> SignUp {
    SignUp {
        person: Person { email: EMAIL.into(), ..Person::named("Sam Signup") },
        password: PASSWORD.into(),
        link: LINK.into(),
        ..SignUp::default()
    }
}

async fn sign_in(world: &World, password: &str) -> Result<SignedIn> {
    world.desk.identity().sign_in(None, EMAIL, password, door(), |_, _| Ok(Admission::Approved)).await
}

async fn company(world: &World, domain: &str) -> CompanyId {
    let mut changes = world.desk.changes();
    let id = CompanyId::from_uuid(world.desk.ids().id(changes.at()));
    let company = Company {
        name: "Acme".into(),
        domain: Some(domain.into()),
        settings: serde_json::Map::new(),
        deleted: None,
        ext: serde_json::Map::new(),
    };
    changes.insert(world.system().scope(), id, &company);
    world.desk.commit(changes).await.expect("a company");
    id
}

#[tokio::test]
async fn an_account_is_used_once_its_address_is_confirmed() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let user = identity.sign_up(&world.anonymous(), sam()).await?;
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Sam", "Signup"));
    assert_eq!(user.state.name(), "unconfirmed");
    let refused = sign_in(&world, PASSWORD).await.expect_err("not yet");
    assert!(matches!(refused, Error::Unauthenticated(AuthFailure::Unconfirmed)));
    let wrong = sign_in(&world, "wrong").await.expect_err("wrong");
    assert!(matches!(wrong, Error::Unauthenticated(AuthFailure::Credentials)), "strangers learn nothing");

    let mails = world.mails().await;
    assert_eq!((mails.len(), mails[0].template, &*mails[0].to), (1, MailTemplate::ConfirmEmail, EMAIL));
    let link = mails[0].context["link"].as_str().expect("a link");
    assert!(link.starts_with("https://desk.test/api/auth/confirm?token="), "{link}");
    let token = token(&mails[0]);
    assert!(matches!(identity.confirm_address(&door(), "made up", OWN).await, Err(Error::BadToken)));
    identity.confirm_address(&door(), &token, OWN).await?;
    assert!(matches!(identity.confirm_address(&door(), &token, OWN).await, Err(Error::BadToken)), "once");
    sign_in(&world, PASSWORD).await?;
    Ok(())
}

#[tokio::test]
async fn a_link_confirms_for_three_days() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    identity.sign_up(&world.anonymous(), sam()).await?;
    let confirmation = token(&world.mails().await[0]);
    world.clock.advance(Duration::days(3));
    let late = identity.reset_password_anywhere(&door(), &confirmation, "another one").await;
    assert!(matches!(late, Err(Error::BadToken)));
    assert!(matches!(identity.confirm_address(&door(), &confirmation, OWN).await, Err(Error::BadToken)));

    identity.request_reset_anywhere(&world.anonymous(), EMAIL).await?;
    let mails = world.mails().await;
    assert_eq!(mails[0].template, MailTemplate::PasswordReset);
    let reset = token(&mails[0]);
    assert!(matches!(identity.confirm_address(&door(), &reset, OWN).await, Err(Error::BadToken)));
    // It was mailed to the address, so following it shows as much as following the other.
    identity.reset_password_anywhere(&door(), &reset, "another one").await?;
    sign_in(&world, "another one").await?;
    Ok(())
}

/// Whoever has the link could ask for one that does so anyway; the password that was typed at sign-up, perhaps by
/// somebody else, is then gone.
#[tokio::test]
async fn the_link_that_confirms_may_also_choose_the_password() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    identity.sign_up(&world.anonymous(), sam()).await?;
    let confirmation = token(&world.mails().await[0]);
    identity.reset_password_anywhere(&door(), &confirmation, "another one").await?;
    sign_in(&world, "another one").await?;
    assert!(sign_in(&world, PASSWORD).await.is_err());
    assert!(
        matches!(identity.confirm_address(&door(), &confirmation, OWN).await, Err(Error::BadToken)),
        "it works once"
    );
    Ok(())
}

/// Anybody may sign up with anybody's address. Whoever has it gets the mail, and must not let in who has the password.
#[tokio::test]
async fn an_address_alone_confirms_no_account_of_somebody_else() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    identity.sign_up(&world.anonymous(), sam()).await?;
    let confirmation = token(&world.mails().await[0]);
    let nothing = identity.confirm_address(&door(), &confirmation, Confirming::Password("")).await;
    assert_eq!(
        problems(&nothing.expect_err("nothing was said")),
        [("password".to_owned(), vec![Problem::Required])]
    );
    for guess in ["not it", &"x".repeat(600)] {
        let refused = identity.confirm_address(&door(), &confirmation, Confirming::Password(guess)).await;
        assert_eq!(
            problems(&refused.expect_err("they do not know it")),
            [("password".to_owned(), vec![Problem::Wrong("password")])]
        );
    }
    let short = identity.confirm_address(&door(), &confirmation, Confirming::NewPassword("short")).await;
    assert_eq!(
        problems(&short.expect_err("too short")),
        [("new_password".to_owned(), vec![Problem::TooShort(8)])]
    );
    let refused = sign_in(&world, PASSWORD).await.expect_err("not yet");
    assert!(matches!(refused, Error::Unauthenticated(AuthFailure::Unconfirmed)));
    identity.confirm_address(&door(), &confirmation, Confirming::NewPassword("one of their own")).await?;
    assert!(sign_in(&world, PASSWORD).await.is_err(), "who signed up with their address is out");
    sign_in(&world, "one of their own").await?;
    assert!(matches!(identity.confirm_address(&door(), &confirmation, OWN).await, Err(Error::BadToken)));
    Ok(())
}

#[tokio::test]
async fn guessing_with_a_link_is_slowed_down() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    identity.sign_up(&world.anonymous(), sam()).await?;
    let confirmation = token(&world.mails().await[0]);
    for _ in 0..20 {
        let refused = identity.confirm_address(&door(), &confirmation, Confirming::Password("not it")).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let refused = identity.confirm_address(&door(), &confirmation, OWN).await;
    assert!(matches!(refused, Err(Error::Limited { .. })));
    Ok(())
}

#[tokio::test]
async fn an_administrator_may_be_quicker_or_say_no() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let admin = world.actor("admin", "admin").await;
    let first = identity.sign_up(&world.anonymous(), sam()).await?;
    let confirmation = token(&world.mails().await[0]);
    identity.reject(&admin, first.id, None).await?;
    assert!(matches!(identity.confirm_address(&door(), &confirmation, OWN).await, Err(Error::BadToken)));

    let second = identity.sign_up(&world.anonymous(), sam()).await?;
    identity.approve(&admin, second.id).await?;
    sign_in(&world, PASSWORD).await?;
    assert_eq!(
        world.mails().await.iter().filter(|mail| mail.template == MailTemplate::ConfirmEmail).count(),
        0
    );
    Ok(())
}

#[tokio::test]
async fn an_address_is_one_account_and_everything_that_is_wrong_is_said_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    identity.sign_up(&world.anonymous(), sam()).await?;
    let again = identity.sign_up(&world.anonymous(), sam()).await.expect_err("taken");
    assert_eq!(problems(&again), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    let wrong = SignUp {
        person: Person { email: "sam".into(), ..Person::named(" ") },
        password: "short".into(),
        phone: Some("1".repeat(51)),
        company: Some("00000000-0000-7000-8000-000000000009".parse().expect("an id")),
        link: LINK.into(),
    };
    let wrong = identity.sign_up(&world.anonymous(), wrong).await.expect_err("wrong");
    let fields: Vec<_> = problems(&wrong).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["company", "email", "first_name", "password", "phone"]);
    Ok(())
}

#[tokio::test]
async fn the_company_of_an_address_is_theirs_when_it_is_confirmed() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let (acme, other) = (company(&world, "acme.example").await, company(&world, "other.example").await);
    let user = identity.sign_up(&world.anonymous(), sam()).await?;
    assert_eq!(user.company, None, "anybody may have typed the address");
    identity.confirm_address(&door(), &token(&world.mails().await[0]), OWN).await?;
    let caller = sign_in(&world, PASSWORD).await?.caller;
    assert_eq!(identity.profile(&caller.actor).await?.company, Some(acme));

    let person = Person { email: "eve@acme.example".into(), ..Person::named("Eve") };
    let eve = identity.sign_up(&world.anonymous(), SignUp { person, company: Some(other), ..sam() }).await?;
    identity.confirm_address(&door(), &token(&world.mails().await[0]), OWN).await?;
    let eve = world.desk.store().get::<helpdesk_core::identity::User>(eve.scope, eve.id).await?;
    assert_eq!(eve.expect("an account").company, Some(other), "they said another");
    Ok(())
}

#[tokio::test]
async fn a_company_of_another_organisation_is_unknown() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let acme = company(&world, "acme.example").await;
    let elsewhere = identity.create_organisation("Other", "other").await?;
    let stranger = helpdesk_core::Actor::anonymous(elsewhere, door());
    let error =
        identity.sign_up(&stranger, SignUp { company: Some(acme), ..sam() }).await.expect_err("not here");
    assert_eq!(problems(&error), [("company".to_owned(), vec![Problem::Unknown("organization")])]);

    let store = world.desk.store();
    let before = store.get::<Company>(world.system().scope(), acme).await?.expect("a company");
    let mut changes = world.desk.changes();
    changes.update(&before, &Company { deleted: Some(changes.at()), ..Stored::clone(&before).value });
    world.desk.commit(changes).await?;
    let error = identity.sign_up(&world.anonymous(), SignUp { company: Some(acme), ..sam() }).await;
    assert!(matches!(error, Err(Error::Invalid(_))), "it was deleted");
    Ok(())
}

#[tokio::test]
async fn a_door_says_how_long_its_tokens_last_and_a_session_ends_at_once() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    world.user("ada", "customer").await;
    let sign_in = || {
        let admit = |_: &_, _: &_| Ok(Admission::Approved);
        identity.sign_in(None, "ada@demo.test", PASSWORD, door(), admit)
    };
    let (first, second) = (sign_in().await?, sign_in().await?);
    assert_eq!(first.expires_in, Duration::hours(12));
    world.clock.advance(Duration::hours(12) - Duration::seconds(1));
    let caller = identity.authenticate(&first.access, door()).await?;
    identity.sign_out(&caller).await?;
    assert!(identity.authenticate(&first.access, door()).await.is_err(), "it was signed out");
    assert!(identity.authenticate(&second.access, door()).await.is_ok());
    world.clock.advance(Duration::seconds(1));
    assert!(identity.authenticate(&second.access, door()).await.is_err(), "it has expired");
    Ok(())
}
