//! What happens while pages are open: sent to all who listen, as server-sent events.

use super::problem::Problem;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, mpsc};

/// Events that a slow listener may be behind; beyond, it misses the oldest and is told so.
const BEHIND: usize = 256;
/// Listeners at once.
const LISTENERS: usize = 64;
/// A line without meaning is sent this often, so that both sides notice when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Item {
    /// What kind of thing: the name of the event.
    pub kind: &'static str,
    /// The case that it is about; `None` for the server itself.
    pub case: Option<String>,
    /// What there is to say.
    pub data: Value,
}

/// Tells what happens.
pub struct News {
    send: broadcast::Sender<Arc<Item>>,
    places: Arc<Semaphore>,
}

impl Default for News {
    fn default() -> Self {
        Self { send: broadcast::channel(BEHIND).0, places: Arc::new(Semaphore::new(LISTENERS)) }
    }
}

impl News {
    /// Tells all who listen.
    pub fn tell(&self, kind: &'static str, case: Option<&str>, data: Value) {
        // Nobody listening is no error.
        let _ = self.send.send(Arc::new(Item { kind, case: case.map(str::to_string), data }));
    }

    /// Everything that happens from now on to this case and to the server, `first` before.
    pub fn listen(&self, case: Option<String>, first: Vec<Item>) -> Result<Response, Problem> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| Problem::Busy)?;
        let mut news = self.send.subscribe();
        let (send, receive) = mpsc::channel(16);
        tokio::spawn(async move {
            let _place = place;
            for item in first {
                if send.send(written(&item)).await.is_err() {
                    return;
                }
            }
            let mut heartbeat = tokio::time::interval(HEARTBEAT);
            loop {
                let line = tokio::select! {
                    _ = heartbeat.tick() => Bytes::from_static(b": here\n\n"),
                    item = news.recv() => match item {
                        Ok(item) if item.case.is_none() || item.case == case => written(&item),
                        Ok(_) => continue,
                        Err(broadcast::error::RecvError::Lagged(missed)) => {
                            written(&Item { kind: "missed", case: None, data: serde_json::json!({ "events": missed }) })
                        }
                        Err(broadcast::error::RecvError::Closed) => return,
                    },
                };
                if send.send(line).await.is_err() {
                    return;
                }
            }
        });
        Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::new(Stream(receive))).into_response())
    }
}

/// One event. JSON has no line breaks, so it is one line of data.
fn written(item: &Item) -> Bytes {
    format!("event: {}\ndata: {}\n\n", item.kind, item.data).into()
}

struct Stream(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_of_data_whatever_it_holds() {
        let item = Item { kind: "finding", case: None, data: serde_json::json!({ "says": "a\nevent: forged\n\n" }) };
        assert_eq!(written(&item), Bytes::from_static(b"event: finding\ndata: {\"says\":\"a\\nevent: forged\\n\\n\"}\n\n"));
    }
}
