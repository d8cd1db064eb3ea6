//! The protocol around the tools: handshake, lists, errors, several connections.

use std::collections::BTreeMap;

use rca_agent::hub::{Hub, duplex, serve};
use rmcp::model::{ClientConfig, GetPromptRequestParams, ProtocolVersion};
use rmcp::service::ServiceExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::client::{Client, hub};

#[tokio::test]
async fn it_introduces_itself_as_kubeshark_in_its_only_version() {
    let hub = hub("");
    for offered in [
        ProtocolVersion::V_2024_11_05,
        ProtocolVersion::LATEST_WITH_INITIALIZE,
    ] {
        let mut config = ClientConfig::default();
        config.protocol_version = offered;
        let client = config.serve(duplex(&hub)).await.unwrap();
        let server = client.peer_info().unwrap();
        assert_eq!(server.protocol_version, ProtocolVersion::V_2024_11_05);
        let itself = server.server_info.as_ref().unwrap();
        assert_eq!((&*itself.name, &*itself.version), ("kubeshark-mcp", "1.0.0"));
        assert!(server.capabilities.tools.is_some() && server.capabilities.prompts.is_some());
        assert!(server.capabilities.resources.is_none());
        assert!(server.instructions.as_ref().unwrap().contains("create_snapshot"));
    }
    let client = Client::new(&hub).await;
    let prompts = client.0.list_all_prompts().await.unwrap();
    assert_eq!(prompts[0].name, "kubeshark_usage");
    assert!(
        client
            .0
            .get_prompt(GetPromptRequestParams::new("kubeshark_usage"))
            .await
            .is_ok()
    );
    assert!(
        client
            .0
            .get_prompt(GetPromptRequestParams::new("other"))
            .await
            .is_err()
    );
}

/// Names, types and obligation of every tool's arguments.
async fn schemas(hub: &Hub) -> BTreeMap<String, Vec<String>> {
    let tools = Client::new(hub).await.0.list_all_tools().await.unwrap();
    tools
        .into_iter()
        .map(|tool| {
            let schema = Value::Object((*tool.input_schema).clone());
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let arguments = schema["properties"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, argument)| {
                    let mark = if required.contains(&json!(name)) { "!" } else { "" };
                    let kind = argument["type"].as_str().unwrap();
                    match argument.get("enum").and_then(Value::as_array) {
                        Some(of) => {
                            let of: Vec<_> = of.iter().map(|one| one.as_str().unwrap()).collect();
                            format!("{name}{mark}: {}", of.join("|"))
                        }
                        None => format!("{name}{mark}: {kind}"),
                    }
                });
            (tool.name.to_string(), arguments.collect())
        })
        .collect()
}

#[tokio::test]
async fn the_tools_of_the_newer_dialect() {
    insta::assert_json_snapshot!(schemas(&hub("")).await, @r#"
    {
      "check_kubeshark_status": [
        "release_namespace: string"
      ],
      "create_snapshot": [
        "name: string",
        "start_time: integer",
        "end_time: integer",
        "duration: string",
        "nodes: array"
      ],
      "disable_dissection": [],
      "download_file": [
        "path!: string",
        "dest: string"
      ],
      "download_snapshot_from_cloud": [
        "id!: string"
      ],
      "enable_dissection": [],
      "export_snapshot_pcap": [
        "id!: string",
        "nodes: array",
        "bpf_filter: string",
        "start_time: integer",
        "end_time: integer"
      ],
      "get_api_call": [
        "id!: string",
        "node_id: string",
        "include_payload: boolean",
        "include_l4: boolean",
        "include_pcap: boolean",
        "max_payload_size: integer",
        "snapshot_id: string"
      ],
      "get_api_stats": [
        "kfl: string",
        "start: integer",
        "end: integer",
        "snapshot_id: string"
      ],
      "get_cloud_job_status": [
        "job_id!: string"
      ],
      "get_cloud_storage_status": [],
      "get_data_boundaries": [],
      "get_dissection_status": [],
      "get_file_url": [
        "path!: string"
      ],
      "get_l4_flow_summary": [
        "snapshot_id: string"
      ],
      "get_l7_data_boundaries": [],
      "get_snapshot": [
        "id!: string"
      ],
      "get_snapshot_dissection_status": [
        "snapshot_id!: string",
        "name: string"
      ],
      "list_api_calls": [
        "kfl: string",
        "limit: integer",
        "format: compact|full|raw",
        "group_by: node|ns|worker",
        "start: integer",
        "end: integer",
        "snapshot_id: string"
      ],
      "list_ips": [
        "ip: string",
        "snapshot_id: string",
        "namespaces: array",
        "name_regex: string",
        "labels: object",
        "timestamp: integer"
      ],
      "list_l4_flows": [
        "format: compact|full",
        "aggregate: pod|namespace|node|service",
        "l4proto: tcp|udp",
        "ip: string",
        "ns: string",
        "pod: string",
        "svc: string",
        "limit: integer",
        "snapshot_id: string"
      ],
      "list_snapshot_dissections": [
        "snapshot_id: string"
      ],
      "list_snapshots": [],
      "list_workloads": [
        "name: string",
        "namespace: string",
        "type: pod|service",
        "snapshot_id: string",
        "namespaces: array",
        "name_regex: string",
        "labels: object",
        "timestamp: integer"
      ],
      "start_snapshot_dissection": [
        "snapshot_id!: string",
        "name: string"
      ],
      "upload_snapshot_to_cloud": [
        "id!: string"
      ]
    }
    "#);
}

#[tokio::test]
async fn the_tools_of_the_older_dialect() {
    insta::assert_json_snapshot!(schemas(&hub("older-dialect")).await, @r#"
    {
      "check_kubeshark_status": [
        "release_namespace: string"
      ],
      "create_snapshot": [
        "name!: string",
        "start_time!: integer",
        "end_time!: integer",
        "nodes: array"
      ],
      "disable_dissection": [],
      "download_file": [
        "path!: string",
        "dest: string"
      ],
      "download_snapshot_from_cloud": [
        "id!: string"
      ],
      "enable_dissection": [],
      "export_snapshot_pcap": [
        "id!: string",
        "nodes: array",
        "bpf_filter: string",
        "start_time: integer",
        "end_time: integer"
      ],
      "get_api_call": [
        "id!: string",
        "db: string"
      ],
      "get_api_stats": [
        "kfl: string",
        "ns: string",
        "db: string"
      ],
      "get_cloud_job_status": [
        "job_id!: string"
      ],
      "get_cloud_storage_status": [],
      "get_data_boundaries": [],
      "get_dissection_status": [],
      "get_file_url": [
        "path!: string"
      ],
      "get_l4_flow_summary": [
        "snapshot_id: string"
      ],
      "get_snapshot": [
        "name!: string"
      ],
      "get_snapshot_dissection_status": [
        "snapshot!: string",
        "name!: string"
      ],
      "list_api_calls": [
        "kfl: string",
        "limit: integer",
        "format: compact|full|raw",
        "group_by: node|ns|worker",
        "start: integer",
        "end: integer",
        "db: string"
      ],
      "list_ips": [
        "ip: string",
        "snapshot_id: string",
        "namespaces: array",
        "name_regex: string",
        "labels: object",
        "timestamp: integer"
      ],
      "list_l4_flows": [
        "format: compact|full",
        "aggregate: pod|namespace|node|service",
        "l4proto: tcp|udp",
        "ip: string",
        "ns: string",
        "pod: string",
        "svc: string",
        "limit: integer",
        "snapshot_id: string"
      ],
      "list_snapshot_dissections": [],
      "list_snapshots": [],
      "list_workloads": [
        "name: string",
        "namespace: string",
        "type: pod|service",
        "snapshot_id: string",
        "namespaces: array",
        "name_regex: string",
        "labels: object",
        "timestamp: integer"
      ],
      "start_snapshot_dissection": [
        "snapshot!: string",
        "name!: string"
      ],
      "upload_snapshot_to_cloud": [
        "id!: string"
      ]
    }
    "#);
}

#[tokio::test]
async fn raw_lines_are_answered_as_json_rpc_asks() {
    let hub = hub("");
    let (client, server) = tokio::io::duplex(1 << 16);
    let (input, output) = tokio::io::split(server);
    let serving = tokio::spawn(async move { serve(&hub, input, output, std::future::pending()).await });
    let (read, mut write) = tokio::io::split(client);
    let mut lines = BufReader::new(read).lines();
    let mut asked = async |line: &str| -> Value {
        write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap()
    };
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}});
    let hello = asked(&hello.to_string()).await;
    assert_eq!(hello["result"]["protocolVersion"], "2024-11-05");
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let pong = asked(&format!(
        "{initialized}\n{}",
        r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#
    ))
    .await;
    assert_eq!(pong, json!({"jsonrpc": "2.0", "id": 2, "result": {}}));
    let unknown = asked(r#"{"jsonrpc":"2.0","id":3,"method":"no/such"}"#).await;
    assert_eq!(unknown["error"]["code"], json!(-32601));
    let listed =
        asked(r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"list_snapshots"}}"#).await;
    assert_eq!(
        listed["result"]["content"][0]["text"],
        "{\n  \"snapshots\": []\n}"
    );
    drop((lines, write));
    assert!(serving.await.unwrap().is_ok(), "the end of input is a clean end");
}

#[tokio::test]
async fn serving_ends_when_the_caller_says_so() {
    let hub = hub("");
    let (_client, server) = tokio::io::duplex(1024);
    let (input, output) = tokio::io::split(server);
    serve(&hub, input, output, std::future::ready(())).await.unwrap();
}

#[tokio::test]
async fn connections_share_snapshots_and_work_side_by_side() {
    let hub = hub("");
    let (one, two) = (Client::new(&hub).await, Client::new(&hub).await);
    let id = one.dissected(0, 60_000).await;
    let query = json!({"snapshot_id": id, "limit": 1});
    let (a, b) = tokio::join!(
        one.ask("list_api_calls", query.clone()),
        two.ask("list_api_calls", query.clone())
    );
    assert_eq!(a, b);
    // A connection that hangs keeps nobody else waiting.
    let hub = crate::client::hub("hangs-after:0");
    let stuck = Client::new(&hub).await;
    let waiting = tokio::spawn(async move { stuck.result("list_snapshots", json!({})).await });
    assert!(Client::new(&hub).await.0.list_all_tools().await.is_ok());
    waiting.abort();
}
