//! Services that keep a network running: time, management, messages, access.

use crate::model::Ts;
use std::net::IpAddr;

/// An NTP message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ntp {
    /// Version.
    pub version: u8,
    /// 1 symmetric active, 2 passive, 3 client, 4 server, 5 broadcast, 6 control, 7 private.
    pub mode: u8,
    /// Distance from a reference clock.
    pub stratum: Option<u8>,
    /// Seconds between messages.
    pub poll: Option<f64>,
    /// Precision of the clock, seconds.
    pub precision: Option<f64>,
    /// Round trip to the reference clock, seconds.
    pub root_delay: Option<f64>,
    /// Dispersion to it, seconds.
    pub root_disp: Option<f64>,
    /// Reference clock: a word, or an address.
    pub ref_id: Option<String>,
    /// Clock last set.
    pub ref_time: Option<Ts>,
    /// Request sent (the client's clock).
    pub org_time: Option<Ts>,
    /// Request received.
    pub rec_time: Option<Ts>,
    /// This message sent.
    pub xmt_time: Option<Ts>,
    /// Extension fields.
    pub num_exts: Option<u8>,
    /// Operation of a control message (2 read variables, 3 write …).
    pub control_op: Option<u8>,
    /// Request code of a private message (42 is `monlist`).
    pub req_code: Option<u8>,
    /// A control or private message is an answer.
    pub is_response: bool,
    /// Bytes of the message.
    pub bytes: u32,
}

/// An SNMP session: all messages of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snmp {
    /// Seconds from the first message to the last.
    pub duration: f64,
    /// `1`, `2c`, `3`.
    pub version: &'static str,
    /// First community (versions 1 and 2c).
    pub community: Option<String>,
    /// Variables of Get and GetNext requests.
    pub get_requests: u64,
    /// Variables of GetBulk requests.
    pub get_bulk_requests: u64,
    /// Variables of responses.
    pub get_responses: u64,
    /// Variables of Set requests.
    pub set_requests: u64,
    /// The agent's description of its system.
    pub display_string: Option<String>,
    /// Since when the agent says it runs.
    pub up_since: Option<Ts>,
    /// Distinct communities, in order, at most 32.
    pub communities: Vec<String>,
    /// Distinct users (version 3), in order, at most 32.
    pub usernames: Vec<String>,
    /// Distinct objects asked for, in order, at most 32.
    pub oids: Vec<String>,
    /// Distinct objects that were to be set, in order, at most 32.
    pub set_oids: Vec<String>,
    /// Messages whose content is encrypted.
    pub encrypted: u64,
    /// Responses that report an error.
    pub errors: u64,
}

/// A syslog message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Syslog {
    /// `AUTH`, `LOCAL0` …
    pub facility: &'static str,
    /// `EMERG` to `DEBUG`.
    pub severity: &'static str,
    /// What follows the priority, at most 4,096 bytes.
    pub message: String,
}

/// A RADIUS login: a request with its challenges up to the verdict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Radius {
    /// User.
    pub username: Option<String>,
    /// Hardware address of the user's machine.
    pub mac: Option<String>,
    /// Address given to the user.
    pub framed_addr: Option<IpAddr>,
    /// Far end of a tunnel.
    pub tunnel_client: Option<String>,
    /// Kind of connection.
    pub connect_info: Option<String>,
    /// What the server says to the user.
    pub reply_msg: Option<String>,
    /// `success`, `failed`, `unknown`.
    pub result: Option<&'static str>,
    /// Seconds from the first request to the verdict.
    pub ttl: Option<f64>,
    /// `pap`, `chap`, `mschap`, `eap`: how the user proves himself.
    pub method: Option<&'static str>,
    /// Access server: address.
    pub nas_addr: Option<IpAddr>,
    /// Access server: name.
    pub nas_id: Option<String>,
    /// What the user called: often an SSID.
    pub called_station: Option<String>,
    /// Frame of the verdict.
    pub reply_frame: Option<u64>,
}

/// A MySQL command with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mysql {
    /// `login`, `query`, `quit` …
    pub cmd: String,
    /// User of a login, text of a query.
    pub arg: String,
    /// What the server said.
    pub success: Option<bool>,
    /// Rows changed.
    pub rows: Option<u64>,
    /// Error in the server's words.
    pub response: Option<String>,
    /// Error number.
    pub error_code: Option<u16>,
    /// Version of the server.
    pub server_version: Option<String>,
    /// User of the session.
    pub user: Option<String>,
    /// Frame of the answer.
    pub reply_frame: Option<u64>,
}

/// A source of media that SIP announced: as its packets show it, or as control messages tell of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rtp {
    /// `rtp`: counted; `rtcp`: told.
    pub kind: &'static str,
    /// The originator of the flow sent it: the media, or what is told.
    pub is_orig: bool,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Payload type of its first packet.
    pub payload_type: Option<u8>,
    /// Its name, of fixed types (RFC 3551).
    pub codec: Option<&'static str>,
    /// Packets seen; packets sent, as the sender tells.
    pub packets: Option<u64>,
    /// Packets lost (RFC 3550 A.3); negative where some came twice.
    pub lost: Option<i64>,
    /// Packets that others had overtaken.
    pub late: Option<u64>,
    /// Interarrival jitter (RFC 3550 A.8) at the end, seconds; `None` where the clock is unknown.
    pub jitter: Option<f64>,
    /// The same in units of the clock, as control messages tell it.
    pub jitter_units: Option<u32>,
    /// Its name in control messages.
    pub cname: Option<String>,
    /// Seconds from first to last.
    pub duration: f64,
}

/// A SIP request with one answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sip {
    /// Position in the flow (always 0, as Zeek counts).
    pub trans_depth: u32,
    /// `INVITE`, `REGISTER` …
    pub method: Option<String>,
    /// Target.
    pub uri: Option<String>,
    /// `Date`.
    pub date: Option<String>,
    /// `From` of the request, without tag.
    pub request_from: Option<String>,
    /// `To` of the request.
    pub request_to: Option<String>,
    /// `From` of the response, without tag.
    pub response_from: Option<String>,
    /// `To` of the response.
    pub response_to: Option<String>,
    /// `Reply-To`.
    pub reply_to: Option<String>,
    /// `Call-ID`.
    pub call_id: Option<String>,
    /// `CSeq`.
    pub seq: Option<String>,
    /// `Subject`.
    pub subject: Option<String>,
    /// `Via` of the request, repetitions included.
    pub request_path: Vec<String>,
    /// `Via` of the responses.
    pub response_path: Vec<String>,
    /// `User-Agent` of the client.
    pub user_agent: Option<String>,
    /// Status.
    pub status_code: Option<u16>,
    /// Reason phrase.
    pub status_msg: Option<String>,
    /// `Warning`.
    pub warning: Option<String>,
    /// `Content-Length` of the request.
    pub request_body_len: Option<u64>,
    /// `Content-Length` of the response.
    pub response_body_len: Option<u64>,
    /// `Content-Type` of the response.
    pub content_type: Option<String>,
    /// User of the request's authorization.
    pub auth_user: Option<String>,
    /// `Server` of the response.
    pub server: Option<String>,
    /// Frame of the response.
    pub reply_frame: Option<u64>,
}
