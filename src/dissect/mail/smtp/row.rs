//! The row of the message under way. What belongs to the session stays for the next one.

use crate::dissect::mail::header::{entries, host_addresses, mail_addresses};
use crate::dissect::mail::message::Seen;
use crate::dissect::mail::words;
use crate::dissect::{Out, escape};
use crate::model::event::Smtp;
use crate::model::{Event, Ts};

/// Recipients, entries of `To` and `Cc`, and hosts of a path, as Zeek's default.
const MOST: usize = 1_000;
/// Longest header value kept, bytes.
const VALUE: usize = 4_096;
/// Web mailers by their user agents, as Zeek knows them.
const WEBMAIL: [&str; 6] =
    ["iPlanet Messenger", "Sun Java(tm) System Messenger Express", "IMP", "SquirrelMail", "NeoMail", "ZimbraWebClient"];

/// A message under way.
#[derive(Default)]
pub(super) struct Row {
    row: Smtp,
    /// The client has begun a message, or gone over to TLS: there is something to say.
    active: bool,
    place: (u64, Ts),
    helo: Option<String>,
    /// Who logged in.
    pub auth_user: Option<String>,
    /// Last reply so far.
    pub last_reply: Option<String>,
    /// The server's word on the message.
    pub accepted: Option<bool>,
    /// Recipients refused.
    pub refused: u32,
    /// Its last byte was sent.
    pub sent: bool,
}

impl Row {
    /// HELO and its like.
    pub fn greet(&mut self, name: &str) {
        if !name.is_empty() {
            self.helo = Some(name.to_owned());
        }
    }

    /// `MAIL FROM:`
    pub fn sender(&mut self, arg: &str, place: (u64, Ts)) {
        self.row.mailfrom = mail_addresses(arg).into_iter().next();
        self.begin(place);
    }

    /// `RCPT TO:`
    pub fn recipient(&mut self, arg: &str, place: (u64, Ts)) {
        if !arg.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("TO:")) {
            return;
        }
        for address in mail_addresses(arg) {
            // `ORCPT=rfc822;joe@example.com` repeats whom it is for (RFC 3461 4.2).
            if self.row.rcptto.len() < MOST && !self.row.rcptto.contains(&address) {
                self.row.rcptto.push(address);
            }
        }
        self.begin(place);
    }

    /// The connection goes over to TLS.
    pub fn tls(&mut self, place: (u64, Ts)) {
        self.row.tls = true;
        self.begin(place);
    }

    fn begin(&mut self, place: (u64, Ts)) {
        if !self.active {
            (self.active, self.place) = (true, place);
        }
    }

    /// The message itself.
    pub fn message(&mut self, seen: Seen) {
        for (name, value) in &seen.headers {
            self.header(name, value);
        }
        self.row.message_bytes += seen.bytes;
        self.row.fuids.extend(seen.fuids);
        self.row.attachments.extend(seen.names);
        self.row.urls.extend(seen.urls);
    }

    fn header(&mut self, name: &str, value: &[u8]) {
        let row = &mut self.row;
        let text = escape(value, VALUE);
        match name {
            "MESSAGE-ID" => row.msg_id = Some(text),
            "RECEIVED" => {
                let addresses = host_addresses(&text, true);
                let host = addresses.get(1).or(addresses.first());
                if let Some(&host) = host.filter(|host| row.path.len() < MOST && row.path.last() != Some(*host)) {
                    row.path.push(host);
                }
                row.second_received = row.first_received.replace(text);
            }
            "IN-REPLY-TO" => row.in_reply_to = Some(text),
            "SUBJECT" => {
                row.subject_text = words::decoded(value);
                row.subject = Some(text);
            }
            "FROM" => row.from = Some(text),
            "REPLY-TO" => row.reply_to = Some(text),
            "DATE" => row.date = Some(text),
            "TO" => add(&mut row.to, &text),
            "CC" => add(&mut row.cc, &text),
            "X-ORIGINATING-IP" => row.x_originating_ip = host_addresses(&text, false).first().copied(),
            "X-MAILER" | "USER-AGENT" | "X-USER-AGENT" => {
                row.is_webmail = WEBMAIL.iter().any(|known| text.starts_with(known));
                row.user_agent = Some(text);
            }
            _ => {}
        }
    }

    /// Says the message, if the client has begun one.
    pub fn say(&mut self, depth: u32, banner: Option<&str>, out: &mut Out) {
        if !std::mem::take(&mut self.active) {
            return;
        }
        let mut row = std::mem::take(&mut self.row);
        self.sent = false;
        let hosts = row.path.into_iter().skip_while(|host| *host == out.conn.orig_h);
        row.path = [out.conn.resp_h, out.conn.orig_h].into_iter().chain(hosts).collect();
        row.trans_depth = depth;
        row.helo.clone_from(&self.helo);
        row.banner = banner.map(str::to_owned);
        row.auth_user.clone_from(&self.auth_user);
        (row.last_reply, row.accepted, row.refused) = (self.last_reply.take(), self.accepted.take(), std::mem::take(&mut self.refused));
        out.say(self.place.0, self.place.1, Event::Smtp(Box::new(row)));
    }

    /// The next message of the session.
    pub fn following(&self) -> Self {
        Self { helo: self.helo.clone(), auth_user: self.auth_user.clone(), ..Self::default() }
    }
}

fn add(list: &mut Vec<String>, value: &str) {
    for entry in entries(value, MOST) {
        if list.len() < MOST && !list.contains(&entry) {
            list.push(entry);
        }
    }
}
