//! Packet headers (RFC 9000 17, RFC 8999) and the versions that wear them.

use super::bytes::Bytes;

/// Long headers of version 1 allow connection ids of at most this length (RFC 9000 17.2).
const ID_MAX: usize = 20;
/// A greased version (RFC 9000 15) counts only in datagrams of full size (RFC 9000 14.1).
const FULL_SIZE: usize = 1_200;

/// Kinds of packets with a long header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Opens the connection; its key is known to everybody.
    Initial,
    /// Data before the handshake is over.
    ZeroRtt,
    /// The rest of the handshake, encrypted.
    Handshake,
    /// The server asks for proof of the client's address.
    Retry,
    /// Version negotiation.
    Negotiation,
}

/// A version's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Version(pub u32);

impl Version {
    /// QUIC version 2 (RFC 9369) and the draft that had another number.
    pub fn is_2(self) -> bool {
        matches!(self.0, 0x6b33_43cf | 0x709a_50c4)
    }

    /// One of Google's own, `Q` or `T` with three digits.
    pub fn is_google(self) -> bool {
        matches!(self.0.to_be_bytes(), [b'Q' | b'T', b'0', b'0'..=b'9', b'0'..=b'9'])
    }

    /// Google's own handshake instead of TLS.
    pub fn is_google_crypto(self) -> bool {
        self.is_google() && self.0 >> 24 == u32::from(b'Q')
    }

    /// Google's long headers before Q050: both lengths in one byte, a packet number in clear, no encryption of the hello.
    pub fn is_google_clear(self) -> bool {
        self.is_google_crypto() && self.0 < 0x5130_3530
    }

    /// Reserved to force version negotiation (RFC 9000 15).
    pub fn is_grease(self) -> bool {
        self.0 & 0x0f0f_0f0f == 0x0a0a_0a0a
    }

    /// A version whose first packets can be read here.
    pub fn is_known(self) -> bool {
        matches!(self.0, 1 | 0xff00_0015..=0xff00_0022 | 0xface_b000..=0xface_b0ff) || self.is_2() || self.is_google()
    }

    /// As Zeek names it where Zeek knows it.
    pub fn name(self) -> String {
        match self.0 {
            1 => "1".to_owned(),
            0x6b33_43cf => "quicv2".to_owned(),
            0xff00_0000..=0xff00_00ff => format!("draft-{}", self.0 & 0xff),
            0xface_b000..=0xface_b0ff => format!("mvfst-{:03x}", self.0 & 0xfff),
            _ if self.is_google() => self.0.to_be_bytes().map(char::from).iter().collect(),
            other => format!("unknown-{other:x}"),
        }
    }
}

/// A long header up to what its version may define.
pub struct Long<'a> {
    /// First byte, its low bits protected.
    pub first: u8,
    /// Version.
    pub version: Version,
    /// Destination connection id.
    pub dcid: &'a [u8],
    /// Source connection id.
    pub scid: &'a [u8],
    /// What follows.
    pub rest: &'a [u8],
}

impl<'a> Long<'a> {
    /// Reads the part that all versions share (RFC 8999 5.1), and what Google made of it before.
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let mut bytes = Bytes(datagram);
        let first = bytes.u8().filter(|first| first & 0x80 != 0)?;
        let version = Version(u32::from(bytes.u16()?) << 16 | u32::from(bytes.u16()?));
        let (dcid, scid) = if version.is_google_clear() {
            let lengths = bytes.u8()?;
            let id = |nibble: u8| if nibble == 0 { 0 } else { usize::from(nibble) + 3 };
            (bytes.take(id(lengths >> 4))?, bytes.take(id(lengths & 15))?)
        } else {
            (bytes.vec8()?, bytes.vec8()?)
        };
        Some(Self { first, version, dcid, scid, rest: bytes.0 })
    }

    /// What kind of packet it is: version 2 counts differently (RFC 9369 3.2).
    pub fn kind(&self) -> Kind {
        if self.version.0 == 0 {
            return Kind::Negotiation;
        }
        let bits = self.first >> 4 & 3;
        match if self.version.is_2() { (bits + 3) & 3 } else { bits } {
            0 => Kind::Initial,
            1 => Kind::ZeroRtt,
            2 => Kind::Handshake,
            _ => Kind::Retry,
        }
    }

    /// The versions listed in a version negotiation.
    pub fn versions(&self) -> impl Iterator<Item = Version> + use<'a> {
        self.rest.as_chunks::<4>().0.iter().map(|bytes| Version(u32::from_be_bytes(*bytes)))
    }

    /// Whether nobody else would begin a datagram like this.
    pub fn is_convincing(&self, datagram: usize) -> bool {
        let ids = self.dcid.len() <= ID_MAX && self.scid.len() <= ID_MAX;
        let known = match self.version.0 {
            0 => self.rest.len() >= 4 && self.rest.len().is_multiple_of(4) && self.versions().any(Version::is_known),
            // Drafts before 21 hid their ids differently; the name is all that is read of them.
            0xff00_0001..=0xff00_0014 => return self.first & 0x40 != 0 && datagram > 20,
            _ if self.version.is_grease() => datagram >= FULL_SIZE,
            _ => self.version.is_known(),
        };
        ids && known && (self.first & 0x40 != 0 || self.version.0 == 0) && datagram > 20
    }
}

/// A variable-length integer (RFC 9000 16).
pub fn varint(bytes: &mut Bytes<'_>) -> Option<u64> {
    let first = bytes.u8()?;
    let mut value = u64::from(first & 0x3f);
    for _ in 1..1u32 << (first >> 6) {
        value = value << 8 | u64::from(bytes.u8()?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_of_rfc_9000_a_1() {
        let cases: [(&[u8], u64); 5] = [
            (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ];
        for (bytes, value) in cases {
            assert_eq!(varint(&mut Bytes(bytes)), Some(value));
            assert_eq!(varint(&mut Bytes(&bytes[..bytes.len() - 1])), None);
        }
    }

    #[test]
    fn versions_have_their_usual_names() {
        let cases = [(1, "1"), (0x6b33_43cf, "quicv2"), (0xff00_001d, "draft-29"), (0xface_b002, "mvfst-002"), (0x5130_3436, "Q046")];
        for (number, name) in cases {
            assert_eq!(Version(number).name(), name);
        }
        assert_eq!(Version(0x1a2a_3a4a).name(), "unknown-1a2a3a4a");
    }
}
