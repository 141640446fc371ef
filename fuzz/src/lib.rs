//! What the targets share: how the fuzzer's bytes are cut into frames, segments and chunks.
//!
//! The cutting is plain on purpose: lengths stand before their bytes, so that a mutation moves one border and not all.

use std::sync::LazyLock;
use vigil::dissect::expect::Kind;
use vigil::dissect::{Chunk, PROTOCOLS, Protocol, Setting};
use vigil::model::{AppEvent, Block, Conn, Dir, FlowId, FrameMeta, Keys, LinkType, Proto, Ts};

/// Events that a byte may cause at most, and those that a flow may cause by being there.
const EVENTS_PER_BYTE: usize = 2;
const EVENTS_ANYWAY: usize = 64;
/// The longest event, printed.
const EVENT_CHARS: usize = 4 << 20;

/// Takes values off the front of the fuzzer's bytes.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next two, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// The next four, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    /// The next `len`, or as many as there are.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// A flow in the fuzzer's bytes: port of the responder (2 bytes), transport (1: bit 0 is UDP; bit 1, inside of TLS that was read; bit 2, media that
/// SIP announced), then steps.
pub struct Flow<'a> {
    /// Its ends.
    pub conn: Conn,
    /// Inside of TLS that was read.
    pub decrypted: bool,
    /// Media that SIP announced.
    pub announced: bool,
    /// What happens.
    pub steps: Steps<'a>,
}

impl<'a> Flow<'a> {
    /// Out of the fuzzer's bytes.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let mut bytes = Bytes(data);
        let (resp_p, transport) = (bytes.u16()?, bytes.u8()?);
        let proto = if transport & 1 == 1 { Proto::Udp } else { Proto::Tcp };
        let (orig_h, resp_h) = ([192, 0, 2, 1].into(), [198, 51, 100, 2].into());
        let conn = Conn { flow: FlowId::new(1, 0), orig_h, orig_p: 40_000, resp_h, resp_p, proto };
        Some(Self { conn, decrypted: transport & 2 != 0, announced: transport & 5 == 5, steps: Steps { bytes, frame: 0 } })
    }

    /// What is known for it.
    pub fn setting(&self) -> Setting {
        let flow = Setting::of_flow(&KEYS);
        if self.decrypted { flow.decrypted().expect("a flow stands beneath nothing") } else { flow }
    }
}

/// What happens in a flow: kind (1 byte), length (2), bytes where the kind has some.
pub struct Steps<'a> {
    bytes: Bytes<'a>,
    frame: u64,
}

/// One thing that happens.
pub enum Step<'a> {
    /// Bytes.
    Data(Chunk<'a>),
    /// Bytes are lost.
    Gap(Dir, u64),
    /// A side has sent all.
    Fin(Dir),
}

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let (kind, len) = (self.bytes.u8()?, self.bytes.u16()?);
        self.frame += 1;
        let dir = if kind & 1 == 0 { Dir::Orig } else { Dir::Resp };
        Some(match kind >> 1 & 7 {
            what @ 0..=4 => {
                let bytes = self.bytes.take(usize::from(len));
                Step::Data(Chunk {
                    dir,
                    bytes,
                    cut: if what == 4 { 100 } else { 0 },
                    frame: self.frame,
                    ts_ns: self.frame as i64 * 1_000_000,
                })
            }
            5 | 6 => Step::Gap(dir, u64::from(len)),
            _ => Step::Fin(dir),
        })
    }
}

static KEYS: LazyLock<Keys> = LazyLock::new(keys);

/// Keys of every session whose client says nothing but one byte as its random number.
fn keys() -> Keys {
    let keys = Keys::default();
    let hex = |byte: u8, length: usize| format!("{byte:02x}").repeat(length);
    for random in 0..=u8::MAX {
        let random = hex(random, 32);
        keys.add(format!("CLIENT_RANDOM {random} {}", hex(5, 48)).as_bytes());
        for label in
            ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]
        {
            keys.add(format!("{label} {random} {}", hex(6, 32)).as_bytes());
        }
    }
    keys
}

/// What must hold of what is said of a flow.
pub fn holds(play: fn(&[u8]) -> Vec<AppEvent>, data: &[u8]) {
    let said = play(data);
    for event in &said {
        let printed = format!("{event:?}").len();
        assert!(printed <= EVENT_CHARS, "an event of {printed} characters");
    }
    assert!(said.len() <= EVENTS_ANYWAY + EVENTS_PER_BYTE * data.len(), "{} events of {} bytes", said.len(), data.len());
    assert_eq!(said, play(data), "the same bytes say the same");
}

/// All dissectors, by name: those that are recognised, and those that another flow announces. Over UDP another one may have the same name.
pub fn dissectors() -> Vec<(String, &'static Protocol)> {
    let recognised = PROTOCOLS.iter().map(|protocol| {
        let udp = protocol.over == [Proto::Udp] && PROTOCOLS.iter().filter(|other| other.name == protocol.name).count() > 1;
        (format!("{}{}", protocol.name, if udp { "-udp" } else { "" }), protocol)
    });
    let kinds = [(Kind::FtpData, "ftp-data"), (Kind::DccData, "irc-dcc-data"), (Kind::Tftp, "tftp-data"), (Kind::Rtp, "rtp")];
    recognised.chain(kinds.map(|(kind, name)| (name.into(), kind.protocol()))).collect()
}

/// Makes the flow table work on the fuzzer's own thread: handing over to others costs more than the work. Call it first.
pub fn stay_on_this_thread() {
    // Only the first call can succeed.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global();
}

/// Adds a frame to a block, as a reader would.
pub fn push(block: &mut Block, number: u64, ts_ns: Ts, link: LinkType, wire_len: usize, bytes: &[u8]) {
    block.frames.push(FrameMeta {
        number,
        in_file: number,
        offset: 0,
        ts_ns,
        capture: 0,
        caplen: bytes.len() as u32,
        wire_len: wire_len.max(bytes.len()) as u32,
        start: block.bytes.len() as u32,
        link,
    });
    block.bytes.extend_from_slice(bytes);
}
