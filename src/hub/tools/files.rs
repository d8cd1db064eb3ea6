//! Status, exports and downloads.

use std::path::Path;

use serde_json::{Value, json};

use super::super::capture::Span;
use super::super::error::ToolError;
use super::super::export::{Cut, write_file};
use super::super::fault::Fault;
use super::super::hub::Shared;
use super::super::node::NodeCapture;
use super::super::snapshot::Phase;
use super::Answer;
use super::args::Args;
use super::targets::snapshot;

/// `check_kubeshark_status`: prose.
pub(super) fn status(hub: &Shared) -> Answer {
    if hub.faults().has(&Fault::HubToolsMissing) {
        return Answer::Text("Kubeshark is not running in namespace 'default'.".to_owned());
    }
    let cluster = if hub.capture.cluster.is_empty() {
        String::new()
    } else {
        format!(" of cluster `{}`", hub.capture.cluster)
    };
    let nodes = match hub.capture.nodes.len() {
        1 => "1 node".to_owned(),
        many => format!("{many} nodes"),
    };
    let mut text = format!(
        "Kubeshark is accessible at {} (embedded hub over a recorded capture{cluster}, {nodes})",
        hub.base_url()
    );
    for problem in &hub.capture.problems {
        text.push_str("\nProblem: ");
        text.push_str(problem);
    }
    Answer::Text(text)
}

/// `export_snapshot_pcap`.
pub(super) fn export(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let snapshot = snapshot(hub, args, &["id", "snapshot_id", "name"])?;
    if snapshot.phase() != Phase::Completed {
        return Err(ToolError::conflict(format!(
            "snapshot `{}` is not completed",
            snapshot.name
        )));
    }
    let mut nodes = snapshot.nodes();
    if nodes.all(|node| node.packet_count() == 0) && snapshot.nodes().any(NodeCapture::has_lines) {
        return Err(ToolError::conflict(format!(
            "snapshot `{}` holds no packets to export: its calls came as lines, without them",
            snapshot.name
        )));
    }
    let (start, end) = (args.ms_as_us("start_time")?, args.ms_as_us("end_time")?);
    let span = (start.is_some() || end.is_some()).then(|| Span {
        start_us: start.unwrap_or(i64::MIN),
        end_us: end.unwrap_or(i64::MAX),
    });
    let filter = args.text(&["bpf_filter"])?.unwrap_or_default().to_owned();
    let export = hub.exports.cut(
        &snapshot,
        &Cut {
            nodes: args.texts("nodes")?,
            span,
            filter,
        },
    )?;
    Ok(json!({
        "path": export.path,
        "packets": export.packets,
        "size_bytes": export.file.len(),
        "merged_files": export.nodes,
    })
    .into())
}

fn full_url(hub: &Shared, path: &str) -> String {
    format!(
        "{}/{}",
        hub.base_url().trim_end_matches('/'),
        path.trim_start_matches('/')
    )
}

/// `get_file_url`.
pub(super) fn url(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let path = path(args)?;
    Ok(Answer::Text(full_url(hub, path)))
}

fn path(args: &Args) -> Result<&str, ToolError> {
    args.text(&["path"])?
        .ok_or_else(|| ToolError::Local("Error: 'path' parameter is required".to_owned()))
}

/// `download_file`: writes to the machine the server runs on.
pub(super) fn download(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let path = path(args)?;
    let export = hub.exports.find(path)?;
    let name = export.path.rsplit('/').next().unwrap_or("export.pcap");
    let dest = args.text(&["dest"])?.unwrap_or(name);
    write_file(Path::new(dest), &export.file)?;
    let shown: Value = json!({"url": full_url(hub, path), "path": dest, "size": export.file.len()});
    Ok(shown.into())
}
