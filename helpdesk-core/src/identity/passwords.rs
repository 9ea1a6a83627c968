//! Password hashes: argon2id, off the async threads, a bounded number at a time.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::off_thread::OffThread;
use crate::error::{Error, Problem, Result};

/// The shortest password that is accepted, in characters.
pub const MIN_PASSWORD: usize = 8;
/// The longest password that is accepted, in characters: enough for any phrase, too little to be an attack.
pub const MAX_PASSWORD: usize = 512;

/// How much work a hash takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PasswordCost {
    /// 19 MiB and two passes, as OWASP asks for.
    #[default]
    Full,
    /// As little as the algorithm allows. For tests only.
    Least,
}

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    cost: PasswordCost,
    // Each hash takes 19 MiB and a core for a few hundredths of a second.
    off_thread: OffThread,
    nobody: OnceLock<String>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { cost, off_thread: OffThread::new(cores), nobody: OnceLock::new() }
    }

    /// The hash of a password, as a PHC string.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let (password, cost) = (password.to_owned(), self.cost);
        self.off_thread.run(move || hash(&password, cost)).await?
    }

    /// Whether a password is the one of a hash. Without a hash it takes as long and is not, so that nobody learns
    /// which accounts exist.
    pub(crate) async fn verify(&self, password: &str, known: Option<String>) -> Result<bool> {
        let exists = known.is_some();
        let known = match (known, self.nobody.get()) {
            (Some(known), _) => known,
            (None, Some(nobody)) => nobody.clone(),
            (None, None) => {
                let nobody = self.hash("nobody has this password").await?;
                self.nobody.get_or_init(|| nobody).clone()
            }
        };
        // A password that could never have been set is not worth the work of a longer hash.
        let password: String = password.chars().take(MAX_PASSWORD + 1).collect();
        let same = self
            .off_thread
            .run(move || {
                let parsed = PasswordHash::new(&known);
                parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(same && exists)
    }
}

fn hash(password: &str, cost: PasswordCost) -> Result<String> {
    let params = match cost {
        PasswordCost::Full => Params::new(19_456, 2, 1, None),
        PasswordCost::Least => Params::new(Params::MIN_M_COST, 1, 1, None),
    };
    let params = params.map_err(|error| Error::internal(error.to_string()))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash =
        argon.hash_password(password.as_bytes()).map_err(|error| Error::internal(error.to_string()))?;
    Ok(hash.to_string())
}

/// What is wrong with a new password, if anything.
#[must_use]
pub fn password_problem(password: &str) -> Option<Problem> {
    match password.chars().count() {
        0 => Some(Problem::Required),
        length if length < MIN_PASSWORD => Some(Problem::TooShort(MIN_PASSWORD)),
        length if length > MAX_PASSWORD => Some(Problem::TooLong(MAX_PASSWORD)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_nobody_has_none() {
        let passwords = Passwords::new(PasswordCost::Least);
        let hash = passwords.hash("correct horse").await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$"));
        assert!(passwords.verify("correct horse", Some(hash.clone())).await.expect("checked"));
        assert!(!passwords.verify("wrong horse", Some(hash)).await.expect("checked"));
        assert!(!passwords.verify("nobody has this password", None).await.expect("checked"));
    }
}
