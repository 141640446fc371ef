//! Protocols of lines: FTP (RFC 959), POP3 (RFC 1939), Telnet (RFC 854).

use crate::synth::net::MILLI;
use crate::synth::{Host, Tcp};

impl Tcp<'_> {
    /// The client says a line, the server answers with one.
    pub fn line(&mut self, command: &str, answer: &str) {
        self.send(format!("{command}\r\n").as_bytes());
        let thinking = self.net.rng.between(1, 12);
        self.pause(thinking * MILLI);
        self.reply(format!("{answer}\r\n").as_bytes());
    }

    /// The server greets.
    pub fn greeting(&mut self, line: &str) {
        self.reply(format!("{line}\r\n").as_bytes());
    }

    /// `USER` and `PASS`; FTP servers make the guesser wait after a wrong one.
    pub fn ftp_login(&mut self, user: &str, password: &str, right: bool) {
        self.line(&format!("USER {user}"), "331 Please specify the password.");
        self.send(format!("PASS {password}\r\n").as_bytes());
        let wait = if right { 20 } else { self.net.rng.between(600, 1_400) };
        self.pause(wait * MILLI);
        self.reply(if right { b"230 Login successful.\r\n" } else { b"530 Login incorrect.\r\n" });
    }

    /// A passive download: the data connection opens beside this one.
    pub fn ftp_retrieve(&mut self, path: &str, port: u16, content: &[u8]) {
        let (client, server) = (self.client(), self.server());
        let address = self.net.ip(server).to_string().replace('.', ",");
        self.line("TYPE I", "200 Switching to Binary mode.");
        self.line("PASV", &format!("227 Entering Passive Mode ({address},{},{}).", port >> 8, port & 0xff));
        self.line(&format!("RETR {path}"), &format!("150 Opening BINARY mode data connection for {path} ({} bytes).", content.len()));
        data_connection(self, client, server, port, content);
        self.reply(b"226 Transfer complete.\r\n");
    }

    /// A person types `text` key by key and the server echoes it, except secrets.
    pub fn typed(&mut self, text: &str, echo: bool) {
        for key in text.bytes() {
            self.send(&[key]);
            if echo {
                self.reply(&[key]);
            }
            let gap = self.net.rng.human(140 * MILLI);
            self.pause(gap);
        }
        self.send(b"\r\0");
        self.reply(b"\r\n");
    }
}

fn data_connection(control: &mut Tcp<'_>, client: Host, server: Host, port: u16, content: &[u8]) {
    let mut data = control.net.tcp(client, server, port);
    data.connect();
    data.reply(content);
    data.close_by_server();
}
