//! What an investigation was asked to do, resolved once at the start and recorded with it.

use serde::{Deserialize, Serialize};

use crate::{
    analysis::Thresholds,
    query::Dimension,
    time::{Clock, HourStyle, Reading, Utc, Window, Zone},
};

/// Where the recorded traffic is asked for. Holds no secrets: tokens come from the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A command that speaks MCP over stdio.
    Command { command: String },
    /// An MCP endpoint over streamable HTTP.
    Url { url: String },
    /// A capture directory or file, through the embedded hub.
    Capture { path: String },
    /// A bundled capture, through the embedded hub.
    Demo { name: String },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command { command } => write!(f, "`{command}`"),
            Self::Url { url } => write!(f, "`{url}`"),
            Self::Capture { path } => write!(f, "the capture `{path}`"),
            Self::Demo { name } => write!(f, "the bundled capture `{name}`"),
        }
    }
}

/// Everything that decides how a run behaves. Replaying a journal uses the recorded settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub source: Source,
    /// The user's own words; may be empty.
    pub question: String,
    /// The user's words for the window: the answers to questions about them are read together with them.
    pub since: String,
    pub until: Option<String>,
    /// What they were read as.
    pub reading: Reading,
    /// What to compare with, where the user says; otherwise the time before the window.
    #[serde(default)]
    pub baseline: Option<Window>,
    pub zone: Zone,
    /// Whether prose writes 3:23 PM or 15:23.
    pub hours: HourStyle,
    /// Investigate as of this moment.
    pub now: Utc,
    /// Limits the investigation to one namespace.
    pub namespace: Option<String>,
    /// A workload the user named: the report has to say something about it.
    pub service: Option<ServiceName>,
    /// Nobody can be asked.
    pub no_input: bool,
    /// The user approved changes to the cluster's state.
    pub yes: bool,
    /// Export the packets of the workloads involved.
    pub pcap: bool,
    /// Calls to be counted, where that is all that is wanted: no investigation follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<CountOrder>,
    pub playbook: Playbook,
    /// Remarks made while settings were resolved (zone guessed, abbreviation read), for the report.
    pub notes: Vec<String>,
}

impl Settings {
    /// Renders times for the person who asked.
    pub fn clock(&self) -> Clock {
        Clock {
            zone: self.zone,
            now: self.now,
            hours: self.hours,
        }
    }
}

/// What is to be counted, and how finely.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountOrder {
    /// KFL; empty counts everything.
    pub filter: String,
    pub by: Vec<Dimension>,
    /// Width of the bins of a histogram over time, ms; the whole window where it is `None`.
    pub every_ms: Option<u64>,
    /// Calls that the counting may take.
    pub budget_calls: u32,
    /// Bytes of answers that the counting may take.
    pub budget_bytes: u64,
    /// Show the plan and ask none of it.
    pub explain: bool,
}

/// A service as a user names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceName {
    pub namespace: Option<String>,
    pub name: String,
}

impl std::fmt::Display for ServiceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The numbers of the workflow, read from a file in `playbooks/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    pub name: String,
    /// One sentence for people who choose between playbooks.
    pub when: String,
    pub window: WindowRules,
    pub wait: WaitRules,
    pub budget: Budget,
    pub survey: SurveyRules,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRules {
    /// Added to a snapshot on both sides of the window, minutes.
    pub buffer_minutes: u32,
}

/// How long to wait for the server's jobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitRules {
    /// First pause between two looks, ms; three times as long each time up to `longest_ms`.
    pub first_ms: u64,
    pub longest_ms: u64,
    /// A snapshot that is not complete after this long is given up, seconds.
    pub snapshot_seconds: u64,
    pub dissection_seconds: u64,
}

/// What a run may spend. Failed calls count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub calls: u32,
    /// Bytes of answers.
    pub bytes: u64,
    /// Wall time spent in tools and waiting, seconds.
    pub seconds: u64,
}

/// How wide the survey looks, and what counts as abnormal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurveyRules {
    /// Rows asked for in one list, 1 to 1000.
    pub rows: u32,
    /// Requests of a stretch are listed whole in at most so many lists; more than these hold are sampled.
    pub lists: usize,
    /// Lists of a sample, spread over the stretch, and the rows of each.
    pub sampled_lists: usize,
    pub sampled_rows: u32,
    /// Edges with failing calls that are counted exactly where no list showed them whole.
    pub counted_edges: usize,
    /// Rows of a list of the abnormal calls of one edge, in full form.
    pub abnormal_rows: u32,
    pub abnormal: Thresholds,
}
