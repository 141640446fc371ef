//! What must not be an indicator, whoever says so: things that belong to nobody, and things that nearly everybody uses.

use super::kind::{Kind, Thing, Unused};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// Networks of IPv4 wider than this name the innocent with the guilty; of IPv6, [`WIDEST_V6`].
const WIDEST_V4: u8 = 12;
const WIDEST_V6: u8 = 24;

/// Resolvers and time servers that half of the world talks to. Checked 2026-11.
const COMMON_ADDRESSES: [&str; 18] = [
    "1.0.0.1",
    "1.1.1.1",
    "4.2.2.1",
    "4.2.2.2",
    "8.8.4.4",
    "8.8.8.8",
    "9.9.9.9",
    "64.6.64.6",
    "94.140.14.14",
    "149.112.112.112",
    "185.228.168.9",
    "208.67.220.220",
    "208.67.222.222",
    "2001:4860:4860::8844",
    "2001:4860:4860::8888",
    "2606:4700:4700::1001",
    "2606:4700:4700::1111",
    "2620:fe::fe",
];

/// Domains that a list can only mean a part of. Checked 2026-11.
const COMMON_DOMAINS: [&str; 62] = [
    "adobe.com",
    "akamai.net",
    "akamaiedge.net",
    "amazon.com",
    "amazonaws.com",
    "apple.com",
    "appspot.com",
    "azureedge.net",
    "baidu.com",
    "bing.com",
    "bit.ly",
    "blogspot.com",
    "cloudflare.com",
    "cloudfront.net",
    "debian.org",
    "digicert.com",
    "discord.com",
    "discordapp.com",
    "dropbox.com",
    "dropboxusercontent.com",
    "facebook.com",
    "fastly.net",
    "fbcdn.net",
    "firefox.com",
    "github.com",
    "github.io",
    "githubusercontent.com",
    "gmail.com",
    "google.com",
    "googleapis.com",
    "googleusercontent.com",
    "googlevideo.com",
    "gstatic.com",
    "icloud.com",
    "instagram.com",
    "letsencrypt.org",
    "linkedin.com",
    "live.com",
    "microsoft.com",
    "microsoftonline.com",
    "mozilla.org",
    "msn.com",
    "netflix.com",
    "office.com",
    "office365.com",
    "outlook.com",
    "pastebin.com",
    "pool.ntp.org",
    "sharepoint.com",
    "skype.com",
    "slack.com",
    "t.me",
    "telegram.org",
    "twitter.com",
    "ubuntu.com",
    "whatsapp.com",
    "wikipedia.org",
    "windows.com",
    "windowsupdate.com",
    "yahoo.com",
    "youtube.com",
    "zoom.us",
];

/// Digests of nothing at all: what incomplete files have.
const EMPTY: [&str; 3] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

/// Why `thing` must not be used, if so.
pub fn check(thing: &Thing) -> Option<Unused> {
    let value = thing.value.as_str();
    match thing.kind {
        Kind::Ip => value.parse().ok().and_then(|address| of_address(address, value)),
        Kind::Net => value.parse().ok().and_then(of_network),
        Kind::Domain => of_domain(value),
        Kind::Url => of_host(value.split(['/', ':']).next().unwrap_or_default()),
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 => EMPTY.contains(&value).then_some(Unused::Common),
        Kind::Ja3 | Kind::Ja3s | Kind::Ja4 => None,
    }
}

fn of_address(address: IpAddr, text: &str) -> Option<Unused> {
    if is_reserved(address) {
        return Some(Unused::Reserved);
    }
    COMMON_ADDRESSES.contains(&text).then_some(Unused::Common)
}

/// A URL on a host of one's own says as little as its address.
fn of_host(host: &str) -> Option<Unused> {
    host.parse().ok().filter(|address| is_reserved(*address)).map(|_| Unused::Reserved)
}

fn of_network(net: IpNet) -> Option<Unused> {
    let widest = if net.addr().is_ipv4() { WIDEST_V4 } else { WIDEST_V6 };
    if net.prefix_len() < widest {
        return Some(Unused::TooWide);
    }
    is_reserved(net.addr()).then_some(Unused::Reserved)
}

fn of_domain(name: &str) -> Option<Unused> {
    let suffix = psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes().len() == name.len());
    let reserved = [".local", ".localhost", ".lan", ".internal", ".arpa", ".home"].iter().any(|end| name.ends_with(end));
    let bare = name.strip_prefix("www.").unwrap_or(name);
    match () {
        () if reserved => Some(Unused::Reserved),
        () if COMMON_DOMAINS.binary_search(&bare).is_ok() => Some(Unused::Common),
        () if suffix => Some(Unused::TooWide),
        () => None,
    }
}

/// Addresses that say nothing about who is behind them. The documentation ranges are not among them: nobody has them, so they do no harm.
fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.octets()[0] >= 224 || v4.octets()[0] == 0 || shared
        }
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_reserved(IpAddr::V4(v4)),
            None => {
                let first = v6.segments()[0];
                v6.is_loopback() || v6.is_unspecified() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || first & 0xff00 == 0xff00
            }
        },
    }
}

/// Whether an address is one that outside knowledge can speak of.
pub fn is_public(address: IpAddr) -> bool {
    !is_reserved(address) && address != IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> Option<Unused> {
        Thing::read(None, text).err()
    }

    #[test]
    fn what_is_reserved_common_or_too_wide_is_refused_and_the_rest_is_not() {
        for text in ["10.1.2.3", "127.0.0.1", "169.254.1.1", "224.0.0.251", "255.255.255.255", "0.0.0.0", "100.64.0.1", "::1", "fe80::1"] {
            assert_eq!(why(text), Some(Unused::Reserved), "{text}");
        }
        for text in ["8.8.8.8", "www.google.com", "github.io", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"] {
            assert_eq!(why(text), Some(Unused::Common), "{text}");
        }
        for text in ["0.0.0.0/0", "203.0.0.0/8", "2001::/16", "co.uk"] {
            assert_eq!(why(text), Some(Unused::TooWide), "{text}");
        }
        for text in ["10.0.0.0/16", "http://192.168.1.1/x", "printer.local"] {
            assert_eq!(why(text), Some(Unused::Reserved), "{text}");
        }
        for text in ["203.0.113.7", "evil.github.io", "bad.example.co.uk", "203.0.113.0/24", "http://pastebin.com/raw/abc", "2001:db8::1"] {
            assert_eq!(why(text), None, "{text}");
        }
    }

    #[test]
    fn the_list_of_common_domains_is_sorted_since_it_is_searched_by_halves() {
        assert!(COMMON_DOMAINS.is_sorted());
    }
}
