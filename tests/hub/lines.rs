//! Calls that come as lines, asked for as any client asks.

use std::fs;

use rca_agent::hub::{Capture, Hub, OpenError, Options};
use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::{START_MS, START_US, Shop, WORKLOADS};

/// A line `after_ms` the start, with these keys beside it.
fn line(after_ms: i64, keys: &Value) -> String {
    let mut line = json!({"ts_us": START_US + after_ms * 1000});
    for (key, value) in keys.as_object().unwrap() {
        line[key] = value.clone();
    }
    line.to_string()
}

/// Ten seconds of a shop: two nodes, four protocols, and a line that is none.
fn shop() -> String {
    let web = json!({"service": "web", "pod": "web-1", "node": "node-a", "labels": {"app": "web"}});
    let pay = json!({"service": "pay", "pod": "pay-1", "namespace": "bank", "node": "node-b", "ip": "10.0.2.1",
        "port": 8080});
    [
        line(0, &json!({"src": "external", "dst": web, "protocol": "http", "method": "GET", "path": "/?q=1",
            "status": 200, "latency_us": 90_000, "server_latency_us": 80_000, "namespace": "shop"})),
        line(1_000, &json!({"src": web, "dst": pay, "protocol": "http", "method": "POST", "path": "/charge",
            "status": null, "latency_us": 40_000, "namespace": "shop", "trace_id": "t1", "phase": "fault"})),
        line(2_000, &json!({"src": web, "dst": pay, "protocol": "http", "method": "POST", "path": "/charge",
            "status": 503, "latency_us": 40_000, "namespace": "shop", "response_body": "pool is exhausted",
            "response_headers": {"Content-Type": "text/plain"}})),
        line(3_000, &json!({"src": web, "dst": pay, "protocol": "http", "method": "GET", "path": "/slow",
            "status": null, "latency_us": null, "namespace": "shop"})),
        line(4_000, &json!({"src": pay, "dst": {"service": "ledger", "namespace": "bank"}, "protocol": "grpc",
            "method": "POST", "path": "/Ledger/Book", "latency_us": 7_000, "fields": {"grpc_status": 14}})),
        line(5_000, &json!({"src": pay, "dst": "postgres", "namespace": "bank", "protocol": "postgresql",
            "latency_us": 900, "fields": {"postgresql_error_code": "40P01", "postgresql_query": "UPDATE stock"}})),
        line(6_000, &json!({"src": pay, "dst": "postgres", "namespace": "bank", "protocol": "tcp_flow",
            "tcp_metrics": {"connection_completeness": 33, "handshake_time_us": 300}})),
        "{\"ts_us\": true}".to_owned(),
        line(9_000, &json!({"src": web, "dst": pay, "protocol": "http", "method": "GET", "path": "/health",
            "status": 200, "latency_us": 1_000, "namespace": "shop"})),
    ]
    .join("\n")
}

fn hub(files: &[(&str, &[u8])]) -> Result<Hub, OpenError> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    Capture::open(directory.path()).map(|capture| Hub::new(capture, Options::default()))
}

async fn client() -> Client {
    // Other files beside the calls are not looked at: the truth above all.
    let lines = shop();
    Client::new(
        &hub(&[
            ("calls.jsonl", lines.as_bytes()),
            ("case.json", b"{"),
            ("notes.txt", b"x"),
        ])
        .unwrap(),
    )
    .await
}

/// How many calls match.
async fn count(client: &Client, id: &str, kfl: &str) -> u64 {
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "kfl": kfl}))
        .await;
    list["total"].as_u64().unwrap()
}

#[tokio::test]
async fn lines_are_recorded_data_of_their_nodes() {
    let client = client().await;
    let bounds = client.ask("get_data_boundaries", json!({})).await;
    assert_eq!(
        bounds["nodes"],
        json!([
            {"name": "node-a", "oldest_ts": START_MS, "newest_ts": START_MS + 9_002},
            {"name": "node-b", "oldest_ts": START_MS + 4_000, "newest_ts": START_MS + 6_001},
        ])
    );
    let problem = bounds["problems"][0].as_str().unwrap();
    assert!(
        problem.starts_with("1 of 9 lines of `") && problem.contains("line 8"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_snapshot_slices_them_and_only_a_dissection_makes_them_calls() {
    let client = client().await;
    let id = client.snapshot(1_000, 5_000).await;
    let shown = client.ask("get_snapshot", json!({"id": id})).await;
    assert_eq!(
        (&shown["packet_count"], &shown["call_count"]),
        (&json!(0), &json!(4))
    );
    let refused = client.refused("list_api_calls", json!({"snapshot_id": id})).await;
    assert!(refused.contains("start_snapshot_dissection"), "{refused}");
    let id = client.dissected(1_000, 5_000).await;
    assert_eq!(
        count(&client, &id, "").await,
        4,
        "the end does not belong to a snapshot"
    );
    let status = client
        .ask("get_snapshot_dissection_status", json!({"snapshot_id": id}))
        .await;
    assert_eq!(
        status["stats"]["protocol_counts"],
        json!({"http": 3, "dns": 0, "tcp": 0, "grpc": 1})
    );
    let window = json!({"start_time": START_MS, "end_time": START_MS + 60_000, "nodes": ["node-b"]});
    let only_b = client.ask("create_snapshot", window).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let only_b = client
        .wait("get_snapshot", json!({"id": only_b}), |shown| {
            shown["status"] == "completed"
        })
        .await;
    assert_eq!(only_b["call_count"], json!(3));
}

#[tokio::test]
async fn filters_see_protocols_fields_and_ends() {
    let client = client().await;
    let id = client.dissected(0, 60_000).await;
    for (kfl, calls) in [
        ("", 8),
        ("http", 5),
        ("http && status_code >= 400", 1),
        ("http && status_code == 0", 1),
        ("http && status_code == -1", 1),
        ("http && src.namespace == \"\"", 1),
        ("grpc && grpc_status > 0", 1),
        ("http && grpc_status == -1", 5),
        ("postgresql && postgresql_error_code == \"40P01\"", 1),
        ("postgresql_query.contains(\"stock\")", 1),
        ("tcp_flow && tcp_error_type == \"refused\"", 1),
        ("dst.pod.name == \"pay-1\" && dst.namespace == \"bank\"", 4),
        ("map_get(local_labels, \"app\", \"\") == \"web\"", 5),
        ("map_get(query_string, \"q\", \"\") == \"1\" && path == \"/\"", 1),
        ("node_name == \"node-b\"", 3),
        ("elapsed_time >= 40000", 3),
        (
            "\"text/plain\" == map_get(response.headers, \"content-type\", \"\")",
            1,
        ),
        ("dst.ip == \"10.0.2.1\" && dst.port == 8080", 4),
        ("has_pcap", 0),
    ] {
        assert_eq!(count(&client, &id, kfl).await, calls, "{kfl}");
    }
}

#[tokio::test]
async fn a_status_nobody_recorded_is_told_from_no_response() {
    let client = client().await;
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "kfl": "http"}))
        .await;
    let told: Vec<Value> = list["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| {
            json!([
                call["status"],
                call["latency_ms"],
                call["server_latency_ms"],
                call["error"]
            ])
        })
        .collect();
    assert_eq!(
        json!(told),
        json!([
            [200, 90.0, 80.0, null],
            [null, 40.0, null, null],
            [503, 40.0, null, null],
            [0, null, null, "no response seen"],
            [200, 1.0, null, null],
        ])
    );
    let text = list.to_string();
    assert!(!text.contains("t1") && !text.contains("fault"), "{text}");
}

#[tokio::test]
async fn a_call_is_told_in_full_without_anything_made_up() {
    let client = client().await;
    let id = client.dissected(0, 60_000).await;
    let one = |kfl: &str| json!({"snapshot_id": id, "kfl": kfl, "format": "raw"});
    let failed = client.ask("list_api_calls", one("status_code == 503")).await["calls"][0].clone();
    assert_eq!(
        failed["dst"],
        json!({"ip": "10.0.2.1", "pod": "pay-1", "ns": "bank", "svc": "pay", "node": "node-b", "name": "pay-1",
            "port": 8080})
    );
    assert_eq!(
        failed["src"],
        json!({"pod": "web-1", "ns": "shop", "svc": "web", "node": "node-a", "name": "web-1"})
    );
    let detail = json!({"snapshot_id": id, "id": failed["id"], "node_id": "node-a", "include_pcap": true});
    let detail = client.ask("get_api_call", detail).await;
    assert_eq!(detail["resp_body"], json!("pool is exhausted"));
    assert_eq!(
        (
            &detail["entry"]["conn_id"],
            &detail["l4_flow"],
            &detail["pcap_base64"]
        ),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let booked = client.ask("list_api_calls", one("grpc")).await["calls"][0].clone();
    assert_eq!(
        (&booked["grpc_status"], &booked["error"], &booked["status"]),
        (&json!(14), &json!("gRPC status 14 (UNAVAILABLE)"), &Value::Null)
    );
    let refused = client.ask("list_api_calls", one("tcp_flow")).await["calls"][0].clone();
    assert_eq!(
        (
            &refused["proto"],
            &refused["tcp_error_type"],
            &refused["tcp_metrics"]["connection_completeness"]
        ),
        (&json!("tcp"), &json!("refused"), &json!(33))
    );
}

#[tokio::test]
async fn statistics_flows_and_workloads_are_told_as_far_as_known() {
    let client = client().await;
    let id = client.dissected(0, 60_000).await;
    let stats = client.ask("get_api_stats", json!({"snapshot_id": id})).await;
    let numbers =
        ["total_calls", "errors", "total_connections", "failed_connections"].map(|name| stats[name].clone());
    assert_eq!(numbers, [json!(7), json!(4), json!(1), json!(1)]);
    for asked in [
        json!({"snapshot_id": id, "aggregate": "service"}),
        json!({"aggregate": "service"}),
    ] {
        let flows = client.ask("list_l4_flows", asked).await;
        assert_eq!(
            (&flows["total"], flows["note"].is_string()),
            (&json!(1), true),
            "{flows}"
        );
        let flow = &flows["flows"][0];
        assert_eq!(
            (&flow["client"]["svc"], &flow["server"]["svc"]),
            (&json!("pay"), &json!("postgres"))
        );
        assert_eq!(flow["client_stats"]["tcp_handshake_p50_us"], json!(300));
    }
    let workloads = client.ask("list_workloads", json!({"snapshot_id": id})).await;
    let named: Vec<Value> = workloads["workloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            json!([
                one["kind"],
                one["namespace"],
                one["name"],
                one["ips"].as_array().unwrap().len()
            ])
        })
        .collect();
    assert_eq!(
        json!(named),
        json!([
            ["pod", "bank", "pay-1", 1],
            ["pod", "shop", "web-1", 0],
            ["service", "bank", "ledger", 0],
            ["service", "bank", "pay", 0],
            ["service", "bank", "postgres", 0],
            ["service", "shop", "web", 0],
        ])
    );
    let ips = client.ask("list_ips", json!({"snapshot_id": id})).await;
    assert_eq!(
        (&ips["total"], &ips["ips"][0]["ip"]),
        (&json!(1), &json!("10.0.2.1"))
    );
    let refused = client.refused("export_snapshot_pcap", json!({"id": id})).await;
    assert!(refused.contains("no packets to export"), "{refused}");
}

#[tokio::test]
async fn lines_lie_beside_packets_of_the_same_node() {
    let packets = Shop::open();
    let (a, b) = (packets.a.pcap(), packets.b.pcap());
    let lines = shop();
    let files: [(&str, &[u8]); 4] = [
        ("workloads.json", WORKLOADS.as_bytes()),
        ("node-a.pcap", &a),
        ("node-b.pcap", &b),
        ("more.jsonl", lines.as_bytes()),
    ];
    let client = Client::new(&hub(&files).unwrap()).await;
    let bounds = client.ask("get_data_boundaries", json!({})).await;
    let nodes: Vec<&Value> = bounds["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["name"])
        .collect();
    assert_eq!(nodes, ["node-a", "node-b"]);
    let id = client.dissected(0, 60_000).await;
    assert_eq!(count(&client, &id, "capture_source == \"lines\"").await, 8);
    assert!(count(&client, &id, "capture_source == \"pcap\"").await > 8);
    let all = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1000}))
        .await;
    let ids: std::collections::BTreeSet<String> = all["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["id"].to_string())
        .collect();
    assert_eq!(
        ids.len() as u64,
        all["total"].as_u64().unwrap(),
        "no two calls have one id"
    );
    let export = client.ask("export_snapshot_pcap", json!({"id": id})).await;
    assert!(export["packets"].as_u64().unwrap() > 0);
}

#[test]
fn a_directory_without_a_call_says_why() {
    let nothing = hub(&[("calls.jsonl", b"{}\n"), ("case.json", b"{}")])
        .unwrap_err()
        .to_string();
    assert!(nothing.contains("holds no call; 1 of 1 lines"), "{nothing}");
    assert!(
        !nothing.contains("workloads.json`: workloads"),
        "lines name their ends themselves: {nothing}"
    );
}
