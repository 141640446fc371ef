//! Network devices and those who look after them, or pretend to.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::apps::snmp::{COPY_TO, DESCRIPTION, LOCATION};
use crate::synth::net::{MILLI, Os};
use crate::synth::{Capture, Deed};

const SYSTEM: &str = "A switch with 24 ports";

pub fn known_word(name: &str) -> Capture {
    let mut office = Office::new(260, 2);
    let attacker = office.pc(0);
    let net = &mut office.net;
    let switches = [240, 241].map(|last| net.host("switch", [10, 20, 0, last], Os::Device));
    let deed = Deed::attack(
        "collection",
        &["T1602.001"],
        "Two switches are read, and one written to, with the community they were delivered with",
    );
    let deed = deed.rule("default-community").by([net.ip(attacker)]).on(switches.map(|one| net.ip(one)));
    net.deed(deed, |net| {
        for switch in switches {
            let port = net.next_port(attacker);
            for _ in 0..70 {
                net.snmp_get((attacker, port), switch, "private", DESCRIPTION, SYSTEM);
                net.wait(20 * MILLI);
            }
        }
        let port = net.next_port(attacker);
        net.snmp_set((attacker, port), switches[0], "private", LOCATION, "nowhere");
    });
    office.net.finish(name)
}

pub fn known_word_benign(name: &str) -> Capture {
    let mut office = Office::new(261, 2);
    let net = &mut office.net;
    let monitor = net.host("monitor", [10, 20, 0, 30], Os::Linux);
    let switches = [240, 241].map(|last| net.host("switch", [10, 20, 0, last], Os::Device));
    net.deed(
        Deed::benign("A monitor reads its switches every ten seconds with a word of their own; a driver tries a printer in vain")
            .by([net.ip(monitor)]),
        |net| {
            let port = net.next_port(monitor);
            for _ in 0..20 {
                for switch in switches {
                    net.snmp_get((monitor, port), switch, "kupfer-7-dach", DESCRIPTION, SYSTEM);
                }
                net.wait(10 * SECOND);
            }
        },
    );
    office.net.finish(name)
}

pub fn copied(name: &str) -> Capture {
    let mut office = Office::new(262, 2);
    let attacker = office.pc(0);
    let net = &mut office.net;
    let router = net.host("router", [10, 20, 0, 240], Os::Device);
    let deed =
        Deed::attack("collection", &["T1602.002"], "A router is told over SNMP to send its configuration to a workstation, and does");
    let deed = deed.rule("device-config-theft").by([net.ip(attacker)]).on([net.ip(router)]);
    net.deed(deed, |net| {
        let port = net.next_port(attacker);
        net.snmp_set((attacker, port), router, "kupfer-7-dach", COPY_TO, "10.20.0.101");
        net.wait(2 * SECOND);
        net.tftp_put(
            router,
            attacker,
            "running-config",
            b"hostname router\nenable secret 5 x\ninterface eth0\n ip address 10.20.0.240 255.255.255.0\nend\n",
        );
    });
    office.net.finish(name)
}

pub fn copied_benign(name: &str) -> Capture {
    let mut office = Office::new(263, 2);
    let files = office.files;
    let net = &mut office.net;
    let monitor = net.host("monitor", [10, 20, 0, 30], Os::Linux);
    let router = net.host("router", [10, 20, 0, 240], Os::Device);
    net.deed(
        Deed::benign("A monitor names the place of a router; the router saves its configuration each night of its own")
            .by([net.ip(monitor)]),
        |net| {
            let port = net.next_port(monitor);
            net.snmp_set((monitor, port), router, "kupfer-7-dach", LOCATION, "cellar");
            net.wait(20 * SECOND);
            net.tftp_put(router, files, "router-confg", b"hostname router\nend\n");
        },
    );
    office.net.finish(name)
}
