//! The KFL fields of a call.
//!
//! Fields that cannot be known from a capture (processes, eBPF sources, protocols that are not dissected)
//! are absent, and the language's defaults stand for them. *Local* is the end that runs on the capturing
//! node, the client where both or neither do: a call seen by two nodes is told from the client's, so its
//! local labels are the client's.

use crate::kfl::field::FieldId;
use crate::kfl::record::{Record, Value};

use super::call::{Call, Ends, HttpParts, Parts, TcpParts};
use super::entry::{DnsCall, HttpCall, Payload, TcpFlow};
use super::names::Identity;

impl Record for Call {
    fn field(&self, field: FieldId) -> Option<Value<'_>> {
        match (&self.entry.payload, &self.parts) {
            (Payload::Http(http), Parts::Http(parts)) => http_field(http, parts, field),
            (Payload::Dns(dns), Parts::Dns(parts)) => match field {
                FieldId::DNS_QUESTIONS => Some(Value::List(&parts.names)),
                FieldId::DNS_QUESTION_TYPES => Some(Value::List(&parts.types)),
                _ => dns_field(dns, field),
            },
            (Payload::TcpFlow(flow), Parts::Tcp(parts)) => self.tcp_field(flow, parts, field),
            (Payload::Line(line), parts) => line.field(&self.entry, parts, field),
            _ => None,
        }
        .or_else(|| end_field(&self.ends, self, field))
        .or_else(|| self.common_field(field))
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a table of fields reads better without a `Some` in every row"
)]
fn int(value: impl TryInto<i64>) -> Option<Value<'static>> {
    Some(Value::Int(value.try_into().unwrap_or(i64::MAX)))
}

#[expect(clippy::unnecessary_wraps, reason = "as above")]
fn text(value: &str) -> Option<Value<'_>> {
    Some(Value::Str(value))
}

const YES: Option<Value<'static>> = Some(Value::Bool(true));

fn http_field<'c>(http: &'c HttpCall, parts: &'c HttpParts, field: FieldId) -> Option<Value<'c>> {
    match field {
        FieldId::HTTP => YES,
        FieldId::METHOD => text(&http.method),
        FieldId::PATH => text(&parts.path),
        FieldId::URL => text(&parts.url),
        FieldId::STATUS_CODE => int(http.status),
        FieldId::HTTP_VERSION => text(&http.version),
        FieldId::QUERY_STRING => Some(Value::Map(&parts.query)),
        FieldId::REQUEST_HEADERS => Some(Value::Map(&http.request_headers)),
        FieldId::RESPONSE_HEADERS => Some(Value::Map(&http.response_headers)),
        FieldId::REQUEST_COOKIES => Some(Value::Map(&parts.request_cookies)),
        FieldId::RESPONSE_COOKIES => Some(Value::Map(&parts.response_cookies)),
        FieldId::REQUEST_BODY_SIZE => int(http.request_body.size),
        FieldId::RESPONSE_BODY_SIZE => int(http.response_body.size),
        FieldId::REQUEST_HEADERS_SIZE => int(parts.request_headers_size),
        FieldId::RESPONSE_HEADERS_SIZE => int(parts.response_headers_size),
        _ => None,
    }
}

fn dns_field(dns: &DnsCall, field: FieldId) -> Option<Value<'_>> {
    match field {
        FieldId::DNS => YES,
        FieldId::STATUS_CODE => int(dns.rcode.unwrap_or(0)),
        FieldId::DNS_REQUEST => Some(Value::Bool(dns.request_bytes > 0)),
        FieldId::DNS_RESPONSE => Some(Value::Bool(dns.rcode.is_some())),
        FieldId::DNS_ANSWERS => Some(Value::List(&dns.answers)),
        FieldId::DNS_REQUEST_LENGTH => int(dns.request_bytes),
        FieldId::DNS_RESPONSE_LENGTH => int(dns.response_bytes),
        FieldId::DNS_TOTAL_SIZE => int(u64::from(dns.request_bytes) + u64::from(dns.response_bytes)),
        _ => None,
    }
}

impl Call {
    fn is_line(&self) -> bool {
        matches!(self.entry.payload, Payload::Line(_))
    }

    fn tcp_field<'c>(&'c self, flow: &'c TcpFlow, parts: &'c TcpParts, field: FieldId) -> Option<Value<'c>> {
        let client = (flow.client_bytes, flow.client_packets);
        let server = (flow.server_bytes, flow.server_packets);
        let (local, remote) = if self.client_is_local() {
            (client, server)
        } else {
            (server, client)
        };
        // Rates over less than a second would be guesses: a short flow counts as one second.
        let seconds = u64::try_from(flow.duration_us / 1_000_000).unwrap_or(0).max(1);
        match field {
            FieldId::TCP | FieldId::TCP_FLOW | FieldId::TCP_CONN | FieldId::FLOW | FieldId::CONN => YES,
            FieldId::CONN_STATE | FieldId::FLOW_STATE => text(parts.state),
            FieldId::CONN_LOCAL_BYTES | FieldId::FLOW_LOCAL_BYTES => int(local.0),
            FieldId::CONN_REMOTE_BYTES | FieldId::FLOW_REMOTE_BYTES => int(remote.0),
            FieldId::CONN_LOCAL_PKTS | FieldId::FLOW_LOCAL_PKTS => int(local.1),
            FieldId::CONN_REMOTE_PKTS | FieldId::FLOW_REMOTE_PKTS => int(remote.1),
            FieldId::FLOW_LOCAL_BPS => int(local.0 / seconds),
            FieldId::FLOW_REMOTE_BPS => int(remote.0 / seconds),
            FieldId::FLOW_LOCAL_PPS => int(local.1 / seconds),
            FieldId::FLOW_REMOTE_PPS => int(remote.1 / seconds),
            FieldId::CONN_L7_DETECTED | FieldId::FLOW_L7_DETECTED => Some(Value::List(&parts.l7)),
            FieldId::TCP_ERROR_TYPE => text(parts.error),
            FieldId::TCP_ERROR_MESSAGE => text(&parts.message),
            _ => None,
        }
    }

    fn common_field(&self, field: FieldId) -> Option<Value<'_>> {
        match field {
            FieldId::TIMESTAMP => Some(Value::Timestamp(self.entry.ts_us)),
            FieldId::ELAPSED_TIME => int(self.entry.elapsed_us?),
            FieldId::PROTOCOL => text(self.protocol()),
            FieldId::ID => int(self.ordinal),
            FieldId::INDEX => int(self.entry.index),
            FieldId::STREAM => text(self.stream()),
            // A line does not tell which connection carried its call.
            FieldId::CONN_ID | FieldId::FLOW_ID if !self.is_line() => int(self.entry.stream),
            FieldId::NODE_ID | FieldId::NODE_NAME | FieldId::WORKER => text(&self.node),
            FieldId::CAPTURE_SOURCE => text(if self.is_line() { "lines" } else { "pcap" }),
            FieldId::HAS_PCAP => YES,
            _ => None,
        }
    }
}

pub(super) fn end_field<'c>(ends: &'c Ends, call: &'c Call, field: FieldId) -> Option<Value<'c>> {
    let (src, dst) = (&*ends.src, &*ends.dst);
    match field {
        FieldId::SRC_IP => text(&src.ip),
        FieldId::DST_IP => text(&dst.ip),
        FieldId::SRC_PORT => int(call.entry.src.port),
        FieldId::DST_PORT => int(call.entry.dst.port),
        FieldId::SRC_NAME => text(&src.name),
        FieldId::DST_NAME => text(&dst.name),
        FieldId::SRC_DNS => text(&src.dns),
        FieldId::DST_DNS => text(&dst.dns),
        FieldId::SRC_POD_NAME => text(src.pod_or_service()),
        FieldId::DST_POD_NAME => text(dst.pod_or_service()),
        FieldId::SRC_SERVICE_NAME => text(&src.service),
        FieldId::DST_SERVICE_NAME => text(&dst.service),
        FieldId::SRC_NAMESPACE | FieldId::SRC_POD_NAMESPACE => text(&src.namespace),
        FieldId::DST_NAMESPACE | FieldId::DST_POD_NAMESPACE => text(&dst.namespace),
        FieldId::SRC_SERVICE_NAMESPACE => text(service_namespace(src)),
        FieldId::DST_SERVICE_NAMESPACE => text(service_namespace(dst)),
        FieldId::NAMESPACES => Some(Value::List(&ends.namespaces)),
        FieldId::PODS => Some(Value::List(&ends.pods)),
        FieldId::SERVICES => Some(Value::List(&ends.services)),
        FieldId::LOCAL_LABELS => Some(Value::Map(&call.local_and_remote().0.labels)),
        FieldId::REMOTE_LABELS => Some(Value::Map(&call.local_and_remote().1.labels)),
        FieldId::LOCAL_NODE_NAME => text(&call.local_and_remote().0.node),
        FieldId::REMOTE_NODE_NAME => text(&call.local_and_remote().1.node),
        _ => None,
    }
}

/// A pod that no service selects has no service namespace.
fn service_namespace(end: &Identity) -> &str {
    if end.service.is_empty() {
        ""
    } else {
        &end.namespace
    }
}
