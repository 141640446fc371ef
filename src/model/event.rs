//! Application events: one message, or one exchange, of one protocol. Each struct is the row of a table; field names are column names.

use super::anomaly::{Frag, TcpAnomaly};
use super::windows::{DceRpc, Ntlm, SmbCmd, SmbFile, SmbMapping};
use super::{FlowId, Proto, Ts};
use std::net::IpAddr;

mod dns;
mod files;
mod http;
mod icmp;
mod identity;
mod industrial;
mod lan;
mod mail;
mod quic;
mod remote;
mod rpc;
mod services;
mod stores;
mod tls;
mod typed;

pub use dns::Dns;
pub use files::{ByteRange, Credential, File, Ftp};
pub use http::{Http, Websocket};
pub use icmp::IcmpMessage;
pub use identity::{Kerberos, Ldap, LdapSearch};
pub use industrial::{Bacnet, Cip, CipIdentity, Dnp3, Enip, Iec104, Modbus, Opcua, S7comm};
pub use lan::{ArpMessage, Dhcp, DhcpMessage, Dhcpv6, Igmp, Ndp, Neighbor, Stp};
pub use mail::{Imap, Pop3, Smtp};
pub use quic::Quic;
pub use remote::{Rdp, Rfb, Socks, Ssh};
pub use rpc::{Nfs, Rpc, RpcCall};
pub use services::{Mysql, Ntp, Radius, Rtp, Sip, Snmp, Syslog};
pub use stores::{Greeting, Ike, Mongodb, MqttConnect, MqttPublish, MqttSubscribe, Postgresql, Redis, Stun, Tds};
pub use tls::{Tls, X509};
pub use typed::{DataChannel, Irc, Telnet, Tftp};

/// Direction of bytes within a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Dir {
    /// Originator to responder.
    Orig,
    /// Responder to originator.
    Resp,
}

impl Dir {
    /// 0 for the originator, 1 for the responder.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The other one.
    pub fn flip(self) -> Self {
        match self {
            Self::Orig => Self::Resp,
            Self::Resp => Self::Orig,
        }
    }
}

/// The flow that an event belongs to: columns `flow_id id_orig_h id_orig_p id_resp_h id_resp_p proto`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conn {
    /// Flow.
    pub flow: FlowId,
    /// Originator.
    pub orig_h: IpAddr,
    /// Originator's port.
    pub orig_p: u16,
    /// Responder.
    pub resp_h: IpAddr,
    /// Responder's port.
    pub resp_p: u16,
    /// Transport.
    pub proto: Proto,
}

/// One event with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct AppEvent {
    /// The flow; `None` only for ARP and frame-level oddities.
    pub conn: Option<Conn>,
    /// The frame that says it (the first, where several do).
    pub frame: u64,
    /// Time of that frame.
    pub ts_ns: Ts,
    /// What it says.
    pub event: Event,
}

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `dns`
    Dns(Box<Dns>),
    /// `http`
    Http(Box<Http>),
    /// `websocket`
    Websocket(Box<Websocket>),
    /// `tls`
    Tls(Box<Tls>),
    /// `x509`
    X509(Box<X509>),
    /// `ssh`
    Ssh(Box<Ssh>),
    /// `ftp`
    Ftp(Box<Ftp>),
    /// `smtp`
    Smtp(Box<Smtp>),
    /// `pop3`
    Pop3(Box<Pop3>),
    /// `imap`
    Imap(Box<Imap>),
    /// `irc`
    Irc(Box<Irc>),
    /// `tftp`
    Tftp(Box<Tftp>),
    /// `telnet`
    Telnet(Box<Telnet>),
    /// `files`
    File(Box<File>),
    /// `credentials`
    Credential(Box<Credential>),
    /// `icmp`
    Icmp(Box<IcmpMessage>),
    /// `arp`
    Arp(Box<ArpMessage>),
    /// `quic`
    Quic(Box<Quic>),
    /// `kerberos`
    Kerberos(Box<Kerberos>),
    /// `ldap`
    Ldap(Box<Ldap>),
    /// `ldap_search`
    LdapSearch(Box<LdapSearch>),
    /// `rdp`
    Rdp(Box<Rdp>),
    /// `ntp`
    Ntp(Box<Ntp>),
    /// `snmp`
    Snmp(Box<Snmp>),
    /// `rtp`
    Rtp(Box<Rtp>),
    /// `sip`
    Sip(Box<Sip>),
    /// `syslog`
    Syslog(Box<Syslog>),
    /// `radius`
    Radius(Box<Radius>),
    /// `mysql`
    Mysql(Box<Mysql>),
    /// `socks`
    Socks(Box<Socks>),
    /// `rfb`
    Rfb(Box<Rfb>),
    /// One DHCP message: folded into a [`Dhcp`] before anything is stored.
    DhcpMessage(Box<DhcpMessage>),
    /// `dhcp`
    Dhcp(Box<Dhcp>),
    /// `smb_mapping`
    SmbMapping(Box<SmbMapping>),
    /// `smb_files`
    SmbFile(Box<SmbFile>),
    /// `smb_cmd`
    SmbCmd(Box<SmbCmd>),
    /// `dce_rpc`
    DceRpc(Box<DceRpc>),
    /// `ntlm`
    Ntlm(Box<Ntlm>),
    /// `rpc`
    Rpc(Box<Rpc>),
    /// `nfs`
    Nfs(Box<Nfs>),
    /// `modbus`
    Modbus(Box<Modbus>),
    /// `dnp3`
    Dnp3(Box<Dnp3>),
    /// `s7comm`
    S7comm(Box<S7comm>),
    /// `enip`
    Enip(Box<Enip>),
    /// `cip`
    Cip(Box<Cip>),
    /// `cip_identity`
    CipIdentity(Box<CipIdentity>),
    /// `bacnet`
    Bacnet(Box<Bacnet>),
    /// `iec104`
    Iec104(Box<Iec104>),
    /// `opcua_binary`
    Opcua(Box<Opcua>),
    /// `mqtt_connect`
    MqttConnect(Box<MqttConnect>),
    /// `mqtt_publish`
    MqttPublish(Box<MqttPublish>),
    /// `mqtt_subscribe`
    MqttSubscribe(Box<MqttSubscribe>),
    /// `redis`
    Redis(Box<Redis>),
    /// `postgresql`
    Postgresql(Box<Postgresql>),
    /// `tds`
    Tds(Box<Tds>),
    /// `mongodb`
    Mongodb(Box<Mongodb>),
    /// `ike`
    Ike(Box<Ike>),
    /// `stun`
    Stun(Box<Stun>),
    /// `greetings`
    Greeting(Box<Greeting>),
    /// `dhcpv6`
    Dhcpv6(Box<Dhcpv6>),
    /// `ndp`
    Ndp(Box<Ndp>),
    /// `igmp`
    Igmp(Box<Igmp>),
    /// `stp`
    Stp(Box<Stp>),
    /// `lldp`
    Lldp(Box<Neighbor>),
    /// `cdp`
    Cdp(Box<Neighbor>),
    /// `weird`
    Weird(Box<Weird>),
    /// `tunnel`
    Tunnel(Box<Tunnel>),
    /// `tcp_anomaly`
    TcpAnomaly(Box<TcpAnomaly>),
    /// `frag`
    Frag(Box<Frag>),
}

/// Something that should not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weird {
    /// Zeek's name where there is one.
    pub name: String,
    /// Detail.
    pub addl: String,
    /// Who noticed: `decode`, `flow`, `dns` …
    pub source: &'static str,
    /// How often in this flow (or, without flow, for this source address).
    pub count: u64,
}

/// A tunnel begins or ends. The conversation named is the tunnel: ports are 0 for one that is known by its two hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Tunnel {
    /// `Tunnel::VXLAN` …
    pub tunnel_type: &'static str,
    /// What became of it.
    pub action: TunnelAction,
    /// VNI, VSID or TEID of the first packet that showed it.
    pub tunnel_id: Option<u32>,
}

/// What became of a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelAction {
    /// A flow was seen in it for the first time.
    Discover,
    /// The flow that carries it ended.
    Close,
    /// Nothing was seen in it for a day.
    Expire,
}

impl TunnelAction {
    /// Zeek's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discover => "Tunnel::DISCOVER",
            Self::Close => "Tunnel::CLOSE",
            Self::Expire => "Tunnel::EXPIRE",
        }
    }
}
