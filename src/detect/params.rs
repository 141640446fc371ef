//! Parameters of rules: typed, documented, and tuned with `--set RULE.PARAM=VALUE`.

use super::{Error, Result};
use std::fmt;

/// A threshold, a list or a word that a rule takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Name, as `$name` in the statement.
    pub name: String,
    /// What is in force.
    pub value: Setting,
    /// What the rule's file says.
    pub default: Setting,
    /// The comment that stands beside it in the file.
    pub doc: String,
}

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A word.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several of them.
    List(Vec<Setting>),
}

impl Setting {
    /// From a header. Dates and tables have no place in one.
    pub fn from_toml(value: &toml::Value) -> Option<Self> {
        Some(match value {
            toml::Value::Integer(n) => Self::Int(*n),
            toml::Value::Float(x) if x.is_finite() => Self::Float(*x),
            toml::Value::String(text) => Self::Text(text.clone()),
            toml::Value::Boolean(flag) => Self::Flag(*flag),
            toml::Value::Array(items) => Self::List(items.iter().map(Self::from_toml).collect::<Option<_>>()?),
            _ => return None,
        })
    }

    /// As a literal of SQL. Floats are always `DOUBLE`, so that a threshold of 1.0 compares like one of 1.5.
    pub fn literal(&self) -> String {
        match self {
            Self::Int(n) if *n < 0 => format!("({n})"),
            Self::Int(n) => n.to_string(),
            Self::Float(x) => format!("({x:?}::DOUBLE)"),
            Self::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Self::Flag(flag) => flag.to_string(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::literal).collect::<Vec<_>>().join(", ")),
        }
    }

    /// As JSON, for the evidence; lists and long words are left out of it.
    pub fn threshold(&self) -> Option<serde_json::Value> {
        match self {
            Self::Int(n) => Some((*n).into()),
            Self::Float(x) => Some((*x).into()),
            Self::Flag(flag) => Some((*flag).into()),
            Self::Text(_) | Self::List(_) => None,
        }
    }

    /// Reads what was typed as a value of the same type.
    pub fn parse_like(&self, typed: &str) -> Result<Self, String> {
        let wrong = |kind: &str| format!("`{typed}` is not {kind}; the default is {self}");
        match self {
            Self::Int(_) => typed.replace('_', "").parse().map(Self::Int).map_err(|_| wrong("a whole number")),
            Self::Float(_) => match typed.parse::<f64>() {
                Ok(x) if x.is_finite() => Ok(Self::Float(x)),
                _ => Err(wrong("a number")),
            },
            Self::Flag(_) => typed.parse().map(Self::Flag).map_err(|_| wrong("true or false")),
            Self::Text(_) => Ok(Self::Text(typed.to_owned())),
            Self::List(items) => {
                let like = items.first().cloned().unwrap_or(Self::Text(String::new()));
                let parts = typed.trim_start_matches('[').trim_end_matches(']').split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| like.parse_like(part.trim_matches('"'))).collect::<Result<_, _>>().map(Self::List)
            }
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::List(items) => write!(f, "[{}]", items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// One `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Id of the rule.
    pub rule: String,
    /// Name of the parameter.
    pub param: String,
    /// What was typed after `=`.
    pub value: String,
}

impl Override {
    /// Reads `rule.param=value`.
    pub fn parse(given: &str) -> Result<Self> {
        let split = given.split_once('=').and_then(|(path, value)| path.trim().split_once('.').map(|(rule, param)| (rule, param, value)));
        match split {
            Some((rule, param, value)) if !rule.is_empty() && !param.trim().is_empty() => {
                Ok(Self { rule: rule.to_owned(), param: param.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => {
                Err(Error::Set { given: given.to_owned(), why: "write it as RULE.PARAM=VALUE, such as dns-tunnel.min_names=50".to_owned() })
            }
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}={}", self.rule, self.param, self.value)
    }
}

/// `there is no NAME; did you mean X? There are: …`.
pub fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (distance(name, known), known)).min();
    let hint = match near {
        Some((steps, known)) if steps <= 1 + name.len() / 3 => format!("; did you mean `{known}`?"),
        _ => ".".to_owned(),
    };
    let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("there is no {kind} `{name}`{hint} There are: {all}")
}

/// Edits between two words (Levenshtein 1966), one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, y) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(x != *y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_word_stays_inside_its_literal() {
        assert_eq!(Setting::Text("o'hara; DROP".into()).literal(), "'o''hara; DROP'");
        assert_eq!(Setting::List(vec![Setting::Int(-1), Setting::Float(2.0)]).literal(), "[(-1), (2.0::DOUBLE)]");
    }

    #[test]
    fn what_is_typed_takes_the_type_of_the_default() {
        assert_eq!(Setting::Int(3).parse_like("1_000"), Ok(Setting::Int(1000)));
        assert_eq!(Setting::Float(0.5).parse_like("2"), Ok(Setting::Float(2.0)));
        assert_eq!(
            Setting::List(vec![Setting::Int(1)]).parse_like("[22, 23]"),
            Ok(Setting::List(vec![Setting::Int(22), Setting::Int(23)]))
        );
        assert_eq!(Setting::Int(3).parse_like("many"), Err("`many` is not a whole number; the default is 3".into()));
        assert!(Setting::Float(1.0).parse_like("inf").is_err());
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        assert_eq!(
            unknown("rule", "dns-tunel", &["beacon", "dns-tunnel"]),
            "there is no rule `dns-tunel`; did you mean `dns-tunnel`? There are: beacon, dns-tunnel"
        );
        assert!(unknown("rule", "zebra", &["beacon"]).starts_with("there is no rule `zebra`. There are"));
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn an_override_needs_all_three_parts() {
        let right = Override::parse("dns-tunnel.min_names = 50").unwrap();
        assert_eq!((right.rule.as_str(), right.param.trim(), right.value.as_str()), ("dns-tunnel", "min_names", "50"));
        for wrong in ["", "a=1", "a.b", ".b=1", "a.=1"] {
            assert!(Override::parse(wrong).is_err(), "{wrong}");
        }
    }
}
