//! What can be asked of a Kubeshark server, in our own terms.

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use crate::time::Window;

/// How a snapshot is addressed. Servers differ in whether they go by id or by name, so both are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// What the server calls it; the name where the server gave no id.
    pub id: String,
    pub name: String,
}

/// What a query about calls ranges over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The dissected snapshot; `None` asks the live traffic.
    pub snapshot: Option<SnapshotRef>,
    /// The dissection's name, for servers that address one as SNAPSHOT/DISSECTION.
    pub dissection: Option<String>,
    /// A KFL filter that has been checked; empty matches everything.
    pub filter: String,
    pub window: Option<Window>,
}

/// How much of each call a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallForm {
    Compact,
    /// With node id, connection, headers.
    Full,
    /// With protocol internals such as TCP metrics.
    Raw,
}

/// One thing to ask of the server.
///
/// Deliberately exhaustive: a new operation must be mapped, guarded and rendered everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Operation {
    /// Is Kubeshark there at all? Answered in prose.
    CheckStatus,
    /// What raw packets each node still holds.
    DataBoundaries,
    /// What live dissection holds; newer servers only.
    L7DataBoundaries,
    ListSnapshots,
    CreateSnapshot {
        name: String,
        window: Window,
        nodes: Vec<String>,
    },
    GetSnapshot {
        snapshot: SnapshotRef,
    },
    ListDissections {
        snapshot: SnapshotRef,
    },
    StartDissection {
        snapshot: SnapshotRef,
        name: String,
    },
    DissectionStatus {
        snapshot: SnapshotRef,
        dissection: Option<String>,
    },
    /// Aggregated statistics.
    ApiStats {
        scope: Scope,
    },
    /// How many calls match: a list of one row whose `total` is wanted.
    CountCalls {
        scope: Scope,
    },
    /// At most `limit` (1 to 1000) of the matching calls. A sample, never a count.
    ListCalls {
        scope: Scope,
        limit: u32,
        form: CallForm,
    },
    /// One call with headers and bodies.
    CallDetail {
        scope: Scope,
        call: String,
        node_id: Option<String>,
        max_payload_bytes: u32,
    },
    /// Flows by service; servers answer this for live traffic only.
    ListFlows {
        limit: u32,
    },
    ListWorkloads {
        snapshot: Option<SnapshotRef>,
        namespaces: Vec<String>,
        name: Option<String>,
        name_regex: Option<String>,
        /// "pod" or "service".
        kind: Option<String>,
        /// Labels that a workload has to have.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<(String, String)>,
    },
    ListIps {
        snapshot: Option<SnapshotRef>,
        ip: Option<String>,
        namespaces: Vec<String>,
    },
    ExportPcap {
        snapshot: SnapshotRef,
        nodes: Vec<String>,
        bpf: Option<String>,
        window: Option<Window>,
    },
    /// Fetches what an export produced to a file of this machine.
    DownloadFile {
        path: String,
        dest: String,
    },
    CloudStorageStatus,
    UploadSnapshot {
        snapshot: SnapshotRef,
    },
    DownloadSnapshot {
        snapshot: SnapshotRef,
    },
    CloudJobStatus {
        job: String,
    },
    LiveDissectionStatus,
    EnableLiveDissection,
}

/// What an operation does to the cluster, for the allow-list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Looks only.
    Read,
    /// Adds a snapshot, a dissection or a file; takes nothing away and changes no workload.
    Record,
    /// Changes the state of the cluster or sends data out of it: needs an explicit yes.
    Change,
}

impl Operation {
    /// What performing this does to the cluster.
    pub fn effect(&self) -> Effect {
        match self {
            Self::CheckStatus
            | Self::DataBoundaries
            | Self::L7DataBoundaries
            | Self::ListSnapshots
            | Self::GetSnapshot { .. }
            | Self::ListDissections { .. }
            | Self::DissectionStatus { .. }
            | Self::ApiStats { .. }
            | Self::CountCalls { .. }
            | Self::ListCalls { .. }
            | Self::CallDetail { .. }
            | Self::ListFlows { .. }
            | Self::ListWorkloads { .. }
            | Self::ListIps { .. }
            | Self::CloudStorageStatus
            | Self::CloudJobStatus { .. }
            | Self::LiveDissectionStatus => Effect::Read,
            Self::CreateSnapshot { .. }
            | Self::StartDissection { .. }
            | Self::ExportPcap { .. }
            | Self::DownloadFile { .. } => Effect::Record,
            Self::UploadSnapshot { .. } | Self::DownloadSnapshot { .. } | Self::EnableLiveDissection => {
                Effect::Change
            }
        }
    }

    /// The serialised name, `create_snapshot`: how operations are listed and recorded.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CheckStatus => "check_status",
            Self::DataBoundaries => "data_boundaries",
            Self::L7DataBoundaries => "l7_data_boundaries",
            Self::ListSnapshots => "list_snapshots",
            Self::CreateSnapshot { .. } => "create_snapshot",
            Self::GetSnapshot { .. } => "get_snapshot",
            Self::ListDissections { .. } => "list_dissections",
            Self::StartDissection { .. } => "start_dissection",
            Self::DissectionStatus { .. } => "dissection_status",
            Self::ApiStats { .. } => "api_stats",
            Self::CountCalls { .. } => "count_calls",
            Self::ListCalls { .. } => "list_calls",
            Self::CallDetail { .. } => "call_detail",
            Self::ListFlows { .. } => "list_flows",
            Self::ListWorkloads { .. } => "list_workloads",
            Self::ListIps { .. } => "list_ips",
            Self::ExportPcap { .. } => "export_pcap",
            Self::DownloadFile { .. } => "download_file",
            Self::CloudStorageStatus => "cloud_storage_status",
            Self::UploadSnapshot { .. } => "upload_snapshot",
            Self::DownloadSnapshot { .. } => "download_snapshot",
            Self::CloudJobStatus { .. } => "cloud_job_status",
            Self::LiveDissectionStatus => "live_dissection_status",
            Self::EnableLiveDissection => "enable_live_dissection",
        }
    }

    /// One of each, with placeholders: to find out which ones a server has a tool for.
    pub fn examples() -> Vec<Self> {
        let snapshot = || SnapshotRef {
            id: String::new(),
            name: String::new(),
        };
        let scope = || Scope {
            snapshot: Some(snapshot()),
            dissection: None,
            filter: String::new(),
            window: None,
        };
        let window = Window {
            start: DateTime::UNIX_EPOCH,
            end: DateTime::UNIX_EPOCH,
        };
        vec![
            Self::CheckStatus,
            Self::DataBoundaries,
            Self::L7DataBoundaries,
            Self::ListSnapshots,
            Self::CreateSnapshot {
                name: String::new(),
                window,
                nodes: Vec::new(),
            },
            Self::GetSnapshot { snapshot: snapshot() },
            Self::ListDissections { snapshot: snapshot() },
            Self::StartDissection {
                snapshot: snapshot(),
                name: String::new(),
            },
            Self::DissectionStatus {
                snapshot: snapshot(),
                dissection: None,
            },
            Self::ApiStats { scope: scope() },
            Self::CountCalls { scope: scope() },
            Self::ListCalls {
                scope: scope(),
                limit: 1,
                form: CallForm::Compact,
            },
            Self::CallDetail {
                scope: scope(),
                call: String::new(),
                node_id: None,
                max_payload_bytes: 0,
            },
            Self::ListFlows { limit: 1 },
            Self::ListWorkloads {
                snapshot: None,
                namespaces: Vec::new(),
                name: None,
                name_regex: None,
                kind: None,
                labels: Vec::new(),
            },
            Self::ListIps {
                snapshot: None,
                ip: None,
                namespaces: Vec::new(),
            },
            Self::ExportPcap {
                snapshot: snapshot(),
                nodes: Vec::new(),
                bpf: None,
                window: None,
            },
            Self::DownloadFile {
                path: String::new(),
                dest: String::new(),
            },
            Self::CloudStorageStatus,
            Self::UploadSnapshot { snapshot: snapshot() },
            Self::DownloadSnapshot { snapshot: snapshot() },
            Self::CloudJobStatus { job: String::new() },
            Self::LiveDissectionStatus,
            Self::EnableLiveDissection,
        ]
    }

    /// What a query about calls ranges over; `None` for everything else.
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Self::ApiStats { scope }
            | Self::CountCalls { scope }
            | Self::ListCalls { scope, .. }
            | Self::CallDetail { scope, .. } => Some(scope),
            _ => None,
        }
    }

    /// Whether the same request may be sent again after the connection broke in the middle of it.
    /// Creating or starting something twice is not the same as once.
    pub fn repeatable(&self) -> bool {
        !matches!(
            self,
            Self::CreateSnapshot { .. }
                | Self::StartDissection { .. }
                | Self::UploadSnapshot { .. }
                | Self::DownloadSnapshot { .. }
                | Self::EnableLiveDissection
        )
    }
}
