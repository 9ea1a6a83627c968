//! Pages of the ticket list, by number, as Django REST framework makes them.

use helpdesk_core::storage::{From, Listing};
use helpdesk_core::tickets::{Ticket, TicketOrder, TicketQuery};
use url::form_urlencoded;

use super::TICKETS;
use super::words::{Departments, Priorities, Statuses};
use crate::input;
use crate::input::{Choice, Int, Text};
use crate::kernel::{Failure, Head};

/// Tickets to a page, unless the caller asks for others.
const PAGE_SIZE: i64 = 20;

input! {
    /// Which tickets, and which page of them.
    pub(super) struct ListQuery {
        /// The number of the page, from 1, or `last`.
        page: Option<Text<20>>,
        /// Tickets to a page: 20, at most 100.
        page_size: Option<Int<1, 100>>,
        /// Words in subject and description, or a ticket's number.
        search: Option<Text<500>>,
        /// `submit_date`, `update_date`, `priority`, `status` or `subject`; with `-` before it the other way round.
        ordering: Option<Text<100>>,
        /// Only those of a status.
        status: Option<Choice<Statuses>>,
        /// Only those of a priority.
        priority: Option<Choice<Priorities>>,
        /// Only those of a category.
        category: Option<Text<100>>,
        /// Only those of a department.
        department: Option<Choice<Departments>>,
    }
}

/// A page that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Number(i64),
    Last,
}

impl ListQuery {
    pub(super) fn size(&self) -> i64 {
        self.page_size.map_or(PAGE_SIZE, |size| size.0)
    }

    /// # Errors
    ///
    /// What is no number of a page names none.
    pub(super) fn page(&self) -> Result<Page, Failure> {
        match self.page.as_deref() {
            None => Ok(Page::Number(1)),
            Some("last") => Ok(Page::Last),
            Some(text) => match text.parse() {
                Ok(number) if (1..=10_000_000).contains(&number) => Ok(Page::Number(number)),
                _ => Err(Failure::not_found("page")),
            },
        }
    }

    /// The query for a page of so many tickets, `offset` into the list.
    pub(super) fn query(&self, offset: i64) -> TicketQuery {
        let mut query = TicketQuery::default();
        if let Some(typed) = &self.search {
            query = query.search(typed, TICKETS.parse(typed.trim().to_uppercase().as_str()));
        }
        if let Some(status) = self.status {
            query = query.status(status.0.iter());
        }
        if let Some(priority) = self.priority {
            query = query.priority(priority.0);
        }
        if let Some(category) = &self.category {
            query = query.category(category);
        }
        if let Some(department) = self.department {
            query = query.department(department.0);
        }
        if let Some((order, descending)) = self.ordering.as_deref().and_then(ordering) {
            query = query.order(order, descending);
        }
        let size = usize::try_from(self.size()).unwrap_or_default();
        query.page(size, From::Offset(u64::try_from(offset).unwrap_or_default()))
    }
}

/// The first of the given orders that there is; others are passed over.
fn ordering(text: &str) -> Option<(TicketOrder, bool)> {
    text.split(',').find_map(|part| {
        let part = part.trim();
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let order = match name {
            "submit_date" | "id" | "ticket_number" => TicketOrder::Created,
            "update_date" => TicketOrder::Updated,
            "priority" => TicketOrder::Priority,
            "status" => TicketOrder::Status,
            "subject" => TicketOrder::Subject,
            _ => return None,
        };
        Some((order, descending))
    })
}

/// Number of all, and the addresses of the pages around one.
pub(super) struct Around {
    pub count: u64,
    pub next: Option<String>,
    pub previous: Option<String>,
}

/// # Errors
///
/// There is no page beyond the last; the first is there though it be empty.
pub(super) fn around(
    head: &Head,
    number: i64,
    size: i64,
    listing: &Listing<Ticket>,
) -> Result<Around, Failure> {
    let count = listing.total.map_or(0, |total| total.count);
    if listing.items.is_empty() && number > 1 {
        return Err(Failure::not_found("page"));
    }
    let shown = u64::try_from(number.saturating_mul(size)).unwrap_or(u64::MAX);
    Ok(Around {
        count,
        next: (shown < count).then(|| address(head, number + 1)),
        previous: (number > 1).then(|| address(head, number - 1)),
    })
}

/// The address of another page of the same list.
fn address(head: &Head, number: i64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(head.query.as_bytes()).filter(|(name, _)| name != "page") {
        query.append_pair(&name, &value);
    }
    // The first page is the one that is shown without saying which.
    if number > 1 {
        query.append_pair("page", &number.to_string());
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{}{mark}{query}", head.base, head.path)
}
