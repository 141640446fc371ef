//! A tiny writer of MMDB files (MaxMind DB format 2.0), for tests.

use std::net::IpAddr;

/// A value of the data section.
pub enum Datum {
    Text(&'static str),
    Double(f64),
    Number(u32),
    Small(u16),
    Long(u64),
    Map(Vec<(&'static str, Datum)>),
    Nothing,
}

fn control(out: &mut Vec<u8>, kind: u8, size: usize) {
    assert!(size < 285);
    let (low, more) = if size < 29 { (size as u8, None) } else { (29, Some((size - 29) as u8)) };
    match kind {
        1..=7 => out.push(kind << 5 | low),
        extended => out.extend([low, extended - 7]),
    }
    out.extend(more);
}

fn encode(out: &mut Vec<u8>, datum: &Datum) {
    match datum {
        Datum::Text(text) => {
            control(out, 2, text.len());
            out.extend(text.as_bytes());
        }
        Datum::Double(number) => {
            control(out, 3, 8);
            out.extend(number.to_be_bytes());
        }
        Datum::Number(number) => {
            control(out, 6, 4);
            out.extend(number.to_be_bytes());
        }
        Datum::Small(number) => {
            control(out, 5, 2);
            out.extend(number.to_be_bytes());
        }
        Datum::Long(number) => {
            control(out, 9, 8);
            out.extend(number.to_be_bytes());
        }
        // An empty list.
        Datum::Nothing => control(out, 11, 0),
        Datum::Map(entries) => {
            control(out, 7, entries.len());
            for (name, value) in entries {
                encode(out, &Datum::Text(name));
                encode(out, value);
            }
        }
    }
}

/// A database of IPv6 (IPv4 at `::/96`) that knows exactly these addresses.
pub fn database(kind: &'static str, built: u32, entries: &[(IpAddr, Datum)]) -> Vec<u8> {
    // Nodes of 24-bit records; 0 is empty until the number of nodes is known.
    let mut nodes: Vec<[Option<usize>; 2]> = vec![[None; 2]];
    let mut leaves: Vec<(usize, usize, usize)> = Vec::new();
    let mut data = Vec::new();
    for (address, datum) in entries {
        let bits = match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mut node = 0;
        for bit in (1..128).rev() {
            let side = (bits >> bit & 1) as usize;
            node = match nodes[node][side] {
                Some(next) => next,
                None => {
                    nodes.push([None; 2]);
                    let next = nodes.len() - 1;
                    nodes[node][side] = Some(next);
                    next
                }
            };
        }
        leaves.push((node, (bits & 1) as usize, data.len()));
        encode(&mut data, datum);
    }
    let count = nodes.len();
    let mut out = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        for side in 0..2 {
            let leaf = leaves.iter().find(|(node, of, _)| (*node, *of) == (at, side)).map(|(.., offset)| count + 16 + offset);
            let record = node[side].or(leaf).unwrap_or(count) as u32;
            out.extend(&record.to_be_bytes()[1..]);
        }
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = Datum::Map(vec![
        ("binary_format_major_version", Datum::Small(2)),
        ("binary_format_minor_version", Datum::Small(0)),
        ("build_epoch", Datum::Long(built.into())),
        ("database_type", Datum::Text(kind)),
        ("description", Datum::Map(Vec::new())),
        ("ip_version", Datum::Small(6)),
        ("languages", Datum::Nothing),
        ("node_count", Datum::Number(count as u32)),
        ("record_size", Datum::Small(24)),
    ]);
    encode(&mut out, &metadata);
    out
}
