//! Flows that do not belong: what a mixed load hides among its ordinary ones, each with its label.

use super::scenes::moves::{self, Door};
use super::{Deed, Host, Net, Os};
use crate::model::{Outcome, Ts};

/// Ten strange flows in a row: half of them probes, and one large upload.
const TURNS: [Kind; 10] =
    [Kind::Probe, Kind::CheckIn, Kind::Probe, Kind::Guess, Kind::Probe, Kind::Upload, Kind::Probe, Kind::CheckIn, Kind::Probe, Kind::Guess];
/// Megabytes of one upload.
const UPLOAD: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Probe,
    CheckIn,
    Guess,
    Upload,
}

/// Who does what is strange, and how much of it was done.
pub(super) struct Anomalies {
    wanted: u64,
    flows: u64,
    /// Between two flows of the load, nanoseconds.
    gap: Ts,
    done: u64,
    scanner: Host,
    guesser: Host,
    victim: Host,
    bot: Host,
    control: Host,
    drop: Host,
    /// One label for each kind.
    labels: [usize; 4],
}

impl Anomalies {
    /// `wanted` of `flows` flows, evenly spread.
    pub fn new(net: &mut Net, wanted: u64, flows: u64, gap: Ts) -> Self {
        let scanner = net.outside("", [198, 51, 100, 253], Os::Linux, 44);
        let guesser = net.outside("", [198, 51, 100, 254], Os::Linux, 51);
        let victim = net.host("server", [10, 50, 0, 80], Os::Linux);
        let bot = net.host("client", [10, 50, 0, 66], Os::Windows);
        let control = net.outside("sync.telemetry-hub.example", [203, 0, 113, 253], Os::Linux, 62);
        let drop = net.outside("dropzone.example", [203, 0, 113, 254], Os::Linux, 38);
        let labels = [
            net.plan(
                Deed::attack("reconnaissance", &["T1595.001", "T1046"], "An outside host tries the ports of a server one by one")
                    .rule("port-scan-vertical")
                    .by([net.ip(scanner)])
                    .on([net.ip(victim)]),
            ),
            net.plan(
                Deed::attack("command-and-control", &["T1071.001", "T1573"], "A program checks in over HTTPS at regular times")
                    .rule("beacon")
                    .by([net.ip(bot)])
                    .on([net.ip(control)]),
            ),
            net.plan(
                Deed::attack("credential-access", &["T1110.001"], "SSH passwords tried one after another, none right")
                    .rule("password-guessing")
                    .by([net.ip(guesser)])
                    .on([net.ip(victim)])
                    .ends(Outcome::Guessing),
            ),
            net.plan(
                Deed::attack("exfiltration", &["T1048", "T1041"], "Megabytes leave for one outside host over TLS")
                    .rule("exfil-volume")
                    .by([net.ip(bot)])
                    .on([net.ip(drop)]),
            ),
        ];
        Self { wanted: wanted.min(flows), flows, gap, done: 0, scanner, guesser, victim, bot, control, drop, labels }
    }

    /// Makes the flow of that number strange, if its turn has come.
    pub fn take(&mut self, net: &mut Net, number: u64) -> bool {
        let due = u128::from(number + 1) * u128::from(self.wanted) / u128::from(self.flows.max(1));
        if u128::from(self.done) >= due {
            return false;
        }
        let kind = TURNS[(self.done % TURNS.len() as u64) as usize];
        // Ports of the probes follow each other from 1: which of them are open is the server's business.
        let port = 1 + (self.done % 65_535) as u16;
        self.done += 1;
        // Only the program is punctual.
        let late = if kind == Kind::CheckIn { 0 } else { net.rng.below(1 + 40 * self.gap.unsigned_abs()) as i64 };
        let start = net.now + late;
        net.labelled(Some(self.labels[kind as usize]), |net| net.at(start, |net| self.act(net, kind, port)));
        true
    }

    fn act(&self, net: &mut Net, kind: Kind, port: u16) {
        match kind {
            Kind::Probe => moves::probe(net, self.scanner, self.victim, port, Door::Closed),
            Kind::CheckIn => moves::check_in(net, self.bot, self.control, 92),
            Kind::Guess => moves::ssh_guess(net, self.guesser, self.victim, "backup", 2),
            Kind::Upload => moves::transfer(net, self.bot, self.drop, UPLOAD, 0),
        }
    }
}
