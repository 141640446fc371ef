//! The OpenAPI document, made from the list of operations and the schema in force.

use super::tables::{OPERATORS, RESERVED, Source};
use super::{Answer, Endpoint, Method, Wanted, endpoints};
use crate::store::column::Kind;
use serde_json::{Map, Value, json};

const ABOUT: &str = "Cases of vigil, read-only. Paths are about the case that was named; all of them stand below `/cases/NAME/` as well, for any other. Tables take any of their columns as a filter, `column=value` or `column.operator=value`; \
    all filters have to hold. Times are UTC. On loopback no login is asked for unless the server was told so; elsewhere send the cookie of POST /api/login, \
    or its token or an API key as a bearer.";

/// The document as JSON.
pub fn written() -> String {
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoints() {
        let method = match endpoint.method {
            Method::Get => "get",
            Method::Post => "post",
        };
        let path = paths.entry(endpoint.path.clone()).or_insert_with(|| json!({}));
        path[method] = operation(&endpoint);
    }
    let problem = json!({
        "type": "object",
        "required": ["error", "status"],
        "properties": {
            "error": { "type": "string", "description": "A sentence that names the thing and the cure." },
            "status": { "type": "integer", "description": "The status of HTTP." },
        }
    });
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "vigil", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT, "license": { "name": "MIT" } },
        "paths": paths,
        "components": {
            "schemas": { "Problem": problem },
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": crate::serve::access::COOKIE },
                "bearer": { "type": "http", "scheme": "bearer" },
                "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            }
        }
    });
    document.to_string()
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut operation = json!({
        "operationId": endpoint.id,
        "tags": [endpoint.tag],
        "summary": endpoint.says,
        "parameters": endpoint.parameters,
        "responses": responses(endpoint),
    });
    if let Some(body) = &endpoint.body {
        let content = match body {
            Wanted::Json(schema) => json!({ "application/json": { "schema": schema } }),
            Wanted::Bytes => json!({ "application/octet-stream": {} }),
        };
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    if let Some(role) = endpoint.role {
        operation["description"] = format!("Takes the role {role}.").into();
        operation["security"] = json!([{ "session": [] }, { "bearer": [] }, { "key": [] }]);
    }
    operation
}

fn responses(endpoint: &Endpoint) -> Value {
    let (kind, schema) = match &endpoint.answer {
        Answer::Json(schema) => ("application/json", schema.clone()),
        Answer::Other(kind) => (*kind, json!({ "type": "string" })),
    };
    let mut responses = json!({ endpoint.status: { "description": "As asked.", "content": { kind: { "schema": schema } } } });
    let mut refusals = vec![
        ("403", "Not from there, or not in that role."),
        ("408", "It took too long."),
        ("429", "Too many at once."),
        ("503", "A running capture has just turned to a new segment."),
    ];
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
        responses[status] =
            json!({ "description": why, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    }
    responses
}

/// A parameter in the path.
pub fn segment(name: &str, says: &str) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": says, "schema": { "type": "string" } })
}

/// A parameter behind the question mark.
pub fn query(name: &str, schema: Value, says: &str) -> Value {
    json!({ "name": name, "in": "query", "required": false, "description": says, "schema": schema })
}

/// The parameters of a table: those of its pages, and its columns as filters.
pub fn columns(source: &Source) -> Vec<Value> {
    let ends = source.columns.iter().any(|(name, ..)| name == "id_orig_h");
    let paging = RESERVED.iter().filter(|(name, _)| ends || *name != "either_end").map(|(name, says)| {
        let schema = match *name {
            "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 1000 }),
            "total" => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        query(name, schema, says)
    });
    let operators = OPERATORS.map(|(name, _)| format!(".{name}")).join(" ");
    let filters =
        source.columns.iter().map(|(name, kind, doc)| query(name, json!(of_element(*kind)), &format!("{doc} Also with {operators}")));
    paging.chain(filters).collect()
}

/// The schema of one value of a column.
fn of_element(kind: Kind) -> Value {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int | Kind::Ints => json!({ "type": "integer", "format": "int32" }),
        Kind::Big | Kind::Bigs => json!({ "type": "integer", "format": "int64" }),
        Kind::Double => json!({ "type": "number", "format": "double" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Text | Kind::Texts => json!({ "type": "string" }),
    }
}

/// A page of a table.
pub fn page(source: &Source) -> Value {
    let mut columns: Map<String, Value> = Map::new();
    for (name, kind, doc) in &source.columns {
        let list = matches!(kind, Kind::Ints | Kind::Bigs | Kind::Texts);
        let mut schema = if list { json!({ "type": "array", "items": of_element(*kind) }) } else { of_element(*kind) };
        let plain = schema["type"].take();
        schema["type"] = json!([plain, "null"]);
        schema["description"] = doc.as_str().into();
        columns.insert(name.clone(), schema);
    }
    json!({
        "type": "object",
        "required": ["rows", "next"],
        "properties": {
            "rows": { "type": "array", "items": { "type": "object", "description": source.doc, "properties": columns } },
            "next": { "type": ["string", "null"], "description": "Cursor of the next page." },
            "total": { "type": "integer", "description": "Rows that pass the filters, if asked for." },
        }
    })
}
