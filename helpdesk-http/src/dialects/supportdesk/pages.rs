//! The pages where the links of mails lead.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

use crate::kernel::{Answer, OperationDoc, Reply};

/// A page that is all that an operation answers.
#[derive(Debug)]
pub(super) struct Page(pub(super) Reply);

impl Answer for Page {
    fn describe(doc: &mut OperationDoc) {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        doc.response = Some(("text/html", text.into()));
    }

    fn reply(self, _: StatusCode) -> Reply {
        self.0
    }
}

/// A page that loads nothing, tells nobody where it came from, and is kept nowhere. What others wrote is
/// [`escaped`] before it becomes content.
pub(super) fn page(status: StatusCode, title: &str, content: &str) -> Reply {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;\
         margin:15vh auto;padding:0 1rem;color:#111827}}textarea,input{{display:block;width:100%;\
         box-sizing:border-box;margin:.5rem 0 1rem;font:inherit}}button{{font:inherit;padding:.5rem 1.5rem}}</style></head>\
         <body>{content}</body></html>"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; \
                  base-uri 'none'";
    Reply::content(status, "text/html; charset=utf-8", page)
        .header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
        .header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// A text as the content or the quoted attribute of a page.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
