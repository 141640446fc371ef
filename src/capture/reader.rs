//! One capture, whatever its format: frames out, books kept, every stored byte hashed.

use super::ledger::{Ledger, Sink};
use super::magic::{Format, stranger};
use super::pcap::Pcap;
use super::pcapng::Pcapng;
use super::stored::Stored;
use super::window::Window;
use crate::model::{CaptureInfo, DamageKind, Ts};

/// Why a reader stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// Another capture's frame comes first: this one's next has this time in the merge.
    Later(Ts),
    /// The next frame belongs to the next block.
    Full,
    /// There are no more frames.
    End,
}

/// How long a capture may go on: until its next frame would come after the next frame of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// This capture's place among those of equal time.
    pub(super) rank: usize,
    /// The other's time and place; none if there is no other.
    pub(super) until: Option<(Ts, usize)>,
}

impl Turn {
    /// A turn that is over before the first frame.
    pub(super) const NEVER: Self = Self { rank: 0, until: Some((Ts::MIN, 0)) };

    /// Whether a frame of this time may be read now.
    #[inline]
    pub(super) fn is_mine(&self, ts: Ts) -> bool {
        self.until.is_none_or(|until| (ts, self.rank) < until)
    }
}

/// Reads one capture from front to end.
pub(super) struct Reader {
    window: Window,
    records: Records,
    ledger: Ledger,
}

enum Records {
    Pcap(Pcap),
    Pcapng(Pcapng),
    /// No capture, and why.
    None(String),
}

impl Reader {
    /// Recognises the format of `stored`, which was given as `path`.
    pub(super) fn open(stored: Stored, path: String) -> Self {
        let (mut window, mut ledger) = (Window::new(stored), Ledger::new(path));
        ledger.info.compression = window.compression().map(|compression| compression.name().to_string()).unwrap_or_default();
        window.need(512);
        let records = match Format::of(window.data()) {
            Some(Format::Pcap) => Pcap::open(&mut window, &mut ledger).map(Records::Pcap),
            Some(Format::Pcapng) => Pcapng::open(&mut window, &mut ledger).map(Records::Pcapng),
            None => None,
        };
        let records = records.unwrap_or_else(|| Records::None(nothing(&mut window)));
        Self { window, records, ledger }
    }

    /// Why this is no capture, if it is none.
    pub(super) fn not_a_capture(&self) -> Option<&str> {
        match &self.records {
            Records::None(why) => Some(why),
            _ => None,
        }
    }

    /// Gives the capture its place in the case.
    pub(super) fn number(&mut self, id: u32) {
        self.ledger.info.id = id;
    }

    /// Moves frames into `out` until the turn is over, the block is full, or there are no more.
    pub(super) fn pump(&mut self, out: &mut Sink, turn: &Turn) -> Pause {
        match &mut self.records {
            Records::Pcap(pcap) => pcap.pump(&mut self.window, &mut self.ledger, out, turn),
            Records::Pcapng(pcapng) => pcapng.pump(&mut self.window, &mut self.ledger, out, turn),
            Records::None(_) => Pause::End,
        }
    }

    /// Hands the rest of the file to the hashes and closes the books.
    pub(super) fn finish(mut self, out: &mut Sink) -> CaptureInfo {
        match &mut self.records {
            Records::Pcapng(pcapng) => pcapng.close(&mut self.ledger),
            Records::None(why) => {
                let why = std::mem::take(why);
                self.ledger.damage(out, DamageKind::NotACapture, 0, 0, why);
            }
            Records::Pcap(_) => {}
        }
        let end = self.window.offset();
        self.ledger.info.bytes = self.window.finish();
        if let Some(trouble) = self.window.trouble() {
            self.ledger.damage(out, trouble.kind, end, 0, trouble.detail);
        }
        self.ledger.close(out, end)
    }
}

/// Why nothing in the window can be read.
fn nothing(window: &mut Window) -> String {
    if let Some(trouble) = window.trouble() {
        return trouble.detail;
    }
    match (window.compression(), Format::of(window.data())) {
        (_, Some(_)) => "the file ends inside its header".to_string(),
        (None, None) => stranger(window.data()),
        (Some(compression), None) => format!("{} data; within, {}", compression.name(), stranger(window.data())),
    }
}
