//! From flows and events to the rows of their tables.

use super::case::put;
use super::schema::anomaly;
use super::schema::events::{self, EventRow, Login};
use super::schema::flows::{FlowRow, has_payload};
use super::{Result, column::Columns};
use crate::model::anomaly::{Frag, TcpAnomaly};
use crate::model::event::{AppEvent, ArpMessage, Credential, Dns, Event, File, Ftp, Http, IcmpMessage, Ssh, Tls, Weird, X509};
use crate::model::{Flow, HomeNets};
use duckdb::Connection;
use ring::digest;

/// Flows with their locality.
pub struct FlowRows<'a> {
    /// One row per flow.
    pub all: Vec<FlowRow<'a>>,
    flows: &'a [Flow],
    home: &'a HomeNets,
}

impl<'a> FlowRows<'a> {
    /// Of these flows.
    pub fn new(flows: &'a [Flow], home: &'a HomeNets) -> Self {
        Self { all: flows.iter().map(|flow| FlowRow::new(flow, home)).collect(), flows, home }
    }

    /// Only those of which payload was kept.
    pub fn with_payload(&self) -> Vec<FlowRow<'a>> {
        self.flows.iter().filter(|flow| has_payload(flow)).map(|flow| FlowRow::new(flow, self.home)).collect()
    }
}

/// Events by table, each in the order in which they came.
#[derive(Default)]
pub struct EventRows<'a> {
    dns: Vec<EventRow<'a, Dns>>,
    http: Vec<EventRow<'a, Http>>,
    tls: Vec<EventRow<'a, Tls>>,
    x509: Vec<EventRow<'a, X509>>,
    ssh: Vec<EventRow<'a, Ssh>>,
    ftp: Vec<EventRow<'a, Ftp>>,
    files: Vec<EventRow<'a, File>>,
    logins: Vec<(&'a AppEvent, Login<'a>)>,
    icmp: Vec<EventRow<'a, IcmpMessage>>,
    arp: Vec<EventRow<'a, ArpMessage>>,
    weird: Vec<EventRow<'a, Weird>>,
    tcp_anomaly: Vec<EventRow<'a, TcpAnomaly>>,
    frag: Vec<EventRow<'a, Frag>>,
}

impl<'a> EventRows<'a> {
    /// Of these events.
    pub fn new(found: &'a [AppEvent], salt: &[u8; 16], reveal: bool) -> Self {
        let mut rows = Self::default();
        for at in found {
            match &at.event {
                Event::Dns(is) => rows.dns.push(EventRow { at, is }),
                Event::Http(is) => rows.http.push(EventRow { at, is }),
                Event::Tls(is) => rows.tls.push(EventRow { at, is }),
                Event::X509(is) => rows.x509.push(EventRow { at, is }),
                Event::Ssh(is) => rows.ssh.push(EventRow { at, is }),
                Event::Ftp(is) => rows.ftp.push(EventRow { at, is }),
                Event::File(is) => rows.files.push(EventRow { at, is }),
                Event::Credential(seen) => rows.logins.push((at, login(seen, salt, reveal))),
                Event::Icmp(is) => rows.icmp.push(EventRow { at, is }),
                Event::Arp(is) => rows.arp.push(EventRow { at, is }),
                Event::Weird(is) => rows.weird.push(EventRow { at, is }),
                Event::TcpAnomaly(is) => rows.tcp_anomaly.push(EventRow { at, is }),
                Event::Frag(is) => rows.frag.push(EventRow { at, is }),
            }
        }
        rows
    }

    /// Appends all of them.
    pub fn put(&self, conn: &Connection) -> Result<()> {
        let logins: Vec<EventRow<'_, Login<'_>>> = self.logins.iter().map(|(at, is)| EventRow { at, is }).collect();
        some(conn, "dns", events::dns, &self.dns)?;
        some(conn, "http", events::http, &self.http)?;
        some(conn, "tls", events::tls, &self.tls)?;
        some(conn, "x509", events::x509, &self.x509)?;
        some(conn, "ssh", events::ssh, &self.ssh)?;
        some(conn, "ftp", events::ftp, &self.ftp)?;
        some(conn, "files", events::files, &self.files)?;
        some(conn, "credentials", events::credentials, &logins)?;
        some(conn, "icmp", events::icmp, &self.icmp)?;
        some(conn, "arp", events::arp, &self.arp)?;
        some(conn, "weird", events::weird, &self.weird)?;
        some(conn, "tcp_anomaly", anomaly::tcp_anomaly, &self.tcp_anomaly)?;
        some(conn, "frag", anomaly::frag, &self.frag)
    }
}

fn some<R: Sync>(conn: &Connection, table: &'static str, columns: impl Fn() -> Columns<R>, rows: &[R]) -> Result<()> {
    if rows.is_empty() { Ok(()) } else { put(conn, table, &columns(), rows) }
}

fn login<'a>(seen: &'a Credential, salt: &[u8; 16], reveal: bool) -> Login<'a> {
    let secret = (!seen.secret.is_empty()).then_some(seen.secret.as_str());
    Login { seen, secret_sha: secret.map(|secret| salted(salt, secret)), revealed: secret.filter(|_| reveal) }
}

fn salted(salt: &[u8; 16], secret: &str) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(salt);
    hash.update(secret.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}
