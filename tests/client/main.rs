//! The client against servers inside this process: over a stream and over HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod dialects;
mod fake;
mod http;
mod stream;
