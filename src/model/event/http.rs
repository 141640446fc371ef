//! The web: HTTP and what it is upgraded to.

/// One HTTP request with its response, or either alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Http {
    /// Position in the connection, from 1.
    pub trans_depth: u32,
    /// Request method.
    pub method: Option<String>,
    /// `Host` header as sent, with its port if it names one (as Zeek logs it).
    pub host: Option<String>,
    /// Request target, percent-decoded (as Zeek logs it), `\xNN` where that is not printable.
    pub uri: Option<String>,
    /// `Referer`.
    pub referrer: Option<String>,
    /// Version of the response: `1.0`, `1.1`, `0.9` for one without a head.
    pub version: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// Body bytes of the request.
    pub request_body_len: u64,
    /// Body bytes of the response, chunking and gzip or deflate undone (as Zeek counts).
    pub response_body_len: u64,
    /// Status.
    pub status_code: Option<u16>,
    /// Reason phrase.
    pub status_msg: Option<String>,
    /// Last 1xx status.
    pub info_code: Option<u16>,
    /// Its phrase.
    pub info_msg: Option<String>,
    /// User of Basic or Digest authorization.
    pub username: Option<String>,
    /// Scheme of `Authorization` or `Proxy-Authorization`, lower case.
    pub authorization_scheme: Option<String>,
    /// Headers that say a proxy passed it: `X-FORWARDED-FOR -> 10.0.0.1`.
    pub proxied: Vec<String>,
    /// Request header names in order, upper case.
    pub client_header_names: Vec<String>,
    /// All request header values of interest to signatures (everything but cookies and authorization), joined by newlines, capped at 4,096 bytes.
    pub request_headers: Option<String>,
    /// `Server`.
    pub server: Option<String>,
    /// `Content-Type` of the request.
    pub request_content_type: Option<String>,
    /// `Content-Type` of the response.
    pub content_type: Option<String>,
    /// File name of a `Content-Disposition` of the response.
    pub filename: Option<String>,
    /// A cookie was sent.
    pub cookie_present: bool,
    /// First 4,096 bytes of the request body, text with `\xNN` escapes; passwords in forms masked.
    pub body_prefix_req: Option<String>,
    /// First 1,024 bytes of the response body, likewise.
    pub body_prefix_resp: Option<String>,
    /// MIME type of the request body by content.
    pub orig_mime: Option<String>,
    /// MIME type of the response body by content.
    pub resp_mime: Option<String>,
    /// Seconds from the end of the request to the response's status line.
    pub latency: Option<f64>,
    /// Both messages were seen whole.
    pub complete: bool,
    /// Frame of the response's status line.
    pub resp_frame: Option<u64>,
    /// It stood in TLS that was read with known keys.
    pub decrypted: bool,
}

/// The handshake of a WebSocket (RFC 6455).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Websocket {
    /// `Host` of the request.
    pub host: Option<String>,
    /// Target of the request.
    pub uri: Option<String>,
    /// `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// Protocol that the server chose.
    pub subprotocol: Option<String>,
    /// Protocols that the client offered.
    pub client_protocols: Vec<String>,
    /// Extensions that the server chose.
    pub server_extensions: Vec<String>,
    /// Extensions that the client offered.
    pub client_extensions: Vec<String>,
}
