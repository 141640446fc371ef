//! Messages → transactions. DHCP speaks to everybody and answers to somebody, so one lease is several flows; what holds them
//! together is the transaction id. Rows are those of Zeek's `dhcp.log`, and the waits are Zeek's.

use crate::model::event::{Dhcp, DhcpMessage};
use crate::model::{AppEvent, Conn, Event, FlowId, Ts, time::SECOND};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// When a transaction is first asked whether it is over, after its first message, and then how often.
const FIRST_LOOK: i64 = 10 * SECOND;
const NEXT_LOOK: i64 = 5 * SECOND;
/// It is over after this silence …
const SILENCE: i64 = 5 * SECOND;
/// … or at this age.
const AGE_MAX: i64 = 30 * SECOND;
/// Flows and messages after which it is said in any case, as by Zeek.
const FLOWS_MAX: usize = 10;
const MESSAGES_MAX: usize = 50;
/// Transactions under way; beyond it the oldest is said. A starving client makes thousands in a minute.
const OPEN_MAX: usize = 16_384;
/// Servers told apart in one transaction.
const SERVERS_MAX: usize = 8;

/// The transactions under way, by id.
#[derive(Default)]
pub struct Transactions {
    open: BTreeMap<u32, Open>,
}

struct Open {
    frame: u64,
    conn: Option<Conn>,
    first_ns: Ts,
    last_ns: Ts,
    first_answer_ns: Option<Ts>,
    row: Box<Dhcp>,
}

impl Transactions {
    /// Takes the messages out of `events`, which are in order of frames, and puts the transactions in that are over at `now`.
    pub fn gather(&mut self, events: &mut Vec<AppEvent>, now: Option<Ts>) {
        let mut done = Vec::new();
        events.retain_mut(|at| {
            let Event::DhcpMessage(message) = &mut at.event else { return true };
            let message = std::mem::take(message);
            self.message(at, *message, &mut done);
            false
        });
        if let Some(now) = now {
            let over: Vec<u32> = self.open.iter().filter(|(_, open)| open.is_over(now)).map(|(xid, _)| *xid).collect();
            done.extend(over.iter().filter_map(|xid| self.open.remove(xid)));
        }
        while self.open.len() > OPEN_MAX {
            let Some(oldest) = self.open.iter().min_by_key(|(xid, open)| (open.frame, **xid)).map(|(xid, _)| *xid) else { break };
            done.extend(self.open.remove(&oldest));
        }
        events.extend(done.into_iter().map(Open::finish));
    }

    /// Ends all of them, the capture being over.
    pub fn finish(&mut self) -> Vec<AppEvent> {
        std::mem::take(&mut self.open).into_values().map(Open::finish).collect()
    }

    fn message(&mut self, at: &AppEvent, message: DhcpMessage, done: &mut Vec<Open>) {
        let xid = message.xid;
        if self.open.get(&xid).is_some_and(|open| open.is_over(at.ts_ns)) {
            done.extend(self.open.remove(&xid));
        }
        let open = self.open.entry(xid).or_insert_with(|| Open::new(at, xid));
        open.message(at, message);
        if open.row.uids.len() >= FLOWS_MAX || open.row.msg_types.len() >= MESSAGES_MAX {
            done.extend(self.open.remove(&xid));
        }
    }
}

impl Open {
    fn new(at: &AppEvent, xid: u32) -> Self {
        let row = Box::new(Dhcp { xid, ..Dhcp::default() });
        Self { frame: at.frame, conn: at.conn, first_ns: at.ts_ns, last_ns: at.ts_ns, first_answer_ns: None, row }
    }

    /// Whether a look before `now` has found it silent or old.
    fn is_over(&self, now: Ts) -> bool {
        let mut look = self.first_ns.saturating_add(FIRST_LOOK);
        while look < now {
            if look.saturating_sub(self.last_ns) > SILENCE || look.saturating_sub(self.first_ns) > AGE_MAX {
                return true;
            }
            look = look.saturating_add(NEXT_LOOK);
        }
        false
    }

    fn message(&mut self, at: &AppEvent, message: DhcpMessage) {
        let Some(conn) = at.conn else { return };
        self.last_ns = self.last_ns.max(at.ts_ns);
        let row = &mut self.row;
        row.duration = at.ts_ns.saturating_sub(self.first_ns) as f64 / SECOND as f64;
        if !row.uids.contains(&conn.flow) {
            row.uids.push(conn.flow);
        }
        row.frames.push(at.frame);
        row.msg_types.push(type_name(message.kind));
        let (near, far) = if message.is_orig { (conn.orig_h, conn.resp_h) } else { (conn.resp_h, conn.orig_h) };
        row.msg_orig.push(near.to_string());
        take(&mut row.circuit_id, &message.circuit_id);
        take(&mut row.agent_remote_id, &message.remote_id);
        take(&mut row.subscriber_id, &message.subscriber_id);
        row.relay_addr = message.giaddr.or(row.relay_addr);
        if message.from_client {
            self.client(near, message);
        } else {
            self.server(near, far, at.ts_ns, message);
        }
    }

    fn client(&mut self, from: IpAddr, message: DhcpMessage) {
        let row = &mut self.row;
        if !from.is_unspecified() && from != IpAddr::from([255; 4]) {
            row.client_addr = Some(from);
        }
        take(&mut row.host_name, &message.host_name);
        take(&mut row.client_fqdn, &message.client_fqdn);
        take(&mut row.client_message, &message.message);
        take(&mut row.client_software, &message.vendor_class);
        take(&mut row.user_class, &message.user_class);
        take(&mut row.client_id, &message.client_id);
        take(&mut row.mac, &message.client_id_mac);
        take(&mut row.client_chaddr, &message.chaddr);
        row.requested_addr = message.requested.or(row.requested_addr);
        if !message.param_list.is_empty() {
            row.param_list = message.param_list;
        }
    }

    fn server(&mut self, from: IpAddr, _to: IpAddr, ts_ns: Ts, message: DhcpMessage) {
        self.race(from, ts_ns, &message);
        let row = &mut self.row;
        row.mac = row.mac.take().or(message.chaddr);
        if let Some(assigned) = message.yiaddr {
            row.server_addr = Some(from);
            row.assigned_addr = Some(assigned);
        }
        row.client_addr = row.client_addr.or(row.assigned_addr.map(IpAddr::V4));
        take(&mut row.domain, &message.domain);
        take(&mut row.server_message, &message.message);
        take(&mut row.server_software, &message.vendor_class);
        take(&mut row.wpad_opt, &message.wpad);
        take(&mut row.boot_file, &message.boot_file);
        row.lease_time = message.lease.map(f64::from).or(row.lease_time);
        row.server_id = message.server_id.or(row.server_id);
        row.subnet_mask = message.subnet_mask.or(row.subnet_mask);
        row.next_server = message.siaddr.or(row.next_server);
        for (kept, said) in
            [(&mut row.router_opt, &message.routers), (&mut row.dns_opt, &message.dns_servers), (&mut row.ntp_opt, &message.ntp_servers)]
        {
            if !said.is_empty() {
                *kept = said.iter().map(ToString::to_string).collect();
            }
        }
    }

    /// Who answered first, who after, and with what: two servers that offer different routers are a sign of a false one.
    fn race(&mut self, from: IpAddr, ts_ns: Ts, message: &DhcpMessage) {
        let row = &mut self.row;
        let server = message.server_id.map_or_else(|| from.to_string(), |id| id.to_string());
        if row.server_ids.contains(&server) || row.server_ids.len() >= SERVERS_MAX {
            return;
        }
        let listed = |list: &[std::net::Ipv4Addr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let address = message.yiaddr.map_or_else(String::new, |addr| addr.to_string());
        row.offers.push(format!("{address} router={} dns={}", listed(&message.routers), listed(&message.dns_servers)));
        row.server_ids.push(server);
        let first = *self.first_answer_ns.get_or_insert(ts_ns);
        if row.server_ids.len() == 2 {
            row.race_s = Some(ts_ns.saturating_sub(first) as f64 / SECOND as f64);
        }
    }

    fn finish(mut self) -> AppEvent {
        // Neither an identifier nor an answer: what the client's header says is all there is.
        self.row.mac = self.row.mac.take().or_else(|| self.row.client_chaddr.clone());
        self.row.uids.sort_unstable_by_key(|flow: &FlowId| flow.0);
        AppEvent { conn: self.conn, frame: self.frame, ts_ns: self.first_ns, event: Event::Dhcp(self.row) }
    }
}

/// The later word counts, silence does not take it back.
fn take(kept: &mut Option<String>, said: &Option<String>) {
    if said.is_some() {
        kept.clone_from(said);
    }
}

/// RFC 2132 9.6, RFC 3203, RFC 4388, RFC 6926, RFC 7724, in Zeek's words.
fn type_name(kind: u8) -> String {
    const NAMES: [&str; 18] = [
        "DISCOVER",
        "OFFER",
        "REQUEST",
        "DECLINE",
        "ACK",
        "NAK",
        "RELEASE",
        "INFORM",
        "FORCERENEW",
        "LEASEQUERY",
        "LEASEUNASSIGNED",
        "LEASEUNKNOWN",
        "LEASEACTIVE",
        "BULKLEASEQUERY",
        "LEASEQUERYDONE",
        "ACTIVELEASEQUERY",
        "LEASEQUERYSTATUS",
        "TLS",
    ];
    let name = usize::from(kind).checked_sub(1).and_then(|at| NAMES.get(at));
    name.map_or_else(|| format!("unknown-message-type-{kind}"), |name| (*name).to_owned())
}
