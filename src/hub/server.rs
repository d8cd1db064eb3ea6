//! The hub as an MCP server, speaking as `kubeshark mcp` does.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, GetPromptRequestParams,
    GetPromptResponse, GetPromptResult, Implementation, ListPromptsResult, ListToolsResult,
    PaginatedRequestParams, Prompt, PromptMessage, ProtocolVersion, Role, ServerCapabilities, ServerConfig,
    Tool,
};
use rmcp::service::{RequestContext, ServerInitializeError, serve_server_with_ct};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;

/// Longest request line, bytes: that of the real server.
const MAX_REQUEST: usize = 1 << 20;
/// Bytes in flight between both ends of an in-process connection.
const DUPLEX_BUFFER: usize = 256 << 10;

/// The experimental capability by which a client learns that every process has snapshots of its own.
pub const STATE_PER_PROCESS: &str = "rca-agent/state-per-process";

const INSTRUCTIONS: &str = "\
Embedded Kubeshark over a recorded capture. Read-only towards any cluster: there is none behind it.

Retrospective analysis: get_data_boundaries, create_snapshot, wait for get_snapshot to say completed, \
start_snapshot_dissection, wait for get_snapshot_dissection_status to say completed, then get_api_stats, \
list_api_calls with KFL filters and get_api_call, each with snapshot_id. All times are Unix milliseconds, UTC.

Files: export_snapshot_pcap returns a relative path. Give it to download_file to write the file to the local \
file system, or to get_file_url for a URL.";

const PROMPT: &str = "kubeshark_usage";

/// One connection to the hub. Its tool calls are handled one after the other.
#[derive(Debug)]
pub struct Connection {
    hub: Hub,
    /// Tool calls answered so far; held while one is.
    answered: Mutex<u32>,
    /// Cancelled when the connection dies, as rehearsed.
    died: CancellationToken,
}

impl Connection {
    /// A connection that cancels `died` when it is rehearsed that it dies.
    pub fn new(hub: &Hub, died: CancellationToken) -> Self {
        Self {
            hub: hub.clone(),
            answered: Mutex::new(0),
            died,
        }
    }
}

impl ServerHandler for Connection {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_prompts()
            .build();
        let mut capabilities = capabilities;
        if self.hub.options().state_per_process {
            let told = [(STATE_PER_PROCESS.to_owned(), serde_json::Map::new())];
            capabilities.experimental = Some(told.into_iter().collect());
        }
        let mut info = ServerConfig::new(capabilities).with_instructions(INSTRUCTIONS);
        info.protocol_version = ProtocolVersion::V_2024_11_05;
        info.server_info = Implementation::new("kubeshark-mcp", "1.0.0");
        info
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&[ProtocolVersion::V_2024_11_05])
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = self.hub.tools().into_iter();
        let tools = tools.map(|tool| Tool::new(tool.name, tool.description, Arc::new(tool.input_schema)));
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut answered = self.answered.lock().await;
        let faults = self.hub.faults();
        let dies = faults.dies_after().is_some_and(|calls| *answered >= calls);
        if dies {
            self.died.cancel();
        }
        if dies || faults.hangs_after().is_some_and(|calls| *answered >= calls) {
            // Until the client loses patience or the connection ends.
            context.ct.cancelled().await;
            return Err(ErrorData::internal_error("the call was abandoned", None));
        }
        let (hub, tool) = (self.hub.clone(), request.name.clone());
        let arguments = request.arguments.unwrap_or_default();
        let done = tokio::task::spawn_blocking(move || hub.call(&tool, arguments)).await;
        *answered = answered.saturating_add(1);
        let result = match done {
            Ok(Ok(text)) => CallToolResult::success(vec![ContentBlock::text(text)]),
            Ok(Err(error)) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
            Err(bug) => {
                return Err(ErrorData::internal_error(
                    format!("the tool call ended with a bug: {bug}"),
                    None,
                ));
            }
        };
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let prompt = Prompt::new(PROMPT, Some("How to use the tools of this server"), None);
        Ok(ListPromptsResult::with_all_items(vec![prompt]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != PROMPT {
            return Err(ErrorData::invalid_params("Unknown prompt", None));
        }
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, INSTRUCTIONS)]).into())
    }
}

/// Why serving ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the MCP handshake failed: {0}")]
    Handshake(#[source] Box<ServerInitializeError>),
    #[error("the MCP connection ended with a bug: {0}")]
    Bug(#[from] tokio::task::JoinError),
    #[error("could not serve HTTP")]
    Http(#[source] std::io::Error),
    #[error("the connection was dropped, as rehearsed by `dies-after`")]
    Rehearsed,
}

/// Serves one connection over a reader and a writer until the input ends or `shutdown` is ready.
pub async fn serve<R, W>(
    hub: &Hub,
    mut input: R,
    mut output: W,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let died = CancellationToken::new();
    let connection = Connection::new(hub, died.clone());
    if hub.faults().dies_after().is_none() {
        return talk(connection, input, output, shutdown).await;
    }
    // A dying process takes its streams with it at once, while the MCP library ends a connection in
    // good order. So the library gets a stream of its own, and ours are dropped.
    let (near, far) = tokio::io::duplex(DUPLEX_BUFFER);
    let (mut near_input, mut near_output) = tokio::io::split(near);
    let (far_input, far_output) = tokio::io::split(far);
    let inward = async {
        let _ = tokio::io::copy(&mut input, &mut near_output).await;
        let _ = near_output.shutdown().await;
    };
    let outward = tokio::io::copy(&mut near_input, &mut output);
    tokio::select! {
        done = talk(connection, far_input, far_output, shutdown) => done,
        () = died.cancelled() => Err(ServeError::Rehearsed),
        _ = async { tokio::join!(inward, outward) } => Ok(()),
    }
}

/// The conversation itself.
async fn talk<R, W>(
    connection: Connection,
    input: R,
    output: W,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let end = CancellationToken::new();
    let transport =
        AsyncRwTransport::<RoleServer, _, _>::new(input, output).with_max_line_length(MAX_REQUEST);
    let talking = async {
        match serve_server_with_ct(connection, transport, end.clone()).await {
            Ok(running) => {
                running.waiting().await?;
                Ok(())
            }
            // Whoever leaves before the handshake is no failure.
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(error) => Err(ServeError::Handshake(Box::new(error))),
        }
    };
    tokio::pin!(talking);
    tokio::select! {
        done = &mut talking => return done,
        () = shutdown => {}
    }
    end.cancel();
    talking.await
}

/// A connection within the process: what is returned is the client's end. Must be called within a runtime;
/// the server's end closes with it.
pub fn duplex(hub: &Hub) -> DuplexStream {
    let (client, server) = tokio::io::duplex(DUPLEX_BUFFER);
    let hub = hub.clone();
    tokio::spawn(async move {
        let (input, output) = tokio::io::split(server);
        if let Err(error) = serve(&hub, input, output, std::future::pending()).await {
            tracing::debug!("{error}");
        }
    });
    client
}
