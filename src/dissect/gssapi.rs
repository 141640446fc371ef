//! Security tokens inside other protocols: GSS-API (RFC 2743 3.1), SPNEGO (RFC 4178), and what they carry, NTLM or Kerberos.
//!
//! [`unwrap`] takes a token as SMB, LDAP, DCE/RPC, HTTP (after base64) or RDP carry it and says what is inside. It copies nothing.

/// What a token turned out to be, as far as it could be read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Unwrapped<'a> {
    /// It was wrapped in GSS-API or SPNEGO: Zeek then names the service `gssapi` too.
    pub gssapi: bool,
    /// SPNEGO's verdict, in tokens of the acceptor.
    pub state: Option<State>,
    /// Mechanisms offered or chosen include Kerberos.
    pub offers_kerberos: bool,
    /// Mechanisms offered or chosen include NTLM.
    pub offers_ntlm: bool,
    /// The token inside.
    pub token: Option<Token<'a>>,
}

/// The token of one mechanism.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// An NTLMSSP message, from its signature on.
    Ntlm(&'a [u8]),
    /// A Kerberos message, from its DER tag on: AP-REQ (`0x6e`), AP-REP (`0x6f`) or KRB-ERROR (`0x7e`) of RFC 4120 5.10.
    Kerberos(&'a [u8]),
}

/// `NegTokenResp.negState` (RFC 4178 4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The context is established.
    Completed,
    /// More tokens follow.
    Incomplete,
    /// No.
    Rejected,
    /// More tokens follow, and an integrity code of the mechanism list.
    RequestMic,
}

const SPNEGO: &[u8] = &[0x2b, 6, 1, 5, 5, 2];
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
/// Microsoft's, whose last number once lost a bit (MS-SPNG 3.1.1.6).
const KERBEROS_MS: &[u8] = &[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2];
/// User to user.
const KERBEROS_U2U: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 3];
const NTLM: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 0x0a];
/// What every NTLM message begins with (MS-NLMP 2.2.1).
pub const NTLM_SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// Mechanisms of an offer that are looked at.
const MECHANISMS_MAX: usize = 16;

/// Looks into a token. What is cut off is read as far as it goes.
pub fn unwrap(bytes: &[u8]) -> Unwrapped<'_> {
    if let Some(token) = naked(bytes) {
        return Unwrapped { token: Some(token), ..Unwrapped::default() };
    }
    match element(bytes) {
        // [APPLICATION 0]: an object identifier, then what that mechanism defines.
        Some(Element { tag: 0x60, content, .. }) => initial(content),
        // SPNEGO without the frame around it: the offer, or any later token.
        Some(Element { tag: 0xa0, content, .. }) => offer(content),
        Some(Element { tag: 0xa1, content, .. }) => response(content),
        _ => Unwrapped::default(),
    }
}

/// A mechanism's token without anything around it.
fn naked(bytes: &[u8]) -> Option<Token<'_>> {
    if bytes.starts_with(NTLM_SIGNATURE) {
        return Some(Token::Ntlm(bytes));
    }
    // Application tags 14, 15, 30, around a sequence that begins with version 5 (RFC 4120 5.5, 5.9).
    let Element { tag: 0x6e | 0x6f | 0x7e, content, .. } = element(bytes)? else { return None };
    let Element { tag: 0x30, content, .. } = element(content)? else { return None };
    content.starts_with(&[0xa0, 3, 2, 1, 5]).then_some(Token::Kerberos(bytes))
}

fn initial(content: &[u8]) -> Unwrapped<'_> {
    let Some(Element { tag: 6, content: mechanism, rest }) = element(content) else { return Unwrapped::default() };
    match mechanism {
        SPNEGO => match element(rest) {
            Some(Element { tag: 0xa0, content, .. }) => offer(content),
            Some(Element { tag: 0xa1, content, .. }) => response(content),
            _ => Unwrapped { gssapi: true, ..Unwrapped::default() },
        },
        KERBEROS | KERBEROS_MS | KERBEROS_U2U => {
            // RFC 4121 4.1: two bytes of token id, then the Kerberos message.
            let token = rest.get(2..).filter(|message| !message.is_empty()).map(Token::Kerberos);
            Unwrapped { gssapi: true, offers_kerberos: true, token, ..Unwrapped::default() }
        }
        NTLM => Unwrapped { gssapi: true, offers_ntlm: true, token: naked(rest), ..Unwrapped::default() },
        _ => Unwrapped { gssapi: true, ..Unwrapped::default() },
    }
}

/// NegTokenInit (RFC 4178 4.2.1): mechanisms, flags, the first one's token.
fn offer(content: &[u8]) -> Unwrapped<'_> {
    let mut found = Unwrapped { gssapi: true, ..Unwrapped::default() };
    let Some(Element { tag: 0x30, content, .. }) = element(content) else { return Unwrapped::default() };
    for field in elements(content) {
        match field.tag {
            0xa0 => {
                let list = element(field.content).filter(|list| list.tag == 0x30).map_or(&[][..], |list| list.content);
                for mechanism in elements(list).take(MECHANISMS_MAX) {
                    found.mechanism(mechanism.content);
                }
            }
            0xa2 => found.inner(field.content),
            _ => {}
        }
    }
    found
}

/// NegTokenResp (RFC 4178 4.2.2).
fn response(content: &[u8]) -> Unwrapped<'_> {
    let mut found = Unwrapped { gssapi: true, ..Unwrapped::default() };
    let Some(Element { tag: 0x30, content, .. }) = element(content) else { return Unwrapped::default() };
    for field in elements(content) {
        match (field.tag, field.content) {
            (0xa0, [0x0a, 1, state, ..]) => {
                found.state = match state {
                    0 => Some(State::Completed),
                    1 => Some(State::Incomplete),
                    2 => Some(State::Rejected),
                    3 => Some(State::RequestMic),
                    _ => None,
                }
            }
            (0xa1, mechanism) => {
                if let Some(Element { tag: 6, content, .. }) = element(mechanism) {
                    found.mechanism(content);
                }
            }
            (0xa2, token) => found.inner(token),
            _ => {}
        }
    }
    found
}

impl<'a> Unwrapped<'a> {
    fn mechanism(&mut self, oid: &[u8]) {
        self.offers_ntlm |= oid == NTLM;
        self.offers_kerberos |= matches!(oid, KERBEROS | KERBEROS_MS | KERBEROS_U2U);
    }

    /// The octet string of a mechanism's token.
    fn inner(&mut self, field: &'a [u8]) {
        let Some(Element { tag: 4, content, .. }) = element(field) else { return };
        self.token = naked(content).or_else(|| match element(content) {
            Some(Element { tag: 0x60, content, .. }) => initial(content).token,
            _ => None,
        });
    }
}

/// A DER element (X.690) with single-byte tag: its content as far as it is there, and what follows.
#[derive(Clone, Copy)]
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

fn element(bytes: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at(length.min(rest.len()));
    Some(Element { tag, content, rest })
}

fn elements(mut bytes: &[u8]) -> impl Iterator<Item = Element<'_>> {
    std::iter::from_fn(move || {
        let next = element(bytes)?;
        bytes = next.rest;
        Some(next)
    })
}

/// What was seen in one flow of Windows protocols.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    /// SMB.
    pub smb: bool,
    /// DCE/RPC.
    pub dce_rpc: bool,
    /// Tokens wrapped in GSS-API.
    pub gssapi: bool,
    /// NTLM.
    pub ntlm: bool,
    /// Kerberos.
    pub kerberos: bool,
}

/// Zeek's list of services of a flow, in the order in which Zeek's analysers usually confirm them.
pub fn service(seen: Carried) -> &'static str {
    let Carried { smb, dce_rpc, gssapi, ntlm, kerberos } = seen;
    match (gssapi, smb, ntlm, kerberos, dce_rpc) {
        (false, true, false, false, false) => "smb",
        (false, true, false, false, true) => "smb,dce_rpc",
        (false, true, true, false, false) => "smb,ntlm",
        (false, true, true, false, true) => "smb,ntlm,dce_rpc",
        (true, true, false, false, false) => "gssapi,smb",
        (true, true, false, false, true) => "gssapi,smb,dce_rpc",
        (true, true, true, false, false) => "gssapi,smb,ntlm",
        (true, true, true, false, true) => "gssapi,smb,ntlm,dce_rpc",
        (_, true, false, true, false) => "gssapi,smb,krb",
        (_, true, false, true, true) => "gssapi,smb,krb,dce_rpc",
        (_, true, true, true, false) => "gssapi,smb,ntlm,krb",
        (_, true, true, true, true) => "gssapi,smb,ntlm,krb,dce_rpc",
        (false, false, false, false, _) => "dce_rpc",
        (false, false, true, false, _) => "dce_rpc,ntlm",
        (true, false, false, false, _) => "dce_rpc,gssapi",
        (true, false, true, false, _) => "dce_rpc,gssapi,ntlm",
        (_, false, false, true, _) => "dce_rpc,gssapi,krb",
        (_, false, true, true, _) => "dce_rpc,gssapi,ntlm,krb",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = if length < 128 { vec![tag, length as u8] } else { vec![tag, 0x82, (length >> 8) as u8, length as u8] };
        [head, content.to_vec()].concat()
    }

    fn ntlm() -> Vec<u8> {
        [&NTLM_SIGNATURE[..], &[1, 0, 0, 0], &[0; 200]].concat()
    }

    fn ap_req() -> Vec<u8> {
        der(0x6e, &der(0x30, &[0xa0, 3, 2, 1, 5, 0xa1, 3, 2, 1, 14]))
    }

    fn spnego_offer(mechanisms: &[&[u8]], token: &[u8]) -> Vec<u8> {
        let list: Vec<u8> = mechanisms.iter().flat_map(|oid| der(6, oid)).collect();
        let fields = [der(0xa0, &der(0x30, &list)), der(0xa2, &der(4, token))].concat();
        der(0x60, &[der(6, SPNEGO), der(0xa0, &der(0x30, &fields))].concat())
    }

    #[test]
    fn an_offer_shows_its_mechanisms_and_the_token_of_the_first() {
        let message = ntlm();
        let offer = spnego_offer(&[NTLM], &message);
        let found = unwrap(&offer);
        assert_eq!((found.gssapi, found.offers_ntlm, found.offers_kerberos), (true, true, false));
        assert_eq!(found.token, Some(Token::Ntlm(&message)));
    }

    #[test]
    fn kerberos_is_found_through_both_wrappings_and_handed_on_from_its_tag() {
        let message = ap_req();
        let gss = der(0x60, &[der(6, KERBEROS), vec![1, 0], message.clone()].concat());
        let offer = spnego_offer(&[KERBEROS_MS, KERBEROS, NTLM], &gss);
        let found = unwrap(&offer);
        assert!(found.offers_kerberos && found.offers_ntlm);
        for whole in [&offer, &gss, &message] {
            assert_eq!(unwrap(whole).token, Some(Token::Kerberos(&message)));
        }
        assert!(!unwrap(&message).gssapi, "nothing was around it");
    }

    #[test]
    fn the_acceptors_verdict_is_read() {
        for (number, state) in [(0, State::Completed), (1, State::Incomplete), (2, State::Rejected), (3, State::RequestMic)] {
            let token = der(0xa1, &der(0x30, &der(0xa0, &[0x0a, 1, number])));
            assert_eq!(unwrap(&token).state, Some(state));
        }
    }

    #[test]
    fn other_bytes_are_no_token() {
        assert_eq!(unwrap(b"GET / HTTP/1.1\r\n"), Unwrapped::default());
        assert_eq!(unwrap(&[]), Unwrapped::default());
    }

    proptest! {
        #[test]
        fn any_cut_and_any_flip_is_survived(cut in 0usize..300, at in 0usize..300, flip: u8, kerberos: bool) {
            let inner = if kerberos { ap_req() } else { ntlm() };
            let mut bytes = spnego_offer(&[KERBEROS, NTLM], &inner);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= flip;
            }
            bytes.truncate(cut);
            if let Some(Token::Ntlm(token) | Token::Kerberos(token)) = unwrap(&bytes).token {
                prop_assert!(token.len() <= bytes.len());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unwrap(&bytes);
        }
    }
}
