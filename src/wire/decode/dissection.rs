//! Dissections of snapshots: answers of `start_snapshot_dissection`,
//! `get_snapshot_dissection_status` and `list_snapshot_dissections`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    field::{Fields, each, texts},
};

/// The indexing of one snapshot into calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dissection {
    pub id: Option<String>,
    pub name: Option<String>,
    /// The snapshot it belongs to, where the server repeats it.
    pub snapshot: Option<String>,
    pub status: DissectionStatus,
    /// 0 to 100.
    pub progress: Option<f64>,
    /// How many entries it has made so far.
    pub entries: Option<u64>,
    /// Protocols it found entries of, by the server's names, where it says.
    pub protocols: Vec<String>,
    pub errors: Vec<String>,
}

/// How far a dissection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DissectionStatus {
    /// There is none: it has to be started.
    Missing,
    Pending,
    /// Being made; downloading and uploading included.
    Running,
    Completed,
    Failed,
    Cancelled,
    /// A word of the server's that is not known here.
    Other(String),
}

impl DissectionStatus {
    fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "missing" | "none" | "not_found" | "not_started" | "absent" => Self::Missing,
            "pending" | "queued" | "created" | "accepted" => Self::Pending,
            "running" | "downloading" | "uploading" | "in_progress" | "processing" | "active" | "started" => {
                Self::Running
            }
            "completed" | "complete" | "done" | "ready" | "success" | "finished" => Self::Completed,
            "failed" | "failure" | "error" => Self::Failed,
            "cancelled" | "canceled" | "stopped" | "aborted" => Self::Cancelled,
            _ => Self::Other(word.to_owned()),
        }
    }
}

const WHAT: &str = "the answer about a dissection";

/// Reads one dissection. Servers that send only `progress` and `active` are understood: 100 is
/// completed, active is running, neither begun nor active is missing.
pub fn dissection(answer: &Value) -> Result<Dissection, DecodeError> {
    let outer = Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object", answer))?;
    let fields = outer.object(&["dissection"]).unwrap_or(outer);
    let progress = fields.number(&["progress", "percent"]);
    let errors = fields.get(&["errors", "error"]).map(texts).unwrap_or_default();
    let success = outer.flag(&["success"]);
    let active = fields.flag(&["active", "running"]);
    let status = match (fields.text(&["status", "state"]), active) {
        _ if success == Some(false) => DissectionStatus::Failed,
        (Some(word), _) => DissectionStatus::from_word(&word),
        (None, Some(true)) if progress.is_none_or(|p| p < 100.0) => DissectionStatus::Running,
        (None, _) if progress.is_some_and(|p| p >= 100.0) => DissectionStatus::Completed,
        (None, Some(_)) if !errors.is_empty() => DissectionStatus::Failed,
        (None, Some(_)) if progress.is_none_or(|p| p <= 0.0) => DissectionStatus::Missing,
        (None, Some(_)) => DissectionStatus::Other("inactive before it was complete".to_owned()),
        (None, None) if success == Some(true) => DissectionStatus::Pending,
        (None, None) if progress.is_some() => DissectionStatus::Running,
        (None, None) => {
            return Err(DecodeError::field(
                WHAT,
                "status",
                "a word, or `progress` and `active`",
                answer,
            ));
        }
    };
    Ok(Dissection {
        id: fields.text(&["dissection_id", "id"]),
        name: fields.text(&["name", "dissection_name", "dissection"]),
        snapshot: fields.text(&["snapshot", "snapshot_id", "snapshot_name"]),
        status,
        progress,
        entries: fields
            .count(&["entry_count", "entries", "entries_created"])
            .or_else(|| {
                fields
                    .object(&["stats"])?
                    .count(&["entries_created", "entry_count", "entries"])
            }),
        protocols: fields
            .object(&["stats"])
            .and_then(|stats| stats.get(&["protocol_counts", "protocols"]))
            .and_then(Value::as_object)
            .map(|counts| counts.keys().map(|name| name.to_lowercase()).collect())
            .unwrap_or_default(),
        errors,
    })
}

/// Reads a list of dissections: `{dissections: […]}` or the list alone. Entries that are no
/// dissections are left out; where no entry is one, that is an error.
pub fn dissections(answer: &Value) -> Result<Vec<Dissection>, DecodeError> {
    let items = match (answer, Fields::of(answer)) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(&["dissections"]) => fields.list(&["dissections"]),
        _ => {
            return Err(DecodeError::field(
                "the list of dissections",
                "dissections",
                "a list",
                answer,
            ));
        }
    };
    each(items, dissection)
}
