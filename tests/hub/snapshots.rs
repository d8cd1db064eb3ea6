//! Boundaries, snapshots, dissections: what the tools answer and refuse.

use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::START_MS;

#[tokio::test]
async fn boundaries_hold_every_packet() {
    let client = Client::shop("").await;
    let boundaries = client.ask("get_data_boundaries", json!({})).await;
    insta::assert_json_snapshot!(boundaries, @r#"
    {
      "cluster": {
        "oldest_ts": 1773504750000,
        "newest_ts": 1773504758503
      },
      "nodes": [
        {
          "name": "node-a",
          "oldest_ts": 1773504750000,
          "newest_ts": 1773504758502
        },
        {
          "name": "node-b",
          "oldest_ts": 1773504750100,
          "newest_ts": 1773504758503
        }
      ]
    }
    "#);
    let newest = boundaries["cluster"]["newest_ts"].as_i64().unwrap();
    let all = json!({"start_time": START_MS, "end_time": newest});
    let created = client.ask("create_snapshot", all).await;
    assert_eq!(
        created,
        json!({"id": "snap-1", "name": "snapshot-1", "status": "in_progress"})
    );
    let done = |shown: &Value| shown["status"] == "completed";
    let snapshot = client.wait("get_snapshot", json!({"id": "snap-1"}), done).await;
    insta::assert_json_snapshot!(snapshot, @r#"
    {
      "id": "snap-1",
      "name": "snapshot-1",
      "status": "completed",
      "progress": 100,
      "size_bytes": 10338,
      "created_at": "2026-03-14T16:12:38Z",
      "duration": "8s",
      "start_ts": 1773504750000,
      "end_ts": 1773504758503,
      "node_count": 2,
      "packet_count": 151,
      "nodes": [
        "node-a",
        "node-b"
      ]
    }
    "#);
    let l7 = client.ask("get_l7_data_boundaries", json!({})).await;
    assert_eq!(
        (&l7["dissection_enabled"], &l7["cluster"]["oldest_ts"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        client.ask("get_dissection_status", json!({})).await,
        json!({"enabled": false})
    );
}

#[tokio::test]
async fn a_snapshot_holds_what_its_window_and_nodes_say() {
    let client = Client::shop("").await;
    let id = client.dissected(7_000, 9_000).await;
    let list = client.ask("list_api_calls", json!({"snapshot_id": id})).await;
    assert_eq!(list["total"], json!(6), "{list:#}");
    let one_node = json!({"name": "b-only", "duration": "1h", "nodes": ["node-b"]});
    client.ask("create_snapshot", one_node).await;
    client
        .wait("get_snapshot", json!({"id": "b-only"}), |shown| {
            shown["status"] == "completed"
        })
        .await;
    client
        .ask("start_snapshot_dissection", json!({"snapshot_id": "b-only"}))
        .await;
    let status = json!({"snapshot_id": "b-only"});
    client
        .wait("get_snapshot_dissection_status", status, |shown| {
            shown["status"] == "completed"
        })
        .await;
    let list = client
        .ask(
            "list_api_calls",
            json!({"db": "b-only/default", "format": "full"}),
        )
        .await;
    assert_eq!(list["total"], json!(13));
    assert_eq!(list["calls"][0]["node_id"], "node-b");
    assert_eq!(list["calls"][0].get("also_seen"), None);
}

#[tokio::test]
async fn a_call_cut_by_the_window_begins_in_the_middle() {
    let client = Client::shop("").await;
    // Within the 40 ms that the failing charge took.
    let id = client.dissected(6_510, 6_600).await;
    let list = client.ask("list_api_calls", json!({"snapshot_id": id})).await;
    let protocols: Vec<_> = list["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| &call["proto"])
        .collect();
    assert_eq!(
        protocols,
        ["tcp"],
        "a response without its request is no call: {list:#}"
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let client = Client::shop("").await;
    let window = |start: i64, end: i64| json!({"start_time": START_MS + start, "end_time": START_MS + end});
    for (arguments, message) in [
        (
            window(-5_000, 0),
            "Hub API error (400): the requested time window 1773504745000-1773504750000 is outside the available \
             data 1773504750000-1773504758503 (Unix ms)",
        ),
        (
            window(10, 10),
            "Hub API error (400): start_time must be before end_time",
        ),
        (
            json!({}),
            "Hub API error (400): `start_time` and `end_time`, or `duration`, are required",
        ),
        (
            json!({"duration": "soon"}),
            "Hub API error (400): parameter `duration` must be like `30m` or `1h30m`, not `soon`",
        ),
        (
            json!({"duration": "1m", "nodes": ["node-c"]}),
            "Hub API error (404): node `node-c` not found; the nodes are node-a, node-b",
        ),
        (
            json!({"duration": "1m", "name": "a/b"}),
            "Hub API error (400): a snapshot's name has 1 to 200 bytes without slashes and control characters",
        ),
    ] {
        assert_eq!(client.refused("create_snapshot", arguments).await, message);
    }
    let id = client.snapshot(0, 60_000).await;
    let again = json!({"duration": "1m", "name": "snapshot-1"});
    let taken = "Hub API error (409): a snapshot named `snapshot-1` already exists";
    assert_eq!(client.refused("create_snapshot", again).await, taken);
    for (tool, arguments, message) in [
        (
            "get_snapshot",
            json!({"id": "nope"}),
            "Hub API error (404): snapshot `nope` not found",
        ),
        (
            "list_api_calls",
            json!({"snapshot_id": id}),
            "Hub API error (409): snapshot `snapshot-1` cannot be queried: it has not been dissected; start that \
             with `start_snapshot_dissection`",
        ),
        (
            "get_snapshot_dissection_status",
            json!({"snapshot_id": id}),
            "Hub API error (404): snapshot `snapshot-1` has no dissection; start one with \
             `start_snapshot_dissection`",
        ),
        (
            "upload_snapshot_to_cloud",
            json!({"id": id}),
            "Hub API error (400): cloud storage is not configured",
        ),
        (
            "start_kubeshark",
            json!({}),
            "This tool requires --allow-destructive flag. Destructive operations are disabled for safety.",
        ),
        (
            "no_such_tool",
            json!({}),
            "Hub API error (404): unknown tool `no_such_tool`",
        ),
    ] {
        assert_eq!(client.refused(tool, arguments).await, message);
    }
}

#[tokio::test]
async fn one_snapshot_is_built_at_a_time() {
    let client = Client::shop("snapshot-stuck").await;
    client
        .ask("create_snapshot", json!({"duration": "5s", "name": "first"}))
        .await;
    let second = client.refused("create_snapshot", json!({"duration": "5s"})).await;
    let busy =
        "Hub API error (409): another snapshot is already in progress: `first`; wait until it is completed";
    assert_eq!(second, busy);
    let dissect = client
        .refused("start_snapshot_dissection", json!({"snapshot_id": "first"}))
        .await;
    assert_eq!(
        dissect,
        "Hub API error (409): snapshot `first` is not completed yet"
    );
    let export = client
        .refused("export_snapshot_pcap", json!({"id": "first"}))
        .await;
    assert_eq!(export, "Hub API error (409): snapshot `first` is not completed");
}

#[tokio::test]
async fn a_dissection_is_started_once_and_tells_what_it_made() {
    let client = Client::shop("").await;
    let id = client.snapshot(0, 60_000).await;
    assert_eq!(
        client
            .ask("list_snapshot_dissections", json!({"snapshot_id": id}))
            .await,
        json!({"dissections": []})
    );
    let begun = client
        .ask("start_snapshot_dissection", json!({"snapshot_id": id}))
        .await;
    assert_eq!(begun["dissection_id"], "snap-1/default");
    let done = |shown: &Value| shown["status"] == "completed";
    let status = client
        .wait("get_snapshot_dissection_status", json!({"id": id}), done)
        .await;
    insta::assert_json_snapshot!(status, @r#"
    {
      "dissection_id": "snap-1/default",
      "snapshot": "snapshot-1",
      "name": "default",
      "status": "completed",
      "active": false,
      "progress": 100,
      "stats": {
        "packets_processed": 151,
        "entries_created": 24,
        "protocol_counts": {
          "http": 11,
          "dns": 2,
          "tcp": 11
        },
        "not_dissected": {
          "packets": {},
          "stream_bytes_not_captured": 0,
          "responses_without_request": 0,
          "connections_evicted": 0
        }
      },
      "errors": []
    }
    "#);
    let again = client
        .ask("start_snapshot_dissection", json!({"snapshot_id": id}))
        .await;
    assert_eq!(
        (&again["status"], &again["active"]),
        (&json!("completed"), &json!(false))
    );
    let all = client.ask("list_snapshot_dissections", json!({})).await;
    insta::assert_json_snapshot!(all, @r#"
    {
      "dissections": [
        {
          "snapshot": "snapshot-1",
          "snapshot_id": "snap-1",
          "name": "default",
          "dissection_id": "snap-1/default",
          "status": "completed",
          "progress": 100,
          "entry_count": 24
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn live_traffic_is_empty_and_says_why() {
    let client = Client::shop("").await;
    let list = client.ask("list_api_calls", json!({"kfl": "http"})).await;
    assert_eq!((&list["total"], &list["calls"]), (&json!(0), &json!([])));
    assert_eq!(
        list["note"],
        "live dissection is disabled; pass `snapshot_id` to query a dissected snapshot"
    );
    assert_eq!(
        client.ask("get_api_stats", json!({})).await["total_calls"],
        json!(0)
    );
}

/// Live dissection holds what came while it was on, and what a recorded capture holds is all that ever comes.
#[tokio::test]
async fn live_dissection_holds_what_came_while_it_was_on() {
    let off = Client::shop("").await;
    let calls = json!({"kfl": "http", "start": START_MS, "end": START_MS + 60_000});
    assert_eq!(off.ask("list_api_calls", calls.clone()).await["total"], 0);
    assert_eq!(
        off.ask("get_dissection_status", json!({})).await["enabled"],
        false
    );
    assert_eq!(off.ask("enable_dissection", json!({})).await["enabled"], true);
    let after = off.ask("get_l7_data_boundaries", json!({})).await;
    assert_eq!(after["dissection_enabled"], true);
    assert_eq!(
        after["cluster"]["oldest_ts"],
        Value::Null,
        "it works forward only"
    );
    assert_eq!(off.ask("disable_dissection", json!({})).await["enabled"], false);

    let whole = Client::shop("live-dissection:3600").await;
    let all = whole.ask("list_api_calls", calls.clone()).await;
    let raw = whole.ask("get_data_boundaries", json!({})).await;
    let live = whole.ask("get_l7_data_boundaries", json!({})).await;
    assert_eq!(live["nodes"], raw["nodes"]);
    let id = all["calls"][0]["id"].as_str().unwrap();
    let detail = whole.ask("get_api_call_details", json!({"id": id})).await;
    assert_eq!(detail["entry"]["id"], id);

    let part = Client::shop("live-dissection:2").await;
    let live = part.ask("get_l7_data_boundaries", json!({})).await;
    let since = live["cluster"]["oldest_ts"].as_i64().unwrap();
    assert_eq!(live["cluster"]["newest_ts"].as_i64().unwrap() - since, 2_000);
    let late = part.ask("list_api_calls", calls).await;
    let (late, all) = (
        late["calls"].as_array().unwrap(),
        all["calls"].as_array().unwrap(),
    );
    assert!(late.len() < all.len() && !late.is_empty(), "{late:?}");
    assert!(late.iter().all(|call| call["ts"].as_i64().unwrap() >= since));
}
