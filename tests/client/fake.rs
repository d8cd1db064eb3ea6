//! A server over a stream inside this process, made of a function from request to reply.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rca_agent::kubeshark::{Client, Endpoint, Limits, ToolRequest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

/// What the server does with one request.
pub(crate) enum Reply {
    Result(Value),
    /// One text content.
    Text(String),
    /// One text content with `isError`.
    Failure(String),
    Error(i32, &'static str),
    /// These bytes as they are, then the text.
    Noise(Vec<u8>, String),
    Raw(Vec<u8>),
    Silence,
    HangUp,
}

/// A request to the server.
pub(crate) struct Asked {
    /// Number of the connection, from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Asked {
    pub(crate) fn tool(&self) -> &str {
        self.params["name"].as_str().unwrap_or_default()
    }
}

pub(crate) fn text_result(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// The answer of the real server to `initialize`.
pub(crate) fn handshake() -> Value {
    json!({"protocolVersion": "2024-11-05", "capabilities": {"tools": {}, "prompts": {}},
           "serverInfo": {"name": "kubeshark-mcp", "version": "1.0.0"}, "instructions": "Use the tools."})
}

/// A server that answers the handshake itself and everything else by `reply`, and the number of
/// connections that were opened to it.
pub(crate) fn fake(reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> (Endpoint, Arc<AtomicUsize>) {
    raw_fake(move |asked| match asked.method.as_str() {
        "initialize" => Reply::Result(handshake()),
        _ => reply(asked),
    })
}

/// The same without the handshake.
pub(crate) fn raw_fake(
    reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Endpoint, Arc<AtomicUsize>) {
    let (reply, opened) = (Arc::new(reply), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&opened);
    let endpoint = Endpoint::in_process(move || {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let connection = count.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(theirs, connection, Arc::clone(&reply)));
        ours
    });
    (endpoint, opened)
}

async fn serve(stream: DuplexStream, connection: usize, reply: Arc<impl Fn(&Asked) -> Reply>) {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let request: Value = serde_json::from_str(&line).unwrap();
        let Some(id) = request.get("id").cloned() else {
            continue;
        };
        let method = request["method"].as_str().unwrap_or_default().to_owned();
        let params = request.get("params").cloned().unwrap_or_default();
        let respond = |result: Value| {
            json!({"jsonrpc": "2.0", "id": id, "result": result})
                .to_string()
                .into_bytes()
        };
        let failure = |text: String| json!({"content": [{"type": "text", "text": text}], "isError": true});
        let mut bytes = match reply(&Asked {
            connection,
            method,
            params,
        }) {
            Reply::Result(result) => respond(result),
            Reply::Text(text) => respond(text_result(&text)),
            Reply::Failure(text) => respond(failure(text)),
            Reply::Error(code, message) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
                    .to_string()
                    .into_bytes()
            }
            Reply::Noise(mut noise, text) => {
                noise.push(b'\n');
                noise.extend(respond(text_result(&text)));
                noise
            }
            Reply::Raw(bytes) => bytes,
            Reply::Silence => continue,
            Reply::HangUp => return,
        };
        bytes.push(b'\n');
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// A client of that server with the usual limits.
pub(crate) async fn client_of(
    reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Client, Arc<AtomicUsize>) {
    let (endpoint, opened) = fake(reply);
    (
        Client::connect(endpoint, Limits::default()).await.unwrap(),
        opened,
    )
}

/// A request that may be repeated.
pub(crate) fn ask(tool: &str) -> ToolRequest {
    ToolRequest {
        tool: tool.to_owned(),
        arguments: serde_json::Map::new(),
        repeatable: true,
        patient: false,
    }
}
