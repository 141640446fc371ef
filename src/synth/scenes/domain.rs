//! A Windows domain: programs started on other hosts, the directory copied, a domain controller fooled; and what its keepers do all day.

use super::Office;
use crate::model::{Outcome, time::SECOND};
use crate::synth::apps::exe;
use crate::synth::apps::rpc::{self, Interface};
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

/// A port as Windows hands them out to RPC servers.
const DYNAMIC: u16 = 49_668;

/// Two workstations of an office, and its domain controller.
struct Stage {
    office: Office,
    first: Host,
    second: Host,
    controller: Host,
}

fn stage(seed: u64) -> Stage {
    let mut office = Office::new(seed, 4);
    office.bustle(30 * SECOND, 3);
    let controller = office.net.host("dc", [10, 20, 0, 10], Os::Windows);
    let (first, second) = (office.pc(0), office.pc(1));
    office.net.wait(4 * SECOND);
    Stage { office, first, second, controller }
}

impl Stage {
    fn deed(&self, phase: &'static str, techniques: &'static [&'static str], rule: &'static str, victim: Host, says: &'static str) -> Deed {
        let net = &self.office.net;
        Deed::attack(phase, techniques, says).rule(rule).by([net.ip(self.first)]).on([net.ip(victim)])
    }
}

/// Sealed calls one after another on a connection of their own: number of the call, bytes asked and answered.
fn sealed(net: &mut Net, client: Host, server: Host, interface: Interface, user: &str, calls: &[(u16, usize, usize)]) {
    let mut tcp = net.tcp(client, server, DYNAMIC);
    tcp.connect();
    tcp.rpc_login(interface, user);
    for (call, (opnum, asked, answered)) in (2..).zip(calls) {
        tcp.rpc_sealed(call, *opnum, None, (*asked, *answered));
        tcp.pause(3 * MILLI);
    }
    tcp.close();
}

/// A visit to an administrative share, to write a file or to read one.
fn share_visit(
    net: &mut Net,
    client: Host,
    server: Host,
    user: &str,
    share: &str,
    write: Option<(&str, &[u8])>,
    read: Option<(&str, &[u8])>,
) {
    let mut tcp = net.tcp(client, server, 445);
    tcp.connect();
    let mut smb = tcp.smb();
    smb.login(user, true);
    smb.share(share);
    if let Some((name, content)) = write {
        smb.put(name, content);
    }
    if let Some((name, content)) = read {
        smb.get(name, content);
    }
    tcp.close();
}

pub fn service(name: &str) -> Capture {
    let mut stage = stage(120);
    let (attacker, target, files) = (stage.first, stage.second, stage.office.pc(2));
    let techniques = &["T1569.002", "T1021.002", "T1570"];
    let deed = |stage: &Stage, victim, says| stage.deed("lateral-movement", techniques, "remote-service-execution", victim, says);
    let written = deed(&stage, target, "A program is written to ADMIN$, made a service and started");
    let carried = deed(&stage, files, "A service carries a command line, its output is read from C$");
    let net = &mut stage.office.net;
    let program = exe::pe(&mut net.rng, 24_000, false);
    net.deed(written, |net| {
        share_visit(net, attacker, target, "svc-install", "ADMIN$", Some(("helper.exe", &program)), None);
        let calls = [(15, 84, 24), (12, 412, 28), (19, 40, 4), (6, 20, 32), (0, 20, 24)];
        sealed(net, attacker, target, rpc::SERVICES, "svc-install", &calls);
    });
    net.wait(8 * SECOND);
    net.deed(carried, |net| {
        let calls = [(15, 84, 24), (12, 620, 28), (19, 40, 4), (2, 20, 4), (0, 20, 24)];
        sealed(net, attacker, files, rpc::SERVICES, "svc-install", &calls);
        share_visit(net, attacker, files, "svc-install", "C$", None, Some(("__output", b"office\\svc-install\r\n")));
    });
    stage.office.net.finish(name)
}

pub fn service_benign(name: &str) -> Capture {
    let mut stage = stage(121);
    let (admin, server, files) = (stage.first, stage.controller, stage.second);
    let net = &mut stage.office.net;
    let manual = net.rng.bytes(40_000);
    net.deed(Deed::benign("An administrator looks at services and starts one").by([net.ip(admin)]).on([net.ip(server)]), |net| {
        sealed(
            net,
            admin,
            server,
            rpc::SERVICES,
            "admin",
            &[(15, 84, 24), (14, 60, 8_000), (16, 92, 24), (6, 20, 32), (19, 40, 4), (0, 20, 24)],
        );
    });
    net.wait(20 * SECOND);
    net.deed(Deed::benign("An administrator copies a manual to C$").by([net.ip(admin)]).on([net.ip(files)]), |net| {
        share_visit(net, admin, files, "admin", "C$", Some(("docs\\manual.pdf", &manual)), None);
    });
    stage.office.net.finish(name)
}

pub fn task(name: &str) -> Capture {
    let mut stage = stage(122);
    let (attacker, target) = (stage.first, stage.second);
    let says = "A task is registered, run and deleted within a second; its output is read from ADMIN$";
    let deed = stage.deed("lateral-movement", &["T1053.005", "T1021.002"], "remote-task", target, says);
    stage.office.net.deed(deed, |net| {
        sealed(net, attacker, target, rpc::TASKS, "admin", &[(1, 2_900, 44), (12, 120, 20), (16, 44, 24), (13, 40, 4)]);
        share_visit(net, attacker, target, "admin", "ADMIN$", None, Some(("Temp\\kqzvbeyt.tmp", b"nt authority\\system\r\n")));
    });
    stage.office.net.finish(name)
}

pub fn task_benign(name: &str) -> Capture {
    let mut stage = stage(123);
    let (admin, server) = (stage.first, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("An administrator lists tasks and runs one").by([net.ip(admin)]).on([net.ip(server)]), |net| {
        sealed(net, admin, server, rpc::TASKS, "admin", &[(0, 8, 8), (7, 60, 900), (2, 80, 3_100), (12, 120, 20)]);
    });
    stage.office.net.finish(name)
}

/// Sealed calls of an object of WMI.
fn wmi(net: &mut Net, client: Host, server: Host, calls: &[(u16, usize, usize)]) {
    let object = net.rng.bytes(16).try_into().unwrap_or([1; 16]);
    let mut tcp = net.tcp(client, server, DYNAMIC);
    tcp.connect();
    tcp.rpc_login(rpc::WMI, "admin");
    for (call, (opnum, asked, answered)) in (2..).zip(calls) {
        tcp.rpc_sealed(call, *opnum, Some(object), (*asked, *answered));
        tcp.pause(5 * MILLI);
    }
    tcp.close();
}

pub fn wmi_run(name: &str) -> Capture {
    let mut stage = stage(124);
    let (attacker, target) = (stage.first, stage.second);
    let says = "A method of WMI starts a program, its output is read from ADMIN$";
    let deed = stage.deed("lateral-movement", &["T1047", "T1021.003"], "remote-wmi-dcom", target, says);
    stage.office.net.deed(deed, |net| {
        wmi(net, attacker, target, &[(6, 92, 4_000), (24, 840, 1_160)]);
        net.wait(SECOND);
        share_visit(net, attacker, target, "admin", "ADMIN$", None, Some(("__1772528439.71", b"office\\admin\r\n")));
    });
    stage.office.net.finish(name)
}

pub fn wmi_benign(name: &str) -> Capture {
    let mut stage = stage(125);
    let (monitor, server) = (stage.first, stage.controller);
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A monitor asks WMI for processors, disks and memory").by([net.ip(monitor)]).on([net.ip(server)]), |net| {
        for _ in 0..5 {
            wmi(net, monitor, server, &[(20, 240, 120), (20, 260, 120), (20, 232, 120)]);
            net.wait(30 * SECOND);
        }
    });
    stage.office.net.finish(name)
}

/// A bind, what the controller is, the name of an account, and a fetch of so many bytes.
fn replicate(net: &mut Net, puller: Host, source: Host, user: &str, bytes: usize) {
    let calls = [(0, 84, 88), (16, 80, 1_092), (12, 90, 176), (3, 352, bytes), (1, 20, 24)];
    sealed(net, puller, source, rpc::REPLICATION, user, &calls);
}

pub fn dcsync(name: &str) -> Capture {
    let mut stage = stage(126);
    let (attacker, controller) = (stage.first, stage.controller);
    let techniques = &["T1003.006"];
    let deed = stage.deed("credential-access", techniques, "dcsync", controller, "A workstation replicates an account from the directory");
    stage.office.net.deed(deed, |net| replicate(net, attacker, controller, "admin", 4_760));
    stage.office.net.finish(name)
}

pub fn dcsync_benign(name: &str) -> Capture {
    let mut stage = stage(127);
    let (pc, one) = (stage.first, stage.controller);
    let net = &mut stage.office.net;
    let other = net.host("dc2", [10, 20, 0, 11], Os::Windows);
    for controller in [one, other] {
        let mut tcp = net.tcp(pc, controller, 389);
        tcp.connect();
        tcp.ldap_bind();
        tcp.ldap_unbind();
        tcp.close();
    }
    net.deed(Deed::benign("Two domain controllers replicate each other").on([net.ip(one), net.ip(other)]), |net| {
        for _ in 0..3 {
            replicate(net, one, other, "DC$", 9_000);
            replicate(net, other, one, "DC2$", 7_200);
            net.wait(15 * SECOND);
        }
    });
    stage.office.net.finish(name)
}

/// NetrServerReqChallenge and NetrServerAuthenticate3 with zeros, as the account of the controller itself.
fn zero_login(net: &mut Net, attacker: Host, controller: Host, status: u32) {
    let server = [&[0, 0, 2, 0][..], &rpc::text("\\\\DC")].concat();
    let padded = |mut stub: Vec<u8>| {
        stub.resize(stub.len().next_multiple_of(4), 0);
        stub
    };
    let challenge = [padded(server.clone()), rpc::text("DC"), vec![0; 8]].concat();
    let account = [padded(server), rpc::text("DC$"), vec![6, 0]].concat();
    let mut login = [padded(account), rpc::text("DC"), vec![0; 8]].concat();
    login = padded(login);
    login.extend(0x212f_ffffu32.to_le_bytes());
    let answer = [&net.rng.bytes(8)[..], &0x212f_ffffu32.to_le_bytes(), &1_000u32.to_le_bytes(), &status.to_le_bytes()].concat();
    let asked = [&net.rng.bytes(8)[..], &[0; 4]].concat();
    let mut tcp = net.tcp(attacker, controller, DYNAMIC);
    tcp.connect();
    tcp.rpc_bind(rpc::NETLOGON);
    tcp.rpc_call(2, 4, &challenge, &asked);
    tcp.rpc_call(3, 26, &login, &answer);
    tcp.close();
}

pub fn zerologon(name: &str) -> Capture {
    let mut stage = stage(128);
    let (attacker, controller) = (stage.first, stage.controller);
    let says = "Thirty logins with credentials of zeros, the last of which is accepted";
    let deed = stage.deed("lateral-movement", &["T1210", "T1068"], "zerologon", controller, says);
    stage.office.net.deed(deed, |net| {
        for attempt in 0..30 {
            zero_login(net, attacker, controller, if attempt < 29 { 0xc000_0022 } else { 0 });
        }
    });
    stage.office.net.finish(name)
}

pub fn driver(name: &str) -> Capture {
    let mut stage = stage(129);
    let (attacker, target) = (stage.first, stage.controller);
    let says = "A printer driver that lies on the attacker's share is installed on a domain controller";
    let deed = stage.deed("lateral-movement", &["T1068", "T1547.012"], "printnightmare", target, says);
    let net = &mut stage.office.net;
    let library = exe::pe(&mut net.rng, 9_000, false);
    net.deed(deed, |net| {
        sealed(net, attacker, target, rpc::PRINTING, "guest1", &[(40, 120, 2_364), (39, 460, 4)]);
        share_visit(net, target, attacker, "guest1", "share", None, Some(("addin.dll", &library)));
        sealed(net, attacker, target, rpc::PRINTING, "guest1", &[(39, 480, 4), (39, 480, 4)]);
    });
    stage.office.net.finish(name)
}

/// One login over SMB on a connection of its own, without a share.
pub fn smb_login(net: &mut Net, client: Host, server: Host, user: &str, welcome: bool) {
    let mut tcp = net.tcp(client, server, 445);
    tcp.connect();
    tcp.smb().login(user, welcome);
    tcp.close();
}

pub fn spray(name: &str) -> Capture {
    let mut stage = stage(130);
    let (attacker, controller) = (stage.first, stage.controller);
    let says = "One password tried with 24 accounts over SMB, which one of them has";
    let deed = stage.deed("credential-access", &["T1110.003"], "password-spraying", controller, says);
    stage.office.net.deed(deed.ends(Outcome::Confirmed), |net| {
        for account in 1..=24 {
            smb_login(net, attacker, controller, &format!("user{account:02}"), account == 17);
            net.wait(SECOND);
        }
    });
    stage.office.net.finish(name)
}

pub fn spray_benign(name: &str) -> Capture {
    let mut stage = stage(131);
    let controller = stage.controller;
    let pcs = stage.office.pcs.clone();
    let net = &mut stage.office.net;
    net.deed(Deed::benign("A gateway logs twenty people in, some of whom mistype").on([net.ip(controller)]), |net| {
        for person in 1..=20 {
            let user = format!("user{person:02}");
            if person % 5 == 0 {
                smb_login(net, pcs[2], controller, &user, false);
                net.wait(4 * SECOND);
            }
            smb_login(net, pcs[2], controller, &user, true);
            net.wait(7 * SECOND);
        }
    });
    stage.office.net.finish(name)
}
