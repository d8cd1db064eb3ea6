//! The typed answers of each role. Doc comments are what a model reads of them, through their JSON Schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Role;
use crate::investigation::finding::CauseKind;

/// What the user asks about, in words that a parser of times can read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intake {
    /// When it began, as one of: "3pm", "yesterday 14:05", "20 minutes ago", "last tuesday 9am", "2026-03-14 18:12".
    /// Copied from the user's words where they allow. Never calculated.
    pub since: String,
    /// When it ended, in the same form, or a range goes into since: "14:05-14:20".
    #[serde(default)]
    pub until: Option<String>,
    /// A service the user names, in the user's spelling.
    #[serde(default)]
    pub service: Option<String>,
    /// A namespace the user names.
    #[serde(default)]
    pub namespace: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesise {
    /// At most three, the likeliest first.
    pub hypotheses: Vec<Hypothesis>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hypothesis {
    /// Who is at fault: "P3".
    pub party: String,
    pub kind: CauseKind,
    /// Evidence ids: "E4".
    pub evidence: Vec<String>,
    /// One sentence.
    pub because: String,
    /// What would have to be seen for this to be wrong, one sentence.
    pub refuted_by: String,
    /// The query that would show it.
    #[serde(default)]
    pub next: Option<Query>,
}

/// One thing to ask of the recorded traffic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Query {
    /// count, list, compare (need a filter); detail (needs a call id); flows, workload (need a party).
    pub action: String,
    /// KFL.
    #[serde(default)]
    pub filter: Option<String>,
    /// "before", "during", "snapshot", or FROM..TO in RFC 3339.
    #[serde(default)]
    pub window: Option<String>,
    /// Id of a call that a list showed.
    #[serde(default)]
    pub call: Option<String>,
    /// "P3".
    #[serde(default)]
    pub party: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Narrow {
    /// count, list, compare, detail, flows, workload, or conclude.
    pub action: String,
    #[serde(default)]
    pub filter: Option<String>,
    #[serde(default)]
    pub window: Option<String>,
    #[serde(default)]
    pub call: Option<String>,
    /// Of flows, workload and conclude: "P3".
    #[serde(default)]
    pub party: Option<String>,
    /// Of conclude: what kind of fault it is.
    #[serde(default)]
    pub kind: Option<CauseKind>,
    /// Of conclude: evidence ids.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// What the query is to show, or why this is the cause: one sentence.
    pub why: String,
}

impl Narrow {
    pub(in crate::investigation) fn query(&self) -> Query {
        Query {
            action: self.action.clone(),
            filter: self.filter.clone(),
            window: self.window.clone(),
            call: self.call.clone(),
            party: self.party.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Read {
    pub readings: Vec<Reading>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The evidence whose text it is: "E12".
    pub evidence: String,
    /// The words that matter, copied letter by letter.
    pub quote: String,
    /// What they mean, one sentence.
    pub meaning: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Weigh {
    /// What speaks against the leading suspect; empty where nothing does.
    pub objections: Vec<Objection>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objection {
    pub claim: Claim,
    /// Whom it is about, where it is not the leading suspect: "P3".
    #[serde(default)]
    pub party: Option<String>,
    pub evidence: Vec<String>,
    /// One sentence.
    pub text: String,
}

/// What an objection says; all but the last can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    BeganEarlier,
    ExplainsMore,
    FailedBefore,
    NotLookedAt,
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Write {
    /// At most eight.
    pub sentences: Vec<Sentence>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sentence {
    pub about: About,
    /// With slots for every name, number and time.
    pub text: String,
    /// Evidence ids; needed for all but advice.
    #[serde(default)]
    pub evidence: Vec<String>,
}

/// What a sentence is about: it decides which slots it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    Cause,
    Spread,
    Impact,
    RuledOut,
    Advice,
}

impl About {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cause => "cause",
            Self::Spread => "spread",
            Self::Impact => "impact",
            Self::RuledOut => "ruled_out",
            Self::Advice => "advice",
        }
    }
}

/// The JSON Schema of a role's answer.
pub fn schema(role: Role) -> Value {
    let schema = match role {
        Role::Intake => schemars::schema_for!(Intake),
        Role::Hypothesise => schemars::schema_for!(Hypothesise),
        Role::Narrow => schemars::schema_for!(Narrow),
        Role::Read => schemars::schema_for!(Read),
        Role::Weigh => schemars::schema_for!(Weigh),
        Role::Write => schemars::schema_for!(Write),
    };
    serde_json::to_value(schema).unwrap_or_default()
}
