//! Who is who in a Windows domain: accounts searched for, tickets gathered and stolen, logins forced and handed on.

use super::Office;
use super::domain::smb_login;
use crate::model::time::SECOND;
use crate::synth::apps::kerberos::{Answer, MODERN, PROVE, REFUSED, UNKNOWN};
use crate::synth::apps::ldap::{all_of, equals, has_bits, present};
use crate::synth::apps::rpc;
use crate::synth::apps::tls::{Client, Server};
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

const BASE: &str = "DC=office,DC=example";
/// Accounts of people, as the directory numbers them.
const PEOPLE: &str = "805306368";

struct Stage {
    office: Office,
    attacker: Host,
    other: Host,
    controller: Host,
}

fn stage(seed: u64) -> Stage {
    let mut office = Office::new(seed, 4);
    office.bustle(20 * SECOND, 2);
    let controller = office.net.host("dc", [10, 20, 0, 10], Os::Windows);
    let (attacker, other) = (office.pc(0), office.pc(1));
    office.net.wait(3 * SECOND);
    Stage { office, attacker, other, controller }
}

impl Stage {
    fn deed(&self, phase: &'static str, techniques: &'static [&'static str], rule: &'static str, says: &'static str) -> Deed {
        let net = &self.office.net;
        Deed::attack(phase, techniques, says).rule(rule).by([net.ip(self.attacker)]).on([net.ip(self.controller)])
    }
}

fn ticket(net: &mut Net, etype: u8, own: u8) -> (Answer, Vec<u8>) {
    let bytes = net.rng.bytes(300);
    (Answer::Ticket(etype, own, bytes.clone()), bytes)
}

/// A login as Windows does it: asked for a proof, then given with one.
fn proper_login(net: &mut Net, client: Host, controller: Host, account: &str) -> Vec<u8> {
    net.kerberos_login((client, controller), account, false, &MODERN, &Answer::Error(PROVE));
    net.wait(2 * MILLI);
    let (given, bytes) = ticket(net, 18, 18);
    net.kerberos_login((client, controller), account, true, &MODERN, &given);
    bytes
}

pub fn enumeration(name: &str) -> Capture {
    let mut stage = stage(140);
    let says = "Fourteen account names asked for in a second, eleven of which do not exist";
    let deed = stage.deed("credential-access", &["T1087.002"], "kerberos-user-enumeration", says);
    let (attacker, controller) = (stage.attacker, stage.controller);
    stage.office.net.deed(deed, |net| {
        for number in 0..14u8 {
            let code = if number % 5 == 4 { PROVE } else { UNKNOWN };
            net.kerberos_login((attacker, controller), &format!("name{number:02}"), false, &MODERN, &Answer::Error(code));
            net.wait(60 * MILLI);
        }
        net.kerberos_login((attacker, controller), "name04", true, &MODERN, &Answer::Error(REFUSED));
    });
    stage.office.net.finish(name)
}

pub fn enumeration_benign(name: &str) -> Capture {
    let mut stage = stage(141);
    let (gateway, controller) = (stage.other, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A gateway logs twenty people in, four of whom mistype their name").on([net.ip(controller)]), |net| {
        for person in 0..20 {
            if person % 5 == 0 {
                net.kerberos_login((gateway, controller), &format!("persson{person}"), false, &MODERN, &Answer::Error(UNKNOWN));
                net.wait(6 * SECOND);
            }
            proper_login(net, gateway, controller, &format!("person{person}"));
            net.wait(4 * SECOND);
        }
    });
    stage.office.net.finish(name)
}

fn search(net: &mut Net, client: Host, controller: Host, filters: &[(Vec<u8>, usize)]) {
    let mut tcp = net.tcp(client, controller, 389);
    tcp.connect();
    tcp.ldap_bind();
    for (filter, entries) in filters {
        tcp.ldap_find(BASE, filter, *entries);
        tcp.pause(30 * MILLI);
    }
    tcp.ldap_unbind();
    tcp.close();
}

pub fn roasting(name: &str) -> Capture {
    let mut stage = stage(142);
    let says = "Accounts with a service name are listed, and tickets of six of them taken with RC4";
    let deed = stage.deed("credential-access", &["T1558.003"], "kerberoasting", says);
    let (attacker, controller) = (stage.attacker, stage.controller);
    let shown = proper_login(&mut stage.office.net, attacker, controller, "amy");
    stage.office.net.deed(deed, |net| {
        search(net, attacker, controller, &[(all_of(&[equals("samAccountType", PEOPLE), present("servicePrincipalName")]), 6)]);
        for service in ["MSSQLSvc/db1", "MSSQLSvc/db2", "HTTP/intranet", "HTTP/reports", "ftp/archive", "backup/store"] {
            let (given, _) = ticket(net, 23, 18);
            net.kerberos_service((attacker, controller), "amy", &shown, service, &[23], &given);
            net.wait(20 * MILLI);
        }
    });
    stage.office.net.finish(name)
}

pub fn roasting_benign(name: &str) -> Capture {
    let mut stage = stage(143);
    let (pc, controller) = (stage.attacker, stage.controller);
    let net = &mut stage.office.net;
    net.deed(
        Deed::benign("A login takes tickets of five services, one of which is old; a program looks one service up").by([net.ip(pc)]),
        |net| {
            let shown = proper_login(net, pc, controller, "amy");
            for (service, etype) in [("cifs/files", 18), ("ldap/dc", 18), ("HTTP/intranet", 18), ("host/pc-01", 18), ("nfs/old", 23)] {
                let (given, _) = ticket(net, etype, 18);
                net.kerberos_service((pc, controller), "amy", &shown, service, &MODERN, &given);
                net.wait(700 * MILLI);
            }
            search(net, pc, controller, &[(equals("servicePrincipalName", "MSSQLSvc/db1"), 1)]);
        },
    );
    stage.office.net.finish(name)
}

pub fn replies(name: &str) -> Capture {
    let mut stage = stage(144);
    let says = "Accounts without pre-authentication are listed, and their replies taken with RC4";
    let deed = stage.deed("credential-access", &["T1558.004"], "asrep-roasting", says);
    let (attacker, controller) = (stage.attacker, stage.controller);
    stage.office.net.deed(deed, |net| {
        search(net, attacker, controller, &[(all_of(&[equals("samAccountType", PEOPLE), has_bits("userAccountControl", "4194304")]), 4)]);
        for account in 0..4 {
            let (given, _) = ticket(net, 18, 23);
            net.kerberos_login((attacker, controller), &format!("account{account}"), false, &[23], &given);
            net.wait(25 * MILLI);
        }
    });
    stage.office.net.finish(name)
}

pub fn replies_benign(name: &str) -> Capture {
    let mut stage = stage(145);
    let (pc, controller) = (stage.attacker, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("One old program logs in without proof, with AES; people log in with proof").by([net.ip(pc)]), |net| {
        for _ in 0..4 {
            let (given, _) = ticket(net, 18, 18);
            net.kerberos_login((pc, controller), "oldprogram", false, &MODERN, &given);
            net.wait(20 * SECOND);
            proper_login(net, pc, controller, "amy");
        }
    });
    stage.office.net.finish(name)
}

pub fn old_key(name: &str) -> Capture {
    let mut stage = stage(146);
    let says = "A stolen RC4 key logs in where everything else offers AES; the places of newer keys are empty";
    let deed = stage.deed("lateral-movement", &["T1550.002"], "overpass-the-hash", says);
    let (attacker, controller) = (stage.attacker, stage.controller);
    let net = &mut stage.office.net;
    proper_login(net, attacker, controller, "amy");
    net.wait(9 * SECOND);
    net.deed(deed, |net| {
        let (given, _) = ticket(net, 18, 23);
        net.kerberos_login((attacker, controller), "chief", true, &[0, 0, 23, 24], &given);
    });
    stage.office.net.finish(name)
}

pub fn old_key_benign(name: &str) -> Capture {
    let mut stage = stage(147);
    let (pc, controller) = (stage.attacker, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A login with AES, and one with RC4 in a domain that has nothing newer").by([net.ip(pc)]), |net| {
        proper_login(net, pc, controller, "amy");
        let (given, _) = ticket(net, 23, 23);
        net.kerberos_login((pc, controller), "scanner", true, &[23], &given);
    });
    stage.office.net.finish(name)
}

pub fn stolen(name: &str) -> Capture {
    let mut stage = stage(148);
    let says = "A ticket given to one workstation is shown by another";
    let deed = stage.deed("lateral-movement", &["T1550.003"], "stolen-ticket", says);
    let (attacker, victim, controller) = (stage.attacker, stage.other, stage.controller);
    stage.office.net.deed(deed, |net| {
        let bytes = proper_login(net, victim, controller, "chief");
        net.wait(30 * SECOND);
        let (given, _) = ticket(net, 18, 18);
        net.kerberos_service((attacker, controller), "chief", &bytes, "cifs/files", &MODERN, &given);
    });
    stage.office.net.finish(name)
}

pub fn stolen_benign(name: &str) -> Capture {
    let mut stage = stage(149);
    let (one, other, controller) = (stage.attacker, stage.other, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("One person logs in on two workstations, each with a ticket of its own").on([net.ip(controller)]), |net| {
        for pc in [one, other] {
            let bytes = proper_login(net, pc, controller, "chief");
            let (given, _) = ticket(net, 18, 18);
            net.kerberos_service((pc, controller), "chief", &bytes, "cifs/files", &MODERN, &given);
        }
    });
    stage.office.net.finish(name)
}

pub fn mapping(name: &str) -> Capture {
    let mut stage = stage(150);
    let says = "The directory is asked for administrators, delegation, trusts, weak accounts";
    let deed = stage.deed("discovery", &["T1087.002"], "directory-discovery", says);
    let (attacker, controller) = (stage.attacker, stage.controller);
    stage.office.net.deed(deed, |net| {
        let filters = [
            (equals("adminCount", "1"), 5),
            (has_bits("userAccountControl", "524288"), 2),
            (equals("objectClass", "trustedDomain"), 1),
            (present("msDS-AllowedToDelegateTo"), 1),
            (has_bits("userAccountControl", "4194304"), 1),
        ];
        search(net, attacker, controller, &filters);
    });
    stage.office.net.finish(name)
}

pub fn mapping_benign(name: &str) -> Capture {
    let mut stage = stage(151);
    let (pc, controller) = (stage.attacker, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("An address book looks people up").by([net.ip(pc)]), |net| {
        for who in ["amy", "bob", "carol"] {
            search(net, pc, controller, &[(all_of(&[equals("objectClass", "user"), equals("cn", who)]), 1)]);
            net.wait(20 * SECOND);
        }
    });
    stage.office.net.finish(name)
}

/// The first argument of the call: a file on another host.
fn lure(net: &mut Net, caller: Host, target: Host, interface: rpc::Interface, opnum: u16, to: Host, status: u32) {
    let path = rpc::text(&format!("\\\\{}\\share\\settings.ini", net.ip(to)));
    let arguments = [path, vec![0; 4]].concat();
    let mut tcp = net.tcp(caller, target, 49_668);
    tcp.connect();
    tcp.rpc_bind(interface);
    tcp.rpc_call(2, opnum, &arguments, &[&[0; 20][..], &status.to_le_bytes()].concat());
    tcp.close();
}

pub fn forced(name: &str) -> Capture {
    let mut stage = stage(152);
    let deed = stage.deed(
        "credential-access",
        &["T1187"],
        "coercion",
        "A domain controller is told to open a file of the attacker's, and logs in there",
    );
    let (attacker, controller) = (stage.attacker, stage.controller);
    stage.office.net.deed(deed, |net| {
        lure(net, attacker, controller, rpc::FILE_ENCRYPTION, 0, attacker, 53);
        smb_login(net, controller, attacker, "DC$", false);
    });
    stage.office.net.finish(name)
}

pub fn forced_benign(name: &str) -> Capture {
    let mut stage = stage(153);
    let (pc, printer) = (stage.attacker, stage.office.files);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A workstation watches the queue of a print server").by([net.ip(pc)]).on([net.ip(printer)]), |net| {
        lure(net, pc, printer, rpc::SPOOLER, 65, printer, 0);
    });
    stage.office.net.finish(name)
}

pub fn relayed(name: &str) -> Capture {
    let mut stage = stage(154);
    let says = "A login meant for the attacker is handed on to a file server, which lets it in";
    let deed = stage.deed("credential-access", &["T1557.001"], "ntlm-relay", says);
    let (attacker, victim, files) = (stage.attacker, stage.other, stage.office.files);
    stage.office.net.deed(deed, |net| {
        // The same chance twice: challenge and proof are the same on both connections, as they are when handed on.
        let chance = net.rng.clone();
        smb_login(net, victim, attacker, "chief", true);
        net.rng = chance;
        smb_login(net, attacker, files, "chief", true);
    });
    stage.office.net.finish(name)
}

pub fn relayed_benign(name: &str) -> Capture {
    let mut stage = stage(155);
    let (pc, middle, files) = (stage.attacker, stage.other, stage.office.files);
    let net = &mut stage.office.net;
    net.deed(
        Deed::benign("Somebody logs in on a host that then logs in on a file server, each with its own answer").on([net.ip(files)]),
        |net| {
            smb_login(net, pc, middle, "chief", true);
            smb_login(net, middle, files, "chief", true);
        },
    );
    stage.office.net.finish(name)
}

pub fn poisoned(name: &str) -> Capture {
    let mut stage = stage(156);
    let says = "One host answers to every name that neighbours ask for, and gets a login";
    let (attacker, victim) = (stage.attacker, stage.other);
    let net = &stage.office.net;
    let deed = Deed::attack("credential-access", &["T1557.001"], says).rule("name-poisoning").by([net.ip(attacker)]).on([net.ip(victim)]);
    let net = &mut stage.office.net;
    let group = net.host("", [224, 0, 0, 252], Os::Windows);
    net.deed(deed, |net| {
        for wanted in ["wpad", "fileserv", "printsrv03"] {
            net.llmnr(victim, group, wanted, Some(attacker));
            net.wait(2 * SECOND);
        }
        smb_login(net, victim, attacker, "chief", false);
    });
    stage.office.net.finish(name)
}

pub fn poisoned_benign(name: &str) -> Capture {
    let mut stage = stage(157);
    let (one, other) = (stage.attacker, stage.other);
    let net = &mut stage.office.net;
    let group = net.host("", [224, 0, 0, 252], Os::Windows);
    net.deed(Deed::benign("A host answers to its own name; nobody answers to a wrong one").by([net.ip(one)]), |net| {
        net.llmnr(other, group, "pc-01", Some(one));
        net.llmnr(other, group, "wpad", None);
        net.llmnr(one, group, "pc-02", Some(other));
        smb_login(net, other, one, "chief", true);
    });
    stage.office.net.finish(name)
}

pub fn starved(name: &str) -> Capture {
    let mut stage = stage(158);
    let (attacker, server) = (stage.attacker, stage.office.gateway);
    let net = &mut stage.office.net;
    let deed =
        Deed::attack("impact", &["T1499.002"], "A hundred and fifty made-up cards ask for leases from one port").rule("dhcp-starvation");
    net.wait(40 * SECOND);
    net.deed(deed.by([net.ip(attacker)]).on([net.ip(server)]), |net| {
        for _ in 0..150 {
            let noise = net.rng.bytes(4);
            net.dhcp_discover_as(attacker, server, [2, 0, noise[0], noise[1], noise[2], noise[3]]);
            net.wait(30 * MILLI);
        }
    });
    stage.office.net.finish(name)
}

pub fn starved_benign(name: &str) -> Capture {
    let mut stage = stage(159);
    let (gateway, pcs) = (stage.office.gateway, stage.office.pcs.clone());
    let net = &mut stage.office.net;
    net.deed(Deed::benign("Workstations start after a power cut, some twice").on([net.ip(gateway)]), |net| {
        for _ in 0..2 {
            for pc in pcs.iter().copied() {
                net.dhcp_lease(pc, gateway);
                net.wait(3 * SECOND);
            }
        }
    });
    stage.office.net.finish(name)
}

pub fn second_server(name: &str) -> Capture {
    let mut stage = stage(160);
    let (attacker, gateway, pcs) = (stage.attacker, stage.office.gateway, stage.office.pcs.clone());
    let net = &mut stage.office.net;
    let deed =
        Deed::attack("credential-access", &["T1557.003"], "A workstation hands out leases that make it the router").rule("rogue-dhcp");
    for pc in [pcs[1], pcs[2]] {
        net.dhcp_lease(pc, gateway);
        net.wait(4 * SECOND);
    }
    net.deed(deed.by([net.ip(attacker)]).on([net.ip(pcs[3])]), |net| net.dhcp_lease(pcs[3], attacker));
    stage.office.net.finish(name)
}

pub fn second_server_benign(name: &str) -> Capture {
    let mut stage = stage(161);
    let (gateway, old, pcs) = (stage.office.gateway, stage.office.files, stage.office.pcs.clone());
    let net = &mut stage.office.net;
    net.deed(
        Deed::benign("One server hands out all leases, until another takes its place half an hour later").on([net.ip(gateway)]),
        |net| {
            for pc in pcs.iter().copied() {
                net.dhcp_lease(pc, old);
            }
            net.wait(1_800 * SECOND);
            for pc in pcs.iter().copied() {
                net.dhcp_lease(pc, gateway);
            }
        },
    );
    stage.office.net.finish(name)
}

/// A remote desktop behind CredSSP (MS-RDPBCGR 2.2.1.1): so many messages of the client, and so many bytes of picture for each.
fn desktop(net: &mut Net, client: Host, server: Host, user: &str, messages: usize, picture: usize) {
    let cookie = format!("Cookie: mstshash={user}\r\n");
    let variable = [cookie.as_bytes(), &[1, 0, 8, 0, 3, 0, 0, 0]].concat();
    let length = variable.len() as u8;
    let asked = [&[3, 0, 0, length + 11, length + 6, 0xe0, 0, 0, 0, 0, 0][..], &variable].concat();
    let mut tcp = net.tcp(client, server, 3_389);
    tcp.connect();
    tcp.send(&asked);
    tcp.reply(&[3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, 2, 0, 0, 0]);
    tcp.tls(None, Client::Library, &Server::Modern);
    for size in [60, 420, 120, 300, 90] {
        tcp.sealed_send(size);
        tcp.sealed_reply(size / 2);
        tcp.pause(20 * MILLI);
    }
    for message in 0..messages {
        tcp.sealed_send(14);
        if message % 6 == 0 {
            tcp.sealed_reply(picture);
        }
        tcp.pause(90 * MILLI);
    }
    tcp.close();
}

pub fn unseen_desktop(name: &str) -> Capture {
    let mut stage = stage(162);
    let says = "A command is typed into the desktop of another workstation, whose picture is never fetched";
    let deed = stage.deed("lateral-movement", &["T1021.001"], "remote-desktop-command", says);
    let (attacker, other) = (stage.attacker, stage.other);
    stage.office.net.deed(deed, |net| {
        for _ in 0..2 {
            desktop(net, attacker, other, "admin", 120, 60);
            net.wait(12 * SECOND);
        }
    });
    stage.office.net.finish(name)
}

pub fn seen_desktop(name: &str) -> Capture {
    let mut stage = stage(163);
    let (pc, other) = (stage.attacker, stage.other);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A person works on another desktop and sees it; another session is left at once").by([net.ip(pc)]), |net| {
        desktop(net, pc, other, "amy", 90, 4_000);
        net.wait(8 * SECOND);
        desktop(net, pc, other, "amy", 12, 60);
    });
    stage.office.net.finish(name)
}
