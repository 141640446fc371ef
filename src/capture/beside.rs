//! Gathers what a capture says beside its packets, within caps: whoever writes captures can write any amount of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::CapHit;
use crate::model::beside::{Beside, Comment, Interface, OtherBlock, ResolvedName};

/// Comments kept per capture, their bytes, and characters of each.
const COMMENTS_MAX: usize = 20_000;
const COMMENT_BYTES_MAX: usize = 8 << 20;
const COMMENT_CHARS_MAX: usize = 4_000;
/// Names kept per capture, and characters of each.
const NAMES_MAX: usize = 50_000;
const NAME_CHARS_MAX: usize = 255;
/// Interfaces kept per capture, and characters of each of their texts.
pub(super) const INTERFACES_MAX: usize = 1_000;
pub(super) const INTERFACE_CHARS_MAX: usize = 1_000;
/// Other blocks kept per capture.
const BLOCKS_MAX: usize = 1_000;
/// Bytes of secrets kept per capture.
const SECRET_BYTES_MAX: usize = 16 << 20;

/// What was gathered so far.
#[derive(Default)]
pub(super) struct Gathered {
    kept: Beside,
    names: BTreeSet<ResolvedName>,
    comment_bytes: usize,
    secret_bytes: usize,
    hits: BTreeMap<&'static str, (usize, u64)>,
}

impl Gathered {
    /// Keeps a comment; empty ones say nothing.
    pub(super) fn comment(&mut self, comment: Comment) {
        let text = said(&comment.text, COMMENT_CHARS_MAX);
        if text.is_empty() {
            return;
        }
        if self.kept.comments.len() >= COMMENTS_MAX || self.comment_bytes + text.len() > COMMENT_BYTES_MAX {
            return self.hit("capture_comments", COMMENTS_MAX);
        }
        self.comment_bytes += text.len();
        self.kept.comments.push(Comment { text, ..comment });
    }

    /// Keeps a name. Captures that were rotated repeat theirs: each is kept once.
    pub(super) fn name(&mut self, name: ResolvedName) {
        let name = ResolvedName { name: said(&name.name, NAME_CHARS_MAX), server: said(&name.server, NAME_CHARS_MAX), ..name };
        if name.name.is_empty() || self.names.contains(&name) {
            return;
        }
        if self.names.len() >= NAMES_MAX {
            return self.hit("capture_names", NAMES_MAX);
        }
        self.names.insert(name);
    }

    /// Keeps an interface whose section is over.
    pub(super) fn interface(&mut self, interface: Interface) {
        self.kept.interfaces.push(interface);
    }

    /// Notes that an interface was described for which there was no row any more.
    pub(super) fn interface_left_out(&mut self) {
        self.hit("capture_interfaces", INTERFACES_MAX);
    }

    /// Keeps a block; those of one unknown type share a row.
    pub(super) fn block(&mut self, block: OtherBlock) {
        let shares = |row: &&mut OtherBlock| row.kind == block.kind && block.pen.is_none() && block.name() != "systemd_journal";
        if let Some(row) = self.kept.blocks.iter_mut().find(shares) {
            row.count += block.count;
            row.bytes += block.bytes;
        } else if self.kept.blocks.len() < BLOCKS_MAX {
            self.kept.blocks.push(block);
        } else {
            self.hit("capture_blocks", BLOCKS_MAX);
        }
    }

    /// Whether there is room for so many bytes of secrets.
    pub(super) fn takes_secrets(&mut self, bytes: usize) -> bool {
        let takes = self.secret_bytes.saturating_add(bytes) <= SECRET_BYTES_MAX;
        if takes {
            self.secret_bytes += bytes;
        } else {
            self.hit("capture_secret_bytes", SECRET_BYTES_MAX);
        }
        takes
    }

    /// All of it.
    pub(super) fn finish(self) -> Beside {
        let cap = |(cap, (limit, hits)): (&str, (usize, u64))| CapHit { cap: cap.into(), limit: limit as u64, hits };
        Beside { names: self.names.into_iter().collect(), caps: self.hits.into_iter().map(cap).collect(), ..self.kept }
    }

    fn hit(&mut self, cap: &'static str, limit: usize) {
        self.hits.entry(cap).or_insert((limit, 0)).1 += 1;
    }
}

/// Text as said, without the zeros and spaces that pad it, cut at so many characters.
pub(super) fn said(text: &str, chars: usize) -> String {
    text.trim_end_matches('\0').trim().chars().take(chars).collect()
}
