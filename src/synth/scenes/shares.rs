//! Files of a share: encrypted, carried off, or simply worked with.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

const FOLDERS: [&str; 6] = ["finance", "personnel", "projects", "projects\\bridge", "sales", "archive"];
const KINDS: [&str; 6] = ["docx", "xlsx", "pdf", "txt", "csv", "dwg"];

/// Something that a person could read: its bytes are far from noise.
fn readable(net: &mut Net, bytes: usize) -> Vec<u8> {
    net.rng.text(bytes, "eeeettaaoinshrdlu eeeetaoin\n ").into_bytes()
}

/// A session on the share of the file server.
fn session(net: &mut Net, client: Host, server: Host, work: impl FnOnce(&mut crate::synth::apps::smb::Smb<'_, '_>)) {
    let mut tcp = net.tcp(client, server, 445);
    tcp.connect();
    let mut smb = tcp.smb();
    smb.login("amy", true);
    smb.share("office");
    work(&mut smb);
    tcp.close();
}

/// Records of some program: no type that is known by its beginning, and far from noise.
fn records(net: &mut Net, bytes: usize) -> Vec<u8> {
    net.rng.bytes(bytes).into_iter().map(|byte| byte & 0x0f).collect()
}

pub fn encrypted(name: &str) -> Capture {
    let mut office = Office::new(250, 3);
    let (attacker, files) = (office.pc(0), office.files);
    let net = &mut office.net;
    let deed =
        Deed::attack("impact", &["T1486"], "Forty-two files of a share are read, written back as noise, renamed; a note in each folder");
    let deed = deed.rule("ransomware-smb").by([net.ip(attacker)]).on([net.ip(files)]);
    net.deed(deed, |net| {
        let contents: Vec<(Vec<u8>, Vec<u8>)> = (0..42).map(|_| (records(net, 1_400), net.rng.bytes(1_400))).collect();
        session(net, attacker, files, |smb| {
            for (index, (was, is)) in contents.iter().enumerate() {
                let (folder, kind) = (FOLDERS[index / 7], KINDS[index % 6]);
                let path = format!("{folder}\\file{index:02}.{kind}");
                smb.get(&path, was);
                smb.put(&path, is);
                smb.rename(&path, &format!("{path}.locked"));
                if index % 7 == 6 {
                    smb.put(&format!("{folder}\\HOW_TO_RECOVER.txt"), b"Your files are encrypted. Write to us to get them back.\n");
                }
            }
        });
    });
    office.net.finish(name)
}

pub fn encrypted_benign(name: &str) -> Capture {
    let mut office = Office::new(251, 3);
    let (pc, files) = (office.pc(0), office.files);
    let net = &mut office.net;
    let deed =
        Deed::benign("Logs are rotated, a few documents worked on, a compressed backup written").by([net.ip(pc)]).on([net.ip(files)]);
    net.deed(deed, |net| {
        let (text, packed) = (readable(net, 1_400), net.rng.bytes(20_000));
        session(net, pc, files, |smb| {
            for index in 0..30 {
                smb.rename(&format!("logs\\service{index:02}.log"), &format!("logs\\service{index:02}.log.old"));
            }
            for kind in KINDS {
                let path = format!("projects\\plan.{kind}");
                smb.get(&path, &text);
                smb.put(&path, &text);
            }
            smb.put("backup\\monday.zip", &packed);
            smb.put("projects\\readme.txt", &text);
        });
    });
    office.net.finish(name)
}

pub fn hoarded(name: &str) -> Capture {
    let mut office = Office::new(252, 3);
    let (attacker, files) = (office.pc(0), office.files);
    let net = &mut office.net;
    let deed =
        Deed::attack("collection", &["T1039", "T1119"], "A workstation reads all folders of a share, mailboxes and key files among them");
    let deed = deed.rule("file-hoarding").by([net.ip(attacker)]).on([net.ip(files)]);
    net.deed(deed, |net| {
        let text = readable(net, 300);
        session(net, attacker, files, |smb| {
            for index in 0..126 {
                let kind = match index {
                    20 => "pst",
                    50 | 90 => "kdbx",
                    110 => "ppk",
                    _ => KINDS[index % 6],
                };
                smb.get(&format!("{}\\file{index:03}.{kind}", FOLDERS[index % 6]), &text);
            }
        });
    });
    office.net.finish(name)
}

pub fn hoarded_benign(name: &str) -> Capture {
    let mut office = Office::new(253, 3);
    let (pc, files) = (office.pc(0), office.files);
    let net = &mut office.net;
    let build = net.host("build", [10, 20, 0, 30], Os::Linux);
    net.deed(
        Deed::benign(
            "Somebody copies a folder of a hundred and twenty pictures, and opens a few documents; a machine builds what lies on NFS",
        )
        .by([net.ip(pc), net.ip(build)]),
        |net| {
            let text = readable(net, 300);
            session(net, pc, files, |smb| {
                for index in 0..120 {
                    smb.get(&format!("pictures\\party{index:03}.jpg"), &text);
                }
                for folder in FOLDERS {
                    smb.get(&format!("{folder}\\plan.docx"), &text);
                }
            });
            net.wait(SECOND + MILLI);
            exported(net, build, files);
        },
    );
    office.net.finish(name)
}

/// A machine mounts a directory, reads what it builds, and writes what it has built, over both versions that are in use.
fn exported(net: &mut Net, client: Host, server: Host) {
    net.mount(client, server, "/srv/build");
    let (source, product) = (readable(net, 6_000), records(net, 40_000));
    for minor in [None, Some(1)] {
        let mut tcp = net.tcp(client, server, 2049);
        tcp.connect();
        let mut nfs = tcp.nfs(1_000, minor);
        for unit in ["main.c", "parse.c", "table.c"] {
            nfs.get("/srv/build", unit, &source);
        }
        nfs.put("/srv/build", if minor.is_some() { "tool.new" } else { "tool" }, &product);
        tcp.close();
        net.wait(SECOND);
    }
}
