//! Every name that a version of the server has been seen to use, the usual one first. From the
//! public command line tool, documentation and skills of Kubeshark, mid 2026.

use crate::wire::Operation;

/// A thing with all its names.
pub(super) type Names = &'static [&'static str];

const CALL_LIST: Names = &["list_api_calls"];
const CALL_DETAIL: Names = &["get_api_call", "get_api_call_details"];
const BOUNDARIES: Names = &["get_data_boundaries"];
const CREATE: Names = &["create_snapshot"];
const SNAPSHOTS: Names = &["list_snapshots"];
const GET_SNAPSHOT: Names = &["get_snapshot"];
const START_DISSECTION: Names = &["start_snapshot_dissection"];
const DISSECTION_STATUS: Names = &["get_snapshot_dissection_status"];

/// What no investigation can do without.
pub(super) const ESSENTIAL: &[Names] = &[
    BOUNDARIES,
    CREATE,
    SNAPSHOTS,
    GET_SNAPSHOT,
    START_DISSECTION,
    DISSECTION_STATUS,
    CALL_LIST,
    CALL_DETAIL,
];

/// The tools that perform an operation.
pub(super) fn tools(operation: &Operation) -> Names {
    match operation {
        Operation::CheckStatus => &["check_kubeshark_status"],
        Operation::DataBoundaries => BOUNDARIES,
        Operation::L7DataBoundaries => &["get_l7_data_boundaries"],
        Operation::ListSnapshots => SNAPSHOTS,
        Operation::CreateSnapshot { .. } => CREATE,
        Operation::GetSnapshot { .. } => GET_SNAPSHOT,
        Operation::ListDissections { .. } => &["list_snapshot_dissections"],
        Operation::StartDissection { .. } => START_DISSECTION,
        Operation::DissectionStatus { .. } => DISSECTION_STATUS,
        Operation::ApiStats { .. } => &["get_api_stats"],
        Operation::CountCalls { .. } | Operation::ListCalls { .. } => CALL_LIST,
        Operation::CallDetail { .. } => CALL_DETAIL,
        Operation::ListFlows { .. } => &["list_l4_flows"],
        Operation::ListWorkloads { .. } => &["list_workloads"],
        Operation::ListIps { .. } => &["list_ips"],
        Operation::ExportPcap { .. } => &["export_snapshot_pcap"],
        Operation::DownloadFile { .. } => &["download_file"],
        Operation::CloudStorageStatus => &["get_cloud_storage_status"],
        Operation::UploadSnapshot { .. } => &["upload_snapshot_to_cloud"],
        Operation::DownloadSnapshot { .. } => &["download_snapshot_from_cloud"],
        Operation::CloudJobStatus { .. } => &["get_cloud_job_status"],
        Operation::LiveDissectionStatus => &["get_dissection_status"],
        Operation::EnableLiveDissection => &["enable_dissection"],
    }
}

/// The snapshot, for tools about snapshots. `name` comes last: beside `snapshot` it is the
/// dissection's.
pub(super) const SNAPSHOT: Names = &["id", "snapshot_id", "snapshot", "snapshot_name", "name"];
/// The snapshot, for tools that look into one; `db` is SNAPSHOT/DISSECTION.
pub(super) const QUERIED_SNAPSHOT: Names = &["snapshot_id", "snapshot", "db", "snapshot_name"];
/// The parameters among the above that take a name rather than an id.
pub(super) const BY_NAME: Names = &["name", "snapshot_name"];
pub(super) const DISSECTION: Names = &["dissection", "dissection_name", "dissection_id", "name"];
pub(super) const SNAPSHOT_NAME: Names = &["name", "snapshot_name"];
pub(super) const START: Names = &["start", "start_time", "start_ts", "from", "since"];
pub(super) const END: Names = &["end", "end_time", "end_ts", "to", "until"];
pub(super) const DURATION: Names = &["duration"];
pub(super) const NODES: Names = &["nodes", "node_names", "node"];
pub(super) const FILTER: Names = &["kfl", "filter", "query", "kfl_filter"];
pub(super) const LIMIT: Names = &["limit", "max_results", "count"];
pub(super) const FORMAT: Names = &["format"];
pub(super) const CALL_ID: Names = &["id", "call_id", "entry_id"];
pub(super) const NODE_ID: Names = &["node_id", "node"];
pub(super) const PAYLOAD: Names = &["include_payload", "include_body", "include_bodies"];
pub(super) const FLOW: Names = &["include_l4"];
pub(super) const MAX_PAYLOAD: Names = &["max_payload_size", "max_payload_bytes"];
pub(super) const AGGREGATE: Names = &["aggregate"];
pub(super) const NAMESPACES: Names = &["namespaces"];
pub(super) const NAMESPACE: Names = &["namespace", "ns"];
pub(super) const WORKLOAD: Names = &["name"];
pub(super) const NAME_REGEX: Names = &["name_regex", "regex"];
pub(super) const KIND: Names = &["type", "kind"];
pub(super) const LABELS: Names = &["labels", "label_selector"];
pub(super) const IP: Names = &["ip"];
pub(super) const BPF: Names = &["bpf_filter", "bpf", "filter"];
pub(super) const PATH: Names = &["path"];
pub(super) const DEST: Names = &["dest", "destination"];
pub(super) const JOB: Names = &["job_id", "id"];
