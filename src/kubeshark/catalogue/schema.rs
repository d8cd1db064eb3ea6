//! One tool with its input schema.

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::CatalogueError;
use crate::time::Utc;

/// A tool as `tools/list` describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSchema {
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// A JSON Schema of the arguments' object.
    #[serde(default)]
    pub input_schema: Value,
}

/// A schema larger than this is not compiled, bytes of JSON.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;

/// How much of a validator's message is shown, characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// A tool ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) schema: ToolSchema,
    /// What is odd about the schema; arguments are then not checked.
    pub(super) note: Option<String>,
    validator: Option<Arc<Validator>>,
}

impl Tool {
    pub(super) fn new(schema: ToolSchema) -> Self {
        let (validator, note) = match compile(&schema.input_schema) {
            Ok(validator) => (validator.map(Arc::new), None),
            Err(why) => {
                let note = format!(
                    "the input schema of `{}` is not usable ({why}): nothing is checked",
                    schema.name
                );
                (None, Some(note))
            }
        };
        Self {
            schema,
            note,
            validator,
        }
    }

    /// The schema of the first of `names` that is a parameter; null where the server does not say
    /// which parameters there are, and the usual name is taken.
    pub(super) fn parameter(&self, names: &[&'static str]) -> Option<Parameter<'_>> {
        match self.properties() {
            None => names.first().map(|name| Parameter {
                name,
                schema: &Value::Null,
            }),
            Some(_) => self.declared(names),
        }
    }

    /// The first of `names` that the schema declares.
    pub(super) fn declared(&self, names: &[&'static str]) -> Option<Parameter<'_>> {
        let properties = self.properties()?;
        names
            .iter()
            .find_map(|name| properties.get(*name).map(|schema| Parameter { name, schema }))
    }

    /// Whether a parameter must be sent.
    pub(super) fn requires(&self, name: &str) -> bool {
        let required = self.schema.input_schema.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|n| n == name))
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.schema
            .input_schema
            .get("properties")
            .and_then(Value::as_object)
    }

    /// Checks arguments against the schema, naming the first that does not fit.
    pub(super) fn check(&self, arguments: &Map<String, Value>) -> Result<(), CatalogueError> {
        let Some(validator) = &self.validator else {
            return Ok(());
        };
        let instance = Value::Object(arguments.clone());
        let Err(error) = validator.validate(&instance) else {
            return Ok(());
        };
        let path = error.instance_path().to_string();
        let argument = path.trim_start_matches('/');
        Err(CatalogueError::Invalid {
            tool: self.schema.name.clone(),
            argument: if argument.is_empty() {
                "arguments".to_owned()
            } else {
                argument.to_owned()
            },
            wanted: error.to_string().chars().take(MAX_MESSAGE_CHARS).collect(),
        })
    }
}

/// Compiles a schema; `None` for one that says nothing.
fn compile(schema: &Value) -> Result<Option<Validator>, String> {
    if schema.is_null() {
        return Ok(None);
    }
    let size = schema.to_string().len();
    if size > MAX_SCHEMA_BYTES {
        return Err(format!("{size} bytes, at most {MAX_SCHEMA_BYTES} are read"));
    }
    jsonschema::options()
        .with_pattern_options(PatternOptions::regex())
        .build(schema)
        .map(Some)
        .map_err(|e| e.to_string().chars().take(MAX_MESSAGE_CHARS).collect())
}

/// One parameter of a tool.
#[derive(Clone, Copy)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'static str,
    /// Null where it is not declared.
    schema: &'a Value,
}

impl Parameter<'_> {
    /// `value` in the type that the schema wants, where it can be said in it.
    pub(super) fn fit(self, value: Value) -> Value {
        if self.takes(type_of(&value)) {
            return value;
        }
        match value {
            Value::Array(items) if self.takes("string") => {
                let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                Value::from(items.join(","))
            }
            Value::Number(n) if self.takes("string") => Value::from(n.to_string()),
            Value::Bool(b) if self.takes("string") => Value::from(b.to_string()),
            Value::String(s) if self.takes("integer") => {
                s.parse::<i64>().map_or_else(|_| Value::from(s), Value::from)
            }
            other if self.takes("array") => Value::Array(vec![other]),
            other => other,
        }
    }

    /// A time in the form that the schema wants: Unix milliseconds unless it says otherwise.
    pub(super) fn time(self, at: Utc, round_up: bool) -> Value {
        let says = |word: &str| self.text("description").to_lowercase().contains(word);
        let is_text = !self.takes("integer") && self.takes("string");
        if is_text
            && (self.text("format") == "date-time" || says("rfc3339") || says("rfc 3339") || says("iso"))
        {
            return Value::from(at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
        }
        let micros = at.timestamp_micros();
        let unit = if says("seconds") && !says("milli") && !says("(ms") {
            1_000_000
        } else {
            1_000
        };
        let cut = micros.div_euclid(unit);
        let rest = i64::from(round_up && micros.rem_euclid(unit) != 0);
        self.fit(Value::from(cut.saturating_add(rest)))
    }

    /// The first of `wanted` that the schema's list of values has; without a list the first.
    pub(super) fn choice(self, wanted: &[&'static str]) -> Option<&'static str> {
        match self.schema.get("enum").and_then(Value::as_array) {
            None => wanted.first().copied(),
            Some(values) => wanted.iter().copied().find(|w| values.iter().any(|v| v == w)),
        }
    }

    /// `n`, but not more than the schema's maximum.
    pub(super) fn at_most(self, n: u32) -> Value {
        let maximum = self
            .schema
            .get("maximum")
            .and_then(Value::as_u64)
            .filter(|max| *max > 0);
        let n = u64::from(n);
        self.fit(Value::from(maximum.map_or(n, |max| n.min(max))))
    }

    fn text(&self, key: &str) -> &str {
        self.schema.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the schema takes values of this JSON type; without a type it takes all.
    fn takes(self, kind: &str) -> bool {
        let branches = ["anyOf", "oneOf"]
            .iter()
            .filter_map(|k| self.schema.get(k)?.as_array())
            .flatten();
        let mut types = std::iter::once(self.schema)
            .chain(branches)
            .filter_map(|s| s.get("type"))
            .peekable();
        let fits = |declared: &Value| declared == kind || (kind == "integer" && declared == "number");
        types.peek().is_none()
            || types.any(|declared| {
                declared
                    .as_array()
                    .map_or_else(|| fits(declared), |many| many.iter().any(fits))
            })
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
