//! Packets for people: a PCAP of just the workloads involved, when it is wanted.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{answer, read, write::Write};
use crate::{
    investigation::{
        case::{Attachment, Case},
        finding::Finding,
        machine::{Plan, Seen, State, Step},
    },
    wire::{Operation, decode},
};

/// Exports, then fetches the file.
#[derive(Clone, Debug)]
pub struct Handoff {
    finding: Box<Finding>,
    /// The path that the export answered.
    exported: Option<String>,
}

/// Longer filters are of no use to anybody.
const ADDRESSES: usize = 32;

impl Handoff {
    pub fn new(finding: Finding) -> Self {
        Self {
            finding: Box::new(finding),
            exported: None,
        }
    }

    fn done(&self, case: &mut Case) -> State {
        Write::next(case, (*self.finding).clone())
    }
}

/// A packet filter for both ends of the edge that fails first, or `None` where their addresses are not known.
pub(super) fn packet_filter(case: &Case, finding: &Finding) -> Option<String> {
    let last = finding.path.last()?;
    let mut addresses: BTreeSet<IpAddr> = BTreeSet::new();
    for (key, edge) in &case.picture.edges {
        if key.to == last.to && key.from == last.from {
            for call in edge.failing.iter().chain(&edge.good) {
                addresses.extend(
                    [&call.src.ip, &call.dst.ip]
                        .into_iter()
                        .flatten()
                        .filter_map(|ip| ip.parse::<IpAddr>().ok()),
                );
            }
        }
    }
    if addresses.is_empty() || addresses.len() > ADDRESSES {
        return None;
    }
    Some(
        addresses
            .iter()
            .map(|ip| format!("host {ip}"))
            .collect::<Vec<_>>()
            .join(" or "),
    )
}

impl Step for Handoff {
    fn plan(&self, case: &Case) -> Plan {
        let Some(secured) = &case.snapshot else {
            return Plan::Decide;
        };
        match &self.exported {
            None => Plan::Act(super::one(
                "the packets of the workloads involved",
                Operation::ExportPcap {
                    snapshot: secured.reference.clone(),
                    nodes: Vec::new(),
                    bpf: packet_filter(case, &self.finding),
                    window: case.asked_window.or(case.window),
                },
            )),
            Some(path) => Plan::Act(super::one(
                "fetch the packets",
                Operation::DownloadFile {
                    path: path.clone(),
                    dest: format!("{}.pcap", case.id),
                },
            )),
        }
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if matches!(seen, Seen::Nothing) {
            return self.done(case);
        }
        let what = "the PCAP of the workloads involved could not be exported";
        let answer = match answer(seen) {
            Ok(answer) => answer,
            Err(failure) => {
                case.coverage.not_seen.push(format!("{what}: {failure}"));
                return self.done(case);
            }
        };
        if self.exported.is_none() {
            return match read(&answer, decode::export) {
                Ok(export) => State::Handoff(Self {
                    exported: Some(export.path),
                    ..self.clone()
                }),
                Err(failure) => {
                    case.coverage.not_seen.push(format!("{what}: {failure}"));
                    self.done(case)
                }
            };
        }
        match read(&answer, decode::download) {
            Ok(file) => {
                let filter = packet_filter(case, &self.finding).unwrap_or_else(|| "all hosts".to_owned());
                case.attachments.push(Attachment {
                    file: format!("{}.pcap", case.id),
                    what: format!(
                        "packets of the window as they were, secrets included ({filter}; {} bytes)",
                        file.size_bytes
                            .map_or_else(|| "unknown".to_owned(), crate::investigation::words::number)
                    ),
                    sha256: None,
                });
            }
            Err(failure) => case.coverage.not_seen.push(format!("{what}: {failure}")),
        }
        self.done(case)
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        case.coverage
            .not_seen
            .push(format!("no PCAP was exported: {why}"));
        self.done(case)
    }
}
