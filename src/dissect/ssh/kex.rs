//! KEXINIT (RFC 4253 7.1): what both sides offer, what follows from it, and HASSH.

use crate::dissect::hex;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use md5::{Digest, Md5};

/// The name lists of one side.
#[derive(Default, Clone)]
pub(super) struct KexInit {
    lists: [String; 8],
}

/// Positions of the name lists in the message.
const KEX: usize = 0;
const HOST_KEY: usize = 1;
const CIPHER: [usize; 2] = [2, 3];
const MAC: [usize; 2] = [4, 5];
const COMPRESSION: [usize; 2] = [6, 7];

impl KexInit {
    /// Reads the message after its number: a 16-byte cookie, then the lists.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut rest = body.get(16..)?;
        let mut init = Self::default();
        for list in &mut init.lists {
            let (text, after) = string(rest)?;
            *list = crate::dissect::escape(text, 8_192);
            rest = after;
        }
        Some(init)
    }

    /// HASSH: MD5 over `kex;cipher;mac;compression` of the sender's own direction (0 client to server, 1 server to client).
    /// <https://github.com/salesforce/hassh>
    pub fn hassh(&self, dir: usize) -> String {
        let pick = |pair: [usize; 2]| pair.get(dir).and_then(|&at| self.lists.get(at)).map_or("", String::as_str);
        let text = [&self.lists[KEX], pick(CIPHER), pick(MAC), pick(COMPRESSION)].join(";");
        hex(&Md5::digest(text.as_bytes()))
    }
}

/// What the two offers lead to.
pub(super) struct Chosen {
    pub kex: String,
    pub host_key: String,
    pub cipher: [String; 2],
    pub mac: [String; 2],
    pub compression: [String; 2],
}

impl Chosen {
    /// The client's first name that the server knows, list by list.
    pub fn new(client: &KexInit, server: &KexInit) -> Self {
        let pick = |at: usize| first_common(&client.lists[at], &server.lists[at]);
        Self { kex: pick(KEX), host_key: pick(HOST_KEY), cipher: CIPHER.map(pick), mac: MAC.map(pick), compression: COMPRESSION.map(pick) }
    }
}

/// Zeek's words for both directions at once.
pub(super) fn both_ways([to_server, to_client]: &[String; 2]) -> String {
    if to_server == to_client { to_server.clone() } else { format!("To server: {to_server}, to client: {to_client}") }
}

fn first_common(client: &str, server: &str) -> String {
    let known = |name: &&str| server.split(',').any(|other| other == *name);
    client.split(',').find(known).unwrap_or("Algorithm negotiation failed").to_owned()
}

/// OpenSSH's fingerprint of the host key in a key exchange reply whose first field is the key.
pub(super) fn host_key_fingerprint(body: &[u8]) -> Option<String> {
    let (key, _) = string(body)?;
    let (name, _) = string(key)?;
    let plausible = (7..=64).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic);
    plausible.then(|| format!("SHA256:{}", STANDARD_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, key))))
}

/// One length-prefixed string and what follows it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A KEXINIT body with these lists.
    pub(in crate::dissect::ssh) fn kexinit(lists: [&str; 8]) -> Vec<u8> {
        let mut body = vec![7; 16];
        for list in lists.into_iter().chain(["", ""]) {
            body.extend(u32::try_from(list.len()).unwrap().to_be_bytes());
            body.extend(list.as_bytes());
        }
        body.extend([0; 5]);
        body
    }

    #[test]
    fn hassh_is_the_digest_of_the_four_lists_of_its_own_direction() {
        let init = KexInit::parse(&kexinit(["kex", "key", "c2s", "s2c", "m1", "m2", "none", "zlib"])).unwrap();
        assert_eq!(init.hassh(0), hex(&Md5::digest("kex;c2s;m1;none")));
        assert_eq!(init.hassh(1), hex(&Md5::digest("kex;s2c;m2;zlib")));
    }

    #[test]
    fn the_client_s_first_name_that_the_server_knows_wins() {
        let client = KexInit::parse(&kexinit(["a,b", "k", "x,y", "y", "m", "m", "none", "none"])).unwrap();
        let server = KexInit::parse(&kexinit(["b,a", "q", "y,x", "y", "m", "m", "none", "none"])).unwrap();
        let chosen = Chosen::new(&client, &server);
        assert_eq!(chosen.kex, "a");
        assert_eq!(chosen.host_key, "Algorithm negotiation failed");
        assert_eq!(both_ways(&chosen.cipher), "To server: x, to client: y");
        assert_eq!(both_ways(&chosen.mac), "m");
    }

    #[test]
    fn a_broken_kexinit_is_no_kexinit() {
        let body = kexinit(["a", "b", "c", "d", "e", "f", "g", "h"]);
        let needed = body.len() - 13;
        for cut in 0..needed {
            assert!(KexInit::parse(&body[..cut]).is_none(), "{cut}");
        }
        assert!(KexInit::parse(&body[..needed]).is_some());
    }
}
