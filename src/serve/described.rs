//! What is sent and answered, declared once: a struct, and its schema with the words of its documentation.
//!
//! The crates that derive schemas turn on features of serde that rebuild half of the tree; the few types here need little of them.

use serde_json::{Value, json};

/// Knows its schema, as OpenAPI writes it.
pub trait Described {
    /// Has to be there; only what may be left out has not.
    const REQUIRED: bool = true;
    /// The schema.
    fn schema() -> Value;
}

macro_rules! plain {
    ($($type:ty => $schema:tt),* $(,)?) => {$(
        impl Described for $type {
            fn schema() -> Value {
                json!($schema)
            }
        }
    )*};
}

plain! {
    bool => { "type": "boolean" },
    f64 => { "type": "number" },
    u64 => { "type": "integer", "minimum": 0 },
    usize => { "type": "integer", "minimum": 0 },
    i64 => { "type": "integer" },
    String => { "type": "string" },
    &'static str => { "type": "string" },
    crate::model::Severity => { "type": "string", "enum": ["info", "low", "medium", "high", "critical"] },
    Value => {},
}

impl<T: Described> Described for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Described> Described for Option<T> {
    const REQUIRED: bool = false;

    fn schema() -> Value {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}

/// One property with what it means.
pub fn property(mut schema: Value, says: &str) -> Value {
    schema["description"] = says.trim().into();
    schema
}

/// Declares a struct and its schema. Each field has one line of documentation.
macro_rules! message {
    (
        $(#[$about:meta])*
        $seen:vis struct $name:ident {
            $( #[doc = $says:literal] $field_seen:vis $field:ident: $type:ty, )*
        }
    ) => {
        $(#[$about])*
        $seen struct $name {
            $( #[doc = $says] $field_seen $field: $type, )*
        }

        impl $crate::serve::described::Described for $name {
            fn schema() -> serde_json::Value {
                #[allow(unused_imports)] // A message may have no fields.
                use $crate::serve::described::{Described, property};
                let fields: Vec<(&str, bool, serde_json::Value)> =
                    vec![$( (stringify!($field), <$type as Described>::REQUIRED, property(<$type as Described>::schema(), $says)) ),*];
                let required: Vec<&str> = fields.iter().filter(|(_, required, _)| *required).map(|(name, ..)| *name).collect();
                let mut schema = serde_json::json!({ "type": "object", "required": required });
                schema["properties"] = fields.into_iter().map(|(name, _, schema)| (name.to_string(), schema)).collect::<serde_json::Map<_, _>>().into();
                schema
            }
        }
    };
}
pub(crate) use message;

#[cfg(test)]
mod tests {
    use super::*;

    message! {
        /// A thing.
        #[allow(dead_code)]
        struct Thing {
            /// What it is called.
            name: String,
            /// How many, if known.
            count: Option<u64>,
            /// Its parts.
            parts: Vec<String>,
        }
    }

    #[test]
    fn a_schema_follows_from_the_struct() {
        let wanted = json!({
            "type": "object",
            "required": ["name", "parts"],
            "properties": {
                "name": { "type": "string", "description": "What it is called." },
                "count": { "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "null" }], "description": "How many, if known." },
                "parts": { "type": "array", "items": { "type": "string" }, "description": "Its parts." },
            }
        });
        assert_eq!(Thing::schema(), wanted);
    }
}
