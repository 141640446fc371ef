//! The API. Each operation is declared once, in [`endpoints`]: the routes, who may ask, and the OpenAPI document all follow from that list.

mod attack;
mod case;
mod cases;
pub mod document;
mod login;
mod metrics;
mod monitor;
mod sql;
pub mod tables;
mod triage;

pub use attack::{Cell as AttackCell, matrix};
pub use case::{at_a_glance, host, names_host, triage_of};
pub use cases::listed;
pub use login::{by_tls, log_in_as};
pub use triage::note;

use super::access::Visitor;
use super::access::users::Role;
use super::described::Described;
use super::exchange::{Json, Pairs};
use super::problem::Problem;
use super::{App, Open, Shared};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Router};
use serde_json::{Value, json};

/// How an operation is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

/// One operation.
pub struct Endpoint {
    method: Method,
    path: String,
    /// Name of the operation, for generated clients.
    id: String,
    tag: &'static str,
    says: String,
    /// The least role that may; `None` for whoever comes.
    role: Option<Role>,
    parameters: Vec<Value>,
    body: Option<Wanted>,
    answer: Answer,
    /// Status of what is answered if all is well.
    status: &'static str,
    route: MethodRouter<Shared>,
}

/// What an operation takes.
enum Wanted {
    /// JSON of this schema.
    Json(Value),
    /// A file.
    Bytes,
}

/// What an operation answers.
enum Answer {
    /// JSON of this schema.
    Json(Value),
    /// Something else.
    Other(&'static str),
}

/// Gathers the operations.
#[derive(Default)]
struct List(Vec<Endpoint>);

impl List {
    fn add(&mut self, method: Method, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        let verb = if method == Method::Post { "post" } else { "get" };
        let words = path.trim_start_matches("/api/v1/").trim_start_matches("/api/").replace(['{', '}'], "").replace(['/', '.'], "_");
        self.0.push(Endpoint {
            method,
            path: path.into(),
            id: format!("{verb}_{}", words.trim_start_matches('_')),
            tag,
            says: says.into(),
            role: Some(Role::Viewer),
            parameters: Vec::new(),
            body: None,
            answer: Answer::Json(json!({ "type": "object" })),
            status: "200",
            route,
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    fn get(&mut self, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        self.add(Method::Get, path, tag, says, route)
    }

    fn post<B: Described>(&mut self, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        let endpoint = self.add(Method::Post, path, tag, says, route);
        endpoint.body = Some(Wanted::Json(B::schema()));
        endpoint
    }

    fn post_bytes(&mut self, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        let endpoint = self.add(Method::Post, path, tag, says, route);
        endpoint.body = Some(Wanted::Bytes);
        endpoint
    }
}

impl Endpoint {
    fn by(&mut self, role: Option<Role>) -> &mut Self {
        self.role = role;
        self
    }

    fn with(&mut self, parameters: Vec<Value>) -> &mut Self {
        self.parameters = parameters;
        self
    }

    fn status(&mut self, status: &'static str) -> &mut Self {
        self.status = status;
        self
    }

    fn answers<A: Described>(&mut self) -> &mut Self {
        self.answer = Answer::Json(A::schema());
        self
    }

    fn gives(&mut self, answer: Answer) -> &mut Self {
        self.answer = answer;
        self
    }
}

/// All operations.
fn endpoints() -> Vec<Endpoint> {
    let mut list = List::default();
    case::list(&mut list);
    cases::list(&mut list);
    triage::list(&mut list);
    sql::list(&mut list);
    login::list(&mut list);
    monitor::list(&mut list);
    metrics::list(&mut list);
    for source in tables::sources() {
        let route = get(move |open: Open, pairs: Pairs| rows_of(source, open, pairs));
        let endpoint = list.get(&format!("/api/v1/{}", source.name), "tables", &source.doc, route);
        endpoint.with(document::columns(source)).gives(Answer::Json(document::page(source)));
    }
    list.0
}

/// The routes.
pub fn routes() -> Router<Shared> {
    let mut router = Router::new();
    for endpoint in endpoints() {
        let route = match endpoint.role {
            Some(role) => endpoint.route.route_layer(from_fn_with_state(role, gate)),
            None => endpoint.route,
        };
        router = router.route(&endpoint.path, route);
    }
    router
}

/// Lets pass whoever may.
async fn gate(State(role): State<Role>, Extension(visitor): Extension<Visitor>, request: Request, next: Next) -> Response {
    match visitor.must_be(role) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn rows_of(source: &'static tables::Source, Open(app): Open, Pairs(parameters): Pairs) -> Result<Json<tables::Page>, Problem> {
    let question = source.question(&parameters)?.of(&app);
    Ok(Json(app.desk.ask(move |conn| question.ask(conn)).await?))
}

/// The incident of that id.
pub fn incident<'a>(app: &'a App, id: &str) -> Result<&'a crate::model::report::Incident, Problem> {
    let found = app.report.incidents.iter().find(|incident| incident.id == id);
    found.ok_or_else(|| Problem::Nowhere(format!("there is no incident {:?}", crate::report::visible(id))))
}

/// Notes in the journal of the case what was done over this server.
pub async fn audit(app: &App, action: &'static str, detail: Value) -> Result<(), Problem> {
    let folder = app.folder.clone();
    let written = tokio::task::spawn_blocking(move || crate::pipeline::custody::record(&folder, action, detail)).await;
    written.map_err(|panic| Problem::Ours(panic.to_string()))?.map_err(|error| Problem::Ours(error.to_string()))?;
    Ok(())
}

/// The finding of that id.
pub fn finding<'a>(app: &'a App, id: &str) -> Result<&'a crate::model::Finding, Problem> {
    let found = app.report.findings.iter().find(|finding| finding.id == id);
    found.ok_or_else(|| Problem::Nowhere(format!("there is no finding {:?}", crate::report::visible(id))))
}
