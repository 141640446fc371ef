//! What the labels of each set mean.

use super::Published;
use serde::Serialize;

/// What a label says of a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Part of an attack.
    Attack,
    /// Harmless.
    Harmless,
    /// Its publisher does not know, or neither is true: it is left out.
    #[default]
    Unclear,
}

impl Kind {
    /// `None` where it is neither.
    pub fn is_attack(self) -> Option<bool> {
        match self {
            Self::Attack => Some(true),
            Self::Harmless => Some(false),
            Self::Unclear => None,
        }
    }
}

/// A label as it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Class {
    pub name: String,
    pub kind: Kind,
    /// ATT&CK ids, any of which a finding may name; none if any will do.
    pub techniques: &'static [&'static str],
}

impl Class {
    /// Of a label of `set`.
    pub fn of(set: Published, label: &str) -> Self {
        // An en dash in a Windows code page is not UTF-8, and editions write it in their own ways.
        let words = label.split(|c: char| !(c.is_ascii_graphic() || c == ' ')).map(str::trim).filter(|word| !word.is_empty());
        let name = words.collect::<Vec<_>>().join(" - ");
        match set {
            Published::CicIds2017 => cic(name),
            Published::Ctu13 => ctu(&name),
            Published::UnswNb15 => unsw(&name),
            Published::NslKdd => kdd(name),
        }
    }
}

/// CIC-IDS2017. What its correctors call attempted reached nobody: neither an attack that could be seen nor harmless.
fn cic(name: String) -> Class {
    let plain = name.to_ascii_lowercase();
    let has = |word: &str| plain.contains(word);
    let kind = match () {
        () if plain == "benign" => Kind::Harmless,
        () if has("attempted") || plain.is_empty() => Kind::Unclear,
        () => Kind::Attack,
    };
    let techniques: &[&str] = match () {
        () if has("portscan") || has("port scan") => &["T1046"],
        () if has("patator") || has("brute force") => &["T1110"],
        () if has("xss") => &["T1190", "T1189", "T1059"],
        () if has("sql injection") || has("heartbleed") => &["T1190"],
        () if has("ddos") || has("dos ") => &["T1498", "T1499"],
        () if plain.starts_with("bot") => &["T1071"],
        () => &[],
    };
    Class { name, kind, techniques }
}

/// CTU-13. Only what infected hosts send is known to be bad, and only what the six good hosts send to be good; the rest is background.
fn ctu(name: &str) -> Class {
    let plain = name.trim_start_matches("flow=");
    let class = |name: &str, kind, techniques| Class { name: name.into(), kind, techniques };
    match () {
        () if plain.starts_with("From-Botnet") && plain.contains("-CC") => {
            class("From-Botnet, control", Kind::Attack, &["T1071", "T1095", "T1571"])
        }
        () if plain.starts_with("From-Botnet") => class("From-Botnet", Kind::Attack, &[]),
        () if plain.starts_with("From-Normal") || plain.starts_with("Normal") => class("From-Normal", Kind::Harmless, &[]),
        () if plain.starts_with("To-Botnet") => class("To-Botnet", Kind::Unclear, &[]),
        () if plain.starts_with("To-Normal") => class("To-Normal", Kind::Unclear, &[]),
        () => class("Background", Kind::Unclear, &[]),
    }
}

/// UNSW-NB15. No category is normal traffic.
fn unsw(name: &str) -> Class {
    let (name, techniques): (&str, &[&str]) = match name.trim() {
        "" | "-" | "Normal" => return Class { name: "Normal".into(), kind: Kind::Harmless, techniques: &[] },
        "Reconnaissance" => ("Reconnaissance", &["T1046", "T1595", "T1190"]),
        "Analysis" => ("Analysis", &["T1046", "T1595", "T1190"]),
        "DoS" => ("DoS", &["T1498", "T1499"]),
        "Exploits" => ("Exploits", &["T1190", "T1203", "T1210", "T1059"]),
        "Shellcode" => ("Shellcode", &["T1190", "T1203", "T1210", "T1059"]),
        "Worms" => ("Worms", &["T1190", "T1210"]),
        "Backdoor" | "Backdoors" => ("Backdoor", &["T1071", "T1095", "T1505", "T1571"]),
        other => (other, &[]),
    };
    Class { name: name.into(), kind: Kind::Attack, techniques }
}

/// NSL-KDD, whose label is the name of the attack.
fn kdd(name: String) -> Class {
    let kind = if name == "normal" { Kind::Harmless } else { Kind::Attack };
    Class { name, kind, techniques: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_what_their_publishers_say() {
        let of = |set, label: &str| {
            let class = Class::of(set, label);
            (class.name, class.kind, class.techniques.first().copied())
        };
        let cic = |label: &str| of(Published::CicIds2017, label);
        assert_eq!(cic("BENIGN"), ("BENIGN".into(), Kind::Harmless, None));
        assert_eq!(cic("Web Attack \u{fffd} Brute Force"), ("Web Attack - Brute Force".into(), Kind::Attack, Some("T1110")));
        assert_eq!(cic("Web Attack \u{2013} Sql Injection").2, Some("T1190"));
        assert_eq!(cic("DoS Hulk - Attempted").1, Kind::Unclear);
        assert_eq!((cic("DDoS").2, cic("PortScan").2, cic("Bot").2), (Some("T1498"), Some("T1046"), Some("T1071")));
        let ctu = |label: &str| of(Published::Ctu13, label);
        assert_eq!(ctu("flow=From-Botnet-V42-TCP-CC6-Plain-HTTP-Encrypted-Data").0, "From-Botnet, control");
        assert_eq!(ctu("flow=From-Botnet-V42-UDP-DNS").1, Kind::Attack);
        assert_eq!(ctu("flow=From-Normal-V42-Jist").1, Kind::Harmless);
        assert_eq!((ctu("flow=To-Botnet-V42-UDP").1, ctu("flow=Background-Established-cmpgw-CVUT").1), (Kind::Unclear, Kind::Unclear));
        let unsw = |label: &str| of(Published::UnswNb15, label);
        assert_eq!((unsw(" Fuzzers ").0, unsw("").1, unsw("Backdoors").0), ("Fuzzers".into(), Kind::Harmless, "Backdoor".into()));
    }
}
