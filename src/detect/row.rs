//! One row of a rule's result, out of DuckDB's types.

use crate::model::finding::{Outcome, Term};
use crate::model::{FlowId, Ts};
use duckdb::types::{TimeUnit, Value};
use serde_json::{Map, Number, Value as Json};

/// Columns that every rule returns.
pub const COLUMNS: [&str; 10] = ["actor", "target", "user", "first_seen", "last_seen", "outcome", "terms", "evidence", "flows", "frames"];

/// A column that a rule may add: the impact of this row instead of the header's.
pub const IMPACT: &str = "impact";

/// A column that a rule may add: all targets of this row, where it speaks of more than one. `target` is then the first of them.
pub const TARGETS: &str = "targets";

/// What a rule said about one actor and target.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Who does it.
    pub actor: Option<String>,
    /// Who suffers it.
    pub target: Option<String>,
    /// Who else does, where one row speaks of many.
    pub more_targets: Vec<String>,
    /// Account concerned.
    pub user: Option<String>,
    /// Earliest evidence.
    pub first_ns: Ts,
    /// Latest evidence.
    pub last_ns: Ts,
    /// How far it got.
    pub outcome: Outcome,
    /// Terms of the confidence.
    pub terms: Vec<Term>,
    /// Observed values.
    pub evidence: Map<String, Json>,
    /// Flows, ascending.
    pub flows: Vec<FlowId>,
    /// Frames, the telling ones first.
    pub frames: Vec<u64>,
    /// Impact of this row, where it differs from the rule's.
    pub impact: Option<f64>,
}

impl Hit {
    /// All who suffer it.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.target.iter().chain(&self.more_targets).map(String::as_str)
    }

    /// Reads one row; `get` gives the value of a column, `Null` where it is missing.
    pub fn read(get: impl Fn(&str) -> Value) -> Result<Self, String> {
        let outcome = text(&get("outcome")).unwrap_or_default();
        let first_ns = instant(&get("first_seen")).ok_or("first_seen is no timestamp")?;
        let mut flows: Vec<FlowId> = items(&get("flows")).iter().filter_map(whole).map(FlowId).collect();
        flows.sort_unstable();
        flows.dedup();
        let target = text(&get("target"));
        let mut more_targets: Vec<String> = items(&get(TARGETS)).iter().filter_map(text).collect();
        more_targets.retain(|more| Some(more) != target.as_ref());
        Ok(Self {
            actor: text(&get("actor")),
            target,
            more_targets,
            user: text(&get("user")),
            first_ns,
            last_ns: instant(&get("last_seen")).unwrap_or(first_ns).max(first_ns),
            outcome: Outcome::parse(&outcome).ok_or_else(|| format!("outcome `{outcome}` is none of {}", outcomes()))?,
            terms: items(&get("terms")).iter().map(term).collect::<Option<_>>().ok_or("terms must be a list of {name, weight, value}")?,
            evidence: match json(&get("evidence")) {
                Json::Object(fields) => fields,
                _ => return Err("evidence must be a struct".into()),
            },
            flows,
            frames: once(items(&get("frames")).iter().filter_map(whole)),
            impact: number(&get(IMPACT)),
        })
    }
}

fn outcomes() -> String {
    Outcome::ALL.map(Outcome::name).join(", ")
}

/// Without repetitions, order kept.
pub fn once<T: Copy + Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = std::collections::HashSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

/// Rounds to six digits: DuckDB's float aggregates differ in the last ones from thread count to thread count.
pub fn round6(x: f64) -> f64 {
    let rounded = (x * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded + 0.0 } else { x }
}

fn term(value: &Value) -> Option<Term> {
    let Value::Struct(fields) = value else { return None };
    let field = |name: &str| fields.get(&name.to_owned());
    Some(Term {
        name: text(field("name")?)?,
        weight: round6(number(field("weight")?)?),
        value: round6(number(field("value")?).unwrap_or(0.0)),
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Enum(text) => Some(text.clone()),
        _ => None,
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) | Value::Array(items) => items,
        _ => &[],
    }
}

fn integer(value: &Value) -> Option<i128> {
    Some(match value {
        Value::TinyInt(n) => (*n).into(),
        Value::SmallInt(n) => (*n).into(),
        Value::Int(n) => (*n).into(),
        Value::BigInt(n) => (*n).into(),
        Value::HugeInt(n) => *n,
        Value::UTinyInt(n) => (*n).into(),
        Value::USmallInt(n) => (*n).into(),
        Value::UInt(n) => (*n).into(),
        Value::UBigInt(n) => (*n).into(),
        _ => return None,
    })
}

fn whole(value: &Value) -> Option<u64> {
    integer(value).and_then(|n| n.try_into().ok())
}

fn number(value: &Value) -> Option<f64> {
    let x = match value {
        Value::Float(x) => f64::from(*x),
        Value::Double(x) => *x,
        Value::Decimal(decimal) => decimal.to_string().parse().ok()?,
        Value::Boolean(flag) => f64::from(u8::from(*flag)),
        _ => integer(value)? as f64,
    };
    x.is_finite().then_some(x)
}

fn instant(value: &Value) -> Option<Ts> {
    let Value::Timestamp(unit, n) = value else { return None };
    let scale = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    Some(n.saturating_mul(scale))
}

/// Any value as JSON; what JSON cannot say (NaN, infinities) becomes null.
fn json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Text(text) | Value::Enum(text) => Json::String(text.clone()),
        Value::Timestamp(..) => instant(value).map_or(Json::Null, |ns| Json::String(crate::model::time::rfc3339(ns))),
        Value::List(items) | Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Struct(fields) => Json::Object(fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()),
        Value::Map(entries) => Json::Object(entries.iter().filter_map(|(key, value)| Some((key_text(key)?, json(value)))).collect()),
        _ => match integer(value) {
            Some(n) => i64::try_from(n).map_or_else(|_| Json::from(n as f64), Json::from),
            None => number(value).and_then(|x| Number::from_f64(round6(x))).map_or(Json::Null, Json::Number),
        },
    }
}

fn key_text(key: &Value) -> Option<String> {
    text(key).or_else(|| integer(key).map(|n| n.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use duckdb::types::OrderedMap;

    #[test]
    fn numbers_of_every_width_read_the_same_and_nan_becomes_null() {
        for value in [Value::HugeInt(7), Value::UTinyInt(7), Value::BigInt(7)] {
            assert_eq!(json(&value), Json::from(7));
        }
        assert_eq!(json(&Value::Double(f64::NAN)), Json::Null);
        assert_eq!(json(&Value::Double(0.1 + 0.2)), Json::from(0.3));
        assert_eq!(round6(-0.000_000_01).to_string(), "0");
    }

    #[test]
    fn a_row_without_a_valid_outcome_is_refused_by_name() {
        let row = |outcome: &str| {
            let outcome = outcome.to_owned();
            Hit::read(move |column| match column {
                "outcome" => Value::Text(outcome.clone()),
                "first_seen" => Value::Timestamp(TimeUnit::Microsecond, 5),
                "evidence" => Value::Struct(OrderedMap::from(vec![("n".to_owned(), Value::Int(1))])),
                "flows" => Value::List(vec![Value::BigInt(32), Value::BigInt(16), Value::BigInt(32)]),
                "frames" => Value::List(vec![Value::BigInt(9), Value::BigInt(2), Value::BigInt(9)]),
                _ => Value::Null,
            })
        };
        let hit = row("confirmed").unwrap();
        assert_eq!((hit.first_ns, hit.last_ns, hit.flows.len(), hit.frames.as_slice()), (5_000, 5_000, 2, &[9, 2][..]));
        assert!(row("maybe").unwrap_err().contains("`maybe` is none of benign_trigger, attempt"));
    }
}
