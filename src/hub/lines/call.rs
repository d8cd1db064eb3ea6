//! What is kept of a line.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::fields::FieldValue;
use super::protocol::LineProtocol;
use crate::hub::call::TcpParts;
use crate::hub::entry::{Body, Headers, TcpFlow};
use crate::kfl::FieldId;

/// One end of a call, as far as its line names it; shared by all calls of the same end. Empty texts stand for
/// "not known", and where all are empty and there is no address, the end is outside of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Party {
    pub service: String,
    pub pod: String,
    pub namespace: String,
    pub node: String,
    pub ip: Option<IpAddr>,
    pub labels: Vec<(String, String)>,
}

impl Party {
    /// Whether it has a name, rather than an address at most.
    pub fn is_named(&self) -> bool {
        !self.service.is_empty() || !self.pod.is_empty()
    }
}

/// A call as a line tells it. When it began and how long it took is in the entry around it.
#[derive(Clone, Debug, PartialEq)]
pub struct LineCall {
    pub protocol: LineProtocol,
    pub method: Arc<str>,
    pub path: Arc<str>,
    /// HTTP status or DNS response code; `None` where the line does not tell, which is not "no response".
    pub status: Option<u16>,
    pub error: Option<Arc<str>>,
    /// How long the server took, as it saw it, µs.
    pub server_elapsed_us: Option<i64>,
    pub src: Arc<Party>,
    pub dst: Arc<Party>,
    /// Length of the line, bytes.
    pub bytes: u32,
    /// What few lines have.
    pub details: Option<Box<Details>>,
}

/// Headers, bodies and what is particular to a protocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Names in lower case.
    pub request_headers: Headers,
    pub response_headers: Headers,
    pub request_body: Option<Body>,
    pub response_body: Option<Body>,
    /// Each field once.
    pub fields: Vec<(FieldId, FieldValue)>,
    /// By the contract's names, checked: numbers, or yes and no.
    pub tcp_metrics: Option<Map<String, Value>>,
}

/// Fields that tell how a call of a protocol ended: they are shown in every list.
pub(super) const RESULTS: &[FieldId] = &[
    FieldId::GRPC_STATUS,
    FieldId::MYSQL_SUCCESS,
    FieldId::MYSQL_ERROR_CODE,
    FieldId::MYSQL_ERROR_MESSAGE,
    FieldId::POSTGRESQL_SUCCESS,
    FieldId::POSTGRESQL_ERROR_CODE,
    FieldId::POSTGRESQL_ERROR_MESSAGE,
    FieldId::MONGODB_SUCCESS,
    FieldId::MONGODB_ERROR_CODE,
    FieldId::MONGODB_ERROR_CODE_NAME,
    FieldId::MONGODB_ERROR_MESSAGE,
    FieldId::RADIUS_CODE_NAME,
];

/// Those of them that hold the words or the code of an error, the clearer first.
const ERRORS: &[(FieldId, &str)] = &[
    (FieldId::MYSQL_ERROR_MESSAGE, ""),
    (FieldId::POSTGRESQL_ERROR_MESSAGE, ""),
    (FieldId::MONGODB_ERROR_MESSAGE, ""),
    (FieldId::MONGODB_ERROR_CODE_NAME, ""),
    (FieldId::MYSQL_ERROR_CODE, "MySQL error "),
    (FieldId::POSTGRESQL_ERROR_CODE, "SQLSTATE "),
    (FieldId::MONGODB_ERROR_CODE, "MongoDB error "),
];

impl LineCall {
    /// The field that the line gives under that name.
    pub fn given(&self, field: FieldId) -> Option<&FieldValue> {
        let fields = &self.details.as_ref()?.fields;
        fields
            .iter()
            .find(|(own, _)| *own == field)
            .map(|(_, value)| value)
    }

    /// Whether a response was due and none was seen: status 0, or neither status nor latency. A latency without
    /// a status is an answer whose status nobody recorded.
    pub fn unanswered(&self, elapsed_us: Option<i64>) -> bool {
        let none =
            self.status.is_none() && elapsed_us.is_none() && self.given(FieldId::GRPC_STATUS).is_none();
        self.protocol.answers() && (none || (self.protocol.has_http_status() && self.status == Some(0)))
    }

    /// Whether it went wrong, as far as the line tells.
    pub fn failed(&self, elapsed_us: Option<i64>) -> bool {
        let by_status = self.status.is_some_and(|status| {
            (self.protocol.has_http_status() && status >= 400) || (self.protocol.is_dns() && status != 0)
        });
        let success = |field| self.given(field) == Some(&FieldValue::Bool(false));
        self.unanswered(elapsed_us)
            || by_status
            || self.error.is_some()
            || self.wrong().is_some()
            || RESULTS.iter().any(|field| success(*field))
            || !self.connection().error.is_empty()
    }

    /// What went wrong, in words, where there are any.
    pub fn trouble(&self, elapsed_us: Option<i64>) -> Option<Cow<'_, str>> {
        if let Some(error) = &self.error {
            return Some(Cow::Borrowed(error));
        }
        self.wrong().or_else(|| {
            self.unanswered(elapsed_us)
                .then_some(Cow::Borrowed("no response seen"))
        })
    }

    /// What the protocol's own fields say went wrong.
    fn wrong(&self) -> Option<Cow<'_, str>> {
        if let Some(FieldValue::Int(code @ 1..)) = self.given(FieldId::GRPC_STATUS) {
            return Some(Cow::Owned(grpc_status(*code)));
        }
        ERRORS
            .iter()
            .find_map(|(field, prefix)| match self.given(*field)? {
                FieldValue::Text(text) if !text.is_empty() => Some(if prefix.is_empty() {
                    Cow::Borrowed(&**text)
                } else {
                    Cow::Owned(format!("{prefix}{text}"))
                }),
                FieldValue::Int(code) if *code != 0 => Some(Cow::Owned(format!("{prefix}{code}"))),
                _ => None,
            })
    }

    /// The bodies of the request and of the response, where the line gives them.
    pub fn bodies(&self) -> [Option<&Body>; 2] {
        self.details.as_deref().map_or([None, None], |details| {
            [details.request_body.as_ref(), details.response_body.as_ref()]
        })
    }

    /// A number among the TCP metrics.
    pub(super) fn metric(&self, name: &str) -> Option<i64> {
        self.details.as_ref()?.tcp_metrics.as_ref()?.get(name)?.as_i64()
    }

    /// A whole number among the fields, not negative.
    fn count(&self, field: FieldId) -> u64 {
        match self.given(field) {
            Some(FieldValue::Int(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        }
    }

    /// What a connection came to: whether it was refused, never answered or reset. Nothing for other protocols.
    pub fn connection(&self) -> TcpParts {
        if !self.protocol.is_tcp() {
            return TcpParts::default();
        }
        let told = |field| match self.given(field) {
            Some(FieldValue::Text(text)) => Some(&**text),
            _ => None,
        };
        let mut parts = TcpParts::of(&self.flow());
        if self.metric("connection_completeness").is_none() {
            parts.state = "";
        }
        if let Some(error) = told(FieldId::TCP_ERROR_TYPE) {
            parts.error = ["refused", "no_answer", "reset"]
                .into_iter()
                .find(|known| *known == error)
                .unwrap_or(if error.is_empty() { "" } else { "other" });
        }
        if let Some(message) = told(FieldId::TCP_ERROR_MESSAGE) {
            message.clone_into(&mut parts.message);
        }
        parts
    }

    /// The connection as far as the line measures it; zero stands for what it does not.
    pub fn flow(&self) -> TcpFlow {
        let count = |name| {
            self.metric(name)
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(0)
        };
        let completeness = self
            .metric("connection_completeness")
            .and_then(|bits| u8::try_from(bits).ok());
        let by_server = self
            .details
            .as_ref()
            .and_then(|details| details.tcp_metrics.as_ref()?.get("reset_by_server"));
        TcpFlow {
            completeness: completeness.unwrap_or(0),
            handshake_us: self.metric("handshake_time_us"),
            initial_rtt_us: self.metric("initial_rtt_us"),
            duration_us: self.metric("connection_time_us").unwrap_or(0).max(0),
            first_byte_us: self.metric("time_to_first_byte_us"),
            // The client's end is the local one where the line does not name nodes.
            client_packets: self.count(FieldId::FLOW_LOCAL_PKTS),
            server_packets: self.count(FieldId::FLOW_REMOTE_PKTS),
            client_bytes: self.count(FieldId::FLOW_LOCAL_BYTES),
            server_bytes: self.count(FieldId::FLOW_REMOTE_BYTES),
            retransmissions: count("retransmissions"),
            fast_retransmissions: count("fast_retransmissions"),
            out_of_order: count("out_of_order"),
            dup_acks: count("dup_acks"),
            missing_segments: count("missing_segments"),
            zero_windows: count("zero_window_events"),
            keepalives: count("keepalive_count"),
            fins: count("fin_count"),
            resets: count("rst_count"),
            // A SYN that is answered by RST is answered by the server.
            reset_by_server: by_server
                .and_then(Value::as_bool)
                .unwrap_or(completeness == Some(33)),
            syns: self
                .metric("syn_count")
                .and_then(|count| u64::try_from(count).ok())
                .unwrap_or(1),
            l7: None,
        }
    }
}

/// A gRPC status with its name.
fn grpc_status(code: i64) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    match usize::try_from(code).ok().and_then(|code| NAMES.get(code)) {
        Some(name) => format!("gRPC status {code} ({name})"),
        None => format!("gRPC status {code}"),
    }
}
