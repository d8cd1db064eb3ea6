//! Why an answer could not be read.

use std::fmt;

use serde_json::Value;

/// How many characters of an answer an error shows.
const EXCERPT_CHARS: usize = 160;

/// An answer lacks something that is needed. The tool's name is the caller's to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Which answer: "the snapshot", "the list of calls".
    pub what: &'static str,
    /// The field that is missing or unusable; empty where the answer as a whole is.
    pub field: &'static str,
    /// What was expected there: "Unix milliseconds", "an object".
    pub expected: &'static str,
    /// What came instead: the beginning of it, on one line.
    pub found: String,
}

impl DecodeError {
    /// `field` of `answer` is missing or cannot be read as `expected`.
    pub(super) fn field(
        what: &'static str,
        field: &'static str,
        expected: &'static str,
        answer: &Value,
    ) -> Self {
        Self {
            what,
            field,
            expected,
            found: excerpt(answer),
        }
    }

    /// The answer as a whole is not `expected`.
    pub(super) fn shape(what: &'static str, expected: &'static str, answer: &Value) -> Self {
        Self::field(what, "", expected, answer)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            field,
            expected,
            found,
        } = self;
        if field.is_empty() {
            write!(f, "{what} is not {expected}: found {found}")
        } else {
            write!(f, "{what} has no usable `{field}` ({expected}): found {found}")
        }
    }
}

impl std::error::Error for DecodeError {}

/// The beginning of a value as JSON on one line.
///
/// Strings inside are shortened before the text is made, so that a large answer costs nothing.
fn excerpt(value: &Value) -> String {
    let mut text = String::new();
    write_excerpt(value, &mut text);
    let mut characters = text.chars();
    let mut short: String = characters
        .by_ref()
        .take(EXCERPT_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// Appends `value` as JSON to `text`, stopping soon after the excerpt is full.
fn write_excerpt(value: &Value, text: &mut String) {
    // A character has at most four bytes: beyond this the excerpt is full whatever they are.
    const FULL: usize = EXCERPT_CHARS * 4;
    match value {
        Value::String(s) => {
            let start: String = s.chars().take(EXCERPT_CHARS).collect();
            text.push_str(&Value::String(start).to_string());
        }
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if text.len() > FULL {
                    break;
                }
                if i > 0 {
                    text.push(',');
                }
                write_excerpt(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (i, (name, item)) in fields.iter().enumerate() {
                if text.len() > FULL {
                    break;
                }
                if i > 0 {
                    text.push(',');
                }
                text.push('"');
                text.extend(name.chars().take(EXCERPT_CHARS));
                text.push_str("\":");
                write_excerpt(item, text);
            }
            text.push('}');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}
