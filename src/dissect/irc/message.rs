//! One line of IRC (RFC 2812 2.3.1), and the offer of a file in one (CTCP's `DCC SEND`).

use crate::dissect::escape;
use crate::model::event::DataChannel;
use std::net::{IpAddr, Ipv4Addr};

/// Parameters of one message (RFC 2812 allows fifteen).
const PARAMS: usize = 15;

/// `[@tags] [:prefix] command params [:trailing]`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message<'a> {
    pub prefix: &'a [u8],
    /// Upper case, or three digits.
    pub command: String,
    pub params: Vec<&'a [u8]>,
}

impl<'a> Message<'a> {
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let mut rest = line.trim_ascii_start();
        if rest.first() == Some(&b'@') {
            rest = word(rest).1;
        }
        let mut prefix = &b""[..];
        if let [b':', ..] = rest {
            let (name, after) = word(rest);
            (prefix, rest) = (name.get(1..).unwrap_or_default(), after);
        }
        let (command, after) = word(rest);
        rest = after;
        let numeric = command.len() == 3 && command.iter().all(u8::is_ascii_digit);
        if !numeric && (!(2..=20).contains(&command.len()) || !command.iter().all(u8::is_ascii_alphabetic)) {
            return None;
        }
        let mut params = Vec::new();
        while !rest.is_empty() {
            if let [b':', text @ ..] = rest {
                params.push(text);
                break;
            }
            if params.len() + 1 >= PARAMS {
                params.push(rest);
                break;
            }
            let (param, after) = word(rest);
            params.push(param);
            rest = after;
        }
        Some(Self { prefix, command: escape(command, 20).to_ascii_uppercase(), params })
    }

    /// The nick of whoever speaks; `None` for servers.
    pub fn speaker(&self) -> Option<&'a [u8]> {
        let at = self.prefix.iter().position(|&byte| byte == b'!')?;
        self.prefix.get(..at)
    }

    /// The real name of USER as Zeek writes it: words joined without blanks, a blank after each but the first.
    pub fn real_name(&self) -> String {
        let text = self.params.get(3..).unwrap_or_default().join(&b' ');
        let words = text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).enumerate();
        words.map(|(n, word)| if n == 0 { escape(word, 64) } else { format!("{} ", escape(word, 64)) }).collect()
    }
}

fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    (word, rest.trim_ascii_start())
}

/// `DCC SEND name address port [size]`
#[derive(Debug, PartialEq)]
pub(in crate::dissect) struct Offer<'a> {
    pub name: &'a [u8],
    address: IpAddr,
    port: u16,
    pub size: Option<u64>,
}

impl<'a> Offer<'a> {
    /// The offer within a line.
    pub fn find(line: &'a [u8]) -> Option<Self> {
        const MARK: &[u8] = b"\x01DCC SEND ";
        let at = memchr::memmem::find(line, MARK)?;
        let text = line.get(at + MARK.len()..)?;
        let text = text.split(|&byte| byte == 1).next()?.trim_ascii();
        // Names with blanks stand in quotes.
        let (name, rest) = match text {
            [b'"', quoted @ ..] => quoted.split_at_checked(quoted.iter().position(|&byte| byte == b'"')?)?,
            _ => text.split_at_checked(text.iter().position(|&byte| byte == b' ')?)?,
        };
        let rest = std::str::from_utf8(rest.strip_prefix(b"\"").unwrap_or(rest)).ok()?;
        let mut words = rest.split_ascii_whitespace();
        let address = words.next()?;
        let address = match address.parse::<u32>() {
            Ok(number) => Ipv4Addr::from(number).into(),
            Err(_) => address.parse().ok()?,
        };
        // Port 0 asks the receiver to wait instead.
        let port = words.next()?.parse().ok().filter(|&port| port != 0)?;
        Some(Self { name, address, port, size: words.next().and_then(|size| size.parse().ok()) })
    }

    /// Where it is to be had.
    pub fn channel(&self) -> DataChannel {
        DataChannel { orig_h: None, resp_h: self.address, resp_p: self.port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_tags_prefixes_and_trailing_parameters() {
        let message = Message::parse(b"@time=1;x=y :joe!j@host privmsg #a :hello  there").unwrap();
        assert_eq!((message.command.as_str(), message.speaker()), ("PRIVMSG", Some(&b"joe"[..])));
        assert_eq!(message.params, [&b"#a"[..], b"hello  there"]);
        assert_eq!(Message::parse(b":srv 001 joe :Welcome").map(|message| message.command), Some("001".into()));
        for nonsense in [&b""[..], b":", b":only", b"{\"json\": 1}", b"12 x"] {
            assert_eq!(Message::parse(nonsense), None);
        }
    }

    #[test]
    fn offers_name_a_file_and_where_it_is() {
        let offer = Offer::find(b"PRIVMSG x :\x01DCC SEND \"my file.zip\" 3221225985 5000 77\x01").unwrap();
        assert_eq!((offer.name, offer.size), (&b"my file.zip"[..], Some(77)));
        assert_eq!(offer.channel(), DataChannel { orig_h: None, resp_h: IpAddr::from([192, 0, 2, 1]), resp_p: 5_000 });
        assert_eq!(Offer::find(b"x :\x01DCC SEND a 2001:db8::1 5000\x01").map(|offer| offer.address), "2001:db8::1".parse().ok());
        for broken in
            [&b"\x01DCC SEND "[..], b"\x01DCC SEND a", b"\x01DCC SEND a 1 0 5\x01", b"\x01DCC SEND a 1 99999\x01", b"DCC SEND a 1 1"]
        {
            assert_eq!(Offer::find(broken), None);
        }
    }
}
