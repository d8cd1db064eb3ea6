//! MCP over streamable HTTP.

use rca_agent::hub::{HttpOptions, Hub, ServeError, serve_http};
use rmcp::service::ServiceExt as _;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use secrecy::SecretString;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::client::{Client, hub};

/// Serves on a free port of loopback; the sender ends it.
async fn served(hub: Hub, options: HttpOptions) -> (String, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel::<()>();
    tokio::spawn(async move {
        serve_http(&hub, listener, options, async { drop(ended.await) })
            .await
            .unwrap();
    });
    (format!("http://{address}"), end)
}

/// Without TLS, which loopback needs none of.
fn plain_http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

async fn connected(base: &str, token: Option<&str>) -> Option<Client> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(format!("{base}/mcp"));
    if let Some(token) = token {
        config = config.auth_header(token);
    }
    let transport = StreamableHttpClientTransport::with_client(plain_http(), config);
    ().serve(transport).await.ok().map(Client)
}

#[tokio::test]
async fn a_client_over_http_finds_the_same_tools_and_its_files() {
    let (base, _end) = served(hub(""), HttpOptions::default()).await;
    let client = connected(&base, None).await.unwrap();
    let id = client.dissected(0, 60_000).await;
    let list = client
        .ask("list_api_calls", json!({"snapshot_id": id, "limit": 1}))
        .await;
    assert_eq!(list["total"], json!(24));
    let export = client.ask("export_snapshot_pcap", json!({"id": id})).await;
    let (_, url) = client
        .result("get_file_url", json!({"path": export["path"]}))
        .await
        .unwrap();
    assert!(url.starts_with(&base), "{url}");
    let file = plain_http()
        .get(&url)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(export["size_bytes"], json!(file.len()));
    let none = plain_http()
        .get(format!("{base}/snapshots/snap-1/none.pcap"))
        .send()
        .await
        .unwrap();
    assert_eq!(none.status(), 404);
}

#[tokio::test]
async fn the_token_is_asked_for_everywhere() {
    let token = Some(SecretString::from("s3cret"));
    let (base, _end) = served(
        hub(""),
        HttpOptions {
            token,
            any_host: false,
        },
    )
    .await;
    assert!(connected(&base, None).await.is_none());
    assert!(connected(&base, Some("wrong")).await.is_none());
    let client = connected(&base, Some("s3cret")).await.unwrap();
    client.ask("list_snapshots", json!({})).await;
    let without = plain_http()
        .get(format!("{base}/snapshots/snap-1/export-1.pcap"))
        .send()
        .await
        .unwrap();
    assert_eq!(without.status(), 401);
    assert_eq!(without.headers()["www-authenticate"], "Bearer");
    let (rehearsed, _end) = served(hub("needs-token"), HttpOptions::default()).await;
    assert!(connected(&rehearsed, Some("any")).await.is_none());
}

#[tokio::test]
async fn other_host_names_are_refused_unless_allowed() {
    let status = async |any_host| {
        let (base, end) = served(
            hub(""),
            HttpOptions {
                token: None,
                any_host,
            },
        )
        .await;
        let request = plain_http()
            .post(format!("{base}/mcp"))
            .header("host", "hub.kubeshark.svc");
        let request = request
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}});
        let status = request.body(hello.to_string()).send().await.unwrap().status();
        drop(end);
        status.as_u16()
    };
    assert_eq!((status(false).await, status(true).await), (403, 200));
}

#[tokio::test]
async fn a_server_that_dies_ends_serving_with_the_call_unanswered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let hub = hub("dies-after:1");
    let serving = tokio::spawn(async move {
        serve_http(&hub, listener, HttpOptions::default(), std::future::pending()).await
    });
    let client = connected(&base, None).await.unwrap();
    client.ask("list_snapshots", json!({})).await;
    tokio::select! {
        answer = client.result("list_snapshots", json!({})) => panic!("{answer:?}"),
        ended = serving => assert!(matches!(ended.unwrap(), Err(ServeError::Rehearsed))),
    }
}
