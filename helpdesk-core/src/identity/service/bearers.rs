//! Callers who stay: connections that are let in once and go on for longer than a request.

use std::sync::Arc;

use super::Identity;
use crate::actor::Via;
use crate::error::{Error, Result};
use crate::events::Bearer;

impl Identity {
    /// Who comes with an access token to stay, and until when the token is good. Whether they may still stay is asked
    /// again whenever something happens to their account.
    ///
    /// # Errors
    ///
    /// As [`Identity::authenticate`].
    pub async fn authenticate_bearer(&self, token: &str, via: Arc<Via>) -> Result<Bearer> {
        let claims = self.desk.tokens().read(token, self.desk.now()).map_err(Error::Unauthenticated)?;
        let caller = self.authenticate(token, via).await?;
        let until = chrono::DateTime::from_timestamp(claims.exp, 0).unwrap_or_default();
        Ok(Bearer { caller, until })
    }
}
