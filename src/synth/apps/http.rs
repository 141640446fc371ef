//! HTTP/1.1 messages (RFC 9112).

use crate::model::Ts;
use crate::synth::Tcp;

/// A desktop browser.
pub const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A request; headers follow `Host`, in order.
pub fn request(method: &str, host: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    [(head + "\r\n").as_bytes(), body].concat()
}

/// A response with its length and the date of the capture.
pub fn response(now: Ts, status: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let date = chrono::DateTime::from_timestamp_nanos(now).format("%a, %d %b %Y %H:%M:%S GMT");
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nServer: nginx\r\nDate: {date}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: keep-alive\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

impl Tcp<'_> {
    /// A browser's GET and its answer.
    pub fn http_get(&mut self, host: &str, path: &str, status: &str, kind: &str, body: &[u8]) {
        let headers = [("User-Agent", BROWSER), ("Accept", "*/*"), ("Accept-Language", "en-GB,en;q=0.7")];
        self.http(&request("GET", host, path, &headers, &[]), status, kind, body);
    }

    /// Any request and its answer.
    pub fn http(&mut self, request: &[u8], status: &str, kind: &str, body: &[u8]) {
        self.send(request);
        let thinking = self.net.rng.between(2, 25);
        self.pause(thinking * 1_000_000);
        let answer = response(self.net.now, status, kind, body);
        self.reply(&answer);
    }
}

/// An HTML page of about `bytes`, the same text over and over.
pub fn page(title: &str, bytes: usize) -> Vec<u8> {
    let mut out = format!("<!doctype html>\n<html><head><title>{title}</title></head><body>\n");
    while out.len() < bytes {
        out += "<p>The quarterly figures are on the shared drive; the canteen opens at noon.</p>\n";
    }
    (out + "</body></html>\n").into_bytes()
}
