//! Files: attachments by number, and everything by path.

use bytes::Bytes;

use super::show::DEFAULT_PICTURE;
use crate::kernel::{Auth, Call, Failure, Operation, Reply};

/// The picture of those who have none.
static DEFAULT_PICTURE_CONTENT: &[u8] = include_bytes!("default-profile.png");

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
    Ok(Reply::file(&file.attachment.media_type, &file.attachment.name, file.content))
}

async fn media(call: Call) -> Result<Reply, Failure> {
    let none = || Failure::not_found("file");
    // A path names a file only as it is made here: a folder and one or two plain names.
    match call.parameter("file_path").split('/').collect::<Vec<_>>()[..] {
        ["employee_images", DEFAULT_PICTURE] => {
            Ok(Reply::file("image/png", DEFAULT_PICTURE, Bytes::from_static(DEFAULT_PICTURE_CONTENT)))
        }
        ["employee_images", file] => {
            let (content, media_type) = call.desk.identity().picture(call.actor(), file).await?;
            Ok(Reply::file(media_type, file, content))
        }
        ["ticket_attachments", id, _] | ["ticket_attachments", id] => {
            let id = id.parse().map_err(|_| none())?;
            let file = call.desk.tickets().file(call.actor(), id).await?;
            Ok(Reply::file(&file.attachment.media_type, &file.attachment.name, file.content))
        }
        _ => Err(none()),
    }
}
