//! A plant behind the office: controllers, the station that runs them, and who else tells them something.

use super::Office;
use crate::model::time::SECOND;
use crate::synth::net::{Host, MILLI, Net, Os};
use crate::synth::{Capture, Deed};

struct Plant {
    office: Office,
    station: Host,
    controllers: [Host; 2],
    attacker: Host,
}

fn plant(seed: u64) -> Plant {
    let mut office = Office::new(seed, 2);
    let station = office.net.host("station", [10, 20, 0, 150], Os::Windows);
    let controllers = [200, 201].map(|last| office.net.host("controller", [10, 20, 0, last], Os::Device));
    let attacker = office.pc(0);
    Plant { office, station, controllers, attacker }
}

/// The station reads the process image every second, and now and then sets a value.
fn run_modbus(net: &mut Net, station: Host, controller: Host, seconds: u16) {
    let begin = net.now;
    net.at(begin, |net| {
        let mut tcp = net.tcp(station, controller, 502);
        tcp.connect();
        for second in 0..seconds {
            tcp.modbus_read(second * 2, 1, 0, 12);
            if second % 5 == 4 {
                tcp.modbus_write(second * 2 + 1, 1, 40, 100 + second % 3);
            }
            let left = begin + i64::from(second + 1) * SECOND - tcp.net.now;
            tcp.pause(left);
        }
        tcp.close();
    });
}

fn run_s7(net: &mut Net, station: Host, controller: Host, seconds: u16) {
    let begin = net.now;
    net.at(begin, |net| {
        let mut tcp = net.tcp(station, controller, 102);
        tcp.connect();
        tcp.s7_connect();
        for second in 1..seconds {
            tcp.s7_read(second * 2);
            if second % 10 == 0 {
                tcp.s7_write(second * 2 + 1, second as u8);
            }
            let left = begin + i64::from(second) * SECOND - tcp.net.now;
            tcp.pause(left.max(MILLI));
        }
        tcp.close();
    });
}

pub fn stopped(name: &str) -> Capture {
    let Plant { mut office, station, controllers, attacker } = plant(240);
    let net = &mut office.net;
    for controller in controllers {
        run_s7(net, station, controller, 60);
    }
    net.wait(30 * SECOND);
    let deed = Deed::attack("inhibit-response-function", &["T0816"], "A workstation stops both controllers of a plant and leaves");
    let deed = deed.rule("controller-tampering").by([net.ip(attacker)]).on(controllers.map(|one| net.ip(one)));
    net.deed(deed, |net| {
        for controller in controllers {
            let mut tcp = net.tcp(attacker, controller, 102);
            tcp.connect();
            tcp.s7_connect();
            tcp.s7_stop(1);
            tcp.close();
            net.wait(2 * SECOND);
        }
    });
    office.net.finish(name)
}

pub fn stopped_benign(name: &str) -> Capture {
    let Plant { mut office, station, controllers, attacker } = plant(241);
    let net = &mut office.net;
    net.deed(
        Deed::benign("A station reads and sets values all the time; an engineer looks at the controller").by([net.ip(station)]),
        |net| {
            for controller in controllers {
                run_s7(net, station, controller, 90);
            }
            net.wait(40 * SECOND);
            let mut tcp = net.tcp(attacker, controllers[0], 102);
            tcp.connect();
            tcp.s7_connect();
            tcp.s7_read(1);
            tcp.close();
        },
    );
    office.net.finish(name)
}

pub fn stranger(name: &str) -> Capture {
    let Plant { mut office, station, controllers: [controller, _], attacker } = plant(242);
    let net = &mut office.net;
    run_modbus(net, station, controller, 120);
    net.wait(60 * SECOND);
    let deed = Deed::attack("impair-process-control", &["T0855", "T0836"], "A workstation sets ten registers of a running controller");
    let deed = deed.rule("control-by-stranger").by([net.ip(attacker)]).on([net.ip(controller)]);
    net.deed(deed, |net| {
        let mut tcp = net.tcp(attacker, controller, 502);
        tcp.connect();
        tcp.modbus_read(1, 1, 40, 4);
        for address in 36..46 {
            tcp.modbus_write(address, 1, address, 9_999);
            tcp.pause(300 * MILLI);
        }
        tcp.close();
    });
    office.net.finish(name)
}

pub fn stranger_benign(name: &str) -> Capture {
    let Plant { mut office, station, controllers: [controller, _], attacker } = plant(243);
    let net = &mut office.net;
    let second = net.host("station-2", [10, 20, 0, 151], Os::Windows);
    net.deed(Deed::benign("Two operator stations run a controller side by side; a third host only reads").by([net.ip(station)]), |net| {
        run_modbus(net, station, controller, 120);
        net.wait(2 * SECOND);
        run_modbus(net, second, controller, 118);
        net.wait(60 * SECOND);
        let mut tcp = net.tcp(attacker, controller, 502);
        tcp.connect();
        for number in 0..5 {
            tcp.modbus_read(number, 1, 0, 8);
        }
        tcp.close();
    });
    office.net.finish(name)
}

/// Function not known, no such register, nobody behind the gateway.
const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_ADDRESS: u8 = 2;
const NOBODY: u8 = 0x0b;

pub fn enumeration(name: &str) -> Capture {
    let Plant { mut office, controllers: [controller, _], attacker, .. } = plant(244);
    let net = &mut office.net;
    let others: Vec<Host> = (210..222).map(|last| net.host("", [10, 20, 0, last], Os::Device)).collect();
    let deed = Deed::attack(
        "discovery",
        &["T0846", "T0888"],
        "Units, functions and registers of a controller are tried out, and its neighbours asked what they are",
    );
    let deed = deed.rule("controller-enumeration").by([net.ip(attacker)]).on([net.ip(controller)]);
    net.deed(deed, |net| {
        let mut tcp = net.tcp(attacker, controller, 502);
        tcp.connect();
        let read = [3, 0, 0, 0, 1];
        for unit in 2..32 {
            tcp.modbus_refused(u16::from(unit), unit, &read, NOBODY);
        }
        for function in [2, 4, 7, 11, 12, 17, 20, 21, 22, 24, 43] {
            tcp.modbus_refused(100 + u16::from(function), 1, &[function, 0, 0, 0, 1], ILLEGAL_FUNCTION);
        }
        for block in 0..24 {
            tcp.modbus_refused(200 + u16::from(block), 1, &[3, block * 8, 0, 0, 1], ILLEGAL_ADDRESS);
        }
        tcp.close();
        for other in others {
            let mut tcp = net.tcp(attacker, other, 502);
            tcp.connect();
            tcp.modbus(1, 255, &[17], &[17, 3, 5, 0xff, 1]);
            tcp.close();
        }
    });
    office.net.finish(name)
}

pub fn enumeration_benign(name: &str) -> Capture {
    let Plant { mut office, station, controllers: [gateway, _], .. } = plant(245);
    let net = &mut office.net;
    net.deed(
        Deed::benign("A station polls twelve units behind a gateway, two of which are off, and asks for a register that one lacks")
            .by([net.ip(station)]),
        |net| {
            let mut tcp = net.tcp(station, gateway, 502);
            tcp.connect();
            for round in 0..8 {
                for unit in 1..=12 {
                    let number = round * 100 + u16::from(unit);
                    match unit {
                        4 | 9 => tcp.modbus_refused(number, unit, &[3, 0, 0, 0, 4], NOBODY),
                        7 => tcp.modbus_refused(number, unit, &[3, 2, 0, 0, 1], ILLEGAL_ADDRESS),
                        _ => tcp.modbus_read(number, unit, 0, 4),
                    }
                }
                tcp.pause(5 * SECOND);
            }
            tcp.close();
        },
    );
    office.net.finish(name)
}
