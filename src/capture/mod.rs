//! Numbered frames in blocks from files, streams and interfaces; hashes what it reads.

pub mod write;
