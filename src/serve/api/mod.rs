//! The API. Each operation is declared once, in [`endpoints`]: the routes, who may ask, and the OpenAPI document all follow from that list.

mod attack;
mod case;
pub mod document;
mod login;
mod metrics;
mod monitor;
mod sql;
pub mod tables;
mod triage;

pub use attack::{Cell as AttackCell, matrix};
pub use case::{host, names_host, triage_of};
pub use login::by_tls;
pub use triage::note;

use super::access::Visitor;
use super::access::users::Role;
use super::problem::Problem;
use super::{App, Shared};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::{Extension, Json, Router};
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{HttpMethod, Parameter};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// One operation.
pub struct Endpoint {
    method: HttpMethod,
    path: String,
    /// Name of the operation, for generated clients.
    id: String,
    tag: &'static str,
    says: String,
    /// The least role that may; `None` for whoever comes.
    role: Option<Role>,
    parameters: Vec<Parameter>,
    body: Option<RefOr<Schema>>,
    answer: Answer,
    route: MethodRouter<Shared>,
}

/// What an operation answers.
enum Answer {
    Json(RefOr<Schema>),
    Text(&'static str),
}

type Components = Vec<(String, RefOr<Schema>)>;

/// Gathers the operations and the schemas they name.
#[derive(Default)]
struct List {
    endpoints: Vec<Endpoint>,
    components: Components,
}

impl List {
    fn add(&mut self, method: HttpMethod, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        let verb = if method == HttpMethod::Post { "post" } else { "get" };
        let words = path.trim_start_matches("/api/v1/").trim_start_matches("/api/").replace(['{', '}'], "").replace(['/', '.'], "_");
        self.endpoints.push(Endpoint {
            method,
            path: path.into(),
            id: format!("{verb}_{}", words.trim_start_matches('_')),
            tag,
            says: says.into(),
            role: Some(Role::Viewer),
            parameters: Vec::new(),
            body: None,
            answer: Answer::Json(document::any("As described.")),
            route,
        });
        let last = self.endpoints.len() - 1;
        &mut self.endpoints[last]
    }

    fn get(&mut self, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        self.add(HttpMethod::Get, path, tag, says, route)
    }

    fn post<B: ToSchema>(&mut self, path: &str, tag: &'static str, says: &str, route: MethodRouter<Shared>) -> &mut Endpoint {
        let body = self.schema::<B>();
        let endpoint = self.add(HttpMethod::Post, path, tag, says, route);
        endpoint.body = Some(body);
        endpoint
    }

    /// The schema of a type, with all that it names.
    fn schema<T: ToSchema + PartialSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.components);
        self.components.push((T::name().into_owned(), T::schema()));
        document::reference(&T::name())
    }
}

impl Endpoint {
    fn by(&mut self, role: Option<Role>) -> &mut Self {
        self.role = role;
        self
    }

    fn with(&mut self, parameters: Vec<Parameter>) -> &mut Self {
        self.parameters = parameters;
        self
    }

    fn answers(&mut self, answer: Answer) -> &mut Self {
        self.answer = answer;
        self
    }
}

/// All operations.
fn endpoints() -> List {
    let mut list = List::default();
    case::list(&mut list);
    triage::list(&mut list);
    sql::list(&mut list);
    login::list(&mut list);
    monitor::list(&mut list);
    metrics::list(&mut list);
    for source in tables::sources() {
        let route = get(move |app: State<Shared>, query: Query<Vec<(String, String)>>| rows_of(source, app, query));
        let endpoint = list.get(&format!("/api/v1/{}", source.name), "tables", &source.doc, route);
        endpoint.with(document::columns(source)).answers(Answer::Json(document::page(source)));
    }
    list
}

/// The routes.
pub fn routes() -> Router<Shared> {
    let mut router = Router::new();
    for endpoint in endpoints().endpoints {
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

async fn rows_of(
    source: &'static tables::Source,
    State(app): State<Shared>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json<tables::Page>, Problem> {
    let question = source.question(&parameters)?;
    Ok(Json(app.desk.ask(move |conn| question.ask(conn)).await?))
}

/// A body of JSON; what is wrong with it is said as any other problem is.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == 413 => {
                Err(Problem::TooLarge("the body is too large".into()))
            }
            Err(rejection) => Err(Problem::Wrong(rejection.body_text())),
        }
    }
}

/// The finding of that id.
pub fn finding<'a>(app: &'a App, id: &str) -> Result<&'a crate::model::Finding, Problem> {
    let found = app.report.findings.iter().find(|finding| finding.id == id);
    found.ok_or_else(|| Problem::Nowhere(format!("there is no finding {:?}", crate::report::visible(id))))
}
