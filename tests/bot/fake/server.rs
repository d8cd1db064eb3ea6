//! The sockets: the Web API over HTTP, and Socket Mode.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State as Shares},
    http::{StatusCode, header},
    response::Response,
    routing::any,
};
use futures::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

use super::{Call, Fault, Frame, Shared, methods};

/// Serves the Web API and uploads.
pub(super) async fn http(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(any(answer)).with_state(shared);
    let _ = axum::serve(listener, router).await;
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json");
    response.body(Body::from(body.to_string())).unwrap()
}

/// An answer that ends before its end.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Vec<u8>, _>(std::io::Error::other("cut")) });
    Response::new(Body::from_stream(broken))
}

fn named(headers: &header::HeaderMap, name: &header::HeaderName) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

async fn answer(Shares(shared): Shares<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (token, kind) = (
        named(request.headers(), &header::AUTHORIZATION),
        named(request.headers(), &header::CONTENT_TYPE),
    );
    let Ok(bytes) = to_bytes(request.into_body(), 64 << 20).await else {
        return reply(StatusCode::BAD_REQUEST, &json!({"ok": false}));
    };
    let upload = path.strip_prefix("/upload/").map(str::to_owned);
    let method = match (&upload, path.strip_prefix("/api/")) {
        (Some(_), _) => "upload".to_owned(),
        (None, Some(method)) => method.to_owned(),
        (None, None) => return reply(StatusCode::NOT_FOUND, &json!({"ok": false})),
    };
    let form = kind.starts_with("application/x-www-form-urlencoded");
    let body = if upload.is_some() {
        json!({"length": bytes.len()})
    } else if form {
        let mut url = reqwest::Url::parse("http://form/").unwrap();
        url.set_query(std::str::from_utf8(&bytes).ok());
        let fields = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        Value::Object(fields.collect::<Map<_, _>>())
    } else {
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    };
    let fault = shared.change(|state| {
        state.calls.push(Call {
            method: method.clone(),
            body: body.clone(),
        });
        let at = state.faults.iter().position(|(of, _)| *of == method)?;
        state.faults.remove(at).map(|(_, fault)| fault)
    });
    match &fault {
        Some(Fault::RateLimited(seconds)) => {
            let mut response = reply(
                StatusCode::TOO_MANY_REQUESTS,
                &json!({"ok": false, "error": "ratelimited"}),
            );
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, (*seconds).into());
            return response;
        }
        Some(Fault::Status(status)) => {
            return reply(StatusCode::from_u16(*status).unwrap(), &json!({"ok": false}));
        }
        Some(Fault::Word(word)) => return reply(StatusCode::OK, &json!({"ok": false, "error": word})),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::CutBefore) => return cut(),
        Some(Fault::NotJson) => return Response::new(Body::from("<html>down for maintenance</html>")),
        Some(Fault::CutAfter) | None => {}
    }
    let answered = if let Some(id) = upload {
        shared.change(|state| methods::upload(state, &id, &bytes))
    } else {
        let wanted = if method == "apps.connections.open" {
            &shared.app_token
        } else {
            &shared.bot_token
        };
        if token == format!("Bearer {wanted}") {
            shared.change(|state| methods::call(state, &shared, &method, &body, form))
        } else {
            json!({"ok": false, "error": "invalid_auth"})
        }
    };
    if fault == Some(Fault::CutAfter) {
        return cut();
    }
    let mut response = reply(StatusCode::OK, &answered);
    if method == "auth.test" {
        let scopes = shared.lock().scopes.join(",");
        response
            .headers_mut()
            .insert("x-oauth-scopes", scopes.parse().unwrap());
    }
    response
}

/// Serves Socket Mode.
pub(super) async fn sockets(listener: TcpListener, shared: Arc<Shared>) {
    let mut number = 0;
    while let Ok((stream, _)) = listener.accept().await {
        number += 1;
        tokio::spawn(socket(stream, number, Arc::clone(&shared)));
    }
}

async fn socket(stream: TcpStream, number: usize, shared: Arc<Shared>) {
    let Ok(mut socket) = accept_async(stream).await else {
        return;
    };
    let (sender, mut frames) = mpsc::unbounded_channel();
    let hello = json!({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "AFAKE"}});
    let _ = sender.send(Frame::Text(hello.to_string()));
    shared.change(|state| {
        state.connected += 1;
        state.opened += 1;
        state.sockets.push((number, sender.clone()));
        // What nobody acknowledged on the socket before.
        state.resend();
    });
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Text(text)) => {
                    if socket.send(Message::Text(text.into())).await.is_err() {
                        break;
                    }
                }
                Some(Frame::Cut) | None => break,
            },
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).unwrap_or_default();
                    let Some(id) = said.get("envelope_id").and_then(Value::as_str) else {
                        shared.change(|state| state.violations.push(format!("a frame without an envelope: {text}")));
                        continue;
                    };
                    shared.change(|state| {
                        state.pending.retain(|pending| pending.0 != id);
                        state.acks.push(id.to_owned());
                    });
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
        }
    }
    shared.change(|state| {
        state.connected -= 1;
        state.sockets.retain(|(other, _)| *other != number);
    });
}
