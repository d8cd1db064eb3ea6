//! The embedded Kubeshark: the tools of the MCP contract over packet captures.

mod assemble;
pub mod call;
pub mod capture;
pub mod dissect;
pub mod entry;
pub mod names;
pub mod packet;
pub mod store;
pub mod workloads;

pub use capture::{Capture, OpenError};
