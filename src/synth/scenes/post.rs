//! Mail as it is abused: a program in a message, a workstation that writes to half the world.

use super::office::Office;
use crate::model::time::SECOND;
use crate::synth::apps::exe;
use crate::synth::net::{Host, MINUTE, Net, Os};
use crate::synth::{Capture, Deed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Who writes to whom, under which name the client greets.
struct Letter<'a> {
    helo: &'a str,
    from: &'a str,
    to: &'a str,
    subject: &'a str,
    body: &'a str,
    /// What the server says to the recipient.
    taken: bool,
}

/// One message over SMTP (RFC 5321).
fn deliver(net: &mut Net, client: Host, server: Host, letter: &Letter<'_>) {
    let mut tcp = net.tcp(client, server, 25);
    tcp.connect();
    tcp.greeting("220 mx.example ESMTP");
    tcp.line(&format!("EHLO {}", letter.helo), "250 mx.example");
    tcp.line(&format!("MAIL FROM:<{}>", letter.from), "250 2.1.0 Ok");
    if letter.taken {
        tcp.line(&format!("RCPT TO:<{}>", letter.to), "250 2.1.5 Ok");
        tcp.line("DATA", "354 End data with <CR><LF>.<CR><LF>");
        let head = format!("From: <{}>\r\nTo: <{}>\r\nSubject: {}\r\n", letter.from, letter.to, letter.subject);
        tcp.line(&format!("{head}{}\r\n.", letter.body), "250 2.0.0 Ok: queued");
    } else {
        tcp.line(&format!("RCPT TO:<{}>", letter.to), "550 5.7.1 Blocked: listed sender");
    }
    tcp.line("QUIT", "221 2.0.0 Bye");
    tcp.close();
}

/// A message of two parts, the second a file.
fn with_file(kind: &str, file: &str, content: &[u8]) -> String {
    let coded = STANDARD.encode(content).as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b7\"\r\n\r\n--b7\r\nContent-Type: text/plain\r\n\r\nPlease see the file.\r\n\
         --b7\r\nContent-Type: {kind}; name=\"{file}\"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"{file}\"\r\n\r\n\
         {coded}\r\n--b7--"
    )
}

fn stage(seed: u64) -> (Office, Host, Host) {
    let mut office = Office::new(seed, 3);
    office.bustle(30 * SECOND, 1);
    let mail = office.net.host("mail", [10, 20, 0, 25], Os::Linux);
    let stranger = office.net.outside("", [198, 51, 100, 61], Os::Linux, 52);
    office.net.wait(3 * SECOND);
    (office, mail, stranger)
}

pub fn program(name: &str) -> Capture {
    let (mut office, mail, stranger) = stage(330);
    let net = &mut office.net;
    let deed =
        Deed::attack("initial-access", &["T1566.001"], "A message brings a program under the name of an invoice").rule("mail-program");
    net.deed(deed.by([net.ip(stranger)]).on([net.ip(mail)]), |net| {
        let body = with_file("application/octet-stream", "invoice_0312.pdf.exe", &exe::pe(&mut net.rng, 9_000, false));
        for to in ["amy@office.example", "joe@office.example"] {
            let letter =
                Letter { helo: "billing.example", from: "billing@billing.example", to, subject: "Invoice 0312", body: &body, taken: true };
            deliver(net, stranger, mail, &letter);
            net.wait(4 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn papers(name: &str) -> Capture {
    let (mut office, mail, stranger) = stage(331);
    let net = &mut office.net;
    net.deed(Deed::benign("Messages with a picture and a document").by([net.ip(stranger)]).on([net.ip(mail)]), |net| {
        let picture = exe::jpeg(&mut net.rng, 4_000);
        for (kind, file, content) in [("image/jpeg", "team.jpg", &picture[..]), ("text/plain", "minutes.com.txt", b"Minutes of Monday.\n")]
        {
            let body = with_file(kind, file, content);
            let letter = Letter {
                helo: "mail.example",
                from: "ann@example.com",
                to: "amy@office.example",
                subject: "Monday",
                body: &body,
                taken: true,
            };
            deliver(net, stranger, mail, &letter);
            net.wait(4 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn spam(name: &str) -> Capture {
    let (mut office, _, _) = stage(332);
    let (bot, net) = (office.pc(1), &mut office.net);
    let exchangers: Vec<Host> = (0..24).map(|n| net.outside("", [198, 51, 100, 100 + n], Os::Linux, 40)).collect();
    let deed =
        Deed::attack("impact", &["T1566", "T1496"], "A workstation delivers advertisements to two dozen mail servers").rule("mass-mail");
    net.deed(deed.by([net.ip(bot)]), |net| {
        for (n, exchanger) in exchangers.iter().copied().enumerate() {
            let (who, helo) = (net.rng.text(6, "abcdefghijklmnop"), net.rng.text(8, "abcdefghijklmnop"));
            let from = format!("{who}@shop{}.example", n % 12);
            let letter = Letter {
                helo: &helo,
                from: &from,
                to: &format!("info@firm{n}.example"),
                subject: "Watches",
                body: "\r\nBuy now.",
                taken: n % 3 != 1,
            };
            deliver(net, bot, exchanger, &letter);
            net.wait(5 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn relay(name: &str) -> Capture {
    let (mut office, mail, stranger) = stage(333);
    let (pc, net) = (office.pc(1), &mut office.net);
    let says = "The mail server takes mail and passes it on to many; a person's program knows two servers";
    net.deed(Deed::benign(says).by([net.ip(mail)]), |net| {
        let plain = |from, to| Letter { helo: "mail.office.example", from, to, subject: "Minutes", body: "\r\nSee you.", taken: true };
        deliver(net, stranger, mail, &plain("ann@example.com", "amy@office.example"));
        for n in 0..16 {
            let exchanger = net.outside("", [198, 51, 100, 100 + n], Os::Linux, 40);
            deliver(net, mail, exchanger, &plain("amy@office.example", "ann@example.com"));
            if n < 2 {
                deliver(net, pc, exchanger, &plain("amy@office.example", "joe@example.com"));
            }
            net.wait(MINUTE);
        }
    });
    office.net.finish(name)
}
