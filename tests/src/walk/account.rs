//! Who calls: what the contract declares of them, and what is really so.

use std::sync::Arc;

use serde_json::Value;

use super::context::{Place, Stop, WALKED};
use super::{Boxed, Sent, Walker};
use crate::contract::{AccountSpec, Given, Op, Override, step};
use crate::json::{at, search};

/// What accounts are known by.
pub(super) const IDENTITY: [&str; 2] = ["email", "username"];

/// Somebody who calls.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    declared: AccountSpec,
    pub(super) given: Given,
    login: Option<Arc<Op>>,
    /// What the contract writes for it.
    aliases: Vec<String>,
    /// The password that the contract writes for it.
    pub(super) sample_password: Option<String>,
    /// Its real address and user name.
    real: [Option<String>; 2],
    pub(super) password: Option<String>,
    pub(super) seeded: bool,
    pub(super) steps: Vec<String>,
    /// Whether the walk's own one will not do, because the walk changed it.
    private: bool,
    pub(super) token: Option<String>,
    pub(super) reply: Option<Value>,
    pub(super) owns_login: bool,
}

impl Account {
    pub(super) fn new(
        name: &str,
        declared: AccountSpec,
        given: Option<Given>,
        login: Option<Arc<Op>>,
    ) -> Self {
        let known = given.is_some();
        let given = given.unwrap_or_default();
        let names = [declared.email.clone(), declared.username.clone()];
        let mut aliases: Vec<String> = names.iter().flatten().cloned().collect();
        aliases.extend(given.stands_for.iter().cloned());
        let sample = login.as_ref().map(|login| login.body.clone()).unwrap_or_default();
        let text = |key: &str| sample.get(key).and_then(Value::as_str);
        let owns_login =
            IDENTITY.iter().any(|key| text(key).is_some_and(|name| aliases.iter().any(|a| a == name)));
        let sample_password =
            declared.password.clone().or_else(|| text("password").filter(|_| owns_login).map(str::to_owned));
        let real = if known { [given.email.clone(), given.username.clone()] } else { names };
        let steps = declared.made_by.as_array().into_iter().flatten();
        Self {
            name: name.to_owned(),
            seeded: known || declared.made_by == "seed",
            steps: steps.filter_map(Value::as_str).map(str::to_owned).collect(),
            password: given.password.clone().or_else(|| sample_password.clone()),
            token: given.token.clone(),
            login,
            aliases,
            sample_password,
            real,
            private: false,
            reply: None,
            owns_login,
            declared,
            given,
        }
    }

    /// What stands for a name of the contract's here: an address for an address, else a user name.
    fn real_name(&self, alias: &str) -> String {
        let declared = [&self.declared.email, &self.declared.username];
        let place = declared.iter().position(|name| name.as_deref() == Some(alias));
        let place = place.unwrap_or(usize::from(!alias.contains('@')));
        let other = || self.real.iter().flatten().next();
        self.real[place].as_ref().or_else(other).map_or_else(|| alias.to_owned(), Clone::clone)
    }
}

impl Walker<'_> {
    /// The account of a name, signed in, or `None` for a caller without credentials.
    pub(super) fn account<'w>(&'w mut self, name: Option<&'w str>) -> Boxed<'w, Option<Account>> {
        Box::pin(async move {
            let Some(name) = name.filter(|name| *name != "anonymous") else { return Ok(None) };
            let Some(account) = self.accounts.get(name) else {
                return Err(Stop::blocked("accounts", format!("the contract has no account {name}")));
            };
            let nobody = !account.seeded && account.steps.is_empty();
            let has_login = account.declared.login.is_some();
            let with_key = account.seeded && account.password.is_none() && !has_login;
            if nobody {
                return Ok(None);
            }
            if account.token.is_some() {
                return Ok(Some(account.clone()));
            }
            if with_key {
                if account.given.api_key.is_none() {
                    return Err(Stop::Skip(format!("no credentials given for {name}")));
                }
                return Ok(Some(account.clone()));
            }
            if !account.seeded && account.reply.is_none() {
                self.make(name).await?;
            }
            if self.accounts[name].token.is_none() {
                self.sign_in(name).await?;
            }
            Ok(Some(self.accounts[name].clone()))
        })
    }

    /// Makes an account through the API, or takes the one that the walk has made.
    async fn make(&mut self, name: &str) -> Result<(), Stop> {
        let mut account = self.accounts[name].clone();
        let made: Vec<_> = account.steps.iter().map(|text| self.step(text)).collect::<Result<_, _>>()?;
        let walked = |(op, _): &(Arc<Op>, Option<String>)| self.contexts.get(WALKED).got.contains_key(&op.id);
        let last = made.last().map(|(op, _)| op.id.clone()).unwrap_or_default();
        let named = account.declared.email.is_some() || account.declared.username.is_some();
        if named && !account.private && made.iter().all(walked) {
            let names = [account.declared.email.clone(), account.declared.username.clone()];
            for (real, declared) in account.real.iter_mut().zip(names) {
                if let Some(declared) = declared {
                    *real = Some(crate::json::as_text(&self.fill(&Value::String(declared), WALKED)?));
                }
            }
            account.reply = self.contexts.get(WALKED).got.get(&last).cloned();
            if let Some(token) = &account.declared.token {
                account.token = Some(crate::json::as_text(&self.reference(token, WALKED)?));
            }
        } else {
            let own = self.contexts.above(Some(WALKED));
            for (op, actor) in &made {
                let sent = self.call(op, own, actor.as_deref(), &Override::default(), None).await?;
                if !op.succeeds(sent.reply.status) {
                    return Err(Stop::blocked(&op.id, format!("account {name} could not be made")));
                }
            }
            let context = self.contexts.get(own);
            let found = |key: &str| {
                let mut bodies = context.sent.values();
                bodies.find_map(|body| search(body, key)).and_then(Value::as_str).map(str::to_owned)
            };
            for (real, key) in account.real.iter_mut().zip(IDENTITY) {
                *real = found(key).or_else(|| real.take());
            }
            account.password = found("password").or(account.password);
            account.reply = context.got.get(&last).cloned();
            let token =
                account.reply.as_ref().and_then(|reply| at(reply, &self.contract.login.token_pointer));
            account.token = token.as_ref().and_then(Value::as_str).map(str::to_owned);
        }
        self.accounts.insert(name.to_owned(), account);
        Ok(())
    }

    /// Gets an account a token through its login operation.
    async fn sign_in(&mut self, name: &str) -> Result<(), Stop> {
        let account = &self.accounts[name];
        let Some(login) = account.login.clone() else {
            return Err(Stop::blocked("accounts", format!("nothing signs {name} in")));
        };
        let other = account.real.iter().flatten().next().cloned();
        let (Some(password), Some(other)) = (account.password.clone(), other) else {
            return Err(Stop::blocked("accounts", format!("no credentials for {name}")));
        };
        let mut body = login.body.clone();
        for (key, real) in IDENTITY.into_iter().zip(&account.real) {
            if body.get(key).is_some() {
                body[key] = Value::String(real.clone().unwrap_or_else(|| other.clone()));
            }
        }
        body["password"] = Value::String(password);
        let reply = self.post(&login.path, &body, &format!("login of {name}")).await?;
        let json = reply.json();
        let token = at(&json, &self.contract.login.token_pointer);
        let Some(token) = token.as_ref().and_then(Value::as_str) else {
            return Err(Stop::blocked(&login.id, format!("login of {name} answered {}", reply.status)));
        };
        self.secret(token);
        let account = self.accounts.get_mut(name).expect("it was there");
        account.token = Some(token.to_owned());
        account.reply = Some(json);
        Ok(())
    }

    /// The operation and the actor of `OP as ACTOR`.
    pub(super) fn step(&self, text: &str) -> Result<(Arc<Op>, Option<String>), Stop> {
        let (op, actor) = step(text);
        let op = self.ops.get(op).ok_or_else(|| Stop::blocked(op, "the contract has no such operation"))?;
        Ok((Arc::clone(op), actor.map(str::to_owned).or_else(|| op.actor.clone())))
    }

    /// Keeps track of what a success does to the caller's own password and token.
    pub(super) fn remember(&mut self, op: &Op, body: &Value, account: Option<&Account>) {
        let Some(account) = account.and_then(|account| self.accounts.get_mut(&account.name)) else { return };
        let normal = |key: &str| key.to_lowercase().replace('_', "");
        let fields: Vec<_> = body.as_object().into_iter().flatten().collect();
        let new =
            fields.iter().find(|(key, _)| normal(key) == "newpassword").and_then(|(_, new)| new.as_str());
        let old = fields.iter().any(|(key, _)| matches!(&*normal(key), "currentpassword" | "oldpassword"));
        if let Some(new) = new.filter(|_| old) {
            account.password = Some(new.to_owned());
            account.token = None;
        } else if op.path.trim_end_matches('/').ends_with("logout") {
            account.token = None;
        }
    }

    /// Puts real names and passwords where the contract writes an account's declared ones.
    pub(super) fn localize<'w>(
        &'w mut self,
        value: &'w Value,
        place: Place,
        caller: Option<&'w Account>,
    ) -> Boxed<'w, Value> {
        Box::pin(async move {
            match value {
                Value::Array(items) => {
                    let mut localized = Vec::with_capacity(items.len());
                    for item in items {
                        localized.push(self.localize(item, place, None).await?);
                    }
                    Ok(Value::Array(localized))
                }
                Value::Object(fields) => {
                    let texts: Vec<_> =
                        fields.values().filter_map(Value::as_str).map(str::to_owned).collect();
                    let named = texts.iter().find_map(|text| self.stands_for(text, place));
                    let anybody = !IDENTITY.iter().any(|key| fields.contains_key(*key));
                    let owner = named.or_else(|| caller.filter(|_| anybody).cloned());
                    let mut localized = serde_json::Map::new();
                    for (key, part) in fields {
                        let name = key.to_lowercase();
                        let is_old_password = name.contains("password") && !name.starts_with("new");
                        let known = owner.as_ref().filter(|owner| {
                            is_old_password
                                && part.is_string()
                                && part.as_str() == owner.sample_password.as_deref()
                        });
                        let part = match known.and_then(|owner| owner.password.clone()) {
                            Some(password) => Value::String(password),
                            None => self.localize(part, place, None).await?,
                        };
                        localized.insert(key.clone(), part);
                    }
                    Ok(Value::Object(localized))
                }
                Value::String(text) => match self.stands_for(text, place) {
                    Some(owner) => {
                        if !owner.seeded {
                            self.account(Some(&owner.name)).await?;
                        }
                        Ok(Value::String(self.accounts[&owner.name].real_name(text)))
                    }
                    None => Ok(value.clone()),
                },
                other => Ok(other.clone()),
            }
        })
    }

    /// The account that a text of the contract stands for.
    fn stands_for(&self, text: &str, place: Place) -> Option<Account> {
        // What was made in this context is meant as it is.
        let got = &self.contexts.get(place).got;
        let made_here = super::templates::templates(text)
            .any(|inner| got.contains_key(inner.split('#').next().unwrap_or_default()));
        if made_here {
            return None;
        }
        self.accounts.values().find(|account| account.aliases.iter().any(|alias| alias == text)).cloned()
    }

    /// Before the scenarios: accounts that the walk has changed are made anew, and what refers to a login from
    /// outside a scenario means the standing account's.
    pub(super) async fn stand(&mut self, standing: Place) {
        for account in self.accounts.values_mut() {
            let changed = account.declared.password_after_walk.is_some() && !account.seeded;
            if changed && !account.steps.is_empty() {
                (account.private, account.reply, account.token) = (true, None, None);
                account.password.clone_from(&account.sample_password);
            }
        }
        let logins: Vec<_> =
            self.accounts.values().filter(|a| a.owns_login && a.declared.token.is_none()).cloned().collect();
        for account in logins {
            let Ok(Some(account)) = self.account(Some(&account.name)).await else { continue };
            let (Some(reply), Some(login)) = (account.reply, account.login) else { continue };
            if account.private || account.seeded {
                self.contexts.get_mut(standing).got.entry(login.id.clone()).or_insert(reply);
            }
        }
    }

    /// Answers to a call, as a reference to it needs them.
    pub(super) fn keep(&mut self, record: Place, op: &Op, sent: &Sent, mark: usize) {
        let context = self.contexts.get_mut(record);
        context.got.insert(op.id.clone(), sent.reply.json());
        context.sent.insert(op.id.clone(), sent.body.clone());
        context.mailed.insert(op.id.clone(), mark);
    }
}
