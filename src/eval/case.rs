//! A case as it is written: what is asked, of which traffic, and what is true.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{self, IntoDeserializer, Visitor},
};

use crate::{benchmark::Wanted, playbook::At};

/// The `schema` of a case file. Bumped when an old case would be misunderstood.
///
/// - `rca-agent/eval/1`: first version.
pub const SCHEMA: &str = "rca-agent/eval/1";

/// An incident, or a time without one, with what is true of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A case of rca-agent's evals")]
pub struct CaseFile {
    /// Always `rca-agent/eval/1`.
    pub schema: At<String>,
    /// One sentence: what happened.
    pub about: At<String>,
    /// Words to choose cases by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What is asked; may be empty.
    #[serde(default)]
    pub question: String,
    /// When it began, as a person types it: `3pm`, `yesterday 14:05`, `2026-03-14 18:12`.
    pub since: At<String>,
    /// When it ended; as with `--until`.
    #[serde(default)]
    pub until: Option<At<String>>,
    /// What to compare with, as with `--baseline`.
    #[serde(default)]
    pub baseline: Option<At<String>>,
    /// The zone of the person who asks, by its IANA name.
    pub zone: At<String>,
    /// When they ask, RFC 3339.
    pub now: At<String>,
    /// Whether prose writes 3:23 PM (12) or 15:23 (24).
    #[serde(default)]
    pub hours: Option<At<u8>>,
    /// Look at the calls to this namespace only.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The workload that is asked about, `NAMESPACE/NAME`.
    #[serde(default)]
    pub service: Option<String>,
    /// The workflow: a name that `rca-agent playbooks` lists. Absent: `network-rca`.
    #[serde(default)]
    pub playbook: Option<At<String>>,
    /// Where the traffic is.
    #[serde(default)]
    pub source: SourceFile,
    /// The language model that is asked. Absent: none.
    #[serde(default)]
    pub model: Option<ModelFile>,
    /// What the run may spend at most, where it is less than usual.
    #[serde(default)]
    pub limits: LimitsFile,
    /// What is true. Nothing is scored before its verdict is filled in.
    pub truth: Truth,
    /// What the run should not need more than.
    #[serde(default)]
    pub budget: BudgetFile,
}

/// Where the traffic is. Without a capture the recorded session is all there is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFile {
    /// A capture directory or file for the embedded hub, from the directory of the case.
    #[serde(default)]
    pub capture: Option<At<String>>,
    /// Faults that the embedded hub rehearses, as `rca-agent hub --list-faults` names them.
    #[serde(default)]
    pub faults: Vec<At<String>>,
}

/// A language model for tests.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// A YAML file beside the case: for each role (`hypothesise`, `read`, `narrow`, `weigh`, `write`) a list of what it
    /// does, each one of `answer` (an object), `text` or `fail`; the last of a role again and again.
    pub script: At<String>,
}

/// Limits of a run, as the flags of the same names.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    #[serde(default)]
    pub calls: Option<u32>,
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// What a run is scored against; what is absent is not.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetFile {
    /// Tool calls, failed ones included.
    #[serde(default)]
    pub calls: Option<u32>,
    /// Bytes of answers.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Spent in tools and in waiting for them, seconds.
    #[serde(default)]
    pub seconds: Option<f64>,
    #[serde(default)]
    pub model_calls: Option<u32>,
    /// Tokens in and out together.
    #[serde(default)]
    pub tokens: Option<u64>,
}

/// How a run may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    RootCause,
    NoAnomaly,
    Inconclusive,
    NoData,
    /// The environment has to be mended first: there is no report, but a message.
    Stopped,
}

impl Ending {
    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Self::RootCause => "root cause",
            Self::NoAnomaly => "no anomaly",
            Self::Inconclusive => "inconclusive",
            Self::NoData => "no data",
            Self::Stopped => "stopped",
        }
    }
}

/// One word or a list of them.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

/// By hand, so that a wrong word is told as such and not as "no variant matches".
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Words<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word or a list of words")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Self::Value, E> {
                T::deserialize(word.into_deserializer()).map(OneOrMore::One)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(OneOrMore::More)
            }
        }
        deserializer.deserialize_any(Words(PhantomData))
    }
}

impl<T> OneOrMore<T> {
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
    }
}

/// What is true, from what is known of the incident, never from a report.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// How a right run ends; several where each of them is honest.
    #[serde(default)]
    pub verdict: Option<OneOrMore<Ending>>,
    /// Each is a right answer.
    #[serde(default)]
    pub causes: Vec<CauseFile>,
    /// The window that the words of the case mean: start and end, RFC 3339.
    #[serde(default)]
    pub window: Option<[At<String>; 2]>,
    /// When it began.
    #[serde(default)]
    pub onset: Option<OnsetFile>,
    /// Names from where it was noticed to the cause, each calling the next; `outside` is whoever calls from outside.
    /// Several such lists where each is a right way to tell it.
    #[serde(default)]
    pub path: Vec<OneOrMore<String>>,
    /// Services that a report has to rule out, or at least not to blame.
    #[serde(default)]
    pub ruled_out: Vec<String>,
    /// Words that may not appear in what the report says of the incident.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Words that have to appear in the report, or in the message of a run that was stopped.
    #[serde(default)]
    pub says: Vec<String>,
    /// Checks that today's code is known not to pass, each with what it falls short of. A run passes all the same; its
    /// score does not forget.
    #[serde(default)]
    pub shortfalls: Option<At<BTreeMap<String, String>>>,
    /// Texts that may appear nowhere: secrets that the traffic holds.
    #[serde(default)]
    pub secrets: Vec<String>,
}

impl Truth {
    /// The right paths.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let all: Vec<Vec<String>> = self.path.iter().map(|part| part.all().to_vec()).collect();
        let lists = self.path.iter().any(|part| matches!(part, OneOrMore::More(_)));
        if lists || all.is_empty() {
            all
        } else {
            vec![all.concat()]
        }
    }
}

/// A right answer.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CauseFile {
    /// As Kubernetes names it; absent where the fault is a node's.
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub namespace: Option<String>,
    /// Pod or node where the fault is local to one.
    #[serde(default)]
    pub workload: Option<String>,
    /// Kinds that are right, as in the report; absent: any.
    #[serde(default)]
    pub kind: Option<OneOrMore<crate::investigation::finding::CauseKind>>,
    /// `POST /charge`.
    #[serde(default)]
    pub endpoint: Option<String>,
}

impl CauseFile {
    /// As rankings are scored.
    pub fn party(&self) -> Wanted {
        Wanted {
            service: self.service.clone(),
            workload: self.workload.clone(),
            kind: None,
        }
    }
}

/// When it began, and how near a report has to come.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnsetFile {
    /// RFC 3339.
    pub at: At<String>,
    /// Seconds before and after.
    pub within: f64,
}

/// The JSON Schema of a case file, for editors.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(CaseFile);
    schema.insert("$id".to_owned(), SCHEMA.into());
    schema.to_value()
}
