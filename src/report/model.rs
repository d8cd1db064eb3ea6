//! `report.json`, schema `rca-agent/report/1`. Add to it freely; change it only with a note in CHANGELOG.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::picture::{CommonFactor, Graph, NodeCoverage, OverTime, Repeat};
use crate::investigation::{
    Role,
    consult::answers::{About, Claim},
    finding::{CauseKind, Confidence, Verdict},
};

/// The `schema` of a report.
pub const SCHEMA: &str = "rca-agent/report/1";

/// A root cause report. Lists may be empty, never absent. Every time is RFC 3339 in the user's zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always "rca-agent/report/1".
    pub schema: String,
    /// The id of the case.
    pub case: String,
    /// The user's words.
    pub question: String,
    pub created: String,
    pub window: Window,
    pub verdict: Verdict,
    pub confidence: Confidence,
    /// The same as a number, 0 to 1: how often a finding like this one is right.
    pub probability: f64,
    /// Why the confidence is not higher, or why nothing more can be said.
    pub because: Vec<String>,
    /// What is to be said of the workload that was named.
    pub about: Option<String>,
    /// Two sentences in local time.
    pub summary: String,
    /// Ranked; usually one.
    pub root_causes: Vec<RootCause>,
    /// Who may be behind it, the strongest first; the root causes are among them.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// From where people noticed to the cause.
    pub path: Vec<Hop>,
    /// Who called whom.
    #[serde(default)]
    pub graph: Graph,
    /// Null where no call was seen.
    #[serde(default)]
    pub over_time: Option<OverTime>,
    pub impact: Vec<Impact>,
    pub ruled_out: Vec<RuledOut>,
    /// In the order of time.
    pub timeline: Vec<Moment>,
    pub evidence: Vec<Evidence>,
    pub coverage: Coverage,
    /// What a language model contributed; null where none was asked.
    #[serde(default)]
    pub model: Option<Model>,
    /// What guards did not allow.
    pub refusals: Vec<Refusal>,
    pub attachments: Vec<Attachment>,
    /// What to do now, in order.
    pub next: Vec<String>,
    pub cost: Cost,
    /// Commands that show or make this report again.
    #[serde(default)]
    pub repeat: Vec<Repeat>,
    /// Where Kubeshark's dashboard is, as far as settings say.
    #[serde(default)]
    pub dashboard: Option<String>,
}

/// What was investigated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    pub start: String,
    pub end: String,
    /// IANA name.
    pub zone: String,
    /// What was chosen where the user's words left a choice.
    pub assumptions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RootCause {
    /// As Kubernetes names it; an external host by its DNS name; null for a fault of a node.
    pub service: Option<String>,
    pub namespace: Option<String>,
    /// Pod or node where the fault is local to one.
    pub workload: Option<String>,
    pub kind: CauseKind,
    /// "POST /charge".
    pub endpoint: Option<String>,
    /// Null where it began before the data.
    pub onset: Option<String>,
    /// The last abnormal call, where it was over inside the window.
    pub ended: Option<String>,
    pub explanation: String,
    /// The strongest first.
    #[serde(default)]
    pub factors: Vec<CommonFactor>,
    pub evidence: Vec<String>,
}

/// A party in the ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suspect {
    /// Null for a node.
    pub service: Option<String>,
    pub namespace: Option<String>,
    /// Pod or node where the suspicion is local to one.
    pub workload: Option<String>,
    pub kind: CauseKind,
    /// 0 to 1, of the first one 1.
    pub score: f64,
    /// "612 new failing calls lead to it".
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    pub from: String,
    pub to: String,
    pub first_abnormal: String,
    pub what: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    pub service: String,
    pub namespace: Option<String>,
    /// "412 of 9,841 calls failed".
    pub what: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuledOut {
    pub service: String,
    pub namespace: Option<String>,
    pub reason: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    pub at: String,
    /// "18:23:45 IST (16:23:45 UTC)".
    pub local: String,
    pub what: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    pub id: String,
    pub tool: String,
    pub arguments: Value,
    /// Of the recorded result after redaction, lower-case hex; the result lies in the case under this name.
    pub result_sha256: String,
    pub facts: Map<String, Value>,
    /// How the result begins, after redaction; untrusted text.
    #[serde(default)]
    pub excerpt: String,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    pub start: String,
    pub end: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// What the user's words meant.
    pub asked: Stretch,
    /// What the nodes had recorded.
    pub captured: Option<Stretch>,
    /// What the snapshot held and was dissected.
    pub dissected: Option<Stretch>,
    /// Calls and connections that the dissection found, where the server says.
    pub entries: Option<u64>,
    /// How long each node's buffer still held the window when it was looked at, where it was being overwritten.
    pub retention: Vec<String>,
    /// By node, as far as the server tells nodes apart.
    #[serde(default)]
    pub nodes: Vec<NodeCoverage>,
    /// When the first minute of `nodes` begins.
    #[serde(default)]
    pub minutes_from: Option<String>,
    pub not_seen: Vec<String>,
    pub truncated: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    pub guard: String,
    pub why: String,
    pub times: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    pub file: String,
    pub what: String,
    pub sha256: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    pub tool_calls: u32,
    /// Bytes of answers.
    pub bytes_in: u64,
    pub model_calls: u32,
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Spent in tools and in waiting for them.
    pub seconds: f64,
    /// What the model cost, by role; empty without one.
    #[serde(default)]
    pub roles: Vec<RoleCost>,
    /// What the model cost, in the currency of the configured prices; null where they are not known.
    #[serde(default)]
    pub money: Option<f64>,
}

/// What a language model cost in one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoleCost {
    pub role: Role,
    /// Questions, failed ones included.
    pub calls: u32,
    pub failed: u32,
    /// Answers, claims and queries that were not accepted.
    pub rejected: u32,
    /// HTTP requests, retries and fall-backs included.
    pub requests: u32,
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// The endpoint told no usage for part of it; a quarter of the characters was taken.
    pub estimated: bool,
}

/// What a language model contributed. Its words passed the checks that the documentation describes; the verdict, the
/// causes and every number in the report are computed without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// As its endpoint knows it.
    pub name: String,
    /// Why it was not asked to the end, where it failed.
    pub away: Option<String>,
    /// Sentences with every name, number and time filled in by code.
    pub prose: Vec<Sentence>,
    /// Sentences that did not stand, and why.
    pub dropped: Vec<String>,
    /// What error texts mean, with words that are in them.
    pub readings: Vec<Reading>,
    pub hypotheses: Vec<Hypothesis>,
    /// Whom the model holds to be the cause, beside whom the analysis names.
    pub conclusion: Option<Conclusion>,
    pub objections: Vec<Objection>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentence {
    pub about: About,
    pub text: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Letter by letter from the recorded text; untrusted.
    pub quote: String,
    pub meaning: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesis {
    pub service: Option<String>,
    pub namespace: Option<String>,
    pub kind: CauseKind,
    pub because: String,
    pub refuted_by: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    pub service: Option<String>,
    pub namespace: Option<String>,
    pub kind: CauseKind,
    pub why: String,
    pub evidence: Vec<String>,
    /// Whether the analysis names the same.
    pub agrees: bool,
    /// Whether the recorded calls show anything abnormal there.
    pub holds: bool,
    /// Where they disagree: what the recorded calls say of each.
    pub decides: Vec<Said>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    pub what: String,
    pub evidence: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objection {
    pub claim: Claim,
    /// Whom it is about, where it is not the leading suspect.
    pub service: Option<String>,
    pub text: String,
    /// Whether the recorded calls bear it out; null where no code can tell.
    pub holds: Option<bool>,
    pub evidence: Vec<String>,
}

/// The JSON Schema of a report.
pub fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Report)).unwrap_or_default()
}
