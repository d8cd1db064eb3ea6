//! What counts as failing, and who the ends of a call are.

use super::picture::{Naming, Party};
use crate::wire::decode::{Call, Peer};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Good,
    /// HTTP 500 to 599.
    ServerError,
    /// HTTP 400 to 499 but for the two below.
    ClientError,
    /// HTTP 401, 403, 407.
    Denied,
    /// HTTP 429.
    RateLimited,
    /// A request without a response.
    NoAnswer,
    /// A DNS answer that says the resolver failed, or none. "No such name" is not one: a resolver that
    /// walks its search domains is told so with every lookup before the one that succeeds.
    DnsFailure,
    /// A connection attempt answered by RST.
    Refused,
    /// A connection attempt that nobody answered.
    Unanswered,
    /// A connection that ended in RST after data had flowed.
    Reset,
}

impl Outcome {
    /// Whether it is a failure of the service rather than of what was asked of it.
    pub fn is_hard(self) -> bool {
        match self {
            Self::ServerError
            | Self::NoAnswer
            | Self::DnsFailure
            | Self::Refused
            | Self::Unanswered
            | Self::Reset => true,
            Self::Good | Self::ClientError | Self::Denied | Self::RateLimited => false,
        }
    }
}

/// Bits of `connection_completeness`, as Wireshark counts them.
const SYN_ACK: i64 = 2;
const DATA: i64 = 8;
const RST: i64 = 32;

/// How `call` ended, by its protocol. Protocols that are not understood count as good, and so does a call that took
/// its time and has no status: it was answered, and nobody recorded how. Without either there was no answer.
pub fn outcome(call: &Call) -> Outcome {
    match call.protocol.as_str() {
        "http" | "http2" | "grpc" | "gql" | "ws" => match call.status {
            None if call.elapsed_us.is_some() => Outcome::Good,
            None | Some(0) => Outcome::NoAnswer,
            Some(401 | 403 | 407) => Outcome::Denied,
            Some(429) => Outcome::RateLimited,
            Some(400..=499) => Outcome::ClientError,
            Some(500..=599) => Outcome::ServerError,
            Some(_) => Outcome::Good,
        },
        "dns" => match call.status {
            Some(0 | 3) => Outcome::Good,
            None if call.elapsed_us.is_some() => Outcome::Good,
            _ => Outcome::DnsFailure,
        },
        "tcp" | "tcp_flow" | "tcp_conn" => connection(call),
        _ => Outcome::Good,
    }
}

fn connection(call: &Call) -> Outcome {
    let bits = call.tcp.as_ref().and_then(|tcp| tcp.connection_completeness);
    match (call.error.as_deref(), bits) {
        (Some("refused"), _) => Outcome::Refused,
        (Some("no_answer"), _) => Outcome::Unanswered,
        (Some("reset"), _) => Outcome::Reset,
        (_, Some(bits)) if bits & RST != 0 && bits & SYN_ACK == 0 && bits & 1 != 0 => Outcome::Refused,
        (_, Some(1)) => Outcome::Unanswered,
        (_, Some(bits)) if bits & RST != 0 && bits & DATA != 0 => Outcome::Reset,
        _ => Outcome::Good,
    }
}

/// The service behind an end of a call; else its pod, its address.
pub(super) fn party(peer: &Peer) -> Party {
    let named = |name: &Option<String>, naming| {
        let name = name.clone().filter(|name| !name.is_empty())?;
        Some((name, naming))
    };
    let (name, naming) = named(&peer.service, Naming::Service)
        .or_else(|| named(&peer.pod, Naming::Pod))
        .or_else(|| named(&peer.ip, Naming::Address))
        .unwrap_or_else(|| ("unknown".to_owned(), Naming::Address));
    let namespace = peer.namespace.clone().filter(|namespace| !namespace.is_empty());
    Party {
        namespace,
        name,
        naming,
    }
}

/// Both ends of a call. A caller without a name that calls somebody with one is outside the cluster:
/// a thousand customers are one party. Where nobody has a name, as in a bare capture, addresses are kept.
pub fn ends(call: &Call) -> (Party, Party) {
    let (from, to) = (party(&call.src), party(&call.dst));
    if from.naming == Naming::Address && to.naming != Naming::Address {
        return (Party::outside(), to);
    }
    (from, to)
}
