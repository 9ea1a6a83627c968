//! Reading bodies, within bounds.

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use multer::{Constraints, Multipart, SizeLimit};
use serde_json::{Map, Value};

use super::failure::Failure;
use super::operation::{BodyKind, JSON_LIMIT};
use super::room::{BodyRoom, Held};
use crate::input::{Form, Upload};

/// The body of a request, whatever server it came through.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The most fields of a form.
const MAX_FIELDS: usize = 200;

/// A body that was read.
#[derive(Debug, Default)]
pub struct Payload(Form);

impl Payload {
    pub(crate) fn into_form(self) -> Form {
        self.0
    }

    /// Reads the body of a request as an operation takes it. The room that it takes is to be held until nobody needs it
    /// any more.
    pub(crate) async fn read(
        kind: BodyKind,
        headers: &HeaderMap,
        body: RequestBody,
        room: &BodyRoom,
    ) -> Result<(Self, Held), Failure> {
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (limit, per_file) = match kind {
            BodyKind::None => return Ok((Self::default(), None)),
            BodyKind::Json { limit } => {
                // Clients that say nothing mean JSON; those that say something else mean that.
                if !matches!(essence.as_str(), "application/json" | "") && !essence.ends_with("+json") {
                    return Err(Failure::MediaType { expected: "application/json" });
                }
                (limit, None)
            }
            BodyKind::Form { per_file, total } => match essence.as_str() {
                "multipart/form-data" => (total, Some(per_file)),
                "application/x-www-form-urlencoded" | "application/json" => (JSON_LIMIT, None),
                "" => return Ok((Self::default(), None)),
                _ => return Err(Failure::MediaType { expected: "multipart/form-data" }),
            },
        };
        let announced = announced(headers).unwrap_or(limit);
        // Refused by the announced length, before anything is read.
        if announced > limit {
            return Err(Failure::TooLarge { limit });
        }
        let (body, held) = room.admit(body, announced).await?;
        let form = room.in_time(async {
            match per_file {
                Some(per_file) => multipart(media_type, body, per_file, limit).await,
                None if essence == "application/x-www-form-urlencoded" => {
                    let content = collect(body, limit).await?;
                    let text = std::str::from_utf8(&content);
                    text.map(Form::query).map_err(|_| malformed("The form is not UTF-8."))
                }
                None => Ok(Form::json(object(&collect(body, limit).await?)?)),
            }
        });
        Ok((Self(form.await??), held))
    }
}

fn malformed(why: impl Into<String>) -> Failure {
    Failure::Malformed { why: why.into() }
}

/// How long the body is, by what was said before it.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The whole body, unless it is larger than the limit.
async fn collect(mut body: RequestBody, limit: u64) -> Result<Bytes, Failure> {
    let mut content = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| malformed("The body ended early."))?;
        if let Some(data) = frame.data_ref() {
            if (content.len() + data.len()) as u64 > limit {
                return Err(Failure::TooLarge { limit });
            }
            content.extend_from_slice(data);
        }
    }
    Ok(content.freeze())
}

/// A JSON object. No body at all is an object without fields, for operations all of whose fields are optional.
fn object(content: &[u8]) -> Result<Map<String, Value>, Failure> {
    if content.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(content) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(malformed("The body must be a JSON object.")),
        // The position helps; the text around it might hold a password.
        Err(error) if error.is_syntax() || error.is_eof() || error.is_data() => Err(malformed(format!(
            "The body is not valid JSON (line {}, column {}).",
            error.line(),
            error.column()
        ))),
        Err(_) => Err(malformed("The body is not valid JSON.")),
    }
}

async fn multipart(media_type: &str, body: RequestBody, per_file: u64, total: u64) -> Result<Form, Failure> {
    let boundary =
        multer::parse_boundary(media_type).map_err(|_| malformed("The form names no boundary."))?;
    let chunks = stream::unfold(body, |mut body| async move {
        loop {
            match body.frame().await? {
                Ok(frame) => match frame.into_data() {
                    Ok(data) => return Some((Ok(data), body)),
                    Err(_) => continue,
                },
                Err(error) => return Some((Err(error), body)),
            }
        }
    });
    let limits = SizeLimit::new().whole_stream(total).per_field(per_file);
    let constraints = Constraints::new().size_limit(limits);
    let mut parts = Multipart::with_constraints(chunks, boundary, constraints);
    let mut form = Form::default();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(|error| failed(&error))? {
        count += 1;
        if count > MAX_FIELDS {
            return Err(malformed(format!("The form has more than {MAX_FIELDS} fields.")));
        }
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(malformed("A part of the form has no name."));
        };
        match part.file_name().map(str::to_owned) {
            Some(file_name) => {
                let content = part.bytes().await.map_err(|error| failed(&error))?;
                // Browsers send an empty file where none was chosen.
                if !(file_name.is_empty() && content.is_empty()) {
                    form.add_file(name, Upload { name: file_name, content });
                }
            }
            None => {
                let content = part.bytes().await.map_err(|error| failed(&error))?;
                let text =
                    String::from_utf8(content.into()).map_err(|_| malformed("A field is not UTF-8."))?;
                form.add_text(name, text);
            }
        }
    }
    Ok(form)
}

fn failed(error: &multer::Error) -> Failure {
    match error {
        multer::Error::FieldSizeExceeded { limit, .. } | multer::Error::StreamSizeExceeded { limit } => {
            Failure::TooLarge { limit: *limit }
        }
        _ => malformed("The form is not well formed."),
    }
}
