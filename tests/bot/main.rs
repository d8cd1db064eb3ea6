//! The bot: its store, its words, its Slack, and all of them together against a fake Slack over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::cast_precision_loss,
    clippy::case_sensitive_file_extension_comparisons,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod blockkit;
mod blocks;
mod conversation;
mod edge;
mod fake;
mod gate;
mod incoming;
mod jobs;
mod looks;
mod replicas;
mod setup;
mod socket;
mod store;
mod stores;
mod web;
mod whole;
mod worker;
