//! The second factor: codes that change with time (TOTP, RFC 6238), and backup codes for when the phone is gone.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use totp_rs::{Secret, Totp};

use super::{Tokens, UserId};
use crate::entity_id;
use crate::error::{Error, Result};
use crate::storage::{Entity, EntityId as _, KindSpec, Row};

entity_id! {
    /// The id of a second factor: that of its account.
    pub TwoFactorId
}

/// How many backup codes somebody gets.
const BACKUP_CODES: usize = 10;
/// How many signs each has, in groups of four: 60 bits.
const BACKUP_SIGNS: usize = 12;

/// Somebody's second factor. Nothing in it opens anything: the secret follows from the salt together with the help
/// desk's own, and of backup codes there are hashes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TwoFactor {
    pub salt: String,
    /// Since when a code is asked for; nothing while the first code is still to come.
    pub active: Option<DateTime<Utc>>,
    /// The last step of time whose code was used. Neither it nor any before is good again.
    pub last_step: u64,
    /// The backup codes that were not used yet.
    pub backup: Vec<String>,
}

/// What somebody needs to set up the second factor. It is told this once.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret, in base 32, for typing it in.
    pub secret: String,
    /// The same as an `otpauth` address, for a picture that a phone reads.
    pub url: String,
    /// Codes that work once each, for when the phone is gone.
    pub backup_codes: Vec<String>,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment").finish_non_exhaustive()
    }
}

/// What somebody shows beside the password.
#[derive(Clone, Copy)]
pub enum SecondFactor<'a> {
    /// The code of the moment.
    Code(&'a str),
    /// One of the backup codes.
    Backup(&'a str),
}

impl fmt::Debug for SecondFactor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(..)",
            Self::Backup(_) => "Backup(..)",
        })
    }
}

impl Entity for TwoFactor {
    type Id = TwoFactorId;

    const SPEC: &'static KindSpec = &KindSpec::new("two_factor", &[]).of::<Self>();

    fn index(&self, _: &mut Row) {}
}

impl TwoFactorId {
    pub(crate) fn of(user: UserId) -> Self {
        Self::from_uuid(user.uuid())
    }
}

impl TwoFactor {
    /// A second factor that waits for its first code, and what its owner is told. `random` gives 256 bits at a time.
    pub(crate) fn begin(
        tokens: &Tokens,
        user: UserId,
        names: (&str, &str),
        random: impl Fn() -> [u8; 32],
    ) -> Result<(Self, Enrolment)> {
        let salt = super::one_time::text(random());
        let totp = totp(tokens, user, &salt, names)?;
        let codes: Vec<_> = (0..BACKUP_CODES).map(|_| backup_code(random())).collect();
        let backup = codes.iter().map(|code| backup_hash(tokens, user, code)).collect();
        let enrolment = Enrolment {
            secret: totp.secret().to_base32(),
            url: totp.to_url().map_err(|error| Error::internal(error.to_string()))?,
            backup_codes: codes,
        };
        Ok((Self { salt, active: None, last_step: 0, backup }, enrolment))
    }

    /// Whether what is shown is good now. What was used is not good again.
    pub(crate) fn accept(
        &mut self,
        tokens: &Tokens,
        user: UserId,
        shown: SecondFactor<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        match shown {
            SecondFactor::Code(code) => {
                let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
                let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
                // One step of time to each side, for clocks that go wrong.
                let step = totp(tokens, user, &self.salt, ("", "desk"))?.check(&code, seconds);
                let good = step.filter(|step| *step > self.last_step);
                self.last_step = good.unwrap_or(self.last_step);
                Ok(good.is_some())
            }
            SecondFactor::Backup(code) => {
                let hash = backup_hash(tokens, user, code);
                let place = self.backup.iter().position(|kept| *kept == hash);
                // A backup code completes no enrolment: it says nothing of the phone.
                let good = place.filter(|_| self.active.is_some());
                good.map(|place| self.backup.remove(place));
                Ok(good.is_some())
            }
        }
    }
}

fn totp(tokens: &Tokens, user: UserId, salt: &str, (issuer, account): (&str, &str)) -> Result<Totp> {
    let derived = tokens.derived("two_factor", &format!("{user}:{salt}"));
    // 160 bits, as the RFC asks for.
    let secret = Secret::from(&derived[..20]);
    // Neither name may have a colon: it stands between the two.
    let plain = |name: &str| name.replace(':', " ");
    totp_rs::Builder::new()
        .with_secret(secret)
        .with_account_name(plain(account))
        .with_issuer(Some(plain(issuer)))
        .build()
        .map_err(|error| Error::internal(error.to_string()))
}

fn backup_code(random: [u8; 32]) -> String {
    let signs = Secret::from(&random[..]).to_base32();
    let groups: Vec<_> = (0..BACKUP_SIGNS).step_by(4).map(|place| &signs[place..place + 4]).collect();
    groups.join("-")
}

/// The hash of a backup code. The codes are short enough to be typed, so the hash takes the help desk's secret as well:
/// with the store alone nobody can try them out.
fn backup_hash(tokens: &Tokens, user: UserId, code: &str) -> String {
    let typed: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    super::one_time::text(tokens.derived("backup_code", &format!("{user}:{}", typed.to_ascii_uppercase())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Lifetimes;

    fn tokens(secret: u8) -> Tokens {
        Tokens::new(&[secret; 32], Lifetimes::default())
    }

    fn user() -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(7))
    }

    fn begun() -> (TwoFactor, Enrolment) {
        let count = std::cell::Cell::new(0);
        let random = || {
            count.set(count.get() + 1);
            [count.get(); 32]
        };
        TwoFactor::begin(&tokens(1), user(), ("Demo: desk", "ada@example.com"), random).expect("begun")
    }

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("an instant")
    }

    /// The code that a phone shows.
    fn shown(enrolment: &Enrolment, second: u64) -> String {
        Totp::from_url(&enrolment.url).expect("an address").generate(second).to_string()
    }

    #[test]
    fn a_code_is_good_for_a_step_to_each_side_and_once() {
        let (begun, enrolment) = begun();
        let code = shown(&enrolment, 3_000);
        let good = |factor: &mut TwoFactor, second| {
            factor.accept(&tokens(1), user(), SecondFactor::Code(&code), at(second)).expect("looked at")
        };
        for (second, expected) in
            [(2_969, false), (2_970, true), (3_029, true), (3_059, true), (3_060, false)]
        {
            assert_eq!(good(&mut begun.clone(), second), expected, "at {second}");
        }
        let mut factor = begun;
        assert!(good(&mut factor, 3_000) && !good(&mut factor, 3_001), "no code is used twice");
        let before = shown(&enrolment, 2_970);
        let before = factor.accept(&tokens(1), user(), SecondFactor::Code(&before), at(3_001));
        assert!(!before.expect("looked at"), "nor one from before it");
        let next = format!("{} ", shown(&enrolment, 3_030));
        assert!(factor.accept(&tokens(1), user(), SecondFactor::Code(&next), at(3_001)).expect("looked at"));
    }

    #[test]
    fn a_backup_code_is_good_once_however_it_is_typed_and_completes_nothing() {
        let (mut factor, enrolment) = begun();
        assert_eq!(enrolment.backup_codes.len(), BACKUP_CODES);
        let typed = enrolment.backup_codes[3].to_lowercase().replace('-', " ");
        let mut good = |active| {
            factor.active = active;
            factor.accept(&tokens(1), user(), SecondFactor::Backup(&typed), at(0)).expect("looked at")
        };
        assert!(!good(None));
        assert!(good(Some(at(0))) && !good(Some(at(0))));
        assert_eq!(factor.backup.len(), BACKUP_CODES - 1);
        assert!(!factor.accept(&tokens(1), user(), SecondFactor::Backup(""), at(0)).expect("looked at"));
    }

    #[test]
    fn what_is_stored_opens_nothing() {
        let (factor, enrolment) = begun();
        let stored = serde_json::to_string(&factor).expect("JSON");
        assert!(!stored.contains(&enrolment.secret));
        assert!(enrolment.backup_codes.iter().all(|code| !stored.contains(code.as_str())));
        let mut stolen = factor;
        let code = shown(&enrolment, 3_000);
        assert!(!stolen.accept(&tokens(2), user(), SecondFactor::Code(&code), at(3_000)).expect("looked at"));
        assert!(enrolment.url.starts_with("otpauth://totp/Demo%20%20desk:ada%40example.com?secret="));
    }
}
