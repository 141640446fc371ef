//! `dhcpv6`, `ndp`, `igmp`, `stp`, `lldp`, `cdp`

use super::{EventRow, place};
use crate::model::event::{Dhcpv6, Igmp, Ndp, Neighbor, Stp};
use crate::store::column::{Columns, filled};

/// `dhcpv6`
pub fn dhcpv6<'a>() -> Columns<EventRow<'a, Dhcpv6>> {
    place()
        .bool("is_orig", "Sent by the originator.", |r: &EventRow<'_, Dhcpv6>| r.is_orig)
        .text("msg_type", "`SOLICIT`, `ADVERTISE` …", |r| filled(r.msg_type))
        .big("xid", "Transaction id.", |r| r.xid)
        .text("client_duid", "Client's DUID, hex.", |r| r.client_duid.as_deref())
        .text("client_mac", "Hardware address in the client's DUID.", |r| r.client_mac.as_deref())
        .text("server_duid", "Server's DUID, hex.", |r| r.server_duid.as_deref())
        .text("server_mac", "Hardware address in the server's DUID.", |r| r.server_mac.as_deref())
        .text("client_fqdn", "Name of the client as it says.", |r| r.client_fqdn.as_deref())
        .texts("addresses", "Addresses asked for or given, at most 16.", |r| &r.addresses)
        .texts("prefixes", "Prefixes asked for or given, at most 16.", |r| &r.prefixes)
        .texts("dns_servers", "Resolvers given, at most 16.", |r| &r.dns_servers)
        .texts("domains", "Search domains given, at most 16.", |r| &r.domains)
        .text("vendor_class", "Enterprise number and class of the vendor.", |r| r.vendor_class.as_deref())
        .ints("option_request", "Options asked for.", |r| r.option_request.as_slice())
        .text("status", "Status other than success, with its words.", |r| r.status.as_deref())
        .shown("relay_link", "Link address of the relay.", |r| r.relay_link)
        .shown("relay_peer", "Peer of the relay: the client.", |r| r.relay_peer)
}

/// `ndp`
pub fn ndp<'a>() -> Columns<EventRow<'a, Ndp>> {
    place()
        .text(
            "kind",
            "`router_solicitation`, `router_advertisement`, `neighbor_solicitation`, `neighbor_advertisement`, `redirect`.",
            |r: &EventRow<'_, Ndp>| filled(r.kind),
        )
        .shown("src", "Source of the packet.", |r| r.src)
        .shown("dst", "Destination of the packet.", |r| r.dst)
        .text("eth_src", "Source of the Ethernet frame.", |r| filled(&r.eth_src))
        .shown("target", "Address that is asked for, claimed, or redirected to.", |r| r.target)
        .shown("destination", "Redirects: the destination that is better reached there.", |r| r.destination)
        .text("source_mac", "Hardware address of the source.", |r| r.source_mac.as_deref())
        .text("target_mac", "Hardware address of the target.", |r| r.target_mac.as_deref())
        .bool("router", "The sender is a router.", |r| r.router)
        .bool("solicited", "It answers a question.", |r| r.solicited)
        .bool("override_known", "It overrides what is known.", |r| r.override_known)
        .int("hop_limit", "Hop limit of the packet: below 255 it came from elsewhere, and is to be ignored.", |r| r.hop_limit)
        .int("router_lifetime", "Router advertisements: seconds as default router; 0 says that it is none (any more).", |r| {
            r.router_lifetime
        })
        .text("preference", "`low`, `medium`, `high`.", |r| r.preference)
        .bool("managed", "Addresses come from DHCPv6.", |r| r.managed)
        .bool("other", "Other settings come from DHCPv6.", |r| r.other)
        .int("cur_hop_limit", "Hop limit that hosts shall use.", |r| r.cur_hop_limit)
        .texts("prefixes", "Prefixes with their flags (`L` on link, `A` for addresses) and valid seconds, at most 16.", |r| &r.prefixes)
        .big("mtu", "MTU.", |r| r.mtu)
        .texts("dns_servers", "Resolvers (RFC 8106), at most 16.", |r| &r.dns_servers)
        .texts("domains", "Search domains, at most 16.", |r| &r.domains)
}

/// `igmp`
pub fn igmp<'a>() -> Columns<EventRow<'a, Igmp>> {
    place()
        .int("version", "Version: 1, 2, 3.", |r: &EventRow<'_, Igmp>| r.version)
        .text("kind", "`query`, `report`, `leave`.", |r| filled(r.kind))
        .int("kind_code", "Type as sent.", |r| r.kind_code)
        .int("max_response", "Tenths of a second to answer in.", |r| r.max_response)
        .texts("groups", "Groups, with their sources behind a slash and the record's type where there are such; at most 32.", |r| &r.groups)
        .text("eth_src", "Source of the Ethernet frame.", |r| filled(&r.eth_src))
}

/// `stp`
pub fn stp<'a>() -> Columns<EventRow<'a, Stp>> {
    place()
        .text("eth_src", "Source of the frame.", |r: &EventRow<'_, Stp>| filled(&r.eth_src))
        .text("version", "`STP`, `RSTP`, `MSTP`, with `PVST+` before it where Cisco's.", |r| filled(r.version))
        .text("kind", "`configuration`, `topology_change`, `rapid`.", |r| filled(r.kind))
        .bool("topology_change", "A topology change is under way.", |r| r.topology_change)
        .bool("topology_change_ack", "It is acknowledged.", |r| r.topology_change_ack)
        .text("root", "The root as the sender believes: priority and address.", |r| r.root.as_deref())
        .big("root_cost", "Cost of the way there.", |r| r.root_cost)
        .text("bridge", "The sender: priority and address.", |r| r.bridge.as_deref())
        .int("port", "Port of the sender.", |r| r.port)
        .double("message_age", "Seconds since the root spoke.", |r| r.message_age)
        .double("max_age", "Seconds that it counts.", |r| r.max_age)
        .double("hello_time", "Seconds between messages.", |r| r.hello_time)
        .double("forward_delay", "Seconds of listening and of learning.", |r| r.forward_delay)
        .int("vlan", "VLAN.", |r| r.vlan)
}

/// `lldp`, `cdp`
pub fn neighbor<'a>() -> Columns<EventRow<'a, Neighbor>> {
    place()
        .text("eth_src", "Source of the frame.", |r: &EventRow<'_, Neighbor>| filled(&r.eth_src))
        .text("device", "Identity of the device.", |r| r.device.as_deref())
        .text("port", "Its port.", |r| r.port.as_deref())
        .text("port_description", "The port in words.", |r| r.port_description.as_deref())
        .text("system_name", "Name.", |r| r.system_name.as_deref())
        .text("system_description", "Hardware and software, at most 512 bytes.", |r| r.system_description.as_deref())
        .text("platform", "Platform (CDP) or model (LLDP-MED).", |r| r.platform.as_deref())
        .texts("capabilities", "`router`, `bridge`, `telephone` …", |r| &r.capabilities)
        .texts("addresses", "Addresses under which it is managed, at most 16.", |r| &r.addresses)
        .int("vlan", "Native VLAN of the port.", |r| r.vlan)
        .int("voice_vlan", "VLAN for telephones.", |r| r.voice_vlan)
        .int("ttl", "Seconds that this counts.", |r| r.ttl)
        .int("version", "Version of CDP.", |r| r.version)
        .text("vtp_domain", "Management domain of VTP.", |r| r.vtp_domain.as_deref())
        .bool("full_duplex", "Full duplex.", |r| r.full_duplex)
        .texts("inventory", "Serial number, firmware and the like (LLDP-MED).", |r| &r.inventory)
}
