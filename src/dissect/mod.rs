//! Payload bytes of one direction → application events. Protocols are recognised by content, never by port alone.
//!
//! To add a protocol: one file here with a [`Protocol`] constant, one line in [`PROTOCOLS`].
//! A [`Conversation`] belongs to one flow: it asks every protocol about the first bytes, and hands the flow to the one that is sure.

use crate::model::event::{File, Weird};
use crate::model::{AppEvent, Conn, Dir, Event, Proto, Ts};

pub mod arp;
mod bacnet;
mod ber;
pub mod catalogue;
mod conversation;
mod dce_rpc;
pub mod dhcp;
mod dhcpv6;
mod dnp3;
mod dns;
mod enip;
pub mod expect;
mod files;
mod ftp;
mod greetings;
pub mod gssapi;
mod http;
pub mod icmp;
mod iec104;
pub mod igmp;
mod ike;
mod irc;
mod kerberos;
mod ldap;
pub mod le;
pub mod link_control;
mod login;
mod mail;
mod messages;
mod modbus;
mod mongodb;
mod mqtt;
mod mysql;
pub mod ndp;
pub mod ntlm;
mod ntp;
mod opcua;
mod postgresql;
mod quic;
mod radius;
pub mod ranges;
mod rdp;
mod redis;
mod rfb;
mod rpc;
mod rtp;
mod s7comm;
mod sdp;
mod setting;
mod signatures;
mod sip;
mod smb;
mod snmp;
mod socks;
mod ssh;
mod stun;
mod syslog;
mod tds;
mod tftp;
mod tls;
mod transfer;
pub mod transfers;
mod x509;

#[cfg(test)]
mod reality;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod testing;

pub use conversation::Conversation;
pub use files::keep_contents;
pub use setting::{Level, Setting};

/// All protocols with a dissector, most telling signature first.
pub const PROTOCOLS: &[Protocol] = &[
    tls::PROTOCOL,
    tls::dtls::PROTOCOL,
    http::PROTOCOL,
    http::v2::PROTOCOL,
    smb::PROTOCOL,
    dce_rpc::PROTOCOL,
    ssh::SSH,
    ftp::FTP,
    login::telnet::TELNET,
    login::rlogin::RLOGIN,
    mail::smtp::SMTP,
    mail::imap::IMAP,
    redis::PROTOCOL,
    postgresql::PROTOCOL,
    mqtt::PROTOCOL,
    s7comm::PROTOCOL,
    dnp3::TCP,
    iec104::PROTOCOL,
    enip::PROTOCOL,
    opcua::PROTOCOL,
    tds::PROTOCOL,
    mongodb::PROTOCOL,
    rpc::PROTOCOL,
    modbus::PROTOCOL,
    mail::pop3::POP3,
    irc::IRC,
    kerberos::TCP,
    ldap::TCP,
    rdp::PROTOCOL,
    rfb::PROTOCOL,
    mysql::PROTOCOL,
    sip::PROTOCOL,
    socks::PROTOCOL,
    greetings::AMQP,
    greetings::BITTORRENT,
    greetings::STRATUM,
    greetings::MEMCACHED,
    syslog::TCP,
    quic::PROTOCOL,
    kerberos::UDP,
    ldap::UDP,
    ntp::PROTOCOL,
    snmp::PROTOCOL,
    radius::PROTOCOL,
    syslog::UDP,
    tftp::REQUEST,
    dhcp::PROTOCOL,
    dhcpv6::PROTOCOL,
    stun::PROTOCOL,
    greetings::DHT,
    greetings::WIREGUARD,
    ike::PROTOCOL,
    dnp3::UDP,
    bacnet::PROTOCOL,
    dns::PROTOCOL,
];

/// How a protocol is recognised and read.
pub struct Protocol {
    /// Zeek's service name: `dns`, `http`, `ssl` …
    pub name: &'static str,
    /// Transports it runs over.
    pub over: &'static [Proto],
    /// Looks at the first bytes of one direction.
    pub probe: fn(&Probe<'_>) -> Answer,
    /// Starts reading.
    pub make: fn(&Conn) -> Box<dyn Dissector>,
}

/// The first bytes of one direction of a flow (streams: all so far; datagrams: this one).
pub struct Probe<'a> {
    /// Transport.
    pub proto: Proto,
    /// Who sent them.
    pub dir: Dir,
    /// The bytes.
    pub bytes: &'a [u8],
    /// More followed in the same frame, which the capturing program cut off.
    pub cut: bool,
    /// Originator's port: a hint, never a proof.
    pub orig_p: u16,
    /// Responder's port: a hint, never a proof.
    pub resp_p: u16,
}

/// Three honest answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// This is mine.
    Certain,
    /// Could be: show me more.
    Unsure,
    /// It cannot be mine.
    NotForUs,
}

/// Bytes handed to a dissector: the next of a stream, in order, or one datagram.
#[derive(Clone, Copy)]
pub struct Chunk<'a> {
    /// Who sent them.
    pub dir: Dir,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Bytes of this datagram or segment that the capture cut off.
    pub cut: u32,
    /// Frame they came in.
    pub frame: u64,
    /// Its time.
    pub ts_ns: Ts,
}

/// Reads one flow in one protocol. Never panics, never keeps more than a bounded amount, says nothing twice.
pub trait Dissector: Send {
    /// Takes the next bytes.
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out);
    /// `missing` bytes of `dir` are lost; what follows starts somewhere in the middle.
    fn gap(&mut self, _dir: Dir, _missing: u64, _out: &mut Out) {}
    /// `dir` has sent its last byte (FIN).
    fn fin(&mut self, _dir: Dir, _out: &mut Out) {}
    /// The flow is over: say what is still half-known.
    fn end(&mut self, _out: &mut Out) {}
    /// Whether the bytes really were this protocol: then the flow's `service` says so.
    fn confirmed(&self) -> bool;
    /// What the flow's `service` says then: more than the protocol's own name where it carries another (`quic,ssl`).
    fn service(&self, name: &'static str) -> &'static str {
        name
    }
    /// Told before anything else: beneath what this stands, and what is known for it.
    fn settle(&mut self, _setting: &Setting) {}
    /// This protocol is over, and the flow goes on as something else, likely TLS: after STARTTLS, in a tunnel.
    fn hands_over(&self) -> bool {
        false
    }
    /// `false` once nothing more of `dir` is needed: its bytes are then only counted.
    fn wants(&self, _dir: Dir) -> bool {
        true
    }
}

/// Where dissectors put what they understood.
pub struct Out {
    /// The flow.
    pub conn: Conn,
    /// Events so far, in order.
    pub events: Vec<AppEvent>,
    /// Files of this flow so far: their names go on from here.
    pub files: u32,
    /// Beneath what this is said.
    pub level: Level,
}

impl Out {
    /// For one flow.
    pub fn new(conn: Conn) -> Self {
        Self { conn, events: Vec::new(), files: 0, level: Level::default() }
    }

    /// Adds an event of this flow.
    pub fn say(&mut self, frame: u64, ts_ns: Ts, mut event: Event) {
        if self.level.is_decrypted() {
            match &mut event {
                Event::Http(row) => row.decrypted = true,
                Event::File(file) => file.decrypted = true,
                // Nobody on the way could read it.
                Event::Credential(login) => login.cleartext = false,
                _ => {}
            }
        }
        self.events.push(AppEvent { conn: Some(self.conn), frame, ts_ns, event });
    }

    /// Adds a file of this flow, under a name that comes back.
    pub fn file(&mut self, frame: u64, ts_ns: Ts, mut file: File) -> String {
        let fuid = self.fuid();
        file.fuid.clone_from(&fuid);
        self.say(frame, ts_ns, Event::File(Box::new(file)));
        fuid
    }

    /// A name for the next file.
    pub fn fuid(&mut self) -> String {
        self.files += 1;
        format!("F{}-{}{}", self.conn.flow.0, self.level.tag(), self.files)
    }

    /// Notes an oddity. Each name is kept once per call site and flow by the dissector; the flow folds repetitions.
    pub fn weird(&mut self, chunk: &Chunk<'_>, source: &'static str, name: &str, addl: String) {
        self.say(chunk.frame, chunk.ts_ns, Event::Weird(Box::new(Weird { name: name.into(), addl, source, count: 1 })));
    }
}

/// Bytes as text: printable ASCII kept, everything else `\xNN` as Zeek escapes, a backslash doubled. At most `cap` bytes are read.
pub fn escape(bytes: &[u8], cap: usize) -> String {
    let mut text = String::with_capacity(bytes.len().min(cap));
    for &byte in &bytes[..bytes.len().min(cap)] {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                text.push_str("\\x");
                text.push(char::from(HEX[usize::from(byte >> 4)]));
                text.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    text
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Shannon entropy, bits per byte; `None` for nothing.
pub fn entropy(bytes: &[u8]) -> Option<f64> {
    if bytes.is_empty() {
        return None;
    }
    let mut counts = [0u32; 256];
    for &byte in bytes {
        counts[usize::from(byte)] += 1;
    }
    let total = bytes.len() as f64;
    Some(counts.iter().filter(|&&n| n > 0).map(|&n| f64::from(n) / total).map(|p| -p * p.log2()).sum())
}
