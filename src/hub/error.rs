//! How a tool call fails, in the sentences of the contract.

/// Why a tool call gave no answer. Displays as the sentence the MCP result carries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The Hub refused: an HTTP status and what it said.
    #[error("Hub API error ({status}): {message}")]
    Api { status: u16, message: String },
    /// The MCP server itself failed or refused, in a sentence of its own.
    #[error("{0}")]
    Local(String),
    /// No such tool in this server's list.
    #[error("Hub API error (404): unknown tool `{0}`")]
    UnknownTool(String),
}

impl ToolError {
    /// 400: the request itself is wrong.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::Api {
            status: 400,
            message: message.into(),
        }
    }

    /// 404: what was named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::Api {
            status: 404,
            message: message.into(),
        }
    }

    /// 409: it cannot be done in the present state.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Api {
            status: 409,
            message: message.into(),
        }
    }
}
