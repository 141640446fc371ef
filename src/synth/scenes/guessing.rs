//! Passwords: guessed, guessed right, and merely mistyped.

use super::Office;
use crate::model::{Outcome, time::SECOND};
use crate::synth::apps::ssh::Login;
use crate::synth::net::{Host, MILLI, MINUTE, Net, Os};
use crate::synth::{Capture, Deed};

const SERVER: &str = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3";
const PERSON: &str = "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5";
const TOOL: &str = "SSH-2.0-libssh_0.9.6";
/// The head of any list of bad passwords.
const WORDS: [&str; 12] =
    ["123456", "password", "12345678", "qwerty", "letmein", "dragon", "111111", "baseball", "monkey", "sunshine", "princess", "welcome"];

/// One connection of a guessing tool: as many wrong passwords as the server allows, then the server hangs up.
pub fn ssh_guess(net: &mut Net, guesser: Host, server: Host, user: &str, tries: usize) {
    let mut tcp = net.tcp(guesser, server, 22);
    tcp.connect();
    tcp.ssh(TOOL, SERVER);
    for attempt in 0..tries {
        let word = *tcp.net.rng.pick(&WORDS);
        match attempt {
            0 => tcp.ssh_password(user, word, Login::Refused),
            _ => tcp.ssh_again(user, word, Login::Refused),
        }
    }
    tcp.close_by_server();
}

/// A login that works, and a shell with `output` bytes of answers to what is typed.
pub fn ssh_login(net: &mut Net, client: Host, server: Host, banner: &str, wrong: usize, output: usize) {
    let mut tcp = net.tcp(client, server, 22);
    tcp.connect();
    tcp.ssh(banner, SERVER);
    for attempt in 0..wrong {
        match attempt {
            0 => tcp.ssh_password("backup", "welcome2", Login::Refused),
            _ => tcp.ssh_again("backup", "welcome23", Login::Refused),
        }
        let typing = tcp.net.rng.between(2_500, 6_000);
        tcp.pause(typing * MILLI);
    }
    match wrong {
        0 => tcp.ssh_password("backup", "welcome1", Login::Accepted),
        _ => tcp.ssh_again("backup", "welcome1", Login::Accepted),
    }
    tcp.ssh_session(740);
    for _ in 0..4 {
        tcp.ssh_typing(9, output / 4);
    }
    tcp.close();
}

/// The same through the tool that guessed: for the demo and for [`success`].
pub fn ssh_break_in(net: &mut Net, guesser: Host, server: Host, output: usize) {
    ssh_login(net, guesser, server, TOOL, 0, output);
}

fn ftp_guess(net: &mut Net, guesser: Host, server: Host, tries: usize) {
    let mut tcp = net.tcp(guesser, server, 21);
    tcp.connect();
    tcp.greeting("220 (vsFTPd 3.0.3)");
    for _ in 0..tries {
        let word = *tcp.net.rng.pick(&WORDS);
        tcp.ftp_login("backup", word, false);
    }
    tcp.close_by_server();
}

/// A login at the first try or after `wrong` ones, a listing, a good-bye.
fn ftp_visit(net: &mut Net, client: Host, server: Host, user: &str, wrong: usize) {
    let mut tcp = net.tcp(client, server, 21);
    tcp.connect();
    tcp.greeting("220 (vsFTPd 3.0.3)");
    for attempt in 0..wrong {
        tcp.ftp_login(user, &format!("Spring2026{attempt}"), false);
        tcp.pause(4 * SECOND);
    }
    tcp.ftp_login(user, "Spring2026!", true);
    tcp.line("SYST", "215 UNIX Type: L8");
    tcp.ftp_retrieve("notes.txt", 40_112, &b"order, delivered, paid\r\n".repeat(40));
    tcp.line("QUIT", "221 Goodbye.");
    tcp.close();
}

fn guesser(net: &mut Net) -> Host {
    net.outside("", [198, 51, 100, 66], Os::Linux, 48)
}

pub fn guessing(name: &str) -> Capture {
    let mut office = Office::new(40, 3);
    office.bustle(90 * SECOND, 4);
    let (files, net) = (office.files, &mut office.net);
    let (first, second) = (guesser(net), net.outside("", [203, 0, 113, 9], Os::Linux, 81));
    let deed = |says| Deed::attack("credential-access", &["T1110.001", "T1110"], says).rule("password-guessing").ends(Outcome::Guessing);
    let (ssh, ftp) = (deed("24 SSH connections, one or two wrong passwords each"), deed("36 wrong FTP passwords, three a connection"));
    let (ssh, ftp) = (ssh.by([net.ip(first)]).on([net.ip(files)]), ftp.by([net.ip(second)]).on([net.ip(files)]));
    net.aside(|net| {
        net.deed(ssh, |net| {
            for attempt in 0..24 {
                net.aside(|net| ssh_guess(net, first, files, "root", 1 + attempt % 2));
                let gap = net.rng.between(500, 1_600);
                net.wait(gap * MILLI);
            }
        });
    });
    net.deed(ftp, |net| {
        for _ in 0..12 {
            ftp_guess(net, second, files, 3);
            net.wait(400 * MILLI);
        }
    });
    office.net.finish(name)
}

pub fn guessing_benign(name: &str) -> Capture {
    let mut office = Office::new(41, 12);
    let (files, pcs) = (office.files, office.pcs.clone());
    let net = &mut office.net;
    let begin = net.now;
    net.deed(Deed::benign("A person mistypes twice, then logs in").by([net.ip(pcs[0])]).on([net.ip(files)]), |net| {
        ssh_login(net, pcs[0], files, PERSON, 2, 3_000);
    });
    net.deed(Deed::benign("A job logs in with its key every minute").by([net.ip(pcs[1])]).on([net.ip(files)]), |net| {
        for run in 0..14 {
            net.at(begin + run * MINUTE, |net| ssh_job(net, pcs[1], files));
        }
    });
    net.deed(Deed::benign("Twelve people log in to FTP within a minute").on([net.ip(files)]), |net| {
        for (index, pc) in pcs.iter().copied().enumerate() {
            net.at(begin + index as i64 * 5 * SECOND, |net| ftp_visit(net, pc, files, &format!("user{index}"), usize::from(index == 3)));
        }
    });
    office.net.finish(name)
}

/// A short session of a program: key, command, answer.
fn ssh_job(net: &mut Net, client: Host, server: Host) {
    let mut tcp = net.tcp(client, server, 22);
    tcp.connect();
    tcp.ssh(PERSON, SERVER);
    tcp.ssh_key("backup");
    tcp.ssh_session(410);
    tcp.close();
}

pub fn success(name: &str) -> Capture {
    let mut office = Office::new(42, 3);
    office.bustle(60 * SECOND, 3);
    let (files, net) = (office.files, &mut office.net);
    let (first, second) = (guesser(net), net.outside("", [203, 0, 113, 9], Os::Linux, 81));
    let deed = |says| Deed::attack("credential-access", &["T1110.001", "T1078"], says).rule("guessing-success");
    let ftp = deed("24 wrong FTP passwords, then the right one, then a file is taken").by([net.ip(second)]).on([net.ip(files)]);
    let ssh = deed("14 refused SSH logins, then one that works and is used").by([net.ip(first)]).on([net.ip(files)]).ends(Outcome::Likely);
    net.aside(|net| {
        net.deed(ftp, |net| {
            for _ in 0..8 {
                ftp_guess(net, second, files, 3);
            }
            ftp_visit(net, second, files, "backup", 0);
        });
    });
    net.deed(ssh, |net| {
        for _ in 0..14 {
            ssh_guess(net, first, files, "backup", 1);
            net.wait(500 * MILLI);
        }
        ssh_break_in(net, first, files, 12_000);
    });
    office.net.finish(name)
}

pub fn success_benign(name: &str) -> Capture {
    let mut office = Office::new(43, 4);
    let (files, pcs) = (office.files, office.pcs.clone());
    let net = &mut office.net;
    for (index, pc) in pcs.into_iter().enumerate() {
        let deed = Deed::benign("A person mistypes, then logs in").by([net.ip(pc)]).on([net.ip(files)]);
        net.deed(deed, |net| match index % 2 {
            0 => ftp_visit(net, pc, files, "ann", 1 + index / 2),
            _ => ssh_login(net, pc, files, PERSON, 1 + index / 2, 5_000),
        });
        net.wait(40 * SECOND);
    }
    office.net.finish(name)
}

pub fn open_door(name: &str) -> Capture {
    let mut office = Office::new(46, 2);
    let (files, net) = (office.files, &mut office.net);
    let stranger = net.outside("", [198, 51, 100, 44], Os::Windows, 60);
    let deed = Deed::attack("initial-access", &["T1133"], "A stranger logs in to the file shares from outside").rule("exposed-admin");
    net.deed(deed.by([net.ip(stranger)]).on([net.ip(files)]), |net| {
        for _ in 0..3 {
            super::domain::smb_login(net, stranger, files, "backup", true);
            net.wait(20 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn closed_door(name: &str) -> Capture {
    let mut office = Office::new(47, 2);
    let (files, pc, net) = (office.files, office.pcs[0], &mut office.net);
    let stranger = net.outside("", [198, 51, 100, 44], Os::Windows, 60);
    net.deed(Deed::benign("A stranger knocks in vain; a workstation uses the shares").by([net.ip(stranger)]), |net| {
        net.tcp(stranger, files, 445).refused();
        net.tcp(stranger, files, 3_389).refused();
        super::domain::smb_login(net, pc, files, "amy", true);
    });
    office.net.finish(name)
}
