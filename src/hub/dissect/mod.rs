//! From packets to entries: TCP reassembly, HTTP/1.x, DNS, facts about connections.
//!
//! A [`Dissector`] takes packets one at a time and hands out [`Entry`](super::entry::Entry)s as soon as
//! they are complete, so that whoever drives it can report progress and pause. It holds a bounded amount
//! of memory ([`Limits`]) whatever the packets say, and its output depends on the packets alone.
//!
//! | layer | file |
//! | --- | --- |
//! | packet to connection or conversation | `dissector.rs`, `flow.rs` |
//! | segments to a byte stream with gaps | `reassembly.rs` |
//! | facts about a connection | `connection.rs`, `facts.rs` |
//! | byte streams to HTTP exchanges | `inbox.rs`, `http/` |
//! | datagrams and byte streams to DNS questions with answers | `dns/` |

mod connection;
mod dissector;
pub mod dns;
mod facts;
mod flow;
pub mod http;
mod inbox;
mod limits;
mod output;
pub mod reassembly;

pub use dissector::Dissector;
pub use limits::{Limits, Stats};

#[cfg(test)]
mod tests;
