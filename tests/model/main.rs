//! A language model in the loop: whole investigations against a server that speaks the protocol of `OpenAI` over real HTTP,
//! well and badly.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails is to say so at once"
)]

mod adversaries;
mod ask;
mod behaviours;
mod client;
mod cooperative;
mod hostile;
mod leaks;
#[path = "../cli/runner.rs"]
#[expect(
    dead_code,
    clippy::unused_self,
    reason = "shared with the tests of the command line"
)]
mod runner;
mod server;
