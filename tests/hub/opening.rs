//! Captures of all sorts, sound and damaged.

use std::fs;
use std::path::Path;

use rca_agent::hub::{Capture, Hub, OpenError, Options};
use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::{Shop, WORKLOADS};

fn written(directory: &Path, files: &[(&str, &[u8])]) {
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
    }
}

fn nodes(capture: &Capture) -> Vec<&str> {
    capture.nodes.iter().map(|node| &*node.name).collect()
}

#[test]
fn a_directory_is_opened_with_listed_and_unlisted_nodes() {
    let (directory, shop) = (tempfile::tempdir().unwrap(), Shop::open());
    let (a, b) = (shop.a.pcap(), shop.b.pcap());
    // What is beside the captures is not looked at: the truth above all.
    written(
        directory.path(),
        &[
            ("workloads.json", WORKLOADS.as_bytes()),
            ("node-a.pcap", &a),
            ("node-b.pcap", &b),
            ("node-c.pcapng", &b),
            ("truth.json", b"{"),
            ("notes.txt", b"x"),
        ],
    );
    let capture = Capture::open(directory.path()).unwrap();
    assert_eq!(nodes(&capture), ["node-a", "node-b", "node-c"]);
    assert_eq!((&*capture.cluster, &*capture.problems), ("lab", &[][..]));
}

#[tokio::test]
async fn a_bare_capture_is_one_node_of_strangers() {
    let (directory, shop) = (tempfile::tempdir().unwrap(), Shop::open());
    written(directory.path(), &[("from-a-colleague.pcap", &shop.a.pcap())]);
    let capture = Capture::open(&directory.path().join("from-a-colleague.pcap")).unwrap();
    assert_eq!(nodes(&capture), ["from-a-colleague"]);
    let client = Client::new(&Hub::new(capture, Options::default())).await;
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1000}))
        .await;
    assert_eq!(list["total"], json!(24));
    let first = &list["calls"][0];
    assert_eq!(
        first["dst"],
        json!({"ip": "10.0.1.2", "name": "10.0.1.2", "port": 8080})
    );
    let stats = client.ask("get_api_stats", json!({"snapshot_id": id})).await;
    let services: Vec<&Value> = stats["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["service"])
        .collect();
    assert_eq!(
        services,
        ["10.0.1.2", "10.0.1.2", "10.0.2.1", "10.0.2.1", "10.0.2.53"]
    );
    assert_eq!(
        client.ask("list_ips", json!({"snapshot_id": id})).await["total"],
        json!(4)
    );
}

#[tokio::test]
async fn a_truncated_capture_is_served_as_far_as_it_goes_and_the_problem_told() {
    let (directory, shop) = (tempfile::tempdir().unwrap(), Shop::open());
    let whole = shop.a.pcap();
    let half = &whole[..whole.len() / 2];
    written(
        directory.path(),
        &[
            ("workloads.json", WORKLOADS.as_bytes()),
            ("node-a.pcap", half),
            ("node-b.pcap", b"\x00\x01 no capture"),
        ],
    );
    let capture = Capture::open(directory.path()).unwrap();
    let problems = capture
        .problems
        .join("\n")
        .replace(&directory.path().display().to_string(), "DIR");
    insta::assert_snapshot!(problems, @r#"
    the capture of node `node-b` is not served: `DIR/node-b.pcap` is no capture: it begins with the bytes 00 01 20 6e 6f 20 63 61; pcap and pcapng are read, also compressed with zstd
    the capture of node `node-a` is damaged at byte 4162 (the last record is cut off: only 56 bytes of it are there); the 49 packets before that are served
    "#);
    let client = Client::new(&Hub::new(capture, Options::default())).await;
    let (_, status) = client.result("check_kubeshark_status", json!({})).await.unwrap();
    assert_eq!(status.matches("Problem: ").count(), 2, "{status}");
    assert_eq!(
        client.ask("get_data_boundaries", json!({})).await["problems"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1}))
        .await;
    assert!(list["total"].as_u64().unwrap() > 8, "{list}");
}

#[test]
fn what_is_no_capture_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let noise: Vec<u8> = (0..4096u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    written(
        directory.path(),
        &[
            ("noise.pcap", &noise),
            ("workloads.json", br#"{"format": "rca-agent/capture/9"}"#),
        ],
    );
    let said = |error: OpenError| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text.replace(&directory.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(said(Capture::open(&at("noise.pcap")).unwrap_err()), @"`DIR/noise.pcap` is no capture: it begins with the bytes 00 9e 3c da 78 17 b5 53; pcap and pcapng are read, also compressed with zstd");
    insta::assert_snapshot!(said(Capture::open(&at("missing.pcap")).unwrap_err()), @"could not open the capture `DIR/missing.pcap`: No such file or directory (os error 2)");
    insta::assert_snapshot!(said(Capture::open(directory.path()).unwrap_err()), @"could not use the capture directory `DIR`: `workloads.json` has the format `rca-agent/capture/9`; this version reads `rca-agent/capture/1`");
    fs::remove_file(at("workloads.json")).unwrap();
    insta::assert_snapshot!(said(Capture::open(directory.path()).unwrap_err()), @"the directory `DIR` holds no readable capture; a capture directory has one `NODE.pcap`, `.pcapng` or `.pcap.zst` per node and a `workloads.json`, or calls in `.jsonl` files (also .gz, .zst); there is no `workloads.json`: workloads are named by their address; the capture of node `noise` is not served: `DIR/noise.pcap` is no capture: it begins with the bytes 00 9e 3c da 78 17 b5 53; pcap and pcapng are read, also compressed with zstd");
}
