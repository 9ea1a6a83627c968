//! Files: attachments by number, and everything by path.

use bytes::Bytes;
use helpdesk_core::tickets::is_inline;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::show::DEFAULT_PICTURE;
use crate::kernel::{Auth, Call, Failure, Operation, Reply};

/// The picture of those who have none.
static DEFAULT_PICTURE_CONTENT: &[u8] = include_bytes!("default-profile.png");

/// What stays as it is in the extended form of a file name (RFC 8187).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("attachments.download", "/api/attachments/{attachment_id}/download/", download).says(
            "Answers an attachment",
            "For those who may see its ticket, and for external systems with a key. Pictures, videos and PDF are shown \
             in place, everything else is saved.",
        ),
        Operation::get("media.get", "/media/{*file_path}", media).says(
            "Answers a file by its path",
            "Pictures below `employee_images/` for everybody who is signed in, attachments below \
             `ticket_attachments/` as by number.",
        ),
    ];
    let area =
        |operation: Operation| operation.area("File Management").auth(Auth::File).errors(&[401, 403, 404]);
    operations.into_iter().map(area).collect()
}

async fn download(call: Call) -> Result<Reply, Failure> {
    let number = call.number("attachment_id", "attachment")?;
    let tickets = call.desk.tickets();
    let id = tickets.attachment_by_number(call.actor(), number).await?;
    let file = tickets.file(call.actor(), id).await?;
    Ok(answer(&file.attachment.media_type, &file.attachment.name, file.content))
}

async fn media(call: Call) -> Result<Reply, Failure> {
    let none = || Failure::not_found("file");
    // A path names a file only as it is made here: a folder and one or two plain names.
    match call.parameter("file_path").split('/').collect::<Vec<_>>()[..] {
        ["employee_images", DEFAULT_PICTURE] => {
            Ok(answer("image/png", DEFAULT_PICTURE, Bytes::from_static(DEFAULT_PICTURE_CONTENT)))
        }
        ["employee_images", file] => {
            let (content, media_type) = call.desk.identity().picture(call.actor(), file).await?;
            Ok(answer(media_type, file, content))
        }
        ["ticket_attachments", id, _] | ["ticket_attachments", id] => {
            let id = id.parse().map_err(|_| none())?;
            let file = call.desk.tickets().file(call.actor(), id).await?;
            Ok(answer(&file.attachment.media_type, &file.attachment.name, file.content))
        }
        _ => Err(none()),
    }
}

/// A file, so that a browser neither guesses its type nor runs anything in it.
fn answer(media_type: &str, name: &str, content: Bytes) -> Reply {
    let how = if is_inline(media_type) { "inline" } else { "attachment" };
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') || c == ' ' { c } else { '_' })
        .collect();
    let encoded = utf8_percent_encode(name, NAME);
    let disposition = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    let mut reply = Reply::empty(StatusCode::OK)
        .header(CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600"))
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
