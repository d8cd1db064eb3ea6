//! What an investigation concludes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::EvidenceId;
pub use crate::analysis::{Factor, Layer, Party};
use crate::time::Utc;

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    RootCause,
    NoAnomaly,
    Inconclusive,
    NoData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// What kind of fault a cause is; the words of the report's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    AppError,
    Slow,
    Saturation,
    Refused,
    Reset,
    Blackholed,
    PacketLoss,
    Dns,
    Auth,
    RateLimit,
    BadRequest,
    RetryStorm,
    TrafficSurge,
    MissingTraffic,
    Misroute,
    BadReplica,
    NodeFault,
    Config,
    Unknown,
}

/// The end of an investigation. Texts hold no times: those are rendered by the report.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub verdict: Verdict,
    pub confidence: Confidence,
    /// The same as a number, 0 to 1: how often a finding like this one is right.
    pub probability: f64,
    /// Parties that may be behind it, the strongest first, with what speaks for each; the causes are among them.
    pub suspects: Vec<Named>,
    /// Why the confidence is not higher, or why the verdict is what it is.
    pub because: Vec<String>,
    pub causes: Vec<Cause>,
    /// What is to be said of the workload the user named.
    pub about: Option<String>,
    /// From the edge where people noticed to the cause.
    pub path: Vec<Hop>,
    pub impact: Vec<Impact>,
    pub ruled_out: Vec<RuledOut>,
    pub next: Vec<String>,
}

impl Finding {
    /// A finding that names nobody.
    pub fn bare(verdict: Verdict, confidence: Confidence, because: Vec<String>) -> Self {
        let probability = match confidence {
            Confidence::High => 0.9,
            Confidence::Medium => 0.7,
            Confidence::Low => 0.4,
        };
        Self {
            verdict,
            confidence,
            probability,
            suspects: Vec::new(),
            because,
            causes: Vec::new(),
            about: None,
            path: Vec::new(),
            impact: Vec::new(),
            ruled_out: Vec::new(),
            next: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub party: Party,
    /// The pod or node, where the fault is local to one.
    pub workload: Option<String>,
    pub kind: CauseKind,
    /// "POST /charge".
    pub endpoint: Option<String>,
    /// First abnormal call, or `None` where it began before the data.
    pub onset: Option<Utc>,
    /// The last abnormal call, where good ones followed: the fault was over inside the window.
    pub ended: Option<Utc>,
    pub explanation: String,
    /// What its abnormal calls have in common that good ones have not, the strongest first.
    pub factors: Vec<Factor>,
    pub evidence: Vec<EvidenceId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    pub from: Party,
    pub to: Party,
    pub layer: Layer,
    pub first_abnormal: Utc,
    /// When that call ended.
    pub ended: Utc,
    pub what: String,
    pub evidence: Vec<EvidenceId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Impact {
    pub party: Party,
    pub what: String,
    pub evidence: Vec<EvidenceId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RuledOut {
    pub party: Party,
    pub reason: String,
    pub evidence: Vec<EvidenceId>,
}

/// A party in a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub party: Party,
    pub workload: Option<String>,
    pub kind: CauseKind,
    /// 0 to 1, of the first one 1.
    pub score: f64,
    /// "explains 612 of 640 failing calls".
    pub why: String,
}

/// Why a run ended without a finding: something about the environment has to be mended first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What could not be done.
    pub what: String,
    /// Because of what.
    pub because: Vec<String>,
    /// What to do about it.
    pub hints: Vec<String>,
}
