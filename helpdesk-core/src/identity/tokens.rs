//! Signed tokens: what clients carry between requests.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{OrganisationId, SessionId, UserId};
use crate::error::AuthFailure;
use crate::ids::Ids;
use crate::tickets::TicketId;

/// How long tokens are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// Access tokens. Default: 15 minutes.
    pub access: Duration,
    /// Sessions, and with them refresh tokens. Default: 14 days.
    pub session: Duration,
    /// Tokens inside the addresses of files. Default: one hour.
    pub file: Duration,
    /// Links for a new password. Default: one hour.
    pub reset: Duration,
    /// Links that show that an address is somebody's. Default: three days.
    pub confirmation: Duration,
    /// Links for the first password of an account that was made for somebody. Default: 7 days.
    pub invitation: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access: Duration::minutes(15),
            session: Duration::days(14),
            file: Duration::hours(1),
            reset: Duration::hours(1),
            confirmation: Duration::days(3),
            invitation: Duration::days(7),
        }
    }
}

/// What a token is for. A token is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// To call services.
    Access,
    /// To get another access token.
    Refresh,
    /// To read files, in their addresses.
    File,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    #[serde(rename = "typ")]
    pub purpose: Purpose,
    /// Of a refresh token: the generation of the session that it is good for.
    #[serde(rename = "gen", default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    pub sub: UserId,
    pub org: OrganisationId,
    pub sid: SessionId,
    pub iat: i64,
    pub exp: i64,
}

/// What the links of a mail that asks for a rating are for, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RatingPurpose {
    /// To say how satisfied somebody is.
    Rate,
}

/// What such a link says: which ticket has which score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RatingClaims {
    #[serde(rename = "typ")]
    pub purpose: RatingPurpose,
    pub org: OrganisationId,
    pub ticket: TicketId,
    pub score: u8,
    pub exp: i64,
}

/// Signs and reads tokens: JWT with HMAC-SHA-256.
pub struct Tokens {
    signing: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
    key: [u8; 32],
    pub(crate) lifetimes: Lifetimes,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("lifetimes", &self.lifetimes).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(secret: &[u8; 32], lifetimes: Lifetimes) -> Self {
        // With other features of the library switched on by the embedding program it has no default, and would
        // panic at the first use. Whoever installed one before us is welcome to have it.
        let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        // Expiry is checked against the help desk's own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            signing: EncodingKey::from_secret(secret),
            reading: DecodingKey::from_secret(secret),
            validation,
            key: *secret,
            lifetimes,
        }
    }

    /// The signing key of a secret that somebody chose.
    #[expect(clippy::needless_pass_by_value, reason = "the secret is wiped when this is done with it")]
    pub(crate) fn secret(secret: SecretString) -> [u8; 32] {
        Sha256::digest(secret.expose_secret().as_bytes()).into()
    }

    pub(crate) fn random_secret(ids: &dyn Ids) -> [u8; 32] {
        ids.secret()
    }

    /// A secret for one purpose that follows from the help desk's own: who has the store alone cannot make it.
    pub(crate) fn derived(&self, purpose: &str, of: &str) -> [u8; 32] {
        // A key of 32 bytes is never too long or too short.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key will do");
        for part in [purpose.as_bytes(), &[0], of.as_bytes()] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        // Claims are ids and numbers, which JSON can say, and the key is of the right sort.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing).unwrap_or_default()
    }

    pub(crate) fn read(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, AuthFailure> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.reading, &self.validation)
            .map_err(|_| AuthFailure::Token)?
            .claims;
        if now.timestamp() >= claims.exp { Err(AuthFailure::Expired) } else { Ok(claims) }
    }

    pub(crate) fn sign_rating(&self, claims: &RatingClaims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.signing).unwrap_or_default()
    }

    pub(crate) fn read_rating(&self, token: &str, now: DateTime<Utc>) -> Result<RatingClaims, AuthFailure> {
        let claims = jsonwebtoken::decode::<RatingClaims>(token, &self.reading, &self.validation)
            .map_err(|_| AuthFailure::Token)?
            .claims;
        if now.timestamp() >= claims.exp { Err(AuthFailure::Expired) } else { Ok(claims) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::EntityId as _;

    fn claims(exp: i64) -> Claims {
        let id = uuid::Uuid::from_u128(5);
        Claims {
            purpose: Purpose::File,
            generation: None,
            sub: UserId::from_uuid(id),
            org: OrganisationId::from_uuid(id),
            sid: SessionId::from_uuid(id),
            iat: 0,
            exp,
        }
    }

    #[test]
    fn a_token_is_read_back_until_it_expires() {
        let tokens = Tokens::new(&[1; 32], Lifetimes::default());
        let token = tokens.sign(&claims(100));
        let at = |second| DateTime::from_timestamp(second, 0).expect("an instant");
        assert_eq!(tokens.read(&token, at(99)), Ok(claims(100)));
        assert_eq!(tokens.read(&token, at(100)), Err(AuthFailure::Expired));
    }

    #[test]
    fn a_link_for_a_rating_opens_nothing_else_and_nothing_else_rates() {
        let tokens = Tokens::new(&[1; 32], Lifetimes::default());
        let now = DateTime::from_timestamp(0, 0).expect("an instant");
        let rating = RatingClaims {
            purpose: RatingPurpose::Rate,
            org: OrganisationId::from_uuid(uuid::Uuid::from_u128(5)),
            ticket: TicketId::from_uuid(uuid::Uuid::from_u128(6)),
            score: 4,
            exp: 100,
        };
        let link = tokens.sign_rating(&rating);
        assert_eq!(tokens.read_rating(&link, now), Ok(rating));
        assert_eq!(tokens.read(&link, now), Err(AuthFailure::Token));
        assert_eq!(tokens.read_rating(&tokens.sign(&claims(100)), now), Err(AuthFailure::Token));
    }

    #[test]
    fn a_token_of_another_secret_or_algorithm_is_no_token() {
        let tokens = Tokens::new(&[1; 32], Lifetimes::default());
        let now = DateTime::from_timestamp(0, 0).expect("an instant");
        let foreign = Tokens::new(&[2; 32], Lifetimes::default()).sign(&claims(100));
        // {"alg":"none"}
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", foreign.split('.').nth(1).expect("claims"));
        for token in [foreign.as_str(), &unsigned, "", "a.b.c"] {
            assert_eq!(tokens.read(token, now), Err(AuthFailure::Token));
        }
    }
}
