//! Oddities of transports, in Zeek's words, as a set of bits: one packet may show several, and nearly all show none.

/// Declares the oddities and their names.
macro_rules! oddities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Something a transport should not do.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Oddity { $($(#[$doc])* $variant,)* }

        impl Oddity {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name: Zeek's, where it has one.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

oddities! {
    /// The sum over a segment is wrong.
    BadTcpChecksum = "bad_TCP_checksum",
    /// The sum over a datagram is wrong.
    BadUdpChecksum = "bad_UDP_checksum",
    /// Bytes from before the first that was seen.
    SeqUnderflow = "TCP_seq_underflow_or_misorder",
    /// An acknowledgement from before the first byte that was seen.
    AckUnderflow = "TCP_ack_underflow_or_misorder",
    /// A receiver takes back room it had offered.
    WindowRecision = "window_recision",
    /// A second SYN with another number.
    SynSeqJump = "SYN_seq_jump",
    /// A SYN after data.
    SynInside = "SYN_inside_connection",
    /// A SYN after FIN.
    SynAfterClose = "SYN_after_close",
    /// A SYN after RST.
    SynAfterReset = "SYN_after_reset",
    /// A SYN after bytes without handshake.
    SynAfterPartial = "SYN_after_partial",
    /// A SYN with payload.
    SynWithData = "SYN_with_data",
    /// A SYN with an urgent pointer.
    BaroqueSyn = "baroque_SYN",
    /// SYN and RST together.
    Christmas = "TCP_christmas",
    /// SYN and FIN together.
    SynWithFin = "SYN_with_FIN",
    /// FIN and RST together.
    FinWithRst = "FIN_with_RST",
    /// No flag at all.
    Null = "TCP_null",
    /// The originator answers a SYN that was not seen.
    OriginatorSynAck = "connection_originator_SYN_ack",
    /// A SYN-ACK to a SYN that was not seen.
    UnsolicitedSynResponse = "unsolicited_SYN_response",
    /// Both sides sent a SYN.
    SimultaneousOpen = "simultaneous_open",
    /// A SYN-ACK to another SYN than was sent.
    BadSynAck = "bad_SYN_ack",
    /// The originator repeats its SYN as an answer.
    RepeatedSynWithAck = "repeated_SYN_with_ack",
    /// The responder repeats its SYN without acknowledging.
    RepeatedSynReplyWithoutAck = "repeated_SYN_reply_wo_ack",
    /// Payload before the handshake is done.
    DataBeforeEstablished = "data_before_established",
    /// A FIN before the handshake is done.
    InappropriateFin = "inappropriate_FIN",
    /// A FIN as the first that is seen of a side.
    SpontaneousFin = "spontaneous_FIN",
    /// A RST as the first that is seen at all.
    SpontaneousRst = "spontaneous_RST",
    /// Bytes after the FIN's.
    FinAdvanced = "FIN_advanced_last_seq",
    /// A FIN after RST.
    FinAfterReset = "FIN_after_reset",
    /// Payload after RST.
    DataAfterReset = "data_after_reset",
    /// One side acknowledges what the capture does not show of the other.
    SplitRouting = "possible_split_routing",
    /// A SYN on ports of a connection that is not over.
    ActiveReuse = "active_connection_reuse",
    /// A SYN on ports of a connection that is hardly over.
    PrematureReuse = "premature_connection_reuse",
    /// Payload of which not all was captured.
    TruncatedPayload = "truncated_tcp_payload",
    /// The length in the header is not that of the datagram.
    UdpLengthMismatch = "UDP_datagram_length_mismatch",
    /// The data offset cannot be.
    BadTcpHeaderLen = "bad_TCP_header_len",
}

/// A set of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Oddities(u64);

impl Oddities {
    /// Adds one.
    pub fn note(&mut self, oddity: Oddity) {
        self.0 |= 1 << oddity as u8;
    }

    /// Adds one if `so`.
    pub fn note_if(&mut self, so: bool, oddity: Oddity) {
        self.0 |= u64::from(so) << oddity as u8;
    }

    /// What is in it.
    pub fn iter(self) -> impl Iterator<Item = Oddity> {
        Oddity::ALL.iter().copied().filter(move |oddity| self.0 >> *oddity as u8 & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_oddity_has_a_bit_and_a_name_of_its_own() {
        assert!(Oddity::ALL.len() <= 64);
        let mut all = Oddities::default();
        Oddity::ALL.iter().for_each(|oddity| all.note(*oddity));
        let names: std::collections::BTreeSet<_> = all.iter().map(Oddity::name).collect();
        assert_eq!(names.len(), Oddity::ALL.len());
    }
}
