//! Organizations: the companies that contacts belong to.

use helpdesk_core::contacts::{Company, CompanyEdit, CompanyId, CompanyQuery, NewCompany};
use helpdesk_core::identity::permissions;
use helpdesk_core::storage::Stored;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::envelope::{Nothing, Page, Success, SuccessList, data, done, list as array};
use super::show::time;
use crate::input;
use crate::input::{Change, Int, Line, Text};
use crate::kernel::{Body, Call, Failure, Json, Operation, Query};

input! {
    /// Which organizations to list.
    struct ListQuery {
        /// Only those with the words in their names or domains.
        search: Option<Text<200>>,
        /// The number of the page, from 1.
        page: Option<Int<1, 1_000_000>>,
        /// How many to a page: 20, at most 100.
        limit: Option<Int<1, 100>>,
    }

    /// An organization to be made.
    struct Create {
        /// What it is called.
        name: Line<200>,
        /// The domain of its addresses; no other organization may have it.
        domain: Option<Line<253>>,
        /// What the desk keeps of it: any object of at most 16 KiB.
        settings: Option<Map<String, Value>>,
    }

    /// Changes to an organization: what is not sent stays.
    struct Update {
        /// What it is called.
        name: Option<Line<200>>,
        /// The domain of its addresses; no other organization may have it.
        domain: Change<Line<253>>,
        /// What the desk keeps of it, in place of what it kept.
        settings: Option<Map<String, Value>>,
    }
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationView {
    id: String,
    name: String,
    domain: Option<String>,
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    created_at: String,
}

pub(super) fn operations() -> Vec<Operation> {
    let operations = vec![
        Operation::get("organizations.list", "/api/organizations", list)
            .needs(permissions::ADMIN_VIEW_ORGANIZATION)
            .says("Lists the organizations", "By name.")
            .errors(&[401, 403, 422]),
        Operation::get("organizations.get", "/api/organizations/{id}", get)
            .needs(permissions::CONTACT_VIEW)
            .says("Shows an organization", "")
            .errors(&[401, 403, 404]),
        Operation::post("organizations.create", "/api/organizations", create)
            .needs(permissions::CONTACT_MANAGE_COMPANIES)
            .success(StatusCode::CREATED)
            .says("Makes an organization", "")
            .errors(&[400, 401, 403, 422]),
        Operation::put("organizations.update", "/api/organizations/{id}", update)
            .needs(permissions::CONTACT_MANAGE_COMPANIES)
            .says("Changes an organization", "")
            .errors(&[400, 401, 403, 404, 422]),
        Operation::delete("organizations.delete", "/api/organizations/{id}", delete)
            .needs(permissions::CONTACT_MANAGE_COMPANIES)
            .says("Deletes an organization", "Who belonged to it belongs to none from then on.")
            .errors(&[401, 403, 404]),
    ];
    operations.into_iter().map(|operation| operation.area("Organizations")).collect()
}

async fn list(
    call: Call,
    Query(query): Query<ListQuery>,
) -> Result<Json<SuccessList<OrganizationView>>, Failure> {
    let page = Page::of(query.page, query.limit);
    let mut companies = CompanyQuery::default().page(page.size(), page.from());
    if let Some(search) = &query.search {
        companies = companies.search(search);
    }
    let found = call.desk.contacts().companies(call.actor(), companies).await?;
    Ok(array(found.items.iter().map(|company| show(company)).collect(), page.of_listing(&found)))
}

async fn get(call: Call) -> Result<Json<Success<OrganizationView>>, Failure> {
    let company = call.desk.contacts().company(call.actor(), id(&call)?).await?;
    Ok(data(show(&company)))
}

async fn create(call: Call, Body(body): Body<Create>) -> Result<Json<Success<OrganizationView>>, Failure> {
    let new = NewCompany {
        name: body.name.0,
        domain: body.domain.map(|domain| domain.0),
        settings: body.settings.unwrap_or_default(),
    };
    let company = call.desk.contacts().create_company(call.actor(), new).await?;
    Ok(data(show(&company)))
}

async fn update(call: Call, Body(body): Body<Update>) -> Result<Json<Success<OrganizationView>>, Failure> {
    let edit = CompanyEdit {
        name: body.name.map(|name| name.0),
        domain: body.domain.0.map(|domain| domain.map(|domain| domain.0)),
        settings: body.settings,
    };
    let company = call.desk.contacts().update_company(call.actor(), id(&call)?, edit).await?;
    Ok(data(show(&company)))
}

async fn delete(call: Call) -> Result<Json<Success<Nothing>>, Failure> {
    call.desk.contacts().delete_company(call.actor(), id(&call)?).await?;
    Ok(done("Organization deleted"))
}

fn id(call: &Call) -> Result<CompanyId, Failure> {
    call.id("id", "organization")
}

fn show(company: &Stored<Company>) -> OrganizationView {
    OrganizationView {
        id: company.id.to_string(),
        name: company.name.clone(),
        domain: company.domain.clone(),
        settings: company.settings.clone(),
        created_at: time(company.created_at),
    }
}
