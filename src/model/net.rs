//! Addresses, protocols, and which networks are home.

use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// A hardware address; all zero when there was none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether it is all zero: absent, or the null address.
    pub fn is_zero(self) -> bool {
        self.0 == [0; 6]
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Transport as Zeek names it in `proto`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Proto {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP and ICMPv6.
    Icmp,
    /// SCTP.
    Sctp,
    /// Anything else: `unknown_transport`.
    Other,
}

impl Proto {
    /// Zeek's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Sctp => "sctp",
            Self::Other => "unknown_transport",
        }
    }
}

/// The networks that count as "ours". Default: private, carrier-grade NAT, link-local, loopback and unique-local ranges.
#[derive(Clone, Debug, PartialEq)]
pub struct HomeNets(Vec<IpNet>);

impl Default for HomeNets {
    fn default() -> Self {
        const RANGES: [&str; 9] = [
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "127.0.0.0/8",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ];
        Self(RANGES.iter().filter_map(|range| range.parse().ok()).collect())
    }
}

impl HomeNets {
    /// Exactly these networks.
    pub fn new(nets: Vec<IpNet>) -> Self {
        Self(nets)
    }

    /// Whether `addr` lies in one of them.
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&addr))
    }

    /// The networks, as given.
    pub fn nets(&self) -> &[IpNet] {
        &self.0
    }
}
