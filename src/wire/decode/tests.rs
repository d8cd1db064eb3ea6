use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::time::Utc;

fn at(text: &str) -> Utc {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

#[test]
fn boundaries_of_both_kinds() {
    let read = boundaries(&json!({
        "cluster": {"oldest_ts": 1_773_504_754_000_i64, "newest_ts": "1773511520000"},
        "nodes": [
            {"name": "node-1", "oldest_ts": 1_773_504_754_000_i64, "newest_ts": 1_773_511_419_000_i64, "extra": {}},
            {"name": "node-2", "oldest_ts": 0, "newest_ts": null},
        ],
        "dissection_enabled": "true",
    }))
    .unwrap();
    let cluster = read.cluster.unwrap();
    assert_eq!(cluster.start, at("2026-03-14T16:12:34Z"));
    assert_eq!(cluster.end, at("2026-03-14T18:05:20Z"));
    assert_eq!(read.nodes.len(), 2);
    assert_eq!(read.nodes[0].window.unwrap().end, at("2026-03-14T18:03:39Z"));
    assert_eq!(read.nodes[1].window, None);
    assert_eq!(read.dissection_enabled, Some(true));
}

#[test]
fn boundaries_without_a_cluster_are_the_hull_of_the_nodes() {
    let read = boundaries(&json!({"nodes": [
        {"name": "a", "oldest_ts": 1_000_000, "newest_ts": 3_000_000},
        {"name": "b", "oldest_ts": 2_000_000, "newest_ts": 4_000_000},
    ]}))
    .unwrap();
    let hull = read.cluster.unwrap();
    assert_eq!(
        (hull.start.timestamp_millis(), hull.end.timestamp_millis()),
        (1_000_000, 4_000_000)
    );
    assert_eq!(
        boundaries(&json!({"cluster": null, "nodes": null})).unwrap(),
        Boundaries::default()
    );
}

#[test]
fn errors_name_the_field_and_what_came() {
    assert_snapshot!(
        snapshot(&json!({"name": "incident", "size_bytes": 12})).unwrap_err(),
        @r#"the answer about a snapshot has no usable `status` (a word such as `completed`): found {"name":"incident","size_bytes":12}"#
    );
    assert_snapshot!(
        boundaries(&json!("Kubeshark is not running.")).unwrap_err(),
        @r#"the answer about the data's boundaries is not an object with `cluster`: found "Kubeshark is not running.""#
    );
    assert_snapshot!(
        calls(&json!({"error": "no\u{1b}[31m"})).unwrap_err(),
        @r#"the list of calls has no usable `calls` (a list): found {"error":"no\u001b[31m"}"#
    );
    let long = snapshot(&json!({"id": "x", "filler": "y".repeat(1_000_000)})).unwrap_err();
    assert!(long.found.chars().count() <= 161, "{}", long.found.len());
}

#[test]
fn snapshots_of_every_dialect() {
    let newer = snapshot(&json!({
        "id": "s1", "name": "incident", "status": "completed", "size_bytes": "2048", "node_count": 2,
        "packet_count": 10.0, "created_at": "2026-03-14T18:12:00Z",
        "start_ts": 1_773_504_000_000_i64, "end_ts": 1_773_507_600_000_i64,
    }))
    .unwrap();
    assert_eq!(newer.reference.id, "s1");
    assert_eq!(newer.reference.name, "incident");
    assert_eq!(newer.status, SnapshotStatus::Completed);
    assert_eq!(
        (newer.size_bytes, newer.node_count, newer.packet_count),
        (Some(2048), Some(2), Some(10))
    );
    assert_eq!(newer.created, Some(at("2026-03-14T18:12:00Z")));
    assert_eq!(newer.window.unwrap().length().num_minutes(), 60);

    let older = snapshot(&json!({"success": true, "name": "incident", "status": "pending"})).unwrap();
    assert_eq!(older.reference.id, "incident");
    assert_eq!(older.status, SnapshotStatus::InProgress);
    let listed = snapshots(&json!({"snapshots": [
        {"name": "a", "status": "completed", "duration": "1h30m", "created_at": 1_773_504_000},
        {"unknown": true},
        {"name": "b", "status": "cloud"},
    ]}))
    .unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].duration_seconds, Some(5400));
    assert_eq!(listed[0].created, Some(at("2026-03-14T16:00:00Z")));
    assert_eq!(listed[1].status, SnapshotStatus::CloudOnly);

    let failed = snapshot(&json!({"success": false, "name": "a", "error": "disk full"})).unwrap();
    assert_eq!(
        (failed.status, failed.error.as_deref()),
        (SnapshotStatus::Failed, Some("disk full"))
    );
    assert!(snapshots(&json!({"snapshots": null})).unwrap().is_empty());
    assert!(snapshots(&json!({"snapshots": [{"id": 1}]})).is_err());
    let unknown = snapshot(&json!({"id": 7, "status": "Defrosting"})).unwrap();
    assert_eq!(unknown.status, SnapshotStatus::Other("Defrosting".to_owned()));
}

#[test]
fn dissections_with_status_and_without() {
    let status = |answer: Value| dissection(&answer).unwrap().status;
    let full = dissection(&json!({
        "status": "running", "progress": 42.5,
        "stats": {"packets_processed": 10, "entries_created": "7", "protocol_counts": {}},
        "errors": [{"message": "node-2: short read"}, "x"],
    }))
    .unwrap();
    assert_eq!(
        (full.status, full.progress, full.entries),
        (DissectionStatus::Running, Some(42.5), Some(7))
    );
    assert_eq!(full.errors, ["node-2: short read", "x"]);
    assert_eq!(
        status(json!({"active": true, "progress": 10})),
        DissectionStatus::Running
    );
    assert_eq!(
        status(json!({"active": false, "progress": "100"})),
        DissectionStatus::Completed
    );
    assert_eq!(
        status(json!({"active": true, "progress": 100})),
        DissectionStatus::Completed
    );
    assert_eq!(
        status(json!({"active": false, "progress": 0})),
        DissectionStatus::Missing
    );
    assert_eq!(
        status(json!({"active": false, "progress": 3, "errors": ["x"]})),
        DissectionStatus::Failed
    );
    assert_eq!(status(json!({"status": "uploading"})), DissectionStatus::Running);
    assert_eq!(
        status(json!({"success": true, "snapshot": "s", "name": "d"})),
        DissectionStatus::Pending
    );
    assert!(dissection(&json!({"name": "d"})).is_err());
    let listed = dissections(
        &json!({"dissections": [{"snapshot": "s", "name": "d", "status": "completed", "entry_count": 3}]}),
    )
    .unwrap();
    assert_eq!(listed[0].snapshot.as_deref(), Some("s"));
    assert_eq!(listed[0].entries, Some(3));
    assert!(dissections(&json!({"dissections": null})).unwrap().is_empty());
}

#[test]
fn calls_of_every_form() {
    let list = calls(&json!({"calls": [
        {"id": "node1/204/0", "ts": 1_773_504_000_123_i64, "proto": "HTTP", "method": "POST", "path": "/charge",
         "status": "502", "latency_ms": 12.345, "server_latency_ms": 10.5,
         "src": {"ip": "10.1.1.5", "port": "40000", "pod": "web-1", "ns": "shop"},
         "dst": {"ip": "10.1.1.9", "port": 8080, "pod": {"name": "pay-1", "namespace": "shop"}, "svc": "payments", "node": "node-1"},
         "node_id": "node1", "conn_id": 204,
         "req_headers": {"Accept": "*/*", "Cookie": ["a", "b"]}, "resp_headers": [{"name": "Server", "value": "x"}],
         "req_body": "", "resp_body": {"code": 7}},
        {"id": "node1/9/0", "ts": "1773504000124.5", "protocol": {"name": "dns"}, "dns_questions": [{"name": "pay.shop", "type": "A"}],
         "elapsed_time": "900", "src": "10.1.1.5:5353", "dst": null},
        {"id": "x", "note": "no time"},
    ], "total": "41", "truncated": false}))
    .unwrap();
    assert_eq!(
        (list.calls.len(), list.unreadable, list.total, list.truncated),
        (2, 1, Some(41), true)
    );
    let http = &list.calls[0];
    assert_eq!(http.ts, at("2026-03-14T16:00:00.123Z"));
    assert_eq!(
        (http.protocol.as_str(), http.status, http.elapsed_us),
        ("http", Some(502), Some(12_345))
    );
    assert_eq!(http.server_elapsed_us, Some(10_500));
    assert_eq!(http.dst.pod.as_deref(), Some("pay-1"));
    assert_eq!(http.dst.namespace.as_deref(), Some("shop"));
    assert_eq!(http.src.port, Some(40_000));
    assert_eq!(http.conn_id.as_deref(), Some("204"));
    assert_eq!(http.request_headers.len(), 3);
    assert_eq!(http.response_headers, [("Server".to_owned(), "x".to_owned())]);
    assert_eq!(http.request_body.as_deref(), Some(""));
    assert_eq!(http.response_body.as_deref(), Some(r#"{"code":7}"#));
    let dns = &list.calls[1];
    assert_eq!(dns.server_elapsed_us, None, "real servers do not tell it");
    assert_eq!(dns.ts, at("2026-03-14T16:00:00.1245Z"));
    assert_eq!(
        (dns.elapsed_us, dns.questions.as_slice()),
        (Some(900), ["pay.shop".to_owned()].as_slice())
    );
    assert_eq!(
        (dns.src.ip.as_deref(), dns.src.port),
        (Some("10.1.1.5"), Some(5353))
    );

    let counted = calls(&json!({"calls": null, "total": 0})).unwrap();
    assert!(!counted.truncated && counted.calls.is_empty());
    assert!(calls(&json!({"calls": [{"id": "x"}]})).is_err());
}

#[test]
fn tcp_metrics_of_a_connection() {
    let list = calls(&json!([{
        "id": "n/1/0", "ts": 1_773_504_000_000_i64, "proto": "tcp_flow",
        "tcp_metrics": {"rst_count": "1", "connection_completeness": 33, "retransmission_rate": "0.02", "handshake_time_us": 1.5e3},
    }]))
    .unwrap();
    let tcp = list.calls[0].tcp.as_ref().unwrap();
    assert_eq!(
        (tcp.rst_count, tcp.connection_completeness, tcp.handshake_time_us),
        (Some(1), Some(33), Some(1500))
    );
    assert_eq!(tcp.retransmission_rate, Some(0.02));
    assert_eq!(tcp.rtt_samples, None);
}

#[test]
fn detail_newer_and_older() {
    let entry = json!({"id": "n/1/0", "ts": 1_773_504_000_000_i64, "proto": "http", "req_body": "inner"});
    let newer = call_detail(&json!({
        "entry": entry, "resp_body": "outer", "truncated": true,
        "l4_flow": {"proto": "TCP", "client": {"ip": "1.1.1.1"}, "client_stats": {"tx_bytes": 5}}, "l4_conn": {"a": 1},
    }))
    .unwrap();
    assert!(newer.truncated);
    assert_eq!(newer.call.request_body.as_deref(), Some("inner"));
    assert_eq!(newer.call.response_body.as_deref(), Some("outer"));
    assert_eq!(newer.flow.unwrap().client_side.tx_bytes, Some(5));
    let older = call_detail(&entry).unwrap();
    assert_eq!((older.call.id.as_str(), older.truncated), ("n/1/0", false));
    assert_snapshot!(
        call_detail(&json!({"entry": {"id": "n/1/0"}})).unwrap_err(),
        @r#"the answer about a call has no usable `ts` (Unix milliseconds): found {"id":"n/1/0"}"#
    );
}

#[test]
fn flows_workloads_and_addresses() {
    let list = flows(&json!({"flows": [{
        "proto": "TCP", "client": {"ns": "shop", "svc": "web"}, "server": {"svc": "pay", "port": "8080"},
        "client_stats": {"tx_pkts": 3, "tcp_handshake_p99_us": 900}, "totals": {"pkts": 6, "bps": 1.5},
    }, {}], "total": 1}))
    .unwrap();
    assert_eq!((list.flows.len(), list.truncated), (1, false));
    assert_eq!(list.flows[0].client_side.handshake_p99_us, Some(900));
    assert_eq!(list.flows[0].server.port, Some(8080));

    let found = workloads(&json!({"workloads": [{
        "name": "pay-1", "namespace": "shop", "kind": "Pod", "labels": {"app": "pay"},
        "ips": [{"ip": "10.1.1.9", "timestamp": 1_773_504_000_000_i64}, "10.1.1.10"],
    }], "total": "1"}))
    .unwrap();
    assert_eq!(
        (found.total, found.workloads[0].kind.as_deref()),
        (Some(1), Some("pod"))
    );
    assert_eq!(found.workloads[0].ips[0].at, Some(at("2026-03-14T16:00:00Z")));
    assert_eq!(found.workloads[0].ips[1].ip, "10.1.1.10");
    assert_eq!(
        workloads(&json!({"name": "pay-1", "ips": null}))
            .unwrap()
            .workloads
            .len(),
        1
    );
    assert!(
        workloads(&json!({"workloads": null}))
            .unwrap()
            .workloads
            .is_empty()
    );

    let owners = ips(
        &json!({"ips": [{"ip": "10.1.1.9", "records": [{"name": "pay-1", "namespace": "shop", "timestamp": 1}]}]}),
    );
    assert_eq!(owners.unwrap()[0].owners[0].name, "pay-1");
    assert_eq!(
        ips(&json!({"ip": "10.1.1.9", "name": "pay-1"})).unwrap()[0]
            .owners
            .len(),
        1
    );
}

#[test]
fn statistics_take_only_what_says_its_unit() {
    let read = stats(&json!({"total": 100, "error_rate": 12.0, "services": [
        {"service": "pay", "namespace": "shop", "requests": "50", "errors": 5, "latency_ms": {"p50": 1.5, "p99": 20}, "p90": 9},
    ]}));
    assert_eq!((read.total_calls, read.error_rate), (Some(100), Some(0.12)));
    let pay = &read.services[0];
    assert_eq!(
        (pay.p50_us, pay.p90_us, pay.p99_us),
        (Some(1500), None, Some(20_000))
    );
    assert_eq!(pay.error_rate, Some(0.1));
    let mapped = stats(&json!({"by_service": {"pay": {"count": 3, "p95_us": 7}}}));
    assert_eq!(
        (mapped.services[0].service.as_str(), mapped.services[0].p95_us),
        ("pay", Some(7))
    );
    assert_eq!(stats(&json!("prose")), Stats::default());
}

#[test]
fn files_cloud_and_status() {
    assert_eq!(
        export(&json!("snapshots/s1/export.pcap")).unwrap().path,
        "snapshots/s1/export.pcap"
    );
    let prose = export(&json!("Exported 3 files, fetch 'snapshots/s1/x.pcap'.")).unwrap();
    assert_eq!(prose.path, "snapshots/s1/x.pcap");
    let object = export(&json!({"path": "/a", "files_merged": "2"})).unwrap();
    assert_eq!((object.path.as_str(), object.files_merged), ("/a", Some(2)));
    assert!(export(&json!({})).is_err());
    assert_eq!(
        download(&json!({"url": "u", "path": "/tmp/x", "size": 3}))
            .unwrap()
            .size_bytes,
        Some(3)
    );
    assert!(
        cloud_storage(&json!({"enabled": true, "provider": "s3"}))
            .unwrap()
            .enabled
    );
    let job = cloud_job(&json!({"job_id": "j", "status": "completed", "started_at": "2026-03-14T16:00:00Z"}))
        .unwrap();
    assert_eq!(
        (job.status, job.started),
        (CloudJobStatus::Completed, Some(at("2026-03-14T16:00:00Z")))
    );
    assert_eq!(
        cloud_job(&json!({"success": true, "job_id": 4})).unwrap().status,
        CloudJobStatus::InProgress
    );
    assert!(live_dissection(&json!({"enabled": "yes"})).unwrap().enabled);
    assert!(live_dissection(&json!({})).is_err());

    let up = server_status(&json!(
        "Kubeshark is running in namespace 'kubeshark' and is accessible at http://localhost:8899."
    ));
    assert_eq!(
        (up.running, up.namespace.as_deref()),
        (Some(true), Some("kubeshark"))
    );
    assert_eq!(up.address.as_deref(), Some("http://localhost:8899"));
    assert_eq!(
        server_status(&json!("Kubeshark is not running.")).running,
        Some(false)
    );
    assert_eq!(server_status(&json!("?")).running, None);
}
