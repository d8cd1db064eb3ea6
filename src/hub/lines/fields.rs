//! Values of KFL fields and TCP metrics that a line gives, checked against the field table and the contract.

use serde_json::{Map, Value, json};

use super::parse::{Refusal, quoted};
use crate::kfl::field::lookup;
use crate::kfl::record;
use crate::kfl::{FieldId, Type};

/// Members of a list or a map beyond this many are dropped.
const MAX_MEMBERS: usize = 256;

/// The value of a KFL field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    Bool(bool),
    Int(i64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

impl FieldValue {
    /// As a filter looks at it.
    pub fn as_record(&self) -> record::Value<'_> {
        match self {
            Self::Bool(yes) => record::Value::Bool(*yes),
            Self::Int(number) => record::Value::Int(*number),
            Self::Text(text) => record::Value::Str(text),
            Self::Bytes(bytes) => record::Value::Bytes(bytes),
            Self::List(list) => record::Value::List(list),
            Self::Map(map) => record::Value::Map(map),
        }
    }

    /// As an answer shows it.
    pub fn as_json(&self) -> Value {
        match self {
            Self::Bool(yes) => json!(yes),
            Self::Int(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Bytes(bytes) => json!(String::from_utf8_lossy(bytes)),
            Self::List(list) => json!(list),
            Self::Map(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), json!(value)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// The object `fields` of a line. Nulls are "not known".
pub(super) fn fields(given: Map<String, Value>) -> Result<Vec<(FieldId, FieldValue)>, Refusal> {
    let mut all = Vec::with_capacity(given.len());
    for (name, value) in given {
        if value.is_null() {
            continue;
        }
        let Some(field) = lookup(&name) else {
            return Err(Refusal::new(
                "unknown field",
                format!("KFL has no field {}", quoted(&name)),
            ));
        };
        match read(field.kind(), value) {
            Some(value) => all.push((field, value)),
            None if field == FieldId::TIMESTAMP => {
                return Err(Refusal::new(
                    "wrong type",
                    "the time of a call is its `ts_us`".to_owned(),
                ));
            }
            None => {
                return Err(Refusal::new(
                    "wrong type",
                    format!("the field `{name}` is of type {}", field.kind()),
                ));
            }
        }
    }
    Ok(all)
}

fn read(kind: Type, value: Value) -> Option<FieldValue> {
    Some(match (kind, value) {
        (Type::Bool, Value::Bool(yes)) => FieldValue::Bool(yes),
        (Type::Int, Value::Number(number)) => FieldValue::Int(number.as_i64()?),
        (Type::String, Value::String(text)) => FieldValue::Text(text.into()),
        (Type::Bytes, Value::String(text)) => FieldValue::Bytes(text.into_bytes().into()),
        (Type::List, Value::Array(items)) => FieldValue::List(
            items
                .into_iter()
                .take(MAX_MEMBERS)
                .map(text)
                .collect::<Option<_>>()?,
        ),
        (Type::Map, Value::Object(members)) => {
            let members = members.into_iter().take(MAX_MEMBERS);
            FieldValue::Map(
                members
                    .map(|(key, value)| Some((key, text(value)?)))
                    .collect::<Option<_>>()?,
            )
        }
        _ => return None,
    })
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Metrics of a connection, by the contract's names; the last two are this hub's own.
const METRICS: &[&str] = &[
    "retransmissions",
    "fast_retransmissions",
    "retransmission_rate",
    "zero_window_events",
    "window_full_events",
    "window_scale",
    "avg_receive_window",
    "out_of_order",
    "dup_acks",
    "missing_segments",
    "rst_count",
    "fin_count",
    "keepalive_count",
    "connection_completeness",
    "initial_rtt_us",
    "handshake_time_us",
    "connection_time_us",
    "time_to_first_byte_us",
    "rtt_min_us",
    "rtt_max_us",
    "rtt_avg_us",
    "rtt_samples",
    "jitter_us",
    "goodput_bytes",
    "syn_count",
    "reset_by_server",
];

/// Metrics that are no counts.
const FRACTIONS: &[&str] = &["retransmission_rate", "avg_receive_window"];

/// The object `tcp_metrics` of a line. Nulls are "not measured".
pub(super) fn tcp_metrics(mut given: Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    given.retain(|_, value| !value.is_null());
    for (name, value) in &given {
        if !METRICS.contains(&name.as_str()) {
            let detail = format!("there is no TCP metric {}", quoted(name));
            return Err(Refusal::new("unknown field", detail));
        }
        let (sound, wanted) = match name.as_str() {
            "reset_by_server" => (value.is_boolean(), "true or false"),
            fraction if FRACTIONS.contains(&fraction) => (
                value.as_f64().is_some_and(|number| number >= 0.0),
                "a number from 0",
            ),
            _ => (
                value.as_i64().is_some_and(|number| number >= 0),
                "a whole number from 0",
            ),
        };
        if !sound {
            return Err(Refusal::new(
                "wrong type",
                format!("the TCP metric `{name}` is {wanted}"),
            ));
        }
    }
    Ok(given)
}
