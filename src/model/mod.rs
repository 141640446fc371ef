//! The nouns: what the floors say to each other. No behaviour beyond what a noun knows about itself.
//!
//! `Frame` (bytes as captured) → `Packet` (what one frame says) → `Flow` (both directions) →
//! `AppEvent` (one message of one protocol) → `Finding` → `Incident` → `Report`.

pub mod anomaly;
pub mod beside;
pub mod capture;
pub mod event;
pub mod finding;
pub mod flow;
pub mod frame;
pub mod keys;
pub mod limits;
pub mod net;
pub mod oui;
pub mod packet;
pub mod process;
pub mod report;
pub mod time;
pub mod windows;

pub use beside::{Beside, Secrets};
pub use capture::{CaptureInfo, Damage, DamageKind};
pub use event::{AppEvent, Conn, Dir, Event};
pub use finding::{Finding, Outcome, Severity};
pub use flow::{Flow, FlowId};
pub use frame::{Block, Frame, FrameMeta, LinkType};
pub use keys::Keys;
pub use limits::{CapHit, Limits};
pub use net::{HomeNets, Mac, Proto};
pub use packet::Packet;
pub use process::FlowProcess;
pub use report::Report;
pub use time::Ts;
