//! One connection: the handshake, and one request after the other.

use std::{sync::Arc, time::Duration};

use rmcp::{
    RoleClient, ServiceExt,
    model::{ClientCapabilities, ClientConfig, ClientRequest, Implementation, ProtocolVersion, ServerResult},
    service::{ClientInitializeError, RunningService, ServiceError},
};
use tokio::time::timeout;

use super::{
    endpoint::Endpoint,
    error::{ConnectError, LastWords},
    limits::Limits,
    transport::{
        child::ServerProcess,
        http::{self, HttpFailure},
        lines::{Fault, FaultCell, Lines, readable},
    },
};

/// The protocol version asked for: the newest that begins with a handshake. A server that answers
/// with whatever it is asked would otherwise lead into the newer protocol without one.
const ASKED_VERSION: ProtocolVersion = ProtocolVersion::LATEST_WITH_INITIALIZE;

/// How much of the server's instructions is kept, characters.
const MAX_INSTRUCTIONS: usize = 8192;

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// `kubeshark-mcp`.
    pub name: String,
    pub version: String,
    /// The protocol version it answered: a date.
    pub protocol: String,
    /// Differs between its URL, read-only and destructive modes.
    pub instructions: String,
    /// Every process of this server has snapshots of its own, so one connection has to do.
    pub state_per_process: bool,
}

/// The experimental capability that says so.
const STATE_PER_PROCESS: &str = "rca-agent/state-per-process";

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server answered with a JSON-RPC error. The connection is good.
    Rejected { code: i32, message: String },
    /// The answer is of no known shape. The connection is good.
    Unexpected,
    /// HTTP said no. The connection is good.
    Http(HttpFailure),
    /// No answer in time. The connection is not to be used again.
    TimedOut,
    /// The connection ended, by a fault of its messages or by itself.
    Ended(Option<Fault>),
}

/// An open connection.
pub(super) struct Connection {
    service: RunningService<RoleClient, ClientConfig>,
    process: Option<ServerProcess>,
    fault: FaultCell,
    is_http: bool,
    pub(super) server: ServerInfo,
}

impl Connection {
    /// Reaches the server and completes the handshake.
    pub(super) async fn open(endpoint: &Endpoint, limits: &Limits) -> Result<Self, ConnectError> {
        let fault = FaultCell::default();
        let (process, outcome) = match endpoint {
            Endpoint::Command {
                program,
                args,
                env,
                without,
            } => {
                let (process, stdout, stdin) =
                    ServerProcess::start(program, args, env, without).map_err(|e| ConnectError::Start {
                        target: endpoint.to_string(),
                        reason: start_reason(&e),
                    })?;
                let lines = Lines::new(stdout, stdin, limits.message_bytes, Arc::clone(&fault));
                (
                    Some(process),
                    timeout(limits.handshake, config().serve(lines)).await,
                )
            }
            Endpoint::Url { url, token } => {
                let transport = http::transport(url, token.as_ref(), limits)
                    .map_err(|failure| refused(endpoint, failure))?;
                (None, timeout(limits.handshake, config().serve(transport)).await)
            }
            Endpoint::InProcess(open) => {
                let (read, write) = tokio::io::split(open());
                let lines = Lines::new(read, write, limits.message_bytes, Arc::clone(&fault));
                (None, timeout(limits.handshake, config().serve(lines)).await)
            }
        };
        let service = match outcome {
            Ok(Ok(service)) => service,
            Ok(Err(error)) => return Err(handshake_error(endpoint, error, &fault, process).await),
            Err(_) => {
                let last = last_words(process, true).await;
                return Err(ConnectError::TimedOut {
                    target: endpoint.to_string(),
                    after: limits.handshake,
                    last,
                });
            }
        };
        let server = server_info(&service);
        if !is_known(&server.protocol) {
            return Err(ConnectError::Protocol {
                target: endpoint.to_string(),
                what: format!("it speaks the unknown protocol version `{}`", server.protocol),
                last: last_words(process, true).await,
            });
        }
        let is_http = matches!(endpoint, Endpoint::Url { .. });
        Ok(Self {
            service,
            process,
            fault,
            is_http,
            server,
        })
    }

    /// Sends one request and waits for its answer.
    pub(super) async fn exchange(
        &self,
        request: ClientRequest,
        patience: Duration,
    ) -> Result<ServerResult, Trouble> {
        match timeout(patience, self.service.peer().send_request(request)).await {
            Err(_) => Err(Trouble::TimedOut),
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(self.trouble(error)),
        }
    }

    fn trouble(&self, error: ServiceError) -> Trouble {
        match error {
            ServiceError::McpError(e) => Trouble::Rejected {
                code: e.code.0,
                message: e.message.into_owned(),
            },
            ServiceError::UnexpectedResponse => Trouble::Unexpected,
            ServiceError::Timeout { .. } => Trouble::TimedOut,
            ServiceError::TransportSend(e) if self.is_http => Trouble::Http(http::failure(e.error.as_ref())),
            // Writing to a process that has ended fails before its end is noticed.
            _ => Trouble::Ended(self.fault.get().cloned()),
        }
    }

    /// Whether the other end is still there, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        !self.service.is_closed() && !self.service.peer().is_transport_closed() && self.fault.get().is_none()
    }

    /// Gives the connection up, and tells how the server's process ended.
    pub(super) async fn give_up(self, hangs: bool) -> LastWords {
        // The process first: closing its stdin would make one that hangs end well after all.
        last_words(self.process, hangs).await
    }

    /// Tells the server to end and waits for it.
    pub(super) async fn close(mut self, patience: Duration) {
        // Whether it went well does not matter to anybody any more: the process is ended below.
        let _ = self.service.close_with_timeout(patience).await;
        if let Some(process) = self.process {
            process.end(patience).await;
        }
    }
}

fn config() -> ClientConfig {
    let us = Implementation::new("rca-agent", env!("CARGO_PKG_VERSION"));
    ClientConfig::new(ClientCapabilities::default(), us).with_protocol_version(ASKED_VERSION)
}

fn is_known(version: &str) -> bool {
    ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .any(|known| known.as_str() == version && known.has_initialize())
}

fn server_info(service: &RunningService<RoleClient, ClientConfig>) -> ServerInfo {
    let Some(info) = service.peer().peer_info() else {
        return ServerInfo {
            name: String::new(),
            version: String::new(),
            protocol: String::new(),
            instructions: String::new(),
            state_per_process: false,
        };
    };
    let (name, version) = info
        .server_info
        .as_ref()
        .map(|i| (i.name.clone(), i.version.clone()))
        .unwrap_or_default();
    let instructions = info.instructions.as_deref().unwrap_or_default();
    ServerInfo {
        name,
        version,
        protocol: info.protocol_version.as_str().to_owned(),
        instructions: instructions.chars().take(MAX_INSTRUCTIONS).collect(),
        state_per_process: info
            .capabilities
            .experimental
            .as_ref()
            .is_some_and(|told| told.contains_key(STATE_PER_PROCESS)),
    }
}

async fn last_words(process: Option<ServerProcess>, hangs: bool) -> LastWords {
    match process {
        Some(process) => process.last_words(hangs).await,
        None => LastWords::default(),
    }
}

/// The system's reason without its number.
fn start_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such program".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be executed".to_owned(),
        _ => error.to_string(),
    }
}

fn refused(endpoint: &Endpoint, failure: HttpFailure) -> ConnectError {
    ConnectError::Http {
        target: endpoint.to_string(),
        kind: failure.kind,
        message: failure.message,
    }
}

/// What a failed handshake means.
async fn handshake_error(
    endpoint: &Endpoint,
    error: ClientInitializeError,
    fault: &FaultCell,
    process: Option<ServerProcess>,
) -> ConnectError {
    let target = endpoint.to_string();
    let is_child = process.is_some();
    let last = last_words(process, fault.get().is_some()).await;
    let what = match (fault.get(), error) {
        (Some(fault), _) => describe(fault),
        (None, ClientInitializeError::TransportError { error, .. })
            if matches!(endpoint, Endpoint::Url { .. }) =>
        {
            return refused(endpoint, http::failure(error.error.as_ref()));
        }
        (None, ClientInitializeError::JsonRpcError(e)) => {
            format!(
                "it refuses the handshake: {} ({})",
                readable(&e.message),
                e.code.0
            )
        }
        (None, ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. }) => {
            if is_child {
                return ConnectError::Died { target, last };
            }
            "it closed the connection during the handshake".to_owned()
        }
        (None, other) => {
            let text: String = readable(&other.to_string()).chars().take(300).collect();
            format!("the handshake failed: {text}")
        }
    };
    ConnectError::Protocol { target, what, last }
}

/// A fault in words.
pub(super) fn describe(fault: &Fault) -> String {
    match fault {
        Fault::TooLong { limit } => format!("a message has more than {limit} bytes"),
        Fault::NotUnderstood { line } => format!("it is no JSON-RPC answer to the request: {line}"),
    }
}
