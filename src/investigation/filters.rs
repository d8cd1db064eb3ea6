//! The filters that the phases send, from typed parts.

use crate::{
    analysis::{EdgeKey, Layer, Naming, Party},
    kfl::quoted,
};

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
        // Search domains end most lookups in NXDOMAIN (3) before they succeed.
        Layer::Dns => "status_code != 0 && status_code != 3",
        Layer::Tcp => "tcp_error_type != \"\"",
    }
}

/// `end` is "src" or "dst".
fn end(end: &str, party: &Party) -> String {
    let name = quoted(&party.name);
    let named = match party.naming {
        Naming::Service => format!("{end}.service.name == {name}"),
        Naming::Pod => format!("{end}.pod.name == {name}"),
        Naming::Address => return format!("{end}.ip == {name}"),
        Naming::Outside => return format!("{end}.namespace == \"\""),
        Naming::Word => format!("({end}.service.name == {name} || {end}.pod.name == {name})"),
    };
    match &party.namespace {
        Some(namespace) => format!("{end}.namespace == {} && {named}", quoted(namespace)),
        None => named,
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
        Some(namespace) => format!("{} && dst.namespace == {}", layer(of), quoted(namespace)),
        None => layer(of).to_owned(),
    }
}
