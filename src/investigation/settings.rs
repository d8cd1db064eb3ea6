//! What an investigation was asked to do, resolved once at the start and recorded with it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{machine::Phase, route::TaskKind};
use crate::{
    analysis::{EdgeKey, Thresholds},
    query::Dimension,
    time::{Clock, HourStyle, Reading, Utc, Window, Zone},
    wire::Operation,
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
    /// Where people look at Kubeshark, for links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<String>,
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
    /// Work on this snapshot and no other, whatever is still recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<NamedSnapshot>,
    /// What the run is for. Journals of the first versions say nothing: they are investigations.
    #[serde(default, skip_serializing_if = "Task::is_investigation")]
    pub task: Task,
    pub playbook: Playbook,
    /// The language model, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSettings>,
    /// Why the user's words for the window could not be read: then a model has to, and `reading` is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
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

/// What a run is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    #[default]
    Investigate,
    /// Calls are counted, and that is all.
    Count(CountOrder),
    /// The snapshots are listed.
    Inventory,
    /// A snapshot is taken, or found, and that is all.
    Keep {
        /// What to call it; by rule where it is `None`.
        name: Option<String>,
    },
    /// Recorded queries are asked again.
    Recheck(RecheckOrder),
    /// A window is surveyed, and compared with nothing.
    Measure {
        /// Edges that are counted whole, also where nothing on them fails.
        #[serde(default)]
        edges: Vec<EdgeKey>,
    },
    /// One question is answered.
    Ask(AskOrder),
    /// Packets are exported to a file; nothing is dissected.
    Packets(PacketsOrder),
    /// A snapshot goes to cloud storage, or comes from there.
    Transfer(TransferOrder),
}

/// Which snapshot goes where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferOrder {
    /// Its name or id.
    pub snapshot: String,
    pub direction: Direction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Upload,
    Download,
}

impl Task {
    pub fn is_investigation(&self) -> bool {
        *self == Self::Investigate
    }

    /// Edges that a survey counts whole because it was ordered to; none of another task.
    pub fn counted_edges(&self) -> &[EdgeKey] {
        match self {
            Self::Measure { edges } => edges,
            _ => &[],
        }
    }

    pub fn is_measuring(&self) -> bool {
        matches!(self, Self::Measure { .. })
    }

    /// The order to count, where that is what the run is for.
    pub fn count(&self) -> Option<&CountOrder> {
        match self {
            Self::Count(order) => Some(order),
            _ => None,
        }
    }

    pub fn kind(&self) -> TaskKind {
        match self {
            Self::Investigate => TaskKind::Investigate,
            Self::Count(_) => TaskKind::Count,
            Self::Inventory => TaskKind::Inventory,
            Self::Keep { .. } => TaskKind::Keep,
            Self::Recheck(_) => TaskKind::Recheck,
            Self::Packets(_) => TaskKind::Packets,
            Self::Transfer(_) => TaskKind::Transfer,
            Self::Ask(_) => TaskKind::Ask,
            Self::Measure { .. } => TaskKind::Measure,
        }
    }
}

/// A snapshot by its name or id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSnapshot {
    pub name: String,
    /// Where it is missing, it may be taken anew of this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retake: Option<Window>,
}

/// A question to be answered by one fresh query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskOrder {
    /// The filter that somebody proposed for the question, a person or a model; the rules read it where it is `None`.
    /// Whoever proposes it, it passes the same check before it is sent.
    pub filter: Option<String>,
    /// Where the calls may be looked for.
    #[serde(default)]
    pub live: LiveChoice,
    /// Bins of the chart over time, at most.
    pub bins: u64,
    /// Calls to be shown, at most.
    pub rows: u32,
    pub budget_calls: u32,
    pub budget_bytes: u64,
}

/// Whether a question may be asked of live traffic, of which a server holds what it dissected as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveChoice {
    /// Where the server says that it covers the window; otherwise of a snapshot.
    #[default]
    WhereCovered,
    /// Of that and nothing else.
    Only,
    Never,
}

/// Whose packets are to be exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketsOrder {
    /// Workloads by name; several are joined.
    pub workloads: Vec<WorkloadPattern>,
    /// Labels that workloads have to have. Without patterns they choose by themselves.
    pub labels: Vec<(String, String)>,
    pub addresses: Vec<IpAddr>,
    /// A packet filter that was checked, on top of the workloads' addresses.
    pub bpf: Option<String>,
    /// All nodes where it is empty.
    pub nodes: Vec<String>,
    /// Where the file goes: a name, or an absolute path.
    pub file: String,
}

/// Workloads of a name that matches, in one namespace or in any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadPattern {
    pub namespace: Option<String>,
    /// A regular expression for the whole name.
    pub name: String,
}

impl std::fmt::Display for WorkloadPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Queries that were asked before, and what came of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecheckOrder {
    /// The case that they are of.
    pub case: String,
    pub queries: Vec<RecordedQuery>,
}

/// One query about calls, and what was recorded of its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedQuery {
    pub operation: Operation,
    /// Of the answer after redaction.
    pub sha256: String,
    /// Of a list: the matches that the server counted, and the rows that it showed.
    pub total: Option<u64>,
    pub rows: Option<u64>,
}

/// The language model that is asked, and what it may cost. Holds no key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// As the endpoint knows it, or `manual`.
    pub name: String,
    /// The endpoint's address, secrets taken out; `None` for answers by hand.
    pub url: Option<String>,
    pub temperature: Option<f64>,
    /// "low", "medium", "high", or what the endpoint knows.
    pub effort: Option<String>,
    /// Tokens that the facts at the head of a prompt may take, about.
    pub digest_tokens: u32,
    pub budget: ModelBudget,
    /// Money for a million tokens, in and out, where it is known.
    pub prices: Option<(f64, f64)>,
}

/// What a model may cost in one case. Failed calls count.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelBudget {
    pub calls: u32,
    /// Tokens in and out together.
    pub tokens: u64,
    /// In the currency of the prices.
    pub money: Option<f64>,
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

/// A workflow, read from a file in `playbooks/` or from a team's own and checked against the machine.
///
/// Everything but the numbers may be absent: recorded playbooks of the first versions held only these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    pub name: String,
    /// One sentence for people who choose between playbooks.
    pub when: String,
    #[serde(default)]
    pub task: TaskKind,
    /// What has to be told before a run begins, by the names of the flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Input>,
    /// The phases that are passed, in order; the whole route where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseRules>,
    /// Questions that every run asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<AlwaysAsked>,
    /// What a run leaves besides its report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub export: Vec<Export>,
    pub window: WindowRules,
    pub wait: WaitRules,
    pub budget: Budget,
    pub survey: SurveyRules,
}

impl Playbook {
    /// Whether a run passes this phase.
    pub fn has(&self, phase: Phase) -> bool {
        self.phases.is_empty() || self.rules(phase).is_some()
    }

    /// What the playbook says of a phase.
    pub fn rules(&self, phase: Phase) -> Option<&PhaseRules> {
        self.phases.iter().find(|rules| rules.phase == phase)
    }

    /// Asks for an optional guard in all of these phases that a run passes.
    pub fn ask_for(&mut self, guard: &str, phases: &[Phase]) {
        for &phase in phases {
            if self.asks_for(guard, phase) || !self.has(phase) {
                continue;
            }
            if let Some(rules) = self.phases.iter_mut().find(|rules| rules.phase == phase) {
                rules.guards.push(guard.to_owned());
            }
        }
    }

    /// Whether an optional guard is to be consulted in this phase.
    pub fn asks_for(&self, guard: &str, phase: Phase) -> bool {
        match (guard, self.rules(phase)) {
            // A route that leaves phases out is kept to; so are tools.
            ("playbook-phases", _) => self.task.route().is_some_and(|route| {
                let mut all = route.needed.iter().chain(route.optional);
                all.any(|phase| !self.has(*phase))
            }),
            ("playbook-tools", Some(rules)) => rules.tools.is_some(),
            (_, Some(rules)) => rules.guards.iter().any(|name| name == guard),
            (_, None) => false,
        }
    }
}

/// Something that a run has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    Question,
    Since,
    Until,
    Baseline,
    Namespace,
    Service,
}

impl Input {
    pub const ALL: [Self; 6] = [
        Self::Question,
        Self::Since,
        Self::Until,
        Self::Baseline,
        Self::Namespace,
        Self::Service,
    ];

    /// The serialised name, which is that of the flag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Since => "since",
            Self::Until => "until",
            Self::Baseline => "baseline",
            Self::Namespace => "namespace",
            Self::Service => "service",
        }
    }
}

/// Something that a run leaves besides its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Export {
    /// The packets of the workloads involved.
    Pcap,
}

impl Export {
    pub const ALL: [Self; 1] = [Self::Pcap];

    /// The serialised name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
        }
    }
}

/// What a playbook says of one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseRules {
    pub phase: Phase,
    /// Guards that are consulted here on top of those that always are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<String>,
    /// The only operations that this phase may ask for; all of its own where it is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

/// A question that every run asks, whatever it finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlwaysAsked {
    /// What it is to find out.
    pub why: String,
    /// KFL that was checked.
    pub filter: String,
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
