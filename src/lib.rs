//! vigil: packets in, an answer that can be defended out.
//!
//! ```text
//! pcap ─capture→ Frame ─decode→ Packet ─flow→ Flow ─dissect→ AppEvent ─store→ tables
//!                                             tables ─detect→ Finding ─incident→ Incident ─report→ html …
//! ```
//!
//! The modules below stand in reading order, and that order is the rule: a floor uses only the floors before it.
//! `tests/it/floor_plan.rs` enforces it.

pub mod model;
pub mod capture;
pub mod decode;
pub mod dissect;
pub mod flow;
pub mod synth;
#[cfg(feature = "case")]
pub mod store;
#[cfg(feature = "case")]
pub mod enrich;
#[cfg(feature = "case")]
pub mod detect;
#[cfg(feature = "case")]
pub mod incident;
#[cfg(feature = "case")]
pub mod narrate;
#[cfg(feature = "case")]
pub mod report;
#[cfg(feature = "case")]
pub mod pipeline;
#[cfg(feature = "case")]
pub mod serve;
#[cfg(feature = "case")]
pub mod cli;
