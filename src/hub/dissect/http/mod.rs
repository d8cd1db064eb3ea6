//! HTTP/1.x (RFC 9112) in a pair of byte streams, on any port.
//!
//! A direction is recognised by what it says. Requests and responses are matched in order, which is what
//! HTTP/1.x promises, also when requests are pipelined. A gap inside a body of known length is bridged;
//! after any other gap, and in a stream captured from its middle on, the next message is looked for at
//! the beginnings of packets.

mod body;
mod direction;
mod exchange;
mod head;
mod matching;

pub(super) use exchange::HttpExchange;

#[cfg(test)]
mod tests;
