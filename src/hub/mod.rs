//! The embedded Kubeshark: the tools of the MCP contract over packet captures.

pub mod dissect;
pub mod entry;
pub mod packet;
