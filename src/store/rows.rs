//! From flows and events to the rows of their tables.

use super::case::put;
use super::schema::anomaly;
use super::schema::events::{self, EventRow, Login};
use super::schema::flows::{FlowRow, has_payload};
use super::schema::windows;
use super::{Result, column::Columns};
use crate::model::anomaly::{Frag, TcpAnomaly};
use crate::model::event::{
    AppEvent, ArpMessage, Credential, Dhcp, Dns, Event, File, Ftp, Http, IcmpMessage, Imap, Irc, Kerberos, Ldap, LdapSearch, Mysql, Ntp,
    Pop3, Quic, Radius, Rdp, Rfb, Rtp, Sip, Smtp, Snmp, Socks, Ssh, Syslog, Telnet, Tftp, Tls, Tunnel, Websocket, Weird, X509,
};
use crate::model::event::{
    Bacnet, Cip, CipIdentity, Dhcpv6, Dnp3, Enip, Greeting, Iec104, Igmp, Ike, Modbus, Mongodb, MqttConnect, MqttPublish, MqttSubscribe,
    Ndp, Neighbor, Nfs, Opcua, Postgresql, Redis, Rpc, S7comm, Stp, Stun, Tds,
};
use crate::model::windows::{DceRpc, Ntlm, SmbCmd, SmbFile, SmbMapping};
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
    websocket: Vec<EventRow<'a, Websocket>>,
    tls: Vec<EventRow<'a, Tls>>,
    quic: Vec<EventRow<'a, Quic>>,
    kerberos: Vec<EventRow<'a, Kerberos>>,
    ldap: Vec<EventRow<'a, Ldap>>,
    ldap_search: Vec<EventRow<'a, LdapSearch>>,
    rdp: Vec<EventRow<'a, Rdp>>,
    ntp: Vec<EventRow<'a, Ntp>>,
    snmp: Vec<EventRow<'a, Snmp>>,
    rtp: Vec<EventRow<'a, Rtp>>,
    sip: Vec<EventRow<'a, Sip>>,
    syslog: Vec<EventRow<'a, Syslog>>,
    radius: Vec<EventRow<'a, Radius>>,
    mysql: Vec<EventRow<'a, Mysql>>,
    socks: Vec<EventRow<'a, Socks>>,
    rfb: Vec<EventRow<'a, Rfb>>,
    x509: Vec<EventRow<'a, X509>>,
    ssh: Vec<EventRow<'a, Ssh>>,
    ftp: Vec<EventRow<'a, Ftp>>,
    smtp: Vec<EventRow<'a, Smtp>>,
    pop3: Vec<EventRow<'a, Pop3>>,
    imap: Vec<EventRow<'a, Imap>>,
    irc: Vec<EventRow<'a, Irc>>,
    tftp: Vec<EventRow<'a, Tftp>>,
    telnet: Vec<EventRow<'a, Telnet>>,
    files: Vec<EventRow<'a, File>>,
    logins: Vec<(&'a AppEvent, Login<'a>)>,
    icmp: Vec<EventRow<'a, IcmpMessage>>,
    arp: Vec<EventRow<'a, ArpMessage>>,
    dhcp: Vec<EventRow<'a, Dhcp>>,
    smb_mapping: Vec<EventRow<'a, SmbMapping>>,
    smb_files: Vec<EventRow<'a, SmbFile>>,
    smb_cmd: Vec<EventRow<'a, SmbCmd>>,
    dce_rpc: Vec<EventRow<'a, DceRpc>>,
    rpc: Vec<EventRow<'a, Rpc>>,
    nfs: Vec<EventRow<'a, Nfs>>,
    ntlm: Vec<EventRow<'a, Ntlm>>,
    modbus: Vec<EventRow<'a, Modbus>>,
    dnp3: Vec<EventRow<'a, Dnp3>>,
    s7comm: Vec<EventRow<'a, S7comm>>,
    enip: Vec<EventRow<'a, Enip>>,
    cip: Vec<EventRow<'a, Cip>>,
    cip_identity: Vec<EventRow<'a, CipIdentity>>,
    bacnet: Vec<EventRow<'a, Bacnet>>,
    iec104: Vec<EventRow<'a, Iec104>>,
    opcua_binary: Vec<EventRow<'a, Opcua>>,
    mqtt_connect: Vec<EventRow<'a, MqttConnect>>,
    mqtt_publish: Vec<EventRow<'a, MqttPublish>>,
    mqtt_subscribe: Vec<EventRow<'a, MqttSubscribe>>,
    redis: Vec<EventRow<'a, Redis>>,
    postgresql: Vec<EventRow<'a, Postgresql>>,
    tds: Vec<EventRow<'a, Tds>>,
    mongodb: Vec<EventRow<'a, Mongodb>>,
    ike: Vec<EventRow<'a, Ike>>,
    stun: Vec<EventRow<'a, Stun>>,
    greetings: Vec<EventRow<'a, Greeting>>,
    dhcpv6: Vec<EventRow<'a, Dhcpv6>>,
    ndp: Vec<EventRow<'a, Ndp>>,
    igmp: Vec<EventRow<'a, Igmp>>,
    stp: Vec<EventRow<'a, Stp>>,
    lldp: Vec<EventRow<'a, Neighbor>>,
    cdp: Vec<EventRow<'a, Neighbor>>,
    weird: Vec<EventRow<'a, Weird>>,
    tunnel: Vec<EventRow<'a, Tunnel>>,
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
                Event::Websocket(is) => rows.websocket.push(EventRow { at, is }),
                Event::Tls(is) => rows.tls.push(EventRow { at, is }),
                Event::Quic(is) => rows.quic.push(EventRow { at, is }),
                Event::Kerberos(is) => rows.kerberos.push(EventRow { at, is }),
                Event::Ldap(is) => rows.ldap.push(EventRow { at, is }),
                Event::LdapSearch(is) => rows.ldap_search.push(EventRow { at, is }),
                Event::Rdp(is) => rows.rdp.push(EventRow { at, is }),
                Event::Ntp(is) => rows.ntp.push(EventRow { at, is }),
                Event::Snmp(is) => rows.snmp.push(EventRow { at, is }),
                Event::Rtp(is) => rows.rtp.push(EventRow { at, is }),
                Event::Sip(is) => rows.sip.push(EventRow { at, is }),
                Event::Syslog(is) => rows.syslog.push(EventRow { at, is }),
                Event::Radius(is) => rows.radius.push(EventRow { at, is }),
                Event::Mysql(is) => rows.mysql.push(EventRow { at, is }),
                Event::Socks(is) => rows.socks.push(EventRow { at, is }),
                Event::Rfb(is) => rows.rfb.push(EventRow { at, is }),
                Event::X509(is) => rows.x509.push(EventRow { at, is }),
                Event::Ssh(is) => rows.ssh.push(EventRow { at, is }),
                Event::Ftp(is) => rows.ftp.push(EventRow { at, is }),
                Event::Smtp(is) => rows.smtp.push(EventRow { at, is }),
                Event::Pop3(is) => rows.pop3.push(EventRow { at, is }),
                Event::Imap(is) => rows.imap.push(EventRow { at, is }),
                Event::Irc(is) => rows.irc.push(EventRow { at, is }),
                Event::Tftp(is) => rows.tftp.push(EventRow { at, is }),
                Event::Telnet(is) => rows.telnet.push(EventRow { at, is }),
                Event::File(is) => rows.files.push(EventRow { at, is }),
                Event::Credential(seen) => rows.logins.push((at, login(seen, salt, reveal))),
                Event::Icmp(is) => rows.icmp.push(EventRow { at, is }),
                Event::Arp(is) => rows.arp.push(EventRow { at, is }),
                Event::Dhcp(is) => rows.dhcp.push(EventRow { at, is }),
                // Part of a transaction by now.
                Event::DhcpMessage(_) => {}
                Event::SmbMapping(is) => rows.smb_mapping.push(EventRow { at, is }),
                Event::SmbFile(is) => rows.smb_files.push(EventRow { at, is }),
                Event::SmbCmd(is) => rows.smb_cmd.push(EventRow { at, is }),
                Event::DceRpc(is) => rows.dce_rpc.push(EventRow { at, is }),
                Event::Rpc(is) => rows.rpc.push(EventRow { at, is }),
                Event::Nfs(is) => rows.nfs.push(EventRow { at, is }),
                Event::Ntlm(is) => rows.ntlm.push(EventRow { at, is }),
                Event::Modbus(is) => rows.modbus.push(EventRow { at, is }),
                Event::Dnp3(is) => rows.dnp3.push(EventRow { at, is }),
                Event::S7comm(is) => rows.s7comm.push(EventRow { at, is }),
                Event::Enip(is) => rows.enip.push(EventRow { at, is }),
                Event::Cip(is) => rows.cip.push(EventRow { at, is }),
                Event::CipIdentity(is) => rows.cip_identity.push(EventRow { at, is }),
                Event::Bacnet(is) => rows.bacnet.push(EventRow { at, is }),
                Event::Iec104(is) => rows.iec104.push(EventRow { at, is }),
                Event::Opcua(is) => rows.opcua_binary.push(EventRow { at, is }),
                Event::MqttConnect(is) => rows.mqtt_connect.push(EventRow { at, is }),
                Event::MqttPublish(is) => rows.mqtt_publish.push(EventRow { at, is }),
                Event::MqttSubscribe(is) => rows.mqtt_subscribe.push(EventRow { at, is }),
                Event::Redis(is) => rows.redis.push(EventRow { at, is }),
                Event::Postgresql(is) => rows.postgresql.push(EventRow { at, is }),
                Event::Tds(is) => rows.tds.push(EventRow { at, is }),
                Event::Mongodb(is) => rows.mongodb.push(EventRow { at, is }),
                Event::Ike(is) => rows.ike.push(EventRow { at, is }),
                Event::Stun(is) => rows.stun.push(EventRow { at, is }),
                Event::Greeting(is) => rows.greetings.push(EventRow { at, is }),
                Event::Dhcpv6(is) => rows.dhcpv6.push(EventRow { at, is }),
                Event::Ndp(is) => rows.ndp.push(EventRow { at, is }),
                Event::Igmp(is) => rows.igmp.push(EventRow { at, is }),
                Event::Stp(is) => rows.stp.push(EventRow { at, is }),
                Event::Lldp(is) => rows.lldp.push(EventRow { at, is }),
                Event::Cdp(is) => rows.cdp.push(EventRow { at, is }),
                Event::Weird(is) => rows.weird.push(EventRow { at, is }),
                Event::Tunnel(is) => rows.tunnel.push(EventRow { at, is }),
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
        some(conn, "websocket", events::websocket, &self.websocket)?;
        some(conn, "tls", events::tls, &self.tls)?;
        some(conn, "quic", events::quic, &self.quic)?;
        some(conn, "kerberos", events::kerberos, &self.kerberos)?;
        some(conn, "ldap", events::ldap, &self.ldap)?;
        some(conn, "ldap_search", events::ldap_search, &self.ldap_search)?;
        some(conn, "rdp", events::rdp, &self.rdp)?;
        some(conn, "ntp", events::ntp, &self.ntp)?;
        some(conn, "snmp", events::snmp, &self.snmp)?;
        some(conn, "rtp", events::rtp, &self.rtp)?;
        some(conn, "sip", events::sip, &self.sip)?;
        some(conn, "syslog", events::syslog, &self.syslog)?;
        some(conn, "radius", events::radius, &self.radius)?;
        some(conn, "mysql", events::mysql, &self.mysql)?;
        some(conn, "socks", events::socks, &self.socks)?;
        some(conn, "rfb", events::rfb, &self.rfb)?;
        some(conn, "x509", events::x509, &self.x509)?;
        some(conn, "ssh", events::ssh, &self.ssh)?;
        some(conn, "ftp", events::ftp, &self.ftp)?;
        some(conn, "smtp", events::smtp, &self.smtp)?;
        some(conn, "pop3", events::pop3, &self.pop3)?;
        some(conn, "imap", events::imap, &self.imap)?;
        some(conn, "irc", events::irc, &self.irc)?;
        some(conn, "tftp", events::tftp, &self.tftp)?;
        some(conn, "telnet", events::telnet, &self.telnet)?;
        some(conn, "files", events::files, &self.files)?;
        some(conn, "credentials", events::credentials, &logins)?;
        some(conn, "icmp", events::icmp, &self.icmp)?;
        some(conn, "arp", events::arp, &self.arp)?;
        some(conn, "tunnel", events::tunnel, &self.tunnel)?;
        some(conn, "dhcp", events::dhcp, &self.dhcp)?;
        some(conn, "smb_mapping", windows::smb_mapping, &self.smb_mapping)?;
        some(conn, "smb_files", windows::smb_files, &self.smb_files)?;
        some(conn, "smb_cmd", windows::smb_cmd, &self.smb_cmd)?;
        some(conn, "dce_rpc", windows::dce_rpc, &self.dce_rpc)?;
        some(conn, "rpc", events::rpc, &self.rpc)?;
        some(conn, "nfs", events::nfs, &self.nfs)?;
        some(conn, "ntlm", windows::ntlm, &self.ntlm)?;
        some(conn, "modbus", events::modbus, &self.modbus)?;
        some(conn, "dnp3", events::dnp3, &self.dnp3)?;
        some(conn, "s7comm", events::s7comm, &self.s7comm)?;
        some(conn, "enip", events::enip, &self.enip)?;
        some(conn, "cip", events::cip, &self.cip)?;
        some(conn, "cip_identity", events::cip_identity, &self.cip_identity)?;
        some(conn, "bacnet", events::bacnet, &self.bacnet)?;
        some(conn, "iec104", events::iec104, &self.iec104)?;
        some(conn, "opcua_binary", events::opcua, &self.opcua_binary)?;
        some(conn, "mqtt_connect", events::mqtt_connect, &self.mqtt_connect)?;
        some(conn, "mqtt_publish", events::mqtt_publish, &self.mqtt_publish)?;
        some(conn, "mqtt_subscribe", events::mqtt_subscribe, &self.mqtt_subscribe)?;
        some(conn, "redis", events::redis, &self.redis)?;
        some(conn, "postgresql", events::postgresql, &self.postgresql)?;
        some(conn, "tds", events::tds, &self.tds)?;
        some(conn, "mongodb", events::mongodb, &self.mongodb)?;
        some(conn, "ike", events::ike, &self.ike)?;
        some(conn, "stun", events::stun, &self.stun)?;
        some(conn, "greetings", events::greeting, &self.greetings)?;
        some(conn, "dhcpv6", events::dhcpv6, &self.dhcpv6)?;
        some(conn, "ndp", events::ndp, &self.ndp)?;
        some(conn, "igmp", events::igmp, &self.igmp)?;
        some(conn, "stp", events::stp, &self.stp)?;
        some(conn, "lldp", events::neighbor, &self.lldp)?;
        some(conn, "cdp", events::neighbor, &self.cdp)?;
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
