//! RESP values (the Redis serialization protocol, versions 2 and 3), of any depth up to a cap, out of a stream in pieces.

use crate::dissect::escape;
use crate::dissect::login::lines::Lines;

/// Bytes of one string, and of one printed value, that are kept.
pub(super) const TEXT_MAX: usize = 1_024;
/// Elements kept of one value, all depths together.
const ELEMENTS_MAX: usize = 256;
/// Values within values.
const DEPTH_MAX: usize = 32;

/// A value as far as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// String, number, simple line.
    Text(Vec<u8>),
    /// An error line.
    Error(Vec<u8>),
    /// Null.
    Null,
    /// Array, set, map (as pairs).
    List(Vec<Value>),
    /// Sent without being asked for.
    Push(Vec<Value>),
    /// Words on a line.
    Inline(Vec<u8>),
}

impl Value {
    /// As Zeek prints it: lists in brackets.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        self.push(&mut text);
        text
    }

    fn push(&self, text: &mut String) {
        let room = TEXT_MAX.saturating_sub(text.len());
        if room == 0 {
            return;
        }
        match self {
            Self::Text(bytes) | Self::Error(bytes) | Self::Inline(bytes) => text.push_str(&escape(bytes, room)),
            Self::Null => text.push_str("null"),
            Self::List(values) | Self::Push(values) => {
                text.push('[');
                for (at, value) in values.iter().enumerate() {
                    if text.len() >= TEXT_MAX {
                        break;
                    }
                    if at > 0 {
                        text.push_str(", ");
                    }
                    value.push(text);
                }
                text.push(']');
            }
        }
    }
}

/// Reads one direction.
#[derive(Default)]
pub(super) struct Values {
    lines: Lines,
    bulk: Option<Bulk>,
    /// Lists that are not complete, outermost first.
    open: Vec<Open>,
    kept: usize,
}

struct Bulk {
    left: u64,
    kept: Vec<u8>,
    error: bool,
}

struct Open {
    owed: u64,
    values: Vec<Value>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Push,
    /// Facts about the value that follows: not part of it.
    Attribute,
}

/// What a line begins.
enum Begun {
    Value(Value),
    Bulk { length: u64, error: bool },
    List { owed: u64, kind: Kind },
}

impl Values {
    /// The next value that is complete; `None` once `bytes` is used up.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<Value> {
        loop {
            if let Some(bulk) = self.bulk.as_mut().filter(|bulk| bulk.left > 0) {
                let now = usize::try_from(bulk.left).unwrap_or(usize::MAX).min(bytes.len());
                let (part, rest) = bytes.split_at(now);
                bulk.left -= now as u64;
                let room = TEXT_MAX.saturating_sub(bulk.kept.len());
                bulk.kept.extend(part.iter().take(room));
                *bytes = rest;
                if bulk.left > 0 {
                    return None;
                }
            }
            let line = self.lines.next(bytes)?.text;
            let value = match self.bulk.take() {
                Some(bulk) if bulk.error => Value::Error(bulk.kept),
                Some(bulk) => Value::Text(bulk.kept),
                None => match begin(&line, !self.open.is_empty()) {
                    Begun::Value(value) => value,
                    Begun::Bulk { length, error } => {
                        self.bulk = Some(Bulk { left: length, kept: Vec::new(), error });
                        continue;
                    }
                    Begun::List { owed, kind } if owed > 0 && self.open.len() < DEPTH_MAX => {
                        self.open.push(Open { owed, values: Vec::new(), kind });
                        continue;
                    }
                    Begun::List { kind, .. } => closed(kind, Vec::new()),
                },
            };
            if let Some(whole) = self.complete(value) {
                return Some(whole);
            }
        }
    }

    /// One element is there: what does that complete?
    fn complete(&mut self, mut value: Value) -> Option<Value> {
        while let Some(list) = self.open.last_mut() {
            list.owed = list.owed.saturating_sub(1);
            if self.kept < ELEMENTS_MAX {
                self.kept += 1;
                list.values.push(value);
            }
            if list.owed > 0 {
                return None;
            }
            let Open { values, kind, .. } = self.open.pop()?;
            if kind == Kind::Attribute {
                return None;
            }
            value = closed(kind, values);
        }
        self.kept = 0;
        Some(value)
    }
}

fn closed(kind: Kind, values: Vec<Value>) -> Value {
    if kind == Kind::Push { Value::Push(values) } else { Value::List(values) }
}

/// A type byte with its number, or a line of words.
fn begin(line: &[u8], nested: bool) -> Begun {
    let Some((kind, rest)) = line.split_first() else { return Begun::Value(Value::Inline(Vec::new())) };
    let text = || rest.get(..TEXT_MAX).unwrap_or(rest).to_vec();
    let count = std::str::from_utf8(rest).ok().and_then(|number| number.parse::<i64>().ok());
    let list = |owed: i64, kind| Begun::List { owed: owed.unsigned_abs(), kind };
    match (kind, count) {
        (b'$' | b'=', Some(length @ 0..)) => Begun::Bulk { length: length.unsigned_abs(), error: false },
        (b'!', Some(length @ 0..)) => Begun::Bulk { length: length.unsigned_abs(), error: true },
        (b'*' | b'~', Some(count @ 0..)) => list(count, Kind::List),
        (b'>', Some(count @ 0..)) => list(count, Kind::Push),
        (b'%', Some(pairs @ 0..)) => list(pairs.saturating_mul(2), Kind::List),
        (b'|', Some(pairs @ 1..)) => list(pairs.saturating_mul(2), Kind::Attribute),
        (b'$' | b'*' | b'_', _) => Begun::Value(Value::Null),
        (b'-', _) => Begun::Value(Value::Error(text())),
        (b'+' | b':' | b',' | b'(', _) => Begun::Value(Value::Text(text())),
        (b'#', _) => Begun::Value(Value::Text(if rest == b"t" { b"T".to_vec() } else { b"F".to_vec() })),
        _ if nested => Begun::Value(Value::Text(line.get(..TEXT_MAX).unwrap_or(line).to_vec())),
        _ => Begun::Value(Value::Inline(line.to_vec())),
    }
}
