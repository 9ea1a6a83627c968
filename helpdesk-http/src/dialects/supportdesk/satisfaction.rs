//! Saying how satisfied one is, by the links of a mail: a page for people, an object for programs.

use std::sync::Arc;

use helpdesk_core::storage::Stored;
use helpdesk_core::tickets::{Satisfaction, Ticket};
use helpdesk_core::{AuthFailure, Error};
use http::header::{ACCEPT, CACHE_CONTROL};
use http::{HeaderValue, Method, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::envelope::{Success, data};
use super::pages::{escaped, page};
use super::show;
use crate::input;
use crate::input::Text;
use crate::kernel::{Answer, Body, Call, Failure, Json, Operation, OperationDoc, Query, Reply};

const AREA: &str = "Satisfaction";

/// The title of the pages.
const TITLE: &str = "How did we do?";

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("satisfaction.rate", "/api/satisfaction", rate).says(
            "Rates a solved ticket by a link of the mail that asked for it",
            "The link says the ticket and the score; opening it again changes nothing, and opening another of the mail \
             takes its place, and programs that only look where it leads rate nothing. Browsers are shown a page where a comment can be added.",
        ),
        Operation::post("satisfaction.comment", "/api/satisfaction", comment).form(64 * 1024, 64 * 1024).says(
            "Rates a solved ticket by such a link, with a comment",
            "A comment that is not sent stays as it is.",
        ),
    ];
    let area = |operation: Operation| operation.area(AREA).beyond_document().errors(&[400, 401, 404, 422]);
    operations.into_iter().map(area).collect()
}

input! {
    /// A link of the mail.
    struct LinkQuery {
        /// The token of the link.
        token: Text<2_000>,
    }
}

input! {
    /// What is said beside the score.
    struct CommentBody {
        /// Why.
        comment: Option<Text<10_000>>,
    }
}

/// A rating.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RatingView {
    ticket_id: String,
    subject: String,
    /// From 1, very bad, to 5, very good.
    score: u8,
    comment: Option<String>,
    rated_at: String,
}

impl RatingView {
    fn of(ticket: &Stored<Ticket>, rated: &Satisfaction) -> Self {
        Self {
            ticket_id: ticket.id.to_string(),
            subject: ticket.subject.clone(),
            score: rated.score,
            comment: rated.comment.clone(),
            rated_at: show::time(rated.at),
        }
    }
}

/// What is answered: a page to those who want one.
enum Rated {
    Page(Reply),
    Data(Json<Success<RatingView>>),
}

impl Answer for Rated {
    fn describe(doc: &mut OperationDoc) {
        <Json<Success<RatingView>>>::describe(doc);
    }

    fn reply(self, success: StatusCode) -> Reply {
        match self {
            Self::Page(page) => page,
            Self::Data(view) => view.reply(success),
        }
    }
}

async fn rate(call: Call, Query(link): Query<LinkQuery>) -> Result<Rated, Failure> {
    if only_looks(&call) {
        let nothing = Reply::empty(StatusCode::OK);
        return Ok(Rated::Page(nothing.header(CACHE_CONTROL, HeaderValue::from_static("no-store"))));
    }
    answer(&call, &link.token.0, None).await
}

/// Whether a program looks where the link leads before anybody has clicked on it, and says so.
fn only_looks(call: &Call) -> bool {
    let prefetches = |name| call.head.header(name).is_some_and(|purpose| purpose.contains("prefetch"));
    call.head.method == Method::HEAD || prefetches("sec-purpose") || prefetches("purpose")
}

async fn comment(
    call: Call,
    Query(link): Query<LinkQuery>,
    Body(body): Body<CommentBody>,
) -> Result<Rated, Failure> {
    answer(&call, &link.token.0, body.comment.map(|comment| comment.0)).await
}

async fn answer(call: &Call, token: &str, comment: Option<String>) -> Result<Rated, Failure> {
    let page = call.head.header(ACCEPT.as_str()).is_some_and(|accepts| accepts.contains("text/html"));
    let commented = comment.is_some();
    let via = Arc::clone(call.actor().via());
    let ticket = match call.desk.tickets().rate_by_token(via, token, comment).await {
        Ok(ticket) => ticket,
        Err(error) if page => return refused(error).map(Rated::Page),
        Err(error) => return Err(error.into()),
    };
    // It was just rated.
    let rated = ticket.satisfaction.as_ref().ok_or(Failure::not_found("rating"))?;
    let view = RatingView::of(&ticket, rated);
    Ok(if page { Rated::Page(thanks(&view, commented)) } else { Rated::Data(data(view)) })
}

/// A page for those whose link does not work.
fn refused(error: Error) -> Result<Reply, Failure> {
    let (status, words) = match &error {
        Error::Unauthenticated(AuthFailure::Expired) => {
            (StatusCode::UNAUTHORIZED, "This link is no longer valid.")
        }
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "This link is not valid."),
        Error::NotFound { .. } => (StatusCode::NOT_FOUND, "This request is no longer there."),
        Error::Rejected(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "This request was opened again. You can rate it once it is solved.",
        ),
        _ => return Err(error.into()),
    };
    Ok(page(status, TITLE, &format!("<h1>Sorry</h1><p>{words}</p>")))
}

fn thanks(view: &RatingView, commented: bool) -> Reply {
    let (subject, score) = (escaped(&view.subject), view.score);
    let mut words = format!("<h1>Thank you</h1><p>You gave “{subject}” {score} of 5.</p>");
    if commented {
        words.push_str("<p>Your comment was received.</p>");
    } else {
        let before = escaped(view.comment.as_deref().unwrap_or_default());
        // To the address of this page, so that the token stands nowhere else.
        words.push_str(&format!(
            "<form method=\"post\"><label for=\"comment\">Would you like to tell us more?</label>\
             <textarea id=\"comment\" name=\"comment\" rows=\"5\" maxlength=\"10000\">{before}</textarea>\
             <button>Send</button></form>"
        ));
    }
    page(StatusCode::OK, TITLE, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_shown_and_not_run() {
        let view = RatingView {
            ticket_id: String::new(),
            subject: "<script>alert('1')</script>".to_owned(),
            score: 2,
            comment: Some("</textarea><b>".to_owned()),
            rated_at: String::new(),
        };
        let page = thanks(&view, false);
        let page = std::str::from_utf8(&page.content).expect("a text");
        assert!(!page.contains("<script>") && !page.contains("</textarea><b>"));
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"));
    }
}
