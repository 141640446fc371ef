//! What kind of thing a list names, and its form in the columns of a case.

use super::guard;
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// Kinds of indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An address.
    Ip,
    /// A network.
    Net,
    /// A domain, with all below it.
    Domain,
    /// A URL without its scheme.
    Url,
    /// Of a file.
    Md5,
    /// Of a file or a certificate.
    Sha1,
    /// Of a file or a certificate.
    Sha256,
    /// Of a TLS client.
    Ja3,
    /// Of a TLS server.
    Ja3s,
    /// Of a TLS or QUIC client.
    Ja4,
}

impl Kind {
    /// As in `indicators.kind`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Net => "net",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Ja3 => "ja3",
            Self::Ja3s => "ja3s",
            Self::Ja4 => "ja4",
        }
    }

    /// How specific such a thing is: P(bad) if the list is right. DETECTIONS D62.
    pub fn specificity(self) -> f64 {
        match self {
            Self::Md5 | Self::Sha1 | Self::Sha256 => 0.95,
            Self::Url => 0.85,
            Self::Domain => 0.7,
            Self::Ip => 0.55,
            Self::Ja3 | Self::Ja3s | Self::Ja4 => 0.4,
            Self::Net => 0.25,
        }
    }

    /// What formats call it, in any case of letters: `domain-name`, `ip-dst`, `sha256_hash`, `filename|md5` (the part after the bar).
    pub fn named(name: &str) -> Option<Self> {
        let plain: String = name.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        Some(match plain.as_str() {
            "ip" | "ipv4" | "ipv6" | "ipaddr" | "ipaddress" | "ipport" | "address" | "ipsrc" | "ipdst" | "ipdstport" | "ipsrcport"
            | "dstip" | "srcip" | "ipv4addr" | "ipv6addr" | "destinationip" | "sourceip" | "cidr" | "network" | "net" | "netblock" => {
                Self::Ip
            }
            "domain" | "domainname" | "hostname" | "host" | "fqdn" => Self::Domain,
            "url" | "uri" | "link" => Self::Url,
            "md5" | "md5hash" | "filemd5" | "filenamemd5" => Self::Md5,
            "sha1" | "sha1hash" | "filesha1" | "filenamesha1" | "x509fingerprintsha1" | "certsha1" | "sslsha1" => Self::Sha1,
            "sha256" | "sha256hash" | "filesha256" | "filenamesha256" | "x509fingerprintsha256" | "certsha256" => Self::Sha256,
            "ja3" | "ja3md5" | "ja3hash" | "ja3fingerprint" | "ja3fingerprintmd5" => Self::Ja3,
            "ja3s" | "ja3shash" | "ja3sfingerprint" | "ja3sfingerprintmd5" => Self::Ja3s,
            "ja4" | "ja4fingerprint" => Self::Ja4,
            _ => return None,
        })
    }
}

/// Why an entry is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unused {
    /// Nothing that vigil knows.
    NotUnderstood,
    /// Private, loopback, multicast …
    Reserved,
    /// Used by nearly everybody: would name the innocent.
    Common,
    /// A network or suffix that covers too much.
    TooWide,
    /// The format has it, the case has no column for it.
    NoColumn,
    /// A pattern of several conditions.
    Complex,
    /// Taken back by its author.
    Revoked,
    /// Meant for people, not for matching.
    NotForMatching,
    /// Said twice.
    Repeated,
    /// No longer valid when the capture was made.
    Expired,
    /// Beyond the cap.
    TooMany,
}

impl Unused {
    /// `3 reserved addresses`.
    pub fn says(self) -> &'static str {
        match self {
            Self::NotUnderstood => "not understood",
            Self::Reserved => "reserved or private addresses",
            Self::Common => "used by nearly everybody",
            Self::TooWide => "cover too much",
            Self::NoColumn => "of a kind that packets do not show",
            Self::Complex => "patterns of several conditions",
            Self::Revoked => "revoked",
            Self::NotForMatching => "not meant for matching",
            Self::Repeated => "repeated",
            Self::Expired => "expired before this capture",
            Self::TooMany => "beyond the cap of entries",
        }
    }
}

/// A thing in the form of the columns it is compared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub value: String,
}

impl Thing {
    /// Reads `text` as what `kind` says it is; without `kind`, as what it looks like.
    pub fn read(kind: Option<Kind>, text: &str) -> Result<Self, Unused> {
        let text = refanged(text.trim().trim_matches(['"', '\'']).trim());
        if text.is_empty() || text.len() > 2_048 {
            return Err(Unused::NotUnderstood);
        }
        let thing = match kind {
            Some(Kind::Ip | Kind::Net) => address(&text),
            Some(Kind::Domain) => address(&text).or_else(|| domain(&text)),
            Some(Kind::Url) => url(&text).or_else(|| guess(&text)),
            Some(Kind::Md5) => digest(&text, 32, Kind::Md5),
            Some(Kind::Ja3) => digest(&text, 32, Kind::Ja3),
            Some(Kind::Ja3s) => digest(&text, 32, Kind::Ja3s),
            Some(Kind::Sha1) => digest(&text, 40, Kind::Sha1),
            Some(Kind::Sha256) => digest(&text, 64, Kind::Sha256),
            Some(Kind::Ja4) => ja4(&text),
            None => guess(&text),
        };
        let thing = thing.ok_or(Unused::NotUnderstood)?;
        guard::check(&thing).map_or(Ok(thing), Err)
    }

    fn new(kind: Kind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }
}

fn guess(text: &str) -> Option<Thing> {
    address(text)
        .or_else(|| text.contains("://").then(|| url(text)).flatten())
        .or_else(|| digest(text, 32, Kind::Md5))
        .or_else(|| digest(text, 40, Kind::Sha1))
        .or_else(|| digest(text, 64, Kind::Sha256))
        .or_else(|| ja4(text))
        .or_else(|| if text.contains('/') { url(text) } else { domain(text) })
}

/// Written so that nobody clicks on it: `hxxp://evil[.]example`.
fn refanged(text: &str) -> Cow<'_, str> {
    if !text.contains(['[', '(']) && !text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("hxxp")) {
        return Cow::Borrowed(text);
    }
    let mut text = text.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".").replace("[:]", ":").replace("[://]", "://");
    if text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("hxxp")) {
        text.replace_range(..4, "http");
    }
    Cow::Owned(text)
}

/// `192.0.2.1`, `192.0.2.1:443`, `192.0.2.0/24`, `[2001:db8::1]:443`.
fn address(text: &str) -> Option<Thing> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(text, |(inside, _)| inside);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Some(Thing::new(Kind::Ip, plain(address).to_string()));
    }
    if let Ok(net) = bare.parse::<IpNet>() {
        let single = net.prefix_len() == net.max_prefix_len();
        return Some(if single { Thing::new(Kind::Ip, net.addr().to_string()) } else { Thing::new(Kind::Net, net.trunc().to_string()) });
    }
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    let address = host.parse::<std::net::Ipv4Addr>().ok()?;
    Some(Thing::new(Kind::Ip, address.to_string()))
}

/// IPv4 in IPv6's clothes is IPv4, as in packets.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        v4 => v4,
    }
}

/// `evil.example`, `*.evil.example`, `||evil.example^`, in lower case without the dot at its end.
fn domain(text: &str) -> Option<Thing> {
    let name = text.trim_start_matches("||").trim_end_matches('^').trim_start_matches("*.").trim_start_matches('.').trim_end_matches('.');
    let name = name.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(name, |(host, _)| host);
    let fits = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b >= 0x80)
    };
    let top = name.rsplit('.').next().unwrap_or_default();
    let named = name.len() <= 253 && name.split('.').all(fits) && !top.bytes().all(|b| b.is_ascii_digit());
    // A word without a dot is no name that a list would mean.
    (named && name.contains('.')).then(|| Thing::new(Kind::Domain, name.to_lowercase()))
}

/// As `http` has it: host in lower case without the usual port, then path and query. A URL without a path is its host.
fn url(text: &str) -> Option<Thing> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let rest = rest.split('#').next().unwrap_or_default();
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    let host = host.rsplit('@').next().unwrap_or_default().to_lowercase();
    let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let host = host.strip_suffix(usual).unwrap_or(&host);
    let named = address(host).or_else(|| domain(host))?;
    if path.is_empty() || path == "/" {
        return Some(named);
    }
    let slash = if path.starts_with('?') { "/" } else { "" };
    Some(Thing::new(Kind::Url, format!("{host}{slash}{path}")))
}

fn digest(text: &str, length: usize, kind: Kind) -> Option<Thing> {
    let text: Cow<'_, str> = if text.contains(':') { text.replace(':', "").into() } else { text.into() };
    (text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| Thing::new(kind, text.to_lowercase()))
}

/// `t13d1516h2_8daaf6152771_b186095e22b6`.
fn ja4(text: &str) -> Option<Thing> {
    let parts: Vec<&str> = text.split('_').collect();
    let [head, ciphers, extensions] = parts[..] else { return None };
    let hex = |part: &str| part.len() == 12 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let fits = head.len() == 10 && matches!(head.as_bytes().first(), Some(b't' | b'q' | b'd')) && hex(ciphers) && hex(extensions);
    fits.then(|| Thing::new(Kind::Ja4, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Thing::read(None, text) {
            Ok(thing) => format!("{} {}", thing.kind.name(), thing.value),
            Err(why) => why.says().into(),
        }
    }

    #[test]
    fn things_are_told_apart_and_take_the_form_of_the_columns() {
        for (text, expect) in [
            ("203.0.113.7", "ip 203.0.113.7"),
            ("203.0.113[.]7:8080", "ip 203.0.113.7"),
            ("203.0.113.9/24", "net 203.0.113.0/24"),
            ("203.0.113.9/32", "ip 203.0.113.9"),
            ("2001:0db8:0000::0001", "ip 2001:db8::1"),
            ("[2001:db8::1]:443", "ip 2001:db8::1"),
            ("::ffff:203.0.113.7", "ip 203.0.113.7"),
            ("EVIL.Example.", "domain evil.example"),
            ("*.evil[.]example", "domain evil.example"),
            ("||evil.example^", "domain evil.example"),
            ("evil.example:8443", "domain evil.example"),
            ("hxxps://user@EVIL.example:443/a/B?c=D#e", "url evil.example/a/B?c=D"),
            ("http://evil.example:8080/x", "url evil.example:8080/x"),
            ("http://evil.example/", "domain evil.example"),
            ("http://203.0.113.7", "ip 203.0.113.7"),
            ("evil.example/gate.php", "url evil.example/gate.php"),
            ("http://evil.example?x=1", "url evil.example/?x=1"),
            ("D41D8CD98F00B204E9800998ECF84270", "md5 d41d8cd98f00b204e9800998ecf84270"),
            ("t13d1516h2_8daaf6152771_b186095e22b6", "ja4 t13d1516h2_8daaf6152771_b186095e22b6"),
            ("not a thing", "not understood"),
            ("word", "not understood"),
            ("1.2.3.400", "not understood"),
            ("", "not understood"),
        ] {
            assert_eq!(shown(text), expect, "{text}");
        }
    }

    #[test]
    fn what_is_said_to_be_of_a_kind_must_look_like_it() {
        assert_eq!(Thing::read(Some(Kind::Ja3), "e7d705a3286e19ea42f587b344ee6865").unwrap().kind, Kind::Ja3);
        assert_eq!(Thing::read(Some(Kind::Sha1), "AA:".repeat(20).trim_end_matches(':')).unwrap().value, "aa".repeat(20));
        assert_eq!(Thing::read(Some(Kind::Sha256), "e7d705a3286e19ea42f587b344ee6865"), Err(Unused::NotUnderstood));
        assert_eq!(Thing::read(Some(Kind::Domain), "203.0.113.7").unwrap().kind, Kind::Ip);
    }

    #[test]
    fn formats_have_many_names_for_one_kind() {
        let named = [
            "ip-dst|port",
            "IPv4-Addr",
            "sha256_hash",
            "SHA-256",
            "x509-fingerprint-sha1",
            "ja3-fingerprint-md5",
            "Destination IP",
            "mutex",
        ];
        let kinds = [
            Some(Kind::Ip),
            Some(Kind::Ip),
            Some(Kind::Sha256),
            Some(Kind::Sha256),
            Some(Kind::Sha1),
            Some(Kind::Ja3),
            Some(Kind::Ip),
            None,
        ];
        assert_eq!(named.map(Kind::named), kinds);
    }

    #[test]
    fn any_text_is_read_or_refused_and_never_more() {
        let pieces = ["[", "]:", "::", "/", "@", "://", "é.é", ".", "1.2.3.4", "%", "\u{0}", "_", "a.b"];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let _ = Thing::read(None, &format!("{a}{b}{c}"));
                    let _ = Thing::read(Some(Kind::Url), &format!("{a}{b}{c}"));
                }
            }
        }
    }
}
