//! Tags.

use helpdesk_core::identity::permissions;
use helpdesk_core::storage::Stored;
use helpdesk_core::tags::{Tag, TagId};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Nothing, PageQuery, Success, SuccessList, data, done, list as listed};
use crate::input;
use crate::input::Line;
use crate::kernel::{Auth, Body, Call, Failure, Json, Operation, Query};

input! {
    /// A tag to be made.
    struct Create {
        /// The word; no other tag may have it.
        name: Line<100>,
        /// Its colour: `#rrggbb` or `#rgb`.
        color: Line<20>,
    }
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
struct TagItem {
    id: String,
    name: String,
    color: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let manage = permissions::TAG_MANAGE;
    let operations = vec![
        Operation::get("tags.list", "/api/tags", list)
            .auth(Auth::Bearer)
            .says("Lists tags", "By name.")
            .errors(&[401, 422]),
        Operation::post("tags.create", "/api/tags", create)
            .needs(manage.clone())
            .success(StatusCode::CREATED)
            .says("Makes a tag", "No two tags have the same name, in whatever case.")
            .errors(&[400, 401, 403, 422]),
        Operation::delete("tags.delete", "/api/tags/{id}", delete)
            .needs(manage)
            .says("Deletes a tag", "Tickets and articles that were marked with the word keep it.")
            .errors(&[401, 403, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Tags")).collect()
}

fn shown(tag: &Stored<Tag>) -> TagItem {
    TagItem { id: tag.id.to_string(), name: tag.name.clone(), color: tag.color.clone() }
}

async fn list(call: Call, Query(query): Query<PageQuery>) -> Result<Json<SuccessList<TagItem>>, Failure> {
    let page = query.page();
    let listing = call.desk.tags().list(call.actor(), page.size(), page.from()).await?;
    Ok(listed(listing.items.iter().map(|tag| shown(tag)).collect(), page.of_listing(&listing)))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<TagItem>>, Failure> {
    let tag = call.desk.tags().create(call.actor(), Tag::new(body.name.0, body.color.0)).await?;
    Ok(data(shown(&tag)))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    let id: TagId = call.id("id", "tag")?;
    call.desk.tags().delete(call.actor(), id).await?;
    Ok(done("Tag deleted"))
}
