//! Network flows: connections and datagram exchanges between workloads, added up.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::call::Call;
use super::entry::Payload;
use super::names::Identity;
use super::render;

/// What flows are added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    Pod,
    Namespace,
    Node,
    Service,
}

/// Which flows are wanted; empty texts want all.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowFilter {
    pub protocol: String,
    pub ip: String,
    pub namespace: String,
    pub pod: String,
    pub service: String,
}

impl FlowFilter {
    fn wants(&self, protocol: &str, call: &Call) -> bool {
        let either = |wanted: &str, of: fn(&Identity) -> &str| {
            wanted.is_empty() || of(&call.ends.src) == wanted || of(&call.ends.dst) == wanted
        };
        (self.protocol.is_empty() || self.protocol.eq_ignore_ascii_case(protocol))
            && either(&self.ip, |end| &end.ip)
            && either(&self.namespace, |end| &end.namespace)
            && either(&self.pod, |end| &end.pod)
            && either(&self.service, |end| &end.service)
    }
}

/// Packets and bytes in both directions, and handshakes.
#[derive(Debug, Default)]
struct Sum {
    connections: u64,
    failed: u64,
    client: (u64, u64),
    server: (u64, u64),
    handshakes_us: Vec<i64>,
    first_us: i64,
    last_us: i64,
}

impl Sum {
    fn add(&mut self, call: &Call) {
        let (client, server, duration) = match &call.entry.payload {
            Payload::TcpFlow(flow) => {
                self.handshakes_us.extend(flow.handshake_us);
                let client = (flow.client_packets, flow.client_bytes);
                (client, (flow.server_packets, flow.server_bytes), flow.duration_us)
            }
            Payload::Dns(dns) => {
                let answers = u64::from(dns.rcode.is_some());
                let server = (answers, u64::from(dns.response_bytes));
                (
                    (1, u64::from(dns.request_bytes)),
                    server,
                    call.entry.elapsed_us.unwrap_or(0),
                )
            }
            Payload::Line(line) => {
                let flow = line.flow();
                self.handshakes_us.extend(flow.handshake_us);
                let client = (flow.client_packets, flow.client_bytes);
                (client, (flow.server_packets, flow.server_bytes), flow.duration_us)
            }
            Payload::Http(_) => return,
        };
        let (first, last) = (call.entry.ts_us, call.entry.ts_us.saturating_add(duration));
        (self.first_us, self.last_us) = if self.connections == 0 {
            (first, last)
        } else {
            (self.first_us.min(first), self.last_us.max(last))
        };
        self.connections += 1;
        self.failed += u64::from(call.failed());
        self.client = (self.client.0 + client.0, self.client.1 + client.1);
        self.server = (self.server.0 + server.0, self.server.1 + server.1);
    }

    fn packets(&self) -> u64 {
        self.client.0 + self.server.0
    }

    fn bytes(&self) -> u64 {
        self.client.1 + self.server.1
    }

    /// Rates over less than a second would be guesses: a short flow counts as one second.
    fn seconds(&self) -> u64 {
        u64::try_from(self.last_us.saturating_sub(self.first_us) / 1_000_000)
            .unwrap_or(0)
            .max(1)
    }

    fn totals(&self) -> Value {
        let (pkts, bytes, seconds) = (self.packets(), self.bytes(), self.seconds());
        json!({"pkts": pkts, "bytes": bytes, "pps": pkts / seconds, "bps": bytes / seconds})
    }

    fn stats(&self, tx: (u64, u64), rx: (u64, u64)) -> Value {
        let mut sorted = self.handshakes_us.clone();
        sorted.sort_unstable();
        let quantile = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1)
        };
        json!({
            "tx_pkts": tx.0, "rx_pkts": rx.0, "tx_bytes": tx.1, "rx_bytes": rx.1,
            "tcp_handshake_p50_us": quantile(50),
            "tcp_handshake_p90_us": quantile(90),
            "tcp_handshake_p99_us": quantile(99),
        })
    }
}

/// Which ends are one: protocol, client, server and the server's port.
type Key<'c> = (&'static str, [&'c str; 2], [&'c str; 2], u16);

fn key_of(call: &Call, by: Aggregate) -> Option<Key<'_>> {
    let protocol = protocol(call)?;
    let (src, dst) = (part(&call.ends.src, by), part(&call.ends.dst, by));
    let port = if matches!(by, Aggregate::Pod | Aggregate::Service) {
        call.entry.dst.port
    } else {
        0
    };
    Some((protocol, src, dst, port))
}

fn part(end: &Identity, by: Aggregate) -> [&str; 2] {
    let name = match by {
        Aggregate::Pod => &*end.pod,
        Aggregate::Namespace => return [&end.namespace, ""],
        Aggregate::Node => return [&end.node, ""],
        Aggregate::Service => end.group(),
    };
    if name.is_empty() {
        [&end.ip, ""]
    } else {
        [name, &end.namespace]
    }
}

/// `tcp` or `udp`; `None` for what is carried by another entry.
fn protocol(call: &Call) -> Option<&'static str> {
    match &call.entry.payload {
        Payload::TcpFlow(_) => Some("tcp"),
        Payload::Dns(dns) if !dns.tcp => Some("udp"),
        Payload::Line(line) if line.protocol.is_tcp() => Some("tcp"),
        Payload::Line(line) if line.protocol.is_udp() => Some("udp"),
        _ => None,
    }
}

/// Flows of `calls` by most bytes, at most `limit`, with the number there are.
pub(super) fn list<'c>(
    calls: impl Iterator<Item = &'c Call>,
    filter: &FlowFilter,
    by: Aggregate,
    limit: usize,
) -> Value {
    let mut sums: BTreeMap<Key<'c>, (Sum, &'c Call)> = BTreeMap::new();
    for call in calls {
        let Some(key) = key_of(call, by) else { continue };
        if filter.wants(key.0, call) {
            sums.entry(key)
                .or_insert_with(|| (Sum::default(), call))
                .0
                .add(call);
        }
    }
    let total = sums.len();
    let mut flows: Vec<_> = sums.into_iter().collect();
    flows.sort_by_key(|(_, (sum, _))| std::cmp::Reverse(sum.bytes()));
    flows.truncate(limit);
    let shown: Vec<Value> = flows
        .into_iter()
        .map(|((protocol, _, _, port), (sum, sample))| {
            let mut server = shown_end(&sample.ends.dst, by);
            if port != 0 {
                server.insert("port".into(), json!(port));
            }
            json!({
                "proto": protocol,
                "client": shown_end(&sample.ends.src, by),
                "server": server,
                "connections": sum.connections,
                "failed_connections": sum.failed,
                "client_stats": sum.stats(sum.client, sum.server),
                "server_stats": sum.stats(sum.server, sum.client),
                "totals": sum.totals(),
            })
        })
        .collect();
    json!({"truncated": shown.len() < total, "total": total, "flows": shown})
}

/// What all members of the aggregate share of an end.
fn shown_end(end: &Identity, by: Aggregate) -> Map<String, Value> {
    let mut shown = render::identity(end);
    let kept: &[&str] = match by {
        Aggregate::Pod => return shown,
        Aggregate::Service if !end.service.is_empty() => &["svc", "ns"],
        Aggregate::Service => &["name", "ns"],
        Aggregate::Namespace => &["ns"],
        Aggregate::Node => &["node"],
    };
    shown.retain(|name, _| kept.contains(&name.as_str()));
    shown
}

/// Totals and the largest flows.
pub(super) fn summary<'c>(calls: &(impl Iterator<Item = &'c Call> + Clone)) -> Value {
    let mut all = Sum::default();
    let mut namespaces: BTreeMap<&'c str, Sum> = BTreeMap::new();
    let mut across: BTreeMap<(&'c str, &'c str), Sum> = BTreeMap::new();
    let mut workloads = BTreeSet::new();
    for call in calls.clone().filter(|call| protocol(call).is_some()) {
        let (src, dst) = (&*call.ends.src, &*call.ends.dst);
        all.add(call);
        workloads.extend([&*src.name, &*dst.name]);
        namespaces.entry(&dst.namespace).or_default().add(call);
        if src.namespace != dst.namespace {
            across
                .entry((&src.namespace, &dst.namespace))
                .or_default()
                .add(call);
        }
    }
    let top = |by: fn(&Sum) -> u64| {
        let mut sums: BTreeMap<Key<'c>, Sum> = BTreeMap::new();
        for call in calls.clone() {
            if let Some(key) = key_of(call, Aggregate::Service) {
                sums.entry(key).or_default().add(call);
            }
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse(by(sum)));
        let shown = sums
            .into_iter()
            .take(10)
            .map(|((protocol, src, dst, port), sum)| {
                let [client, client_ns] = src;
                let [server, server_ns] = dst;
                json!({"proto": protocol, "client": client, "client_ns": client_ns, "server": server,
                   "server_ns": server_ns, "port": port, "totals": sum.totals()})
            });
        shown.collect::<Vec<_>>()
    };
    let by_namespace: Vec<_> = namespaces
        .iter()
        .map(|(ns, sum)| json!({"ns": ns, "connections": sum.connections, "totals": sum.totals()}))
        .collect();
    let cross: Vec<_> = across
        .iter()
        .map(|((from, to), sum)| json!({"from": from, "to": to, "connections": sum.connections, "totals": sum.totals()}))
        .collect();
    json!({
        "totals": {"flows": all.connections, "failed": all.failed, "workloads": workloads.len(),
                   "pkts": all.packets(), "bytes": all.bytes()},
        "top_by_bytes": top(Sum::bytes),
        "top_by_pkts": top(Sum::packets),
        "by_namespace": by_namespace,
        "cross_namespace": cross,
    })
}
