//! Second factors.

use chrono::Duration;
use helpdesk_core::identity::{
    Admission, Credentials, Enrolment, SecondFactor, SecondFactorChange, SecurityChange, SignedIn,
};
use helpdesk_core::{AuthFailure, Authenticated, Error, Problem, Result};
use totp_rs::Totp;

use crate::door;
use crate::support::tickets::problems;
use crate::support::{PASSWORD, World};

/// The code that a phone shows at the moment.
fn shown(world: &World, enrolment: &Enrolment) -> String {
    let totp = Totp::from_url(&enrolment.url).expect("an address");
    totp.generate(world.desk.now().timestamp().unsigned_abs()).to_string()
}

async fn change(
    world: &World,
    caller: &Authenticated,
    change: SecondFactorChange<'_>,
) -> Result<Option<Enrolment>> {
    let change =
        SecurityChange { current_password: PASSWORD, new_password: None, second_factor: Some(change) };
    world.desk.identity().change_security(caller, change).await
}

async fn sign_in(world: &World, second: Option<SecondFactor<'_>>) -> Result<SignedIn> {
    let credentials = Credentials { name: "ada@demo.test", password: PASSWORD, second };
    world.desk.identity().sign_in_with(None, credentials, door(), |_, _| Ok(Admission::Approved)).await
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> AuthFailure {
    match result.expect_err("refused") {
        Error::Unauthenticated(why) => why,
        other => panic!("{other:?} is another error"),
    }
}

/// Ada, whose second factor is active.
async fn with_factor(world: &World) -> Result<(Authenticated, Enrolment)> {
    let ada = world.caller("ada", "customer").await;
    let enrolment = change(world, &ada, SecondFactorChange::Begin).await?.expect("it begins");
    let code = shown(world, &enrolment);
    change(world, &ada, SecondFactorChange::Confirm(&code)).await?;
    world.clock.advance(Duration::seconds(30));
    Ok((ada, enrolment))
}

#[tokio::test]
async fn a_code_is_asked_for_once_the_first_was_shown() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.caller("ada", "customer").await;
    let first = change(&world, &ada, SecondFactorChange::Begin).await?.expect("it begins");
    assert!(!identity.has_second_factor(&ada.actor).await?);
    assert!(sign_in(&world, None).await.is_ok(), "nobody is locked out by what they may not have noted");
    let second = change(&world, &ada, SecondFactorChange::Begin).await?.expect("it begins anew");
    assert_ne!(first.secret, second.secret);

    let old = shown(&world, &first);
    let wrong = change(&world, &ada, SecondFactorChange::Confirm(&old)).await.expect_err("of the first");
    assert_eq!(problems(&wrong), [("code".to_owned(), vec![Problem::Wrong("code")])]);
    change(&world, &ada, SecondFactorChange::Confirm(&shown(&world, &second))).await?;
    assert!(identity.has_second_factor(&ada.actor).await?);
    assert!(change(&world, &ada, SecondFactorChange::Begin).await?.is_none(), "it is there");
    assert_eq!(refused(sign_in(&world, None).await), AuthFailure::SecondFactor);
    Ok(())
}

#[tokio::test]
async fn a_login_with_the_first_code_completes_an_enrolment() -> Result<()> {
    let world = World::new().await;
    let ada = world.caller("ada", "customer").await;
    let enrolment = change(&world, &ada, SecondFactorChange::Begin).await?.expect("it begins");
    let backup = SecondFactor::Backup(&enrolment.backup_codes[0]);
    assert_eq!(refused(sign_in(&world, Some(backup)).await), AuthFailure::Code);
    sign_in(&world, Some(SecondFactor::Code(&shown(&world, &enrolment)))).await?;
    assert_eq!(refused(sign_in(&world, None).await), AuthFailure::SecondFactor);
    Ok(())
}

#[tokio::test]
async fn a_code_works_once_and_so_does_a_backup_code() -> Result<()> {
    let world = World::new().await;
    let (_, enrolment) = with_factor(&world).await?;
    let code = shown(&world, &enrolment);
    let (a, b) = tokio::join!(
        sign_in(&world, Some(SecondFactor::Code(&code))),
        sign_in(&world, Some(SecondFactor::Code(&code)))
    );
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|went| **went).count(), 1, "of two at once, one");
    assert_eq!(refused(sign_in(&world, Some(SecondFactor::Code(&code))).await), AuthFailure::Code);
    let backup = SecondFactor::Backup(&enrolment.backup_codes[4]);
    sign_in(&world, Some(backup)).await?;
    assert_eq!(refused(sign_in(&world, Some(backup)).await), AuthFailure::Code);
    Ok(())
}

#[tokio::test]
async fn whether_there_is_a_second_factor_is_told_for_the_right_password_only() -> Result<()> {
    let world = World::new().await;
    with_factor(&world).await?;
    let identity = world.desk.identity();
    let credentials = Credentials { name: "ada@demo.test", password: "wrong", second: None };
    let wrong = identity.sign_in_with(None, credentials, door(), |_, _| Ok(Admission::Approved)).await;
    assert_eq!(refused(wrong), AuthFailure::Credentials);
    // Doors that know nothing of codes let nobody past.
    let other =
        identity.sign_in(None, "ada@demo.test", PASSWORD, door(), |_, _| Ok(Admission::Approved)).await;
    assert_eq!(refused(other), AuthFailure::SecondFactor);
    Ok(())
}

#[tokio::test]
async fn guessing_codes_is_slowed_down() -> Result<()> {
    let world = World::new().await;
    let (_, enrolment) = with_factor(&world).await?;
    let mut limited = false;
    for _ in 0..15 {
        limited |=
            matches!(sign_in(&world, Some(SecondFactor::Code("000000"))).await, Err(Error::Limited { .. }));
    }
    assert!(limited);
    let right = shown(&world, &enrolment);
    assert!(matches!(sign_in(&world, Some(SecondFactor::Code(&right))).await, Err(Error::Limited { .. })));
    world.clock.advance(Duration::minutes(15));
    let right = shown(&world, &enrolment);
    assert!(sign_in(&world, Some(SecondFactor::Code(&right))).await.is_ok());
    Ok(())
}

#[tokio::test]
async fn it_ends_by_the_password_or_by_an_administrator() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let (ada, _) = with_factor(&world).await?;
    let end = SecurityChange {
        current_password: "wrong",
        new_password: None,
        second_factor: Some(SecondFactorChange::End),
    };
    let wrong = identity.change_security(&ada, end).await.expect_err("wrong");
    assert_eq!(problems(&wrong), [("current_password".to_owned(), vec![Problem::Wrong("current password")])]);
    change(&world, &ada, SecondFactorChange::End).await?;
    assert!(sign_in(&world, None).await.is_ok());

    let enrolment = change(&world, &ada, SecondFactorChange::Begin).await?.expect("it begins");
    change(&world, &ada, SecondFactorChange::Confirm(&shown(&world, &enrolment))).await?;
    let id = ada.actor.user().expect("an account");
    let agent = world.actor("agent", "agent").await;
    assert!(matches!(identity.end_second_factor(&agent, id).await, Err(Error::Forbidden { .. })));
    let admin = world.actor("admin", "admin").await;
    identity.end_second_factor(&admin, id).await?;
    assert!(sign_in(&world, None).await.is_ok());
    let elsewhere = identity.create_organisation("Other", "other").await?;
    world.user_in(elsewhere, "eve", "admin").await;
    let eve = world.sign_in("eve").await.actor;
    assert!(matches!(identity.end_second_factor(&eve, id).await, Err(Error::NotFound { .. })));
    Ok(())
}

#[tokio::test]
async fn password_and_second_factor_change_together_or_not_at_all() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.caller("ada", "customer").await;
    let other = world.sign_in("ada").await;
    assert!(other.session.is_some() && other.session != ada.session);
    let change = |new, second_factor| SecurityChange {
        current_password: PASSWORD,
        new_password: Some(new),
        second_factor: Some(second_factor),
    };
    let wrong =
        identity.change_security(&ada, change("another one", SecondFactorChange::Confirm("000000"))).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))));
    assert!(sign_in(&world, None).await.is_ok(), "the password is the one it was");
    let short =
        identity.change_security(&ada, change("short", SecondFactorChange::Begin)).await.expect_err("short");
    assert_eq!(problems(&short), [("new_password".to_owned(), vec![Problem::TooShort(8)])]);

    let enrolment = identity.change_security(&ada, change("another one", SecondFactorChange::Begin)).await?;
    assert!(enrolment.is_some());
    assert_eq!(refused(sign_in(&world, None).await), AuthFailure::Credentials);
    let admit = |_: &_, _: &_| Ok(Admission::Approved);
    assert!(identity.sign_in(None, "ada@demo.test", "another one", door(), admit).await.is_ok());
    Ok(())
}
