//! Caps: each has a name, a default, a flag, a counter and a line in the report.

use super::{Keys, Ts, time::SECOND};

/// What vigil will hold in memory, and how long flows wait. All caps are counted in logical bytes or entries, so that they
/// strike at the same packet on every machine.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Limits {
    /// Open flows over all shards (`--max-flows`).
    pub flows: usize,
    /// Bytes held for reordering, per direction of a flow.
    pub stream_bytes: usize,
    /// Bytes held for reordering, over all shards.
    pub reassembly_bytes: usize,
    /// Bytes of one direction given to a dissector before it is asked to stop; long transfers go on being counted.
    pub dissect_bytes: u64,
    /// Bytes held for putting fragments together.
    pub fragment_bytes: usize,
    /// Fragments wait this long for their siblings.
    pub fragment_wait: i64,
    /// ICMP messages stored per flow.
    pub icmp_rows: u32,
    /// UDP flows end after this silence.
    pub udp_idle: i64,
    /// ICMP flows end after this silence.
    pub icmp_idle: i64,
    /// TCP flows end after this silence.
    pub tcp_idle: i64,
    /// Unanswered SYNs wait this long.
    pub tcp_attempt: i64,
    /// A closed TCP flow waits this long for stragglers.
    pub tcp_linger: i64,
    /// A reset TCP flow waits this long.
    pub tcp_reset_linger: i64,
    /// Flows longer than this are cut in rows; 0 is never.
    pub active: i64,
    /// Keys with which TLS can be read. No cap, but it goes where they go: to every flow.
    #[serde(skip)]
    pub keys: Keys,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: 1_000_000,
            stream_bytes: 1 << 20,
            reassembly_bytes: 256 << 20,
            dissect_bytes: 64 << 20,
            fragment_bytes: 32 << 20,
            fragment_wait: 60 * SECOND,
            icmp_rows: 1_000,
            udp_idle: 60 * SECOND,
            icmp_idle: 60 * SECOND,
            tcp_idle: 300 * SECOND,
            tcp_attempt: 5 * SECOND,
            tcp_linger: 5 * SECOND,
            tcp_reset_linger: SECOND / 10,
            active: 0,
            keys: Keys::default(),
        }
    }
}

impl Limits {
    /// Caps that keep vigil inside `memory` bytes.
    pub fn for_memory(memory: u64) -> Self {
        let share = |part: u64, most: usize| usize::try_from(memory / part).unwrap_or(most).min(most);
        Self {
            flows: share(8_192, 4_000_000).max(4_096),
            reassembly_bytes: share(8, 256 << 20),
            fragment_bytes: share(32, 64 << 20),
            ..Self::default()
        }
    }
}

/// A cap that was reached: a line of the coverage box.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CapHit {
    /// Name of the cap, as in [`Limits`].
    pub cap: String,
    /// Its value.
    pub limit: u64,
    /// How often it was reached.
    pub hits: u64,
}

/// A moment far before any packet, for comparisons.
pub const LONG_AGO: Ts = i64::MIN / 2;
