//! SSH: banners, offers and choices in clear (RFC 4253), the login from packet sizes. One row a connection.

mod auth;
mod kex;
mod packets;

use super::{Answer, Chunk, Dissector, Out, Probe, Protocol, escape};
use crate::model::{Conn, Dir, Event, Proto, Ts, event::Ssh};
use auth::Auth;
use kex::{Chosen, KexInit, both_ways};
use packets::Reader;

/// SSH over TCP.
pub const SSH: Protocol = Protocol { name: "ssh", over: &[Proto::Tcp], probe, make: |_: &Conn| Box::new(Connection::default()) };

/// Longest line before the packets; RFC 4253 4.2 allows 255 for the banner, servers may greet before it.
const LINE: usize = 1_024;
/// Lines a server may send before its banner.
const GREETING_LINES: u32 = 64;

/// Length of `SHA256:` and 32 characters.
const ZEEK_FINGERPRINT: usize = 7 + 32;

const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
/// KEXDH_REPLY and KEX_ECDH_REPLY; the group of a group exchange shares the number but does not begin with a key.
const KEX_REPLY: u8 = 31;
/// KEX_DH_GEX_REPLY.
const GEX_REPLY: u8 = 33;

fn probe(probe: &Probe<'_>) -> Answer {
    match probe.bytes {
        [b'S', b'S', b'H', b'-', b'1' | b'2', ..] => Answer::Certain,
        short if b"SSH-".starts_with(short) || short == b"SSH-" => Answer::Unsure,
        _ => Answer::NotForUs,
    }
}

#[derive(Default)]
struct Connection {
    sides: [Side; 2],
    first: Option<(u64, Ts)>,
    chosen: Option<Chosen>,
    host_key: Option<String>,
    auth: Option<Auth>,
    said: bool,
}

#[derive(Default)]
struct Side {
    stage: Stage,
    line: Vec<u8>,
    lines: u32,
    banner: Option<String>,
    reader: Reader,
    init: Option<KexInit>,
    spoke: bool,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Stage {
    #[default]
    Lines,
    Packets,
    Encrypted,
    Lost,
}

impl Dissector for Connection {
    fn data(&mut self, chunk: &Chunk<'_>, out: &mut Out) {
        self.first.get_or_insert((chunk.frame, chunk.ts_ns));
        let mut bytes = chunk.bytes;
        self.side(chunk.dir).spoke |= !bytes.is_empty();
        while !bytes.is_empty() {
            let used = match self.side(chunk.dir).stage {
                Stage::Lines => self.side(chunk.dir).lines(bytes),
                Stage::Packets => self.packets(chunk.dir, bytes),
                Stage::Encrypted => {
                    self.encrypted(chunk.dir, bytes, u64::from(chunk.cut));
                    self.say_when_decided(out);
                    return;
                }
                Stage::Lost => break,
            };
            bytes = bytes.get(used..).unwrap_or_default();
        }
        if chunk.cut > 0 {
            self.gap(chunk.dir, u64::from(chunk.cut), out);
        }
    }

    fn gap(&mut self, dir: Dir, missing: u64, _out: &mut Out) {
        match self.side(dir).stage {
            Stage::Lines | Stage::Lost => self.side(dir).stage = Stage::Lost,
            Stage::Packets => {
                if self.side(dir).reader.skip(missing) {
                    self.packet(dir);
                }
                self.follow_losses();
            }
            Stage::Encrypted => {
                if let (Dir::Resp, Some(auth)) = (dir, &mut self.auth) {
                    auth.server_gap();
                }
            }
        }
    }

    fn end(&mut self, out: &mut Out) {
        self.say(out);
    }

    fn confirmed(&self) -> bool {
        let [client, server] = &self.sides;
        match (&client.banner, &server.banner) {
            (Some(_), Some(_)) => true,
            (Some(_), None) => !server.spoke,
            (None, Some(_)) => !client.spoke,
            (None, None) => false,
        }
    }

    fn wants(&self, dir: Dir) -> bool {
        let [client, server] = &self.sides;
        let settled = self.said || self.auth.as_ref().is_some_and(|auth| !auth.open());
        let old = version(client.banner.as_deref(), server.banner.as_deref()) == Some(1);
        let over = self.sides.iter().all(|side| side.stage == Stage::Lost);
        let greeted = self.sides.get(dir.index()).is_some_and(|side| side.banner.is_some());
        !(settled || over || (old && greeted))
    }
}

impl Connection {
    fn side(&mut self, dir: Dir) -> &mut Side {
        let [client, server] = &mut self.sides;
        match dir {
            Dir::Orig => client,
            Dir::Resp => server,
        }
    }

    fn packets(&mut self, dir: Dir, bytes: &[u8]) -> usize {
        let (used, ready) = self.side(dir).reader.take(bytes);
        if ready {
            self.packet(dir);
        }
        self.follow_losses();
        used
    }

    fn packet(&mut self, dir: Dir) {
        let side = self.side(dir);
        let Some(packet) = side.reader.packet() else { return };
        match packet.kind {
            KEXINIT if side.init.is_none() => {
                side.init = KexInit::parse(packet.body);
                if let [Side { init: Some(client), .. }, Side { init: Some(server), .. }] = &self.sides {
                    self.chosen = Some(Chosen::new(client, server));
                }
            }
            KEX_REPLY | GEX_REPLY if dir == Dir::Resp && packet.whole => {
                let fingerprint = kex::host_key_fingerprint(packet.body);
                self.host_key = self.host_key.take().or(fingerprint);
            }
            NEWKEYS => {
                side.stage = Stage::Encrypted;
                self.start_auth();
            }
            _ => {}
        }
    }

    fn start_auth(&mut self) {
        if self.auth.is_none() {
            let chosen = self.chosen.as_ref();
            let algorithms = chosen.map(|chosen| (chosen.cipher[1].as_str(), chosen.mac[1].as_str()));
            let squeezed = chosen.and_then(|chosen| chosen.compression.iter().find(|name| name.starts_with("zlib")));
            self.auth = Some(Auth::new(algorithms, squeezed.map(String::as_str)));
        }
    }

    /// Where one side's boundaries are lost, the other side's NEWKEYS tells that both are encrypted by now.
    fn follow_losses(&mut self) {
        for side in &mut self.sides {
            if side.reader.lost() && side.stage == Stage::Packets {
                side.stage = Stage::Lost;
            }
        }
        if self.auth.is_some() {
            for side in self.sides.iter_mut().filter(|side| side.stage == Stage::Lost) {
                side.stage = Stage::Encrypted;
            }
        }
    }

    fn encrypted(&mut self, dir: Dir, bytes: &[u8], cut: u64) {
        let Some(auth) = &mut self.auth else { return };
        match dir {
            Dir::Orig => auth.client(bytes.len() as u64 + cut),
            Dir::Resp => auth.server(bytes, cut),
        }
    }

    fn say_when_decided(&mut self, out: &mut Out) {
        if self.auth.as_ref().is_some_and(Auth::decided) {
            self.say(out);
        }
    }

    fn say(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.first else { return };
        if self.said || !self.confirmed() {
            return;
        }
        self.said = true;
        let verdict = self.auth.as_mut().map(Auth::verdict).unwrap_or_default();
        let [client, server] = &self.sides;
        let chosen = self.chosen.as_ref();
        out.say(
            frame,
            ts_ns,
            Event::Ssh(Box::new(Ssh {
                version: version(client.banner.as_deref(), server.banner.as_deref()),
                client: client.banner.clone(),
                server: server.banner.clone(),
                auth_success: verdict.success,
                auth_attempts: verdict.attempts,
                auth_evidence: if self.auth.is_some() { verdict.evidence } else { "the key exchange was not seen to its end".into() },
                cipher_alg: chosen.map(|chosen| both_ways(&chosen.cipher)),
                mac_alg: chosen.map(|chosen| both_ways(&chosen.mac)),
                compression_alg: chosen.map(|chosen| both_ways(&chosen.compression)),
                kex_alg: chosen.map(|chosen| chosen.kex.clone()),
                host_key_alg: chosen.map(|chosen| chosen.host_key.clone()),
                // Zeek cuts the digest; its column is kept comparable.
                host_key_fingerprint: self.host_key.as_ref().map(|key| key.chars().take(ZEEK_FINGERPRINT).collect()),
                host_key_sha256: self.host_key.clone(),
                hassh: client.init.as_ref().map(|init| init.hassh(0)),
                hassh_server: server.init.as_ref().map(|init| init.hassh(1)),
            })),
        );
    }
}

impl Side {
    /// Reads up to the banner's end; returns the bytes used.
    fn lines(&mut self, bytes: &[u8]) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
        let Some(end) = end else { return bytes.len() };
        let line = std::mem::take(&mut self.line);
        self.lines += 1;
        if line.starts_with(b"SSH-") {
            self.banner = Some(escape(line.strip_suffix(b"\r").unwrap_or(&line), LINE));
            self.stage = Stage::Packets;
        } else if self.lines >= GREETING_LINES {
            self.stage = Stage::Lost;
        }
        end + 1
    }
}

/// The version both speak: `1.99` stands for a server or client that knows both. `None` where they have none in common.
fn version(client: Option<&str>, server: Option<&str>) -> Option<u8> {
    let [client, server] = [client, server]
        .map(|banner| banner.map(|banner| (!banner.starts_with("SSH-2"), !banner.starts_with("SSH-1.") || banner.starts_with("SSH-1.99"))));
    let (one, two) = match (client, server) {
        (Some((client_one, client_two)), Some((server_one, server_two))) => (client_one && server_one, client_two && server_two),
        (Some(alone), None) | (None, Some(alone)) => alone,
        (None, None) => return None,
    };
    if two { Some(2) } else { one.then_some(1) }
}

#[cfg(test)]
mod tests;
