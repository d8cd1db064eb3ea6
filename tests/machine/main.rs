//! The machine by feeding it observations, and the journal by cutting it.

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

mod cuts;
mod filters;
mod guards;
mod numbers;
mod routes;
mod support;
