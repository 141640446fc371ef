//! Connections that carry one file and nothing else, as another flow announced.

use super::files::FileReader;
use super::{Answer, Chunk, Dissector, Out, Protocol};
use crate::model::{Conn, Dir, Proto, Ts};

/// A data connection of FTP: whoever speaks sends the file.
pub const FTP_DATA: Protocol = Protocol {
    name: "ftp-data",
    over: &[Proto::Tcp],
    probe: |_| Answer::NotForUs,
    make: |_: &Conn| Box::new(Transfer { source: "FTP_DATA", sender: None, reader: None, place: (0, 0) }),
};

/// A file offered over IRC: who waits sends it, who connects acknowledges.
pub const DCC_DATA: Protocol = Protocol {
    name: "irc-dcc-data",
    over: &[Proto::Tcp],
    probe: |_| Answer::NotForUs,
    make: |_: &Conn| Box::new(Transfer { source: "IRC_DATA", sender: Some(Dir::Resp), reader: None, place: (0, 0) }),
};

struct Transfer {
    source: &'static str,
    /// Who sends the file, once known.
    sender: Option<Dir>,
    reader: Option<FileReader>,
    place: (u64, Ts),
}

impl Dissector for Transfer {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        if *self.sender.get_or_insert(chunk.dir) != chunk.dir {
            return;
        }
        if self.place.0 == 0 {
            self.place = (chunk.frame, chunk.ts_ns);
        }
        self.reader.get_or_insert_default().data(chunk.bytes);
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        if *self.sender.get_or_insert(dir) == dir {
            self.reader.get_or_insert_default().gap(missing);
        }
    }

    fn fin(&mut self, dir: Dir, out: &mut Out) {
        if self.sender == Some(dir) {
            self.say(true, out);
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say(false, out);
    }

    fn confirmed(&self) -> bool {
        true
    }

    fn hands_over(&self) -> bool {
        self.sender.is_none()
    }

    fn wants(&self, dir: Dir) -> bool {
        self.sender.is_none_or(|sender| sender == dir)
    }
}

impl Transfer {
    fn say(&mut self, complete: bool, out: &mut Out) {
        let Some(reader) = self.reader.take().filter(|reader| reader.seen() > 0) else { return };
        let mut file = reader.finish(complete);
        (file.source, file.is_orig) = (self.source, self.sender == Some(Dir::Orig));
        out.file(self.place.0, self.place.1, file);
    }
}
