//! Rehearsed faults, as a client meets them.

use rmcp::service::ServiceError;
use serde_json::{Value, json};

use crate::client::{Client, hub};
use crate::shop::START_MS;

#[tokio::test]
async fn without_the_hub_only_the_local_tools_are_there() {
    for faults in ["hub-tools-missing", "needs-token"] {
        let client = Client::shop(faults).await;
        let tools = client.0.list_all_tools().await.unwrap();
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["check_kubeshark_status", "get_file_url", "download_file"]);
    }
    let client = Client::shop("hub-tools-missing").await;
    let (_, status) = client.result("check_kubeshark_status", json!({})).await.unwrap();
    assert_eq!(status, "Kubeshark is not running in namespace 'default'.");
    let refused = client.refused("list_snapshots", json!({})).await;
    assert_eq!(
        refused,
        "Kubeshark is not running. Use the 'start_kubeshark' tool to start it first."
    );
    let client = Client::shop("needs-token").await;
    let refused = client.refused("list_snapshots", json!({})).await;
    assert!(
        refused.starts_with("Hub requires authentication (401/SSO redirect)"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_viewer_may_look_but_not_create() {
    let client = Client::shop("viewer-role").await;
    client.ask("get_data_boundaries", json!({})).await;
    let refused = client.refused("create_snapshot", json!({"duration": "1m"})).await;
    insta::assert_snapshot!(refused, @"Hub API error (403): forbidden: role `viewer` may not call `create_snapshot`; it needs role `snapshot` or `admin`");
}

#[tokio::test]
async fn with_raw_capture_off_there_is_nothing_to_freeze() {
    let client = Client::shop("raw-capture-off").await;
    let boundaries = client.ask("get_data_boundaries", json!({})).await;
    assert_eq!(
        boundaries,
        json!({"cluster": {"oldest_ts": null, "newest_ts": null}, "nodes": []})
    );
    let refused = client.refused("create_snapshot", json!({"duration": "1m"})).await;
    assert_eq!(
        refused,
        "Hub API error (400): no raw capture data available: raw capture is not enabled"
    );
}

#[tokio::test]
async fn jobs_fail_or_never_end() {
    let client = Client::shop("snapshot-fails").await;
    let id = client.ask("create_snapshot", json!({"duration": "1m"})).await["id"].clone();
    let snapshot = client.ask("get_snapshot", json!({"id": id})).await;
    assert_eq!(snapshot["status"], "failed");
    assert_eq!(
        snapshot["error"],
        "failed to assemble the snapshot: no space left on device"
    );

    let client = Client::shop("dissection-fails").await;
    let id = client.snapshot(0, 60_000).await;
    client
        .ask("start_snapshot_dissection", json!({"snapshot_id": id}))
        .await;
    let status = client
        .ask("get_snapshot_dissection_status", json!({"snapshot_id": id}))
        .await;
    assert_eq!(
        (&status["status"], &status["active"]),
        (&json!("failed"), &json!(false))
    );
    assert_eq!(
        status["errors"],
        json!(["worker crashed: out of memory while reassembling streams"])
    );

    let client = Client::shop("dissection-stuck").await;
    let id = client.snapshot(0, 60_000).await;
    client
        .ask("start_snapshot_dissection", json!({"snapshot_id": id}))
        .await;
    let status = client
        .ask("get_snapshot_dissection_status", json!({"snapshot_id": id}))
        .await;
    assert_eq!(
        (&status["status"], &status["progress"]),
        (&json!("pending"), &json!(0))
    );
    let refused = client.refused("list_api_calls", json!({"snapshot_id": id})).await;
    assert!(
        refused.ends_with("its dissection is at 0 %; wait until it is completed"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_empty_window_completes_and_holds_nothing() {
    let client = Client::shop("empty-window").await;
    let id = client.dissected(0, 60_000).await;
    assert_eq!(
        client.ask("get_snapshot", json!({"id": id})).await["packet_count"],
        json!(0)
    );
    assert_eq!(
        client.ask("list_api_calls", json!({"snapshot_id": id})).await["total"],
        json!(0)
    );
}

#[tokio::test]
async fn a_scope_hides_other_namespaces_without_a_word() {
    let client = Client::shop("namespace-scope:bank").await;
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1000}))
        .await;
    assert_eq!(list["total"], json!(11));
    let workloads = client.ask("list_workloads", json!({"snapshot_id": id})).await;
    assert_eq!(workloads["total"], json!(2));
    let hidden = client
        .refused("get_api_call", json!({"snapshot_id": id, "id": "node-a/0/0"}))
        .await;
    assert_eq!(hidden, "Hub API error (404): API call `node-a/0/0` not found");
}

#[tokio::test]
async fn a_total_may_be_the_length_of_the_list() {
    let client = Client::shop("total-is-returned-length").await;
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 3}))
        .await;
    assert_eq!((&list["total"], &list["truncated"]), (&json!(3), &json!(true)));
}

#[tokio::test]
async fn answers_are_huge_or_broken() {
    let client = Client::shop("huge-answer").await;
    let id = client.dissected(0, 60_000).await;
    let (_, text) = client
        .result("list_api_calls", json!({"snapshot_id": id}))
        .await
        .unwrap();
    assert!(text.len() >= 12 << 20, "{}", text.len());
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap()["total"],
        json!(24),
        "and is JSON all the same"
    );

    let client = Client::shop("malformed-json").await;
    let id = client.dissected(0, 60_000).await;
    let (failed, text) = client
        .result("get_api_stats", json!({"snapshot_id": id}))
        .await
        .unwrap();
    assert!(!failed && serde_json::from_str::<Value>(&text).is_err());
}

#[tokio::test]
async fn a_connection_dies_after_so_many_calls_and_the_next_one_begins_anew() {
    let hub = hub("dies-after:2");
    let client = Client::new(&hub).await;
    client.ask("list_snapshots", json!({})).await;
    client.ask("get_data_boundaries", json!({})).await;
    let dead = client.result("list_snapshots", json!({})).await.unwrap_err();
    assert!(matches!(dead, ServiceError::TransportClosed), "{dead:?}");
    Client::new(&hub).await.ask("list_snapshots", json!({})).await;
}

#[tokio::test]
async fn a_connection_hangs_after_so_many_calls() {
    let hub = hub("hangs-after:1");
    let (stuck, other) = (Client::new(&hub).await, Client::new(&hub).await);
    stuck.ask("list_snapshots", json!({})).await;
    let meanwhile = async {
        for _ in 0..20 {
            other.0.list_all_tools().await.unwrap();
        }
    };
    tokio::select! {
        answer = stuck.result("list_snapshots", json!({})) => panic!("{answer:?}"),
        () = meanwhile => {}
    }
}

#[tokio::test]
async fn an_older_server_speaks_another_dialect() {
    let client = Client::shop("older-dialect").await;
    let tools = client.0.list_all_tools().await.unwrap();
    assert!(tools.iter().all(|tool| tool.name != "get_l7_data_boundaries"));
    let missing = client.refused("get_l7_data_boundaries", json!({})).await;
    assert_eq!(
        missing,
        "Hub API error (404): unknown tool `get_l7_data_boundaries`"
    );
    let boundaries = client.ask("get_data_boundaries", json!({})).await;
    assert_eq!(
        boundaries["cluster"]["oldest_ts"],
        json!(START_MS.to_string()),
        "numbers come as strings"
    );
    let window = json!({"name": "s", "start_time": START_MS, "end_time": START_MS + 60_000});
    let created = client.ask("create_snapshot", window).await;
    assert_eq!(
        created,
        json!({"success": true, "name": "s", "status": "in_progress"})
    );
    client
        .wait("get_snapshot", json!({"name": "s"}), |shown| {
            shown["status"] == "completed"
        })
        .await;
    let begun = client
        .ask("start_snapshot_dissection", json!({"snapshot": "s", "name": "d"}))
        .await;
    assert_eq!(
        begun,
        json!({"success": true, "snapshot": "s", "name": "d", "status": "pending"})
    );
    let status = json!({"snapshot": "s", "name": "d"});
    let done = client
        .wait("get_snapshot_dissection_status", status, |shown| {
            shown["active"] == false
        })
        .await;
    assert_eq!(done, json!({"progress": "100", "active": false}));
    let list = client
        .ask(
            "list_api_calls",
            json!({"db": "s/d", "limit": 1, "format": "full"}),
        )
        .await;
    assert_eq!(
        (&list["total"], &list["calls"][0]["ts"]),
        (&json!("24"), &json!(START_MS.to_string()))
    );
    let call = client
        .ask("get_api_call", json!({"db": "s/d", "id": "node-a/8/1"}))
        .await;
    assert_eq!(
        (&call["status"], &call["resp_body"]),
        (&json!("503"), &json!("pool is exhausted"))
    );
    let unfiltered = client.refused("list_workloads", json!({})).await;
    assert_eq!(
        unfiltered,
        "Hub API error (400): snapshot_id is required for filtered listing"
    );
}

#[tokio::test]
async fn cloud_storage_can_be_there() {
    let client = Client::shop("cloud-on").await;
    assert_eq!(
        client.ask("get_cloud_storage_status", json!({})).await["connected"],
        json!(true)
    );
    let id = client.snapshot(0, 60_000).await;
    let job = client.ask("upload_snapshot_to_cloud", json!({"id": id})).await["job_id"].clone();
    let job = client.ask("get_cloud_job_status", json!({"job_id": job})).await;
    assert_eq!(
        (&job["operation"], &job["status"]),
        (&json!("upload"), &json!("completed"))
    );
    let local = client
        .refused("download_snapshot_from_cloud", json!({"id": id}))
        .await;
    assert_eq!(
        local,
        "Hub API error (409): snapshot `snapshot-1` already exists locally"
    );
}
