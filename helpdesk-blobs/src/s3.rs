//! Files in S3.
//!
//! The crate that speaks S3 would bring a second TLS backend, and one that wants a C compiler, if it made its own
//! HTTP client. So it is handed one, on ring and with roots that the program carries.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{ClientConfigKey, ClientOptions, HttpClient, HttpConnector};
use object_store::{Error, RetryConfig};
use rustls::{ClientConfig, RootCertStore};

use crate::{ObjectBlobs, SetupError};

/// How long a request may take: the largest file has to get through a slow line.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request that fails is tried again. A person waits behind it, so not for long.
const RETRY_TIMEOUT: Duration = Duration::from_secs(15);
const RETRIES: usize = 3;

/// The store of a bucket.
pub(crate) fn open(bucket: AmazonS3Builder) -> Result<ObjectBlobs, SetupError> {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() };
    // Files go one at a time, and not every server that speaks S3 knows the request for many.
    let bucket = bucket.with_config(AmazonS3ConfigKey::DisableBulkDelete, "true");
    let bucket = bucket.with_http_connector(RingConnector).with_retry(retry).build();
    let bucket = bucket.map_err(|error| SetupError::Store { source: Box::new(error) })?;
    Ok(ObjectBlobs::new(Arc::new(bucket)))
}

#[derive(Debug)]
struct RingConnector;

impl HttpConnector for RingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let plain =
            options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(unusable)?)
            .https_only(!plain)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(unusable)?;
        Ok(HttpClient::new(client))
    }
}

/// TLS by ring, whatever the process has chosen for others.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    Ok(config.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "S3", source: Box::new(error) }
}

#[cfg(test)]
mod tests;
