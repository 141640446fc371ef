//! Numbered frames in blocks from files, streams and interfaces; hashes what it reads.
//!
//! ```text
//! stored ─unpack→ window ─pcap|pcapng→ ledger → block
//!    └─hash
//! ```
//!
//! `stored` reads a file once in large buffers, which the hash threads share. `unpack` undoes compression. A `window` slides over
//! the result, in which `pcap` and `pcapng` find frames; the `ledger` books each and puts it in the block. `files` lets the
//! captures of a case take turns. Damage never stops reading: it becomes rows, and reading resumes where it can.

#[cfg(feature = "case")]
pub mod filter;
#[cfg(feature = "case")]
pub mod live;
#[cfg(feature = "case")]
pub mod ring;
pub mod write;

mod again;
mod beside;
mod error;
mod evidence;
mod files;
mod hash;
mod ledger;
mod magic;
mod pcap;
mod pcapng;
mod progress;
mod reader;
mod single;
mod stored;
mod unpack;
mod window;

#[cfg(test)]
mod tests;

pub use again::{Again, Readings};
pub use error::Error;
pub use files::{Files, Options, PacketSource, open};
pub use hash::{Digests, Hash, hash_file};
pub use ledger::Origin;
pub use progress::Progress;
pub use single::read;
