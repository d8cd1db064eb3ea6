//! MCP over a byte stream, one JSON-RPC message a line.
//!
//! The library's own transport drops a line that is too long or that it cannot parse, and the call
//! that waits for it hangs until it times out. Here both end the connection and leave word of why.

use std::sync::{Arc, OnceLock};

use rmcp::{
    RoleClient,
    model::{ErrorCode, JsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Mutex,
};

/// How much of a line that is not understood is told, bytes.
const EXCERPT_BYTES: usize = 160;

/// Why a connection was ended on our side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A message has more than `limit` bytes.
    TooLong { limit: usize },
    /// An answer is no JSON, no JSON-RPC message, or says that the request was none: its beginning.
    NotUnderstood { line: String },
}

/// Where a transport leaves word of a [`Fault`].
pub(crate) type FaultCell = Arc<OnceLock<Fault>>;

/// A client's end of a stream.
pub(crate) struct Lines<R, W> {
    read: BufReader<R>,
    /// The line read so far. It is kept here since reading may be interrupted at any `await`.
    line: Vec<u8>,
    max_line: usize,
    write: Arc<Mutex<Option<W>>>,
    fault: FaultCell,
}

impl<R: AsyncRead + Unpin, W> Lines<R, W> {
    pub(crate) fn new(read: R, write: W, max_line: usize, fault: FaultCell) -> Self {
        Self {
            read: BufReader::with_capacity(64 * 1024, read),
            line: Vec::new(),
            max_line,
            write: Arc::new(Mutex::new(Some(write))),
            fault,
        }
    }

    /// Reads until a whole line is in `self.line`; false at the end of the stream, where what is
    /// left of a line is not an answer.
    async fn read_line(&mut self) -> bool {
        loop {
            let Ok(available) = self.read.fill_buf().await else {
                return false;
            };
            if available.is_empty() {
                return false;
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let part = available
                .get(..newline.unwrap_or(available.len()))
                .unwrap_or_default();
            if self.line.len().saturating_add(part.len()) > self.max_line {
                // The first fault is the one that counts.
                let _ = self.fault.set(Fault::TooLong { limit: self.max_line });
                return false;
            }
            self.line.extend_from_slice(part);
            let used = part.len() + usize::from(newline.is_some());
            self.read.consume(used);
            if newline.is_some() {
                return true;
            }
        }
    }
}

impl<R, W> Transport<RoleClient> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = std::io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = std::io::Result<()>> + Send + 'static {
        let write = Arc::clone(&self.write);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let mut write = write.lock().await;
            let stream = write.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
            stream.write_all(&line).await?;
            stream.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            if !self.read_line().await {
                return None;
            }
            let parsed = serde_json::from_slice(&self.line);
            let broken = match &parsed {
                Ok(message) => is_unread_request(message),
                Err(_) => is_broken_answer(&self.line),
            };
            if broken {
                let start = self.line.get(..EXCERPT_BYTES).unwrap_or(&self.line);
                let line = readable(&String::from_utf8_lossy(start));
                let _ = self.fault.set(Fault::NotUnderstood { line });
                return None;
            }
            if parsed.is_err() && !self.line.trim_ascii().is_empty() {
                tracing::debug!(
                    bytes = self.line.len(),
                    "passed over a line that is no JSON-RPC message"
                );
            }
            self.line.clear();
            // One large answer must not keep its memory for the rest of the session.
            self.line.shrink_to(64 * 1024);
            if let Ok(message) = parsed {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> std::io::Result<()> {
        // Dropping it closes the server's stdin, which tells it to end.
        drop(self.write.lock().await.take());
        Ok(())
    }
}

/// Whether a message says that the server could not parse what we sent. It names no request, so the
/// call would wait for ever; other errors without a request answer notifications that it does not know.
fn is_unread_request(message: &RxJsonRpcMessage<RoleClient>) -> bool {
    matches!(message, JsonRpcMessage::Error(e) if e.id.is_none() && e.error.code == ErrorCode::PARSE_ERROR)
}

/// Whether a line that does not parse was meant to be an answer. Anything else on stdout, such as a
/// log line or an unknown notification, is noise.
fn is_broken_answer(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    if !line.starts_with(b"{") {
        return false;
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(fields)) => {
            fields.contains_key("id")
                && !fields.contains_key("method")
                && (fields.contains_key("result") || fields.contains_key("error"))
        }
        Ok(_) => false,
        Err(_) => line.windows(9).take(4096).any(|part| part == b"\"jsonrpc\""),
    }
}

/// A server's text on one line, without what would move a terminal's cursor.
pub(crate) fn readable(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.trim_end().chars().map(plain).collect()
}
