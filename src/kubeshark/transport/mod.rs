//! The ways to a server: a child process, HTTP, a stream inside this process.

pub(super) mod child;
pub(super) mod http;
pub(super) mod lines;
