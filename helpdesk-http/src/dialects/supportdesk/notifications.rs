//! What the caller is told of.

use helpdesk_core::notifications::{Notification, NotificationId, NotificationKind, NotificationQuery};
use helpdesk_core::storage::Stored;
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Nothing, Page, Success, SuccessList, done, list as listed, told};
use super::show::time;
use crate::input;
use crate::input::Int;
use crate::kernel::{Auth, Call, Failure, Json, Operation, Query};

input! {
    /// Which notifications to list.
    struct ListQuery {
        /// Only those that were not read yet.
        unread: Option<bool>,
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }
}

/// Something that somebody is told of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NotificationView {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    title: String,
    message: String,
    read: bool,
    link: Option<String>,
    created_at: String,
}

/// A notification.
pub(super) fn view(notification: &Stored<Notification>) -> NotificationView {
    NotificationView {
        id: notification.id.to_string(),
        kind: word(notification.kind),
        title: notification.title.clone(),
        message: notification.message.clone(),
        read: notification.read.is_some(),
        link: notification.link(),
        created_at: time(notification.created_at),
    }
}

/// The document's word.
const fn word(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::TicketAssigned => "ticket_assigned",
        NotificationKind::TicketUpdated => "ticket_updated",
        NotificationKind::Mention => "mention",
    }
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("notifications.list", "/api/notifications", list)
            .says("Lists the caller's notifications", "Newest first.")
            .errors(&[401, 422]),
        Operation::patch("notifications.read_all", "/api/notifications/read-all", read_all)
            .says("Marks all of the caller's notifications as read", "")
            .errors(&[401]),
        Operation::patch("notifications.read", "/api/notifications/{id}/read", read)
            .says("Marks one of the caller's notifications as read", "")
            .errors(&[401, 404]),
        Operation::delete("notifications.delete", "/api/notifications/{id}", delete)
            .says("Deletes one of the caller's notifications", "")
            .errors(&[401, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Notifications").auth(Auth::Bearer)).collect()
}

fn named(call: &Call) -> Result<NotificationId, Failure> {
    call.id("id", "notification")
}

async fn list(
    call: Call,
    Query(query): Query<ListQuery>,
) -> Result<Json<SuccessList<NotificationView>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let wanted = NotificationQuery::default().page(page.size(), page.from());
    let wanted = if query.unread == Some(true) { wanted.unread() } else { wanted };
    let found = call.desk.notifications().list(call.actor(), wanted).await?;
    let views = found.items.iter().map(|notification| view(notification)).collect();
    Ok(listed(views, page.of_listing(&found)))
}

async fn read(call: Call) -> Result<Json<Success<NotificationView>>, Failure> {
    let read = call.desk.notifications().read(call.actor(), named(&call)?).await?;
    Ok(told(view(&read), "Notification marked as read"))
}

async fn read_all(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.notifications().read_all(call.actor()).await?;
    Ok(done("All notifications marked as read"))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.notifications().delete(call.actor(), named(&call)?).await?;
    Ok(done("Notification deleted"))
}
