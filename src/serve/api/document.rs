//! The OpenAPI document, made from the list of operations and the schema in force.

use super::tables::{OPERATORS, RESERVED, Source};
use super::{Answer, Endpoint, endpoints};
use crate::store::column::Kind;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, Ref, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApiBuilder, RefOr, Required, ResponseBuilder, ResponsesBuilder, Schema};

const ABOUT: &str = "A finished case of vigil, read-only. Tables take any of their columns as a filter, `column=value` or `column.operator=value`; \
    all filters have to hold. Times are UTC. On loopback no login is asked for unless the server was told so; elsewhere send the cookie of POST /api/login, \
    or its token or an API key as a bearer.";

/// The document as JSON.
pub fn written() -> String {
    let list = endpoints();
    let mut paths = PathsBuilder::new();
    for endpoint in &list.endpoints {
        paths = paths.path(endpoint.path.clone(), PathItem::new(endpoint.method.clone(), operation(endpoint)));
    }
    let mut components = ComponentsBuilder::new().schema("Problem", problem());
    for (name, schema) in list.components {
        components = components.schema(name, schema);
    }
    components = components
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::serve::access::COOKIE))))
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))));
    let info = InfoBuilder::new().title("vigil").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT)).build();
    let document = OpenApiBuilder::new().info(info).paths(paths.build()).components(Some(components.build())).build();
    document.to_json().unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
}

fn operation(endpoint: &Endpoint) -> utoipa::openapi::path::Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(endpoint.id.clone()))
        .tag(endpoint.tag)
        .summary(Some(endpoint.says.clone()))
        .parameters(Some(endpoint.parameters.clone()))
        .responses(responses(endpoint));
    if let Some(body) = &endpoint.body {
        let content = ContentBuilder::new().schema(Some(body.clone())).build();
        operation = operation
            .request_body(Some(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content).build()));
    }
    if let Some(role) = endpoint.role {
        operation = operation.description(Some(format!("Takes the role {role}.")));
        for scheme in ["session", "bearer", "key"] {
            operation = operation.security(SecurityRequirement::new::<_, [&str; 0], &str>(scheme, []));
        }
    }
    operation.build()
}

fn responses(endpoint: &Endpoint) -> utoipa::openapi::Responses {
    let (kind, schema) = match &endpoint.answer {
        Answer::Json(schema) => ("application/json", schema.clone()),
        Answer::Text(kind) => (*kind, plain(Type::String, "Text.")),
    };
    let good = ResponseBuilder::new().description("As asked.").content(kind, ContentBuilder::new().schema(Some(schema)).build()).build();
    let mut responses = ResponsesBuilder::new().response("200", good);
    let mut refusals = vec![("403", "Not from there, or not in that role."), ("408", "It took too long."), ("429", "Too many at once.")];
    if endpoint.role.is_some() {
        refusals.push(("401", "A login is needed."));
    }
    if endpoint.body.is_some() {
        refusals.push(("413", "More than is taken."));
    }
    if endpoint.body.is_some() || !endpoint.parameters.is_empty() {
        refusals.extend([("400", "It makes no sense."), ("404", "There is no such thing.")]);
    }
    for (status, why) in refusals {
        let content = ContentBuilder::new().schema(Some(reference("Problem"))).build();
        responses = responses.response(status, ResponseBuilder::new().description(why).content("application/json", content).build());
    }
    responses.build()
}

fn problem() -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .property("error", plain(Type::String, "A sentence that names the thing and the cure."))
        .property("status", plain(Type::Integer, "The status of HTTP."))
        .required("error")
        .required("status");
    object.build().into()
}

/// A schema by its name.
pub fn reference(name: &str) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// A plain type.
pub fn plain(kind: Type, says: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(kind).description(Some(says)).build().into()
}

/// An object whose keys the words tell.
pub fn any(says: &str) -> RefOr<Schema> {
    plain(Type::Object, says)
}

/// A parameter in the path.
pub fn segment(name: &str, says: &str) -> Parameter {
    let builder = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True).description(Some(says));
    builder.schema(Some(ObjectBuilder::new().schema_type(Type::String))).build()
}

/// A parameter behind the question mark.
pub fn query(name: &str, kind: Type, says: &str) -> Parameter {
    let builder = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False).description(Some(says));
    builder.schema(Some(ObjectBuilder::new().schema_type(kind))).build()
}

/// The parameters of a table: those of its pages, and its columns as filters.
pub fn columns(source: &Source) -> Vec<Parameter> {
    let ends = source.columns.iter().any(|(name, ..)| name == "id_orig_h");
    let paging = RESERVED.iter().filter(|(name, _)| ends || *name != "endpoint").map(|(name, says)| {
        let kind = match *name {
            "limit" => Type::Integer,
            "total" => Type::Boolean,
            _ => Type::String,
        };
        query(name, kind, says)
    });
    let operators = OPERATORS.map(|(name, _)| format!(".{name}")).join(" ");
    let filters = source.columns.iter().map(|(name, kind, doc)| {
        let (kind, _) = element(*kind);
        query(name, kind, &format!("{doc} Also with {operators}"))
    });
    paging.chain(filters).collect()
}

fn element(kind: Kind) -> (Type, Option<SchemaFormat>) {
    match kind {
        Kind::Bool => (Type::Boolean, None),
        Kind::Int | Kind::Ints => (Type::Integer, Some(SchemaFormat::KnownFormat(KnownFormat::Int32))),
        Kind::Big | Kind::Bigs => (Type::Integer, Some(SchemaFormat::KnownFormat(KnownFormat::Int64))),
        Kind::Double | Kind::Doubles => (Type::Number, Some(SchemaFormat::KnownFormat(KnownFormat::Double))),
        Kind::Time => (Type::String, Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        Kind::Text | Kind::Texts => (Type::String, None),
    }
}

/// A page of a table.
pub fn page(source: &Source) -> RefOr<Schema> {
    let mut row = ObjectBuilder::new().description(Some(source.doc.clone()));
    for (name, kind, doc) in &source.columns {
        let (item, format) = element(*kind);
        let schema: RefOr<Schema> = if matches!(kind, Kind::Ints | Kind::Bigs | Kind::Doubles | Kind::Texts) {
            let item = ObjectBuilder::new().schema_type(item).format(format);
            ArrayBuilder::new()
                .items(item)
                .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
                .description(Some(doc.clone()))
                .build()
                .into()
        } else {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([item, Type::Null]))
                .format(format)
                .description(Some(doc.clone()))
                .build()
                .into()
        };
        row = row.property(name.clone(), schema);
    }
    let rows = ArrayBuilder::new().items(row).build();
    let next =
        ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null])).description(Some("Cursor of the next page."));
    let object = ObjectBuilder::new()
        .property("rows", rows)
        .property("next", next.build())
        .property("total", plain(Type::Integer, "Rows that pass the filters, if asked for."))
        .required("rows")
        .required("next");
    object.build().into()
}
