//! The data of a resource record as Zeek prints it in `answers`.

use super::message::Cursor;
use crate::dissect::{escape, hex};
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Bytes of one character string that are printed; a TXT string has at most 255.
const STRING_MAX: usize = 255;
/// Bytes of text kept of one record: 64 KiB of TXT in one record would otherwise be a row.
const TEXT_MAX: usize = 4_096;

/// Text of a record of type `rtype` owned by `owner`; empty where Zeek prints nothing, `None` if the data contradicts its type.
pub fn text(rtype: u16, owner: &str, data: &mut Cursor<'_>) -> Option<String> {
    match rtype {
        1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data.take(4)?).ok()?).to_string()),
        28 | 38 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data.take(16)?).ok()?).to_string()),
        // NS, MD, MF, CNAME, SOA (its primary server), MB, MG, MR, PTR, DNAME
        2..=9 | 12 | 39 => data.lower_name(),
        11 | 41 => Some(String::new()),
        13 => {
            let (cpu, os) = (string(data)?, string(data)?);
            Some(format!("HINFO {cpu} {os}"))
        }
        // MX, AFSDB, RT, KX: preference, then a host
        15 | 18 | 21 | 36 => {
            data.u16()?;
            data.lower_name()
        }
        16 => Some(strings("TXT", data)),
        99 => Some(strings("SPF", data)),
        29 => {
            data.u8()?;
            Some(format!("LOC:  {} {} {}", data.u8()?, data.u8()?, data.u8()?))
        }
        32 if data.netbios => Some(netbios_addresses(data)),
        33 if data.netbios => Some(netbios_status(data)),
        33 => {
            data.take(6)?;
            data.lower_name()
        }
        35 => naptr(data),
        43 | 59 => {
            data.u16()?;
            Some(format!("DS {} {}", data.u8()?, data.u8()?))
        }
        44 => {
            data.take(2)?;
            let fingerprint = data.take(data.left())?;
            Some(format!("SSHFP: {}", hex(&fingerprint[..fingerprint.len().min(64)])))
        }
        46 => {
            let covered = data.u16()?;
            data.take(16)?;
            let signer = data.lower_name()?;
            Some(format!("RRSIG {covered} {}", if signer.is_empty() { "<Root>" } else { &signer }))
        }
        47 => Some(format!("NSEC {} {}", owner.to_ascii_lowercase(), data.lower_name()?)),
        48 | 60 => {
            data.take(3)?;
            Some(format!("DNSKEY {}", data.u8()?))
        }
        50 => Some("NSEC3".to_owned()),
        51 => Some("NSEC3PARAM".to_owned()),
        64 => service_binding("SVCB", data),
        65 => service_binding("HTTPS", data),
        257 => {
            let flags = data.u8()?;
            let tag = string(data)?;
            let value = data.take(data.left())?;
            Some(format!("CAA {flags} {tag} {}", escape(value, STRING_MAX)))
        }
        65534 => Some("BIND9 signing signal".to_owned()),
        _ => Some(format!("<unknown type={rtype}>")),
    }
}

/// One length-prefixed string.
fn string(data: &mut Cursor<'_>) -> Option<String> {
    let length = usize::from(data.u8()?);
    data.take(length).map(|bytes| escape(bytes, STRING_MAX))
}

/// `TXT 5 hello TXT 3 abc`; a string that breaks off is printed as far as it goes.
fn strings(kind: &str, data: &mut Cursor<'_>) -> String {
    let mut out = String::new();
    while let Some(length) = data.u8().filter(|_| out.len() < TEXT_MAX) {
        let length = usize::from(length).min(data.left());
        let Some(bytes) = data.take(length) else { break };
        let _ = write!(out, "{}{kind} {length} {}", if out.is_empty() { "" } else { " " }, escape(bytes, STRING_MAX));
    }
    out
}

/// RFC 3403: order, preference, then flags, service, expression and replacement, empty ones left out.
fn naptr(data: &mut Cursor<'_>) -> Option<String> {
    let (order, preference) = (data.u16()?, data.u16()?);
    let (flags, service, expression) = (string(data)?, string(data)?, string(data)?);
    let replacement = data.lower_name()?;
    let parts = [format!("NAPTR {order} {preference} {flags} {service}"), expression, replacement];
    Some(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
}

/// RFC 1002 4.2.13: flags and an address, repeated. The addresses are what a poisoner lies about.
fn netbios_addresses(data: &mut Cursor<'_>) -> String {
    let mut out = String::new();
    while let Some([_, _, address @ ..]) = data.take(6).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok()).filter(|_| out.len() < TEXT_MAX) {
        let _ = write!(out, "{}{}", if out.is_empty() { "" } else { " " }, Ipv4Addr::from(address));
    }
    out
}

/// RFC 1002 4.2.18: the names a host goes by.
fn netbios_status(data: &mut Cursor<'_>) -> String {
    let count = data.u8().unwrap_or(0);
    let mut names = Vec::new();
    for _ in 0..count {
        let Some(entry) = data.take(18) else { break };
        let name = entry.get(..15).unwrap_or_default().trim_ascii_end();
        let kind = entry.get(15).copied().unwrap_or(0);
        names.push(format!("{}<{kind:02x}>", escape(name, 15)));
    }
    names.join(" ")
}

/// RFC 9460: `HTTPS 1 . alpn=h3,h2 ipv4hint=192.0.2.1`.
fn service_binding(kind: &str, data: &mut Cursor<'_>) -> Option<String> {
    let priority = data.u16()?;
    let target = data.lower_name()?;
    let mut out = format!("{kind} {priority} {}", if target.is_empty() { "." } else { &target });
    while data.left() >= 4 && out.len() < TEXT_MAX {
        let (key, length) = (data.u16()?, data.u16()?);
        let mut value = Cursor { end: data.at + usize::from(length).min(data.left()), ..*data };
        data.take(usize::from(length))?;
        let _ = match key {
            1 => write!(out, " alpn={}", listed(&mut value, string)),
            3 => write!(out, " port={}", value.u16()?),
            4 => {
                write!(out, " ipv4hint={}", listed(&mut value, |v| Some(Ipv4Addr::from(<[u8; 4]>::try_from(v.take(4)?).ok()?).to_string())))
            }
            5 => write!(out, " ech={length}"),
            6 => write!(
                out,
                " ipv6hint={}",
                listed(&mut value, |v| Some(Ipv6Addr::from(<[u8; 16]>::try_from(v.take(16)?).ok()?).to_string()))
            ),
            _ => write!(out, " key{key}"),
        };
    }
    Some(out)
}

fn listed<'a>(data: &mut Cursor<'a>, mut next: impl FnMut(&mut Cursor<'a>) -> Option<String>) -> String {
    let mut items = Vec::new();
    while data.left() > 0 && items.len() < 32 {
        let Some(item) = next(data) else { break };
        items.push(item);
    }
    items.join(",")
}
