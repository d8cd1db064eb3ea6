//! The route without dissection: workloads to their addresses, addresses to a packet filter, packets to a file.

use std::{collections::BTreeMap, net::IpAddr};

use super::{answer, answers, finished, read, stopped};
use crate::{
    investigation::{
        action::{Action, Answer, Failure, FailureKind},
        case::Case,
        machine::{Plan, Seen, State, Step},
        outcome::{Exported, Outcome},
        settings::{PacketsOrder, WorkloadPattern},
    },
    wire::{
        Operation,
        decode::{self, IpOwner, Workload},
    },
};

/// Resolves, identifies, exports, fetches.
#[derive(Clone, Debug)]
pub struct Packets {
    order: PacketsOrder,
    stage: Stage,
    workloads: Vec<Workload>,
    addresses: BTreeMap<IpAddr, Vec<IpOwner>>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Names to addresses.
    Resolve,
    /// Nothing matched: what is there instead?
    Suggest(String),
    /// Addresses to names.
    Identify,
    Export,
    Fetch(String),
}

/// A filter of more addresses is longer than servers take.
const ADDRESSES: usize = 500;

/// Addresses whose owners are asked for.
const IDENTIFIED: usize = 64;

/// Names shown to somebody whose pattern matched nothing.
const NAMES: usize = 12;

const WHAT: &str = "could not export the packets";

impl Packets {
    pub fn new(order: PacketsOrder) -> Self {
        let addresses = order.addresses.iter().map(|ip| (*ip, Vec::new())).collect();
        Self {
            stage: Stage::Resolve,
            workloads: Vec::new(),
            addresses,
            order,
        }
    }

    fn at(&self, stage: Stage) -> State {
        State::Packets(Self {
            stage,
            ..self.clone()
        })
    }

    /// The patterns; labels alone choose among all workloads.
    fn patterns(&self) -> Vec<WorkloadPattern> {
        if self.order.workloads.is_empty() && !self.order.labels.is_empty() {
            return vec![WorkloadPattern {
                namespace: None,
                name: ".*".to_owned(),
            }];
        }
        self.order.workloads.clone()
    }

    fn lookup(&self, case: &Case, pattern: &WorkloadPattern) -> Operation {
        Operation::ListWorkloads {
            snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
            namespaces: pattern.namespace.iter().cloned().collect(),
            name: None,
            name_regex: Some(format!("^(?:{})$", pattern.name)),
            kind: None,
            labels: self.order.labels.clone(),
        }
    }

    fn lookups(&self, case: &Case) -> Vec<Operation> {
        let patterns = self.patterns();
        patterns
            .iter()
            .map(|pattern| self.lookup(case, pattern))
            .collect()
    }

    fn identifications(&self, case: &Case) -> Vec<Operation> {
        let unknown = self
            .addresses
            .keys()
            .take(IDENTIFIED)
            .map(|ip| Operation::ListIps {
                snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
                ip: Some(ip.to_string()),
                namespaces: Vec::new(),
            });
        unknown.filter(|call| case.supports(call)).collect()
    }

    /// The addresses and what the user demanded besides.
    fn filter(&self) -> Option<String> {
        let hosts: Vec<String> = self.addresses.keys().map(|ip| format!("host {ip}")).collect();
        let hosts = (!hosts.is_empty()).then(|| hosts.join(" or "));
        match (hosts, self.order.bpf.clone()) {
            (Some(hosts), Some(own)) => Some(format!("({hosts}) and ({own})")),
            (hosts, own) => hosts.or(own),
        }
    }

    /// After the names: owners are asked for where there are addresses and a tool, then the export follows.
    fn resolved(&self, case: &Case) -> State {
        let known: Vec<&str> = case
            .boundaries
            .iter()
            .flat_map(|boundaries| &boundaries.nodes)
            .map(|node| node.name.as_str())
            .collect();
        let unknown = self
            .order
            .nodes
            .iter()
            .find(|node| !known.contains(&node.as_str()));
        if let Some(node) = unknown.filter(|_| !known.is_empty()) {
            let hint = format!("there are {}", known.join(", "));
            return stopped(WHAT, told(format!("there is no node `{node}`"), vec![hint]));
        }
        if self.addresses.len() > ADDRESSES {
            return stopped(
                WHAT,
                told(
                    format!("{} addresses belong to what was asked for", self.addresses.len()),
                    vec![format!(
                        "a packet filter holds {ADDRESSES} at most: name fewer workloads, or filter by --bpf alone"
                    )],
                ),
            );
        }
        if self.identifications(case).is_empty() {
            self.at(Stage::Export)
        } else {
            self.at(Stage::Identify)
        }
    }

    fn take_workloads(&self, case: &mut Case, found: &[Answer]) -> State {
        let patterns = self.patterns();
        let mut next = self.clone();
        let end = case.window.map(|window| window.end);
        for (pattern, answer) in patterns.iter().zip(found) {
            let list = match read(answer, decode::workloads) {
                Ok(list) => list.workloads,
                Err(failure) if failure.kind == FailureKind::NotFound => Vec::new(),
                Err(failure) => return stopped(WHAT, failure),
            };
            // Whatever a server makes of a pattern: only what it matches belongs to it.
            if list.is_empty() {
                return self.at(Stage::Suggest(pattern.to_string()));
            }
            for workload in list {
                let seen = workload
                    .ips
                    .iter()
                    // An address that came after the window is another's in it.
                    .filter(|seen| seen.at.zip(end).is_none_or(|(at, end)| at <= end));
                for ip in seen.filter_map(|seen| seen.ip.parse().ok()) {
                    next.addresses.entry(ip).or_default();
                }
                if !next.workloads.contains(&workload) {
                    next.workloads.push(workload);
                }
            }
        }
        if !patterns.is_empty() && next.addresses.is_empty() {
            let names: Vec<&str> = next.workloads.iter().map(|one| one.name.as_str()).collect();
            return stopped(
                WHAT,
                told(
                    format!("no address is known of {}", names.join(", ")),
                    vec!["name the addresses with --ip, or filter by --bpf".to_owned()],
                ),
            );
        }
        next.resolved(case)
    }

    /// Nothing matched: says what is there.
    fn suggest(&self, pattern: &str, answer: &Answer) -> State {
        let known = read(answer, decode::workloads)
            .map(|list| list.workloads)
            .unwrap_or_default();
        let (namespace, _) = pattern.split_once('/').unwrap_or(("", pattern));
        let mut namespaces: Vec<&str> = known.iter().filter_map(|one| one.namespace.as_deref()).collect();
        namespaces.sort_unstable();
        namespaces.dedup();
        let mut hints = Vec::new();
        if !namespace.is_empty() && !namespaces.contains(&namespace) && !namespaces.is_empty() {
            hints.push(format!(
                "there is no namespace `{namespace}` in the snapshot; there are {}",
                namespaces.join(", ")
            ));
        }
        let mut names: Vec<String> = known
            .iter()
            .filter(|one| {
                hints.is_empty() && (namespace.is_empty() || one.namespace.as_deref() == Some(namespace))
            })
            .map(|one| one.name.clone())
            .collect();
        names.sort();
        names.dedup();
        let more = names.len().saturating_sub(NAMES);
        names.truncate(NAMES);
        if !names.is_empty() {
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            hints.push(format!("there are {}{more}", names.join(", ")));
        }
        hints.push(
            "a name is a regular expression for the whole name: `payment-.*` matches every pod of payment"
                .to_owned(),
        );
        let labels = if self.order.labels.is_empty() {
            ""
        } else {
            " with these labels"
        };
        stopped(
            WHAT,
            told(format!("no workload matches `{pattern}`{labels}"), hints),
        )
    }
}

fn told(message: String, hints: Vec<String>) -> Failure {
    Failure {
        kind: FailureKind::NotFound,
        message,
        hints,
    }
}

impl Step for Packets {
    fn plan(&self, case: &Case) -> Plan {
        let Some(secured) = &case.snapshot else {
            return Plan::Decide;
        };
        let (why, calls) = match &self.stage {
            Stage::Resolve => ("which addresses the workloads had", self.lookups(case)),
            Stage::Suggest(_) => (
                "nothing matched: which workloads are there?",
                vec![Operation::ListWorkloads {
                    snapshot: Some(secured.reference.clone()),
                    namespaces: Vec::new(),
                    name: None,
                    name_regex: None,
                    kind: None,
                    labels: Vec::new(),
                }],
            ),
            Stage::Identify => ("who had these addresses", self.identifications(case)),
            Stage::Export => (
                "the packets of the snapshot that match",
                vec![Operation::ExportPcap {
                    snapshot: secured.reference.clone(),
                    nodes: self.order.nodes.clone(),
                    bpf: self.filter(),
                    window: case.window,
                }],
            ),
            Stage::Fetch(path) => (
                "fetch the file",
                vec![Operation::DownloadFile {
                    path: path.clone(),
                    dest: self.order.file.clone(),
                }],
            ),
        };
        if calls.is_empty() {
            return Plan::Decide;
        }
        Plan::Act(Action::Query {
            why: why.to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let (Some(secured), Some(window)) = (case.snapshot.clone(), case.window) else {
            return stopped(WHAT, super::malformed("there is no snapshot"));
        };
        if matches!(seen, Seen::Nothing) {
            // Nothing to resolve: addresses or a filter were given, or everything is wanted.
            return self.resolved(case);
        }
        match &self.stage {
            Stage::Resolve => match answers(seen) {
                Ok(found) => self.take_workloads(case, &found),
                Err(failure) => stopped(WHAT, failure),
            },
            Stage::Suggest(pattern) => match answer(seen) {
                Ok(answer) => self.suggest(pattern, &answer),
                Err(failure) => stopped(WHAT, failure),
            },
            Stage::Identify => {
                let mut next = self.clone();
                for answer in answers(seen).unwrap_or_default() {
                    for identity in read(&answer, decode::ips).unwrap_or_default() {
                        if let Ok(ip) = identity.ip.parse()
                            && let Some(owners) = next.addresses.get_mut(&ip)
                        {
                            owners.extend(identity.owners);
                        }
                    }
                }
                next.at(Stage::Export)
            }
            Stage::Export => match answer(seen).and_then(|answer| read(&answer, decode::export)) {
                Ok(export) => self.at(Stage::Fetch(export.path)),
                Err(failure) => stopped(WHAT, failure),
            },
            Stage::Fetch(_) => match answer(seen).and_then(|answer| read(&answer, decode::download)) {
                Ok(file) => finished(Outcome::Packets(Box::new(Exported {
                    snapshot: secured.reference.name,
                    window,
                    nodes: self.order.nodes.clone(),
                    bpf: self.filter(),
                    workloads: self.workloads.clone(),
                    addresses: self.addresses.clone().into_iter().collect(),
                    path: file.path,
                    url: file.url,
                    size_bytes: file.size_bytes,
                }))),
                Err(failure) => stopped("could not fetch the exported packets", failure),
            },
        }
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped(WHAT, super::malformed(why))
    }
}
