//! The client of a Kubeshark MCP server.
//!
//! [`Client`] connects to an [`Endpoint`] and calls tools within [`Limits`]; [`Catalogue`] is built
//! from the tools it lists and says our operations in that server's words. Answers are read by
//! [`crate::wire::decode`].
//!
//! Everything that a server sends is untrusted: sizes, counts and waits are limited, and texts are
//! stripped of what would move a terminal's cursor before they get into an error.

mod answer;
pub mod catalogue;
mod client;
mod connection;
mod endpoint;
mod error;
mod failure;
mod limits;
mod transport;

pub use answer::RawAnswer;
pub use catalogue::{Catalogue, CatalogueError, ToolRequest, ToolSchema};
pub use client::Client;
pub use connection::ServerInfo;
pub use endpoint::{Duplex, Endpoint, OpenDuplex};
pub use error::{CallError, ConnectError, LastWords};
pub use failure::{Failure, FailureKind};
pub use limits::Limits;
