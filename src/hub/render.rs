//! Calls as the tools answer them.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::call::{Call, OtherView, Parts};
use super::entry::{Body, Endpoint, Headers, Payload, TcpFlow};
use super::lines;
use super::names::Identity;

/// How much of a call is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Compact,
    /// With headers, bodies and what they travelled on.
    Full,
    /// With the metrics of connections.
    Raw,
}

/// Bytes of each body that a list in full form shows.
const LISTED_BODY: usize = 1024;

/// µs as ms with the fraction kept.
pub(super) fn ms(us: i64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "2^53 µs are 285 years")]
    let ms = us as f64 / 1000.0;
    json!(ms)
}

/// A call in a list.
pub(super) fn call(call: &Call, form: Form) -> Value {
    let entry = &call.entry;
    let mut shown = Map::new();
    shown.insert("id".into(), json!(call.id));
    shown.insert("ts".into(), json!(entry.ts_us.div_euclid(1000)));
    shown.insert("src".into(), end(&call.ends.src, entry.src));
    shown.insert("dst".into(), end(&call.ends.dst, entry.dst));
    shown.insert("proto".into(), json!(call.protocol()));
    match (&entry.payload, &call.parts) {
        (Payload::Http(http), Parts::Http(parts)) => {
            shown.insert("method".into(), json!(http.method));
            shown.insert("path".into(), json!(parts.path));
            shown.insert("status".into(), json!(http.status));
            if http.status == 0 {
                shown.insert("error".into(), json!("no response seen"));
            } else if !http.complete {
                shown.insert("error".into(), json!("response cut short"));
            }
        }
        (Payload::Dns(dns), Parts::Dns(parts)) => {
            shown.insert("method".into(), json!(parts.types.first()));
            shown.insert("path".into(), json!(parts.names.first()));
            shown.insert("status".into(), json!(dns.rcode));
            match dns.rcode {
                None => drop(shown.insert("error".into(), json!("no response seen"))),
                Some(0) => drop(shown.insert("answers".into(), json!(dns.answers))),
                Some(code) => drop(shown.insert("error".into(), json!(rcode_name(code)))),
            }
        }
        (Payload::TcpFlow(flow), Parts::Tcp(parts)) => {
            shown.insert("conn_state".into(), json!(parts.state));
            shown.insert("client_bytes".into(), json!(flow.client_bytes));
            shown.insert("server_bytes".into(), json!(flow.server_bytes));
            if !parts.error.is_empty() {
                shown.insert("tcp_error_type".into(), json!(parts.error));
                shown.insert("tcp_error_message".into(), json!(parts.message));
            }
        }
        (Payload::Line(line), parts) => lines::compact(&mut shown, line, entry, parts),
        _ => {}
    }
    shown.insert("latency_ms".into(), entry.elapsed_us.map_or(Value::Null, ms));
    // Real servers do not send it: they answer one view of a call.
    if let Some(us) = call.server_elapsed_us {
        shown.insert("server_latency_ms".into(), ms(us));
    }
    if !call.also_seen.is_empty() {
        shown.insert(
            "also_seen".into(),
            call.also_seen.iter().map(|view| other_view(view, form)).collect(),
        );
    }
    if form != Form::Compact {
        full(&mut shown, call);
    }
    let metrics = match &entry.payload {
        Payload::TcpFlow(flow) => Some(tcp_metrics(flow)),
        Payload::Line(line) => lines::tcp_metrics(line),
        _ => None,
    };
    if let (Form::Raw, Some(metrics)) = (form, metrics) {
        shown.insert("tcp_metrics".into(), metrics);
    }
    Value::Object(shown)
}

fn full(shown: &mut Map<String, Value>, call: &Call) {
    let entry = &call.entry;
    shown.insert("ts_us".into(), json!(entry.ts_us));
    shown.insert("elapsed_us".into(), json!(entry.elapsed_us));
    // A line does not tell which connection carried its call.
    let connection = (!matches!(entry.payload, Payload::Line(_))).then_some(entry.stream);
    shown.insert("conn_id".into(), json!(connection));
    shown.insert("flow_id".into(), json!(connection));
    shown.insert("node_id".into(), json!(call.node));
    shown.insert("worker".into(), json!(call.node));
    if let (Payload::Http(http), Parts::Http(parts)) = (&entry.payload, &call.parts) {
        shown.insert("url".into(), json!(parts.url));
        shown.insert("http_version".into(), json!(http.version));
        shown.insert("reason".into(), json!(http.reason));
        shown.insert("complete".into(), json!(http.complete));
        shown.insert("req_headers".into(), headers(&http.request_headers));
        shown.insert("resp_headers".into(), headers(&http.response_headers));
        shown.insert("req_size".into(), json!(http.request_body.size));
        shown.insert("resp_size".into(), json!(http.response_body.size));
        for (name, shown_as) in [
            (&http.request_body, "req_body"),
            (&http.response_body, "resp_body"),
        ] {
            body(shown, shown_as, name, LISTED_BODY);
        }
    }
    if let Payload::Line(line) = &entry.payload {
        lines::full(shown, line, &call.parts, LISTED_BODY);
    }
    if let Payload::Dns(dns) = &entry.payload {
        let questions = dns
            .questions
            .iter()
            .map(|(name, kind)| json!({"name": name, "type": kind}));
        shown.insert("questions".into(), questions.collect());
        shown.insert("answers".into(), json!(dns.answers));
        shown.insert("req_size".into(), json!(dns.request_bytes));
        shown.insert("resp_size".into(), json!(dns.response_bytes));
    }
}

/// Header fields as an object; several of one name are joined as HTTP allows.
pub(super) fn headers(headers: &Headers) -> Value {
    let mut shown: Map<String, Value> = Map::new();
    for (name, value) in headers {
        match shown.get_mut(name) {
            Some(Value::String(earlier)) => {
                earlier.push_str(", ");
                earlier.push_str(value);
            }
            _ => drop(shown.insert(name.clone(), json!(value))),
        }
    }
    Value::Object(shown)
}

/// Puts at most `limit` bytes of a body under `name`: as text, or in base64 with `NAME_encoding` beside
/// it. Says whether something of it is missing.
pub(super) fn body(shown: &mut Map<String, Value>, name: &str, body: &Body, limit: usize) -> bool {
    let mut kept = body.kept.get(..limit).unwrap_or(&body.kept);
    // A limit in the middle of a character is no reason to call the text binary.
    if let Err(cut) = std::str::from_utf8(kept)
        && cut.error_len().is_none()
        && (kept.len() as u64) < body.size
    {
        kept = kept.get(..cut.valid_up_to()).unwrap_or(kept);
    }
    if let Ok(text) = std::str::from_utf8(kept) {
        shown.insert(name.to_owned(), json!(text));
    } else {
        shown.insert(
            name.to_owned(),
            json!(base64::engine::general_purpose::STANDARD.encode(kept)),
        );
        shown.insert(format!("{name}_encoding"), json!("base64"));
    }
    (kept.len() as u64) < body.size
}

/// One end of a call. What is not known is left out.
pub(super) fn end(who: &Identity, at: Endpoint) -> Value {
    let mut shown = identity(who);
    if at.port != 0 {
        shown.insert("port".into(), json!(at.port));
    }
    Value::Object(shown)
}

/// Who somebody is, without a port.
pub(super) fn identity(who: &Identity) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, value) in [
        ("ip", &who.ip),
        ("pod", &who.pod),
        ("ns", &who.namespace),
        ("svc", &who.service),
        ("node", &who.node),
        ("name", &who.name),
        ("dns", &who.dns),
    ] {
        if !value.is_empty() {
            shown.insert(name.into(), json!(value));
        }
    }
    shown
}

fn other_view(view: &OtherView, form: Form) -> Value {
    let mut shown = json!({
        "node": view.node,
        "ts": view.ts_us.div_euclid(1000),
        "latency_ms": view.elapsed_us.map_or(Value::Null, ms),
    });
    if let Some(shown) = shown.as_object_mut() {
        if let Some(status) = view.status {
            shown.insert("status".into(), json!(status));
        }
        if let (Form::Raw, Some(tcp)) = (form, &view.tcp) {
            shown.insert("tcp_metrics".into(), tcp_metrics(tcp));
        }
    }
    shown
}

/// The TCP expert metrics by the contract's names; null for what is not measured.
pub(super) fn tcp_metrics(flow: &TcpFlow) -> Value {
    let packets = flow.client_packets + flow.server_packets;
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    let rate = if packets == 0 {
        0.0
    } else {
        flow.retransmissions as f64 / packets as f64
    };
    json!({
        "retransmissions": flow.retransmissions,
        "fast_retransmissions": flow.fast_retransmissions,
        "retransmission_rate": rate,
        "zero_window_events": flow.zero_windows,
        "window_full_events": null,
        "window_scale": null,
        "avg_receive_window": null,
        "out_of_order": flow.out_of_order,
        "dup_acks": flow.dup_acks,
        "missing_segments": flow.missing_segments,
        "rst_count": flow.resets,
        "fin_count": flow.fins,
        "keepalive_count": flow.keepalives,
        "connection_completeness": flow.completeness,
        "initial_rtt_us": flow.initial_rtt_us,
        "handshake_time_us": flow.handshake_us,
        "connection_time_us": flow.duration_us,
        "time_to_first_byte_us": flow.first_byte_us,
        // One sample: that of the handshake.
        "rtt_min_us": flow.initial_rtt_us,
        "rtt_max_us": flow.initial_rtt_us,
        "rtt_avg_us": flow.initial_rtt_us,
        "rtt_samples": u8::from(flow.initial_rtt_us.is_some()),
        "jitter_us": null,
        "goodput_bytes": flow.client_bytes + flow.server_bytes,
        "syn_count": flow.syns,
        "reset_by_server": flow.reset_by_server,
    })
}

/// Names of the response codes of RFC 1035 and 2136.
fn rcode_name(code: u8) -> String {
    let name = match code {
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        other => return format!("RCODE {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], size: u64, limit: usize) -> (Value, bool) {
        let mut object = Map::new();
        let cut = body(
            &mut object,
            "b",
            &Body {
                kept: bytes.to_vec(),
                size,
            },
            limit,
        );
        (Value::Object(object), cut)
    }

    #[test]
    fn bodies_are_text_where_they_can_be() {
        assert_eq!(shown(b"{\"ok\":1}", 8, 100), (json!({"b": "{\"ok\":1}"}), false));
        assert_eq!(
            shown("caf\u{e9}".as_bytes(), 5, 4),
            (json!({"b": "caf"}), true),
            "cut inside a character"
        );
        assert_eq!(
            shown(&[0xff, 0xfe], 2, 100),
            (json!({"b": "//4=", "b_encoding": "base64"}), false)
        );
        assert!(
            shown(b"abc", 900, 100).1,
            "the dissector kept less than there was"
        );
    }

    #[test]
    fn repeated_headers_are_joined() {
        let two = vec![
            ("via".to_owned(), "a".to_owned()),
            ("via".to_owned(), "b".to_owned()),
        ];
        assert_eq!(headers(&two), json!({"via": "a, b"}));
    }
}
