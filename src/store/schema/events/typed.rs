//! Columns of typed text and plain transfers.

use super::{EventRow, place};
use crate::model::event::{Irc, Telnet, Tftp};
use crate::store::column::{Columns, filled};

/// `irc`
pub fn irc<'a>() -> Columns<EventRow<'a, Irc>> {
    place()
        .text("nick", "Nick of the client so far.", |r: &EventRow<'_, Irc>| r.nick.as_deref())
        .text("user", "User of the client so far.", |r| r.user.as_deref())
        .text("command", "Command, upper case; `DCC` for a file offered.", |r| r.command.as_deref())
        .text("value", "What it is for: nick, user, channel, receiver.", |r| r.value.as_deref())
        .text("addl", "The rest: text, key, host and real name.", |r| r.addl.as_deref())
        .text("dcc_file_name", "File offered.", |r| r.dcc_file_name.as_deref())
        .big("dcc_file_size", "Its size as told, bytes.", |r| r.dcc_file_size)
        .text("dcc_mime_type", "Its type by content.", |r| r.dcc_mime_type.as_deref())
        .text("fuid", "The file (`files`).", |r| r.fuid.as_deref())
        .bool("is_orig", "Sent by the originator.", |r| r.is_orig)
        .text("source", "Who speaks, of what the server passes on.", |r| r.source.as_deref())
}

/// `tftp`
pub fn tftp<'a>() -> Columns<EventRow<'a, Tftp>> {
    place()
        .text("op", "`read` or `write`.", |r: &EventRow<'_, Tftp>| filled(r.op))
        .text("file", "Name of the file.", |r| r.file.as_deref())
        .text("mode", "`octet`, `netascii`, `mail`.", |r| r.mode.as_deref())
        .int("block_size", "Bytes of a block.", |r| r.block_size)
        .big("transfer_size", "Bytes announced.", |r| r.transfer_size)
        .big("data_flow_id", "Flow of the transfer (`flows`).", |r| r.data_flow)
        .big("bytes", "Bytes transferred.", |r| r.bytes)
        .big("blocks", "Blocks transferred.", |r| r.blocks)
        .int("error_code", "Error code.", |r| r.error_code)
        .text("error_msg", "Error text.", |r| r.error_msg.as_deref())
        .bool("complete", "From first to last block.", |r| r.complete)
        .text("fuid", "The file (`files`).", |r| r.fuid.as_deref())
}

/// `telnet`
pub fn telnet<'a>() -> Columns<EventRow<'a, Telnet>> {
    place()
        .text("service", "`telnet` or `rlogin`.", |r: &EventRow<'_, Telnet>| filled(r.service))
        .int("seq", "Position in the session, from 1.", |r| r.seq)
        .text("user", "Who logged in, as far as the session told.", |r| r.user.as_deref())
        .text("prompt", "What stood before the cursor.", |r| r.prompt.as_deref())
        .text("command", "The line typed, corrections undone; secrets never.", |r| r.command.as_deref())
        .text("output", "How the answer begins, at most 1,024 bytes.", |r| r.output.as_deref())
        .big("output_bytes", "Bytes of the answer.", |r| r.output_bytes)
}
