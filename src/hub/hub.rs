//! The hub: a capture, what was made of it, and the tools over both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Map, Value};

use super::assemble::assemble;
use super::capture::{Capture, Span};
use super::cloud::Cloud;
use super::dissection::{self, Dissection};
use super::entry::Entry;
use super::error::ToolError;
use super::export::Exports;
use super::fault::{Fault, Faults};
use super::filter::KflErrors;
use super::names::Names;
use super::snapshot::{Registry, Snapshot, lock};
use super::store::SharedStore;
use super::tools::catalogue::{self, ToolSpec};
use super::tools::{self, Answer};
use super::workloads::Workload;

/// Length of the answer of a rehearsed `huge-answer`, bytes.
const HUGE: usize = 12 << 20;

/// How a hub behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Another process serving the same capture would not know what this one has made of it. A client
    /// that opens several connections by starting several processes has to be told.
    pub state_per_process: bool,
    pub kfl_errors: KflErrors,
    pub faults: Faults,
    /// Where snapshots can be kept; without, cloud storage is not configured.
    pub cloud: Option<Arc<Cloud>>,
}

/// How many transfers there were, and the latest.
pub(super) type CloudJobs = Mutex<(u64, Vec<Value>)>;

/// An embedded Kubeshark over one capture. Clones share it.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Shared>);

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    pub(super) capture: Arc<Capture>,
    pub(super) options: Options,
    pub(super) snapshots: Arc<Registry>,
    pub(super) exports: Exports,
    pub(super) cloud_jobs: Arc<CloudJobs>,
    /// Where snapshots are kept beyond this hub's life.
    pub(super) cloud: Option<Arc<Cloud>>,
    flows: OnceLock<SharedStore>,
    live: OnceLock<SharedStore>,
    /// Whether traffic would be dissected as it came; a recorded capture has none to come.
    live_on: AtomicBool,
    base_url: Mutex<String>,
}

impl Hub {
    /// Serves `capture`.
    pub fn new(capture: Capture, options: Options) -> Self {
        let capture = Arc::new(capture);
        Self(Arc::new(Shared {
            live_on: AtomicBool::new(options.faults.live_dissection().is_some()),
            snapshots: Arc::new(Registry::new(Arc::clone(&capture), options.faults.clone())),
            capture,
            cloud: options.cloud.clone(),
            options,
            exports: Exports::default(),
            cloud_jobs: Arc::default(),
            flows: OnceLock::new(),
            live: OnceLock::new(),
            base_url: Mutex::new("embedded://hub".to_owned()),
        }))
    }

    /// Serves entries of one node that were dissected elsewhere, as the completed snapshot `everything`. There
    /// are no packets behind it: nothing can be exported or dissected again.
    pub fn of_entries(node: &str, entries: Vec<Entry>, workloads: Vec<Workload>, options: Options) -> Self {
        let capture = Capture {
            cluster: node.to_owned(),
            nodes: Vec::new(),
            names: Names::new(workloads),
            problems: Vec::new(),
            listing: None,
        };
        let store = assemble(vec![(Arc::from(node), entries)], &capture.names);
        let hub = Self::new(capture, options);
        let dissection = Dissection::completed("default", "everything", store);
        let snapshot = Snapshot::dissected(&hub.0.capture, dissection);
        hub.0.snapshots.hold(snapshot);
        hub
    }

    /// The tools as they are listed.
    pub fn tools(&self) -> Vec<ToolSpec> {
        let faults = self.faults();
        let mut tools = if faults.has(&Fault::OlderDialect) {
            catalogue::older()
        } else {
            catalogue::newer()
        };
        if faults.has(&Fault::HubToolsMissing) || faults.has(&Fault::NeedsToken) {
            tools.retain(|tool| tools::LOCAL.contains(&tool.name));
        }
        tools
    }

    /// Performs a tool call: the text of its result. Blocks while it works.
    pub fn call(&self, tool: &str, arguments: Map<String, Value>) -> Result<String, ToolError> {
        let answer = tools::call(&self.0, tool, arguments)?;
        let text = match answer {
            Answer::Text(text) => text,
            Answer::Json(value) => serde_json::to_string_pretty(&value)
                .map_err(|error| ToolError::Local(format!("Error calling Hub API: {error}")))?,
        };
        Ok(self.spoiled(tool, text))
    }

    /// What is rehearsed to go wrong with an answer on its way.
    fn spoiled(&self, tool: &str, mut text: String) -> String {
        if !["list_api_calls", "get_api_stats"].contains(&tool) {
            return text;
        }
        if self.faults().has(&Fault::HugeAnswer) {
            // Inside the object, so that it is still JSON.
            let padding = "x".repeat(HUGE.saturating_sub(text.len()));
            if let Some(body) = text.strip_suffix('}') {
                text = format!("{},\n  \"padding\": \"{padding}\"\n}}", body.trim_end());
            }
        }
        if self.faults().has(&Fault::MalformedJson) {
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(half.unwrap_or(0));
        }
        text
    }

    /// What is rehearsed.
    pub fn faults(&self) -> &Faults {
        self.0.faults()
    }

    /// How it behaves.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The file an export gave, for those who fetch it over HTTP.
    pub fn exported(&self, path: &str) -> Option<Arc<[u8]>> {
        self.0.exports.find(path).ok().map(|export| export.file)
    }

    /// Under which address files are found from now on.
    pub fn set_base_url(&self, url: &str) {
        url.clone_into(&mut lock(&self.0.base_url));
    }
}

impl Shared {
    /// What is rehearsed.
    pub fn faults(&self) -> &Faults {
        &self.options.faults
    }

    /// The hub's clock: it stands where the capture ends, so that "the last half hour" is one with
    /// data. Unix µs.
    pub fn now_us(&self) -> i64 {
        self.capture.span().map_or(0, |span| span.end_us)
    }

    /// Where the hub is reached.
    pub fn base_url(&self) -> String {
        lock(&self.base_url).clone()
    }

    /// Whether live dissection is on.
    pub(super) fn is_live_on(&self) -> bool {
        self.live_on.load(Ordering::Relaxed)
    }

    /// Switches live dissection; it works forward only.
    pub(super) fn switch_live(&self, on: bool) {
        self.live_on.store(on, Ordering::Relaxed);
    }

    /// The part of a node's time, or of all of it, that was dissected as it came.
    pub(super) fn live_part(&self, span: Option<Span>) -> Option<Span> {
        let seconds = i64::from(self.faults().live_dissection()?);
        let since = Span {
            start_us: self.now_us().saturating_sub(seconds.saturating_mul(1_000_000)),
            end_us: i64::MAX,
        };
        span?.overlap(since)
    }

    /// The calls that were dissected as they came; made at first use.
    pub(super) fn live_calls(&self) -> Option<&SharedStore> {
        let part = self.live_part(self.capture.span())?;
        Some(
            self.live
                .get_or_init(|| Arc::new(dissection::calls_of(&self.capture, part))),
        )
    }

    /// Connections and datagrams of the whole capture, without the calls in them; made at first use.
    pub fn all_flows(&self) -> &SharedStore {
        self.flows
            .get_or_init(|| Arc::new(dissection::all_flows(&self.capture)))
    }
}
