//! The shape around every answer, and pages.

use helpdesk_core::storage::{Entity, From, Listing};
use serde::Serialize;
use utoipa::ToSchema;

use crate::input;
use crate::input::Int;
use crate::kernel::Json;

/// What every success answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Success<T: ToSchema> {
    pub success: bool,
    #[schema(inline)]
    pub data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'static str>,
}

/// What a list answers that is a plain array: the page stands beside it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuccessList<T: ToSchema> {
    pub success: bool,
    #[schema(inline)]
    pub data: Vec<T>,
    pub pagination: Pagination,
}

/// An answer with data.
pub(super) const fn data<T: ToSchema>(data: T) -> Json<Success<T>> {
    Json(Success { success: true, data, message: None })
}

/// An answer with data and a sentence.
pub(super) const fn told<T: ToSchema>(data: T, message: &'static str) -> Json<Success<T>> {
    Json(Success { success: true, data, message: Some(message) })
}

/// An answer with a sentence and nothing more.
pub(super) const fn done(message: &'static str) -> Json<Success<Nothing>> {
    told(Nothing {}, message)
}

/// An object without fields.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Nothing {}

/// A plain array with its page.
pub(super) const fn list<T: ToSchema>(data: Vec<T>, pagination: Pagination) -> Json<SuccessList<T>> {
    Json(SuccessList { success: true, data, pagination })
}

/// Which page of how many an answer is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    pub page: u64,
    pub limit: u64,
    pub total: u64,
    pub total_pages: u64,
    pub has_next_page: bool,
    pub has_previous_page: bool,
}

input! {
    /// Which page of a list.
    pub(super) struct PageQuery {
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }

    /// Which page of what is read as a whole: a conversation, a history.
    pub(super) struct WholeQuery {
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 100, which is the most.
        limit: Option<Int<1, 100>>,
    }
}

/// A page that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub number: u64,
    pub limit: u64,
}

impl PageQuery {
    pub(super) fn page(&self) -> Page {
        Page::of(self.page, self.limit)
    }
}

impl WholeQuery {
    pub(super) fn page(&self) -> Page {
        Page::of(self.page, self.limit.or(Some(Int(100))))
    }
}

impl Page {
    /// The page of a query's `page` and `limit`.
    pub(super) fn of(page: Option<Int<1, 1_000_000>>, limit: Option<Int<1, 100>>) -> Self {
        let number = |value: Option<i64>, default| value.map_or(default, |value| value.unsigned_abs());
        Self { number: number(page.map(|page| page.0), 1), limit: number(limit.map(|limit| limit.0), 20) }
    }

    /// How many there may be on it.
    pub(super) fn size(self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// Where in the list it begins.
    pub(super) const fn from(self) -> From {
        From::Offset((self.number - 1) * self.limit)
    }

    /// What is said of it, with so many in all.
    pub(super) const fn pagination(self, total: u64) -> Pagination {
        let total_pages = total.div_ceil(self.limit);
        Pagination {
            page: self.number,
            limit: self.limit,
            total,
            total_pages,
            has_next_page: self.number < total_pages,
            has_previous_page: self.number > 1,
        }
    }

    /// What is said of it, for a listing that counted all.
    pub(super) fn of_listing<T: Entity>(self, listing: &Listing<T>) -> Pagination {
        self.pagination(listing.total.map_or(0, |total| total.count))
    }
}
