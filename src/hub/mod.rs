//! The embedded Kubeshark: the tools of the MCP contract over packet captures, and over calls that come as lines.
//!
//! | question | file |
//! | --- | --- |
//! | what is served | `capture.rs`, `node.rs`, `workloads.rs`, `names.rs`; packets in `packet/`, calls without packets in `lines/` |
//! | what is in it | `snapshot.rs`, `dissection.rs` drive `dissect/`; `assemble.rs` names and joins its entries |
//! | how is it asked | `call.rs`, `record.rs` (KFL fields), `columns.rs` (those looked at most), `filter.rs`, `store.rs` |
//! | how is it told | `tools/`, `render.rs`, `stats.rs`, `flows.rs`, `export.rs`, `bpf.rs` |
//! | where is it kept beyond the hub's life | `cloud/`: a bucket that speaks S3, or a folder |
//! | over what | `server.rs` (stdio, in process), `http.rs` |
//! | what can go wrong on purpose | `fault.rs` |
//!
//! The hub's clock stands where the capture ends: "now" is then, and nothing is read from the machine's.

mod assemble;
pub mod call;
pub mod capture;
mod cloud;
mod columns;
pub mod dissect;
mod dissection;
pub mod entry;
mod error;
mod ethernet;
mod export;
pub mod fault;
mod filter;
mod flows;
pub mod http;
#[expect(
    clippy::module_inception,
    reason = "the type of that name is what the module is about"
)]
mod hub;
pub mod lines;
pub mod names;
mod node;
pub mod packet;
mod record;
mod render;
pub mod server;
mod snapshot;
mod stats;
pub mod store;
pub mod tools;
pub mod workloads;

pub use capture::{Capture, OpenError};
pub use cloud::{Bucket, BucketAccess, Cloud, CloudError};
pub use error::ToolError;
pub use fault::{Fault, Faults};
pub use filter::KflErrors;
pub use http::{HttpOptions, serve_http};
pub use hub::{Hub, Options};
pub use server::{ServeError, duplex, serve};
