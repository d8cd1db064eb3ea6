//! A call that came as a line, as the tools answer it.

use serde_json::{Map, Value, json};

use super::call::{LineCall, RESULTS};
use crate::hub::call::Parts;
use crate::hub::entry::Entry;
use crate::hub::render;

/// Puts what a list shows of the call.
pub(in crate::hub) fn compact(shown: &mut Map<String, Value>, line: &LineCall, entry: &Entry, parts: &Parts) {
    if let Some(connection) = parts.tcp() {
        if !connection.state.is_empty() {
            shown.insert("conn_state".into(), json!(connection.state));
        }
        if !connection.error.is_empty() {
            shown.insert("tcp_error_type".into(), json!(connection.error));
            shown.insert("tcp_error_message".into(), json!(connection.message));
            // Where there are no metrics to tell it from.
            shown.insert("error".into(), json!(connection.error));
        }
        return;
    }
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let path = parts.http().map_or(&*line.path, |parts| &parts.path);
    shown.insert("method".into(), json!(known(&line.method)));
    shown.insert("path".into(), json!(known(path)));
    // 0 is "no response seen", as of a call dissected from packets; null beside a latency is an answer whose status
    // is not known.
    let unanswered = line.protocol.has_http_status() && line.unanswered(entry.elapsed_us);
    let status = if unanswered { Some(0) } else { line.status };
    shown.insert("status".into(), json!(status));
    if let Some(trouble) = line.trouble(entry.elapsed_us) {
        shown.insert("error".into(), json!(trouble));
    }
    for field in RESULTS {
        if let Some(value) = line.given(*field) {
            shown.insert(field.name().into(), value.as_json());
        }
    }
}

/// Puts what else there is to show.
pub(in crate::hub) fn full(
    shown: &mut Map<String, Value>,
    line: &LineCall,
    parts: &Parts,
    body_limit: usize,
) {
    if line.protocol.has_http_status() {
        shown.insert(
            "url".into(),
            json!(parts.http().map_or(&*line.path, |parts| &parts.url)),
        );
    }
    if line.protocol.is_dns() && !line.path.is_empty() {
        shown.insert(
            "questions".into(),
            json!([{"name": line.path, "type": line.method}]),
        );
    }
    let Some(details) = &line.details else { return };
    for (headers, name) in [
        (&details.request_headers, "req_headers"),
        (&details.response_headers, "resp_headers"),
    ] {
        if !headers.is_empty() {
            shown.insert(name.into(), render::headers(headers));
        }
    }
    for (body, name, size) in [
        (&details.request_body, "req_body", "req_size"),
        (&details.response_body, "resp_body", "resp_size"),
    ] {
        if let Some(body) = body {
            shown.insert(size.into(), json!(body.size));
            render::body(shown, name, body, body_limit);
        }
    }
    if !details.fields.is_empty() {
        let fields: Map<String, Value> = details
            .fields
            .iter()
            .map(|(field, value)| (field.name().to_owned(), value.as_json()))
            .collect();
        shown.insert("fields".into(), Value::Object(fields));
    }
}

/// The metrics that a line gives of a connection.
pub(in crate::hub) fn tcp_metrics(line: &LineCall) -> Option<Value> {
    let metrics = line.details.as_ref()?.tcp_metrics.as_ref()?;
    Some(Value::Object(metrics.clone()))
}
