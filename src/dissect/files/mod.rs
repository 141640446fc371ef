//! Transferred files, whatever protocol carries them: type by content, digests, entropy. A file is never held whole.

mod magic;

use super::{entropy, hex};
use crate::model::event::{File, X509};
use md5::{Digest, Md5};
use sha1::Sha1;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub use magic::mime_type;

/// First bytes kept to recognise the type.
pub const SNIFF: usize = 1_024;
/// Bytes whose entropy is taken.
const ENTROPY_BYTES: u64 = 64 << 10;
/// First bytes shown.
const SHOWN: usize = 64;
/// Where ISO 9660 says that it is one (ECMA-119 8.4: sixteenth sector, after one byte of type).
const ISO_AT: u64 = 32_769;
const ISO_MAGIC: &[u8; 5] = b"CD001";

/// Bytes of all files together that this process keeps: 0, nothing, unless somebody asks.
static KEEP: AtomicU64 = AtomicU64::new(0);

/// From now on the content of files is kept until they end, up to `bytes` of all of them together: for taking files out of evidence.
/// What does not fit loses its content, never its digests.
pub fn keep_contents(bytes: u64) {
    KEEP.store(bytes, Relaxed);
}

/// Takes `bytes` out of what may be kept.
fn reserve(bytes: u64) -> bool {
    KEEP.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

/// A copy of content that is at hand, if it is to be kept.
fn kept(bytes: &[u8]) -> Option<Vec<u8>> {
    (KEEP.load(Relaxed) > 0 && reserve(bytes.len() as u64)).then(|| bytes.to_vec())
}

/// Reads one file as its bytes come by.
pub struct FileReader {
    digests: Option<Digests>,
    counts: Box<[u32; 256]>,
    head: Vec<u8>,
    iso: Vec<u8>,
    seen: u64,
    missing: u64,
    kept: Option<Vec<u8>>,
}

struct Digests {
    md5: Md5,
    sha1: Sha1,
    sha256: ring::digest::Context,
}

impl Default for FileReader {
    fn default() -> Self {
        let digests = Digests { md5: Md5::new(), sha1: Sha1::new(), sha256: ring::digest::Context::new(&ring::digest::SHA256) };
        let kept = (KEEP.load(Relaxed) > 0).then(Vec::new);
        Self { digests: Some(digests), counts: Box::new([0; 256]), head: Vec::new(), iso: Vec::new(), seen: 0, missing: 0, kept }
    }
}

impl FileReader {
    /// Takes the next bytes.
    pub fn data(&mut self, bytes: &[u8]) {
        let position = self.seen.saturating_add(self.missing);
        let room = SNIFF.saturating_sub(self.head.len());
        if self.missing == 0 && room > 0 {
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let counted = ENTROPY_BYTES.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
        for &byte in &bytes[..counted] {
            self.counts[usize::from(byte)] += 1;
        }
        let from = ISO_AT.saturating_sub(position).min(bytes.len() as u64) as usize;
        if self.iso.len() < ISO_MAGIC.len() && position <= ISO_AT + self.iso.len() as u64 {
            let wanted = ISO_MAGIC.len() - self.iso.len();
            self.iso.extend(bytes[from..].iter().take(wanted));
        }
        if let Some(digests) = &mut self.digests {
            digests.md5.update(bytes);
            digests.sha1.update(bytes);
            digests.sha256.update(bytes);
        }
        if let Some(mut kept) = self.kept.take().filter(|_| reserve(bytes.len() as u64)) {
            kept.extend_from_slice(bytes);
            self.kept = Some(kept);
        }
        self.seen += bytes.len() as u64;
    }

    /// Bytes are lost: there are no digests of half a file.
    pub fn gap(&mut self, missing: u64) {
        // Where a part lies is what the other side says: NFS and SMB may say anything.
        self.missing = self.missing.saturating_add(missing);
        self.digests = None;
    }

    /// Bytes seen.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// First bytes, up to [`SNIFF`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What is known of it; the caller adds names. `complete`: this was the last byte and none is missing.
    pub fn finish(self, complete: bool) -> File {
        let complete = complete && self.missing == 0;
        let mut file = File {
            mime_type: if self.iso == ISO_MAGIC {
                Some("application/x-iso9660-image".to_owned())
            } else {
                mime_type(&self.head).map(str::to_owned)
            },
            seen_bytes: self.seen,
            missing_bytes: self.missing,
            entropy: self.entropy(),
            first_bytes: hex(&self.head[..self.head.len().min(SHOWN)]),
            complete,
            ..File::default()
        };
        if let Some(digests) = self.digests.filter(|_| complete) {
            file.md5 = Some(hex(&digests.md5.finalize()));
            file.sha1 = Some(hex(&digests.sha1.finalize()));
            file.sha256 = Some(hex(digests.sha256.finish().as_ref()));
            file.content = self.kept;
        }
        file
    }

    fn entropy(&self) -> Option<f64> {
        let total = f64::from(self.counts.iter().sum::<u32>());
        (total > 0.0).then(|| {
            let shares = self.counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total);
            shares.map(|share| -share * share.log2()).sum()
        })
    }
}

/// A certificate as the file that it is, of which the digests are known but one.
pub fn certificate(der: &[u8], row: &X509) -> File {
    let kind = if row.host_cert { "application/x-x509-user-cert" } else { "application/x-x509-ca-cert" };
    File {
        mime_type: Some(kind.to_owned()),
        seen_bytes: der.len() as u64,
        md5: Some(hex(&Md5::digest(der))),
        sha1: Some(row.sha1.clone()),
        sha256: Some(row.fingerprint.clone()),
        entropy: entropy(der),
        first_bytes: hex(&der[..der.len().min(SHOWN)]),
        complete: true,
        content: kept(der),
        ..File::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> File {
        let mut reader = FileReader::default();
        pieces.iter().for_each(|piece| reader.data(piece));
        reader.finish(true)
    }

    #[test]
    fn a_part_may_lie_anywhere() {
        let mut reader = FileReader::default();
        reader.data(b"abc");
        reader.gap(u64::MAX - 1);
        reader.data(b"def");
        reader.gap(u64::MAX);
        reader.data(b"ghi");
        let file = reader.finish(true);
        assert_eq!((file.seen_bytes, file.missing_bytes, file.complete, file.md5), (9, u64::MAX, false, None));
    }

    #[test]
    fn digests_are_those_of_the_standards_however_the_file_is_cut() {
        let file = read(&[b"a", b"", b"bc"]);
        assert_eq!(file.md5.as_deref(), Some("900150983cd24fb0d6963f7d28e17f72"));
        assert_eq!(file.sha1.as_deref(), Some("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert_eq!(file.sha256.as_deref(), Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        assert_eq!((file.seen_bytes, file.complete, file.first_bytes.as_str()), (3, true, "616263"));
    }

    #[test]
    fn half_a_file_has_no_digest_but_a_size() {
        let mut reader = FileReader::default();
        reader.data(b"MZ");
        reader.gap(100);
        reader.data(b"..");
        let file = reader.finish(true);
        assert_eq!((file.sha256, file.complete, file.seen_bytes, file.missing_bytes), (None, false, 4, 100));
    }

    #[test]
    fn a_disc_image_is_known_by_its_sixteenth_sector() {
        let mut image = vec![0u8; 40_000];
        image[32_768..32_774].copy_from_slice(b"\x01CD001");
        for cut in [1, 32_768, 32_770, 32_773, 39_999] {
            let (a, b) = image.split_at(cut);
            assert_eq!(read(&[a, b]).mime_type.as_deref(), Some("application/x-iso9660-image"), "cut at {cut}");
        }
    }
}
