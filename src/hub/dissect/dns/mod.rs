//! DNS (RFC 1035) over UDP and TCP.
//!
//! Questions and answers are matched by endpoints, id and question, so that the parallel A and AAAA queries
//! of a resolver are told apart. A query that is repeated before it is answered stays one call, which began
//! when it was first asked.

mod matching;
mod message;
mod stream;

pub use message::{Message, type_name};

pub(super) use matching::Queries;
pub(super) use stream::DnsStream;

/// Whether `port` is one of DNS: 53, or 5353, which some clusters' resolvers listen on.
pub(super) fn is_dns_port(port: u16) -> bool {
    matches!(port, 53 | 5353)
}

/// Whether a datagram to another port is certainly a DNS query: proxies and sidecars listen anywhere.
pub(super) fn is_dns_query(to: u16, data: &[u8]) -> bool {
    // LLMNR and NetBIOS names look alike, but nobody waits for their answers
    !matches!(to, 5355 | 137) && Message::parse_plain_question(data).is_some()
}

#[cfg(test)]
mod tests;
