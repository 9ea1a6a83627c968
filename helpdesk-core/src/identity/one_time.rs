//! One-time tokens: links in mails that let somebody do one thing once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{OrganisationId, UserId};
use crate::entity_id;
use crate::storage::{Entity, EntityId as _, FieldSpec, KindSpec, Row};

entity_id! {
    /// The id of a one-time token.
    pub OneTimeId
}

/// What a one-time token lets somebody do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OneTimePurpose {
    ResetPassword,
    /// To show that the address of an account that signed up is theirs.
    ConfirmAddress,
    /// To show that another address is theirs, which the account then has.
    ChangeAddress,
    /// To choose the first password of an account that was made for them.
    Invitation,
}

impl OneTimePurpose {
    /// Whether somebody who has the token may choose a password: it was mailed to the address of the account, so that
    /// whoever has it could ask for a link to do so anyway.
    pub(crate) const fn sets_password(self) -> bool {
        matches!(self, Self::ResetPassword | Self::Invitation | Self::ConfirmAddress)
    }
}

/// A one-time token, by its hash: what is stored opens nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OneTime {
    pub hash: String,
    pub purpose: OneTimePurpose,
    pub organisation: OrganisationId,
    pub user: UserId,
    pub expires: DateTime<Utc>,
    /// Of a change of address: the new one.
    #[serde(default)]
    pub email: Option<String>,
}

impl Entity for OneTime {
    type Id = OneTimeId;

    const SPEC: &'static KindSpec = &KindSpec::new(
        "one_time_token",
        &[FieldSpec::text("hash").unique(), FieldSpec::uuid("user_id"), FieldSpec::time("expires")],
    )
    .indexes(&[&["user_id"], &["expires"]])
    .of::<Self>();

    fn index(&self, row: &mut Row) {
        row.set("hash", &self.hash);
        row.set("user_id", self.user.uuid());
        row.set("expires", self.expires);
    }
}

/// A secret as text for links and headers.
pub(crate) fn text(secret: [u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(secret)
}

/// What is stored of a secret. The secrets are long and random, so a plain hash is enough.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}
