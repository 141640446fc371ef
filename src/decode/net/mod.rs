//! The network layer: IPv4, IPv6 and ARP.

mod arp;
mod auth;
mod ipv4;
mod ipv6;

pub(super) use arp::read as arp;
pub(super) use auth::read as auth;
pub(super) use ipv4::read as ipv4;
pub(super) use ipv6::{extension, follow, fragment, read as ipv6};
