//! One question to servers of different age.

use chrono::DateTime;
use rca_agent::{
    kubeshark::{Catalogue, Client},
    time::{Utc, Window},
    wire::{CallForm, Operation, Scope, SnapshotRef, decode},
};
use serde_json::{Value, json};

use super::fake::{Reply, client_of};

fn at(text: &str) -> Utc {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn questions() -> [Operation; 3] {
    let snapshot = SnapshotRef {
        id: "incident".to_owned(),
        name: "incident".to_owned(),
    };
    let window = Window {
        start: at("2026-03-14T16:00:00Z"),
        end: at("2026-03-14T16:30:00Z"),
    };
    let scope = Scope {
        snapshot: Some(snapshot.clone()),
        dissection: Some("first".to_owned()),
        filter: "http".to_owned(),
        window: Some(window),
    };
    [
        Operation::GetSnapshot { snapshot },
        Operation::ListCalls {
            scope: scope.clone(),
            limit: 10,
            form: CallForm::Full,
        },
        Operation::CallDetail {
            scope,
            call: "n1/1/0".to_owned(),
            node_id: Some("n1".to_owned()),
            max_payload_bytes: 100,
        },
    ]
}

/// Lists the tools, says the questions in the server's words, and reads the answers.
async fn investigate(client: &Client) -> (decode::Snapshot, decode::CallList, decode::CallDetail) {
    let catalogue = Catalogue::from_tools(client.tools().await.unwrap());
    let now = at("2026-03-14T17:00:00Z");
    let requests: Vec<_> = questions()
        .iter()
        .map(|q| catalogue.request(q, now).unwrap())
        .collect();
    let mut answers = client
        .call_all(&requests)
        .await
        .into_iter()
        .map(|a| a.unwrap().body);
    let mut next = || answers.next().unwrap();
    (
        decode::snapshot(&next()).unwrap(),
        decode::calls(&next()).unwrap(),
        decode::call_detail(&next()).unwrap(),
    )
}

fn schema(parameters: &Value) -> Value {
    json!({"type": "object", "properties": parameters, "additionalProperties": false})
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_newer_and_one_of_the_older_dialect_say_the_same() {
    let (newer, _) = client_of(|asked| {
        let (string, integer) = (json!({"type": "string"}), json!({"type": "integer"}));
        let call = json!({"id": "n1/1/0", "ts": 1_773_504_000_000_i64, "proto": "http", "status": 502,
            "latency_ms": 1.5, "src": {"ip": "10.0.0.1", "port": 4000}, "dst": {"ip": "10.0.0.2", "port": 80}, "node_id": "n1"});
        let answer = match (asked.method.as_str(), asked.tool()) {
            ("tools/list", _) => {
                return Reply::Result(json!({"tools": [
                    {"name": "get_snapshot", "inputSchema": schema(&json!({"id": string}))},
                    {"name": "list_api_calls", "inputSchema": schema(&json!({"kfl": string, "limit": integer,
                        "format": string, "start": integer, "end": integer, "snapshot_id": string}))},
                    {"name": "get_api_call_details", "inputSchema": schema(&json!({"id": string, "node_id": string,
                        "include_payload": {"type": "boolean"}, "snapshot_id": string}))},
                ]}));
            }
            (_, "get_snapshot") => json!({"id": "incident", "name": "incident", "status": "completed", "size_bytes": 7}),
            (_, "list_api_calls") => json!({"calls": [call], "total": 1, "truncated": false}),
            (_, "get_api_call_details") => json!({"entry": call, "req_body": "a", "truncated": false, "l4_conn": null}),
            other => panic!("{other:?}"),
        };
        Reply::Text(answer.to_string())
    })
    .await;
    let (older, _) = client_of(|asked| {
        let string = json!({"type": "string"});
        let call = json!({"id": "n1/1/0", "ts": "1773504000000", "proto": "http", "status": "502", "node_id": "n1",
            "elapsed_time": "1500", "src": {"ip": "10.0.0.1", "port": "4000"}, "dst": {"ip": "10.0.0.2", "port": "80"},
            "req_headers": null});
        let mut detail = call.clone();
        detail["req_body"] = json!("a");
        let answer = match (asked.method.as_str(), asked.tool()) {
            ("tools/list", _) => {
                return Reply::Result(json!({"tools": [
                    {"name": "get_snapshot", "inputSchema": schema(&json!({"name": string}))},
                    {"name": "list_api_calls", "inputSchema": schema(&json!({"filter": string, "limit": string, "db": string}))},
                    {"name": "get_api_call", "inputSchema": schema(&json!({"id": string, "db": string}))},
                ]}));
            }
            (_, "get_snapshot") => json!({"name": "incident", "status": "completed", "size_bytes": "7"}),
            (_, "list_api_calls") => {
                assert_eq!(asked.params["arguments"]["limit"], "10");
                assert_eq!(asked.params["arguments"]["db"], "incident/first");
                json!({"calls": [call], "total": "1"})
            }
            (_, "get_api_call") => detail,
            other => panic!("{other:?}"),
        };
        Reply::Text(answer.to_string())
    })
    .await;
    assert_eq!(investigate(&newer).await, investigate(&older).await);
}
