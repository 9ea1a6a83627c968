//! What people set for themselves.

use std::sync::Arc;

use email_address::EmailAddress;

use crate::actor::Actor;
use crate::error::{Error, Problem, Problems, Result};
use crate::identity::confirmation::{address_change_mail, new_address_mail};
use crate::identity::login::normal;
use crate::identity::service::Identity;
use crate::identity::{Organisation, Person, User, permissions};
use crate::limits::Quota;
use crate::storage::{Changes, Stored};
use crate::uploads::UploadId;

/// The longest telephone number and the longest address of a picture, in characters.
const MAX_PHONE: usize = 50;
const MAX_ADDRESS: usize = 500;
/// How often somebody may ask for another address: each time two mails leave.
const ADDRESSES: Quota = Quota::new(5, 60 * 60);

/// What somebody has set, and what is set for their organisation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Their account.
    pub user: Arc<Stored<User>>,
    /// Whether it asks for a second factor.
    pub second_factor: bool,
    /// Their organisation, for those who may see it.
    pub organisation: Option<Arc<Stored<Organisation>>>,
}

/// What somebody changes about themselves: what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// One name: its first word is the given name.
    pub name: Option<String>,
    /// Another address. It takes the place of the present one when it was confirmed.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<Option<String>>,
    /// The address of a picture elsewhere on the web.
    pub avatar: Option<Option<String>>,
    /// The upload that this is the address of. One of the actor's own then stays as their picture.
    pub avatar_upload: Option<UploadId>,
    /// Where the link leads that confirms another address, with `{token}` for the token.
    pub link: String,
}

/// What somebody changes about what they are told of: what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreferencesChange {
    /// Whether they are told by mail as well.
    pub by_mail: Option<bool>,
    /// Whether programs may show a note on their screen.
    pub on_screen: Option<bool>,
    /// Of what happens to their tickets.
    pub ticket_updates: Option<bool>,
    /// Of tickets that they were given.
    pub ticket_assignments: Option<bool>,
    /// Of messages that mention them.
    pub mentions: Option<bool>,
}

impl Identity {
    /// The actor's own settings, with those of the organisation for whoever may see them.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has no account.
    pub async fn settings(&self, actor: &Actor) -> Result<Settings> {
        let organisation = if actor.has(&permissions::ADMIN_VIEW_ORGANIZATION) {
            Some(self.organisation(actor).await?)
        } else {
            None
        };
        let second_factor = self.has_second_factor(actor).await?;
        Ok(Settings { user: self.profile(actor).await?, second_factor, organisation })
    }

    /// Changes the actor's own name, telephone number and picture, and asks for another address to be confirmed: the
    /// present one is told, and stays until then. Answers the account, and the address that waits.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] with all that is wrong, also where the address is taken; [`Error::Limited`] where other
    /// addresses are asked for too often.
    pub async fn change_profile(
        &self,
        actor: &Actor,
        change: ProfileChange,
    ) -> Result<(Stored<User>, Option<String>)> {
        let id = actor.person()?;
        let mut problems = Problems::default();
        let present = self.profile(actor).await?;
        let mut named = change.name.as_deref().map(Person::named);
        if let Some(person) = &mut named {
            person.email.clone_from(&present.email);
            let wrong = person.check();
            let wrong = wrong.iter().flat_map(|(_, wrong)| wrong).next();
            wrong.into_iter().for_each(|problem| problems.add("name", problem.clone()));
        }
        let trimmed =
            |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let (phone, avatar) = (change.phone.map(trimmed), change.avatar.map(trimmed));
        check_phone(&mut problems, phone.iter().flatten().map(String::as_str).next());
        if let Some(address) = avatar.iter().flatten().next() {
            check_web_address(&mut problems, "avatar", address);
        }
        let email = change.email.as_deref().map(normal);
        let other = email.filter(|email| *email != present.email);
        if let Some(email) = &other {
            if !EmailAddress::is_valid(email) || email.chars().count() > 254 {
                problems.add("email", Problem::Format("e-mail address"));
            } else if self.login_of(email).await?.is_some() {
                problems.add("email", Problem::Taken("e-mail address"));
            }
        }
        problems.into_result()?;
        if other.is_some() {
            let limited = |retry_after| Error::Limited { retry_after };
            self.desk.limiter().attempt(&format!("address:{id}"), ADDRESSES).map_err(limited)?;
        }
        let (named, phone, avatar, link, waiting) = (&named, &phone, &avatar, &change.link, &other);
        let picture = change.avatar_upload.filter(|_| matches!(avatar, Some(Some(_))));
        let ((before, value, slot, at), committed) = self
            .desk
            .decide(|| async move {
                let before = self.load(actor.scope(), id).await?;
                let mut changes = self.desk.changes();
                let at = changes.at();
                let mut user = before.value.clone();
                if let Some(Person { first_name, last_name, .. }) = named {
                    (user.first_name, user.last_name) = (first_name.clone(), last_name.clone());
                }
                set(&mut user.phone, phone);
                set(&mut user.avatar, avatar);
                if avatar.is_some() {
                    self.desk.uploads().put_picture(&mut changes, actor, picture).await?;
                }
                if let Some(email) = waiting {
                    let ask = new_address_mail(id, email, link, at);
                    changes.enqueue(actor.scope(), self.desk.ids().id(at), ask);
                    let tell = address_change_mail(id, &user.email, false, at);
                    changes.enqueue(actor.scope(), self.desk.ids().id(at), tell);
                }
                let slot = changes.update(&before, &user);
                self.record(&mut changes, actor, "user.profile_changed", id, Some(slot));
                Ok((changes, (before, user, slot, at)))
            })
            .await?;
        Ok((before.replaced(at, committed.written(slot), value), other))
    }

    /// Has a commit show the actor without the picture that is an upload.
    pub(crate) async fn drop_avatar(&self, changes: &mut Changes, actor: &Actor, id: UploadId) -> Result<()> {
        let before = self.load(actor.scope(), actor.person()?).await?;
        if before.avatar.as_ref().is_some_and(|address| address.contains(&id.to_string())) {
            let slot = changes.update(&before, &User { avatar: None, ..before.value.clone() });
            self.record(changes, actor, "user.profile_changed", before.id, Some(slot));
        }
        Ok(())
    }

    /// Changes what the actor is told of.
    ///
    /// # Errors
    ///
    /// [`Error::NotYours`] where the actor has no account.
    pub async fn change_preferences(&self, actor: &Actor, change: PreferencesChange) -> Result<Stored<User>> {
        let PreferencesChange { by_mail, on_screen, ticket_updates, ticket_assignments, mentions } = change;
        self.change_user(actor, actor.person()?, "user.preferences_changed", |user, _| {
            let preferences = &mut user.preferences;
            set(&mut preferences.by_mail, &by_mail);
            set(&mut preferences.on_screen, &on_screen);
            set(&mut preferences.ticket_updates, &ticket_updates);
            set(&mut preferences.ticket_assignments, &ticket_assignments);
            set(&mut preferences.mentions, &mentions);
            Ok(())
        })
        .await
    }
}

fn set<T: Clone>(field: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        field.clone_from(new);
    }
}

/// A telephone number is whatever people write for one, but short.
pub(super) fn check_phone(problems: &mut Problems, phone: Option<&str>) {
    let Some(phone) = phone else { return };
    if phone.chars().count() > MAX_PHONE {
        problems.add("phone", Problem::TooLong(MAX_PHONE));
    }
    check_stored(problems, "phone", phone);
}

/// No store keeps the character.
pub(super) fn check_stored(problems: &mut Problems, field: &str, text: &str) {
    if text.contains('\0') {
        problems.add(field, Problem::NulCharacter);
    }
}

/// An address that browsers may open wherever it is shown: of the web, and of nothing that runs.
fn check_web_address(problems: &mut Problems, field: &str, address: &str) {
    let rest = ["https://", "http://"].iter().find_map(|scheme| {
        let (start, rest) = address.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let odd = |sign: char| sign.is_control() || sign.is_whitespace() || "<>\"'`\\".contains(sign);
    if address.chars().count() > MAX_ADDRESS {
        problems.add(field, Problem::TooLong(MAX_ADDRESS));
    } else if host.is_none_or(str::is_empty) || address.contains(odd) {
        problems.add(field, Problem::Format("http or https address"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_an_address_of_the_web() {
        let good = |address: &str| {
            let mut problems = Problems::default();
            check_web_address(&mut problems, "avatar", address);
            problems.is_empty()
        };
        assert!(good("https://example.com/a.png?x=1#y") && good("HTTP://localhost:3000/api/uploads/1"));
        for bad in
            ["", "a.png", "//example.com", "javascript:alert(1)", "data:image/png;base64,AA", "https://"]
        {
            assert!(!good(bad), "{bad}");
        }
        assert!(!good("https://a.test/\"onerror=") && !good("http:///x") && !good("http://a b"));
        assert!(!good(&format!("https://a.test/{}", "x".repeat(500))));
    }
}
