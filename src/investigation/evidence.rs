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
