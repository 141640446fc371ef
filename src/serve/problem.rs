//! Why a request is not answered as asked: a status, and a sentence that names the thing and the cure.

use crate::store::StoreError;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal or a failure.
#[derive(Debug)]
pub enum Problem {
    /// The request makes no sense.
    Wrong(String),
    /// Nobody is logged in.
    Anonymous,
    /// Whoever is logged in may not.
    Forbidden(String),
    /// There is no such thing.
    Nowhere(String),
    /// The path is there, the method is not.
    NoMethod,
    /// More than the server takes.
    TooLarge(String),
    /// Too many attempts; seconds to wait.
    TooMany(u64),
    /// All places are taken.
    Busy,
    /// A segment of a live case was sealed or deleted since the case was looked at.
    Turning,
    /// It took too long and was ended.
    Late(String),
    /// vigil's own fault. What happened is said on standard error, not to the asker.
    Ours(String),
}

impl Problem {
    /// The status of HTTP.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Anonymous => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Nowhere(_) => StatusCode::NOT_FOUND,
            Self::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) | Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Turning => StatusCode::SERVICE_UNAVAILABLE,
            Self::Late(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Ours(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// To programs as JSON, to people as a page.
    pub fn told(self, path: &str) -> Response {
        if path.starts_with("/api/") || path == "/metrics" { self.into_response() } else { super::pages::refused(self) }
    }

    /// The sentence.
    pub fn says(&self) -> String {
        match self {
            Self::Wrong(says) | Self::Forbidden(says) | Self::Nowhere(says) | Self::TooLarge(says) | Self::Late(says) => says.clone(),
            Self::Anonymous => "a login is needed: POST /api/login, or send an API key as `Authorization: Bearer KEY`".into(),
            Self::NoMethod => "this path is not asked by that method; /api/v1/openapi.json lists what is".into(),
            Self::TooMany(seconds) => format!("too many attempts; try again in {seconds} s"),
            Self::Busy => "too many requests at once; try again in a moment".into(),
            Self::Turning => "the capture has just turned to a new segment; ask again in a second".into(),
            Self::Ours(_) => "vigil failed to answer; its standard error says why".into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Ours(why) = &self {
            eprintln!("vigil: {}", crate::report::visible(why));
        }
        let status = self.status();
        let mut response = (status, super::exchange::Json(json!({ "error": self.says(), "status": status.as_u16() }))).into_response();
        let wait = match self {
            Self::TooMany(seconds) => Some(seconds),
            Self::Busy | Self::Turning => Some(1),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.to_string())
    }
}

impl From<duckdb::Error> for Problem {
    fn from(error: duckdb::Error) -> Self {
        let said = error.to_string();
        match said {
            _ if said.contains("seg_") && (said.contains("does not exist") || said.contains("was not attached")) => Self::Turning,
            _ if said.contains("INTERRUPT") => Self::Late("the question took too long and was ended; narrow it with filters".into()),
            _ if said.starts_with("Catalog Error") => {
                Self::Nowhere("this case has no such table: an older vigil wrote it. Analyse the evidence again".into())
            }
            _ => Self::Ours(said),
        }
    }
}

/// What stands behind no path.
pub async fn nowhere() -> Problem {
    Problem::Nowhere("there is nothing at this path; /api/v1/openapi.json lists what there is".into())
}

/// A path that is there, asked in a way that is not.
pub async fn no_method() -> Problem {
    Problem::NoMethod
}
