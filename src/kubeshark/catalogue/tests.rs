use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    time::Window,
    wire::{CallForm, Scope, SnapshotRef},
};

fn at(text: &str) -> Utc {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn now() -> Utc {
    at("2026-03-14T17:00:00Z")
}

fn window() -> Window {
    Window {
        start: at("2026-03-14T16:00:00Z"),
        end: at("2026-03-14T16:30:00.0005Z"),
    }
}

fn snapshot() -> SnapshotRef {
    SnapshotRef {
        id: "s-1".to_owned(),
        name: "incident".to_owned(),
    }
}

fn scope(filter: &str) -> Scope {
    Scope {
        snapshot: Some(snapshot()),
        dissection: Some("first".to_owned()),
        filter: filter.to_owned(),
        window: Some(window()),
    }
}

fn tool(name: &str, schema: Value) -> ToolSchema {
    ToolSchema {
        name: name.to_owned(),
        description: String::new(),
        input_schema: schema,
    }
}

/// A tool whose parameters are given as `name: type`.
fn typed(name: &str, parameters: &[(&str, &str)]) -> ToolSchema {
    let properties: Map<String, Value> = parameters
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), json!({"type": kind})))
        .collect();
    tool(
        name,
        json!({"type": "object", "properties": properties, "additionalProperties": false}),
    )
}

/// The call's tool and arguments on one line, or the error.
fn said(tools: Vec<ToolSchema>, operation: &Operation) -> String {
    match Catalogue::from_tools(tools).request(operation, now()) {
        Ok(request) => format!("{} {}", request.tool, Value::Object(request.arguments)),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn a_list_of_calls_in_every_dialect() {
    let ask = Operation::ListCalls {
        scope: scope("http && status_code >= 500"),
        limit: 5000,
        form: CallForm::Raw,
    };
    assert_snapshot!(said(vec![tool("list_api_calls", json!({"type": "object", "properties": {
        "kfl": {"type": "string"}, "limit": {"type": "integer", "maximum": 1000},
        "format": {"enum": ["compact", "full", "raw"]}, "start": {"type": "integer"}, "end": {"type": "number"},
        "snapshot_id": {"type": "string"}, "db": {"type": "string"}, "group_by": {"type": "string"},
    }}))], &ask), @r#"list_api_calls {"snapshot_id":"s-1","start":1773504000000,"end":1773505800001,"kfl":"http && status_code >= 500","limit":1000,"format":"raw"}"#);
    assert_snapshot!(said(vec![typed("list_api_calls",
        &[("filter", "string"), ("limit", "string"), ("format", "string"), ("start_time", "string"), ("end_time", "string"), ("db", "string")],
    )], &ask), @r#"list_api_calls {"db":"s-1/first","start_time":"1773504000000","end_time":"1773505800001","filter":"http && status_code >= 500","limit":"5000","format":"raw"}"#);
    assert_snapshot!(said(vec![typed("list_api_calls", &[("query", "string"), ("limit", "integer"), ("snapshot", "string")])], &ask),
        @r#"list_api_calls {"snapshot":"s-1","query":"(http && status_code >= 500) && timestamp >= timestamp(\"2026-03-14T16:00:00Z\") && timestamp < timestamp(\"2026-03-14T16:30:00.000500Z\")","limit":5000}"#);
    assert_snapshot!(said(vec![tool("list_api_calls", json!({"type": "object", "properties": {
        "kfl": {}, "limit": {"type": ["integer", "null"]}, "snapshot_id": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "format": {"enum": ["compact", "full"]},
        "start": {"type": "string", "format": "date-time"}, "end": {"type": "string", "description": "RFC3339 time"},
    }}))], &ask), @r#"list_api_calls {"snapshot_id":"s-1","start":"2026-03-14T16:00:00Z","end":"2026-03-14T16:30:00.000500Z","kfl":"http && status_code >= 500","limit":5000,"format":"full"}"#);
}

#[test]
fn a_count_is_a_list_of_one() {
    let everything = Scope {
        filter: String::new(),
        ..scope("")
    };
    let tools = vec![typed(
        "list_api_calls",
        &[("kfl", "string"), ("limit", "integer"), ("snapshot_id", "string")],
    )];
    assert_snapshot!(said(tools.clone(), &Operation::CountCalls { scope: everything }),
        @r#"list_api_calls {"snapshot_id":"s-1","kfl":"timestamp >= timestamp(\"2026-03-14T16:00:00Z\") && timestamp < timestamp(\"2026-03-14T16:30:00.000500Z\")","limit":1}"#);
    let live = Scope {
        snapshot: None,
        dissection: None,
        filter: String::new(),
        window: None,
    };
    assert_snapshot!(said(tools, &Operation::CountCalls { scope: live }), @r#"list_api_calls {"limit":1}"#);
}

#[test]
fn a_detail_takes_what_the_server_has() {
    let ask = Operation::CallDetail {
        scope: scope(""),
        call: "n1/2/0".to_owned(),
        node_id: Some("n1".to_owned()),
        max_payload_bytes: 4096,
    };
    assert_snapshot!(said(vec![typed("get_api_call_details",
        &[("id", "string"), ("node_id", "string"), ("include_payload", "boolean"), ("include_l4", "string"),
          ("include_pcap", "boolean"), ("max_payload_size", "integer"), ("snapshot_id", "string")],
    )], &ask), @r#"get_api_call_details {"id":"n1/2/0","snapshot_id":"s-1","node_id":"n1","include_payload":true,"include_l4":"true","max_payload_size":4096}"#);
    assert_snapshot!(said(vec![typed("get_api_call", &[("id", "string"), ("db", "string")])], &ask),
        @r#"get_api_call {"id":"n1/2/0","db":"s-1/first"}"#);
    // Without a way to name the snapshot the answer would be about live traffic.
    assert_snapshot!(said(vec![typed("get_api_call", &[("id", "string")])], &ask),
        @"error: the tool `get_api_call` of this server takes no parameter for a snapshot");
}

#[test]
fn a_snapshot_is_made_by_window_or_by_a_duration_that_ends_now() {
    let create = |window: Window, nodes: &[&str]| Operation::CreateSnapshot {
        name: "incident".to_owned(),
        window,
        nodes: nodes.iter().map(|&n| n.to_owned()).collect(),
    };
    let newer = vec![typed(
        "create_snapshot",
        &[
            ("name", "string"),
            ("start_time", "integer"),
            ("end_time", "integer"),
            ("duration", "string"),
            ("nodes", "array"),
        ],
    )];
    assert_snapshot!(said(newer, &create(window(), &["a", "b"])),
        @r#"create_snapshot {"name":"incident","start_time":1773504000000,"end_time":1773505800001,"nodes":["a","b"]}"#);
    let seconds = vec![tool(
        "create_snapshot",
        json!({"properties": {"name": {},
        "start_time": {"type": "integer", "description": "Unix seconds"}, "end_time": {"type": "integer", "description": "Unix seconds"}}}),
    )];
    assert_snapshot!(said(seconds, &create(window(), &[])),
        @r#"create_snapshot {"name":"incident","start_time":1773504000,"end_time":1773505801}"#);
    let older = vec![typed(
        "create_snapshot",
        &[("name", "string"), ("duration", "string")],
    )];
    let until_now = Window {
        end: now() - chrono::TimeDelta::seconds(30),
        ..window()
    };
    assert_snapshot!(said(older.clone(), &create(until_now, &[])), @r#"create_snapshot {"name":"incident","duration":"60m"}"#);
    assert_snapshot!(said(older.clone(), &create(window(), &[])),
        @"error: the tool `create_snapshot` of this server takes no parameter for a window that does not end now");
    assert_snapshot!(said(older, &create(until_now, &["a"])),
        @"error: the tool `create_snapshot` of this server takes no parameter for a choice of nodes");
}

#[test]
fn snapshots_and_dissections_are_addressed_as_the_server_does() {
    let get = Operation::GetSnapshot { snapshot: snapshot() };
    assert_snapshot!(said(vec![typed("get_snapshot", &[("id", "string")])], &get), @r#"get_snapshot {"id":"s-1"}"#);
    assert_snapshot!(said(vec![typed("get_snapshot", &[("name", "string")])], &get), @r#"get_snapshot {"name":"incident"}"#);
    let start = Operation::StartDissection {
        snapshot: snapshot(),
        name: "first".to_owned(),
    };
    let tool_of = |parameters: &[(&str, &str)]| vec![typed("start_snapshot_dissection", parameters)];
    assert_snapshot!(said(tool_of(&[("snapshot_id", "string")]), &start), @r#"start_snapshot_dissection {"snapshot_id":"s-1"}"#);
    assert_snapshot!(said(tool_of(&[("name", "string"), ("snapshot", "string")]), &start),
        @r#"start_snapshot_dissection {"snapshot":"s-1","name":"first"}"#);
    let status = Operation::DissectionStatus {
        snapshot: snapshot(),
        dissection: None,
    };
    assert_snapshot!(said(vec![typed("get_snapshot_dissection_status", &[("id", "string"), ("name", "string")])], &status),
        @r#"get_snapshot_dissection_status {"id":"s-1"}"#);
    let all = Operation::ListDissections { snapshot: snapshot() };
    assert_snapshot!(said(vec![typed("list_snapshot_dissections", &[])], &all), @"list_snapshot_dissections {}");
}

#[test]
fn workloads_and_addresses() {
    let ask = |namespaces: &[&str], name: Option<&str>| Operation::ListWorkloads {
        snapshot: Some(snapshot()),
        namespaces: namespaces.iter().map(|&n| n.to_owned()).collect(),
        name: name.map(str::to_owned),
        name_regex: None,
        kind: Some("pod".to_owned()),
        labels: Vec::new(),
    };
    let newer = || {
        vec![typed(
            "list_workloads",
            &[
                ("name", "string"),
                ("namespace", "string"),
                ("snapshot_id", "string"),
                ("namespaces", "array"),
                ("type", "string"),
            ],
        )]
    };
    assert_snapshot!(said(newer(), &ask(&["shop", "pay"], None)),
        @r#"list_workloads {"snapshot_id":"s-1","namespaces":["shop","pay"],"type":"pod"}"#);
    assert_snapshot!(said(newer(), &ask(&["shop"], Some("web-1"))),
        @r#"list_workloads {"snapshot_id":"s-1","namespace":"shop","name":"web-1","type":"pod"}"#);
    let single = vec![typed(
        "list_workloads",
        &[
            ("namespace", "string"),
            ("snapshot_id", "string"),
            ("type", "string"),
        ],
    )];
    assert_snapshot!(said(single.clone(), &ask(&["shop"], None)),
        @r#"list_workloads {"snapshot_id":"s-1","namespace":"shop","type":"pod"}"#);
    assert_snapshot!(said(single, &ask(&["shop", "pay"], None)),
        @"error: the tool `list_workloads` of this server takes no parameter for several namespaces");
    let address = Operation::ListIps {
        snapshot: None,
        ip: Some("10.1.1.5".to_owned()),
        namespaces: Vec::new(),
    };
    assert_snapshot!(said(vec![typed("list_ips", &[("ip", "string")])], &address), @r#"list_ips {"ip":"10.1.1.5"}"#);
}

#[test]
fn files_and_jobs() {
    let export = Operation::ExportPcap {
        snapshot: snapshot(),
        nodes: vec!["a".to_owned(), "b".to_owned()],
        bpf: Some("host 10.1.1.5".to_owned()),
        window: Some(window()),
    };
    assert_snapshot!(said(vec![typed("export_snapshot_pcap",
        &[("id", "string"), ("nodes", "string"), ("bpf_filter", "string"), ("start_time", "integer"), ("end_time", "integer")])], &export),
        @r#"export_snapshot_pcap {"id":"s-1","nodes":"a,b","bpf_filter":"host 10.1.1.5","start_time":1773504000000,"end_time":1773505800001}"#);
    assert_snapshot!(said(vec![typed("export_snapshot_pcap", &[("id", "string"), ("nodes", "array"), ("bpf_filter", "string")])], &export),
        @"error: the tool `export_snapshot_pcap` of this server takes no parameter for a time window");
    let fetch = Operation::DownloadFile {
        path: "x.pcap".to_owned(),
        dest: "out/x.pcap".to_owned(),
    };
    let catalogue = Catalogue::from_tools(vec![typed(
        "download_file",
        &[("path", "string"), ("dest", "string")],
    )]);
    let request = catalogue.request(&fetch, now()).unwrap();
    assert!(request.patient && request.repeatable);
    assert_snapshot!(said(vec![typed("get_cloud_job_status", &[("job_id", "integer")])], &Operation::CloudJobStatus { job: "17".to_owned() }),
        @r#"get_cloud_job_status {"job_id":17}"#);
}

#[test]
fn arguments_are_checked_before_they_are_sent() {
    let get = Operation::GetSnapshot { snapshot: snapshot() };
    assert_snapshot!(said(vec![tool("get_snapshot", json!({"properties": {"id": {"type": "string", "pattern": "^snap-"}}}))], &get),
        @r#"error: the tool `get_snapshot` does not take `id` as it would be sent: "s-1" does not match "^snap-""#);
    assert_snapshot!(said(vec![tool("get_snapshot", json!({"properties": {"id": {}, "cluster": {}}, "required": ["cluster"]}))], &get),
        @r#"error: the tool `get_snapshot` does not take `arguments` as it would be sent: "cluster" is a required property"#);
    assert_snapshot!(said(vec![typed("get_snapshot", &[("id", "integer")])], &get),
        @r#"error: the tool `get_snapshot` does not take `id` as it would be sent: "s-1" is not of type "integer""#);
    assert_snapshot!(said(vec![typed("ping", &[])], &get), @"error: the server has no tool `get_snapshot` (it offers 1 tools)");
}

#[test]
fn a_schema_that_cannot_be_used_constrains_nothing_but_is_noted() {
    let get = Operation::GetSnapshot { snapshot: snapshot() };
    let broken = tool(
        "get_snapshot",
        json!({"properties": {"id": {"type": "nonsense"}}}),
    );
    let remote = tool(
        "get_snapshot",
        json!({"properties": {"id": {"$ref": "http://127.0.0.1:1/x.json"}}}),
    );
    let huge = tool(
        "get_snapshot",
        json!({"properties": {"id": {"description": "x".repeat(100_000)}}}),
    );
    for schema in [
        broken,
        remote,
        huge,
        tool("get_snapshot", Value::Null),
        tool("get_snapshot", json!([1])),
    ] {
        let catalogue = Catalogue::from_tools(vec![schema.clone()]);
        let request = catalogue.request(&get, now()).unwrap();
        assert_eq!(request.arguments["id"], json!("s-1"), "{schema:?}");
        assert_eq!(
            catalogue.notes().len(),
            usize::from(!schema.input_schema.is_null()),
            "{:?}",
            catalogue.notes()
        );
    }
}

#[test]
fn what_is_missing_is_told_by_the_usual_names() {
    let local = Catalogue::from_tools(vec![
        typed("check_kubeshark_status", &[]),
        typed("get_api_call_details", &[]),
    ]);
    assert!(local.supports(&Operation::CheckStatus) && !local.supports(&Operation::ListSnapshots));
    assert_eq!(
        local.missing(&[
            Operation::CheckStatus,
            Operation::ListSnapshots,
            Operation::ListSnapshots
        ]),
        ["list_snapshots"]
    );
    assert_eq!(
        local.missing_essentials(),
        [
            "get_data_boundaries",
            "create_snapshot",
            "list_snapshots",
            "get_snapshot",
            "start_snapshot_dissection",
            "get_snapshot_dissection_status",
            "list_api_calls",
        ]
    );
}

#[test]
fn the_catalogue_survives_the_journal() {
    let catalogue = Catalogue::from_tools(vec![
        typed("get_snapshot", &[("id", "string")]),
        typed("get_snapshot", &[]),
    ]);
    let kept = serde_json::to_string(&catalogue.schemas().collect::<Vec<_>>()).unwrap();
    let again = Catalogue::from_tools(serde_json::from_str(&kept).unwrap());
    let get = Operation::GetSnapshot { snapshot: snapshot() };
    assert_eq!(
        again.request(&get, now()).unwrap(),
        catalogue.request(&get, now()).unwrap()
    );
    assert_eq!(again.schemas().count(), 1);
}

proptest! {
    #[test]
    fn no_schema_makes_it_panic(text in r#"[\[\]{}":,a-z0-9^*+()$]{0,60}"#, keyword in "(type|enum|pattern|maximum|anyOf|format)", value: i64) {
        let part = serde_json::from_str(&text).unwrap_or(Value::from(text));
        let schema = json!({"properties": {"limit": {keyword: part}, "kfl": part, "start": {"maximum": value}, "end": {}}});
        let catalogue = Catalogue::from_tools(vec![tool("list_api_calls", schema)]);
        let scope = Scope { snapshot: None, ..scope("http") };
        let outcome = catalogue.request(&Operation::ListCalls { scope, limit: 10, form: CallForm::Full }, now());
        if let Ok(request) = outcome {
            prop_assert!(request.arguments.contains_key("kfl"));
        }
    }
}
