//! The embedded hub through a real MCP client.
#![cfg(test)]
#![expect(
    clippy::too_many_lines,
    reason = "long answers are in the tests that expect them"
)]

mod client;
mod export;
mod faults;
mod filters;
mod http;
mod lines;
mod opening;
mod protocol;
mod shop;
mod snapshots;
mod tools;
mod topology;
