//! The document of a dialect, made from its table of operations: OpenAPI 3.1.

use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, RefOr, Required,
};

use super::dialect::Dialect;
use super::operation::{Auth, BodyKind, Operation};

/// The OpenAPI document of a dialect with the given operations, reached at `server`.
#[must_use]
pub fn document(dialect: &Dialect, operations: &[Operation], server: &str) -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new()
        .schema("Error", (dialect.error_schema)())
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("token", SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("token"))))
        .security_scheme("key", SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("api_key"))))
        .security_scheme("key_header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
    for operation in operations {
        for (name, schema) in &operation.doc.schemas {
            components = components.schema(name.clone(), schema.clone());
        }
        let item = PathItem::new(method(operation), described(operation));
        paths = paths.path(operation.path.replace("{*", "{"), item);
    }
    let info = InfoBuilder::new()
        .title(dialect.title)
        .version(dialect.version)
        .description(Some(dialect.description))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url(server).build()]))
        .paths(paths)
        .components(Some(components.build()))
        .build()
}

fn method(operation: &Operation) -> HttpMethod {
    match operation.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn described(operation: &Operation) -> utoipa::openapi::path::Operation {
    let mut built = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .tag(operation.area)
        .summary(Some(operation.summary))
        .parameters(Some(parameters(operation)));
    if let Some(description) = description(operation) {
        built = built.description(Some(description));
    }
    if let Some(schema) = &operation.doc.request {
        let content = ContentBuilder::new().schema(Some(schema.clone())).build();
        let types: &[&str] = match operation.body {
            BodyKind::Form { .. } => &["multipart/form-data", "application/json"],
            BodyKind::Json { .. } | BodyKind::None => &["application/json"],
        };
        let body = types
            .iter()
            .fold(RequestBodyBuilder::new(), |body, media_type| body.content(*media_type, content.clone()));
        built = built.request_body(Some(body.required(Some(Required::True)).build()));
    }
    let mut success = ResponseBuilder::new().description("Success");
    if let Some((media_type, schema)) = &operation.doc.response {
        success = success.content(*media_type, ContentBuilder::new().schema(Some(schema.clone())).build());
    }
    built = built.response(operation.success.as_str(), success.build());
    for status in operation.errors {
        let reason = http::StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
        let error = RefOr::Ref(utoipa::openapi::schema::Ref::from_schema_name("Error"));
        let content = ContentBuilder::new().schema(Some(error)).build();
        let response = ResponseBuilder::new()
            .description(reason.unwrap_or("Refused"))
            .content("application/json", content)
            .build();
        built = built.response(status.to_string(), response);
    }
    let schemes: &[&str] = match operation.auth {
        Auth::None => &[],
        Auth::Bearer => &["bearer"],
        Auth::File => &["bearer", "token", "key", "key_header"],
    };
    for scheme in schemes {
        built = built.security(SecurityRequirement::new::<_, [&str; 0], &str>(*scheme, []));
    }
    built.build()
}

fn description(operation: &Operation) -> Option<String> {
    let needs =
        operation.permission.as_ref().map(|permission| format!("Needs the permission `{permission}`."));
    let parts: Vec<_> = [Some(operation.description.to_owned()).filter(|text| !text.is_empty()), needs]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

fn parameters(operation: &Operation) -> Vec<Parameter> {
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let in_path = operation.parameters().map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(text()))
            .build()
    });
    let in_query = operation.doc.query.iter().map(|field| {
        ParameterBuilder::new()
            .name(field.name)
            .parameter_in(ParameterIn::Query)
            .required(if field.required { Required::True } else { Required::False })
            .description(Some(field.doc))
            .schema(Some(field.schema.clone()))
            .build()
    });
    in_path.chain(in_query).collect()
}
