//! Confidence and risk.

use super::row::round6;
use crate::model::finding::{Outcome, Term};

/// Nothing is certain: confidences stay within these bounds.
const BOUNDS: (f64, f64) = (0.02, 0.99);

/// P(true): `sigmoid(logit(prior) + Σ weight·value)`.
pub fn confidence(prior: f64, terms: &[Term]) -> f64 {
    let evidence: f64 = terms.iter().map(|term| term.weight * term.value).sum();
    let odds = (prior / (1.0 - prior)).ln() + evidence;
    round6((1.0 / (1.0 + (-odds).exp())).clamp(BOUNDS.0, BOUNDS.1))
}

/// 0 to 100: how bad, how sure, how far.
pub fn risk(impact: f64, confidence: f64, outcome: Outcome) -> f64 {
    round6((impact.clamp(0.0, 100.0) * confidence * outcome.factor()).clamp(0.0, 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(weight: f64, value: f64) -> Term {
        Term { name: "x".into(), weight, value }
    }

    #[test]
    fn confidence_starts_at_the_prior_and_moves_by_log_odds() {
        assert_eq!(confidence(0.3, &[]), 0.3);
        assert_eq!(confidence(0.5, &[term(2.0, 1.0), term(-1.0, 1.0)]), round6(1.0 / (1.0 + (-1.0f64).exp())));
        assert_eq!(confidence(0.5, &[term(100.0, 1.0)]), 0.99);
        assert_eq!(confidence(0.5, &[term(-100.0, 1.0)]), 0.02);
    }

    #[test]
    fn an_attempt_weighs_less_than_the_same_deed_done() {
        assert_eq!(risk(90.0, 0.9, Outcome::Confirmed), 81.0);
        assert_eq!(risk(90.0, 0.9, Outcome::Attempt), 32.4);
        assert_eq!(risk(500.0, 0.9, Outcome::Confirmed), 90.0);
    }
}
