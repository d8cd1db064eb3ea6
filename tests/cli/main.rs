//! The command line as a person or a script meets it: the real program, with output, errors and exit status in one snapshot.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod basics;
mod faults;
mod recovery;
mod routes;
mod runner;
