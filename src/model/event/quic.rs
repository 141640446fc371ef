//! QUIC.

/// A QUIC connection attempt as far as it is in clear. One row per attempt: a Retry and a close in the handshake end one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quic {
    /// `1`, `quicv2`, `draft-29`, `Q046`, `mvfst-002`, `unknown-…`; empty where no long header was seen.
    pub version: String,
    /// First destination connection id of the client, hex: the key of the handshake's first packets.
    pub client_initial_dcid: Option<String>,
    /// Source connection id of the client, hex; empty where it uses none.
    pub client_scid: Option<String>,
    /// Source connection id of the server, hex.
    pub server_scid: Option<String>,
    /// Server name of the ClientHello, or of Google's own.
    pub server_name: Option<String>,
    /// First application protocol the client offers.
    pub client_protocol: Option<String>,
    /// Zeek's letters: `I` Initial, `H` Handshake, `Z` 0-RTT, `R` Retry, `S` hello, `C` close, `U` unknown version, `X` no packet,
    /// `O` short header (its 1st, 2nd, 4th, 8th …), client's in upper case; at most 100.
    pub history: String,
    /// JA4 of the ClientHello.
    pub ja4: Option<String>,
    /// Bytes of `client_initial_dcid`.
    pub dcid_len: Option<u8>,
    /// User agent that Google's QUIC tells in clear.
    pub user_agent: Option<String>,
    /// Versions the server offers instead (version negotiation), as in `version`.
    pub server_versions: Vec<String>,
    /// The client's first packets could be decrypted and hold a whole hello.
    pub decrypted: bool,
}
