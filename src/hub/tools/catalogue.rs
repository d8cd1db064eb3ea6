//! The list of tools with the schemas of their arguments, in the newer and the older dialect.

use serde_json::{Map, Value, json};

/// A tool as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    pub name: &'static str,
    pub description: &'static str,
    /// A JSON schema of type object.
    pub input_schema: Map<String, Value>,
}

/// An argument: name, schema, whether it must be given.
type Argument = (&'static str, Value, bool);

fn tool(name: &'static str, description: &'static str, arguments: &[Argument]) -> ToolSpec {
    let properties: Map<String, Value> = arguments
        .iter()
        .map(|(name, schema, _)| ((*name).to_owned(), schema.clone()))
        .collect();
    let required: Vec<&str> = arguments
        .iter()
        .filter(|(_, _, required)| *required)
        .map(|(name, _, _)| *name)
        .collect();
    let mut input_schema = Map::new();
    input_schema.insert("type".into(), json!("object"));
    input_schema.insert("properties".into(), Value::Object(properties));
    if !required.is_empty() {
        input_schema.insert("required".into(), json!(required));
    }
    ToolSpec {
        name,
        description,
        input_schema,
    }
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn choice(description: &str, of: &[&str]) -> Value {
    json!({"type": "string", "enum": of, "description": description})
}

fn integer(description: &str) -> Value {
    json!({"type": "integer", "description": description})
}

fn flag(description: &str) -> Value {
    json!({"type": "boolean", "description": description})
}

fn texts(description: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "description": description})
}

fn pairs(description: &str) -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}, "description": description})
}

const START: &str = "Beginning of the time window, Unix milliseconds";
const END: &str = "End of the time window (exclusive), Unix milliseconds";
const KFL: &str = "KFL2 filter, for example: http && dst.pod.namespace == \"shop\" && status_code >= 500";
const SNAPSHOT_ID: &str =
    "Id or name of a snapshot whose dissection is completed; without it live traffic is queried";

const FLOWS_OF: &str = "Id or name of a dissected snapshot; without it all that was captured counts";

fn local() -> Vec<ToolSpec> {
    vec![
        tool(
            "check_kubeshark_status",
            "Tells whether Kubeshark is running and accessible. Read-only.",
            &[(
                "release_namespace",
                text("Namespace of the Kubeshark release (default: 'default')"),
                false,
            )],
        ),
        tool(
            "get_file_url",
            "Turns a relative file path that a tool returned into a full download URL.",
            &[(
                "path",
                text("Relative path, as export_snapshot_pcap returns it"),
                true,
            )],
        ),
        tool(
            "download_file",
            "Downloads a file by the relative path that a tool returned, and writes it to the local file system. \
             An existing file is not overwritten.",
            &[
                (
                    "path",
                    text("Relative path, as export_snapshot_pcap returns it"),
                    true,
                ),
                (
                    "dest",
                    text("Where to write it (default: the file's name in the current directory)"),
                    false,
                ),
            ],
        ),
    ]
}

fn cloud() -> Vec<ToolSpec> {
    let id = || ("id", text("Id or name of the snapshot"), true);
    vec![
        tool(
            "get_cloud_storage_status",
            "Tells whether cloud storage is configured and connected.",
            &[],
        ),
        tool(
            "upload_snapshot_to_cloud",
            "Uploads a snapshot to cloud storage. Asynchronous: ask get_cloud_job_status.",
            &[id()],
        ),
        tool(
            "download_snapshot_from_cloud",
            "Downloads a snapshot from cloud storage. Fails when it is already local. Asynchronous.",
            &[id()],
        ),
        tool(
            "get_cloud_job_status",
            "State of an upload or a download.",
            &[("job_id", text("Id of the job"), true)],
        ),
    ]
}

fn live() -> Vec<ToolSpec> {
    vec![
        tool(
            "get_dissection_status",
            "Tells whether live traffic is dissected.",
            &[],
        ),
        tool(
            "enable_dissection",
            "Switches the dissection of live traffic on; it works forward only.",
            &[],
        ),
        tool(
            "disable_dissection",
            "Switches the dissection of live traffic off.",
            &[],
        ),
    ]
}

fn flows() -> Vec<ToolSpec> {
    vec![
        tool(
            "list_l4_flows",
            "TCP and UDP flows between workloads, the largest first.",
            &[
                (
                    "format",
                    choice("How much of each flow", &["compact", "full"]),
                    false,
                ),
                (
                    "aggregate",
                    choice(
                        "What flows are added up by",
                        &["pod", "namespace", "node", "service"],
                    ),
                    false,
                ),
                ("l4proto", choice("Protocol", &["tcp", "udp"]), false),
                ("ip", text("Either end has this address"), false),
                ("ns", text("Either end is in this namespace"), false),
                ("pod", text("Either end is this pod"), false),
                ("svc", text("Either end is this service"), false),
                (
                    "limit",
                    integer("Flows at most (default 100, maximum 1000)"),
                    false,
                ),
                ("snapshot_id", text(FLOWS_OF), false),
            ],
        ),
        tool(
            "get_l4_flow_summary",
            "Totals of all flows, the largest, and those across namespaces.",
            &[("snapshot_id", text(FLOWS_OF), false)],
        ),
    ]
}

fn topology() -> Vec<ToolSpec> {
    let filters = || {
        vec![
            ("snapshot_id", text("Snapshot whose time counts"), false),
            ("namespaces", texts("Namespaces to look in"), false),
            (
                "name_regex",
                text("Regular expression that the name matches"),
                false,
            ),
            ("labels", pairs("Labels that the workload has"), false),
            (
                "timestamp",
                integer("Existing at that time, Unix milliseconds"),
                false,
            ),
        ]
    };
    let mut workloads = vec![
        ("name", text("Exact name, together with namespace"), false),
        ("namespace", text("Namespace of the workload named"), false),
        ("type", choice("Kind of workload", &["pod", "service"]), false),
    ];
    workloads.extend(filters());
    let mut ips = vec![("ip", text("A single address to resolve"), false)];
    ips.extend(filters());
    vec![
        tool(
            "list_workloads",
            "Workloads with their labels and addresses over time.",
            &workloads,
        ),
        tool("list_ips", "Addresses and whose they were over time.", &ips),
    ]
}

fn export() -> ToolSpec {
    tool(
        "export_snapshot_pcap",
        "Cuts packets out of a snapshot into one PCAP file, merged by time. Returns a relative path for download_file.",
        &[
            ("id", text("Id or name of the snapshot"), true),
            (
                "nodes",
                texts("Nodes whose packets are wanted (default: all)"),
                false,
            ),
            (
                "bpf_filter",
                text("Packet filter as of tcpdump, for example: host 10.0.53.101 and port 8080"),
                false,
            ),
            ("start_time", integer(START), false),
            ("end_time", integer(END), false),
        ],
    )
}

fn list_calls(target: Argument) -> ToolSpec {
    tool(
        "list_api_calls",
        "API calls, DNS lookups and TCP connections that match a KFL filter, oldest first. `total` counts every match.",
        &[
            ("kfl", text(KFL), false),
            (
                "limit",
                json!({"type": "integer", "default": 100, "maximum": 1000, "description": "Calls at most; there is no cursor"}),
                false,
            ),
            (
                "format",
                choice("How much of each call", &["compact", "full", "raw"]),
                false,
            ),
            (
                "group_by",
                choice("Also count the matches by this", &["node", "ns", "worker"]),
                false,
            ),
            ("start", integer(START), false),
            ("end", integer(END), false),
            target,
        ],
    )
}

/// The tools of the newer dialect.
pub fn newer() -> Vec<ToolSpec> {
    let snapshot_id = || ("snapshot_id", text("Id or name of the snapshot"), true);
    let target = || ("snapshot_id", text(SNAPSHOT_ID), false);
    let mut tools = local();
    tools.extend([
        tool("get_data_boundaries", "What raw packets the cluster and each node still hold, Unix milliseconds.", &[]),
        tool("get_l7_data_boundaries", "What dissected live traffic there is, and whether live dissection is on.", &[]),
        tool(
            "create_snapshot",
            "Freezes the traffic of a time window. One at a time; ask get_snapshot until it is completed.",
            &[
                ("name", text("Name of the snapshot"), false),
                ("start_time", integer(START), false),
                ("end_time", integer(END), false),
                ("duration", text("Instead of a window: this long until now, for example 30m"), false),
                ("nodes", texts("Nodes to include (default: all)"), false),
            ],
        ),
        tool("list_snapshots", "All local snapshots.", &[]),
        tool("get_snapshot", "One snapshot with its state.", &[("id", text("Id or name of the snapshot"), true)]),
        tool(
            "start_snapshot_dissection",
            "Starts to dissect a completed snapshot; it never starts by itself. Ask get_snapshot_dissection_status.",
            &[snapshot_id(), ("name", text("Name of the dissection (default: default)"), false)],
        ),
        tool(
            "get_snapshot_dissection_status",
            "State and progress of a snapshot's dissection.",
            &[snapshot_id(), ("name", text("Name of the dissection (default: the newest)"), false)],
        ),
        tool(
            "list_snapshot_dissections",
            "Dissections of one or of all snapshots.",
            &[("snapshot_id", text("Id or name of the snapshot"), false)],
        ),
        list_calls(target()),
        tool(
            "get_api_call",
            "One call with headers, bodies, its flow and its connection.",
            &[
                ("id", text("Id of the call, as listed"), true),
                ("node_id", text("Node of the call, as listed in full form"), false),
                ("include_payload", flag("With bodies (default true)"), false),
                ("include_l4", flag("With flow and connection (default true)"), false),
                ("include_pcap", flag("With the packets of its connection in base64 (default false)"), false),
                ("max_payload_size", integer("Bytes of each body at most (default 65536)"), false),
                ("snapshot_id", text(SNAPSHOT_ID), false),
            ],
        ),
        tool(
            "get_api_stats",
            "Calls, error rates and latency percentiles per service and per edge, over all matches.",
            &[("kfl", text(KFL), false), ("start", integer(START), false), ("end", integer(END), false), target()],
        ),
    ]);
    tools.extend(flows());
    tools.extend(topology());
    tools.push(export());
    tools.extend(cloud());
    tools.extend(live());
    tools
}

/// The tools of the older dialect.
pub fn older() -> Vec<ToolSpec> {
    let snapshot = || ("snapshot", text("Name of the snapshot"), true);
    let db = || {
        (
            "db",
            text("SNAPSHOT/DISSECTION to query; without it live traffic is queried"),
            false,
        )
    };
    let mut tools = local();
    tools.extend([
        tool(
            "get_data_boundaries",
            "What raw packets the cluster and each node still hold, Unix milliseconds.",
            &[],
        ),
        tool(
            "create_snapshot",
            "Freezes the traffic of a time window.",
            &[
                ("name", text("Name of the snapshot"), true),
                ("start_time", integer(START), true),
                ("end_time", integer(END), true),
                ("nodes", texts("Nodes to include (default: all)"), false),
            ],
        ),
        tool("list_snapshots", "All local snapshots.", &[]),
        tool(
            "get_snapshot",
            "One snapshot with its state.",
            &[("name", text("Name of the snapshot"), true)],
        ),
        tool(
            "start_snapshot_dissection",
            "Starts to dissect a snapshot.",
            &[snapshot(), ("name", text("Name of the dissection"), true)],
        ),
        tool(
            "get_snapshot_dissection_status",
            "Progress of a snapshot's dissection.",
            &[snapshot(), ("name", text("Name of the dissection"), true)],
        ),
        tool("list_snapshot_dissections", "Dissections of all snapshots.", &[]),
        list_calls(db()),
        tool(
            "get_api_call",
            "One call.",
            &[("id", text("Id of the call"), true), db()],
        ),
        tool(
            "get_api_stats",
            "Calls, error rates and latency percentiles.",
            &[("kfl", text(KFL), false), ("ns", text("Namespace"), false), db()],
        ),
    ]);
    tools.extend(flows());
    tools.extend(topology());
    tools.push(export());
    tools.extend(cloud());
    tools.extend(live());
    tools
}
