//! Files and cloud storage: answers of `export_snapshot_pcap`, `download_file` and the cloud tools.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DecodeError, field::Fields};
use crate::time::Utc;

/// An exported packet capture that waits to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// What `download_file` takes.
    pub path: String,
    /// How many nodes' files were merged, where it is said.
    pub files_merged: Option<u64>,
    pub size_bytes: Option<u64>,
}

/// Reads a path from a text, from prose around one, or from an object.
pub fn export(answer: &Value) -> Result<Export, DecodeError> {
    const WHAT: &str = "the answer about the export";
    let missing = || DecodeError::field(WHAT, "path", "a path for the download", answer);
    if let Some(prose) = answer.as_str() {
        let path = path_in(prose).ok_or_else(missing)?;
        return Ok(Export {
            path,
            files_merged: None,
            size_bytes: None,
        });
    }
    let fields = Fields::of(answer).ok_or_else(missing)?;
    let path = fields
        .text(&[
            "path",
            "file_path",
            "relative_path",
            "download_path",
            "file",
            "url",
            "download_url",
        ])
        .or_else(|| path_in(&fields.text(&["message", "result"])?))
        .ok_or_else(missing)?;
    Ok(Export {
        path,
        files_merged: fields.count(&[
            "files_merged",
            "merged_files",
            "merged",
            "merged_count",
            "file_count",
        ]),
        size_bytes: fields.count(&["size_bytes", "size"]),
    })
}

/// The word of `prose` that looks like a path: the whole of a single word, else the first with a
/// slash or a capture's extension.
fn path_in(prose: &str) -> Option<String> {
    let mut words = prose.split_whitespace().map(|w| {
        w.trim_end_matches('.')
            .trim_matches(|c: char| matches!(c, '\'' | '"' | '`' | ',' | ';' | ':' | '(' | ')'))
    });
    let first = words.clone().next()?;
    if prose.split_whitespace().count() == 1 {
        return (!first.is_empty()).then(|| first.to_owned());
    }
    words
        .find(|w| w.contains('/') || w.contains(".pcap"))
        .map(str::to_owned)
}

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Where it lies on the machine of the MCP server.
    pub path: String,
    pub url: Option<String>,
    pub size_bytes: Option<u64>,
}

/// Reads `{url, path, size}`.
pub fn download(answer: &Value) -> Result<Download, DecodeError> {
    const WHAT: &str = "the answer about the download";
    let fields =
        Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object with `path`", answer))?;
    Ok(Download {
        path: fields
            .text(&["path", "dest", "file"])
            .ok_or_else(|| DecodeError::field(WHAT, "path", "the file's path", answer))?,
        url: fields.text(&["url"]),
        size_bytes: fields.count(&["size", "size_bytes", "bytes"]),
    })
}

/// Whether there is cloud storage for snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudStorage {
    pub enabled: bool,
    /// `s3`, `azblob`, `gcs`.
    pub provider: Option<String>,
    pub connected: Option<bool>,
}

/// Reads `{enabled, provider, connected}`.
pub fn cloud_storage(answer: &Value) -> Result<CloudStorage, DecodeError> {
    const WHAT: &str = "the answer about cloud storage";
    let fields =
        Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object with `enabled`", answer))?;
    let provider = fields.text(&["provider"]);
    let enabled = fields
        .flag(&["enabled", "configured"])
        .or_else(|| provider.is_some().then_some(true))
        .ok_or_else(|| DecodeError::field(WHAT, "enabled", "true or false", answer))?;
    Ok(CloudStorage {
        enabled,
        provider,
        connected: fields.flag(&["connected"]),
    })
}

/// An upload or a download of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudJob {
    pub id: String,
    pub snapshot: Option<String>,
    /// "upload" or "download", as the server names it.
    pub operation: Option<String>,
    pub status: CloudJobStatus,
    pub error: Option<String>,
    pub started: Option<Utc>,
    pub completed: Option<Utc>,
}

/// How far an upload or download is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloudJobStatus {
    InProgress,
    Completed,
    Failed,
    /// A word of the server's that is not known here.
    Other(String),
}

/// Reads a job, also from the answers that start one (`{success, job_id}`).
pub fn cloud_job(answer: &Value) -> Result<CloudJob, DecodeError> {
    const WHAT: &str = "the answer about a transfer";
    let fields =
        Fields::of(answer).ok_or_else(|| DecodeError::shape(WHAT, "an object with `job_id`", answer))?;
    let id = fields
        .text(&["job_id", "id"])
        .ok_or_else(|| DecodeError::field(WHAT, "job_id", "the job's id", answer))?;
    let status = match (fields.text(&["status", "state"]), fields.flag(&["success"])) {
        (_, Some(false)) => CloudJobStatus::Failed,
        (Some(word), _) => match word.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "in_progress" | "pending" | "running" | "queued" | "started" => CloudJobStatus::InProgress,
            "completed" | "complete" | "done" | "success" => CloudJobStatus::Completed,
            "failed" | "failure" | "error" => CloudJobStatus::Failed,
            _ => CloudJobStatus::Other(word),
        },
        (None, Some(true)) => CloudJobStatus::InProgress,
        (None, None) => {
            return Err(DecodeError::field(
                WHAT,
                "status",
                "a word such as `completed`",
                answer,
            ));
        }
    };
    Ok(CloudJob {
        id,
        snapshot: fields.text(&["snapshot_id", "snapshot"]),
        operation: fields.text(&["operation"]),
        status,
        error: fields.text(&["error", "message"]),
        started: fields.instant(&["started_at", "started"]),
        completed: fields.instant(&["completed_at", "completed"]),
    })
}
