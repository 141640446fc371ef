//! How requests are read and answers written: JSON, forms, what stands behind the question mark. What is wrong with a request is said as any
//! other problem is.

use super::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error as Misread, MapDeserializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Whether the connection is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct OverTls(pub bool);

/// An answer as JSON.
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(error) => Problem::Ours(error.to_string()).into_response(),
        }
    }
}

/// A body of JSON.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Browsers send JSON across sites only after asking, which is refused; a plain form must not pass for it.
        if !is_kind(request.headers(), "application/json") {
            return Err(Problem::Wrong("the body is to be JSON, with the header Content-Type: application/json".into()));
        }
        let bytes = whole(request, state).await?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| Problem::Wrong(format!("the body is not as it should be: {error}")))
    }
}

/// A body that a form sent.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_kind(request.headers(), "application/x-www-form-urlencoded") {
            return Err(Problem::Wrong("the body is to be that of a form".into()));
        }
        let bytes = whole(request, state).await?;
        fields(pairs(&bytes)).map(Self)
    }
}

/// What stands behind the question mark, in order.
pub struct Pairs(pub Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(pairs(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// The same as fields, all of them text.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Pairs(pairs) = Pairs::from_request_parts(parts, state).await?;
        fields(pairs).map(Self)
    }
}

async fn whole<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::TooLarge("the body is too large".into()),
        _ => Problem::Wrong("the body broke off".into()),
    })
}

fn is_kind(headers: &HeaderMap, kind: &str) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(kind))
}

/// Of a field that is named twice the last counts.
fn fields<T: DeserializeOwned>(pairs: Vec<(String, String)>) -> Result<T, Problem> {
    let fields: BTreeMap<String, String> = pairs.into_iter().collect();
    let read: Result<T, Misread> = T::deserialize(MapDeserializer::new(fields.into_iter()));
    read.map_err(|error| Problem::Wrong(format!("a field is not as it should be: {error}")))
}

/// `name=value&…` as browsers write it.
fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let parts = bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
            let (name, value) = part.split_at(at);
            (decoded(name), decoded(value.get(1..).unwrap_or_default()))
        })
        .collect()
}

/// A part of a path as text, if it is text.
pub fn decoded_text(part: &str) -> Option<String> {
    // A plus is a plus in a path.
    let plain = decoded(part.replace('+', "%2B").as_bytes());
    (!plain.contains(['\u{fffd}', '\0'])).then_some(plain)
}

/// Text with `+` and `%41` read; what is not UTF-8 becomes the mark for that.
fn decoded(bytes: &[u8]) -> String {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let coded = after.first_chunk::<2>().and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match (first, coded) {
            (b'%', Some(byte)) => {
                plain.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                plain.push(b' ');
                rest = after;
            }
            _ => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn what_browsers_write_is_read_back() {
        let read = pairs(b"q=a+b%20c&x=%C3%BC%26&empty=&bare&&bad=%zz%4&utf=%ff");
        let wanted = [("q", "a b c"), ("x", "ü&"), ("empty", ""), ("bare", ""), ("bad", "%zz%4"), ("utf", "\u{fffd}")];
        assert_eq!(read, wanted.map(|(name, value)| (name.to_string(), value.to_string())));
    }

    #[test]
    fn fields_are_filled_and_the_last_of_a_name_counts() {
        #[derive(Deserialize, Default, PartialEq, Debug)]
        #[serde(default)]
        struct Wanted {
            q: String,
            side: String,
        }
        let read: Wanted = fields(pairs(b"q=1&q=2&unknown=x")).unwrap();
        assert_eq!(read, Wanted { q: "2".into(), side: String::new() });
        #[derive(Deserialize, Debug)]
        struct Needs {
            #[expect(dead_code, reason = "it is only missing")]
            verb: crate::serve::triage::Verb,
        }
        assert!(matches!(fields::<Needs>(pairs(b"verb=explode")), Err(Problem::Wrong(_))));
        assert!(matches!(fields::<Needs>(pairs(b"")), Err(Problem::Wrong(_))));
        assert!(fields::<Needs>(pairs(b"verb=archive")).is_ok());
    }
}
