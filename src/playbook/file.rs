//! A playbook as it is written in a file, every value with the line it stands on.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::{
    investigation::{
        Phase, TaskKind,
        guard::GUARDS,
        settings::{Export, Input},
    },
    wire::Operation,
};

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub value: T,
    /// From 1; 0 where it is not known.
    pub line: u64,
    pub column: u64,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        Ok(Self {
            line: spanned.referenced.line(),
            column: spanned.referenced.column(),
            value: spanned.value,
        })
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }

    fn inline_schema() -> bool {
        true
    }
}

fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Schema {
    let names: Vec<&str> = names.into_iter().collect();
    json_schema!({ "type": "string", "enum": names })
}

fn some_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Schema {
    let items = one_of(names);
    json_schema!({ "type": ["array", "null"], "items": items })
}

fn tasks(_: &mut SchemaGenerator) -> Schema {
    one_of(TaskKind::ALL.map(TaskKind::name))
}

fn phases(_: &mut SchemaGenerator) -> Schema {
    let phases = Phase::ALL.iter().filter(|phase| !phase.is_end());
    one_of(phases.map(|phase| phase.name()))
}

fn guards(_: &mut SchemaGenerator) -> Schema {
    some_of(GUARDS.iter().map(|guard| guard.name))
}

fn added_guards(_: &mut SchemaGenerator) -> Schema {
    some_of(super::check::choosable().map(|guard| guard.name))
}

fn tools(_: &mut SchemaGenerator) -> Schema {
    some_of(Operation::examples().iter().map(Operation::name))
}

fn inputs(_: &mut SchemaGenerator) -> Schema {
    some_of(Input::ALL.map(Input::name))
}

fn exports(_: &mut SchemaGenerator) -> Schema {
    some_of(Export::ALL.map(Export::name))
}

/// A workflow of rca-agent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A playbook of rca-agent")]
pub(super) struct File {
    /// Letters, digits and hyphens.
    pub name: At<String>,
    /// One sentence for people who choose between playbooks.
    pub when: At<String>,
    /// What it is for.
    #[schemars(schema_with = "tasks")]
    pub task: At<String>,
    /// What has to be told before a run begins, by the names of the flags.
    #[serde(default)]
    #[schemars(schema_with = "inputs")]
    pub needs: Vec<At<String>>,
    /// The phases that are passed, in order. Absent: the whole route of the task.
    #[serde(default)]
    pub phases: Option<Vec<PhaseFile>>,
    #[serde(default)]
    pub window: WindowFile,
    #[serde(default)]
    pub wait: WaitFile,
    #[serde(default)]
    pub budget: BudgetFile,
    #[serde(default)]
    pub survey: SurveyFile,
    /// Questions that every run asks, whatever it finds: counted in the window and before it.
    #[serde(default)]
    pub always: Vec<AlwaysFile>,
    /// What a run leaves besides its report.
    #[serde(default)]
    #[schemars(schema_with = "exports")]
    pub export: Vec<At<String>>,
}

/// One phase.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseFile {
    #[schemars(schema_with = "phases")]
    pub phase: At<String>,
    /// All guards of the phase; one that is required may not be missing. Absent: the required ones.
    #[serde(default)]
    #[schemars(schema_with = "guards")]
    pub guards: Option<At<Vec<At<String>>>>,
    /// Guards on top of the required ones.
    #[serde(default)]
    #[schemars(schema_with = "added_guards")]
    pub add_guards: Vec<At<String>>,
    /// The only tools that this phase may use. Absent: all that it knows to use.
    #[serde(default)]
    #[schemars(schema_with = "tools")]
    pub tools: Option<Vec<At<String>>>,
}

/// A question that every run asks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AlwaysFile {
    /// What it is to find out.
    pub why: String,
    /// A KFL filter.
    pub filter: At<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WindowFile {
    /// Added to a snapshot on both sides of the window, minutes.
    pub buffer_minutes: Option<At<u32>>,
}

/// How long to wait for the server's jobs.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WaitFile {
    /// First pause between two looks, ms; three times as long each time up to `longest_ms`.
    pub first_ms: Option<At<u64>>,
    pub longest_ms: Option<At<u64>>,
    /// A snapshot that is not complete after this long is given up, seconds.
    pub snapshot_seconds: Option<At<u64>>,
    pub dissection_seconds: Option<At<u64>>,
}

/// What a run may spend. Failed calls count.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BudgetFile {
    pub calls: Option<At<u32>>,
    /// Bytes of answers.
    pub bytes: Option<At<u64>>,
    /// Wall time spent in tools and waiting, seconds.
    pub seconds: Option<At<u64>>,
}

/// How wide the survey looks, and what counts as abnormal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SurveyFile {
    /// Rows asked for in one list.
    pub rows: Option<At<u32>>,
    /// Requests of a stretch are listed whole in at most so many lists; more than these hold are sampled.
    pub lists: Option<At<usize>>,
    /// Lists of a sample, spread over the stretch, and the rows of each.
    pub sampled_lists: Option<At<usize>>,
    pub sampled_rows: Option<At<u32>>,
    /// Edges with failing calls that are counted exactly where no list showed them whole.
    pub counted_edges: Option<At<usize>>,
    /// Rows of a list of the abnormal calls of one edge, in full form.
    pub abnormal_rows: Option<At<u32>>,
    pub abnormal: AbnormalFile,
}

/// What counts as abnormal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AbnormalFile {
    /// A share of failing calls has risen when it grew by at least this much, 0 to 1 …
    pub share_rise: Option<At<f64>>,
    /// … over at least this many failing calls.
    pub failing_calls: Option<At<u64>>,
    /// Latency has risen when the median or the 95th percentile grew by this factor …
    pub latency_factor: Option<At<f64>>,
    /// … and by at least this much, µs.
    pub latency_rise_us: Option<At<i64>>,
    /// Calls needed on both sides before latencies are compared.
    pub latency_calls: Option<At<usize>>,
}
