//! Vendors of hardware addresses, out of the IEEE's public registry (`scripts/oui.py` makes the list).

use super::Mac;
use std::collections::BTreeMap;

/// The registry: a line with its date, then prefix and holder, sorted; compressed with zstd.
const REGISTRY: &[u8] = include_bytes!("oui.zst");
/// Bytes that it may have when unpacked.
const UNPACKED_MAX: usize = 8 << 20;

/// What the registry says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Its prefix belongs to this organisation.
    Registered(String),
    /// It was made up on the spot: by telephones for privacy, by virtual machines, by people.
    Local,
    /// It is the address of a group.
    Group,
    /// Its prefix is nobody's, as far as this list goes.
    Unknown,
}

/// The registry, read anew for each use: a few milliseconds, and no memory in between.
pub struct Registry {
    text: String,
}

impl Registry {
    /// Unpacks it.
    pub fn open() -> std::io::Result<Self> {
        let text = zstd::bulk::decompress(REGISTRY, UNPACKED_MAX)?;
        Ok(Self { text: String::from_utf8(text).map_err(std::io::Error::other)? })
    }

    /// The day it was made, `2026-08-26`.
    pub fn date(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// Vendors of many addresses in one pass. Of several prefixes that fit, the longest counts.
    pub fn vendors(&self, macs: impl IntoIterator<Item = Mac>) -> BTreeMap<Mac, Vendor> {
        let mut wanted: BTreeMap<String, Option<&str>> = BTreeMap::new();
        let macs: Vec<Mac> = macs.into_iter().collect();
        for mac in &macs {
            wanted.extend(prefixes(*mac).map(|prefix| (prefix, None)));
        }
        for (prefix, name) in self.text.lines().skip(1).filter_map(|line| line.split_once('\t')) {
            if let Some(known) = wanted.get_mut(prefix) {
                *known = Some(name);
            }
        }
        let vendor = |mac: Mac| {
            let found = prefixes(mac).find_map(|prefix| wanted.get(&prefix).copied().flatten());
            match found {
                _ if mac.0[0] & 1 == 1 => Vendor::Group,
                // Before there was that bit, prefixes with it were given away.
                Some(name) => Vendor::Registered(name.to_owned()),
                None if mac.0[0] & 2 == 2 => Vendor::Local,
                None => Vendor::Unknown,
            }
        };
        macs.iter().map(|mac| (*mac, vendor(*mac))).collect()
    }
}

/// Prefixes of 36, 28 and 24 bits, in hex.
fn prefixes(mac: Mac) -> impl Iterator<Item = String> {
    let text: String = mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
    [9, 7, 6].into_iter().filter_map(move |length| text.get(..length).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor(mac: [u8; 6]) -> Vendor {
        Registry::open().expect("the list unpacks").vendors([Mac(mac)]).remove(&Mac(mac)).expect("an answer for each address")
    }

    #[test]
    fn a_prefix_of_the_registry_names_its_vendor() {
        assert_eq!(vendor([0x00, 0x00, 0x0c, 1, 2, 3]), Vendor::Registered("Cisco Systems, Inc".into()));
    }

    #[test]
    fn of_a_block_that_was_handed_on_in_parts_the_part_counts() {
        assert_eq!(vendor([0x70, 0xb3, 0xd5, 0x71, 0x9f, 0xff]), Vendor::Registered("2M Technology".into()));
    }

    #[test]
    fn addresses_made_up_on_the_spot_and_groups_have_no_vendor() {
        assert_eq!(vendor([0x02, 0x42, 0xac, 0x11, 0, 2]), Vendor::Local);
        assert_eq!(vendor([0x01, 0x00, 0x5e, 0, 0, 0xfb]), Vendor::Group);
        assert_eq!(vendor([0xff; 6]), Vendor::Group);
    }

    #[test]
    fn the_list_tells_its_date_and_holds_all_sizes_of_blocks() {
        let registry = Registry::open().expect("the list unpacks");
        assert!(registry.date().len() == 10 && registry.date().starts_with("20"), "{}", registry.date());
        let lengths: std::collections::BTreeSet<usize> =
            registry.text.lines().skip(1).filter_map(|line| line.split_once('\t')).map(|(prefix, _)| prefix.len()).collect();
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [6, 7, 9]);
        let sorted = registry.text.lines().skip(1).collect::<Vec<_>>();
        assert!(sorted.len() > 50_000 && sorted.is_sorted_by_key(|line| line.split_once('\t').map(|(prefix, _)| prefix)));
    }
}
