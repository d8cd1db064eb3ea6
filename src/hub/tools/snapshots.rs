//! Boundaries, snapshots and their dissections.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value, json};

use super::super::capture::Span;
use super::super::dissection::Dissection;
use super::super::error::ToolError;
use super::super::fault::Fault;
use super::super::hub::Shared;
use super::super::node::NodeCapture;
use super::super::packet::headers::Skip;
use super::super::snapshot::{Phase, Request, Snapshot};
use super::Answer;
use super::args::{Args, duration_us, go_duration};
use super::targets::{SNAPSHOT, snapshot};

fn span_in_ms(span: Option<Span>) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("oldest_ts".into(), json!(span.map(|span| span.start_us / 1000)));
    shown.insert("newest_ts".into(), json!(span.map(|span| span.end_us / 1000)));
    shown
}

/// `get_data_boundaries`.
pub(super) fn boundaries(hub: &Shared) -> Answer {
    if hub.faults().has(&Fault::RawCaptureOff) {
        return json!({"cluster": span_in_ms(None), "nodes": []}).into();
    }
    let nodes: Vec<Value> = hub
        .capture
        .nodes
        .iter()
        .map(|node| {
            let mut shown = Map::new();
            shown.insert("name".into(), json!(node.name));
            shown.extend(span_in_ms(node.span()));
            Value::Object(shown)
        })
        .collect();
    let mut shown = json!({"cluster": span_in_ms(hub.capture.span()), "nodes": nodes});
    problems(hub, &mut shown);
    shown.into()
}

/// Tells what of the capture could not be read.
pub(super) fn problems(hub: &Shared, shown: &mut Value) {
    if let (false, Some(shown)) = (hub.capture.problems.is_empty(), shown.as_object_mut()) {
        shown.insert("problems".into(), json!(hub.capture.problems));
    }
}

/// `get_l7_data_boundaries`.
pub(super) fn l7_boundaries(hub: &Shared) -> Answer {
    let nodes = hub.capture.nodes.iter().map(|node| {
        let mut shown = Map::new();
        shown.insert("name".into(), json!(node.name));
        shown.extend(span_in_ms(hub.live_part(node.span())));
        Value::Object(shown)
    });
    let nodes: Vec<Value> = nodes.collect();
    let cluster = span_in_ms(hub.live_part(hub.capture.span()));
    json!({"dissection_enabled": hub.is_live_on(), "cluster": cluster, "nodes": nodes}).into()
}

/// `get_dissection_status`.
pub(super) fn live_status(hub: &Shared) -> Answer {
    json!({"enabled": hub.is_live_on()}).into()
}

/// `enable_dissection`, `disable_dissection`: of what comes from then on, and to a recorded capture nothing comes.
pub(super) fn switch_live(hub: &Shared, tool: &str) -> Answer {
    hub.switch_live(tool == "enable_dissection");
    live_status(hub)
}

/// `create_snapshot`, begun.
pub(super) fn begin(hub: &Shared, args: &Args) -> Result<Arc<Snapshot>, ToolError> {
    if hub.faults().has(&Fault::RawCaptureOff) {
        return Err(ToolError::bad_request(
            "no raw capture data available: raw capture is not enabled",
        ));
    }
    let duration = match args.text(&["duration"])? {
        Some(text) => Some(duration_us(text).filter(|us| *us > 0).ok_or_else(|| {
            ToolError::bad_request(format!(
                "parameter `duration` must be like `30m` or `1h30m`, not `{text}`"
            ))
        })?),
        None => None,
    };
    let (start, end) = (args.ms_as_us("start_time")?, args.ms_as_us("end_time")?);
    let now = hub.now_us();
    let span = match (start, end, duration) {
        (None, None, None) => {
            return Err(ToolError::bad_request(
                "`start_time` and `end_time`, or `duration`, are required",
            ));
        }
        (None, None, Some(duration)) => Span {
            start_us: now.saturating_sub(duration),
            end_us: now,
        },
        (Some(start_us), None, Some(duration)) => Span {
            start_us,
            end_us: start_us.saturating_add(duration),
        },
        (start, end, _) => Span {
            start_us: start.unwrap_or(0),
            end_us: end.unwrap_or(now),
        },
    };
    let name = args.text(&["name"])?.map(str::to_owned);
    hub.snapshots.create(Request {
        name,
        span: Some(span),
        nodes: args.texts("nodes")?,
    })
}

/// `create_snapshot`.
pub(super) fn create(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let snapshot = begin(hub, args)?;
    Ok(json!({"id": snapshot.id, "name": snapshot.name, "status": "in_progress"}).into())
}

/// A snapshot as it is listed.
pub(super) fn show(snapshot: &Snapshot) -> Map<String, Value> {
    let (_, bytes) = snapshot.size();
    let (status, error) = match snapshot.phase() {
        Phase::Completed => ("completed", None),
        Phase::Failed(why) => ("failed", Some(why)),
        Phase::Pending | Phase::Running => ("in_progress", None),
    };
    let created = DateTime::from_timestamp_millis(snapshot.created_ms).unwrap_or_default();
    let mut shown = Map::new();
    shown.insert("id".into(), json!(snapshot.id));
    shown.insert("name".into(), json!(snapshot.name));
    shown.insert("status".into(), json!(status));
    shown.insert("progress".into(), json!(snapshot.progress()));
    shown.insert("size_bytes".into(), json!(bytes));
    shown.insert(
        "created_at".into(),
        json!(created.to_rfc3339_opts(SecondsFormat::Secs, true)),
    );
    shown.insert(
        "duration".into(),
        json!(go_duration(snapshot.span.end_us - snapshot.span.start_us)),
    );
    shown.insert("start_ts".into(), json!(snapshot.span.start_us / 1000));
    shown.insert("end_ts".into(), json!(snapshot.span.end_us / 1000));
    shown.insert("node_count".into(), json!(snapshot.nodes().count()));
    if let Some(error) = error {
        shown.insert("error".into(), json!(error));
    }
    shown
}

/// `list_snapshots`.
pub(super) fn list(hub: &Shared) -> Answer {
    let all: Vec<Value> = hub
        .snapshots
        .list()
        .iter()
        .map(|one| Value::Object(show(one)))
        .chain(super::cloud::only_there(hub))
        .collect();
    let mut shown = json!({"snapshots": all});
    problems(hub, &mut shown);
    shown.into()
}

/// `get_snapshot`.
pub(super) fn get(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let snapshot = snapshot(hub, args, &["id", "name", "snapshot_id"])?;
    let mut shown = show(&snapshot);
    shown.insert("packet_count".into(), json!(snapshot.size().0));
    if snapshot.nodes().any(NodeCapture::has_lines) {
        shown.insert("call_count".into(), json!(snapshot.call_count()));
    }
    let nodes: Vec<_> = snapshot.nodes().map(|node| &*node.name).collect();
    shown.insert("nodes".into(), json!(nodes));
    Ok(Value::Object(shown).into())
}

/// The contract's word for how far a dissection is.
pub(super) fn status(phase: &Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Running => "running",
        Phase::Completed => "completed",
        Phase::Failed(why) if why == "cancelled" => "cancelled",
        Phase::Failed(_) => "failed",
    }
}

/// Whether it still works.
pub(super) fn active(phase: &Phase) -> bool {
    matches!(phase, Phase::Pending | Phase::Running)
}

/// `start_snapshot_dissection`.
pub(super) fn start_dissection(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let snapshot = snapshot(hub, args, &SNAPSHOT)?;
    let dissection = hub.snapshots.dissect(&snapshot, args.text(&["name"])?)?;
    let phase = dissection.phase();
    Ok(json!({
        "dissection_id": dissection.id,
        "snapshot": snapshot.name,
        "name": dissection.name,
        "active": active(&phase),
        "progress": dissection.progress(),
        "status": status(&phase),
    })
    .into())
}

/// The dissection that a status is asked of.
pub(super) fn asked_dissection(
    hub: &Shared,
    args: &Args,
) -> Result<(Arc<Snapshot>, Arc<Dissection>), ToolError> {
    let snapshot = snapshot(hub, args, &SNAPSHOT)?;
    let dissection = snapshot.dissection(args.text(&["name"])?).ok_or_else(|| {
        ToolError::not_found(format!(
            "snapshot `{}` has no dissection; start one with `start_snapshot_dissection`",
            snapshot.name
        ))
    })?;
    Ok((snapshot, dissection))
}

/// `get_snapshot_dissection_status`.
pub(super) fn dissection_status(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let (snapshot, dissection) = asked_dissection(hub, args)?;
    let phase = dissection.phase();
    let counts: Map<String, Value> = dissection
        .store()
        .map(|store| {
            store
                .protocol_counts()
                .into_iter()
                .map(|(name, count)| (name.to_owned(), json!(count)))
                .collect()
        })
        .unwrap_or_default();
    Ok(json!({
        "dissection_id": dissection.id,
        "snapshot": snapshot.name,
        "name": dissection.name,
        "status": status(&phase),
        "active": active(&phase),
        "progress": dissection.progress(),
        "stats": {
            "packets_processed": dissection.processed(),
            "entries_created": dissection.entries(),
            "protocol_counts": counts,
            "not_dissected": not_dissected(&dissection),
        },
        "errors": dissection.errors(),
    })
    .into())
}

/// What was in the packets and led to no entry: a gap in the capture explains a missing call.
fn not_dissected(dissection: &Dissection) -> Value {
    let mut skipped: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut lost, mut orphans, mut evicted) = (0, 0, 0);
    for node in dissection.read() {
        for (why, packets) in node.skipped {
            *skipped.entry(reason(why)).or_default() += packets;
        }
        lost += node.lost_bytes;
        orphans += node.http_orphans + node.dns_orphans;
        evicted += node.evicted;
    }
    json!({
        "packets": skipped,
        "stream_bytes_not_captured": lost,
        "responses_without_request": orphans,
        "connections_evicted": evicted,
    })
}

fn reason(skip: Skip) -> &'static str {
    match skip {
        Skip::NotIp => "not IP",
        Skip::UnsupportedLink => "link layer not read",
        Skip::Malformed => "malformed",
        Skip::Fragment => "incomplete fragments",
        Skip::OtherTransport => "neither TCP nor UDP",
        Skip::OtherUdp => "UDP other than DNS",
        Skip::MulticastDns => "multicast DNS",
        Skip::Duplicate => "captured twice",
    }
}

/// `list_snapshot_dissections`.
pub(super) fn list_dissections(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let snapshots = match args.text(&SNAPSHOT)? {
        Some(reference) => vec![hub.snapshots.find(reference)?],
        None => hub.snapshots.list(),
    };
    let mut shown = Vec::new();
    for snapshot in snapshots {
        for dissection in snapshot.dissections() {
            shown.push(json!({
                "snapshot": snapshot.name,
                "snapshot_id": snapshot.id,
                "name": dissection.name,
                "dissection_id": dissection.id,
                "status": status(&dissection.phase()),
                "progress": dissection.progress(),
                "entry_count": dissection.entries(),
            }));
        }
    }
    Ok(json!({"dissections": shown}).into())
}
