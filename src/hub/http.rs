//! The hub over streamable HTTP: MCP at `/mcp`, exported files beside it.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::hub::Hub;
use super::server::{Connection, ServeError};

/// How to serve HTTP.
#[derive(Debug, Default)]
pub struct HttpOptions {
    /// What a client has to send as bearer token.
    pub token: Option<SecretString>,
    /// Whether any `Host` header is accepted. Without it only loopback names are, so that no web page can
    /// reach a hub on its reader's machine; within a cluster it is needed.
    pub any_host: bool,
}

/// Serves `listener` until `shutdown` is ready. Open connections are then dropped.
pub async fn serve_http(
    hub: &Hub,
    listener: TcpListener,
    options: HttpOptions,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Http)?;
    hub.set_base_url(&format!("http://{address}"));
    let end = CancellationToken::new();
    let mut config = StreamableHttpServerConfig::default().with_cancellation_token(end.clone());
    if options.any_host {
        config = config.disable_allowed_hosts();
    }
    let died = CancellationToken::new();
    let (served, dying) = (hub.clone(), died.clone());
    let mcp: StreamableHttpService<Connection, LocalSessionManager> = StreamableHttpService::new(
        move || Ok(Connection::new(&served, dying.clone())),
        Arc::default(),
        config,
    );
    let guard = Guard::new(hub, options.token.as_ref());
    let app = Router::new()
        .nest_service("/mcp", mcp)
        .route("/snapshots/{snapshot}/{file}", get(file))
        .with_state(hub.clone())
        .layer(middleware::from_fn_with_state(guard, authorise));
    let result = tokio::select! {
        ended = axum::serve(listener, app) => ended.map_err(ServeError::Http),
        () = shutdown => Ok(()),
        () = died.cancelled() => Err(ServeError::Rehearsed),
    };
    end.cancel();
    result
}

/// An exported file.
async fn file(State(hub): State<Hub>, request: Request) -> Response {
    match hub.exported(request.uri().path()) {
        Some(file) => {
            let kind = [(header::CONTENT_TYPE, "application/vnd.tcpdump.pcap")];
            (kind, axum::body::Bytes::from_owner(file)).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Who may come in.
#[derive(Clone)]
enum Guard {
    Anybody,
    Nobody,
    /// The digest of the token, so that the comparison's time tells nothing about it.
    Token([u8; 32]),
}

impl Guard {
    fn new(hub: &Hub, token: Option<&SecretString>) -> Self {
        match token {
            Some(token) => Self::Token(Sha256::digest(token.expose_secret()).into()),
            None if hub.faults().has(&Fault::NeedsToken) => Self::Nobody,
            None => Self::Anybody,
        }
    }

    fn admits(&self, authorization: Option<&[u8]>) -> bool {
        match self {
            Self::Anybody => true,
            Self::Nobody => false,
            Self::Token(wanted) => authorization
                .and_then(|value| value.strip_prefix(b"Bearer "))
                .is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token)) == *wanted),
        }
    }
}

async fn authorise(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let authorization = request
        .headers()
        .get(header::AUTHORIZATION)
        .map(axum::http::HeaderValue::as_bytes);
    if guard.admits(authorization) {
        return next.run(request).await;
    }
    let why = "authentication required: send the token of this hub as `Authorization: Bearer …`\n";
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, "Bearer")],
        why,
    )
        .into_response()
}
