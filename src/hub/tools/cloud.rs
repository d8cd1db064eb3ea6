//! Cloud storage: not configured, unless it is rehearsed; then uploads are jobs that complete at once.

use serde_json::{Value, json};

use super::super::error::ToolError;
use super::super::fault::Fault;
use super::super::hub::Shared;
use super::super::snapshot::{Phase, lock};
use super::Answer;
use super::args::Args;
use super::targets::snapshot;

/// Jobs kept at most; the oldest goes first.
const MAX_JOBS: usize = 1000;

/// `get_cloud_storage_status`.
pub(super) fn status(hub: &Shared) -> Answer {
    if hub.faults().has(&Fault::CloudOn) {
        json!({"enabled": true, "provider": "s3", "connected": true}).into()
    } else {
        json!({"enabled": false, "provider": null, "connected": false}).into()
    }
}

fn configured(hub: &Shared) -> Result<(), ToolError> {
    if hub.faults().has(&Fault::CloudOn) {
        return Ok(());
    }
    Err(ToolError::bad_request("cloud storage is not configured"))
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
    let mut jobs = lock(&hub.cloud_jobs);
    let number = jobs.0 + 1;
    jobs.0 = number;
    let job_id = format!("job-{number}");
    jobs.1.push(json!({
        "job_id": job_id,
        "snapshot_id": snapshot.id,
        "operation": "upload",
        "status": "completed",
        "started_at": snapshot.created_ms,
        "completed_at": snapshot.created_ms,
    }));
    if jobs.1.len() > MAX_JOBS {
        jobs.1.remove(0);
    }
    Ok(json!({"success": true, "job_id": job_id}).into())
}

/// `download_snapshot_from_cloud`: all snapshots of this hub are local.
pub(super) fn download(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    configured(hub)?;
    let snapshot = snapshot(hub, args, &["id", "snapshot_id", "name"])?;
    Err(ToolError::conflict(format!(
        "snapshot `{}` already exists locally",
        snapshot.name
    )))
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
