//! The reference page of a dialect: Swagger UI, out of the binary.

use std::sync::Arc;

use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use utoipa_swagger_ui::Config;

use crate::kernel::Reply;

/// What the page may load and do: only what comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The file `path` below `…/docs`, or `None` where there is none.
pub(crate) fn file(path: &str, base: &str) -> Option<Reply> {
    // Without a slash at the end, the page's relative addresses would lead beside it.
    if path.is_empty() {
        let target = HeaderValue::from_str(&format!("{base}/docs/")).ok()?;
        return Some(Reply::empty(StatusCode::PERMANENT_REDIRECT).header(LOCATION, target));
    }
    let config = Config::from("../openapi.json").validator_url("none");
    let file = utoipa_swagger_ui::serve(path.trim_start_matches('/'), Arc::new(config)).ok()??;
    let media_type = HeaderValue::from_str(&file.content_type).ok()?;
    let mut reply = Reply::empty(StatusCode::OK)
        .header(CONTENT_TYPE, media_type)
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    reply.content = file.bytes.into_owned().into();
    Some(reply)
}
