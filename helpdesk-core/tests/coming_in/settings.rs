//! What people set for themselves, and administrators for the organisation.

use helpdesk_core::identity::{Admission, Confirming, OrganisationChange, PreferencesChange, ProfileChange};
use helpdesk_core::{Error, MailTemplate, Problem, Result};
use serde_json::json;

use crate::support::tickets::problems;
use crate::support::{PASSWORD, World};
use crate::{LINK, door, token};

fn email(address: &str) -> ProfileChange {
    ProfileChange { email: Some(address.into()), link: LINK.into(), ..ProfileChange::default() }
}

#[tokio::test]
async fn a_profile_changes_in_what_is_sent() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.actor("ada", "customer").await;
    let change = ProfileChange {
        name: Some("Ada King Lovelace".into()),
        email: Some("ADA@demo.test".into()),
        phone: Some(Some(" +1 234 ".into())),
        avatar: Some(Some("https://example.com/ada.png".into())),
        avatar_upload: None,
        link: LINK.into(),
    };
    let (user, waiting) = identity.change_profile(&ada, change).await?;
    assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Ada King", "Lovelace"));
    assert_eq!((user.phone.as_deref(), waiting), (Some("+1 234"), None), "the address is the one they have");
    let gone = ProfileChange { phone: Some(None), ..ProfileChange::default() };
    let (user, _) = identity.change_profile(&ada, gone).await?;
    assert_eq!((user.phone.as_deref(), user.avatar.as_deref()), (None, Some("https://example.com/ada.png")));
    assert_eq!(user.full_name(), "Ada King Lovelace");
    assert!(world.mails().await.is_empty());

    let wrong = ProfileChange {
        name: Some(" ".into()),
        email: Some("nowhere".into()),
        phone: Some(Some("1".repeat(51))),
        avatar: Some(Some("javascript:alert(1)".into())),
        avatar_upload: None,
        link: LINK.into(),
    };
    let wrong = identity.change_profile(&ada, wrong).await.expect_err("wrong");
    let fields: Vec<_> = problems(&wrong).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["avatar", "email", "name", "phone"]);
    Ok(())
}

#[tokio::test]
async fn another_address_is_confirmed_before_it_takes_effect_and_the_present_one_is_told() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.actor("ada", "customer").await;
    world.user("eve", "customer").await;
    let taken = identity.change_profile(&ada, email("eve@demo.test")).await.expect_err("taken");
    assert_eq!(problems(&taken), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);

    identity.request_reset(&world.anonymous(), "ada@demo.test").await?;
    let reset = token(&world.mails().await[0]);
    let (user, waiting) = identity.change_profile(&ada, email("Ada@new.test")).await?;
    assert_eq!((user.email.as_str(), waiting.as_deref()), ("ada@demo.test", Some("ada@new.test")));
    let mut mails = world.mails().await;
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    assert_eq!(mails.iter().map(|mail| &*mail.to).collect::<Vec<_>>(), ["ada@demo.test", "ada@new.test"]);
    assert!(mails[0].context["link"].is_null() && !mails[0].context.to_string().contains("new.test"));

    let link = token(&mails[1]);
    let own = Confirming::Password(PASSWORD);
    identity.confirm_address(&door(), &link, own).await?;
    let admit = |_: &_, _: &_| Ok(Admission::Approved);
    assert!(identity.sign_in(None, "ada@demo.test", PASSWORD, door(), admit).await.is_err());
    let signed_in = identity.sign_in(None, "ada@new.test", PASSWORD, door(), admit).await?;
    assert_eq!(signed_in.user.email, "ada@new.test");
    let told = world.mails().await;
    assert_eq!(
        (told.len(), &*told[0].to, told[0].template),
        (1, "ada@demo.test", MailTemplate::Notification)
    );
    let late = identity.reset_password_anywhere(&door(), &reset, "another one").await;
    assert!(matches!(late, Err(Error::BadToken)), "what was mailed to the old address is worth nothing");
    Ok(())
}

#[tokio::test]
async fn an_address_that_somebody_took_meanwhile_stays_theirs() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.actor("ada", "customer").await;
    identity.change_profile(&ada, email("eve@demo.test")).await?;
    let mails = world.mails().await;
    let mail = mails.iter().find(|mail| mail.to == "eve@demo.test").expect("a mail");
    world.user("eve", "customer").await;
    let own = Confirming::Password(PASSWORD);
    let late = identity.confirm_address(&door(), &token(mail), own).await.expect_err("taken");
    assert_eq!(problems(&late), [("email".to_owned(), vec![Problem::Taken("e-mail address")])]);
    assert!(world.sign_in("eve").await.actor.user() != ada.user());
    Ok(())
}

/// Whoever has an address may be asked to confirm it for somebody else's account, and has only its link.
#[tokio::test]
async fn nobody_gives_an_address_to_an_account_of_which_they_do_not_know_the_password() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let eve = world.actor("eve", "customer").await;
    identity.change_profile(&eve, email("victim@corp.test")).await?;
    let mails = world.mails().await;
    let mail = mails.iter().find(|mail| mail.to == "victim@corp.test").expect("a mail");
    let words = mail.context["message"].as_str().expect("words");
    assert!(words.contains("the password of your account"), "{words}");
    let link = token(mail);
    let guessed = identity.confirm_address(&door(), &link, Confirming::Password("another one")).await;
    let guessed = guessed.expect_err("not theirs");
    assert_eq!(problems(&guessed), [("password".to_owned(), vec![Problem::Wrong("password")])]);
    // Nor does the account become theirs who have the address.
    let chosen = identity.confirm_address(&door(), &link, Confirming::NewPassword("another one")).await;
    assert_eq!(
        problems(&chosen.expect_err("not theirs")),
        [("password".to_owned(), vec![Problem::Required])]
    );
    assert!(matches!(
        identity.reset_password_anywhere(&door(), &link, "another one").await,
        Err(Error::BadToken)
    ));
    assert_eq!(identity.profile(&eve).await?.email, "eve@demo.test");
    identity.confirm_address(&door(), &link, Confirming::Password(PASSWORD)).await?;
    assert_eq!(identity.profile(&eve).await?.email, "victim@corp.test");
    Ok(())
}

#[tokio::test]
async fn preferences_change_in_what_is_sent() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let ada = world.actor("ada", "customer").await;
    let change = PreferencesChange { by_mail: Some(false), ..PreferencesChange::default() };
    let user = identity.change_preferences(&ada, change).await?;
    assert!(!user.preferences.by_mail && user.preferences.mentions);
    assert_eq!(identity.settings(&ada).await?.user.preferences, user.preferences);
    Ok(())
}

#[tokio::test]
async fn the_organisation_is_for_administrators_to_change_and_for_some_to_see() -> Result<()> {
    let world = World::new().await;
    let identity = world.desk.identity();
    let (admin, agent) = (world.actor("admin", "admin").await, world.actor("agent", "agent").await);
    let change = OrganisationChange {
        name: Some("Acme Corporation".into()),
        domain: Some(Some("Acme.example".into())),
        settings: json!({"time_zone": "Europe/Warsaw", "colour": "blue"})
            .as_object()
            .cloned()
            .expect("an object"),
    };
    let refused = identity.change_organisation(&agent, change.clone()).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
    let organisation = identity.change_organisation(&admin, change).await?;
    assert_eq!(
        (organisation.name.as_str(), organisation.domain.as_deref()),
        ("Acme Corporation", Some("acme.example"))
    );
    let settings = json!({"colour": null}).as_object().cloned().expect("an object");
    let change = OrganisationChange { domain: Some(None), settings, ..OrganisationChange::default() };
    let organisation = identity.change_organisation(&admin, change).await?;
    assert_eq!(organisation.domain, None);
    assert_eq!(
        serde_json::Value::Object(organisation.all_settings()),
        json!({"time_zone": "Europe/Warsaw", "auto_close_hours": 96})
    );
    assert!(identity.settings(&admin).await?.organisation.is_some());
    assert!(identity.settings(&agent).await?.organisation.is_none());
    let wrong =
        OrganisationChange { domain: Some(Some("no domain".into())), ..OrganisationChange::default() };
    assert!(matches!(identity.change_organisation(&admin, wrong).await, Err(Error::Invalid(_))));
    Ok(())
}
