//! Lines typed in a remote session, each with how the answer to it begins.

use crate::dissect::{Chunk, Out, escape};
use crate::model::event::Telnet;
use crate::model::{Event, Ts};

/// Lines told of one session.
const LINES: u32 = 2_000;
/// Bytes kept of an answer.
const OUTPUT: usize = 1_024;

/// Writes down what is typed.
pub(super) struct Typing {
    service: &'static str,
    seq: u32,
    open: Option<Box<Open>>,
}

struct Open {
    row: Telnet,
    output: Vec<u8>,
    /// The next line has begun: what is shown from here on is its echo.
    over: bool,
    frame: u64,
    ts_ns: Ts,
}

impl Typing {
    pub fn new(service: &'static str) -> Self {
        Self { service, seq: 0, open: None }
    }

    /// A line is entered: what was answered to the one before is all there is.
    pub fn enter(&mut self, prompt: &str, command: &str, user: Option<&str>, (frame, ts_ns): (u64, Ts), out: &mut Out) {
        self.finish(out);
        if command.is_empty() || self.is_full() {
            return;
        }
        self.seq += 1;
        let row = Telnet {
            service: self.service,
            seq: self.seq,
            user: user.map(str::to_owned),
            prompt: Some(prompt.trim().to_owned()).filter(|prompt| !prompt.is_empty()),
            command: Some(command.to_owned()),
            ..Telnet::default()
        };
        self.open = Some(Box::new(Open { row, output: Vec::new(), over: false, frame, ts_ns }));
    }

    /// No more lines are told.
    pub fn is_full(&self) -> bool {
        self.seq >= LINES
    }

    /// The first key of the next line is hit.
    pub fn interrupted(&mut self) {
        if let Some(open) = &mut self.open {
            open.over = true;
        }
    }

    /// The server shows something.
    pub fn shown(&mut self, byte: u8) {
        let Some(open) = self.open.as_mut().filter(|open| !open.over) else { return };
        open.row.output_bytes += 1;
        if open.output.len() < OUTPUT {
            open.output.push(byte);
        }
    }

    /// Says the line whose answer is over.
    pub fn finish(&mut self, out: &mut Out) {
        let Some(open) = self.open.take() else { return };
        let Open { mut row, output, frame, ts_ns, .. } = *open;
        row.output = Some(answer(row.command.as_deref().unwrap_or_default(), &output)).filter(|text| !text.is_empty());
        out.say(frame, ts_ns, Event::Telnet(Box::new(row)));
    }

    /// Notes that not every line is told.
    pub fn note_full(&self, chunk: &Chunk<'_>, out: &mut Out) {
        if self.seq == LINES {
            out.weird(chunk, self.service, "typed_too_many_lines", LINES.to_string());
        }
    }
}

/// The answer without the echo before it and the prompt behind it.
fn answer(command: &str, output: &[u8]) -> String {
    let text = output.strip_prefix(command.as_bytes()).unwrap_or(output).trim_ascii_start();
    let end = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (lines, last) = text.split_at(end);
    let text = if super::telnet::is_shell(&String::from_utf8_lossy(last)) { lines } else { text };
    escape(text.trim_ascii_end(), OUTPUT)
}
