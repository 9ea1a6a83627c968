//! The list of addresses.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{Call, Failure, Json, Operation};

/// Where to find what.
#[derive(Debug, Serialize, ToSchema)]
struct Root {
    create_employee: String,
    #[serde(rename = "admin-create-employee")]
    admin_create_employee: String,
    token_employee: String,
    admin_token_obtain_pair: String,
    token_refresh: String,
    employee_profile: String,
    tickets: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("root.get", "/api/", root)
            .area("Administrative Operations")
            .says("Lists the addresses of the API", ""),
    ]
}

async fn root(call: Call) -> Result<Json<Root>, Failure> {
    let at = |path: &str| format!("{}/api/{path}/", call.head.base);
    Ok(Json(Root {
        create_employee: at("create_employee"),
        admin_create_employee: at("admin/create-employee"),
        token_employee: at("token/employee"),
        admin_token_obtain_pair: at("token/admin"),
        token_refresh: at("token/refresh"),
        employee_profile: at("employee/profile"),
        tickets: at("tickets"),
    }))
}
