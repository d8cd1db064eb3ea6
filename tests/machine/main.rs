//! The machine by feeding it observations, and the journal by cutting it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod cuts;
mod guards;
mod support;
