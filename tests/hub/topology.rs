//! Flows, workloads and addresses.

use serde_json::{Value, json};

use crate::client::Client;

#[tokio::test]
async fn flows_are_added_up_and_summarised() {
    let client = Client::shop("").await;
    // Without a snapshot: of everything the hub holds.
    let flows = client
        .ask("list_l4_flows", json!({"aggregate": "service", "svc": "pay"}))
        .await;
    let [flow] = &**flows["flows"].as_array().unwrap() else {
        panic!("{flows}")
    };
    insta::assert_json_snapshot!(flow, @r#"
    {
      "proto": "tcp",
      "client": {
        "ns": "shop",
        "svc": "web"
      },
      "server": {
        "ns": "bank",
        "svc": "pay",
        "port": 8080
      },
      "connections": 5,
      "failed_connections": 0,
      "client_stats": {
        "tx_pkts": 32,
        "rx_pkts": 16,
        "tx_bytes": 275,
        "rx_bytes": 273,
        "tcp_handshake_p50_us": 300,
        "tcp_handshake_p90_us": 300,
        "tcp_handshake_p99_us": 300
      },
      "server_stats": {
        "tx_pkts": 16,
        "rx_pkts": 32,
        "tx_bytes": 273,
        "rx_bytes": 275,
        "tcp_handshake_p50_us": 300,
        "tcp_handshake_p90_us": 300,
        "tcp_handshake_p99_us": 300
      },
      "totals": {
        "pkts": 48,
        "bytes": 548,
        "pps": 6,
        "bps": 68
      }
    }
    "#);
    let summary = client.ask("get_l4_flow_summary", json!({})).await;
    assert_eq!(summary["totals"]["failed"], json!(2));
    assert_eq!(summary["cross_namespace"].as_array().unwrap().len(), 2);
    let wrong = client
        .refused("list_l4_flows", json!({"aggregate": "pods"}))
        .await;
    assert_eq!(
        wrong,
        "Hub API error (400): parameter `aggregate` must be pod, namespace, node or service, not `pods`"
    );
}

#[tokio::test]
async fn workloads_and_addresses_are_resolved_both_ways() {
    let client = Client::shop("").await;
    let id = client.dissected(0, 60_000).await;
    let one = client
        .ask(
            "list_workloads",
            json!({"name": "cart-5c4-fghij", "namespace": "shop"}),
        )
        .await;
    insta::assert_json_snapshot!(one, @r#"
    {
      "total": 1,
      "workloads": [
        {
          "name": "cart-5c4-fghij",
          "namespace": "shop",
          "kind": "pod",
          "labels": {
            "app": "cart",
            "version": "v1"
          },
          "ips": [
            {
              "ip": "10.0.1.2",
              "timestamp": 1773504750000
            }
          ],
          "node": "node-a",
          "owner": "deployment/cart",
          "services": [
            "cart"
          ]
        }
      ]
    }
    "#);
    let names = |list: Value| -> Vec<String> {
        let all = list["workloads"].as_array().unwrap();
        all.iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let bank = client
        .ask(
            "list_workloads",
            json!({"snapshot_id": id, "namespaces": ["bank"]}),
        )
        .await;
    assert_eq!(names(bank), ["pay-6b8-klmno", "pay"]);
    let pods =
        json!({"snapshot_id": id, "name_regex": "^(web|cart)-", "type": "pod", "labels": {"app": "cart"}});
    assert_eq!(
        names(client.ask("list_workloads", pods).await),
        ["cart-5c4-fghij"]
    );
    let ip = client.ask("list_ips", json!({"ip": "10.96.0.9"})).await;
    assert_eq!(ip["ips"][0]["records"][0]["name"], "pay");
    let all = client.ask("list_ips", json!({"snapshot_id": id})).await;
    assert_eq!(all["total"], json!(5));
    for (tool, arguments, message) in [
        (
            "list_workloads",
            json!({"name": "x", "namespace": "shop"}),
            "Hub API error (404): workload `shop/x` not found",
        ),
        (
            "list_workloads",
            json!({"name": "x"}),
            "Hub API error (400): parameter `namespace` is required beside `name`",
        ),
        (
            "list_ips",
            json!({"ip": "10.9.9.9"}),
            "Hub API error (404): no workload found for IP `10.9.9.9`",
        ),
        (
            "list_ips",
            json!({"ip": "cart"}),
            "Hub API error (400): parameter `ip` is no address: `cart`",
        ),
    ] {
        assert_eq!(client.refused(tool, arguments).await, message);
    }
}
