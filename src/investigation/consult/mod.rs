//! What a language model is asked for, and what is made of its answers.
//!
//! The model proposes: hypotheses, queries, what a text says, objections, prose. Nothing of it is believed: queries
//! pass the guards, claims are held against the analysis, quotations have to be in the text quoted, and prose is
//! written with slots that code fills. The verdict and its causes are computed whether a model is there or not.

pub mod answers;
mod asking;
mod digest;
mod equivalent;
pub mod ground;
pub mod opinion;
mod proposal;
mod skeleton;
mod slots;
mod vocabulary;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    action::{Body, Failure},
    case::Case,
    machine::Phase,
};
pub(super) use asking::{Asking, Heard, REPAIRS};
pub(super) use digest::{CHARS_A_TOKEN, digest, found_since};
pub(super) use equivalent::key;
pub(super) use proposal::{Proposed, propose, result_of};
pub use skeleton::skeleton;
pub(super) use slots::Slots;

/// What a model is asked to be. Each role has a template in `prompts/` and a typed answer in [`answers`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The user's words to a window, a service, a question; only where our own parser cannot read them.
    Intake,
    /// From the survey to hypotheses, each with what would refute it and the next query.
    Hypothesise,
    /// What an error body says.
    Read,
    /// The next query, or that there is nothing more to ask.
    Narrow,
    /// What speaks against the leading suspect.
    Weigh,
    /// The prose of the report, with slots.
    Write,
}

impl Role {
    pub const ALL: [Self; 6] = [
        Self::Intake,
        Self::Hypothesise,
        Self::Read,
        Self::Narrow,
        Self::Weigh,
        Self::Write,
    ];

    /// The serialised name, which is also the template's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Hypothesise => "hypothesise",
            Self::Read => "read",
            Self::Narrow => "narrow",
            Self::Weigh => "weigh",
            Self::Write => "write",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing to ask a model: facts for a template, not a text. The text is made where it is sent, and recorded there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consultation {
    pub role: Role,
    /// What is the same in every question of the case so far; it begins a prompt, so that servers can cache it.
    pub facts: Value,
    /// What this question is about, beyond the facts.
    pub task: Value,
    /// Answers to this question that were not accepted, with why, in words the model can use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    /// Marks where text from the cluster begins and ends: another word in every case.
    pub fence: String,
    /// A word that a model has no reason to write: an answer that holds it has followed something it was only to read.
    pub canary: String,
}

/// An answer that was not accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// What was answered, cut.
    pub answer: String,
    pub why: String,
}

/// What came of a consultation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The model as the endpoint names it.
    pub model: String,
    /// The messages as they were sent: a list of `{role, content}`.
    pub prompt: Body,
    /// The answer: JSON, or a string where it is not JSON.
    pub answer: Result<Body, Failure>,
    pub usage: Usage,
    /// Wall time with all attempts and pauses, ms.
    pub took_ms: u64,
}

/// What an answer cost, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests that were sent, retries and fall-backs included.
    pub requests: u32,
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Of `tokens_in`, those the server had cached.
    pub cached: u64,
    /// The endpoint told no usage; a quarter of the characters was taken.
    pub estimated: bool,
}

/// What one role has used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Consultations, failed ones included.
    pub calls: u32,
    pub failed: u32,
    /// Answers that were not accepted.
    pub rejected: u32,
    pub requests: u32,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub estimated: bool,
}

/// Failures in a row after which the model counts as away.
pub const BREAKER: u32 = 2;

/// What a case knows of its model.
#[derive(Clone, Debug, Default)]
pub struct Consulted {
    pub spent: std::collections::BTreeMap<Role, Spent>,
    /// Failures since the last answer.
    pub failing: u32,
    /// What it failed with last.
    pub failure: Option<String>,
    /// Money spent, in the currency of the prices that were configured.
    pub money: f64,
}

impl Consulted {
    /// Why the model is not asked any more, where it is not.
    pub fn away(&self) -> Option<String> {
        (self.failing >= BREAKER).then(|| self.failure.clone().unwrap_or_default())
    }

    pub fn total(&self) -> Spent {
        self.spent.values().fold(Spent::default(), |sum, role| Spent {
            calls: sum.calls.saturating_add(role.calls),
            failed: sum.failed.saturating_add(role.failed),
            rejected: sum.rejected.saturating_add(role.rejected),
            requests: sum.requests.saturating_add(role.requests),
            tokens_in: sum.tokens_in.saturating_add(role.tokens_in),
            tokens_out: sum.tokens_out.saturating_add(role.tokens_out),
            estimated: sum.estimated || role.estimated,
        })
    }

    /// Takes note of what a consultation cost. A failed one counts.
    #[expect(clippy::cast_precision_loss, reason = "tokens of a case stay far below 2^52")]
    pub(super) fn charge(&mut self, role: Role, reply: &Reply, prices: Option<(f64, f64)>) {
        let spent = self.spent.entry(role).or_default();
        spent.calls = spent.calls.saturating_add(1);
        spent.requests = spent.requests.saturating_add(reply.usage.requests);
        spent.tokens_in = spent.tokens_in.saturating_add(reply.usage.tokens_in);
        spent.tokens_out = spent.tokens_out.saturating_add(reply.usage.tokens_out);
        spent.estimated |= reply.usage.estimated;
        if let Some((input, output)) = prices {
            self.money +=
                (reply.usage.tokens_in as f64 * input + reply.usage.tokens_out as f64 * output) / 1e6;
        }
        match &reply.answer {
            Ok(_) => self.failing = 0,
            Err(failure) => self.failed(role, &failure.message),
        }
    }

    /// Takes note that no answer came.
    pub(super) fn failed(&mut self, role: Role, message: &str) {
        let spent = self.spent.entry(role).or_default();
        spent.failed = spent.failed.saturating_add(1);
        self.failing = self.failing.saturating_add(1);
        self.failure = Some(message.to_owned());
    }
}

impl Consultation {
    pub(super) fn new(case: &Case, role: Role, facts: Value, task: Value) -> Self {
        Self {
            role,
            facts,
            task,
            rejected: Vec::new(),
            fence: word(case, "fence"),
            canary: format!("rca-{}", word(case, "canary")),
        }
    }
}

/// A word that nobody who fills the cluster with text can know beforehand.
fn word(case: &Case, what: &str) -> String {
    Sha256::digest(format!("{what} {}", case.id).as_bytes())
        .iter()
        .take(4)
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Whether there is a model that is to be asked in this phase: it is not away, and the playbook wants the phase.
pub(super) fn present(case: &Case, phase: Phase) -> bool {
    case.settings.model.is_some() && case.consulted.away().is_none() && case.settings.playbook.has(phase)
}
