//! KFL over the shop's calls.

use rca_agent::hub::{Capture, Hub, KflErrors, Options};
use serde_json::json;

use crate::client::Client;
use crate::shop::{Shop, WORKLOADS};

#[tokio::test]
async fn fields_hold_what_they_are_said_to() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    for (kfl, total) in [
        ("", 24),
        ("http", 11),
        ("dns", 2),
        ("tcp", 11),
        ("tcp_flow && tcp_conn && flow && conn", 11),
        ("http && status_code >= 500", 1),
        ("http && method == \"POST\" && path == \"/charge\"", 1),
        ("path.startsWith(\"/cart\")", 5),
        ("url == \"http://pay:8080/charge\"", 1),
        ("map_get(query_string, \"note\", \"\") == \"a b\"", 5),
        ("map_get(request.headers, \"user-agent\", \"\") == \"web\"", 5),
        ("\"content-type\" in response.headers", 5),
        ("http && elapsed_time > 30000", 1),
        ("http_version == \"HTTP/1.1\"", 11),
        ("request_body_size == 14 && response_body_size == 17", 1),
        ("request_headers_size > 0 && response_headers_size > 0", 11),
        ("dns && status_code != 0", 1),
        (
            "dns && dns_response && \"payments.bank.svc.cluster.local\" in dns_questions",
            1,
        ),
        ("\"A\" in dns_question_types && \"10.96.0.9\" in dns_answers", 1),
        ("dns_request && dns_total_size > 50", 2),
        ("dst.service.name == \"pay\" && dst.pod.namespace == \"bank\"", 11),
        ("src.pod.name.startsWith(\"web-\")", 24),
        ("dst.pod.name == \"cart-5c4-fghij\" && dst.port == 9999", 1),
        ("src.service.namespace != dst.service.namespace", 13),
        ("src.ip == \"10.0.1.1\" && dst.ip == \"10.0.2.53\"", 2),
        ("dst.namespace == \"kube-system\" && dst.name == \"coredns-1\"", 2),
        ("\"bank\" in namespaces", 11),
        ("\"cart\" in services && \"cart-5c4-fghij\" in pods", 11),
        ("map_get(local_labels, \"app\", \"\") == \"web\"", 24),
        ("map_get(remote_labels, \"version\", \"\") == \"v1\"", 11),
        (
            "local_node_name == \"node-a\" && remote_node_name == \"node-b\"",
            13,
        ),
        ("node_name == \"node-a\"", 24),
        ("tcp_error_type == \"refused\"", 1),
        ("tcp_error_message.contains(\"RST\")", 1),
        ("conn && conn_state == \"closed\" && conn_local_bytes == 72", 5),
        ("conn && conn_remote_pkts > 2", 10),
        ("\"http\" in conn_l7_detected", 10),
        ("protocol == \"tcp\"", 11),
        ("timestamp >= timestamp(\"2026-03-14T16:12:38Z\")", 5),
        ("timestamp > now() - duration(\"400ms\")", 3),
        ("grpc_status == -1 || !grpc", 24),
        ("request.headers[\"authorization\"] == \"x\"", 0),
    ] {
        let list = client
            .ask(
                "list_api_calls",
                json!({"snapshot_id": id, "kfl": kfl, "limit": 1000}),
            )
            .await;
        assert_eq!(list["total"], json!(total), "{kfl}: {list:#}");
    }
    let stats = client
        .ask(
            "get_api_stats",
            json!({"snapshot_id": id, "kfl": "http && status_code >= 500"}),
        )
        .await;
    assert_eq!(
        (&stats["total_calls"], &stats["error_rate"]),
        (&json!(1), &json!(1.0))
    );
}

#[tokio::test]
async fn wrong_names_match_nothing_without_a_word_and_wrong_syntax_is_refused() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    for kfl in [
        "response.status == 500",
        "status_code == \"500\"",
        "dst.pod.namespce == \"bank\"",
    ] {
        let list = client
            .ask("list_api_calls", json!({"snapshot_id": id, "kfl": kfl}))
            .await;
        assert_eq!((&list["total"], list.get("error")), (&json!(0), None), "{kfl}");
    }
    for kfl in ["http and dns", "path contains \"cart\"", "http &&", "http)"] {
        let refused = client
            .refused("list_api_calls", json!({"snapshot_id": id, "kfl": kfl}))
            .await;
        assert!(
            refused.starts_with("Hub API error (400): invalid KFL filter: column "),
            "{kfl}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_strict_hub_refuses_wrong_names_too() {
    let shop = Shop::open();
    let captures = vec![("node-a".to_owned(), shop.a.pcap())];
    let capture = Capture::from_parts(WORKLOADS.as_bytes(), captures).unwrap();
    let options = Options {
        kfl_errors: KflErrors::Strict,
        ..Options::default()
    };
    let client = Client::new(&Hub::new(capture, options)).await;
    let refused = client
        .refused("list_api_calls", json!({"kfl": "http && response.status == 500"}))
        .await;
    insta::assert_snapshot!(refused, @"Hub API error (400): invalid KFL filter: column 9: no field is named `response.status`");
}
