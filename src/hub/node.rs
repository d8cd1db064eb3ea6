//! What one node recorded: packets, calls that came as lines, or both.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::capture::Span;
use super::entry::{Entry, Payload};
use super::lines::{LineFile, Party};
use super::packet::{CaptureFile, RawPacket};
use super::workloads::{Kind, Workload};

/// Workloads that lines name and that are listed; calls of more are served all the same.
const MAX_WORKLOADS: usize = 500_000;
/// Where the numbers of calls from lines begin on a node that has packets too, whose connections count from 0.
const AFTER_CONNECTIONS: u32 = 1 << 31;

/// What one node recorded.
#[derive(Debug)]
pub struct NodeCapture {
    pub name: Arc<str>,
    packets: Option<CaptureFile>,
    /// Calls that came as lines, oldest first.
    calls: Vec<Entry>,
}

impl NodeCapture {
    /// A node with these packets.
    pub(super) fn of_packets(name: &str, packets: CaptureFile) -> Self {
        Self {
            name: name.into(),
            packets: Some(packets),
            calls: Vec::new(),
        }
    }

    /// From the first to just after the last thing recorded, in whole ms so that it can be told in ms; `None` where
    /// there is nothing. The last thing of a call is its answer.
    pub fn span(&self) -> Option<Span> {
        let packets = self.packets.as_ref().and_then(CaptureFile::span);
        let end = |call: &Entry| call.ts_us.saturating_add(call.elapsed_us.unwrap_or(0));
        let calls = self.calls.first().zip(self.calls.iter().map(end).max());
        let calls = calls.map(|(first, last)| (first.ts_us, last));
        let (first, last) = match (packets, calls) {
            (Some(a), Some(b)) => (a.0.min(b.0), a.1.max(b.1)),
            (a, b) => a.or(b)?,
        };
        let floor = |us: i64| us.div_euclid(1000).saturating_mul(1000);
        Some(Span {
            start_us: floor(first),
            end_us: floor(last).saturating_add(1000),
        })
    }

    /// The packets of `span` in the order of the file.
    pub fn packets(&self, span: Span) -> impl Iterator<Item = RawPacket<'_>> {
        self.packets
            .iter()
            .flat_map(CaptureFile::packets)
            .filter(move |packet| span.contains(packet.ts_us))
    }

    /// How many packets it recorded.
    pub fn packet_count(&self) -> u64 {
        self.packets.as_ref().map_or(0, CaptureFile::packet_count)
    }

    /// The calls that came as lines and began in `span`, oldest first.
    pub fn calls(&self, span: Span) -> &[Entry] {
        let at = |bound: i64| self.calls.partition_point(|call| call.ts_us < bound);
        self.calls
            .get(at(span.start_us)..at(span.end_us))
            .unwrap_or_default()
    }

    /// Whether any of it came as lines.
    pub fn has_lines(&self) -> bool {
        !self.calls.is_empty()
    }
}

/// Gives the calls of files to their nodes: the one that a line names, else the one that its file is called after.
/// Fails with the number of nodes where that is more than `limit`.
pub(super) fn add_lines(
    nodes: &mut Vec<NodeCapture>,
    files: Vec<(String, LineFile)>,
    limit: usize,
) -> Result<(), usize> {
    let mut positions: HashMap<Arc<str>, usize> = (0..)
        .zip(&*nodes)
        .map(|(at, node)| (Arc::clone(&node.name), at))
        .collect();
    for (default, file) in files {
        let default: Arc<str> = default.into();
        for call in file.calls {
            let name = call.node.unwrap_or_else(|| Arc::clone(&default));
            let at = *positions.entry(name).or_insert_with_key(|name| {
                nodes.push(NodeCapture {
                    name: Arc::clone(name),
                    packets: None,
                    calls: Vec::new(),
                });
                nodes.len() - 1
            });
            if nodes.len() > limit {
                return Err(nodes.len());
            }
            if let Some(node) = nodes.get_mut(at) {
                node.calls.push(call.entry);
            }
        }
    }
    for node in nodes {
        node.calls.sort_by_key(|call| call.ts_us);
        node.calls.shrink_to_fit();
        let first = if node.packets.is_some() {
            AFTER_CONNECTIONS
        } else {
            0
        };
        for (number, call) in (first..).zip(&mut node.calls) {
            call.stream = number;
        }
    }
    Ok(())
}

/// Kind, namespace and name.
type Key<'w> = (Kind, &'w str, &'w str);

/// The workloads that lines name, beyond those that an inventory lists. They have the addresses that lines give,
/// mostly none.
pub(super) fn named(nodes: &[NodeCapture], listed: &[Workload]) -> Vec<Workload> {
    let mut seen: HashMap<*const Party, &Party> = HashMap::new();
    for call in nodes.iter().flat_map(|node| &node.calls) {
        if let Payload::Line(line) = &call.payload {
            for party in [&line.src, &line.dst] {
                seen.insert(Arc::as_ptr(party), party);
            }
        }
    }
    let known: HashSet<Key<'_>> = listed
        .iter()
        .map(|one| (one.kind, &*one.namespace, &*one.name))
        .collect();
    let mut named: BTreeMap<Key<'_>, Workload> = BTreeMap::new();
    for party in seen.into_values() {
        let both = [(Kind::Pod, &party.pod), (Kind::Service, &party.service)];
        for (kind, name) in both {
            let key = (kind, &*party.namespace, &**name);
            if name.is_empty()
                || known.contains(&key)
                || (named.len() >= MAX_WORKLOADS && !named.contains_key(&key))
            {
                continue;
            }
            let workload = named.entry(key).or_insert_with(|| Workload {
                kind,
                name: name.clone(),
                namespace: party.namespace.clone(),
                node: None,
                ips: Vec::new(),
                labels: BTreeMap::new(),
                services: Vec::new(),
                owner: None,
                ports: Vec::new(),
                from: None,
                until: None,
            });
            // An address, a node and labels are the pod's where there is one.
            if kind == Kind::Pod || party.pod.is_empty() {
                learn(workload, party);
            }
        }
    }
    named.into_values().collect()
}

fn learn(workload: &mut Workload, party: &Party) {
    if let Some(ip) = party.ip.filter(|ip| !workload.ips.contains(ip)) {
        workload.ips.push(ip);
        workload.ips.sort_unstable();
    }
    if workload.node.is_none() && !party.node.is_empty() {
        workload.node = Some(party.node.clone());
    }
    workload.labels.extend(party.labels.iter().cloned());
    if workload.kind == Kind::Pod && !party.service.is_empty() && !workload.services.contains(&party.service)
    {
        workload.services.push(party.service.clone());
        workload.services.sort_unstable();
    }
}
