//! From the entries of each node's capture to the calls of the cluster: names, and one call where two
//! nodes saw the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::call::{Call, Ends, OtherView, Parts};
use super::entry::{Endpoint, Entry, Payload};
use super::lines::{LineCall, Party};
use super::names::{Identity, Names};
use super::store::Store;
use super::workloads::{Kind, Workload};

/// Two nodes' views of one call are at most this far apart, µs: clocks of nodes differ, and a call is
/// not repeated with the same sequence number within so short a time.
const SAME_CALL_US: i64 = 5_000_000;

/// Names and joins the entries of each node.
pub(super) fn assemble(nodes: Vec<(Arc<str>, Vec<Entry>)>, names: &Names) -> Store {
    let many = nodes.len() > 1;
    let mut views: Vec<View> = nodes
        .into_iter()
        .flat_map(|(node, entries)| {
            entries.into_iter().map(move |entry| View {
                node: Arc::clone(&node),
                entry,
            })
        })
        .collect();
    views.sort_by(|a, b| order(a).cmp(&order(b)));
    let learned = learn(&views, names);
    let mut naming = Naming {
        names,
        learned: &learned,
        identities: HashMap::new(),
        parties: HashMap::new(),
        ends: HashMap::new(),
    };
    let groups = if many {
        join(views, names)
    } else {
        views.into_iter().map(|view| vec![view]).collect()
    };
    let mut calls: Vec<Call> = groups
        .into_iter()
        .filter_map(|group| naming.call(group))
        .collect();
    calls.sort_by(|a, b| {
        (a.entry.ts_us, &*a.node, a.entry.stream, a.entry.index).cmp(&(
            b.entry.ts_us,
            &*b.node,
            b.entry.stream,
            b.entry.index,
        ))
    });
    for (ordinal, call) in (0u32..).zip(&mut calls) {
        call.ordinal = ordinal;
    }
    Store::new(calls)
}

/// An entry as one node saw it.
struct View {
    node: Arc<str>,
    entry: Entry,
}

fn order(view: &View) -> (i64, &str, u32, u32) {
    (view.entry.ts_us, &view.node, view.entry.stream, view.entry.index)
}

/// Addresses of hosts outside the inventory that a DNS answer names. The first name wins: later
/// ones are usually aliases.
fn learn(views: &[View], names: &Names) -> HashMap<IpAddr, String> {
    let mut learned = HashMap::new();
    for view in views {
        let Payload::Dns(dns) = &view.entry.payload else {
            continue;
        };
        let Some((question, _)) = dns.questions.first() else {
            continue;
        };
        for ip in dns
            .answers
            .iter()
            .filter_map(|answer| answer.parse::<IpAddr>().ok())
        {
            if names.history(ip).next().is_none() {
                learned.entry(ip).or_insert_with(|| question.clone());
            }
        }
    }
    learned
}

/// What two views of one call have in common. The server's address is compared apart, since a
/// service's address on the client's node is a pod's on the server's.
type Key = (Endpoint, u8, u32, u16);

fn key(entry: &Entry) -> Key {
    let (kind, id) = match &entry.payload {
        Payload::Http(_) => (0, 0),
        Payload::Dns(dns) => (1, dns.id),
        Payload::TcpFlow(_) => (2, 0),
        // Never compared: a line is one call.
        Payload::Line(_) => (3, 0),
    };
    (entry.src, kind, entry.request_seq, id)
}

/// Puts the views of the same call together. `views` are in order of time.
fn join(views: Vec<View>, names: &Names) -> Vec<Vec<View>> {
    let mut groups: Vec<Vec<View>> = Vec::with_capacity(views.len());
    let mut open: HashMap<Key, Vec<usize>> = HashMap::new();
    for view in views {
        if matches!(view.entry.payload, Payload::Line(_)) {
            groups.push(vec![view]);
            continue;
        }
        let candidates = open.entry(key(&view.entry)).or_default();
        candidates.retain(|at| {
            groups
                .get(*at)
                .and_then(|group| group.first())
                .is_some_and(|first| view.entry.ts_us.saturating_sub(first.entry.ts_us) <= SAME_CALL_US)
        });
        let home = candidates.iter().copied().find(|at| {
            groups.get(*at).is_some_and(|group| {
                group
                    .iter()
                    .all(|other| other.node != view.node && same_server(other, &view, names))
            })
        });
        if let Some(group) = home.and_then(|at| groups.get_mut(at)) {
            group.push(view);
        } else {
            candidates.push(groups.len());
            groups.push(vec![view]);
        }
    }
    groups
}

/// Whether two views mean the same server: the same address, or a service and a pod behind it.
fn same_server(a: &View, b: &View, names: &Names) -> bool {
    if a.entry.dst == b.entry.dst {
        return true;
    }
    let at = |view: &View| {
        names
            .at(view.entry.dst.ip, view.entry.ts_us)
            .map(|(_, workload)| workload.clone())
    };
    let behind = |service: &Workload, pod: &Workload| {
        service.kind == Kind::Service
            && pod.kind == Kind::Pod
            && service.namespace == pod.namespace
            && pod.services.contains(&service.name)
    };
    matches!((at(a), at(b)), (Some(a), Some(b)) if behind(&a, &b) || behind(&b, &a))
}

/// Gives calls their names; everything that repeats is made once and shared.
struct Naming<'n> {
    names: &'n Names,
    learned: &'n HashMap<IpAddr, String>,
    identities: HashMap<(IpAddr, Option<u32>, u16), Arc<Identity>>,
    parties: HashMap<usize, Arc<Identity>>,
    ends: HashMap<(usize, usize), Arc<Ends>>,
}

impl Naming<'_> {
    /// One call of all views of it; `None` for no view.
    fn call(&mut self, mut group: Vec<View>) -> Option<Call> {
        let first = group.first()?;
        if let Payload::Line(line) = &first.entry.payload {
            let line = Arc::clone(line);
            return group.pop().map(|view| self.line(&line, view));
        }
        let (src_ip, dst_ip, ts) = (first.entry.src.ip, first.entry.dst.ip, first.entry.ts_us);
        let runs_on = |ip: IpAddr| {
            self.names
                .at(ip, ts)
                .and_then(|(_, workload)| workload.node.as_deref())
        };
        let (client_node, server_node) = (runs_on(src_ip), runs_on(dst_ip));
        let on = |node: Option<&str>| group.iter().position(|view| node == Some(&*view.node));
        let taken = on(client_node).or_else(|| on(server_node)).unwrap_or(0);
        let View { node, mut entry } = group.swap_remove(taken.min(group.len().saturating_sub(1)));
        // Another node may know the pod behind the service that the client called.
        let pod = group.iter().find_map(|other| {
            self.names
                .at(other.entry.dst.ip, other.entry.ts_us)
                .filter(|(_, at)| at.kind == Kind::Pod)
        });
        let own = self.names.at(entry.dst.ip, entry.ts_us);
        let server = match own {
            Some((_, workload)) if workload.kind == Kind::Service => pod.or(own),
            _ => own,
        };
        let client = self.names.at(entry.src.ip, entry.ts_us);
        let src = self.identity(entry.src, client, false);
        let dst = self.identity(entry.dst, server, true);
        let ends = self.ends_of(src, dst);
        // Where the client's view is told, the server's is what its own node saw. Connections have no such view.
        let at_server = group.iter().find(|view| {
            server_node == Some(&*view.node) && !matches!(view.entry.payload, Payload::TcpFlow(_))
        });
        let server_elapsed_us = at_server.and_then(|view| view.entry.elapsed_us);
        let also_seen = group.into_iter().map(other_view).collect();
        let id = format!("{node}/{}/{}", entry.stream, entry.index).into_boxed_str();
        let parts = Parts::of(&mut entry.payload);
        Some(Call {
            id,
            ordinal: 0,
            node,
            entry,
            ends,
            also_seen,
            server_elapsed_us,
            parts,
        })
    }

    /// The call of a line, which names both ends itself.
    fn line(&mut self, line: &LineCall, View { node, mut entry }: View) -> Call {
        let src = self.party(&line.src, entry.src, entry.ts_us);
        let dst = self.party(&line.dst, entry.dst, entry.ts_us);
        let ends = self.ends_of(src, dst);
        Call {
            id: format!("{node}/{}/{}", entry.stream, entry.index).into_boxed_str(),
            ordinal: 0,
            node,
            ends,
            also_seen: Vec::new(),
            server_elapsed_us: line.server_elapsed_us,
            parts: Parts::of(&mut entry.payload),
            entry,
        }
    }

    /// The end that a line names; where it gives an address only, whoever had it then.
    fn party(&mut self, party: &Arc<Party>, at: Endpoint, ts_us: i64) -> Arc<Identity> {
        if party.ip.is_some() && !party.is_named() {
            return self.identity(at, self.names.at(at.ip, ts_us), true);
        }
        // The parties live as long as the calls do, so their addresses name them.
        let made = self.parties.entry(Arc::as_ptr(party) as usize);
        Arc::clone(made.or_insert_with(|| Arc::new(Identity::of_party(party))))
    }

    fn identity(&mut self, end: Endpoint, found: Option<(u32, &Workload)>, server: bool) -> Arc<Identity> {
        // The port only tells which of several services was meant.
        let port =
            (server && found.is_some_and(|(_, workload)| workload.services.len() > 1)).then_some(end.port);
        let key = (end.ip, found.map(|(at, _)| at), port.unwrap_or(0));
        let (names, learned) = (self.names, self.learned);
        let made = self.identities.entry(key).or_insert_with(|| {
            let learned = learned.get(&end.ip).map(String::as_str);
            Arc::new(names.identity(end.ip, found.map(|(_, workload)| workload), port, learned))
        });
        Arc::clone(made)
    }

    fn ends_of(&mut self, src: Arc<Identity>, dst: Arc<Identity>) -> Arc<Ends> {
        // The identities live as long as this map does, so their addresses name them.
        let key = (Arc::as_ptr(&src) as usize, Arc::as_ptr(&dst) as usize);
        Arc::clone(
            self.ends
                .entry(key)
                .or_insert_with(|| Arc::new(Ends::new(src, dst))),
        )
    }
}

fn other_view(view: View) -> OtherView {
    let View { node, entry } = view;
    let (status, tcp) = match entry.payload {
        Payload::Http(http) => (Some(http.status), None),
        Payload::Dns(dns) => (dns.rcode.map(u16::from), None),
        Payload::TcpFlow(flow) => (None, Some(Box::new(*flow))),
        Payload::Line(line) => (line.status, None),
    };
    OtherView {
        node,
        ts_us: entry.ts_us,
        elapsed_us: entry.elapsed_us,
        status,
        tcp,
    }
}

#[cfg(test)]
mod tests;
