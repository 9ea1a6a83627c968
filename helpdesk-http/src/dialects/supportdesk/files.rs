//! Files that are uploaded, and that tickets and comments take over.

use helpdesk_core::Problem;
use helpdesk_core::storage::Stored;
use helpdesk_core::tickets::{Attachment, MAX_FILE};
use helpdesk_core::uploads::{Upload as Uploaded, UploadId};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Nothing, Success, data, done};
use super::show::time;
use crate::input;
use crate::input::{Object, Text, Upload};
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Reply};

/// A little more than a file may have, so that a larger one is told from a form that is too large.
const FORM_BYTES: u64 = MAX_FILE as u64 + 1024 * 1024;

input! {
    /// A file.
    struct Add {
        /// The file: a picture, PDF, office document, text, CSV or archive of at most 10 MB.
        file: Upload,
    }

    /// A file that was uploaded before, named by its id or its address.
    pub(super) struct Reference {
        /// Its id.
        id: Option<Text<200>>,
        /// Its address, as the upload answered it.
        url: Option<Text<2000>>,
    }
}

/// A file that was uploaded.
#[derive(Debug, Serialize, ToSchema)]
struct UploadView {
    id: String,
    filename: String,
    url: String,
    mime_type: String,
    size: u64,
    uploaded_at: String,
}

/// A file, as what it hangs on shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AttachmentView {
    id: String,
    filename: String,
    url: String,
    mime_type: String,
    size: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::post("files.upload", "/api/upload", upload)
            .form(FORM_BYTES, FORM_BYTES)
            .success(StatusCode::CREATED)
            .says(
                "Uploads a file",
                "Its type is known by its content. A ticket or comment of the same caller can take it over by its id or \
                 address, and their profile by its address; otherwise it is gone after a day.",
            )
            .errors(&[400, 401, 422]),
        Operation::get("files.download", "/api/uploads/{id}", download)
            .says(
                "Answers a file",
                "For who uploaded it, and once it hangs on a ticket or comment for whoever may read that. The picture \
                 of a profile is for everybody of the organization. Pictures, videos and PDF are shown in place, \
                 everything else is saved.",
            )
            .errors(&[401, 404]),
        Operation::delete("files.delete", "/api/uploads/{id}", delete)
            .says("Deletes a file", "One's own, or any that may be read with the permission to delete tickets.")
            .errors(&[401, 403, 404, 422]),
    ];
    let area = |operation: Operation| operation.area("File Upload").auth(Auth::Bearer);
    operations.into_iter().map(area).collect()
}

async fn upload(call: Call, Body(body): Body<Add>) -> Result<Json<Success<UploadView>>, Failure> {
    let Upload { name, content } = body.file;
    let upload = call.desk.uploads().upload(call.actor(), &name, content).await?;
    Ok(data(shown(&call, &upload)))
}

fn shown(call: &Call, upload: &Stored<Uploaded>) -> UploadView {
    UploadView {
        id: upload.id.to_string(),
        filename: upload.name.clone(),
        url: address(&call.head.base, &upload.id),
        mime_type: upload.media_type.clone(),
        size: upload.size,
        uploaded_at: time(upload.created_at),
    }
}

/// The address of a file: the same before and after it is taken over.
pub(super) fn address(base: &str, id: &dyn std::fmt::Display) -> String {
    format!("{base}/api/uploads/{id}")
}

/// A file, as what it hangs on shows it.
pub(super) fn attachment(base: &str, file: &Stored<Attachment>) -> AttachmentView {
    AttachmentView {
        id: file.id.to_string(),
        filename: file.name.clone(),
        url: address(base, &file.id),
        mime_type: file.media_type.clone(),
        size: file.size,
    }
}

/// The uploads that a body names.
///
/// # Errors
///
/// What names none.
pub(super) fn named(references: Vec<Object<Reference>>) -> Result<Vec<UploadId>, Failure> {
    references.into_iter().map(|Object(reference)| reference.upload()).collect()
}

impl Reference {
    fn upload(self) -> Result<UploadId, Failure> {
        let wrong = |problem| Failure::invalid("attachments", problem);
        let text = self.id.or(self.url.map(|url| Text(of_address(&url).to_owned())));
        let text = text.ok_or_else(|| {
            wrong(Problem::Within { field: "url".to_owned(), problem: Box::new(Problem::Required) })
        })?;
        text.parse().map_err(|_| wrong(Problem::Unknown("upload")))
    }
}

/// The upload that an address is of.
pub(super) fn upload_at(url: &str) -> Option<UploadId> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let (place, id) = path.trim_end_matches('/').rsplit_once('/')?;
    place.ends_with("/uploads").then(|| id.parse().ok()).flatten()
}

/// What stands last in an address.
fn of_address(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

async fn download(call: Call) -> Result<Reply, Failure> {
    let file = call.desk.uploads().read(call.actor(), call.id("id", "file")?).await?;
    Ok(Reply::file(&file.media_type, &file.name, file.content))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.uploads().delete(call.actor(), call.id("id", "file")?).await?;
    Ok(done("File deleted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_id_or_its_address() {
        let id = "0190a5a0-0000-7000-8000-000000000001";
        let named = |id: Option<&str>, url: Option<&str>| {
            let text = |text: &str| text.to_owned();
            let reference = Reference { id: id.map(text).map(Text), url: url.map(text).map(Text) };
            reference.upload().ok().map(|upload| upload.to_string())
        };
        assert_eq!(named(Some(id), None).as_deref(), Some(id));
        for url in ["http://desk.test/api/uploads/ID", "/api/uploads/ID/", "ID", "https://x/y/ID?a=b#c"] {
            assert_eq!(named(None, Some(&url.replace("ID", id))).as_deref(), Some(id), "{url}");
        }
        let avatar = |url: &str| upload_at(&url.replace("ID", id)).map(|upload| upload.to_string());
        for url in ["http://desk.test/api/uploads/ID", "https://x/api/v1/uploads/ID/?v=2"] {
            assert_eq!(avatar(url).as_deref(), Some(id), "{url}");
        }
        assert!(avatar("https://elsewhere.test/ID").is_none() && avatar("ID").is_none());
        assert_eq!(named(None, None), None);
        assert_eq!(named(Some("x"), None), None);
        assert_eq!(named(None, Some("https://elsewhere.test/picture.png")), None);
    }
}
