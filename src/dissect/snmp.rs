//! SNMP versions 1, 2c and 3 (RFC 1157, 3416, 3412): one row a flow, one login per community.

use super::ber::{self, Ber, Tlv};
use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape, login};
use crate::model::{Event, Proto, Ts, event::Snmp};

/// How SNMP is recognised and read.
pub const PROTOCOL: Protocol = Protocol {
    name: "snmp",
    over: &[Proto::Udp],
    probe: |probe: &Probe<'_>| if message(probe.bytes).is_some() { Answer::Certain } else { Answer::NotForUs },
    make: |_| Box::new(Session::default()),
};

/// Distinct values kept of each list.
const LIST_MAX: usize = 32;
/// Variables read of one message.
const VARIABLES_MAX: usize = 512;
/// `sysDescr.0` and `sysUpTime.0`.
const DESCRIPTION: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];
const UPTIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];

/// Operations.
mod pdu {
    pub const GET: u8 = 0xa0;
    pub const GET_NEXT: u8 = 0xa1;
    pub const RESPONSE: u8 = 0xa2;
    pub const SET: u8 = 0xa3;
    pub const TRAP_1: u8 = 0xa4;
    pub const GET_BULK: u8 = 0xa5;
    pub const REPORT: u8 = 0xa8;
}

struct Message<'a> {
    version: &'static str,
    community: Option<&'a [u8]>,
    user: Option<&'a [u8]>,
    /// `None` where it is encrypted.
    pdu: Option<Tlv<'a>>,
}

/// Version 1 and 2c with a community and a PDU, version 3 with its header.
fn message(bytes: &[u8]) -> Option<Message<'_>> {
    let mut fields = Ber(bytes).next().filter(|element| element.tag == 0x30)?.inside();
    let version = fields.expect(2).filter(|version| version.length == 1)?;
    match *version.value.first()? {
        number @ (0 | 1) => {
            let community = fields.expect(4)?;
            let pdu = fields.next().filter(|pdu| (pdu::GET..=pdu::REPORT).contains(&pdu.tag))?;
            Some(Message { version: if number == 0 { "1" } else { "2c" }, community: Some(community.value), user: None, pdu: Some(pdu) })
        }
        3 => {
            fields.expect(0x30)?;
            let security = fields.expect(4)?;
            // User-based security (RFC 3414 2.4): engine, boots, time, user.
            let user = security.inside().next().and_then(|parameters| parameters.inside().nth(3)).map(|user| user.value);
            let pdu = fields.expect(0x30).and_then(|scoped| scoped.inside().nth(2));
            Some(Message { version: "3", community: None, user, pdu })
        }
        _ => None,
    }
}

#[derive(Default)]
struct Session {
    row: Box<Snmp>,
    first: Option<(u64, Ts)>,
    seen: bool,
    /// Communities with which the agent answered.
    answered: Vec<String>,
}

/// Adds to a list of distinct values.
fn note(list: &mut Vec<String>, value: String) {
    if list.len() < LIST_MAX && !value.is_empty() && !list.contains(&value) {
        list.push(value);
    }
}

impl Session {
    fn operation(&mut self, pdu: Tlv<'_>, ts_ns: Ts) {
        if pdu.tag == pdu::TRAP_1 {
            return;
        }
        let mut fields = pdu.inside();
        let (_id, error) = (fields.next(), fields.next());
        fields.next();
        let variables = fields.next().map_or(Ber(&[]), |list| list.inside());
        let mut count = 0;
        for variable in variables.take(VARIABLES_MAX) {
            count += 1;
            let mut pair = variable.inside();
            if let (Some(object), value) = (pair.next(), pair.next()) {
                self.variable(pdu.tag, object.value, value, ts_ns);
            }
        }
        let row = &mut self.row;
        match pdu.tag {
            pdu::GET | pdu::GET_NEXT => row.get_requests += count,
            pdu::GET_BULK => row.get_bulk_requests += count,
            pdu::SET => row.set_requests += count,
            pdu::RESPONSE => {
                row.get_responses += count;
                row.errors += u64::from(error.and_then(|error| ber::integer(error.value)).is_some_and(|error| error != 0));
            }
            _ => {}
        }
    }

    fn variable(&mut self, operation: u8, object: &[u8], value: Option<Tlv<'_>>, ts_ns: Ts) {
        let row = &mut self.row;
        let name = || ber::oid(object).unwrap_or_default();
        match operation {
            pdu::SET => note(&mut row.set_oids, name()),
            pdu::GET | pdu::GET_NEXT | pdu::GET_BULK => note(&mut row.oids, name()),
            pdu::RESPONSE if object == DESCRIPTION => {
                row.display_string = value.filter(|value| value.tag == 4).map(|value| escape(value.value, 1_024));
            }
            pdu::RESPONSE if object == UPTIME => {
                let ticks = value.filter(|value| value.tag == 0x43).and_then(|value| ber::integer(value.value));
                row.up_since = ticks.map(|ticks| ts_ns.saturating_sub(ticks.saturating_mul(10_000_000)));
            }
            _ => {}
        }
    }
}

impl Dissector for Session {
    fn data(&mut self, chunk: &Chunk<'_>, _out: &mut Out) {
        let Some(message) = message(chunk.bytes) else { return };
        self.seen = true;
        let (_, began) = *self.first.get_or_insert((chunk.frame, chunk.ts_ns));
        let row = &mut self.row;
        if row.version.is_empty() {
            row.version = message.version;
        }
        row.duration = chunk.ts_ns.saturating_sub(began) as f64 / 1e9;
        if let Some(community) = message.community {
            let community = escape(community, 256);
            row.community.get_or_insert_with(|| community.clone());
            if message.pdu.is_some_and(|pdu| pdu.tag == pdu::RESPONSE) {
                note(&mut self.answered, community.clone());
            }
            note(&mut row.communities, community);
        }
        note(&mut row.usernames, message.user.map(|user| escape(user, 256)).unwrap_or_default());
        match message.pdu {
            Some(pdu) => self.operation(pdu, chunk.ts_ns),
            None => row.encrypted += 1,
        }
    }

    fn end(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.first.take() else { return };
        for community in &self.row.communities {
            let success = self.answered.contains(community).then_some(true);
            out.say(frame, ts_ns, Event::Credential(Box::new(login::credential("snmp", None, community.clone(), success))));
        }
        out.say(frame, ts_ns, Event::Snmp(std::mem::take(&mut self.row)));
    }

    fn confirmed(&self) -> bool {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::testing::{conn, down, play, said, up};
    use proptest::prelude::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, content.len() as u8], content].concat()
    }

    fn v2(community: &str, operation: u8, variables: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
        let list: Vec<u8> = variables.iter().flat_map(|(object, value)| tlv(0x30, &[tlv(6, object), value.clone()].concat())).collect();
        let pdu = tlv(operation, &[tlv(2, &[9]), tlv(2, &[0]), tlv(2, &[0]), tlv(0x30, &list)].concat());
        tlv(0x30, &[tlv(2, &[1]), tlv(4, community.as_bytes()), pdu].concat())
    }

    #[test]
    fn a_session_is_one_row_and_every_community_a_login() {
        let null = || tlv(5, &[]);
        let steps = [
            up(v2("private", pdu::GET, &[(DESCRIPTION, null())])),
            up(v2("public", pdu::GET, &[(DESCRIPTION, null()), (UPTIME, null())])),
            down(v2("public", pdu::RESPONSE, &[(DESCRIPTION, tlv(4, b"Router")), (UPTIME, tlv(0x43, &[0]))])),
            up(v2("public", pdu::SET, &[(&[0x2b, 6, 1, 4], tlv(2, &[1]))])),
        ];
        let (events, service) = play(conn(Proto::Udp, 161), &steps);
        let Event::Snmp(row) = &events[2].event else { panic!("{events:?}") };
        assert_eq!((row.version, row.get_requests, row.get_responses, row.set_requests, service), ("2c", 3, 2, 1, "snmp"));
        assert_eq!((row.community.as_deref(), row.display_string.as_deref()), (Some("private"), Some("Router")));
        assert_eq!((row.up_since, row.set_oids.join(" "), row.duration), (Some(3_000_000), "1.3.6.1.4".to_owned(), 0.003));
        let logins: Vec<_> = events
            .iter()
            .filter_map(
                |event| if let Event::Credential(login) = &event.event { Some((login.secret.as_str(), login.success)) } else { None },
            )
            .collect();
        assert_eq!(logins, [("private", None), ("public", Some(true))]);
    }

    #[test]
    fn version_3_tells_its_user_and_hides_the_rest() {
        let user = tlv(0x30, &[tlv(4, b"engine"), tlv(2, &[1]), tlv(2, &[2]), tlv(4, b"admin"), tlv(4, &[]), tlv(4, &[])].concat());
        let bytes = tlv(0x30, &[tlv(2, &[3]), tlv(0x30, &[]), tlv(4, &user), tlv(4, &[7; 20])].concat());
        let events = said(conn(Proto::Udp, 161), &[up(bytes)]);
        assert!(
            matches!(&events[..], [Event::Snmp(row)] if row.version == "3" && row.encrypted == 1 && row.usernames == ["admin"]),
            "{events:?}"
        );
    }

    proptest! {
        #[test]
        fn cuts_and_flips_are_survived(at in 0usize..60, to: u8, keep in 0usize..60) {
            let mut bytes = v2("public", pdu::GET, &[(DESCRIPTION, tlv(5, &[]))]);
            bytes.truncate(keep);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            prop_assert!(said(conn(Proto::Udp, 161), &[up(&bytes), down(&bytes)]).len() <= 3);
        }
    }
}
