//! Answers that are files.

use bytes::Bytes;
use helpdesk_core::tickets::is_inline;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::reply::Reply;

/// What stays as it is in the extended form of a file name (RFC 8187).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Reply {
    /// A file, so that a browser neither guesses its type nor runs anything in it.
    #[must_use]
    pub fn file(media_type: &str, name: &str, content: Bytes) -> Self {
        let how = if is_inline(media_type) { "inline" } else { "attachment" };
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' })
            .collect();
        let encoded = utf8_percent_encode(name, NAME);
        let disposition = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
        let mut reply = Self::empty(StatusCode::OK)
            // Who may read a file is asked each time: whoever uses the browser next, or lost the right, gets no copy.
            .header(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))
            .header(VARY, HeaderValue::from_static("authorization, x-api-key"))
            .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
        let unnamed = HeaderValue::from_static("application/octet-stream");
        let media_type = HeaderValue::from_str(media_type).unwrap_or(unnamed);
        reply.headers.insert(CONTENT_TYPE, media_type);
        if let Ok(disposition) = HeaderValue::from_str(&disposition) {
            reply.headers.insert(CONTENT_DISPOSITION, disposition);
        }
        reply.content = content;
        reply
    }
}
