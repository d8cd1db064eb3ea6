//! Snapshots: answers of `create_snapshot`, `get_snapshot` and `list_snapshots`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    field::{Fields, each, go_duration, texts},
};
use crate::{
    time::{Utc, Window},
    wire::SnapshotRef,
};

/// An immutable copy of the recorded traffic of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub reference: SnapshotRef,
    pub status: SnapshotStatus,
    /// What it covers, where the server says so with a start and an end.
    pub window: Option<Window>,
    /// How much it covers in seconds, where the server says only that.
    pub duration_seconds: Option<i64>,
    pub size_bytes: Option<u64>,
    pub node_count: Option<u32>,
    pub packet_count: Option<u64>,
    pub created: Option<Utc>,
    /// What went wrong, where the server says so.
    pub error: Option<String>,
    /// 0 to 100.
    pub progress: Option<f64>,
}

/// How far a snapshot is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotStatus {
    InProgress,
    Completed,
    Failed,
    /// It exists in cloud storage only and must be downloaded before it is of use.
    CloudOnly,
    /// A word of the server's that is not known here.
    Other(String),
}

impl SnapshotStatus {
    fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "in_progress" | "pending" | "creating" | "running" | "queued" | "started" | "processing"
            | "accepted" | "downloading" => Self::InProgress,
            "completed" | "complete" | "ready" | "done" | "success" | "finished" | "available" | "local" => {
                Self::Completed
            }
            "failed" | "failure" | "error" | "cancelled" | "canceled" => Self::Failed,
            "cloud" | "cloud_only" | "remote" => Self::CloudOnly,
            _ => Self::Other(word.to_owned()),
        }
    }
}

const WHAT: &str = "the answer about a snapshot";

/// Reads one snapshot, also from the answers to its creation (`{success, name, status}` or
/// `{id, status}`).
pub fn snapshot(answer: &Value) -> Result<Snapshot, DecodeError> {
    let outer = Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object", answer))?;
    let fields = outer.object(&["snapshot"]).unwrap_or(outer);
    let id = fields.text(&["id", "snapshot_id"]);
    let name = fields.text(&["name", "snapshot_name", "snapshot"]);
    let (id, name) = match (id, name) {
        (Some(id), Some(name)) => (id, name),
        (Some(only), None) | (None, Some(only)) => (only.clone(), only),
        (None, None) => return Err(DecodeError::field(WHAT, "id", "an id or a name", answer)),
    };
    let success = outer.flag(&["success"]);
    let status = match fields.text(&["status", "state"]) {
        _ if success == Some(false) => SnapshotStatus::Failed,
        Some(word) => SnapshotStatus::from_word(&word),
        // What was accepted and says no more is being made.
        None if success == Some(true) => SnapshotStatus::InProgress,
        None => {
            return Err(DecodeError::field(
                WHAT,
                "status",
                "a word such as `completed`",
                answer,
            ));
        }
    };
    let created = fields.instant(&["created_at", "created", "creation_time"]);
    Ok(Snapshot {
        reference: SnapshotRef { id, name },
        status,
        window: fields.window(
            &["start_ts", "start_time", "start"],
            &["end_ts", "end_time", "end"],
        ),
        duration_seconds: fields
            .get(&["duration"])
            .and_then(go_duration)
            .map(|d| d.num_seconds()),
        size_bytes: fields.count(&["size_bytes", "size"]),
        node_count: fields
            .count(&["node_count"])
            .or_else(|| {
                let nodes = fields.get(&["nodes"])?.as_array()?;
                u64::try_from(nodes.len()).ok()
            })
            .and_then(|n| u32::try_from(n).ok()),
        packet_count: fields.count(&["packet_count", "packets"]),
        created,
        error: fields
            .get(&["error", "errors", "error_message"])
            .or_else(|| {
                outer
                    .get(&["error", "message"])
                    .filter(|_| success == Some(false))
            })
            .map(texts)
            .and_then(|lines| (!lines.is_empty()).then(|| lines.join("; "))),
        progress: fields.number(&["progress", "percent"]),
    })
}

/// Reads a list of snapshots: `{snapshots: […]}` or the list alone. Entries that are no snapshots
/// are left out; where no entry is one, that is an error.
pub fn snapshots(answer: &Value) -> Result<Vec<Snapshot>, DecodeError> {
    let items = match (answer, Fields::of(answer)) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(&["snapshots"]) => fields.list(&["snapshots"]),
        _ => {
            return Err(DecodeError::field(
                "the list of snapshots",
                "snapshots",
                "a list",
                answer,
            ));
        }
    };
    each(items, snapshot)
}
