//! MISP's JSON (misp-standard.org, core format): attributes of events, alone and within objects.

use super::super::kind::{Kind, Unused};
use super::{About, IntelProvider, List, Raw, when};
use serde_json::Value;

/// Events as exported, alone, in a `response`, or in a list.
pub struct Misp;

impl IntelProvider for Misp {
    fn name(&self) -> &'static str {
        "misp"
    }

    fn recognises(&self, raw: &Raw) -> bool {
        raw.json.as_ref().is_some_and(|json| !events(json).is_empty() || json.get("Attribute").is_some())
    }

    fn read(&self, raw: &Raw, list: &mut List) {
        let Some(json) = &raw.json else { return };
        for event in events(json) {
            read_event(event, list);
        }
        if events(json).is_empty() {
            read_event(json, list);
        }
    }
}

fn events(json: &Value) -> Vec<&Value> {
    let inside = |json: &'_ Value| json.get("Event").is_some();
    let listed = json.get("response").unwrap_or(json);
    match listed {
        Value::Array(events) => events.iter().filter_map(|event| event.get("Event")).collect(),
        one if inside(one) => one.get("Event").into_iter().collect(),
        _ => Vec::new(),
    }
}

fn read_event(event: &Value, list: &mut List) {
    let title = text(event, "info").unwrap_or_default();
    let dated = moment(event, "publish_timestamp").or_else(|| text(event, "date").and_then(when::read));
    list.dated = list.dated.max(dated);
    let array = |json: &'_ Value, name: &str| json.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for attribute in array(event, "Attribute") {
        read_attribute(&attribute, title, dated, list);
    }
    for object in array(event, "Object") {
        let deleted = object.get("deleted").and_then(Value::as_bool) == Some(true);
        for attribute in array(&object, "Attribute").iter().filter(|_| !deleted) {
            read_attribute(attribute, title, dated, list);
        }
    }
}

fn read_attribute(attribute: &Value, title: &str, dated: Option<i64>, list: &mut List) {
    let (kind, value) = (text(attribute, "type").unwrap_or_default(), text(attribute, "value").unwrap_or_default());
    let flag = |name: &str| attribute.get(name).and_then(Value::as_bool);
    if flag("deleted") == Some(true) {
        return list.refuse(Unused::Revoked, value);
    }
    if flag("to_ids") == Some(false) {
        return list.refuse(Unused::NotForMatching, value);
    }
    let comment = text(attribute, "comment").filter(|comment| !comment.is_empty());
    let about = About {
        threat: comment.map_or_else(|| title.to_owned(), |comment| format!("{title}: {comment}")),
        confidence: None,
        // First and last seen are of the thing, not of the entry's validity: an address seen last year may be used again.
        first: None,
        last: None,
        listed: moment(attribute, "timestamp").or(dated),
    };
    // `domain|ip` names two things, `ip-dst|port` one, `filename|md5` the second.
    let mut used = false;
    for (kind, part) in kind.split('|').zip(value.split('|')) {
        if let Some(kind) = Kind::named(kind) {
            used = true;
            list.add(Some(kind), part, about.clone());
        }
    }
    if !used {
        list.refuse(Unused::NoColumn, &format!("{kind} {value}"));
    }
}

fn text<'a>(json: &'a Value, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Value::as_str)
}

/// Seconds since 1970, as text or as a number.
fn moment(json: &Value, name: &str) -> Option<i64> {
    let value = json.get(name)?;
    value.as_str().and_then(when::read).or_else(|| when::read(&value.as_u64()?.to_string()))
}
