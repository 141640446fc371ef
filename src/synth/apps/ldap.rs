//! LDAP (RFC 4511), as far as a JNDI look-up or an address book goes.

use super::x509::{element, integer};
use crate::synth::Tcp;

fn message(id: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&integer(&[id]), operation].concat())
}

fn text(value: &str) -> Vec<u8> {
    element(0x04, value.as_bytes())
}

/// Result code 0, no matched name, no words.
fn success(tag: u8) -> Vec<u8> {
    element(tag, &[&[0x0a, 1, 0][..], &text(""), &text("")].concat())
}

/// A filter: all of these hold.
pub fn all_of(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0xa0, &parts.concat())
}

/// A filter: the attribute is there.
pub fn present(attribute: &str) -> Vec<u8> {
    element(0x87, attribute.as_bytes())
}

/// A filter: the attribute has that value.
pub fn equals(attribute: &str, value: &str) -> Vec<u8> {
    element(0xa3, &[text(attribute), text(value)].concat())
}

/// A filter: these bits of the attribute are set (Microsoft's matching rule).
pub fn has_bits(attribute: &str, bits: &str) -> Vec<u8> {
    let parts = [(0x81, "1.2.840.113556.1.4.803"), (0x82, attribute), (0x83, bits)];
    element(0xa9, &parts.map(|(tag, value)| element(tag, value.as_bytes())).concat())
}

impl Tcp<'_> {
    /// An anonymous bind, accepted.
    pub fn ldap_bind(&mut self) {
        let bind = element(0x60, &[integer(&[3]), text(""), element(0x80, b"")].concat());
        self.send(&message(1, &bind));
        self.reply(&message(1, &success(0x61)));
    }

    /// A search for anything under `base`, answered by one entry with these attributes.
    pub fn ldap_search(&mut self, base: &str, attributes: &[(&str, &str)]) {
        let scope = [0x0a, 1, 0, 0x0a, 1, 3, 2, 1, 0, 2, 1, 0, 1, 1, 0];
        let present = element(0x87, b"objectClass");
        let search = element(0x63, &[&text(base), &scope[..], &present, &element(0x30, &[])].concat());
        self.send(&message(2, &search));
        let pairs: Vec<u8> =
            attributes.iter().flat_map(|(name, value)| element(0x30, &[text(name), element(0x31, &text(value))].concat())).collect();
        let entry = element(0x64, &[text(base), element(0x30, &pairs)].concat());
        self.reply(&[message(2, &entry), message(2, &success(0x65))].concat());
    }

    /// A search of the whole tree by a filter in its encoding, answered by so many entries of one name each.
    pub fn ldap_find(&mut self, base: &str, filter: &[u8], entries: usize) {
        let scope = [0x0a, 1, 2, 0x0a, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0];
        let search = element(0x63, &[&text(base), &scope[..], filter, &element(0x30, &text("cn"))].concat());
        self.send(&message(4, &search));
        let entry = |number: usize| {
            let pair = element(0x30, &[text("cn"), element(0x31, &text(&format!("account{number}")))].concat());
            message(4, &element(0x64, &[text(&format!("CN=account{number},{base}")), element(0x30, &pair)].concat()))
        };
        let answer: Vec<u8> = (0..entries).flat_map(entry).chain(message(4, &success(0x65))).collect();
        self.reply(&answer);
    }

    /// Good-bye.
    pub fn ldap_unbind(&mut self) {
        self.send(&message(3, &[0x42, 0]));
    }
}
