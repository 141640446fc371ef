//! `quic`

use super::{EventRow, place};
use crate::model::event::Quic;
use crate::store::column::{Columns, filled};

/// `quic`
pub fn quic<'a>() -> Columns<EventRow<'a, Quic>> {
    place()
        .text("version", "`1`, `quicv2`, `draft-29`, `Q046`, `mvfst-002`, `unknown-…`.", |r: &EventRow<'_, Quic>| filled(&r.version))
        .text("client_initial_dcid", "First destination connection id of the client, hex.", |r| r.client_initial_dcid.as_deref())
        .text("client_scid", "Source connection id of the client, hex; empty where it uses none.", |r| r.client_scid.as_deref())
        .text("server_scid", "Source connection id of the server, hex.", |r| r.server_scid.as_deref())
        .text("server_name", "Server name of the hello.", |r| r.server_name.as_deref())
        .text("client_protocol", "First application protocol the client offers.", |r| r.client_protocol.as_deref())
        .text(
            "history",
            "Zeek's letters: Initial, Handshake, Z 0-RTT, Retry, S hello, Close, Unknown version, X no packet, O short.",
            |r| filled(&r.history),
        )
        .text("ja4", "JA4 of the ClientHello.", |r| r.ja4.as_deref())
        .int("dcid_len", "Bytes of `client_initial_dcid`.", |r| r.dcid_len)
        .text("user_agent", "User agent that Google's QUIC tells in clear.", |r| r.user_agent.as_deref())
        .texts("server_versions", "Versions the server offers instead.", |r| &r.server_versions)
        .bool("decrypted", "The client's first packets could be decrypted and hold a whole hello.", |r| r.decrypted)
}
