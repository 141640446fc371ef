//! Heads of calls and replies (RFC 5531 9), credentials among them (AUTH_SYS, appendix A; RPCSEC_GSS, RFC 2203).

use super::programs;
use super::xdr::Xdr;
use crate::dissect::{Answer, escape};

/// Bytes of a credential or verifier at most (RFC 5531 8.2).
const AUTH_MAX: usize = 400;
/// Letters of a machine's name at most (RFC 5531, appendix A).
const NAME_MAX: usize = 255;
/// Groups at most, as above.
const GROUPS_MAX: usize = 16;
/// The version of the protocol.
const RPC_VERSION: u32 = 2;
/// Bytes from the beginning to the number of the procedure, included.
pub const CALL_NUMBERS: usize = 24;
/// Shortest reply: one that was denied.
pub const REPLY_MIN: usize = 20;

const AUTH_NONE: u32 = 0;
const AUTH_SYS: u32 = 1;
const RPCSEC_GSS: u32 = 6;

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Auth {
    /// Flavour of the credential.
    pub flavor: Option<u32>,
    /// Name that the caller's machine gives itself (AUTH_SYS).
    pub machine_name: Option<String>,
    /// The caller's user there.
    pub uid: Option<u32>,
    /// The caller's group there.
    pub gid: Option<u32>,
}

/// How arguments and results are wrapped.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Wrap {
    /// Not at all.
    #[default]
    Plain,
    /// Behind their length and a number (rpc_gss_svc_integrity).
    Signed,
    /// Encrypted, or tokens that build a context.
    Sealed,
}

impl Wrap {
    /// The arguments or results, if they can be read.
    pub fn inside(self, body: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Plain => Some(body),
            Self::Signed => body.get(8..),
            Self::Sealed => None,
        }
    }
}

/// A call.
#[derive(Debug, PartialEq)]
pub struct Call<'a> {
    /// Transaction.
    pub xid: u32,
    /// Program.
    pub program: u32,
    /// Its version.
    pub version: u32,
    /// Its procedure.
    pub procedure: u32,
    /// Who calls.
    pub auth: Auth,
    /// How the arguments are wrapped; the results are alike.
    pub wrap: Wrap,
    /// Arguments, wrapped as they are; empty where the head was cut.
    pub body: &'a [u8],
}

/// A reply.
#[derive(Debug, PartialEq)]
pub struct Reply<'a> {
    /// Transaction.
    pub xid: u32,
    /// Zeek's name of how the call went.
    pub status: &'static str,
    /// It was carried out.
    pub success: bool,
    /// Results, wrapped as they are.
    pub body: &'a [u8],
}

/// A message.
#[derive(Debug, PartialEq)]
pub enum Message<'a> {
    /// A call.
    Call(Call<'a>),
    /// A reply.
    Reply(Reply<'a>),
}

impl<'a> Message<'a> {
    /// Reads the head of a message that may be cut.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut xdr = Xdr::new(bytes);
        let xid = xdr.u32()?;
        match xdr.u32()? {
            0 => call(xid, &mut xdr).map(Self::Call),
            1 => reply(xid, &mut xdr).map(Self::Reply),
            _ => None,
        }
    }
}

fn call<'a>(xid: u32, xdr: &mut Xdr<'a>) -> Option<Call<'a>> {
    if xdr.u32()? != RPC_VERSION {
        return None;
    }
    let (program, version, procedure) = (xdr.u32()?, xdr.u32()?, xdr.u32()?);
    let mut call = Call { xid, program, version, procedure, auth: Auth::default(), wrap: Wrap::Plain, body: &[] };
    credential(&mut call, xdr);
    Some(call)
}

/// Credential and verifier as far as they go.
fn credential<'a>(call: &mut Call<'a>, xdr: &mut Xdr<'a>) -> Option<()> {
    let flavor = xdr.u32()?;
    call.auth.flavor = Some(flavor);
    let before = xdr.rest();
    let body = xdr.opaque(AUTH_MAX);
    // A credential that was cut still begins with its names.
    let mut fields = Xdr::new(body.or_else(|| before.get(4..))?);
    match flavor {
        AUTH_SYS => {
            sys(&mut call.auth, &mut fields);
        }
        RPCSEC_GSS => call.wrap = gss(&mut fields).unwrap_or(Wrap::Sealed),
        _ => {}
    }
    body?;
    xdr.u32()?;
    xdr.opaque(AUTH_MAX)?;
    call.body = xdr.rest();
    Some(())
}

fn sys(auth: &mut Auth, fields: &mut Xdr<'_>) -> Option<()> {
    fields.u32()?;
    let name = fields.opaque(NAME_MAX)?;
    auth.machine_name = Some(escape(name, NAME_MAX)).filter(|name| !name.is_empty());
    auth.uid = Some(fields.u32()?);
    auth.gid = Some(fields.u32()?);
    Some(())
}

/// What a context does to the arguments: version, procedure of the mechanism, number, service.
fn gss(fields: &mut Xdr<'_>) -> Option<Wrap> {
    let (_version, procedure, _number, service) = (fields.u32()?, fields.u32()?, fields.u32()?, fields.u32()?);
    Some(match (procedure, service) {
        (0, 1) => Wrap::Plain,
        (0, 2) => Wrap::Signed,
        _ => Wrap::Sealed,
    })
}

fn reply<'a>(xid: u32, xdr: &mut Xdr<'a>) -> Option<Reply<'a>> {
    let status = match xdr.u32()? {
        0 => {
            xdr.u32()?;
            xdr.opaque(AUTH_MAX)?;
            programs::accepted(xdr.u32()?)?
        }
        1 => programs::denied(xdr.u32()?)?,
        _ => return None,
    };
    let success = status == programs::SUCCESS;
    Some(Reply { xid, status, success, body: if success { xdr.rest() } else { &[] } })
}

/// Name of a credential's flavour (IANA, RPC authentication numbers).
pub fn flavor(number: u32) -> String {
    match number {
        AUTH_NONE => "AUTH_NONE".into(),
        AUTH_SYS => "AUTH_SYS".into(),
        2 => "AUTH_SHORT".into(),
        3 => "AUTH_DH".into(),
        4 => "AUTH_KERB".into(),
        5 => "AUTH_RSA".into(),
        RPCSEC_GSS => "RPCSEC_GSS".into(),
        7 => "AUTH_TLS".into(),
        _ => format!("auth-{number}"),
    }
}

/// A flavour that exists.
fn is_flavor(flavor: u32) -> bool {
    flavor <= 7 || (390_000..=391_000).contains(&flavor)
}

/// Whether bytes begin a call: all its numbers must be possible, and credential and verifier fit, as far as they are there.
pub fn begins_call(bytes: &[u8]) -> Answer {
    let word = |at: usize| bytes.get(at..).and_then(|rest| rest.first_chunk()).map(|word| u32::from_be_bytes(*word));
    let known = |at: usize, wanted: u32| bytes.get(at..).is_none_or(|rest| wanted.to_be_bytes().starts_with(rest.get(..4).unwrap_or(rest)));
    if !known(4, 0) || !known(8, RPC_VERSION) {
        return Answer::NotForUs;
    }
    let (Some(program), Some(version), Some(procedure)) = (word(12), word(16), word(20)) else {
        // The old numbers of Sun's programs are proof enough with a version.
        let sure = word(12).is_some_and(programs::is_common) && word(16).is_some_and(|version| version < 8);
        return if sure { Answer::Certain } else { Answer::Unsure };
    };
    if !programs::possible(program, version, procedure) {
        return Answer::NotForUs;
    }
    let rest = bytes.get(CALL_NUMBERS..).unwrap_or_default();
    match auth_fits(rest) {
        Answer::Unsure if programs::is_common(program) => Answer::Certain,
        answer => answer,
    }
}

/// Credential and verifier: flavours that exist, lengths that can be.
fn auth_fits(bytes: &[u8]) -> Answer {
    let mut xdr = Xdr::new(bytes);
    for is_verifier in [false, true] {
        let Some(flavor) = xdr.u32() else { return Answer::Unsure };
        let length = Xdr::new(xdr.rest()).u32();
        if !is_flavor(flavor) || length.is_some_and(|length| length as usize > AUTH_MAX || flavor == AUTH_NONE && length > 0) {
            return Answer::NotForUs;
        }
        let Some(body) = xdr.opaque(AUTH_MAX) else { return Answer::Unsure };
        if flavor == AUTH_SYS && !is_verifier && !sys_fits(body) {
            return Answer::NotForUs;
        }
    }
    Answer::Certain
}

/// Stamp, name, user, group, groups: exactly these.
fn sys_fits(body: &[u8]) -> bool {
    let mut fields = Xdr::new(body);
    let read = |fields: &mut Xdr<'_>| -> Option<()> {
        fields.u32()?;
        fields.opaque(NAME_MAX)?;
        fields.skip(8)?;
        fields.skip_words(GROUPS_MAX)
    };
    read(&mut fields).is_some() && fields.rest().is_empty()
}

/// Whether bytes begin a reply, as far as they are there.
pub fn begins_reply(bytes: &[u8]) -> bool {
    let mut xdr = Xdr::new(bytes);
    if xdr.u32().is_none() || xdr.u32() != Some(1) {
        return false;
    }
    match (xdr.u32(), xdr.u32()) {
        (Some(0), Some(verifier)) => {
            is_flavor(verifier)
                && xdr.opaque(AUTH_MAX).is_some_and(|body| verifier != AUTH_NONE || body.is_empty())
                && xdr.u32().is_some_and(|status| programs::accepted(status).is_some())
        }
        (Some(1), Some(why)) => programs::denied(why).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, reply, sys};
    use super::*;

    #[test]
    fn a_call_names_its_caller() {
        let bytes = call(7, (100_003, 3, 6), &sys("client", 1000, 100), b"args");
        let Some(Message::Call(read)) = Message::parse(&bytes) else { panic!("a call") };
        let auth = Auth { flavor: Some(1), machine_name: Some("client".into()), uid: Some(1000), gid: Some(100) };
        assert_eq!((read.xid, read.program, read.version, read.procedure, read.auth), (7, 100_003, 3, 6, auth));
        assert_eq!(read.body, b"args");
    }

    #[test]
    fn calls_are_recognised_however_much_is_there() {
        let bytes = call(7, (100_005, 3, 1), &sys("client", 0, 0), b"");
        for end in 0..bytes.len() {
            let wanted = if end < 20 { Answer::Unsure } else { Answer::Certain };
            assert_eq!(begins_call(&bytes[..end]), wanted, "{end}");
        }
        let rare = call(7, (0x2000_1234, 1, 1), &sys("client", 0, 0), b"");
        assert_eq!((begins_call(&rare[..30]), begins_call(&rare)), (Answer::Unsure, Answer::Certain));
        let mut odd = rare.clone();
        odd[39] ^= 0xff;
        assert_eq!(begins_call(&odd), Answer::NotForUs);
    }

    #[test]
    fn replies_say_how_it_went() {
        let bytes = reply(9, b"abcd");
        let Some(Message::Reply(read)) = Message::parse(&bytes) else { panic!("a reply") };
        assert_eq!((read.xid, read.status, read.success, read.body), (9, "RPC_SUCCESS", true, &b"abcd"[..]));
        let denied = [9u32, 1, 1, 1, 5].map(u32::to_be_bytes).concat();
        let Some(Message::Reply(read)) = Message::parse(&denied) else { panic!("a reply") };
        assert_eq!((read.status, read.success, begins_reply(&denied)), ("RPC_AUTH_ERROR", false, true));
    }
}
