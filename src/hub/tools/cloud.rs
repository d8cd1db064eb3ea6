//! Cloud storage: not configured, unless a bucket or a folder is told, or it is rehearsed.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::super::capture::{Capture, Span};
use super::super::cloud::{Cloud, CloudError, Parcel, label};
use super::super::error::ToolError;
use super::super::fault::Fault;
use super::super::hub::{CloudJobs, Shared};
use super::super::snapshot::{Phase, Snapshot, lock};
use super::Answer;
use super::args::Args;
use super::targets::snapshot;

/// Jobs kept at most; the oldest goes first.
const MAX_JOBS: usize = 1000;

/// `get_cloud_storage_status`.
pub(super) fn status(hub: &Shared) -> Answer {
    if let Some(cloud) = &hub.cloud {
        json!({"enabled": true, "provider": cloud.provider(), "connected": cloud.connected()}).into()
    } else if hub.faults().has(&Fault::CloudOn) {
        json!({"enabled": true, "provider": "s3", "connected": true}).into()
    } else {
        json!({"enabled": false, "provider": null, "connected": false}).into()
    }
}

fn configured(hub: &Shared) -> Result<(), ToolError> {
    if hub.cloud.is_some() || hub.faults().has(&Fault::CloudOn) {
        return Ok(());
    }
    Err(ToolError::bad_request("cloud storage is not configured"))
}

fn refused(error: CloudError) -> ToolError {
    match error {
        CloudError::Missing(what) => ToolError::not_found(format!("`{what}` not found in cloud storage")),
        CloudError::Failed(why) => ToolError::Api {
            status: 502,
            message: why,
        },
    }
}

/// A job begun: its number is its id.
fn begin(hub: &Shared, snapshot: &str, operation: &str) -> String {
    let mut jobs = lock(&hub.cloud_jobs);
    jobs.0 += 1;
    let id = format!("job-{}", jobs.0);
    let started = DateTime::from_timestamp_micros(hub.now_us()).unwrap_or_default();
    jobs.1.push(json!({
        "job_id": id,
        "snapshot_id": snapshot,
        "operation": operation,
        "status": "in_progress",
        "started_at": started.to_rfc3339_opts(SecondsFormat::Secs, true),
    }));
    if jobs.1.len() > MAX_JOBS {
        jobs.1.remove(0);
    }
    id
}

fn end(jobs: &CloudJobs, id: &str, result: Result<(), CloudError>) {
    let mut jobs = lock(jobs);
    let job = jobs
        .1
        .iter_mut()
        .find(|job| job.get("job_id").and_then(Value::as_str) == Some(id));
    if let Some(job) = job.and_then(Value::as_object_mut) {
        match result {
            Ok(()) => job.insert("status".to_owned(), json!("completed")),
            Err(error) => {
                job.insert("error".to_owned(), json!(error.to_string()));
                job.insert("status".to_owned(), json!("failed"))
            }
        };
        if let Some(started) = job.get("started_at").cloned() {
            job.insert("completed_at".to_owned(), started);
        }
    }
}

/// Does a job on a thread of its own.
fn work(hub: &Shared, id: &str, job: impl FnOnce(&Cloud) -> Result<(), CloudError> + Send + 'static) {
    let jobs = Arc::clone(&hub.cloud_jobs);
    let Some(cloud) = hub.cloud.clone() else {
        // Rehearsed: it is done at once.
        end(&jobs, id, Ok(()));
        return;
    };
    let id = id.to_owned();
    std::thread::spawn(move || end(&jobs, &id, job(&cloud)));
}

/// `upload_snapshot_to_cloud`.
pub(super) fn upload(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    configured(hub)?;
    let snapshot = snapshot(hub, args, &["id", "snapshot_id", "name"])?;
    if snapshot.phase() != Phase::Completed {
        return Err(ToolError::conflict(format!(
            "snapshot `{}` is not completed",
            snapshot.name
        )));
    }
    if let Some(cloud) = &hub.cloud {
        match label(cloud, &snapshot.name) {
            Ok(_) => {
                return Err(ToolError::conflict(format!(
                    "snapshot `{}` already exists in cloud storage",
                    snapshot.name
                )));
            }
            Err(CloudError::Missing(_)) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    let parcel = snapshot.parcel()?;
    let id = begin(hub, &snapshot.id, "upload");
    work(hub, &id, move |cloud| parcel.keep(cloud));
    Ok(json!({"success": true, "job_id": id}).into())
}

/// `download_snapshot_from_cloud`: refuses what is local.
pub(super) fn download(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    configured(hub)?;
    let reference = args.required(&["id", "snapshot_id", "name"])?;
    if let Ok(local) = hub.snapshots.find(reference) {
        return Err(ToolError::conflict(format!(
            "snapshot `{}` already exists locally",
            local.name
        )));
    }
    let Some(cloud) = &hub.cloud else {
        return Err(ToolError::not_found(format!(
            "snapshot `{reference}` not found in cloud storage"
        )));
    };
    let labels = cloud.labels().map_err(refused)?;
    let Some(found) = labels
        .into_iter()
        .find(|label| label.name == reference || label.id == reference)
    else {
        return Err(ToolError::not_found(format!(
            "snapshot `{reference}` not found in cloud storage"
        )));
    };
    let id = begin(hub, &found.id, "download");
    let registry = Arc::clone(&hub.snapshots);
    work(hub, &id, move |cloud| {
        let parcel = Parcel::fetch(cloud, &found.name)?;
        let span = Span {
            start_us: parcel.start_us,
            end_us: parcel.end_us,
        };
        let capture = Capture::restored(parcel.workloads.as_deref(), parcel.nodes)
            .map_err(|error| CloudError::Failed(error.to_string()))?;
        let snapshot = Snapshot::restored(
            &Arc::new(capture),
            parcel.id,
            parcel.name,
            span,
            parcel.created_ms,
        );
        registry.hold(snapshot);
        Ok(())
    });
    Ok(json!({"success": true, "job_id": id}).into())
}

/// Snapshots that lie in cloud storage and not here, as they are listed.
pub(super) fn only_there(hub: &Shared) -> Vec<Value> {
    let Some(cloud) = &hub.cloud else {
        return Vec::new();
    };
    let labels = cloud.labels().unwrap_or_default();
    labels
        .into_iter()
        .filter(|label| hub.snapshots.find(&label.name).is_err())
        .map(|label| {
            let created = DateTime::from_timestamp_millis(label.created_ms).unwrap_or_default();
            json!({
                "id": label.id,
                "name": label.name,
                "status": "cloud-only",
                "size_bytes": label.bytes,
                "created_at": created.to_rfc3339_opts(SecondsFormat::Secs, true),
                "start_ts": label.start_us / 1000,
                "end_ts": label.end_us / 1000,
                "node_count": label.node_count(),
            })
        })
        .collect()
}

/// `get_cloud_job_status`.
pub(super) fn job(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let id = args.required(&["job_id", "id"])?;
    let jobs = lock(&hub.cloud_jobs);
    let found: Option<&Value> = jobs
        .1
        .iter()
        .find(|job| job.get("job_id").and_then(Value::as_str) == Some(id));
    let found = found
        .cloned()
        .ok_or_else(|| ToolError::not_found(format!("cloud job `{id}` not found")))?;
    Ok(found.into())
}
