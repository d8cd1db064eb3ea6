//! Evidence: a recorded result, the query that produced it, and the facts taken from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::action::Answer;

/// Identifies one piece of evidence: `E7`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EvidenceId(pub String);

impl std::fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One recorded result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub id: EvidenceId,
    pub tool: String,
    pub arguments: Value,
    /// SHA-256 of the recorded result, lower-case hex.
    pub result_sha256: String,
    /// Facts computed from the result. Every number a report states is one of these.
    pub facts: Map<String, Value>,
    /// How the result begins, as indented JSON; see [`excerpt`].
    pub excerpt: String,
}

/// All evidence of a case, numbered in the order in which it was filed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EvidenceFile(Vec<Evidence>);

impl EvidenceFile {
    /// Files a result with what was read from it. A failed answer has no result and files nothing.
    pub fn file(&mut self, answer: &Answer, facts: Value) -> Option<EvidenceId> {
        let body = answer.result.as_ref().ok()?;
        let id = EvidenceId(format!("E{}", self.0.len() + 1));
        let facts = match facts {
            Value::Object(map) => map,
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        self.0.push(Evidence {
            id: id.clone(),
            tool: answer.tool.clone(),
            arguments: answer.arguments.clone(),
            result_sha256: body.sha256.clone(),
            facts,
            excerpt: excerpt(&body.value),
        });
        Some(id)
    }

    pub fn get(&self, id: &EvidenceId) -> Option<&Evidence> {
        self.0.iter().find(|e| &e.id == id)
    }

    pub fn all(&self) -> &[Evidence] {
        &self.0
    }
}

/// Lines and characters of an excerpt, and characters of one text in it.
const LINES: usize = 24;
const CHARACTERS: usize = 900;
const TEXT: usize = 160;

/// The beginning of a result for somebody who checks a claim: of a list the first entry and how many follow, of a
/// long text its beginning. Secrets were taken out of results before anything saw them.
pub fn excerpt(result: &Value) -> String {
    let shown = match result {
        // Prose is not quoted.
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(&shortened(other, 0)).unwrap_or_default(),
    };
    let mut lines: Vec<&str> = shown.lines().collect();
    let cut = lines.len() > LINES;
    lines.truncate(LINES);
    let text = lines.join("\n");
    let mut kept: String = text.chars().take(CHARACTERS).collect();
    if cut || kept.len() < text.len() {
        kept.push_str("\n…");
    }
    kept
}

fn shortened(value: &Value, depth: usize) -> Value {
    const DEPTH: usize = 6;
    match value {
        Value::Object(_) | Value::Array(_) if depth >= DEPTH => Value::String("…".to_owned()),
        Value::Object(map) => map
            .iter()
            .take(LINES)
            .map(|(name, value)| (name.clone(), shortened(value, depth + 1)))
            .collect(),
        Value::Array(list) => {
            let mut kept: Vec<Value> = list
                .iter()
                .take(1)
                .map(|value| shortened(value, depth + 1))
                .collect();
            if list.len() > 1 {
                kept.push(Value::String(format!("… and {} more", list.len() - 1)));
            }
            Value::Array(kept)
        }
        Value::String(text) if text.chars().nth(TEXT).is_some() => {
            Value::String(text.chars().take(TEXT).chain(['…']).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_excerpt_shows_the_first_of_a_list_and_how_many_follow() {
        let result =
            json!({"calls": [{"id": "a", "path": "/x".repeat(200)}, {"id": "b"}, {"id": "c"}], "total": 3});
        let text = excerpt(&result);
        assert!(
            text.contains("\"id\": \"a\"") && !text.contains("\"b\""),
            "{text}"
        );
        assert!(
            text.contains("… and 2 more") && text.contains("\"total\": 3"),
            "{text}"
        );
        assert_eq!(excerpt(&json!("prose \"as it is\"")), "prose \"as it is\"");
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short(text in "\\PC{0,3000}", count in 0_usize..50) {
            let result = json!({"list": vec![json!({"text": text, "deep": {"er": [text, text]}}); count], "text": text});
            let shown = excerpt(&result);
            prop_assert!(shown.chars().count() <= CHARACTERS + 2);
            prop_assert!(shown.lines().count() <= LINES + 1);
        }
    }
}
