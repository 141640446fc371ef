//! What the sizes of encrypted packets tell about the login.
//!
//! After the keys are set, the client asks for the service `ssh-userauth` and then tries to log in, one request at a time (RFC 4252).
//! The server's answers have telling sizes: SERVICE_ACCEPT carries 17 bytes, USERAUTH_SUCCESS a single one, so that with any block size
//! the success is 16 bytes shorter; USERAUTH_FAILURE lists the methods that may go on, and is the same each time. The first failure
//! answers the request `none`, with which clients ask for that list, and is not counted as an attempt. This is Zeek's reading
//! (`src/analyzer/protocol/ssh/SSH.cc`), sharpened: where cipher and MAC leave the packet length in clear the packets are measured, not
//! the segments, and the expected sizes are computed.

/// Payload of SERVICE_ACCEPT: message number, length, `ssh-userauth`.
const SERVICE_ACCEPT: usize = 17;
/// Payload of USERAUTH_SUCCESS: message number.
const SUCCESS: usize = 1;
/// A first answer this much longer than SERVICE_ACCEPT is a banner, not a refusal.
const BANNER: u64 = 256;
/// Bytes that are neither refusal nor greeting, after which somebody must be logged in: no server says that much to a stranger.
const SESSION_BYTES: u64 = 64 * 1024;

/// Packet sizes under one cipher and MAC.
#[derive(Clone, Copy)]
struct Sizes {
    block: usize,
    tag: usize,
    /// The length field is outside the encryption's alignment.
    length_apart: bool,
    /// It can even be read.
    length_clear: bool,
}

impl Sizes {
    /// `None` for names whose sizes are not known here.
    fn of(cipher: &str, mac: &str) -> Option<Self> {
        if cipher.starts_with("chacha20-poly1305") {
            return Some(Self { block: 8, tag: 16, length_apart: true, length_clear: false });
        }
        if cipher.contains("-gcm") || cipher.starts_with("AEAD_AES_") {
            return Some(Self { block: 16, tag: 16, length_apart: true, length_clear: true });
        }
        let block = match cipher {
            _ if ["aes", "camellia", "twofish", "serpent", "rijndael"].iter().any(|name| cipher.starts_with(name)) => 16,
            _ if ["3des", "blowfish", "cast128", "arcfour", "idea"].iter().any(|name| cipher.starts_with(name)) => 8,
            _ => return None,
        };
        let etm = mac.contains("-etm@");
        let tag = match mac.split_once("-etm@").map_or(mac, |(name, _)| name).split('@').next().unwrap_or(mac) {
            "hmac-sha1" | "hmac-ripemd160" | "hmac-ripemd" => 20,
            "hmac-md5" | "umac-128" => 16,
            "hmac-sha1-96" | "hmac-md5-96" => 12,
            "hmac-sha2-256" | "hmac-sha256" => 32,
            "hmac-sha2-512" | "hmac-sha512" => 64,
            "umac-64" => 8,
            _ => return None,
        };
        Some(Self { block, tag, length_apart: etm, length_clear: etm })
    }

    /// Bytes on the wire of a payload with the least padding.
    fn packet(self, payload: usize) -> u64 {
        let outside = if self.length_apart { 4 } else { 0 };
        let content = 4 - outside + 1 + payload + 4;
        (content.div_ceil(self.block) * self.block + outside + self.tag) as u64
    }
}

/// Watches one connection after NEWKEYS.
#[derive(Default)]
pub(super) struct Auth {
    sizes: Option<Sizes>,
    /// Compression hides the sizes.
    blind: bool,
    client_spoke: bool,
    frames: Framer,
    accept: Option<u64>,
    failure: Option<u64>,
    /// Size of the last answer that fits nothing.
    odd: Option<u64>,
    turn: Turn,
    unexplained: u64,
    skipped_banner: bool,
    verdict: Verdict,
}

/// The server's packets since the client last spoke.
#[derive(Default)]
struct Turn {
    pieces: u32,
    last: u64,
}

/// What is known so far.
#[derive(Clone, Default)]
pub(super) struct Verdict {
    /// As in the table.
    pub success: Option<bool>,
    /// As in the table.
    pub attempts: u32,
    /// As in the table.
    pub evidence: String,
}

impl Auth {
    /// For the algorithms chosen from server to client; `None` if the negotiation was not seen.
    pub fn new(chosen: Option<(&str, &str)>, compression: Option<&str>) -> Self {
        Self {
            sizes: chosen.and_then(|(cipher, mac)| Sizes::of(cipher, mac)),
            blind: compression.is_some_and(|name| name.starts_with("zlib")),
            ..Self::default()
        }
    }

    /// Whether more bytes can change the verdict.
    pub fn open(&self) -> bool {
        !self.blind && !self.decided()
    }

    /// Whether a login was seen to succeed.
    pub fn decided(&self) -> bool {
        self.verdict.success == Some(true)
    }

    /// The verdict as of now.
    pub fn verdict(&mut self) -> Verdict {
        self.end_turn();
        let mut verdict = self.verdict.clone();
        if verdict.evidence.is_empty() {
            verdict.evidence = self.why_nothing();
        }
        verdict
    }

    /// The client sent `len` encrypted bytes.
    pub fn client(&mut self, len: u64) {
        if len == 0 {
            return;
        }
        self.client_spoke = true;
        self.end_turn();
        self.volume(len);
    }

    /// The server sent these encrypted bytes, `cut` more were not captured.
    pub fn server(&mut self, bytes: &[u8], cut: u64) {
        match self.sizes {
            Some(sizes) if sizes.length_clear && !self.frames.lost => {
                let mut done = Vec::new();
                self.frames.feed(bytes, cut, sizes.tag, &mut done);
                for size in done {
                    self.piece(size);
                }
            }
            _ => self.piece(bytes.len() as u64 + cut),
        }
    }

    /// Bytes are missing: an answer may be among them, sizes go on counting.
    pub fn server_gap(&mut self) {
        self.frames.lost = true;
        self.turn = Turn::default();
    }

    fn piece(&mut self, size: u64) {
        // What the server says before the client asks for the service is EXT_INFO.
        if size == 0 || !self.client_spoke || !self.open() {
            return;
        }
        self.turn.pieces += 1;
        self.turn.last = size;
        let Some(accept) = self.accept else {
            if self.sizes.is_some_and(|sizes| sizes.packet(SERVICE_ACCEPT) == size) {
                self.accept = Some(size);
                self.turn = Turn::default();
            }
            return;
        };
        let success = self.sizes.map_or(accept.saturating_sub(16), |sizes| sizes.packet(SUCCESS));
        if size == success || size + 16 == accept {
            self.verdict.attempts += 1;
            self.conclude(format!("the server's reply of {size} bytes is a USERAUTH_SUCCESS, after {}", self.refusals()));
        } else if self.failure == Some(size) {
            self.verdict.attempts += 1;
            self.verdict.success = Some(false);
            self.verdict.evidence = format!("{} refusals of {size} bytes each, no success", u64::from(self.verdict.attempts) + 1);
            self.turn = Turn::default();
        } else {
            self.volume(size);
        }
    }

    /// The server waits for the client: its last packet was its answer.
    fn end_turn(&mut self) {
        let Turn { pieces, last } = std::mem::take(&mut self.turn);
        if pieces == 0 || !self.open() {
            return;
        }
        let Some(accept) = self.accept else {
            self.accept = Some(last);
            return;
        };
        match self.failure {
            None if !self.skipped_banner && last > accept + BANNER => self.skipped_banner = true,
            None => self.failure = Some(last),
            // The first answer was merged with a banner: twice the same in a row is a refusal after all.
            Some(_) if self.verdict.attempts == 0 && self.odd == Some(last) => {
                self.failure = Some(last);
                self.verdict.attempts = 2;
                self.verdict.success = Some(false);
                self.verdict.evidence = format!("two refusals of {last} bytes in a row, no success");
            }
            Some(_) => self.odd = Some(last),
        }
    }

    fn volume(&mut self, size: u64) {
        if self.accept.is_none() || !self.open() {
            return;
        }
        self.unexplained = self.unexplained.saturating_add(size);
        if self.unexplained > SESSION_BYTES {
            self.verdict.attempts += 1;
            self.conclude(format!("more than {SESSION_BYTES} encrypted bytes followed, which no server exchanges before a login"));
        }
    }

    fn conclude(&mut self, evidence: String) {
        self.verdict.success = Some(true);
        self.verdict.evidence = evidence;
    }

    fn refusals(&self) -> String {
        match (self.failure, self.verdict.attempts.saturating_sub(1)) {
            (None, _) => "no refusal at all (method none)".into(),
            (Some(size), 0) => format!("one reply of {size} bytes to the method none"),
            (Some(size), n) => format!("{} refusals of {size} bytes each", n + 1),
        }
    }

    fn why_nothing(&self) -> String {
        match (self.blind, self.client_spoke, self.accept, self.failure) {
            (true, ..) => "compressed: packet sizes say nothing".into(),
            (_, false, ..) => "the client sent nothing encrypted".into(),
            (.., None, _) => "the login service was not reached".into(),
            (.., Some(_), None) => "no answer to a login was seen".into(),
            (.., Some(size)) => format!("one reply of {size} bytes: the answer to the method none, or a single refused attempt"),
        }
    }
}

/// Cuts a stream whose packet lengths are in clear.
#[derive(Default)]
struct Framer {
    head: Vec<u8>,
    left: u64,
    size: u64,
    lost: bool,
}

impl Framer {
    fn feed(&mut self, mut bytes: &[u8], mut cut: u64, tag: usize, done: &mut Vec<u64>) {
        while !bytes.is_empty() && !self.lost {
            if self.left == 0 {
                let want = 4usize.saturating_sub(self.head.len()).min(bytes.len());
                let (head, rest) = bytes.split_at(want);
                self.head.extend(head);
                bytes = rest;
                let Ok(length) = <[u8; 4]>::try_from(self.head.as_slice()) else { break };
                self.head.clear();
                let length = u64::from(u32::from_be_bytes(length));
                self.lost = length > 1 << 18;
                self.left = length + tag as u64;
                self.size = self.left + 4;
            }
            let part = self.left.min(bytes.len() as u64);
            bytes = bytes.get(usize::try_from(part).unwrap_or(usize::MAX)..).unwrap_or_default();
            self.advance(part, done);
        }
        if cut > 0 && !self.lost {
            let part = self.left.min(cut);
            cut -= part;
            self.advance(part, done);
            self.lost = cut > 0;
        }
    }

    fn advance(&mut self, part: u64, done: &mut Vec<u64>) {
        self.left -= part;
        if self.left == 0 && part > 0 {
            done.push(self.size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_sixteen_bytes_shorter_than_service_accept_with_every_known_algorithm() {
        let macs = ["hmac-sha1", "hmac-md5-96", "umac-64@openssh.com", "hmac-sha2-512-etm@openssh.com", "umac-128-etm@openssh.com"];
        let ciphers = ["aes128-ctr", "3des-cbc", "arcfour256", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"];
        for (cipher, mac) in ciphers.iter().flat_map(|cipher| macs.map(|mac| (cipher, mac))) {
            let sizes = Sizes::of(cipher, mac).unwrap();
            assert_eq!(sizes.packet(SERVICE_ACCEPT), sizes.packet(SUCCESS) + 16, "{cipher} {mac}");
        }
    }

    #[test]
    fn sizes_on_the_wire_are_those_of_openssh() {
        let size = |cipher, mac| Sizes::of(cipher, mac).map(|sizes| sizes.packet(SERVICE_ACCEPT));
        assert_eq!(size("chacha20-poly1305@openssh.com", "anything"), Some(44));
        assert_eq!(size("aes128-ctr", "hmac-sha1"), Some(52));
        assert_eq!(size("aes256-ctr", "hmac-sha2-256-etm@openssh.com"), Some(68));
        assert_eq!(size("none", "none"), None);
    }

    /// Replays answers of these sizes, each after a client request.
    fn answers(auth: &mut Auth, sizes: &[usize]) -> (Option<bool>, u32) {
        for &size in sizes {
            auth.client(100);
            auth.server(&vec![0xff; size], 0);
        }
        let verdict = auth.verdict();
        (verdict.success, verdict.attempts)
    }

    fn chacha() -> Auth {
        Auth::new(Some(("chacha20-poly1305@openssh.com", "")), Some("none"))
    }

    #[test]
    fn logins_are_read_from_answer_sizes() {
        type Judged = (Option<bool>, u32);
        let cases: [(&[usize], Judged); 7] = [
            (&[44], (None, 0)),
            (&[44, 28], (Some(true), 1)),
            (&[44, 60], (None, 0)),
            (&[44, 60, 60], (Some(false), 1)),
            (&[44, 60, 60, 60, 28], (Some(true), 3)),
            (&[44, 500, 60, 60], (Some(false), 1)),
            (&[44, 60, 324, 28], (Some(true), 1)),
        ];
        for (sizes, expected) in cases {
            assert_eq!(answers(&mut chacha(), sizes), expected, "{sizes:?}");
        }
    }

    #[test]
    fn unknown_algorithms_are_measured_by_the_first_answer() {
        assert_eq!(answers(&mut Auth::new(None, None), &[52, 84, 84, 36]), (Some(true), 2));
    }

    #[test]
    fn a_first_refusal_merged_with_a_notice_does_not_hide_the_next_ones() {
        assert_eq!(answers(&mut chacha(), &[44, 200, 60, 60, 60]), (Some(false), 3));
    }

    #[test]
    fn compressed_connections_are_not_judged() {
        let mut auth = Auth::new(Some(("aes128-ctr", "hmac-sha1")), Some("zlib@openssh.com"));
        assert!(!auth.open());
        assert_eq!(answers(&mut auth, &[52, 36]), (None, 0));
    }

    #[test]
    fn bulk_after_the_service_request_means_somebody_is_in() {
        let mut auth = chacha();
        assert_eq!(answers(&mut auth, &[44, 60, 40_000, 40_000]), (Some(true), 1));
        assert!(!auth.open());
    }

    #[test]
    fn readable_lengths_make_segment_boundaries_irrelevant() {
        let packet = |length: u32| [length.to_be_bytes().to_vec(), vec![0; length as usize + 32]].concat();
        let run = |step: usize| {
            let mut auth = Auth::new(Some(("aes128-ctr", "hmac-sha2-256-etm@openssh.com")), Some("none"));
            // accept; notice and refusal in one go; refusal; success with the first session packet
            for reply in [packet(32), [packet(80), packet(48)].concat(), packet(48), [packet(16), packet(600)].concat()] {
                auth.client(64);
                for part in reply.chunks(step) {
                    auth.server(part, 0);
                }
            }
            let verdict = auth.verdict();
            (verdict.success, verdict.attempts, verdict.evidence)
        };
        let whole = run(10_000);
        assert_eq!((whole.0, whole.1), (Some(true), 2));
        for step in 1..200 {
            assert_eq!(run(step), whole, "{step}");
        }
    }
}
