//! Mail: one message sent, one command to a mailbox.

use std::net::IpAddr;

/// One message over SMTP, or what was tried of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Smtp {
    /// Position in the connection, from 1: it rises with every message that was answered.
    pub trans_depth: u32,
    /// Argument of HELO, EHLO or LHLO.
    pub helo: Option<String>,
    /// Address of `MAIL FROM`, without brackets.
    pub mailfrom: Option<String>,
    /// Addresses of `RCPT TO`, each once, in order.
    pub rcptto: Vec<String>,
    /// `Date` header.
    pub date: Option<String>,
    /// `From` header.
    pub from: Option<String>,
    /// `To` header, an entry a part.
    pub to: Vec<String>,
    /// `Cc` header, likewise.
    pub cc: Vec<String>,
    /// `Reply-To` header.
    pub reply_to: Option<String>,
    /// `Message-ID` header.
    pub msg_id: Option<String>,
    /// `In-Reply-To` header.
    pub in_reply_to: Option<String>,
    /// `Subject` header as sent.
    pub subject: Option<String>,
    /// Address in `X-Originating-IP`.
    pub x_originating_ip: Option<IpAddr>,
    /// The last `Received` header: the first relay.
    pub first_received: Option<String>,
    /// The one before.
    pub second_received: Option<String>,
    /// What the server said last: code and text.
    pub last_reply: Option<String>,
    /// Server, client, then the addresses of the `Received` headers, nearest first.
    pub path: Vec<IpAddr>,
    /// `X-Mailer`, `User-Agent` or `X-User-Agent`.
    pub user_agent: Option<String>,
    /// The connection went on in TLS.
    pub tls: bool,
    /// Its parts in `files`.
    pub fuids: Vec<String>,
    /// Written in a web mailer, as its user agent says.
    pub is_webmail: bool,
    /// Greeting of the server.
    pub banner: Option<String>,
    /// Who logged in before.
    pub auth_user: Option<String>,
    /// `Subject` with encoded words undone (RFC 2047), where there are any.
    pub subject_text: Option<String>,
    /// Names of the parts that have one.
    pub attachments: Vec<String>,
    /// Links in its text parts, each once.
    pub urls: Vec<String>,
    /// Bytes of the message, headers included.
    pub message_bytes: u64,
    /// The server took the message; `None` if it said nothing.
    pub accepted: Option<bool>,
    /// Recipients that the server refused.
    pub refused: u32,
}

/// One POP3 command with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pop3 {
    /// User of the session so far.
    pub user: Option<String>,
    /// Command, upper case.
    pub command: Option<String>,
    /// Argument; secrets never.
    pub argument: Option<String>,
    /// `OK` or `ERR`.
    pub status: Option<&'static str>,
    /// Text of the answer's first line.
    pub message: Option<String>,
    /// Capabilities that the server announced (CAPA).
    pub capabilities: Vec<String>,
    /// Bytes of an answer of several lines.
    pub response_bytes: u64,
    /// Parts of the message retrieved, in `files`.
    pub fuids: Vec<String>,
}

/// One IMAP command with its answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imap {
    /// User of the session so far.
    pub user: Option<String>,
    /// Tag.
    pub tag: Option<String>,
    /// Command, upper case; `UID FETCH` and the like in full.
    pub command: Option<String>,
    /// Arguments; secrets never.
    pub argument: Option<String>,
    /// `OK`, `NO` or `BAD`.
    pub status: Option<&'static str>,
    /// Text of the answer.
    pub message: Option<String>,
    /// Mailbox selected.
    pub mailbox: Option<String>,
    /// Capabilities that the server announced.
    pub capabilities: Vec<String>,
    /// Untagged answers to it.
    pub responses: u32,
    /// Bytes of all answers to it.
    pub response_bytes: u64,
    /// Parts of the messages fetched or appended, in `files`.
    pub fuids: Vec<String>,
}
