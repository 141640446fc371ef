//! Typed text and plain transfers: IRC, Telnet and its kin, TFTP.

use super::{File, FlowId};
use std::net::IpAddr;

/// One IRC message that matters: who, where, what.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Irc {
    /// Nick of the client so far.
    pub nick: Option<String>,
    /// User of the client so far.
    pub user: Option<String>,
    /// Command, upper case; `DCC` for an offered file.
    pub command: Option<String>,
    /// What it is for: nick, user, channel, receiver.
    pub value: Option<String>,
    /// The rest: text, key, host and real name.
    pub addl: Option<String>,
    /// File offered.
    pub dcc_file_name: Option<String>,
    /// Its size as told, bytes.
    pub dcc_file_size: Option<u64>,
    /// Its type by content.
    pub dcc_mime_type: Option<String>,
    /// The file in `files`.
    pub fuid: Option<String>,
    /// Sent by the originator.
    pub is_orig: bool,
    /// Who speaks, of what the server passes on.
    pub source: Option<String>,
    /// Where the file is to be had: the end of the data connection that waits.
    pub dcc_channel: Option<DataChannel>,
}

/// A connection agreed on in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataChannel {
    /// Who will open it; `None` is anybody.
    pub orig_h: Option<IpAddr>,
    /// Who waits for it.
    pub resp_h: IpAddr,
    /// On which port.
    pub resp_p: u16,
}

/// A TFTP request with the transfer that followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tftp {
    /// `read` or `write`.
    pub op: &'static str,
    /// Name of the file.
    pub file: Option<String>,
    /// `octet`, `netascii`, `mail`.
    pub mode: Option<String>,
    /// Bytes of a block: 512 unless agreed otherwise (RFC 2348).
    pub block_size: Option<u32>,
    /// Bytes announced (RFC 2349).
    pub transfer_size: Option<u64>,
    /// Flow of the transfer: another one, since the server answers from a port of its own.
    pub data_flow: Option<FlowId>,
    /// Bytes transferred.
    pub bytes: Option<u64>,
    /// Blocks transferred.
    pub blocks: Option<u32>,
    /// Error code.
    pub error_code: Option<u16>,
    /// Error text.
    pub error_msg: Option<String>,
    /// From first to last block.
    pub complete: bool,
    /// The file in `files`.
    pub fuid: Option<String>,
    /// Where the transfer will be.
    pub channel: Option<DataChannel>,
    /// The file, on its way to `files`. A row with an empty `op` reports a transfer to its request.
    pub content: Option<Box<File>>,
}

/// One line typed in a remote session in clear.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Telnet {
    /// `telnet` or `rlogin`.
    pub service: &'static str,
    /// Position in the session, from 1.
    pub seq: u32,
    /// Who logged in, as far as the session told.
    pub user: Option<String>,
    /// What stood before the cursor.
    pub prompt: Option<String>,
    /// The line, corrections undone; secrets never.
    pub command: Option<String>,
    /// How the answer begins.
    pub output: Option<String>,
    /// Bytes of the answer.
    pub output_bytes: u64,
}
