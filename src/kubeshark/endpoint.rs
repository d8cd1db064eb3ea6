//! Where a server is.

use std::{fmt, sync::Arc};

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection inside this process.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Opens one connection inside this process; called once for each connection.
pub type OpenDuplex = Arc<dyn Fn() -> Box<dyn Duplex> + Send + Sync>;

/// How to reach an MCP server.
#[derive(Clone)]
pub enum Endpoint {
    /// A child process that speaks over its stdin and stdout.
    Command {
        program: String,
        args: Vec<String>,
        /// Variables set in addition to our own environment.
        env: Vec<(String, SecretString)>,
        /// Variables of our own environment that it is not to see.
        without: &'static [&'static str],
    },
    /// Streamable HTTP.
    Url {
        url: String,
        /// Sent as a bearer token.
        token: Option<SecretString>,
    },
    /// The embedded server.
    InProcess(OpenDuplex),
}

impl Endpoint {
    /// The endpoint of a server in this process, from what opens a connection to it.
    pub fn in_process<S: Duplex + 'static>(open: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self::InProcess(Arc::new(move || Box::new(open())))
    }
}

/// What it is for people. Arguments are left out, since a token may be among them.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { program, .. } => write!(f, "the MCP server `{program}`"),
            Self::Url { url, .. } => write!(f, "the MCP server at `{}`", without_secrets(url)),
            Self::InProcess(_) => f.write_str("the embedded MCP server"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// A URL without user, password, query and fragment.
fn without_secrets(url: &str) -> String {
    let Ok(mut parsed) = reqwest::Url::parse(url) else {
        let shown = url.split(['?', '#']).next().unwrap_or_default();
        return shown.rsplit('@').next().unwrap_or_default().to_owned();
    };
    // Both fail only for URLs that cannot carry a user; then there is none to remove.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    parsed.set_query(None);
    parsed.set_fragment(None);
    parsed.to_string()
}
