//! A help desk for tests: embedded store, a clock that is moved by hand, mail that is caught.

pub(crate) mod between;
pub(crate) mod flaky;
pub(crate) mod tickets;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use helpdesk_core::identity::{
    Admission, NewUser, OrganisationId, OrganisationSettings, PasswordCost, Person, User,
};
use helpdesk_core::jobs::JobError;
use helpdesk_core::storage::Stored;
use helpdesk_core::{
    Actor, Authenticated, Builder, Clock as _, Helpdesk, Mail, Mailer, ManualClock, SeededIds, Via,
};
use helpdesk_storage_memory::MemoryStorage;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";

/// Mail that was sent.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Mutex<Vec<Mail>>);

#[async_trait]
impl Mailer for Outbox {
    async fn send(&self, mail: &Mail) -> Result<(), JobError> {
        self.0.lock().expect("nobody panicked").push(mail.clone());
        Ok(())
    }
}

impl Outbox {
    /// The mails sent since the last time.
    pub(crate) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked"))
    }
}

/// A help desk with one organisation.
pub(crate) struct World {
    pub(crate) desk: Helpdesk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) organisation: OrganisationId,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    /// A help desk with something about it changed. It promises nothing and asks nobody how satisfied they are, so that
    /// a test sees what it is about.
    pub(crate) async fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let world = Self::promising(change).await;
        world
            .settings(|settings| {
                settings.promises.any = false;
                settings.satisfaction_minutes = None;
            })
            .await;
        world
    }

    /// A help desk as an organisation begins with it, service levels and all.
    pub(crate) async fn promising(change: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = Arc::new(ManualClock::at("2025-01-15T09:00:00Z".parse().expect("an instant")));
        let outbox = Arc::new(Outbox::default());
        let builder = Helpdesk::builder()
            .storage(Arc::new(MemoryStorage::new(Helpdesk::schema())))
            .clock(clock.clone())
            .ids(Arc::new(SeededIds::new(1)))
            .mailer(outbox.clone())
            .password_cost(PasswordCost::Least)
            .site("https://desk.test");
        let desk = change(builder).build();
        let organisation =
            desk.identity().create_organisation("Demo", "demo").await.expect("an organisation");
        Self { desk, clock, outbox, organisation }
    }

    /// Changes how the organisation runs its help desk.
    pub(crate) async fn settings(&self, change: impl FnOnce(&mut OrganisationSettings)) {
        let organisation = self.desk.identity().organisation(&self.system()).await.expect("an organisation");
        let mut value = organisation.value.clone();
        change(&mut value.settings);
        let mut changes = self.desk.changes();
        changes.update(&organisation, &value);
        self.desk.commit(changes).await.expect("settings");
    }

    /// The help desk itself.
    pub(crate) fn system(&self) -> Actor {
        Actor::system(self.organisation)
    }

    /// Somebody unknown at the door.
    pub(crate) fn anonymous(&self) -> Actor {
        Actor::anonymous(self.organisation, Arc::new(Via::SYSTEM))
    }

    /// An approved account with a role.
    pub(crate) async fn user(&self, name: &str, role: &str) -> Stored<User> {
        self.user_in(self.organisation, name, role).await
    }

    pub(crate) async fn user_in(&self, organisation: OrganisationId, name: &str, role: &str) -> Stored<User> {
        let new = NewUser {
            person: Person {
                first_name: name.to_owned(),
                last_name: "Test".to_owned(),
                email: format!("{name}@demo.test"),
                ..Person::default()
            },
            role: role.to_owned(),
            password: Some(PASSWORD.to_owned()),
            approved: true,
        };
        self.desk.identity().create_user(&Actor::system(organisation), new).await.expect("an account")
    }

    /// The account of that name, signed in; made if it is not there.
    pub(crate) async fn caller(&self, name: &str, role: &str) -> Authenticated {
        self.user(name, role).await;
        self.sign_in(name).await
    }

    pub(crate) async fn actor(&self, name: &str, role: &str) -> Actor {
        self.caller(name, role).await.actor
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Authenticated {
        let identity = self.desk.identity();
        let email = format!("{name}@demo.test");
        let signed_in = identity
            .sign_in(None, &email, PASSWORD, Arc::new(Via::SYSTEM), |_, _| Ok(Admission::Approved))
            .await
            .expect("signed in");
        identity.authenticate(&signed_in.access, Arc::new(Via::SYSTEM)).await.expect("authenticated")
    }

    /// Runs what is due, and answers the mails that were sent.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        self.desk.run_due(self.clock.now()).await.expect("jobs ran");
        self.outbox.take()
    }
}
