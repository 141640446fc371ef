//! Which program of the watched machine a flow belongs to.

use super::{FlowId, Ts};

/// A program at one end of a flow: a row of `flow_process`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowProcess {
    /// The flow.
    pub flow: FlowId,
    /// Its first packet.
    pub ts_ns: Ts,
    /// The program's end is the originator.
    pub originator: bool,
    /// Process id.
    pub pid: u32,
    /// Path of the executable; the short name where the path may not be read.
    pub executable: String,
    /// Arguments, joined by spaces, capped.
    pub command: String,
    /// User id that owns the socket.
    pub uid: u32,
    /// Name of that user; empty if unknown.
    pub user: String,
}
