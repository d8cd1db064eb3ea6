//! Why an operation cannot be said to a server.

use thiserror::Error;

/// An operation that this server does not take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CatalogueError {
    #[error("the server has no tool `{}` (it offers {offered} tools)", wanted.join("` or `"))]
    NoTool {
        /// The names that were looked for.
        wanted: Vec<String>,
        /// How many tools the server has.
        offered: usize,
    },
    #[error("the tool `{tool}` of this server takes no parameter for {what}")]
    Inexpressible { tool: String, what: &'static str },
    #[error("the tool `{tool}` does not take `{argument}` as it would be sent: {wanted}")]
    Invalid {
        tool: String,
        /// The argument, or a path into it; `arguments` for all of them together.
        argument: String,
        /// What the schema wants, as a sentence.
        wanted: String,
    },
}

impl CatalogueError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoTool { .. } => {
                "tools of the Hub are missing where the MCP server does not reach it: check that Kubeshark runs \
                 (`kubectl get pods -A -l app.kubernetes.io/name=kubeshark`), its address and the token; a tool \
                 may also need a newer Kubeshark"
            }
            Self::Inexpressible { .. } => "this version of Kubeshark cannot do that; a newer one may",
            Self::Invalid { .. } => {
                "the server's parameters differ from every version known; please report it with the output of \
                 `rca-agent doctor`"
            }
        }
    }
}
