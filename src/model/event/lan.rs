//! What holds a local network together: ARP, DHCP of both versions, routers, and what devices say about themselves.

use crate::model::FlowId;
use std::net::{IpAddr, Ipv4Addr};

/// A DHCPv6 message (RFC 8415).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dhcpv6 {
    /// Sent by the originator.
    pub is_orig: bool,
    /// `SOLICIT`, `ADVERTISE` …
    pub msg_type: &'static str,
    /// Transaction id.
    pub xid: u32,
    /// Client's DUID, hex.
    pub client_duid: Option<String>,
    /// Hardware address in the client's DUID.
    pub client_mac: Option<String>,
    /// Server's DUID, hex.
    pub server_duid: Option<String>,
    /// Hardware address in the server's DUID.
    pub server_mac: Option<String>,
    /// Name of the client as it says.
    pub client_fqdn: Option<String>,
    /// Addresses asked for or given, at most 16.
    pub addresses: Vec<String>,
    /// Prefixes asked for or given, at most 16.
    pub prefixes: Vec<String>,
    /// Resolvers given, at most 16.
    pub dns_servers: Vec<String>,
    /// Search domains given, at most 16.
    pub domains: Vec<String>,
    /// Enterprise number and class of the vendor.
    pub vendor_class: Option<String>,
    /// Options asked for.
    pub option_request: Vec<u16>,
    /// Status other than success, with its words.
    pub status: Option<String>,
    /// Link address of the relay.
    pub relay_link: Option<IpAddr>,
    /// Peer of the relay: the client.
    pub relay_peer: Option<IpAddr>,
}

/// A neighbour discovery message (RFC 4861).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ndp {
    /// `router_solicitation`, `router_advertisement`, `neighbor_solicitation`, `neighbor_advertisement`, `redirect`.
    pub kind: &'static str,
    /// Source of the packet.
    pub src: Option<IpAddr>,
    /// Destination of the packet.
    pub dst: Option<IpAddr>,
    /// Source of the Ethernet frame.
    pub eth_src: String,
    /// Address that is asked for, claimed, or redirected to.
    pub target: Option<IpAddr>,
    /// Redirects: the destination that is better reached there.
    pub destination: Option<IpAddr>,
    /// Hardware address of the source.
    pub source_mac: Option<String>,
    /// Hardware address of the target.
    pub target_mac: Option<String>,
    /// The sender is a router.
    pub router: bool,
    /// It answers a question.
    pub solicited: bool,
    /// It overrides what is known.
    pub override_known: bool,
    /// Hop limit of the packet: below 255 it came from elsewhere, and is to be ignored.
    pub hop_limit: u8,
    /// Router advertisements: seconds as default router; 0 says that it is none (any more).
    pub router_lifetime: Option<u16>,
    /// `low`, `medium`, `high`.
    pub preference: Option<&'static str>,
    /// Addresses come from DHCPv6.
    pub managed: bool,
    /// Other settings come from DHCPv6.
    pub other: bool,
    /// Hop limit that hosts shall use.
    pub cur_hop_limit: Option<u8>,
    /// Prefixes with their flags (`L` on link, `A` for addresses) and valid seconds, at most 16.
    pub prefixes: Vec<String>,
    /// MTU.
    pub mtu: Option<u32>,
    /// Resolvers (RFC 8106), at most 16.
    pub dns_servers: Vec<String>,
    /// Search domains, at most 16.
    pub domains: Vec<String>,
}

/// An IGMP message (RFC 3376).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Igmp {
    /// Version: 1, 2, 3.
    pub version: u8,
    /// `query`, `report`, `leave`.
    pub kind: &'static str,
    /// Type as sent.
    pub kind_code: u8,
    /// Tenths of a second to answer in.
    pub max_response: Option<u8>,
    /// Groups, with their sources behind a slash and the record's type where there are such; at most 32.
    pub groups: Vec<String>,
    /// Source of the Ethernet frame.
    pub eth_src: String,
}

/// A spanning tree message (IEEE 802.1D, 802.1w, 802.1s, Cisco's per VLAN).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stp {
    /// Source of the frame.
    pub eth_src: String,
    /// `STP`, `RSTP`, `MSTP`, with `PVST+` before it where Cisco's.
    pub version: &'static str,
    /// `configuration`, `topology_change`, `rapid`.
    pub kind: &'static str,
    /// A topology change is under way.
    pub topology_change: bool,
    /// It is acknowledged.
    pub topology_change_ack: bool,
    /// The root as the sender believes: priority and address.
    pub root: Option<String>,
    /// Cost of the way there.
    pub root_cost: Option<u32>,
    /// The sender: priority and address.
    pub bridge: Option<String>,
    /// Port of the sender.
    pub port: Option<u16>,
    /// Seconds since the root spoke.
    pub message_age: Option<f64>,
    /// Seconds that it counts.
    pub max_age: Option<f64>,
    /// Seconds between messages.
    pub hello_time: Option<f64>,
    /// Seconds of listening and of learning.
    pub forward_delay: Option<f64>,
    /// VLAN.
    pub vlan: Option<u16>,
}

/// What a device says about itself and its port: LLDP (IEEE 802.1AB) and CDP.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbor {
    /// Source of the frame.
    pub eth_src: String,
    /// Identity of the device.
    pub device: Option<String>,
    /// Its port.
    pub port: Option<String>,
    /// The port in words.
    pub port_description: Option<String>,
    /// Name.
    pub system_name: Option<String>,
    /// Hardware and software, at most 512 bytes.
    pub system_description: Option<String>,
    /// Platform (CDP) or model (LLDP-MED).
    pub platform: Option<String>,
    /// `router`, `bridge`, `telephone` …
    pub capabilities: Vec<String>,
    /// Addresses under which it is managed, at most 16.
    pub addresses: Vec<String>,
    /// Native VLAN of the port.
    pub vlan: Option<u16>,
    /// VLAN for telephones.
    pub voice_vlan: Option<u16>,
    /// Seconds that this counts.
    pub ttl: Option<u16>,
    /// Version of CDP.
    pub version: Option<u8>,
    /// Management domain of VTP.
    pub vtp_domain: Option<String>,
    /// Full duplex.
    pub full_duplex: Option<bool>,
    /// Serial number, firmware and the like (LLDP-MED).
    pub inventory: Vec<String>,
}

/// One ARP message.
#[derive(Clone, Debug, PartialEq)]
pub struct ArpMessage {
    /// 1 request, 2 reply.
    pub op: u16,
    /// Sender protocol address.
    pub spa: String,
    /// Sender hardware address.
    pub sha: String,
    /// Target protocol address.
    pub tpa: String,
    /// Target hardware address.
    pub tha: String,
    /// Source of the Ethernet frame.
    pub eth_src: String,
    /// Destination of the Ethernet frame.
    pub eth_dst: String,
    /// Announces itself: sender and target address are the same.
    pub gratuitous: bool,
    /// A reply: frame of the request that it answers; `None` where nobody asked.
    pub answers_frame: Option<u64>,
    /// A reply: milliseconds since that request.
    pub answered_ms: Option<f64>,
}

/// One DHCP message (RFC 2131).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DhcpMessage {
    /// 1 request, 2 reply.
    pub op: u8,
    /// Message type, option 53; 0 without.
    pub kind: u8,
    /// Transaction id.
    pub xid: u32,
    /// Sent by the client's side, as Zeek tells it.
    pub from_client: bool,
    /// Sent by the flow's originator.
    pub is_orig: bool,
    /// "Your address": what the server hands out.
    pub yiaddr: Option<Ipv4Addr>,
    /// Relay agent.
    pub giaddr: Option<Ipv4Addr>,
    /// Next server, of network boots.
    pub siaddr: Option<Ipv4Addr>,
    /// Client hardware address.
    pub chaddr: Option<String>,
    /// Hardware address of the client identifier (option 61), where it holds an Ethernet one.
    pub client_id_mac: Option<String>,
    /// Client identifier, hex.
    pub client_id: Option<String>,
    /// Boot file.
    pub boot_file: Option<String>,
    /// Option 12.
    pub host_name: Option<String>,
    /// Option 81.
    pub client_fqdn: Option<String>,
    /// Option 15.
    pub domain: Option<String>,
    /// Option 50.
    pub requested: Option<Ipv4Addr>,
    /// Option 51, seconds.
    pub lease: Option<u32>,
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Option 55.
    pub param_list: Vec<u8>,
    /// Option 56.
    pub message: Option<String>,
    /// Option 60.
    pub vendor_class: Option<String>,
    /// Option 77.
    pub user_class: Option<String>,
    /// Option 1.
    pub subnet_mask: Option<Ipv4Addr>,
    /// Option 3.
    pub routers: Vec<Ipv4Addr>,
    /// Option 6.
    pub dns_servers: Vec<Ipv4Addr>,
    /// Option 42.
    pub ntp_servers: Vec<Ipv4Addr>,
    /// Option 252.
    pub wpad: Option<String>,
    /// Option 82, sub-options 1, 2 and 6 (RFC 3046, RFC 3993).
    pub circuit_id: Option<String>,
    /// Sub-option 2.
    pub remote_id: Option<String>,
    /// Sub-option 6.
    pub subscriber_id: Option<String>,
}

/// A DHCP transaction: the messages that share a transaction id within a short time, over all flows they travel in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dhcp {
    /// The flows, in order of first message.
    pub uids: Vec<FlowId>,
    /// The client, once it has an address.
    pub client_addr: Option<IpAddr>,
    /// The server that handed out an address.
    pub server_addr: Option<IpAddr>,
    /// Client's hardware address: of its identifier, else of the message header.
    pub mac: Option<String>,
    /// Name of the client as it says.
    pub host_name: Option<String>,
    /// Its fully qualified name as it says.
    pub client_fqdn: Option<String>,
    /// Domain given by the server.
    pub domain: Option<String>,
    /// Address asked for.
    pub requested_addr: Option<Ipv4Addr>,
    /// Address handed out.
    pub assigned_addr: Option<Ipv4Addr>,
    /// Seconds.
    pub lease_time: Option<f64>,
    /// Text of the client, as with DECLINE.
    pub client_message: Option<String>,
    /// Text of the server, as with NAK.
    pub server_message: Option<String>,
    /// `DISCOVER`, `OFFER` …
    pub msg_types: Vec<String>,
    /// Source address of each message.
    pub msg_orig: Vec<String>,
    /// Seconds from first to last message.
    pub duration: f64,
    /// Vendor class of the client.
    pub client_software: Option<String>,
    /// Vendor class of the server.
    pub server_software: Option<String>,
    /// Circuit of the relay agent.
    pub circuit_id: Option<String>,
    /// Its remote end.
    pub agent_remote_id: Option<String>,
    /// Its subscriber.
    pub subscriber_id: Option<String>,
    /// Transaction id.
    pub xid: u32,
    /// Hardware address in the message header.
    pub client_chaddr: Option<String>,
    /// Client identifier, hex.
    pub client_id: Option<String>,
    /// User class.
    pub user_class: Option<String>,
    /// Parameter request list: a fingerprint of the client's system.
    pub param_list: Vec<u8>,
    /// Relay agent.
    pub relay_addr: Option<Ipv4Addr>,
    /// Server identifier of the last answer.
    pub server_id: Option<Ipv4Addr>,
    /// Servers in the order of their first answer.
    pub server_ids: Vec<String>,
    /// What each of these offered first: address, then its routers, then its resolvers.
    pub offers: Vec<String>,
    /// Seconds between the first answers of the first and of the second server: a race.
    pub race_s: Option<f64>,
    /// Network mask given.
    pub subnet_mask: Option<Ipv4Addr>,
    /// Routers given.
    pub router_opt: Vec<String>,
    /// Resolvers given.
    pub dns_opt: Vec<String>,
    /// Time servers given.
    pub ntp_opt: Vec<String>,
    /// Proxy configuration given.
    pub wpad_opt: Option<String>,
    /// Next server of a network boot.
    pub next_server: Option<Ipv4Addr>,
    /// Its file.
    pub boot_file: Option<String>,
    /// Frames of the messages.
    pub frames: Vec<u64>,
}
