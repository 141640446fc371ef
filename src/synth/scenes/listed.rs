//! Hosts that lists of known bad things name, and hosts that only look like it. The lists come with the captures: [`list`].

use super::office::{Office, visit, visit_plain};
use crate::model::time::SECOND;
use crate::synth::net::{MINUTE, Os};
use crate::synth::{Capture, Deed};

/// The list that belongs to a scenario, if one does.
pub fn list(scenario: &str) -> Option<&'static str> {
    match scenario {
        "intel-match" => Some(
            "# Known bad things, made up for this capture. Last updated: 2026-02-20 08:00:00 UTC\n\
             bad-cdn.example # delivers loaders\n203.0.113.128/25 # bulletproof hosting\nplain.site.example/panel/gate.php\n",
        ),
        "intel-match-benign" => Some(
            "value,type,expires,comment\nbad-cdn.example,domain,2025-06-01,taken down long ago\n10.20.0.20,ip,,an address that everybody may have\n\
             example.com.evil.example,domain,,not www.example.com\n203.0.113.77,ip,,nobody here talks to it\n",
        ),
        _ => None,
    }
}

pub fn known(name: &str) -> Capture {
    let mut office = Office::new(71, 5);
    office.bustle(10 * MINUTE, 8);
    let (one, two, net) = (office.pc(1), office.pc(2), &mut office.net);
    let cdn = net.outside("eu3.bad-cdn.example", [198, 51, 100, 9], Os::Linux, 40);
    let host = net.outside("cheap.hosting.example", [203, 0, 113, 200], Os::Linux, 51);
    let plain = net.outside("plain.site.example", [198, 51, 100, 30], Os::Linux, 33);
    let deed = Deed::attack("command-and-control", &["T1071", "T1105"], "Two workstations meet hosts that a list names");
    let deed = deed.rule("intel-match").by([net.ip(one), net.ip(two)]).on([net.ip(cdn), net.ip(host), net.ip(plain)]);
    net.wait(20 * SECOND);
    net.deed(deed, |net| {
        visit(net, one, cdn);
        net.wait(40 * SECOND);
        visit(net, two, host);
        net.wait(15 * SECOND);
        visit_plain(net, two, plain, "/panel/gate.php", 900);
    });
    office.net.finish(name)
}

pub fn unknown(name: &str) -> Capture {
    let mut office = Office::new(72, 5);
    office.bustle(10 * MINUTE, 10);
    let (pc, files, net) = (office.pc(1), office.files, &mut office.net);
    let cdn = net.outside("eu3.bad-cdn.example", [198, 51, 100, 9], Os::Linux, 40);
    net.wait(20 * SECOND);
    net.deed(Deed::benign("A name whose entry expired, and the office's own file server").by([net.ip(pc)]), |net| {
        visit(net, pc, cdn);
        visit(net, pc, files);
    });
    office.net.finish(name)
}
