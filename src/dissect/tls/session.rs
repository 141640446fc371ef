//! What both sides of a handshake say, gathered into one row.

use super::bytes::Bytes;
use super::carried::Offer;
use super::decrypt::Terms;
use super::hello::{self, ClientHello, ServerHello, client_hello, is_grease, server_hello, v2_client_hello, v2_server_hello};
use super::{ja, names};
use crate::dissect::{Chunk, Out, files, x509};
use crate::model::event::Tls;
use crate::model::{Dir, Event, Ts};

/// Letters of `ssl_history` (Zeek's `max_ssl_history_length`).
const HISTORY_MAX: usize = 100;
/// Certificates read of one chain.
const CHAIN_MAX: usize = 16;

/// Handshake message types.
mod message {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const ENCRYPTED_EXTENSIONS: u8 = 8;
    pub const CERTIFICATE: u8 = 11;
    pub const SERVER_KEY_EXCHANGE: u8 = 12;
    pub const CLIENT_KEY_EXCHANGE: u8 = 16;
}

/// One handshake.
#[derive(Default)]
pub struct Session {
    row: Box<Tls>,
    /// Who sent the ClientHello, once known.
    client: Option<Dir>,
    hello: Option<ClientHello>,
    version: Option<u16>,
    server_seen: bool,
    /// A ticket came with an empty session id: its use shows only in what follows.
    ticket: bool,
    key_exchange_seen: bool,
    place: Option<(u64, Ts)>,
    last: (u64, Ts),
    leaf: Option<Box<crate::model::event::X509>>,
    said: bool,
    /// JA4's letter of the transport, where it is not TCP.
    transport: Option<char>,
    terms: Terms,
}

impl Session {
    /// Over another transport than TCP: JA4's letter for it.
    pub fn over(transport: char) -> Self {
        Self { transport: Some(transport), ..Self::default() }
    }

    /// What the client offers, once known.
    pub fn offer(&self) -> Option<Offer> {
        let hello = self.hello.as_ref()?;
        let protocol = hello.alpn.first().map(|name| crate::dissect::escape(name, 255));
        Some(Offer { server_name: hello.server_name.clone(), protocol, ja4: self.row.ja4.clone() })
    }

    /// The server has chosen.
    pub fn is_answered(&self) -> bool {
        self.server_seen
    }

    /// A hello was seen.
    pub fn is_known(&self) -> bool {
        self.place.is_some()
    }

    /// The row was said: nothing more is wanted.
    pub fn is_said(&self) -> bool {
        self.said
    }

    /// TLS 1.3 or a draft of it was chosen.
    pub fn is_13(&self) -> bool {
        self.version.is_some_and(|version| matches!(version, 0x0304 | 0xfefc) || version >> 8 == 0x7f)
    }

    /// What keys depend on, and who the client is, once both sides have spoken.
    pub fn terms(&self) -> Option<(&Terms, Dir)> {
        Some((&self.terms, self.client?)).filter(|_| self.server_seen && self.hello.is_some())
    }

    /// Whether application data of `dir` tell that the handshake is over: in TLS 1.3 the client's first holds its Finished.
    pub fn is_over_with(&self, dir: Dir) -> bool {
        self.server_seen && self.is_13() && self.is_client(dir)
    }

    /// What both sides said was read with known keys.
    pub fn is_decrypted(&mut self) {
        self.row.decrypted = true;
    }

    fn is_client(&self, dir: Dir) -> bool {
        dir == self.client.unwrap_or(Dir::Orig)
    }

    fn letter(&mut self, dir: Dir, letter: char) {
        if self.row.ssl_history.len() < HISTORY_MAX {
            self.row.ssl_history.push(if self.is_client(dir) { letter.to_ascii_uppercase() } else { letter });
        }
    }

    /// Takes a whole handshake message in.
    pub fn message(&mut self, dir: Dir, kind: u8, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        self.last = (chunk.frame, chunk.ts_ns);
        let letter = match kind {
            0 => 'h',
            message::CLIENT_HELLO => {
                if let Some(hello) = client_hello(body, self.transport == Some('d')) {
                    self.client_hello(dir, hello, chunk);
                }
                'c'
            }
            message::SERVER_HELLO => {
                let hello = server_hello(body);
                let retry = hello.as_ref().is_some_and(|hello| hello.retry);
                if let Some(hello) = hello {
                    self.server_hello(dir, &hello, chunk);
                }
                if retry { 'j' } else { 's' }
            }
            3 => 'v',
            4 => 't',
            5 => 'e',
            6 => 'j',
            8 => 'o',
            message::CERTIFICATE => {
                self.certificates(dir, body, chunk, out);
                'x'
            }
            message::SERVER_KEY_EXCHANGE => {
                self.server_key_exchange(body);
                'k'
            }
            13 => 'r',
            14 => 'n',
            15 => 'y',
            message::CLIENT_KEY_EXCHANGE => {
                self.key_exchange_seen |= self.is_client(dir);
                self.key_exchange(body);
                'g'
            }
            20 => 'f',
            21 => 'w',
            22 => 'u',
            23 => 'a',
            24 => 'p',
            254 => 'm',
            _ => 'z',
        };
        self.letter(dir, letter);
    }

    fn client_hello(&mut self, dir: Dir, hello: ClientHello, chunk: &Chunk<'_>) {
        if self.client.is_none() {
            self.client = Some(dir);
            self.place = Some((chunk.frame, chunk.ts_ns));
            if dir == Dir::Resp {
                self.row.ssl_history.push('^');
            }
        }
        self.terms.client_random = hello.random;
        // The second hello after a HelloRetryRequest repeats the first: fingerprints are of the first.
        if self.hello.is_some() {
            return;
        }
        self.offered(&hello);
        if hello.whole {
            self.row.ja3 = Some(ja::ja3(&hello));
            self.row.ja4 = Some(ja::ja4(&hello, self.transport.unwrap_or('t')));
        }
        self.ticket = hello.ticket && hello.session.is_empty();
        self.hello = Some(hello);
    }

    fn offered(&mut self, hello: &ClientHello) {
        let row = &mut self.row;
        row.server_name.clone_from(&hello.server_name);
        row.client_version = Some(names::version(hello.highest()));
        row.client_alpn = hello
            .alpn
            .iter()
            .filter(|name| name.first_chunk::<2>().is_none_or(|pair| name.len() != 2 || !is_grease(u16::from_be_bytes(*pair))))
            .map(|name| crate::dissect::escape(name, 255))
            .collect();
        row.client_ciphers = hello.ciphers.iter().map(|cipher| format!("{cipher:04x}")).collect();
        row.client_exts.clone_from(&hello.extensions);
        row.ech = hello.ech;
    }

    fn server_hello(&mut self, dir: Dir, hello: &ServerHello, chunk: &Chunk<'_>) {
        self.client.get_or_insert(dir.flip());
        self.place.get_or_insert((chunk.frame, chunk.ts_ns));
        self.row.server_frame = Some(chunk.frame);
        let version = hello.selected.unwrap_or(hello.version);
        self.version = Some(version);
        self.server_seen |= !hello.retry;
        self.agreed(hello, version);
        let row = &mut self.row;
        row.version = Some(names::version(version));
        row.cipher = Some(names::cipher(hello.cipher));
        if let Some(group) = hello.group {
            row.curve = Some(names::group(group));
        }
        if hello.alpn.is_some() {
            row.next_protocol.clone_from(&hello.alpn);
        }
        row.server_exts.clone_from(&hello.extensions);
        row.ja3s = Some(ja::ja3s(hello));
        row.downgrade_sentinel |= hello.downgrade;
        let offered = self.hello.as_ref();
        let named = offered.is_some_and(|client| client.session.iter().any(|&byte| byte != 0) && client.session == hello.session);
        let accepted = hello.psk && offered.is_some_and(|client| client.psk);
        let resumed = accepted || named && !self.is_13();
        self.row.resumed |= resumed;
    }

    fn agreed(&mut self, hello: &ServerHello, version: u16) {
        let (server_random, cipher) = (hello.random, hello.cipher);
        let encrypt_then_mac = hello.extensions.contains(&hello::extension::ENCRYPT_THEN_MAC);
        self.terms = Terms { server_random, version, cipher, encrypt_then_mac, ..std::mem::take(&mut self.terms) };
    }

    /// Takes a handshake message in that only keys could show. Letters are of what is in clear, so that histories can be compared.
    pub fn hidden_message(&mut self, dir: Dir, kind: u8, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        self.last = (chunk.frame, chunk.ts_ns);
        match kind {
            message::ENCRYPTED_EXTENSIONS => {
                if let Some(protocol) = hello::encrypted_extensions(body) {
                    self.row.next_protocol = Some(protocol);
                }
            }
            message::CERTIFICATE => self.certificates(dir, body, chunk, out),
            // A connection negotiates anew, which only TLS up to 1.2 can.
            message::CLIENT_HELLO => {
                if let Some(hello) = client_hello(body, false) {
                    self.terms.client_random = hello.random;
                }
            }
            message::SERVER_HELLO => {
                if let Some(hello) = server_hello(body) {
                    self.agreed(&hello, self.terms.version);
                }
            }
            message::CLIENT_KEY_EXCHANGE => self.key_exchange(body),
            _ => {}
        }
    }

    /// With RSA the client sends a secret, encrypted with the server's key, behind its length.
    fn key_exchange(&mut self, body: &[u8]) {
        let mut bytes = Bytes(body);
        self.terms.premaster = bytes.vec16().and_then(|encrypted| encrypted.first_chunk().copied());
    }

    /// A message of SSLv2.
    pub fn v2_message(&mut self, dir: Dir, body: &[u8], chunk: &Chunk<'_>) {
        self.last = (chunk.frame, chunk.ts_ns);
        if let Some(hello) = v2_client_hello(body) {
            self.client.get_or_insert(dir);
            self.place.get_or_insert((chunk.frame, chunk.ts_ns));
            self.letter(dir, 'c');
            self.offered(&hello);
            self.hello = Some(hello);
        } else if let Some((version, cipher)) = v2_server_hello(body) {
            self.client.get_or_insert(dir.flip());
            self.place.get_or_insert((chunk.frame, chunk.ts_ns));
            self.letter(dir, 's');
            self.row.server_frame = Some(chunk.frame);
            self.version = Some(version);
            self.row.version = Some(names::version(version));
            self.row.cipher = Some(names::v2_cipher(cipher));
        }
    }

    fn server_key_exchange(&mut self, body: &[u8]) {
        let elliptic = self.row.cipher.as_deref().is_some_and(|cipher| cipher.contains("_ECDH"));
        // Three is a named curve (RFC 8422 5.4).
        if let (true, [3, high, low, ..]) = (elliptic, body) {
            self.row.curve = Some(names::group(u16::from_be_bytes([*high, *low])));
        }
    }

    /// Certificates: in clear up to TLS 1.2; in 1.3 behind a context, each with extensions behind it.
    fn certificates(&mut self, dir: Dir, body: &[u8], chunk: &Chunk<'_>, out: &mut Out) {
        let mut bytes = Bytes(body);
        let modern = self.is_13();
        if modern {
            bytes.vec8();
        }
        let Some(announced) = bytes.u24() else { return };
        let mut list = Bytes(&bytes.0[..bytes.0.len().min(announced)]);
        let client = self.is_client(dir);
        let (mut ders, mut rows) = (Vec::new(), Vec::new());
        for n in 0..CHAIN_MAX {
            let Some(der) = (|| {
                let length = list.u24()?;
                let der = list.take(length)?;
                if modern {
                    list.vec16()?;
                }
                Some(der)
            })() else {
                break;
            };
            let mut row = x509::read(der, chunk.ts_ns);
            row.client_cert = client;
            row.host_cert = n == 0;
            let tls = &mut self.row;
            tls.cert_visible = true;
            let chain = if client { &mut tls.client_cert_chain_fps } else { &mut tls.cert_chain_fps };
            let known = chain.contains(&row.fingerprint);
            if chain.len() < CHAIN_MAX {
                chain.push(row.fingerprint.clone());
            }
            if n == 0 && client {
                (tls.client_subject, tls.client_issuer) = (Some(row.subject.clone()), Some(row.issuer.clone()));
            } else if n == 0 {
                (tls.subject, tls.issuer) = (Some(row.subject.clone()), Some(row.issuer.clone()));
                self.leaf = Some(Box::new(row.clone()));
            }
            if !known {
                let mut file = files::certificate(der, &row);
                (file.source, file.is_orig) = ("SSL", chunk.dir == Dir::Orig);
                out.file(chunk.frame, chunk.ts_ns, file);
                out.say(chunk.frame, chunk.ts_ns, Event::X509(Box::new(row.clone())));
            }
            ders.push(der);
            rows.push(row);
        }
        if !client {
            self.row.validation_status = x509::validate(&ders, &rows, chunk.ts_ns).map(str::to_owned);
        }
    }

    /// ChangeCipherSpec.
    pub fn change_cipher_spec(&mut self, dir: Dir) {
        self.letter(dir, 'i');
        self.row.resumed |= self.is_client(dir) && self.ticket && !self.key_exchange_seen;
    }

    /// An alert in clear.
    pub fn alert(&mut self, dir: Dir, body: &[u8]) {
        // Anything else than two bytes is encrypted, whatever we believe.
        if let [1 | 2, description] = body {
            self.letter(dir, 'l');
            self.row.last_alert = Some(names::alert(*description));
        }
    }

    /// Application data that nobody reads.
    pub fn data(&mut self, dir: Dir, out: &mut Out) {
        if self.is_over_with(dir) {
            self.established(out);
        }
    }

    /// A heartbeat (RFC 6520). Before encryption its length can be compared with what it announces.
    pub fn heartbeat(&mut self, dir: Dir, body: &[u8], encrypted: bool) {
        self.letter(dir, 'b');
        if let (false, [kind @ (1 | 2), high, low, ..]) = (encrypted, body) {
            let announced = usize::from(u16::from_be_bytes([*high, *low]));
            // Type, length and sixteen bytes of padding belong to it too; a request with too little is the attack.
            self.row.heartbeat_oversize |= announced + 3 + 16 > body.len() && *kind == 1;
        }
    }

    /// The handshake is over.
    pub fn established(&mut self, out: &mut Out) {
        self.row.established = true;
        self.say(out);
    }

    /// A message that the flow's end broke off. Half a ClientHello still tells a name.
    pub fn broken_message(&mut self, dir: Dir, bytes: &[u8]) {
        if let (None, [message::CLIENT_HELLO, _, _, _, body @ ..]) = (&self.hello, bytes)
            && let Some(hello) = client_hello(body, self.transport == Some('d'))
        {
            self.client.get_or_insert(dir);
            self.place.get_or_insert(self.last);
            self.offered(&hello);
            self.letter(dir, 'c');
            self.hello = Some(hello);
        }
    }

    /// Says the row, once.
    pub fn say(&mut self, out: &mut Out) {
        let Some((frame, ts_ns)) = self.place else { return };
        if std::mem::replace(&mut self.said, true) {
            return;
        }
        let mut row = std::mem::take(&mut self.row);
        if let (Some(name), Some(leaf)) = (&row.server_name, &self.leaf) {
            row.sni_matches_cert = Some(x509::covers(leaf, name));
        }
        out.say(frame, ts_ns, Event::Tls(row));
    }
}
