//! Why a flow stands out, in words and as JSON.

use super::ensemble::{Ensemble, Opinion};
use super::features::{Page, names};
use crate::detect::Result;
use serde_json::{Value, json};

/// Features named at most.
const MOST: usize = 4;
/// A kind of flow rarer than this is worth a word.
const RARE: f64 = 0.002;
/// What the kinds are called.
const KINDS: [&str; 3] = ["this service on this port", "a connection that goes this way", "anybody talking to this host and port"];

/// The reasons as JSON: features with value, share and usual value; rare kinds; what each member says; one sentence under `says`.
pub fn reasons(ensemble: &Ensemble, page: &Page, row: usize, opinion: &Opinion, limit: f64) -> Result<Value> {
    let outlying = ensemble.outlying(page, row)?;
    let order: Vec<usize> = outlying.iter().map(|(feature, ..)| *feature).collect();
    let enough = ensemble.enough(page, row, opinion.members[0], &order, limit)?;
    let names: Vec<&str> = names().collect();
    let (mut features, mut words) = (Vec::new(), Vec::new());
    for (feature, tail, value, median) in outlying.iter().take(enough.clamp(1, MOST)) {
        let name = names.get(*feature).copied().unwrap_or_default();
        let (value, median) = (rounded(*value), rounded(*median));
        features.push(json!({ "feature": name, "value": value, "usual": median, "p": rounded(tail.p), "above": tail.above }));
        let name = name.replace('_', " ");
        words.push(match (tail.above, tail.beyond_all) {
            (true, true) => format!("{name} {value} is more than was seen elsewhere (usually {median})"),
            (false, true) => format!("{name} {value} is less than was seen elsewhere (usually {median})"),
            (above, false) => {
                let side = if above { "more" } else { "less" };
                format!("{name} {value} is {side} than in {} of flows (usually {median})", percent(1.0 - tail.p))
            }
        });
    }
    let mut rare = Vec::new();
    for (share, what) in ensemble.shares(page, row).into_iter().zip(KINDS).filter(|(share, _)| *share < RARE) {
        rare.push(json!({ "what": what, "share": rounded(share) }));
        words.push(format!("{what} is one flow in {:.0}", 1.0 / share));
    }
    let [forest, extended, tails, rarity] = opinion.members.map(rounded);
    Ok(json!({
        "says": words.join("; "),
        "features": features,
        "rare": rare,
        "members": { "forest": forest, "extended": extended.is_finite().then_some(extended), "tails": tails, "rarity": rarity },
        "crowd": ensemble.crowd(),
    }))
}

/// To six significant digits: enough for people, and the same everywhere.
pub fn rounded(value: f64) -> f64 {
    if value.is_finite() { format!("{value:.5e}").parse().unwrap_or(value) } else { value }
}

/// `99.97 %`, never rounded up to all.
fn percent(share: f64) -> String {
    let shown = (share * 1e4).floor() / 100.0;
    format!("{shown} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_never_rounded_up_to_all() {
        assert_eq!([percent(0.99999), percent(0.5), percent(0.9997)], ["99.99 %", "50 %", "99.97 %"]);
        assert_eq!(rounded(1234.56789), 1234.57);
    }
}
