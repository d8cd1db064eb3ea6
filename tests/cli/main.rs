//! The command line as a person or a script meets it: the real program, with output, errors and exit status in one snapshot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed, and reads best in one piece"
)]

mod ask;
mod basics;
mod commands;
mod compare;
mod confirm;
mod counts;
mod evals;
mod faults;
mod hour;
mod large;
mod lines;
mod live;
mod mistakes;
mod pcap;
mod playbooks;
mod recovery;
mod routes;
mod runner;
mod snapshots;
mod telemetry;
mod verify;
mod windows;
