//! Calls: answers of `list_api_calls`, in compact, full and raw form.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DecodeError,
    field::{Fields, body, each, number, pairs, text, texts, whole},
};
use crate::time::Utc;

/// A list of calls. A sample where it is truncated, never a count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallList {
    pub calls: Vec<Call>,
    /// How many calls match, as far as the server counts them.
    pub total: Option<u64>,
    /// Whether the server left matches out: it says so, or its total is larger than the list.
    pub truncated: bool,
    /// Entries of the list that could not be read and are left out.
    pub unreadable: u64,
}

/// One request with its response, or one connection (`protocol` is then `tcp` or the like).
///
/// Texts come from the cluster's clients and servers and are not to be trusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub id: String,
    /// When the request began.
    pub ts: Utc,
    /// The client.
    pub src: Peer,
    /// The server.
    pub dst: Peer,
    /// As the server names it, in lower case: `http`, `dns`, `tcp_flow`.
    pub protocol: String,
    pub method: Option<String>,
    pub path: Option<String>,
    /// The protocol's status. For HTTP 0 means that no response was seen; absent it means the same where there is
    /// no latency either, and beside a latency that the call was answered with a status nobody recorded.
    pub status: Option<i64>,
    /// From the request to the end of the response, µs.
    pub elapsed_us: Option<i64>,
    /// The same as the server saw it, µs; absent where it is not known. Only the embedded hub tells it.
    #[serde(default)]
    pub server_elapsed_us: Option<i64>,
    /// gRPC's own status, inside HTTP's.
    #[serde(default)]
    pub grpc_status: Option<i64>,
    /// The node that recorded it.
    pub node_id: Option<String>,
    pub conn_id: Option<String>,
    pub request_headers: Vec<(String, String)>,
    pub response_headers: Vec<(String, String)>,
    pub request_body: Option<String>,
    pub response_body: Option<String>,
    /// Names asked for, of a DNS call.
    pub questions: Vec<String>,
    /// Addresses or names answered, of a DNS call.
    pub answers: Vec<String>,
    /// Of a connection.
    pub tcp: Option<TcpMetrics>,
    /// What the server says went wrong.
    pub error: Option<String>,
}

/// One end of a call. Everything is absent that the server did not resolve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Peer {
    pub ip: Option<String>,
    pub port: Option<u16>,
    pub pod: Option<String>,
    pub namespace: Option<String>,
    pub service: Option<String>,
    pub node: Option<String>,
}

/// Facts about one TCP connection. Which unit each has says its name; rates are 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TcpMetrics {
    pub retransmissions: Option<i64>,
    pub fast_retransmissions: Option<i64>,
    /// Share of segments sent again: up to 0.01 healthy, to 0.05 degraded, above severe.
    pub retransmission_rate: Option<f64>,
    pub zero_window_events: Option<i64>,
    pub window_full_events: Option<i64>,
    /// The window scale option's shift count.
    pub window_scale: Option<i64>,
    /// Bytes.
    pub avg_receive_window: Option<f64>,
    pub out_of_order: Option<i64>,
    pub dup_acks: Option<i64>,
    pub missing_segments: Option<i64>,
    pub rst_count: Option<i64>,
    pub fin_count: Option<i64>,
    pub keepalive_count: Option<i64>,
    /// Bits: 1 SYN, 2 SYN-ACK, 4 ACK, 8 DATA, 16 FIN, 32 RST. 33 is refused, 1 no answer, 31 a
    /// whole life, 47 reset after data.
    pub connection_completeness: Option<i64>,
    pub initial_rtt_us: Option<i64>,
    pub handshake_time_us: Option<i64>,
    pub connection_time_us: Option<i64>,
    pub time_to_first_byte_us: Option<i64>,
    pub rtt_min_us: Option<i64>,
    pub rtt_max_us: Option<i64>,
    pub rtt_avg_us: Option<i64>,
    pub rtt_samples: Option<i64>,
    pub jitter_us: Option<i64>,
    pub goodput_bytes: Option<i64>,
}

const WHAT: &str = "the list of calls";

/// Reads `{calls: […], total, truncated}` or the list alone. An entry that cannot be read is left
/// out and counted; where none can be read, that is an error.
pub fn calls(answer: &Value) -> Result<CallList, DecodeError> {
    const LIST: &[&str] = &["calls", "entries", "api_calls"];
    let fields = Fields::of(answer);
    let items = match (answer, fields) {
        (Value::Array(items), _) => items.as_slice(),
        (_, Some(fields)) if fields.has(LIST) || fields.has(&["total"]) => fields.list(LIST),
        _ => return Err(DecodeError::field(WHAT, "calls", "a list", answer)),
    };
    let calls = each(items, call)?;
    let listed = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let total = fields.and_then(|f| f.count(&["total", "total_count"]));
    let said = fields.and_then(|f| f.flag(&["truncated", "has_more"]));
    Ok(CallList {
        unreadable: listed.saturating_sub(u64::try_from(calls.len()).unwrap_or(u64::MAX)),
        truncated: said.unwrap_or(false) || total.is_some_and(|total| total > listed),
        total,
        calls,
    })
}

/// Reads one call.
pub(super) fn call(value: &Value) -> Result<Call, DecodeError> {
    const CALL: &str = "a call";
    let fields = Fields::of(value).ok_or_else(|| DecodeError::shape(CALL, "an object", value))?;
    let id = fields
        .text(&["id", "call_id"])
        .ok_or_else(|| DecodeError::field(CALL, "id", "an id", value))?;
    let ts = fields
        .millis(&["ts", "timestamp", "start_time"])
        .ok_or_else(|| DecodeError::field(CALL, "ts", "Unix milliseconds", value))?;
    let (request, response) = (fields.object(&["request"]), fields.object(&["response"]));
    let headers = |flat: &[&str], part: Option<Fields<'_>>| {
        let value = fields.get(flat).or_else(|| part?.get(&["headers"]));
        value.map(pairs).unwrap_or_default()
    };
    let payload = |flat: &[&str], part: Option<Fields<'_>>| {
        fields
            .get(flat)
            .or_else(|| part?.get(&["body", "payload"]))
            .and_then(body)
    };
    Ok(Call {
        id,
        ts,
        src: peer(fields.get(&["src", "source", "client"])),
        dst: peer(fields.get(&["dst", "destination", "server"])),
        protocol: protocol(fields.get(&["proto", "protocol"])),
        method: fields.text(&["method"]).or_else(|| request?.text(&["method"])),
        path: fields
            .text(&["path", "url"])
            .or_else(|| request?.text(&["path", "url"])),
        status: fields
            .int(&["status", "status_code"])
            .or_else(|| response?.int(&["status", "status_code"])),
        elapsed_us: micros(
            fields,
            &["elapsed_us", "latency_us", "elapsed_time", "elapsed_time_us"],
            &["latency_ms", "elapsed_ms"],
        ),
        server_elapsed_us: micros(
            fields,
            &["server_elapsed_us", "server_latency_us"],
            &["server_latency_ms"],
        ),
        grpc_status: fields.int(&["grpc_status"]).filter(|status| *status >= 0),
        node_id: fields.text(&["node_id", "node"]),
        conn_id: fields.text(&["conn_id", "connection_id"]),
        request_headers: headers(&["req_headers", "request_headers"], request),
        response_headers: headers(&["resp_headers", "response_headers"], response),
        request_body: payload(&["req_body", "request_body"], request),
        response_body: payload(&["resp_body", "response_body"], response),
        questions: fields
            .get(&["questions", "dns_questions", "dns_question", "query"])
            .map(texts)
            .unwrap_or_default(),
        answers: fields
            .get(&["answers", "dns_answers"])
            .map(texts)
            .unwrap_or_default(),
        tcp: fields.object(&["tcp_metrics", "tcp"]).map(tcp_metrics),
        error: fields
            .get(&["error", "error_message"])
            .map(texts)
            .and_then(|lines| (!lines.is_empty()).then(|| lines.join("; "))),
    })
}

/// A latency in µs from whichever of the fields is there; a negative one is none.
fn micros(fields: Fields<'_>, in_us: &[&str], in_ms: &[&str]) -> Option<i64> {
    let micros = fields.number(in_us);
    let micros = micros.or_else(|| fields.number(in_ms).map(|ms| ms * 1e3))?;
    whole(micros.round()).filter(|us| *us >= 0)
}

/// The protocol's name: a text, or an object with one.
fn protocol(value: Option<&Value>) -> String {
    let name = value.and_then(|v| text(v).or_else(|| Fields::of(v)?.text(&["name", "abbr", "abbreviation"])));
    name.unwrap_or_default().to_lowercase()
}

/// One end: an object, or a text `IP:PORT`.
pub(super) fn peer(value: Option<&Value>) -> Peer {
    let Some(value) = value else {
        return Peer::default();
    };
    if let Some(address) = value.as_str() {
        return address.parse::<std::net::SocketAddr>().map_or_else(
            |_| Peer {
                ip: text(value),
                ..Peer::default()
            },
            |a| Peer {
                ip: Some(a.ip().to_string()),
                port: Some(a.port()),
                ..Peer::default()
            },
        );
    }
    let Some(fields) = Fields::of(value) else {
        return Peer::default();
    };
    // `pod` and `service` are names, or objects with one.
    let named = |names: &[&str]| {
        fields
            .text(names)
            .or_else(|| fields.object(names)?.text(&["name"]))
    };
    Peer {
        ip: fields.text(&["ip", "address"]),
        port: fields.int(&["port"]).and_then(|p| u16::try_from(p).ok()),
        pod: named(&["pod"]).or_else(|| fields.text(&["pod_name"])),
        namespace: fields
            .text(&["ns", "namespace"])
            .or_else(|| fields.object(&["pod"])?.text(&["namespace"]))
            .or_else(|| fields.object(&["service"])?.text(&["namespace"])),
        service: named(&["svc", "service"]).or_else(|| fields.text(&["service_name"])),
        node: named(&["node"]).or_else(|| fields.text(&["node_name"])),
    }
}

fn tcp_metrics(f: Fields<'_>) -> TcpMetrics {
    TcpMetrics {
        retransmissions: f.int(&["retransmissions"]),
        fast_retransmissions: f.int(&["fast_retransmissions"]),
        retransmission_rate: f.get(&["retransmission_rate"]).and_then(number),
        zero_window_events: f.int(&["zero_window_events"]),
        window_full_events: f.int(&["window_full_events"]),
        window_scale: f.int(&["window_scale"]),
        avg_receive_window: f.number(&["avg_receive_window"]),
        out_of_order: f.int(&["out_of_order"]),
        dup_acks: f.int(&["dup_acks"]),
        missing_segments: f.int(&["missing_segments"]),
        rst_count: f.int(&["rst_count"]),
        fin_count: f.int(&["fin_count"]),
        keepalive_count: f.int(&["keepalive_count"]),
        connection_completeness: f.int(&["connection_completeness"]),
        initial_rtt_us: f.int(&["initial_rtt_us"]),
        handshake_time_us: f.int(&["handshake_time_us"]),
        connection_time_us: f.int(&["connection_time_us"]),
        time_to_first_byte_us: f.int(&["time_to_first_byte_us"]),
        rtt_min_us: f.int(&["rtt_min_us"]),
        rtt_max_us: f.int(&["rtt_max_us"]),
        rtt_avg_us: f.int(&["rtt_avg_us"]),
        rtt_samples: f.int(&["rtt_samples"]),
        jitter_us: f.int(&["jitter_us"]),
        goodput_bytes: f.int(&["goodput_bytes"]),
    }
}
