//! Aggregated statistics over calls: per service and per edge.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::entry::Payload;
use super::names::Identity;
use super::render;

/// What one group of calls adds up to.
#[derive(Debug, Default)]
struct Group {
    calls: u64,
    errors: u64,
    client_errors: u64,
    server_errors: u64,
    unanswered: u64,
    /// µs, of the calls that were answered. For connections: the handshake.
    latencies_us: Vec<i64>,
    first_us: i64,
    last_us: i64,
}

impl Group {
    fn add(&mut self, call: &Call) {
        let ts = call.entry.ts_us;
        (self.first_us, self.last_us) = if self.calls == 0 {
            (ts, ts)
        } else {
            (self.first_us.min(ts), self.last_us.max(ts))
        };
        self.calls += 1;
        self.errors += u64::from(call.failed());
        let latency = match &call.entry.payload {
            Payload::Http(http) => {
                self.client_errors += u64::from((400..500).contains(&http.status));
                self.server_errors += u64::from(http.status >= 500);
                self.unanswered += u64::from(http.status == 0);
                call.entry.elapsed_us
            }
            Payload::Dns(dns) => {
                self.unanswered += u64::from(dns.rcode.is_none());
                call.entry.elapsed_us
            }
            Payload::TcpFlow(flow) => flow.handshake_us,
            Payload::Line(line) if line.protocol.is_tcp() => line.flow().handshake_us,
            Payload::Line(line) => {
                if line.protocol.has_http_status() {
                    self.client_errors += u64::from(line.status.is_some_and(|s| (400..500).contains(&s)));
                    self.server_errors += u64::from(line.status.is_some_and(|s| s >= 500));
                }
                self.unanswered += u64::from(line.unanswered(call.entry.elapsed_us));
                call.entry.elapsed_us
            }
        };
        self.latencies_us.extend(latency);
    }

    fn show(mut self, mut shown: Map<String, Value>, protocol: &str) -> Value {
        self.latencies_us.sort_unstable();
        let quantile = |q: usize| nearest_rank(&self.latencies_us, q).map_or(Value::Null, render::ms);
        let latency =
            json!({"p50": quantile(50), "p90": quantile(90), "p99": quantile(99), "max": quantile(100)});
        shown.insert("protocol".into(), json!(protocol));
        shown.insert("calls".into(), json!(self.calls));
        shown.insert("errors".into(), json!(self.errors));
        shown.insert("error_rate".into(), share(self.errors, self.calls));
        shown.insert("client_errors".into(), json!(self.client_errors));
        shown.insert("server_errors".into(), json!(self.server_errors));
        shown.insert("unanswered".into(), json!(self.unanswered));
        let latency_of = if protocol == "tcp" {
            "handshake_ms"
        } else {
            "latency_ms"
        };
        shown.insert(latency_of.into(), latency);
        shown.insert("first_ts".into(), json!(self.first_us.div_euclid(1000)));
        shown.insert("last_ts".into(), json!(self.last_us.div_euclid(1000)));
        Value::Object(shown)
    }
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn nearest_rank(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// `part / whole`, 0 where there is nothing.
fn share(part: u64, whole: u64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    let share = if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    };
    json!(share)
}

/// A service as statistics name it: name and namespace.
type Service<'c> = (&'c str, &'c str);

fn service(who: &Identity) -> Service<'_> {
    (who.group(), &who.namespace)
}

/// Statistics over `calls`. Connections are counted apart from the calls they carried.
pub(super) fn summarise<'c>(calls: impl Iterator<Item = &'c Call>) -> Value {
    let (mut all, mut connections) = (Group::default(), Group::default());
    let mut services: BTreeMap<(Service<'c>, &'static str), Group> = BTreeMap::new();
    let mut edges: BTreeMap<(Service<'c>, Service<'c>, &'static str), Group> = BTreeMap::new();
    for call in calls {
        let (src, dst, protocol) = (service(&call.ends.src), service(&call.ends.dst), call.protocol());
        let total = if protocol == "tcp" {
            &mut connections
        } else {
            &mut all
        };
        total.add(call);
        services.entry((dst, protocol)).or_default().add(call);
        edges.entry((src, dst, protocol)).or_default().add(call);
    }
    let named = |(name, namespace): Service<'_>| {
        let mut shown = Map::new();
        shown.insert("service".into(), json!(name));
        shown.insert("namespace".into(), null_if_empty(namespace));
        shown
    };
    let services: Vec<Value> = services
        .into_iter()
        .map(|((dst, protocol), group)| group.show(named(dst), protocol))
        .collect();
    let edges: Vec<Value> = edges
        .into_iter()
        .map(|((src, dst, protocol), group)| {
            let mut shown = Map::new();
            shown.insert("src".into(), Value::Object(named(src)));
            shown.insert("dst".into(), Value::Object(named(dst)));
            group.show(shown, protocol)
        })
        .collect();
    json!({
        "total_calls": all.calls,
        "errors": all.errors,
        "error_rate": share(all.errors, all.calls),
        "total_connections": connections.calls,
        "failed_connections": connections.errors,
        "services": services,
        "edges": edges,
    })
}

fn null_if_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { json!(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<i64> = (1..=100).collect();
        assert_eq!(nearest_rank(&sorted, 50), Some(50));
        assert_eq!(nearest_rank(&sorted, 99), Some(99));
        assert_eq!(nearest_rank(&[7], 50), Some(7));
        assert_eq!(nearest_rank(&[1, 9], 50), Some(1));
        assert_eq!(nearest_rank(&[1, 9], 90), Some(9));
        assert_eq!(nearest_rank(&[], 50), None);
    }
}
