//! Queries over dissected calls and flows.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::super::call::{Call, Parts};
use super::super::entry::Payload;
use super::super::error::ToolError;
use super::super::export::{Cut, packets_of};
use super::super::fault::Fault;
use super::super::flows::{self, Aggregate, FlowFilter};
use super::super::hub::Shared;
use super::super::node::NodeCapture;
use super::super::packet::write_pcap;
use super::super::render::{self, Form};
use super::super::stats;
use super::Answer;
use super::args::Args;
use super::targets::{Query, store, visible};

/// Rows of a list where no `limit` is given, and at most.
const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;
/// Bytes of each body in a detail where `max_payload_size` is not given, and at most.
const DEFAULT_PAYLOAD: i64 = 65_536;
const MAX_PAYLOAD: i64 = 16 << 20;
/// Bytes of packets that a detail carries at most.
const MAX_PCAP: usize = 4 << 20;

fn limit(args: &Args) -> Result<usize, ToolError> {
    let limit = args
        .integer("limit")?
        .filter(|limit| *limit > 0)
        .unwrap_or(DEFAULT_LIMIT);
    Ok(usize::try_from(limit.min(MAX_LIMIT)).unwrap_or(0))
}

/// `list_api_calls`: the oldest matching calls, oldest first; `total` counts every match.
pub(super) fn list_calls(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let form = match args.text(&["format"])?.unwrap_or("compact") {
        "compact" => Form::Compact,
        "full" => Form::Full,
        "raw" => Form::Raw,
        other => {
            let message = format!("parameter `format` must be compact, full or raw, not `{other}`");
            return Err(ToolError::bad_request(message));
        }
    };
    let limit = limit(args)?;
    let group = group_of(args.text(&["group_by"])?)?;
    let Some(query) = Query::read(hub, args)? else {
        return Ok(json!({"calls": [], "total": 0, "truncated": false,
            "note": "live dissection is disabled; pass `snapshot_id` to query a dissected snapshot"})
        .into());
    };
    let mut rows = Vec::new();
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    let mut total: u64 = 0;
    for call in query.calls() {
        total += 1;
        if rows.len() < limit {
            rows.push(render::call(call, form));
        }
        if let Some(group) = group {
            *groups.entry(group(call)).or_default() += 1;
        }
    }
    let truncated = total > rows.len() as u64;
    if hub.faults().has(&Fault::TotalIsReturnedLength) {
        total = rows.len() as u64;
    }
    let mut shown = json!({"calls": rows, "total": total, "truncated": truncated});
    if let (Some(_), Some(shown)) = (group, shown.as_object_mut()) {
        shown.insert("groups".into(), json!(groups));
    }
    Ok(shown.into())
}

/// Names the group of a call.
type GroupOf = fn(&Call) -> String;

/// What a call is counted under by `group_by`.
fn group_of(by: Option<&str>) -> Result<Option<GroupOf>, ToolError> {
    Ok(match by {
        None | Some("none") => None,
        Some("node" | "worker") => Some(|call| call.node.to_string()),
        Some("ns") => Some(|call| call.ends.dst.namespace.clone()),
        Some(other) => {
            let message = format!("parameter `group_by` must be node, ns or worker, not `{other}`");
            return Err(ToolError::bad_request(message));
        }
    })
}

/// `get_api_call`.
pub(super) fn detail(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let id = args.required(&["id"])?;
    let unknown = || ToolError::not_found(format!("API call `{id}` not found"));
    let Some(store) = store(hub, args)? else {
        return Err(unknown());
    };
    let call = store
        .get(id)
        .filter(|call| visible(call, hub.faults().namespace()))
        .ok_or_else(unknown)?;
    if let Some(node) = args.text(&["node_id"])?.filter(|node| **node != *call.node) {
        return Err(ToolError::not_found(format!(
            "API call `{id}` not found on node `{node}`"
        )));
    }
    let size = args
        .integer("max_payload_size")?
        .unwrap_or(DEFAULT_PAYLOAD)
        .clamp(0, MAX_PAYLOAD);
    let size = usize::try_from(size).unwrap_or(0);
    let mut entry = render::call(call, Form::Raw);
    if let Some(entry) = entry.as_object_mut() {
        // The bodies stand beside the entry.
        for body in ["req_body", "resp_body", "req_body_encoding", "resp_body_encoding"] {
            entry.remove(body);
        }
    }
    let mut shown = Map::new();
    shown.insert("entry".into(), entry);
    let mut truncated = false;
    let bodies = match &call.entry.payload {
        Payload::Http(http) => [Some(&http.request_body), Some(&http.response_body)],
        Payload::Line(line) => line.bodies(),
        Payload::Dns(_) | Payload::TcpFlow(_) => [None, None],
    };
    if args.flag("include_payload")?.unwrap_or(true) {
        for (body, name) in bodies.into_iter().zip(["req_body", "resp_body"]) {
            if let Some(body) = body {
                truncated |= render::body(&mut shown, name, body, size);
            }
        }
    }
    shown.insert("truncated".into(), json!(truncated));
    if args.flag("include_l4")?.unwrap_or(true) {
        let flow = store.flow_of(call);
        shown.insert("l4_flow".into(), flow.map_or(Value::Null, l4_flow));
        shown.insert("l4_conn".into(), flow.map_or(Value::Null, l4_conn));
    }
    if args.flag("include_pcap")?.unwrap_or(false) {
        // A call that came as a line has no packets.
        let is_line = matches!(call.entry.payload, Payload::Line(_));
        let (pcap, cut) = if is_line {
            (None, false)
        } else {
            pcap_of(hub, args, call).map(|(pcap, cut)| (Some(pcap), cut))?
        };
        shown.insert("pcap_base64".into(), json!(pcap));
        shown.insert("pcap_truncated".into(), json!(cut));
    }
    Ok(Value::Object(shown).into())
}

fn l4_flow(call: &Call) -> Value {
    let Payload::TcpFlow(flow) = &call.entry.payload else {
        return Value::Null;
    };
    json!({
        "proto": "tcp",
        "client": render::end(&call.ends.src, call.entry.src),
        "server": render::end(&call.ends.dst, call.entry.dst),
        "client_stats": {"tx_pkts": flow.client_packets, "rx_pkts": flow.server_packets,
                         "tx_bytes": flow.client_bytes, "rx_bytes": flow.server_bytes},
        "server_stats": {"tx_pkts": flow.server_packets, "rx_pkts": flow.client_packets,
                         "tx_bytes": flow.server_bytes, "rx_bytes": flow.client_bytes},
        "totals": {"pkts": flow.client_packets + flow.server_packets,
                   "bytes": flow.client_bytes + flow.server_bytes},
    })
}

fn l4_conn(call: &Call) -> Value {
    let (Payload::TcpFlow(flow), Parts::Tcp(parts)) = (&call.entry.payload, &call.parts) else {
        return Value::Null;
    };
    json!({
        "id": call.id,
        "conn_id": call.entry.stream,
        "state": parts.state,
        "error": parts.error,
        "error_message": parts.message,
        "ts": call.entry.ts_us.div_euclid(1000),
        "l7_detected": parts.l7,
        "tcp_metrics": render::tcp_metrics(flow),
    })
}

/// The packets of the connection that carried a call, in base64, and whether some are missing.
fn pcap_of(hub: &Shared, args: &Args, call: &Call) -> Result<(String, bool), ToolError> {
    let reference = args.text(&["db", "snapshot_id", "snapshot"])?.unwrap_or_default();
    let snapshot = hub
        .snapshots
        .find(reference.split('/').next().unwrap_or_default())?;
    let (src, dst) = (call.entry.src, call.entry.dst);
    let filter = format!(
        "host {} and host {} and port {} and port {}",
        src.ip, dst.ip, src.port, dst.port
    );
    let mut packets = packets_of(
        &snapshot,
        &Cut {
            nodes: vec![call.node.to_string()],
            span: None,
            filter,
        },
    )?;
    let mut room = MAX_PCAP;
    let fitting = packets.iter().take_while(|packet| {
        room = room.saturating_sub(packet.data.len() + 16);
        room > 0
    });
    let fitting = fitting.count();
    let cut = fitting < packets.len();
    packets.truncate(fitting);
    let file = write_pcap(&packets).map_err(|error| ToolError::bad_request(error.to_string()))?;
    Ok((base64::engine::general_purpose::STANDARD.encode(file), cut))
}

/// `get_api_stats`.
pub(super) fn stats(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let Some(query) = Query::read(hub, args)? else {
        return Ok(stats::summarise(std::iter::empty()).into());
    };
    let namespace = args.text(&["ns", "namespace"])?;
    let summary = stats::summarise(query.calls().filter(|call| visible(call, namespace)));
    Ok(summary.into())
}

/// The calls of a snapshot's dissection; without a snapshot, of everything the hub holds: flows are
/// counted as packets pass and need no dissection that somebody started.
fn flow_source(hub: &Shared, args: &Args) -> Result<super::super::store::SharedStore, ToolError> {
    Ok(match store(hub, args)? {
        Some(store) => store,
        None => Arc::clone(hub.all_flows()),
    })
}

/// `list_l4_flows`.
pub(super) fn flows(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let by = match args.text(&["aggregate"])?.unwrap_or("pod") {
        "pod" => Aggregate::Pod,
        "namespace" | "ns" => Aggregate::Namespace,
        "node" => Aggregate::Node,
        "service" | "svc" => Aggregate::Service,
        other => {
            let message =
                format!("parameter `aggregate` must be pod, namespace, node or service, not `{other}`");
            return Err(ToolError::bad_request(message));
        }
    };
    let text = |name| Ok::<_, ToolError>(args.text(&[name])?.unwrap_or_default().to_owned());
    let filter = FlowFilter {
        protocol: text("l4proto")?,
        ip: text("ip")?,
        namespace: text("ns")?,
        pod: text("pod")?,
        service: text("svc")?,
    };
    let store = flow_source(hub, args)?;
    let calls = store
        .calls()
        .iter()
        .filter(|call| visible(call, hub.faults().namespace()));
    let mut shown = flows::list(calls, &filter, by, limit(args)?);
    // An empty list must not read as "nobody talked to anybody".
    let lines = hub.capture.nodes.iter().any(NodeCapture::has_lines);
    if let (true, Some(shown)) = (lines, shown.as_object_mut()) {
        let note =
            "calls of this source came as lines: flows are known only where a line tells of a connection";
        shown.insert("note".into(), json!(note));
    }
    Ok(shown.into())
}

/// `get_l4_flow_summary`.
pub(super) fn flow_summary(hub: &Shared, args: &Args) -> Result<Answer, ToolError> {
    let store = flow_source(hub, args)?;
    let calls = store
        .calls()
        .iter()
        .filter(|call| visible(call, hub.faults().namespace()));
    Ok(flows::summary(&calls).into())
}
