//! Columns of mail.

use super::{EventRow, place};
use crate::model::event::{Imap, Pop3, Smtp};
use crate::store::column::Columns;

/// `smtp`
pub fn smtp<'a>() -> Columns<EventRow<'a, Smtp>> {
    smtp_ours(
        place()
            .int(
                "trans_depth",
                "Position in the connection, from 1; it rises with every message that was answered.",
                |r: &EventRow<'_, Smtp>| r.trans_depth,
            )
            .text("helo", "Argument of HELO or EHLO.", |r| r.helo.as_deref())
            .text("mailfrom", "Sender of the envelope.", |r| r.mailfrom.as_deref())
            .texts("rcptto", "Recipients of the envelope.", |r| &r.rcptto)
            .text("date", "`Date` header.", |r| r.date.as_deref())
            .text("from", "`From` header.", |r| r.from.as_deref())
            .texts("to", "Entries of the `To` header.", |r| &r.to)
            .texts("cc", "Entries of the `Cc` header.", |r| &r.cc)
            .text("reply_to", "`Reply-To` header.", |r| r.reply_to.as_deref())
            .text("msg_id", "`Message-ID` header.", |r| r.msg_id.as_deref())
            .text("in_reply_to", "`In-Reply-To` header.", |r| r.in_reply_to.as_deref())
            .text("subject", "`Subject` header as sent.", |r| r.subject.as_deref())
            .shown("x_originating_ip", "Address in `X-Originating-IP`.", |r| r.x_originating_ip)
            .text("first_received", "Last `Received` header: the first relay.", |r| r.first_received.as_deref())
            .text("second_received", "The `Received` header before.", |r| r.second_received.as_deref())
            .text("last_reply", "What the server said last.", |r| r.last_reply.as_deref())
            .shown_list("path", "Server, client, then the addresses of the `Received` headers.", |r| &r.path)
            .text("user_agent", "`X-Mailer` or `User-Agent`.", |r| r.user_agent.as_deref())
            .bool("tls", "The connection went on in TLS.", |r| r.tls)
            .texts("fuids", "Parts of the message (`files`).", |r| &r.fuids)
            .bool("is_webmail", "Written in a web mailer, as its user agent says.", |r| r.is_webmail),
    )
}

fn smtp_ours<'a>(columns: Columns<EventRow<'a, Smtp>>) -> Columns<EventRow<'a, Smtp>> {
    columns
        .text("banner", "Greeting of the server.", |r| r.banner.as_deref())
        .text("auth_user", "Who logged in before.", |r| r.auth_user.as_deref())
        .text("subject_text", "Subject with encoded words undone (RFC 2047); NULL where there are none.", |r| r.subject_text.as_deref())
        .texts("attachments", "Names of the parts that have one.", |r| &r.attachments)
        .texts("urls", "Links in its text parts, at most 64.", |r| &r.urls)
        .big("message_bytes", "Bytes of the message, headers included.", |r| r.message_bytes)
        .bool("accepted", "The server took the message; NULL if it said nothing.", |r| r.accepted)
        .int("refused", "Recipients that the server refused.", |r| r.refused)
}

/// `pop3`
pub fn pop3<'a>() -> Columns<EventRow<'a, Pop3>> {
    place()
        .text("user", "User of the session so far.", |r: &EventRow<'_, Pop3>| r.user.as_deref())
        .text("command", "Command, upper case.", |r| r.command.as_deref())
        .text("argument", "Argument; secrets never.", |r| r.argument.as_deref())
        .text("status", "`OK` or `ERR`; NULL without an answer.", |r| r.status)
        .text("message", "Text of the answer's first line.", |r| r.message.as_deref())
        .texts("capabilities", "What the server announced (CAPA).", |r| &r.capabilities)
        .big("response_bytes", "Bytes of an answer of several lines.", |r| r.response_bytes)
        .texts("fuids", "Parts of the message fetched (`files`).", |r| &r.fuids)
}

/// `imap`
pub fn imap<'a>() -> Columns<EventRow<'a, Imap>> {
    place()
        .text("user", "User of the session so far.", |r: &EventRow<'_, Imap>| r.user.as_deref())
        .text("tag", "Tag.", |r| r.tag.as_deref())
        .text("command", "Command, upper case; `UID FETCH` and the like in full.", |r| r.command.as_deref())
        .text("argument", "Arguments; secrets never.", |r| r.argument.as_deref())
        .text("status", "`OK`, `NO` or `BAD`; NULL without an answer.", |r| r.status)
        .text("message", "Text of the answer.", |r| r.message.as_deref())
        .text("mailbox", "Mailbox selected.", |r| r.mailbox.as_deref())
        .texts("capabilities", "What the server announced.", |r| &r.capabilities)
        .int("responses", "Untagged answers to it.", |r| r.responses)
        .big("response_bytes", "Bytes of all answers to it.", |r| r.response_bytes)
        .texts("fuids", "Parts of the messages fetched or stored (`files`).", |r| &r.fuids)
}
