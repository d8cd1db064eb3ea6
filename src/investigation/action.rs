//! What the machine can ask for, and what can come back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consult::{Consultation, Reply};
use crate::wire::Operation;

/// What the driver must do next.
///
/// Deliberately exhaustive: a new kind of effect must be handled everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Open the connection to Kubeshark and list its tools.
    Connect,
    /// Perform these calls, in any order and several at once; answer with one result for each.
    Query {
        /// What the calls are to find out, for progress and transcript.
        why: String,
        calls: Vec<Operation>,
    },
    /// Let `after_ms` pass, then perform one call.
    Wait {
        why: String,
        after_ms: u64,
        then: Operation,
    },
    /// Put a question to the user. `default` is the index that is taken where nobody can be asked.
    AskUser {
        question: String,
        choices: Vec<String>,
        default: usize,
    },
    /// Ask the language model.
    Consult { consultation: Box<Consultation> },
}

impl Action {
    /// The calls this would make.
    pub fn calls(&self) -> &[Operation] {
        match self {
            Self::Connect | Self::AskUser { .. } | Self::Consult { .. } => &[],
            Self::Query { calls, .. } => calls,
            Self::Wait { then, .. } => std::slice::from_ref(then),
        }
    }
}

/// What an effect produced. A failed call is an observation, not an `Err`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "observation", rename_all = "snake_case")]
pub enum Observation {
    /// The connection stands.
    Connected {
        /// Name and version as the server gives them.
        server: String,
        /// MCP protocol version agreed on.
        protocol: String,
        /// Names of the server's tools, sorted.
        tools: Vec<String>,
        /// Hash under which the tools' schemas are kept among the journal's bodies.
        schemas: Body,
        /// Operations of ours that this server has tools for, by their serialised name.
        supported: Vec<String>,
        took_ms: u64,
    },
    Answers {
        answers: Vec<Answer>,
    },
    /// Index of the choice the user made.
    Chosen {
        choice: usize,
    },
    /// What the language model answered.
    Replied {
        reply: Box<Reply>,
    },
    /// The effect could not be performed at all.
    Unavailable {
        failure: Failure,
    },
}

/// What one call came back with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The tool as the server names it.
    pub tool: String,
    /// The arguments as they were sent.
    pub arguments: Value,
    /// Wall time of the call, ms.
    pub took_ms: u64,
    /// Size of the answer as received, bytes.
    pub bytes: u64,
    pub result: Result<Body, Failure>,
}

impl Answer {
    /// The answer's JSON (prose is a JSON string), or why there is none.
    pub fn value(&self) -> Result<&Value, &Failure> {
        self.result.as_ref().map(|body| &body.value)
    }
}

/// The text of an answer after redaction, and the hash by which it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// SHA-256 of the compact JSON of `value`, lower-case hex.
    pub sha256: String,
    /// The content. In a journal line it is left out where it is large; it then lies in a file of that hash.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub kind: FailureKind,
    /// Which tool, and what it said.
    pub message: String,
    /// What to do about it, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
}

/// What sort of failure it was, as far as steps treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection, or it was lost for good.
    Unreachable,
    /// 401, or a redirect to a sign-on page.
    Unauthorized,
    /// 403: the role does not allow it.
    Forbidden,
    /// The server does not know the thing asked about.
    NotFound,
    /// Another one is in progress, or the name is taken.
    Conflict,
    /// Packets are not being recorded.
    RawCaptureOff,
    Timeout,
    /// The answer was larger than is read.
    TooLarge,
    /// The answer could not be understood.
    Malformed,
    /// The server has no tool for it, or its schema does not let it be asked.
    Unsupported,
    /// Anything else the tool said.
    Tool,
}
