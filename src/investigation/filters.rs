//! The filters that the phases send, from typed parts.

use std::net::IpAddr;

use crate::analysis::{EdgeKey, Layer, Party};

/// A KFL string literal: quotes, backslashes and control characters escaped, so that no name can end it.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The cheap term that every filter begins with.
pub(super) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Http => "http",
        Layer::Dns => "dns",
        Layer::Tcp => "tcp_flow",
    }
}

/// What makes a call of this layer a failing one.
pub(super) fn failing(layer: Layer) -> &'static str {
    match layer {
        Layer::Http => "(status_code >= 400 || status_code == 0)",
        Layer::Dns => "status_code != 0",
        Layer::Tcp => "tcp_error_type != \"\"",
    }
}

/// `end` is "src" or "dst".
fn end(end: &str, party: &Party) -> String {
    if party.name.parse::<IpAddr>().is_ok() {
        return format!("{end}.ip == {}", literal(&party.name));
    }
    let pod_or_service = format!(
        "({end}.service.name == {0} || {end}.pod.name == {0})",
        literal(&party.name)
    );
    match &party.namespace {
        Some(namespace) => format!("{end}.namespace == {} && {pod_or_service}", literal(namespace)),
        None => pod_or_service,
    }
}

/// Calls of a layer to a party.
pub(super) fn to(layer_of: Layer, party: &Party) -> String {
    format!("{} && {}", layer(layer_of), end("dst", party))
}

/// Calls along an edge.
pub(super) fn along(key: &EdgeKey) -> String {
    format!(
        "{} && {} && {}",
        layer(key.layer),
        end("dst", &key.to),
        end("src", &key.from)
    )
}

/// A filter and one more term.
pub(super) fn and(filter: &str, term: &str) -> String {
    format!("{filter} && {term}")
}

/// The layer's calls, inside one namespace where the user named one.
pub(super) fn all(of: Layer, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("{} && dst.namespace == {}", layer(of), literal(namespace)),
        None => layer(of).to_owned(),
    }
}
