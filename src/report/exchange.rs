//! What was sent to a language model and what it answered, as a person reads it.

use serde_json::Value;

use super::document::plain;
use crate::investigation::{Reply, Role};

/// One exchange: every message as it was sent, then the answer.
pub fn exchange(role: Role, reply: &Reply) -> String {
    let messages = reply.prompt.value.as_array().cloned().unwrap_or_default();
    let text =
        |message: &Value, name: &str| lines(message.get(name).and_then(Value::as_str).unwrap_or_default());
    let mut parts: Vec<String> = messages
        .iter()
        .map(|message| {
            format!(
                "--- {role}: {}\n{}",
                text(message, "role"),
                text(message, "content")
            )
        })
        .collect();
    let answer = match &reply.answer {
        Ok(body) => match &body.value {
            Value::String(text) => lines(text),
            other => lines(&serde_json::to_string_pretty(other).unwrap_or_default()),
        },
        Err(failure) => format!("no answer: {}", plain(&failure.message)),
    };
    parts.push(format!("--- {role}: answer\n{answer}"));
    parts.join("\n")
}

/// The text without what could move a cursor, its lines kept.
fn lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}
