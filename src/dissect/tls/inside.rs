//! What a TLS connection carries, where its keys are known.

use super::decrypt::Decryption;
use crate::dissect::{Chunk, Conversation, Out, Setting};
use crate::model::{Conn, Dir};

/// Services inside, and what the flow is called then. Of others the outside alone is told.
const INSIDE: [(&str, &str); 15] = [
    ("http", "ssl,http"),
    ("http,websocket", "ssl,http,websocket"),
    ("http,http2", "ssl,http,http2"),
    ("http2", "ssl,http2"),
    ("ftp", "ssl,ftp"),
    ("smtp", "ssl,smtp"),
    ("imap", "ssl,imap"),
    ("pop3", "ssl,pop3"),
    ("irc", "ssl,irc"),
    ("ldap_tcp", "ssl,ldap_tcp"),
    ("mqtt", "ssl,mqtt"),
    ("postgresql", "ssl,postgresql"),
    ("redis", "ssl,redis"),
    ("sip", "ssl,sip"),
    ("dns", "ssl,dns"),
];

/// The keys of a connection, and the conversation that they show.
pub struct Inside {
    /// Opens records.
    pub cipher: Decryption,
    /// By what is in clear the handshake is over.
    pub over: bool,
    conversation: Conversation,
    /// Who has said something inside.
    spoken: [bool; 2],
}

impl Inside {
    /// With keys that may fit.
    pub fn new(cipher: Decryption, conn: Conn, setting: Setting) -> Self {
        Self { cipher, over: false, conversation: Conversation::within(conn, setting), spoken: [false; 2] }
    }

    /// Takes application data.
    pub fn data(&mut self, dir: Dir, bytes: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        self.spoken[dir.index()] = true;
        if self.conversation.wants(dir) {
            self.conversation.data(&Chunk { dir, bytes, cut: 0, ..*chunk }, &mut out.events);
        }
    }

    /// About as many bytes of `dir` are lost.
    pub fn lost(&mut self, dir: Dir, missing: u64, out: &mut Out) {
        // Records of the handshake that do not open are no loss to what comes behind them.
        if self.spoken[dir.index()] {
            self.conversation.gap(dir, missing, &mut out.events);
        }
    }

    /// `dir` says no more.
    pub fn fin(&mut self, dir: Dir, out: &mut Out) {
        self.conversation.fin(dir, &mut out.events);
    }

    /// The connection is over.
    pub fn end(&mut self, out: &mut Out) {
        self.conversation.end(&mut out.events);
    }

    /// Whether bytes of `dir` are still of use.
    pub fn wants(&self, dir: Dir) -> bool {
        self.cipher.reads(dir) && self.conversation.wants(dir)
    }

    /// What the flow is called.
    pub fn service(&self, outside: &'static str) -> &'static str {
        let service = self.conversation.service();
        INSIDE.iter().find(|(inside, _)| *inside == service).map_or(outside, |(_, both)| both)
    }
}
