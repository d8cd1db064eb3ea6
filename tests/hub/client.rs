//! An MCP client for tests.

use rca_agent::hub::{Capture, Faults, Hub, Options, duplex};
use rmcp::model::{CallToolRequestParams, JsonObject};
use rmcp::service::{RoleClient, RunningService, ServiceError, ServiceExt as _};
use serde_json::{Value, json};

use crate::shop::{START_MS, Shop, WORKLOADS};

pub(crate) struct Client(pub RunningService<RoleClient, ()>);

/// The shop's hub with these faults, separated by commas.
pub(crate) fn hub(faults: &str) -> Hub {
    let shop = Shop::open();
    let captures = vec![
        ("node-a".to_owned(), shop.a.pcap()),
        ("node-b".to_owned(), shop.b.pcap()),
    ];
    let capture = Capture::from_parts(WORKLOADS.as_bytes(), captures).unwrap();
    let faults = faults
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.parse().unwrap());
    Hub::new(
        capture,
        Options {
            faults: Faults::new(faults),
            ..Options::default()
        },
    )
}

impl Client {
    pub(crate) async fn new(hub: &Hub) -> Self {
        Self(().serve(duplex(hub)).await.unwrap())
    }

    pub(crate) async fn shop(faults: &str) -> Self {
        Self::new(&hub(faults)).await
    }

    pub(crate) async fn result(&self, tool: &str, arguments: Value) -> Result<(bool, String), ServiceError> {
        let arguments: JsonObject = serde_json::from_value(arguments).unwrap();
        let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.0.call_tool(request).await?;
        let [content] = &*result.content else {
            panic!("one content: {result:?}")
        };
        Ok((
            result.is_error == Some(true),
            content.as_text().unwrap().text.clone(),
        ))
    }

    /// The JSON a tool answers.
    pub(crate) async fn ask(&self, tool: &str, arguments: Value) -> Value {
        let (failed, text) = self.result(tool, arguments).await.unwrap();
        assert!(!failed, "{tool}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{tool}: {text}"))
    }

    /// The sentence a tool fails with.
    pub(crate) async fn refused(&self, tool: &str, arguments: Value) -> String {
        let (failed, text) = self.result(tool, arguments).await.unwrap();
        assert!(failed, "{tool}: {text}");
        text
    }

    /// Asks until `done`; every job of these tests takes milliseconds.
    pub(crate) async fn wait(&self, tool: &str, arguments: Value, done: fn(&Value) -> bool) -> Value {
        loop {
            let answer = self.ask(tool, arguments.clone()).await;
            if done(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A completed snapshot of `[start, end)`, ms after the start, and its id.
    pub(crate) async fn snapshot(&self, start: i64, end: i64) -> String {
        let window = json!({"start_time": START_MS + start, "end_time": START_MS + end});
        let id = self.ask("create_snapshot", window).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        self.wait("get_snapshot", json!({"id": id}), |shown| {
            shown["status"] == "completed"
        })
        .await;
        id
    }

    /// A completed and dissected snapshot.
    pub(crate) async fn dissected(&self, start: i64, end: i64) -> String {
        let id = self.snapshot(start, end).await;
        self.ask("start_snapshot_dissection", json!({"snapshot_id": id}))
            .await;
        let status = json!({"snapshot_id": id});
        self.wait("get_snapshot_dissection_status", status, |shown| {
            shown["status"] == "completed"
        })
        .await;
        id
    }
}
