//! A server that speaks the chat completions of `OpenAI`, and answers as a script says.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::stream;
use serde_json::{Value, json};

/// What a request asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// "hypothesise", by the name of the schema or the tool, or by the words of the task.
    pub(crate) role: String,
    /// How often this role was asked before.
    pub(crate) before: usize,
    /// Requests before this one.
    pub(crate) requests: usize,
    /// The first user message.
    pub(crate) prompt: String,
    /// The last user message.
    pub(crate) last: String,
    pub(crate) body: Value,
    pub(crate) authorization: Option<String>,
}

/// What the server does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A chat completion with this JSON as its content.
    Answer(Value),
    /// A chat completion with this text.
    Text(String),
    /// This body, with status 200.
    Raw(Value),
    /// A failure.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for ever.
    Hang,
    /// The beginning of an answer.
    Cut,
}

type Script = Arc<dyn Fn(&Asked) -> Act + Send + Sync>;

#[derive(Clone)]
struct Shared {
    script: Script,
    seen: Arc<Mutex<Vec<Asked>>>,
}

/// A running server; it ends with the value.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Asked>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub(crate) fn start(script: impl Fn(&Asked) -> Act + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            script: Arc::new(script),
            seen: seen.clone(),
        };
        let app = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/models", get(models))
            .with_state(shared);
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(SocketAddr::from((
                [127, 0, 0, 1],
                0,
            ))))
            .unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self {
            url,
            seen,
            _runtime: runtime,
        }
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }
}

async fn models() -> Response {
    json_response(&json!({"object": "list", "data": [
        {"id": "scripted", "object": "model", "context_window": 32_768},
        {"id": "other", "object": "model"},
    ]}))
}

async fn complete(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).expect("a request is JSON");
    let asked = {
        let mut seen = shared.seen.lock().unwrap();
        let mut asked = read(&body);
        asked.authorization = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        asked.before = seen.iter().filter(|earlier| earlier.role == asked.role).count();
        asked.requests = seen.len();
        seen.push(asked.clone());
        asked
    };
    match (shared.script)(&asked) {
        Act::Answer(value) => json_response(&completion(&body, &value.to_string())),
        Act::Text(text) => json_response(&completion(&body, &text)),
        Act::Raw(value) => json_response(&value),
        Act::Status(status, headers, text) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), text).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Act::Hang => {
            tokio::time::sleep(Duration::from_hours(1)).await;
            StatusCode::OK.into_response()
        }
        Act::Cut => {
            // A length that the body does not keep: the connection is closed in the middle of it.
            let part: Result<Bytes, std::io::Error> = Ok(Bytes::from_static(b"{\"choices\": [{\"mess"));
            let cut = Err(std::io::Error::other("cut"));
            Response::new(Body::from_stream(stream::iter([part, cut])))
        }
    }
}

fn read(body: &Value) -> Asked {
    let messages: Vec<(String, String)> = body["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| {
            (
                message["role"].as_str().unwrap().to_owned(),
                message["content"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let user = |message: &&(String, String)| message.0 == "user";
    let prompt = messages.iter().find(user).unwrap().1.clone();
    let last = messages.iter().rev().find(user).unwrap().1.clone();
    let named = body
        .pointer("/response_format/json_schema/name")
        .or_else(|| body.pointer("/tools/0/function/name"))
        .and_then(Value::as_str);
    let by_words = [
        ("give up to three hypotheses", "hypothesise"),
        ("say what each text means", "read"),
        ("the next query that would tell", "narrow"),
        ("argue against it", "weigh"),
        ("write up to eight short sentences", "write"),
        ("say which time the engineer means", "intake"),
    ];
    let role = named.map_or_else(
        || {
            by_words
                .iter()
                .find(|(words, _)| prompt.contains(words))
                .map_or("unknown", |(_, role)| role)
                .to_owned()
        },
        str::to_owned,
    );
    Asked {
        role,
        before: 0,
        requests: 0,
        prompt,
        last,
        body: body.clone(),
        authorization: None,
    }
}

/// A chat completion, in the form that was asked for, with the usage that a tokenizer would give about.
fn completion(body: &Value, content: &str) -> Value {
    let message = if body.get("tools").is_some() {
        json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": body["tools"][0]["function"]["name"], "arguments": content}}
        ]})
    } else {
        json!({"role": "assistant", "content": content})
    };
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted-2026",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {
            "prompt_tokens": body.to_string().len() / 4,
            "completion_tokens": content.len() / 4,
            "total_tokens": (body.to_string().len() + content.len()) / 4,
        },
    })
}

fn json_response(value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    response
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    response
}
