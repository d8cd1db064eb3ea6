//! What counts as failing, and who the ends of a call are.

use super::{
    layer::Layer,
    picture::{Naming, Party},
};
use crate::wire::decode::{Call, Peer};

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Good,
    /// HTTP 500 to 599, a gRPC status that says so, an error answered by a database or a broker.
    ServerError,
    /// An answer that succeeded by its status and says in its body that it did not.
    ErrorBody,
    /// HTTP 400 to 499 but for the two below.
    ClientError,
    /// HTTP 401, 403, 407.
    Denied,
    /// HTTP 429.
    RateLimited,
    /// A request without a response.
    NoAnswer,
    /// A response that ended in the middle.
    Cut,
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
            | Self::ErrorBody
            | Self::NoAnswer
            | Self::Cut
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

/// How `call` ended, by its protocol. Protocols that are not understood count as good.
pub fn outcome(call: &Call) -> Outcome {
    let Some(layer) = Layer::of(call) else {
        return Outcome::Good;
    };
    match layer {
        Layer::Http => http(call),
        Layer::Grpc => grpc(call),
        Layer::Graphql | Layer::WebSocket => match http(call) {
            Outcome::Good if call.error.is_some() => Outcome::ServerError,
            other => other,
        },
        Layer::Mysql
        | Layer::Postgresql
        | Layer::Mongodb
        | Layer::Redis
        | Layer::Kafka
        | Layer::Amqp
        | Layer::Ldap => match (&call.error, call.elapsed_us) {
            (Some(_), _) => Outcome::ServerError,
            (None, None) => Outcome::NoAnswer,
            (None, Some(_)) => Outcome::Good,
        },
        Layer::Dns => match call.status {
            Some(0 | 3) => Outcome::Good,
            None if call.elapsed_us.is_some() && call.error.is_none() => Outcome::Good,
            _ => Outcome::DnsFailure,
        },
        Layer::Tcp => connection(call),
    }
}

fn http(call: &Call) -> Outcome {
    match call.status {
        // A response whose status nobody recorded is a response.
        None if call.elapsed_us.is_some() && call.error.is_none() => Outcome::Good,
        None | Some(0) => Outcome::NoAnswer,
        Some(401 | 403 | 407) => Outcome::Denied,
        Some(429) => Outcome::RateLimited,
        Some(400..=499) => Outcome::ClientError,
        Some(500..=599) => Outcome::ServerError,
        Some(_) if call.error.is_some() => Outcome::Cut,
        Some(_) if call.response_body.as_deref().is_some_and(says_error) => Outcome::ErrorBody,
        Some(_) => Outcome::Good,
    }
}

/// gRPC ends with a status of its own inside HTTP 200 (grpc.io, "Status codes and their use in gRPC"); a status from
/// 100 on is HTTP's.
fn grpc(call: &Call) -> Outcome {
    match call.grpc_status.or(call.status.filter(|status| *status < 100)) {
        Some(0) => Outcome::Good,
        // INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, OUT_OF_RANGE, CANCELLED
        Some(1 | 3 | 5 | 6 | 9 | 11) => Outcome::ClientError,
        // PERMISSION_DENIED, UNAUTHENTICATED
        Some(7 | 16) => Outcome::Denied,
        // RESOURCE_EXHAUSTED
        Some(8) => Outcome::RateLimited,
        // UNKNOWN, DEADLINE_EXCEEDED, ABORTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS
        Some(1..) => Outcome::ServerError,
        Some(_) | None => http(call),
    }
}

/// Whether a body of a successful answer says that it failed: GraphQL's `errors`, `{"ok": false}`, an error by name.
/// Only the outermost keys count; what data a shop sells under the name of error is its own business.
pub fn says_error(body: &str) -> bool {
    /// Larger answers carry data.
    const LARGEST: usize = 64 << 10;
    let body = body.trim_start();
    if !body.starts_with('{') || body.len() > LARGEST {
        return false;
    }
    let Ok(serde_json::Value::Object(fields)) = serde_json::from_str::<serde_json::Value>(body) else {
        return false;
    };
    fields.iter().any(|(name, value)| {
        let filled = match value {
            serde_json::Value::Null | serde_json::Value::Bool(false) => false,
            serde_json::Value::String(text) => !text.is_empty(),
            serde_json::Value::Array(list) => !list.is_empty(),
            serde_json::Value::Object(map) => !map.is_empty(),
            serde_json::Value::Number(number) => number.as_f64() != Some(0.0),
            serde_json::Value::Bool(true) => true,
        };
        match name.to_ascii_lowercase().as_str() {
            "ok" | "success" | "succeeded" => value == &serde_json::Value::Bool(false),
            "error" | "errors" | "exception" | "error_code" | "errorcode" | "error_message" => filled,
            "status" | "result" => value.as_str().is_some_and(|word| {
                matches!(
                    word.to_ascii_lowercase().as_str(),
                    "error" | "failed" | "failure" | "fail" | "exception"
                )
            }),
            _ => false,
        }
    })
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
