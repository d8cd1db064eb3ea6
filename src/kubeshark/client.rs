//! The client: a few connections to one server, and calls that survive the loss of one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, ListToolsRequest, PaginatedRequestParams,
    ServerResult,
};
use serde_json::Value;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    answer::{self, RawAnswer},
    catalogue::{ToolRequest, ToolSchema},
    connection::{Connection, ServerInfo, Trouble, describe},
    endpoint::Endpoint,
    error::{CallError, ConnectError, LastWords},
    failure::FailureKind,
    limits::Limits,
    transport::lines::{Fault, readable},
};

/// On how many connections a call is tried.
const ATTEMPTS: u32 = 2;

/// Pages of the list of tools that are read.
const MAX_PAGES: u32 = 64;

/// How much of a server's error message is kept, characters.
const MAX_MESSAGE: usize = 2000;

/// How much of a tool's description is kept, characters.
const MAX_DESCRIPTION: usize = 4096;

/// A client of one MCP server. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    limits: Limits,
    server: ServerInfo,
    /// Connections that nobody uses at the moment.
    idle: Mutex<Vec<Connection>>,
    /// One permit for each connection that may be in use.
    turns: Semaphore,
}

impl Client {
    /// Connects to a server. Further connections are opened when several calls run at once.
    pub async fn connect(endpoint: Endpoint, limits: Limits) -> Result<Self, ConnectError> {
        let connection = Connection::open(&endpoint, &limits).await?;
        let server = connection.server.clone();
        let connections = if server.state_per_process {
            1
        } else {
            limits.connections
        };
        let turns = Semaphore::new(connections.clamp(1, 64));
        let idle = Mutex::new(vec![connection]);
        Ok(Self {
            shared: Arc::new(Shared {
                endpoint,
                limits,
                server,
                idle,
                turns,
            }),
        })
    }

    /// What the server says of itself.
    pub fn server(&self) -> &ServerInfo {
        &self.shared.server
    }

    /// Where the server is, for people.
    pub fn target(&self) -> String {
        self.shared.endpoint.to_string()
    }

    /// The server's tools with their schemas. A tool whose description cannot be read is left out.
    pub async fn tools(&self) -> Result<Vec<ToolSchema>, CallError> {
        const METHOD: &str = "tools/list";
        let malformed = |what: String| CallError::Malformed {
            tool: METHOD.to_owned(),
            what,
        };
        let mut tools = Vec::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let params = cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
            let request = ClientRequest::ListToolsRequest(ListToolsRequest {
                params,
                ..Default::default()
            });
            let result = self
                .exchange(METHOD, request, self.shared.limits.call, true)
                .await?;
            let page = serde_json::to_value(&result).map_err(|e| malformed(e.to_string()))?;
            let listed = page
                .get("tools")
                .and_then(Value::as_array)
                .ok_or_else(|| malformed("it has no list `tools`".to_owned()))?;
            tools.extend(listed.iter().filter_map(tool_schema));
            if tools.len() > self.shared.limits.tools {
                return Err(malformed(format!(
                    "it lists more than {} tools",
                    self.shared.limits.tools
                )));
            }
            cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                return Ok(tools);
            }
        }
        Err(malformed(format!("it has more than {MAX_PAGES} pages")))
    }

    /// Calls a tool. When the server dies or hangs it is started anew and the call repeated once,
    /// where the request says that this does no harm.
    pub async fn call(&self, request: &ToolRequest) -> Result<RawAnswer, CallError> {
        let limits = &self.shared.limits;
        let tool = request.tool.as_str();
        let bytes = serde_json::to_vec(&request.arguments).map_or(usize::MAX, |text| text.len());
        if bytes > limits.request_bytes {
            return Err(CallError::RequestTooLarge {
                tool: tool.to_owned(),
                bytes,
                limit: limits.request_bytes,
            });
        }
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(request.arguments.clone());
        let message = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let patience = if request.patient {
            limits.transfer
        } else {
            limits.call
        };
        let start = Instant::now();
        let result = self.exchange(tool, message, patience, request.repeatable).await?;
        answer::read(tool, result, limits.answer_bytes, start.elapsed())
    }

    /// Calls several tools, as many at once as there may be connections. The answers are in the
    /// order of the requests.
    pub async fn call_all(&self, requests: &[ToolRequest]) -> Vec<Result<RawAnswer, CallError>> {
        futures::future::join_all(requests.iter().map(|request| self.call(request))).await
    }

    /// Ends the idle connections and waits for their servers to end. Without it they are killed
    /// when the last clone is dropped.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle());
        let patience = self.shared.limits.close;
        futures::future::join_all(idle.into_iter().map(|connection| connection.close(patience))).await;
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.shared.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection that is still open, or a new one.
    async fn connection(&self) -> Result<Connection, ConnectError> {
        loop {
            let idle = self.idle().pop();
            match idle {
                Some(connection) if connection.is_open() => return Ok(connection),
                // It ended while nobody used it; dropping it cleans up.
                Some(ended) => drop(ended),
                None => return Connection::open(&self.shared.endpoint, &self.shared.limits).await,
            }
        }
    }

    /// Sends one request on a connection of its own, and again on a new one where that is safe.
    async fn exchange(
        &self,
        tool: &str,
        request: ClientRequest,
        patience: Duration,
        repeatable: bool,
    ) -> Result<ServerResult, CallError> {
        // The semaphore is never closed; without a permit the server would merely queue the call.
        let _turn = self.shared.turns.acquire().await;
        let mut before: Option<CallError> = None;
        let mut attempt = 1;
        loop {
            let connection = match self.connection().await {
                Ok(connection) => connection,
                Err(error) => {
                    return Err(CallError::NotConnected {
                        tool: tool.to_owned(),
                        error: Box::new(error),
                        after: before.map(Box::new),
                    });
                }
            };
            let trouble = match connection.exchange(request.clone(), patience).await {
                Ok(result) => {
                    self.idle().push(connection);
                    return Ok(result);
                }
                Err(trouble) => trouble,
            };
            if let Some(error) = self.told(tool, &trouble) {
                if matches!(
                    trouble,
                    Trouble::Rejected { .. } | Trouble::Unexpected | Trouble::Http(_)
                ) {
                    self.idle().push(connection);
                } else {
                    connection.give_up(true).await;
                }
                return Err(error);
            }
            let last = connection.give_up(matches!(trouble, Trouble::TimedOut)).await;
            let error = lost(tool, trouble, patience, attempt, repeatable, last);
            if attempt >= ATTEMPTS || !repeatable {
                return Err(error);
            }
            tracing::warn!(attempt, "{error}; connecting anew and repeating the call");
            before = Some(error);
            attempt += 1;
        }
    }

    /// The error of trouble that another attempt would not mend.
    fn told(&self, tool: &str, trouble: &Trouble) -> Option<CallError> {
        let tool = tool.to_owned();
        let too_large = |tool, bytes: usize| {
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let limit = u64::try_from(self.shared.limits.answer_bytes).unwrap_or(u64::MAX);
            CallError::TooLarge {
                tool,
                bytes,
                exact: false,
                limit,
            }
        };
        Some(match trouble {
            Trouble::Rejected { code, message } => CallError::Rejected {
                tool,
                code: *code,
                message: readable(message).chars().take(MAX_MESSAGE).collect(),
            },
            Trouble::Unexpected => CallError::Malformed {
                tool,
                what: "it is no result of a tool".to_owned(),
            },
            Trouble::Http(failure) if failure.broken => return None,
            Trouble::Http(failure) if failure.kind == FailureKind::TooLarge => {
                too_large(tool, self.shared.limits.message_bytes)
            }
            Trouble::Http(failure) => CallError::Tool {
                tool,
                kind: failure.kind,
                message: failure.message.clone(),
            },
            Trouble::Ended(Some(Fault::TooLong { limit })) => too_large(tool, *limit),
            Trouble::Ended(Some(fault @ Fault::NotUnderstood { .. })) => CallError::Malformed {
                tool,
                what: describe(fault),
            },
            Trouble::Ended(None) | Trouble::TimedOut => return None,
        })
    }
}

/// The error of a connection that was lost in the middle of a call.
fn lost(
    tool: &str,
    trouble: Trouble,
    patience: Duration,
    attempts: u32,
    repeatable: bool,
    last: LastWords,
) -> CallError {
    let tool = tool.to_owned();
    match trouble {
        Trouble::TimedOut => CallError::TimedOut {
            tool,
            after: patience,
            attempts,
            last,
        },
        Trouble::Http(failure) => CallError::Tool {
            tool,
            kind: failure.kind,
            message: failure.message,
        },
        _ => CallError::Died {
            tool,
            attempts,
            repeatable,
            last,
        },
    }
}

/// One tool of the list; `None` where it has no name.
fn tool_schema(tool: &Value) -> Option<ToolSchema> {
    let description = tool
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Some(ToolSchema {
        name: tool.get("name")?.as_str()?.to_owned(),
        description: description.chars().take(MAX_DESCRIPTION).collect(),
        input_schema: tool.get("inputSchema").cloned().unwrap_or_default(),
    })
}
