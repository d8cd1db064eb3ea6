//! Packet captures cut out of snapshots.

use std::path::Path;

use rca_agent::hub::packet;
use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::{START_MS, Shop};

/// Exports, downloads and reads back: number of packets.
async fn exported(client: &Client, arguments: Value, to: &Path) -> u64 {
    let export = client.ask("export_snapshot_pcap", arguments).await;
    let done = client
        .ask("download_file", json!({"path": export["path"], "dest": to}))
        .await;
    let file = packet::load(to).unwrap();
    assert_eq!(done["size"], json!(file.size()));
    assert_eq!(file.problem(), None);
    assert_eq!(export["packets"], json!(file.packet_count()));
    let times: Vec<i64> = file.packets().map(|packet| packet.ts_us).collect();
    assert!(times.is_sorted());
    file.packet_count()
}

#[tokio::test]
async fn an_export_is_a_capture_of_what_was_asked_for() {
    let client = Client::shop("").await;
    let directory = tempfile::tempdir().unwrap();
    let to = |name: &str| directory.path().join(name);
    let id = client.snapshot(0, 60_000).await;
    let shop = Shop::open();
    let all = exported(&client, json!({"id": id}), &to("all.pcap")).await;
    assert_eq!(
        all,
        (shop.a.len() + shop.b.len()) as u64,
        "what both nodes saw is in it twice"
    );
    let one_node = json!({"id": id, "nodes": ["node-b"]});
    assert_eq!(
        exported(&client, one_node, &to("b.pcap")).await,
        shop.b.len() as u64
    );
    let refused = json!({"id": id, "bpf_filter": "host 10.0.1.2 and port 9999"});
    assert_eq!(exported(&client, refused, &to("refused.pcap")).await, 2);
    let syns =
        json!({"id": id, "nodes": "node-a", "bpf_filter": "tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn"});
    assert_eq!(exported(&client, syns, &to("syns.pcap")).await, 11);
    let part = json!({"id": id, "start_time": START_MS + 7_000, "end_time": START_MS + 8_000});
    assert_eq!(exported(&client, part, &to("part.pcap")).await, 2);
    let nothing = json!({"id": id, "bpf_filter": "host 192.0.2.1"});
    assert_eq!(exported(&client, nothing, &to("nothing.pcap")).await, 0);
}

#[tokio::test]
async fn a_wrong_export_says_what_is_wrong() {
    let client = Client::shop("").await;
    let id = client.snapshot(0, 60_000).await;
    let refused = client
        .refused(
            "export_snapshot_pcap",
            json!({"id": id, "bpf_filter": "hosts 10.0.1.2"}),
        )
        .await;
    insta::assert_snapshot!(refused, @"Hub API error (400): invalid BPF filter `hosts 10.0.1.2`: unexpected token `hosts` — expected a filter primitive");
    let refused = client
        .refused("export_snapshot_pcap", json!({"id": id, "nodes": ["node-z"]}))
        .await;
    assert_eq!(
        refused,
        "Hub API error (404): node `node-z` is not part of snapshot `snapshot-1`"
    );
    let missing = client
        .refused("download_file", json!({"path": "/snapshots/x/export-1.pcap"}))
        .await;
    assert_eq!(missing, "Error downloading file: HTTP 404");
    assert_eq!(
        client.refused("download_file", json!({})).await,
        "Error: 'path' parameter is required"
    );
}

#[tokio::test]
async fn a_download_leaves_other_files_alone() {
    let client = Client::shop("").await;
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().join("mine.txt");
    std::fs::write(&to, "precious").unwrap();
    let id = client.snapshot(0, 60_000).await;
    let export = client.ask("export_snapshot_pcap", json!({"id": id})).await;
    let refused = client
        .refused("download_file", json!({"path": export["path"], "dest": to}))
        .await;
    assert!(refused.starts_with("Error creating file"), "{refused}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "precious");
    let (failed, url) = client
        .result("get_file_url", json!({"path": export["path"]}))
        .await
        .unwrap();
    assert_eq!(
        (failed, &*url),
        (false, "embedded://hub/snapshots/snap-1/export-1.pcap")
    );
}
