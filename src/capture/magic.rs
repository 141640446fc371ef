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
    /// libpcap's, with its variants.
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
            [0x34, 0xcd, 0xb2, 0xa1, ..] => Some(Self::Pcap),
            _ => None,
        }
    }
}

/// What a file is that is no capture, with the cure where one is known.
pub(super) fn stranger(head: &[u8]) -> &'static str {
    match head {
        [] => "it is empty",
        [b'P', b'K', 3, 4, ..] => "it is a zip archive; unpack it first",
        [b'7', b'z', 0xbc, 0xaf, ..] => "it is a 7-Zip archive; unpack it first",
        [b'R', b'a', b'r', b'!', ..] => "it is a rar archive; unpack it first",
        [b's', b'n', b'o', b'o', b'p', 0, ..] => "it is a snoop file; convert it with editcap -F pcapng",
        [b'X', b'C', b'P', 0, ..] => "it is a NetXray file; convert it with editcap -F pcapng",
        [b'G', b'M', b'B', b'U', ..] => "it is a Network Monitor file; convert it with editcap -F pcapng",
        [0xa1, 0xb2, 0xcd, 0x34, ..] => "it is a big-endian modified pcap; convert it with editcap -F pcapng",
        _ if head.get(257..262) == Some(b"ustar") => "it is a tar archive; unpack it first",
        _ => "its first bytes are those of no capture format",
    }
}
