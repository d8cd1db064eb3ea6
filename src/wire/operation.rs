//! What can be asked of a Kubeshark server, in our own terms.

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

    /// The filter this sends, where it sends one.
    pub fn filter(&self) -> Option<&str> {
        match self {
            Self::ApiStats { scope } | Self::CountCalls { scope } | Self::ListCalls { scope, .. } => {
                Some(&scope.filter)
            }
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
