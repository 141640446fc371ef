//! What the first bytes of a file say it is. Names and endings are never asked.

/// Compressions that are undone while reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// The `.xz` container.
    Xz,
    /// bzip2.
    Bzip2,
    /// The LZ4 frame format.
    Lz4,
}

/// First and last magic of frames that hold metadata, shared by Zstandard and LZ4.
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;

impl Compression {
    /// As stored in `captures.compression`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        }
    }

    /// The compression that begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Self::Bzip2),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            // Only Zstandard's tools put such a frame first.
            _ if skippable(head) => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Whether a frame of metadata, to be skipped, begins here.
pub(super) fn skippable(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|magic| SKIPPABLE.contains(&u32::from_le_bytes(*magic)))
}

/// Capture formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// libpcap's, with its variants, and snoop's.
    Pcap,
    /// Blocks.
    Pcapng,
}

impl Format {
    /// The format that begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => Some(Self::Pcapng),
            [0xd4, 0xc3, 0xb2, 0xa1, ..] | [0xa1, 0xb2, 0xc3, 0xd4, ..] => Some(Self::Pcap),
            [0x4d, 0x3c, 0xb2, 0xa1, ..] | [0xa1, 0xb2, 0x3c, 0x4d, ..] => Some(Self::Pcap),
            [0x34, 0xcd, 0xb2, 0xa1, ..] | [0xa1, 0xb2, 0xcd, 0x34, ..] => Some(Self::Pcap),
            [b's', b'n', b'o', b'o', b'p', 0, 0, 0, 0, 0, 0, 2, ..] => Some(Self::Pcap),
            _ => None,
        }
    }
}

/// First bytes of capture formats that are not read, and whose they are; all of them Wireshark converts.
const CONVERTIBLE: [(&[u8], &str); 20] = [
    (b"snoop\0\0\0", "snoop file of a version other than 2"),
    (b"XCP\0", "NetXRay or Sniffer Windows file"),
    (b"VL\0\0", "NetXRay file"),
    (b"TRSNIFF data", "Sniffer DOS file"),
    (b"RTSS", "Network Monitor 1 file"),
    (b"GMBU", "Network Monitor 2 file"),
    (b"iptrace 1.0", "AIX iptrace file"),
    (b"iptrace 2.0", "AIX iptrace file"),
    (b"btsnoop\0", "btsnoop file"),
    (b"\x05VNF", "Visual Networks file"),
    (b"\x7fver", "Peek file"),
    (b"EyeSDN", "EyeSDN file"),
    (b"\xaa\xaa\xaa\xaa", "5View file"),
    (b"\x54\x52\x00\x64", "HP-UX nettl file"),
    (b"\x00\x00\x02\x00\x12\x05", "Tektronix K12 file"),
    (b"NCFX", "CommView file"),
    (b"NCF\0", "CommView file"),
    (b"\x1c\x00\x01\xac", "IXIA lcap file"),
    (b"\xac\x01\x00\x1c", "IXIA lcap file"),
    (b"\xab\x01\x00\x1c", "IXIA lcap file"),
];

/// First bytes of archives.
const ARCHIVES: [(&[u8], &str); 3] = [(b"PK\x03\x04", "zip"), (b"7z\xbc\xaf", "7-Zip"), (b"Rar!", "rar")];

/// What a file is that is no capture, with the cure where one is known.
pub(super) fn stranger(head: &[u8]) -> String {
    if head.is_empty() {
        return "it is empty".into();
    }
    if let Some((_, kind)) = ARCHIVES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return format!("it is a {kind} archive; unpack it first");
    }
    if head.get(257..262) == Some(b"ustar") {
        return "it is a tar archive; unpack it first".into();
    }
    match CONVERTIBLE.iter().find(|(magic, _)| head.starts_with(magic)) {
        Some((_, kind)) => format!("it looks like a {kind}; convert it with `editcap -F pcapng IN OUT`"),
        None => "its first bytes are those of no capture format; if Wireshark opens it, convert it with `editcap -F pcapng IN OUT`".into(),
    }
}
