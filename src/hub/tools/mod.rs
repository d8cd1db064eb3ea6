//! The tools of the contract: what each takes and answers.

pub mod args;
pub mod catalogue;
mod cloud;
mod files;
mod older;
mod queries;
mod snapshots;
mod targets;
mod topology;

use serde_json::{Map, Value};

use super::error::ToolError;
use super::fault::Fault;
use super::hub::Shared;
use args::Args;

/// What a tool answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Json(Value),
    /// A sentence, an address.
    Text(String),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// Tools that the MCP server answers itself, also when the Hub cannot be reached.
pub const LOCAL: [&str; 3] = ["check_kubeshark_status", "get_file_url", "download_file"];

/// Performs one tool call.
pub fn call(hub: &Shared, tool: &str, arguments: Map<String, Value>) -> Result<Answer, ToolError> {
    let args = Args(arguments);
    match tool {
        "check_kubeshark_status" => return Ok(files::status(hub)),
        "start_kubeshark" | "stop_kubeshark" => {
            let why = "This tool requires --allow-destructive flag. Destructive operations are disabled for safety.";
            return Err(ToolError::Local(why.to_owned()));
        }
        _ if hub.faults().has(&Fault::HubToolsMissing) => {
            let why = "Kubeshark is not running. Use the 'start_kubeshark' tool to start it first.";
            return Err(ToolError::Local(why.to_owned()));
        }
        _ if hub.faults().has(&Fault::NeedsToken) => {
            let why = "Hub requires authentication (401/SSO redirect): the --token credential is missing, \
                       expired, or invalid. Pass a token with --token or KUBESHARK_HUB_TOKEN.";
            return Err(ToolError::Local(why.to_owned()));
        }
        _ => {}
    }
    permitted(hub, tool)?;
    if hub.faults().has(&Fault::OlderDialect) {
        return older::call(hub, tool, &args);
    }
    newer(hub, tool, &args)
}

/// The tools of the newer dialect.
fn newer(hub: &Shared, tool: &str, args: &Args) -> Result<Answer, ToolError> {
    match tool {
        "get_file_url" => files::url(hub, args),
        "download_file" => files::download(hub, args),
        "get_data_boundaries" => Ok(snapshots::boundaries(hub)),
        "get_l7_data_boundaries" => Ok(snapshots::l7_boundaries(hub)),
        "create_snapshot" => snapshots::create(hub, args),
        "list_snapshots" => Ok(snapshots::list(hub)),
        "get_snapshot" => snapshots::get(hub, args),
        "start_snapshot_dissection" => snapshots::start_dissection(hub, args),
        "get_snapshot_dissection_status" => snapshots::dissection_status(hub, args),
        "list_snapshot_dissections" => snapshots::list_dissections(hub, args),
        "list_api_calls" => queries::list_calls(hub, args),
        "get_api_call" | "get_api_call_details" => queries::detail(hub, args),
        "get_api_stats" => queries::stats(hub, args),
        "list_l4_flows" => queries::flows(hub, args),
        "get_l4_flow_summary" => queries::flow_summary(hub, args),
        "list_workloads" => topology::workloads(hub, args),
        "list_ips" => topology::ips(hub, args),
        "export_snapshot_pcap" => files::export(hub, args),
        "get_cloud_storage_status" => Ok(cloud::status(hub)),
        "upload_snapshot_to_cloud" => cloud::upload(hub, args),
        "download_snapshot_from_cloud" => cloud::download(hub, args),
        "get_cloud_job_status" => cloud::job(hub, args),
        "get_dissection_status" => Ok(snapshots::live_status(hub)),
        "enable_dissection" | "disable_dissection" => Ok(snapshots::switch_live(hub, tool)),
        other => Err(ToolError::UnknownTool(other.to_owned())),
    }
}

/// Refuses what the rehearsed role may not do.
fn permitted(hub: &Shared, tool: &str) -> Result<(), ToolError> {
    let changes = matches!(
        tool,
        "create_snapshot"
            | "start_snapshot_dissection"
            | "upload_snapshot_to_cloud"
            | "download_snapshot_from_cloud"
            | "enable_dissection"
            | "disable_dissection"
    );
    if changes && hub.faults().has(&Fault::ViewerRole) {
        let message =
            format!("forbidden: role `viewer` may not call `{tool}`; it needs role `snapshot` or `admin`");
        return Err(ToolError::Api { status: 403, message });
    }
    Ok(())
}
