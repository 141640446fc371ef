//! SSH (RFC 4253, RFC 4252): banners and key exchange for real, then ciphertext of the sizes that
//! chacha20-poly1305@openssh.com gives the messages of password authentication.

use crate::synth::{Rng, Tcp};

/// What a password attempt brings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Login {
    /// Wrong password.
    Refused,
    /// Right password.
    Accepted,
}

/// Message numbers of the key exchange.
const KEXINIT: u8 = 20;
const NEWKEYS: u8 = 21;
const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;

impl Tcp<'_> {
    /// Banners, key exchange, and the request for the authentication service.
    pub fn ssh(&mut self, client_banner: &str, server_banner: &str) {
        self.send(format!("{client_banner}\r\n").as_bytes());
        self.reply(format!("{server_banner}\r\n").as_bytes());
        let hello = kexinit(&mut self.net.rng, true);
        self.send(&hello);
        let hello = kexinit(&mut self.net.rng, false);
        self.reply(&hello);
        let init = packet(&mut self.net.rng, &[vec![ECDH_INIT], string(&[7; 32])].concat());
        self.send(&init);
        let answer = ecdh_reply(&mut self.net.rng);
        self.reply(&answer);
        let keys = packet(&mut self.net.rng, &[NEWKEYS]);
        self.send(&keys);
        // SERVICE_REQUEST and SERVICE_ACCEPT for "ssh-userauth".
        self.ssh_sealed_send(17);
        self.ssh_sealed_reply(17);
    }

    /// "none" first, as clients do to learn the methods, then one password.
    pub fn ssh_password(&mut self, user: &str, password: &str, end: Login) {
        let request = 1 + 4 + user.len() + 4 + 14 + 4;
        self.ssh_sealed_send(request + 4);
        self.ssh_sealed_reply(FAILURE);
        self.ssh_try(request + 8 + 1 + 4 + password.len(), end);
    }

    /// One more password on the same connection.
    pub fn ssh_again(&mut self, user: &str, password: &str, end: Login) {
        self.ssh_try(1 + 4 + user.len() + 4 + 14 + 4 + 8 + 1 + 4 + password.len(), end);
    }

    fn ssh_try(&mut self, request: usize, end: Login) {
        self.ssh_sealed_send(request);
        let thinking = self.net.rng.between(60, 140);
        let penalty = if end == Login::Refused { self.net.rng.between(1_600, 2_400) } else { 0 };
        self.pause((thinking + penalty) * 1_000_000);
        self.ssh_sealed_reply(if end == Login::Refused { FAILURE } else { 1 });
    }

    /// An RSA or Ed25519 key instead of a password: offered, accepted, signed.
    pub fn ssh_key(&mut self, user: &str) {
        let request = 1 + 4 + user.len() + 4 + 14 + 4 + 9 + 1 + 4 + 11 + 4 + 51;
        self.ssh_sealed_send(request);
        self.ssh_sealed_reply(1 + 4 + 11 + 4 + 51);
        self.ssh_sealed_send(request + 4 + 83);
        self.ssh_sealed_reply(1);
    }

    /// Opens a session channel and runs a shell or a command; `output` bytes come back.
    pub fn ssh_session(&mut self, output: usize) {
        self.ssh_sealed_send(24);
        // Global request with the host keys, then the channel confirmation.
        self.ssh_sealed_reply(560);
        self.ssh_sealed_reply(17);
        self.ssh_sealed_send(64);
        self.ssh_sealed_reply(5);
        self.ssh_sealed_reply(output);
    }

    /// A person types `keys` characters; each is echoed, each line answered with `output` bytes.
    pub fn ssh_typing(&mut self, keys: usize, output: usize) {
        for _ in 0..keys {
            self.ssh_sealed_send(10);
            self.ssh_sealed_reply(10);
            let gap = self.net.rng.human(160_000_000);
            self.pause(gap);
        }
        self.ssh_sealed_reply(output);
    }

    /// A sealed message of `payload` bytes from the client.
    pub fn ssh_sealed_send(&mut self, payload: usize) {
        let bytes = sealed(&mut self.net.rng, payload);
        self.send(&bytes);
    }

    /// The same from the server.
    pub fn ssh_sealed_reply(&mut self, payload: usize) {
        let bytes = sealed(&mut self.net.rng, payload);
        self.reply(&bytes);
    }
}

/// `SSH_MSG_USERAUTH_FAILURE` with "publickey,password".
const FAILURE: usize = 1 + 4 + 18 + 1;

/// Messages of at most 32 kB, each padded to 8 bytes without its length, and a tag of 16.
fn sealed(rng: &mut Rng, payload: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = payload;
    while rest > 0 {
        let part = rest.min(32_768);
        let padding = 8 - (1 + part) % 8;
        let padding = if padding < 4 { padding + 8 } else { padding };
        out.extend(rng.bytes(4 + 1 + part + padding + 16));
        rest -= part;
    }
    out
}

/// The binary packet of RFC 4253, 6, before keys are in use.
fn packet(rng: &mut Rng, payload: &[u8]) -> Vec<u8> {
    let padding = 8 - (5 + payload.len()) % 8;
    let padding = if padding < 4 { padding + 8 } else { padding };
    let mut out = ((1 + payload.len() + padding) as u32).to_be_bytes().to_vec();
    out.push(padding as u8);
    out.extend_from_slice(payload);
    out.extend(rng.bytes(padding));
    out
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn kexinit(rng: &mut Rng, client: bool) -> Vec<u8> {
    let kex = "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,diffie-hellman-group16-sha512";
    let kex = if client { format!("{kex},ext-info-c") } else { kex.to_string() };
    let keys = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256";
    let ciphers = "chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes128-gcm@openssh.com";
    let macs = "umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-256";
    let packing = "none,zlib@openssh.com";
    let lists = [kex.as_str(), keys, ciphers, ciphers, macs, macs, packing, packing, "", ""];
    let mut payload = vec![KEXINIT];
    payload.extend(rng.bytes(16));
    payload.extend(lists.iter().flat_map(|list| string(list.as_bytes())));
    payload.extend([0; 5]);
    packet(rng, &payload)
}

/// Host key, server's share, signature; NEWKEYS follows in the same breath.
fn ecdh_reply(rng: &mut Rng) -> Vec<u8> {
    let key = [string(b"ssh-ed25519"), string(&rng.bytes(32))].concat();
    let signature = [string(b"ssh-ed25519"), string(&rng.bytes(64))].concat();
    let body = [vec![ECDH_REPLY], string(&key), string(&rng.bytes(32)), string(&signature)].concat();
    let mut out = packet(rng, &body);
    out.extend(packet(rng, &[NEWKEYS]));
    out
}
