//! What the query tools answer.

use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::START_MS;

/// The rows of a list without what repeats: id, protocol, target, status, failure.
fn rows(list: &Value) -> Vec<String> {
    let row = |call: &Value| {
        let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let what = [
            text("method"),
            text("path"),
            call["status"].to_string(),
            text("tcp_error_type"),
        ]
        .join(" ");
        let (src, dst) = (
            call["src"]["svc"].as_str().unwrap(),
            call["dst"]["svc"].as_str().unwrap(),
        );
        let seen = call["also_seen"].as_array().map_or(0, Vec::len);
        format!(
            "{} +{} {src}>{dst} {} {what} x{}",
            text("id"),
            call["ts"].as_i64().unwrap() - START_MS,
            text("proto"),
            seen + 1
        )
    };
    list["calls"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn every_call_of_the_shop_is_told_once_and_in_order() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1000}))
        .await;
    insta::assert_debug_snapshot!(rows(&list), @r#"
    [
        "node-a/0/1 +0 web>cart tcp   null  x1",
        "node-a/0/0 +0 web>cart http GET /cart 200  x1",
        "node-a/1/0 +100 web>kube-dns dns A pay.bank.svc.cluster.local 0  x2",
        "node-a/2/1 +500 web>pay tcp   null  x2",
        "node-a/2/0 +500 web>pay http GET /health 200  x2",
        "node-a/3/1 +2000 web>cart tcp   null  x1",
        "node-a/3/0 +2000 web>cart http GET /cart 200  x1",
        "node-a/4/1 +2500 web>pay tcp   null  x2",
        "node-a/4/0 +2500 web>pay http GET /health 200  x2",
        "node-a/5/1 +4000 web>cart tcp   null  x1",
        "node-a/5/0 +4000 web>cart http GET /cart 200  x1",
        "node-a/6/1 +4500 web>pay tcp   null  x2",
        "node-a/6/0 +4500 web>pay http GET /health 200  x2",
        "node-a/7/1 +6000 web>cart tcp   null  x1",
        "node-a/7/0 +6000 web>cart http GET /cart 200  x1",
        "node-a/8/2 +6500 web>pay tcp   null  x2",
        "node-a/8/0 +6500 web>pay http GET /health 200  x2",
        "node-a/8/1 +6501 web>pay http POST /charge 503  x2",
        "node-a/9/0 +7100 web>cart tcp   null refused x1",
        "node-a/10/1 +8000 web>cart tcp   null  x1",
        "node-a/10/0 +8000 web>cart http GET /cart 200  x1",
        "node-a/11/0 +8200 web>kube-dns dns A payments.bank.svc.cluster.local 3  x2",
        "node-a/12/1 +8500 web>pay tcp   null  x2",
        "node-a/12/0 +8500 web>pay http GET /health 200  x2",
    ]
    "#);
    assert_eq!((&list["total"], &list["truncated"]), (&json!(24), &json!(false)));
}

#[tokio::test]
async fn a_total_counts_every_match_whatever_the_limit() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    for (limit, shown, truncated) in [
        (json!(1), 1, true),
        (json!("5"), 5, true),
        (json!(5000), 24, false),
        (json!(0), 24, false),
    ] {
        let list = client
            .ask("list_api_calls", json!({"snapshot_id": id, "limit": limit}))
            .await;
        assert_eq!(list["calls"].as_array().unwrap().len(), shown);
        assert_eq!(
            (&list["total"], &list["truncated"]),
            (&json!(24), &json!(truncated))
        );
    }
    let windows = [(0, 2_000, 5), (2_000, 4_000, 4), (4_000, 10_000, 15)];
    for (start, end, total) in windows {
        let window = json!({"snapshot_id": id, "start": START_MS + start, "end": START_MS + end, "limit": 1});
        assert_eq!(
            client.ask("list_api_calls", window).await["total"],
            json!(total),
            "{start}"
        );
    }
    let grouped = json!({"snapshot_id": id, "limit": 1, "group_by": "ns"});
    let groups = &client.ask("list_api_calls", grouped).await["groups"];
    assert_eq!(*groups, json!({"bank": 11, "kube-system": 2, "shop": 11}));
}

#[tokio::test]
async fn a_call_is_told_with_bodies_headers_and_its_connection() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    let charge = json!({"snapshot_id": id, "id": "node-a/8/1", "node_id": "node-a"});
    let detail = client.ask("get_api_call", charge).await;
    insta::assert_json_snapshot!(detail, @r#"
    {
      "entry": {
        "id": "node-a/8/1",
        "ts": 1773504756501,
        "src": {
          "ip": "10.0.1.1",
          "pod": "web-7d9-abcde",
          "ns": "shop",
          "svc": "web",
          "node": "node-a",
          "name": "web-7d9-abcde",
          "port": 41003
        },
        "dst": {
          "ip": "10.0.2.1",
          "pod": "pay-6b8-klmno",
          "ns": "bank",
          "svc": "pay",
          "node": "node-b",
          "name": "pay-6b8-klmno",
          "port": 8080
        },
        "proto": "http",
        "method": "POST",
        "path": "/charge",
        "status": 503,
        "latency_ms": 40.0,
        "server_latency_ms": 40.0,
        "also_seen": [
          {
            "node": "node-b",
            "ts": 1773504756502,
            "latency_ms": 40.0,
            "status": 503
          }
        ],
        "ts_us": 1773504756501920,
        "elapsed_us": 40000,
        "conn_id": 8,
        "flow_id": 8,
        "node_id": "node-a",
        "worker": "node-a",
        "url": "http://pay:8080/charge",
        "http_version": "HTTP/1.1",
        "reason": "Service Unavailable",
        "complete": true,
        "req_headers": {
          "host": "pay:8080",
          "content-length": "14"
        },
        "resp_headers": {
          "content-length": "17"
        },
        "req_size": 14,
        "resp_size": 17
      },
      "req_body": "{\"amount\": 10}",
      "resp_body": "pool is exhausted",
      "truncated": false,
      "l4_flow": {
        "proto": "tcp",
        "client": {
          "ip": "10.0.1.1",
          "pod": "web-7d9-abcde",
          "ns": "shop",
          "svc": "web",
          "node": "node-a",
          "name": "web-7d9-abcde",
          "port": 41003
        },
        "server": {
          "ip": "10.0.2.1",
          "pod": "pay-6b8-klmno",
          "ns": "bank",
          "svc": "pay",
          "node": "node-b",
          "name": "pay-6b8-klmno",
          "port": 8080
        },
        "client_stats": {
          "tx_pkts": 8,
          "rx_pkts": 4,
          "tx_bytes": 115,
          "rx_bytes": 113
        },
        "server_stats": {
          "tx_pkts": 4,
          "rx_pkts": 8,
          "tx_bytes": 113,
          "rx_bytes": 115
        },
        "totals": {
          "pkts": 12,
          "bytes": 228
        }
      },
      "l4_conn": {
        "id": "node-a/8/2",
        "conn_id": 8,
        "state": "closed",
        "error": "",
        "error_message": "",
        "ts": 1773504756500,
        "l7_detected": [
          "http"
        ],
        "tcp_metrics": {
          "retransmissions": 0,
          "fast_retransmissions": 0,
          "retransmission_rate": 0.0,
          "zero_window_events": 0,
          "window_full_events": null,
          "window_scale": null,
          "avg_receive_window": null,
          "out_of_order": 0,
          "dup_acks": 0,
          "missing_segments": 0,
          "rst_count": 0,
          "fin_count": 2,
          "keepalive_count": 0,
          "connection_completeness": 31,
          "initial_rtt_us": 200,
          "handshake_time_us": 300,
          "connection_time_us": 42030,
          "time_to_first_byte_us": 1500,
          "rtt_min_us": 200,
          "rtt_max_us": 200,
          "rtt_avg_us": 200,
          "rtt_samples": 1,
          "jitter_us": null,
          "goodput_bytes": 228,
          "syn_count": 1,
          "reset_by_server": false
        }
      }
    }
    "#);
    let short = json!({"snapshot_id": id, "id": "node-a/8/1", "max_payload_size": 4, "include_l4": false});
    let short = client.ask("get_api_call_details", short).await;
    assert_eq!(
        (&short["resp_body"], &short["truncated"], short.get("l4_conn")),
        (&json!("pool"), &json!(true), None)
    );
    let with_pcap = json!({"snapshot_id": id, "id": "node-a/8/1", "include_pcap": true});
    let with_pcap = client.ask("get_api_call", with_pcap).await;
    assert!(
        with_pcap["pcap_base64"]
            .as_str()
            .unwrap()
            .starts_with("1MOyoQIABA"),
        "{with_pcap}"
    );
    for (arguments, message) in [
        (
            json!({"snapshot_id": id, "id": "node-a/99/0"}),
            "Hub API error (404): API call `node-a/99/0` not found",
        ),
        (
            json!({"snapshot_id": id, "id": "node-a/8/1", "node_id": "node-b"}),
            "Hub API error (404): API call `node-a/8/1` not found on node `node-b`",
        ),
        (
            json!({"snapshot_id": id}),
            "Hub API error (400): parameter `id` is required",
        ),
    ] {
        assert_eq!(client.refused("get_api_call", arguments).await, message);
    }
}

#[tokio::test]
async fn a_connection_in_raw_form_has_every_metric_of_the_contract() {
    let client = Client::shop("").await;
    let id = client.dissected(7_000, 7_500).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "format": "raw"}))
        .await;
    let [refused] = &**list["calls"].as_array().unwrap() else {
        panic!("{list}")
    };
    assert_eq!(refused["tcp_error_type"], "refused");
    insta::assert_json_snapshot!(refused["tcp_metrics"], @r#"
    {
      "retransmissions": 0,
      "fast_retransmissions": 0,
      "retransmission_rate": 0.0,
      "zero_window_events": 0,
      "window_full_events": null,
      "window_scale": null,
      "avg_receive_window": null,
      "out_of_order": 0,
      "dup_acks": 0,
      "missing_segments": 0,
      "rst_count": 1,
      "fin_count": 0,
      "keepalive_count": 0,
      "connection_completeness": 33,
      "initial_rtt_us": null,
      "handshake_time_us": null,
      "connection_time_us": 80,
      "time_to_first_byte_us": null,
      "rtt_min_us": null,
      "rtt_max_us": null,
      "rtt_avg_us": null,
      "rtt_samples": 0,
      "jitter_us": null,
      "goodput_bytes": 0,
      "syn_count": 1,
      "reset_by_server": true
    }
    "#);
}

#[tokio::test]
async fn statistics_count_all_matches_per_service_and_per_edge() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    let stats = client.ask("get_api_stats", json!({"snapshot_id": id})).await;
    let totals =
        ["total_calls", "errors", "total_connections", "failed_connections"].map(|name| stats[name].clone());
    assert_eq!(totals, [json!(13), json!(2), json!(11), json!(1)]);
    let services = stats["services"].as_array().unwrap();
    let pay = services
        .iter()
        .find(|one| one["service"] == "pay" && one["protocol"] == "http")
        .unwrap();
    insta::assert_json_snapshot!(pay, @r#"
    {
      "service": "pay",
      "namespace": "bank",
      "protocol": "http",
      "calls": 6,
      "errors": 1,
      "error_rate": 0.16666666666666666,
      "client_errors": 0,
      "server_errors": 1,
      "unanswered": 0,
      "latency_ms": {
        "p50": 1.5,
        "p90": 40.0,
        "p99": 40.0,
        "max": 40.0
      },
      "first_ts": 1773504750500,
      "last_ts": 1773504758500
    }
    "#);
    assert_eq!(stats["edges"].as_array().unwrap().len(), 5);
    let later = json!({"snapshot_id": id, "start": START_MS + 8_000});
    assert_eq!(client.ask("get_api_stats", later).await["total_calls"], json!(3));
}
