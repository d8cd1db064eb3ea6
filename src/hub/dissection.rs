//! The job that turns a snapshot's packets into calls.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::assemble::assemble;
use super::capture::{Capture, Span};
use super::dissect::{Dissector, Limits, Stats};
use super::entry::{Entry, Payload};
use super::node::NodeCapture;
use super::snapshot::{Phase, Snapshot, lock, percent};
use super::store::{SharedStore, Store};

/// Entries are taken out of the dissector after this many packets.
const BATCH: u64 = 4096;

/// One dissection of a snapshot.
#[derive(Debug)]
pub(super) struct Dissection {
    pub name: String,
    /// `SNAPSHOT/NAME`.
    pub id: String,
    packets: u64,
    /// Whether only connections and datagrams are kept, not the calls in them.
    flows_only: bool,
    processed: AtomicU64,
    entries: AtomicU64,
    phase: Mutex<Phase>,
    store: OnceLock<SharedStore>,
    /// What went wrong without ending it.
    errors: Mutex<Vec<String>>,
    /// What each node's packets held, and what of them was not dissected.
    read: Mutex<Vec<Stats>>,
}

impl Dissection {
    pub(super) fn new(name: &str, snapshot: &str, packets: u64) -> Self {
        Self {
            name: name.to_owned(),
            id: format!("{snapshot}/{name}"),
            packets,
            flows_only: false,
            processed: AtomicU64::default(),
            entries: AtomicU64::default(),
            phase: Mutex::new(Phase::Pending),
            store: OnceLock::new(),
            errors: Mutex::default(),
            read: Mutex::default(),
        }
    }

    /// One whose entries are there already.
    pub(super) fn completed(name: &str, snapshot: &str, store: Store) -> Self {
        let dissection = Self::new(name, snapshot, 0);
        dissection.complete(store);
        dissection
    }

    /// How far it is.
    pub(super) fn phase(&self) -> Phase {
        lock(&self.phase).clone()
    }

    /// 0 to 100 by packets; 100 only once it can be queried.
    pub(super) fn progress(&self) -> u64 {
        if self.phase() == Phase::Completed {
            100
        } else {
            percent(self.processed(), self.packets)
        }
    }

    /// Packets done so far.
    pub(super) fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// Entries made so far.
    pub(super) fn entries(&self) -> u64 {
        self.store.get().map_or_else(
            || self.entries.load(Ordering::Relaxed),
            |store| store.calls().len() as u64,
        )
    }

    /// The calls, once it is completed.
    pub(super) fn store(&self) -> Option<&SharedStore> {
        self.store.get()
    }

    /// What each node's packets held, once it is completed.
    pub(crate) fn read(&self) -> Vec<Stats> {
        lock(&self.read).clone()
    }

    /// What went wrong, in sentences.
    pub(super) fn errors(&self) -> Vec<String> {
        let mut errors = lock(&self.errors).clone();
        if let Phase::Failed(why) = self.phase() {
            errors.push(why);
        }
        errors
    }

    pub(super) fn fail(&self, why: &str) {
        *lock(&self.phase) = Phase::Failed(why.to_owned());
    }

    fn complete(&self, store: Store) {
        // Set once: a dissection is run once.
        let _ = self.store.set(Arc::new(store));
        *lock(&self.phase) = Phase::Completed;
    }
}

/// Dissects all nodes of a snapshot, each on a thread of its own, and joins what they saw.
pub(super) fn run(snapshot: &Snapshot, job: &Dissection, cancelled: &AtomicBool) {
    *lock(&job.phase) = Phase::Running;
    let mut nodes: Vec<(Arc<str>, Vec<Entry>)> = Vec::new();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let all: Vec<&NodeCapture> = snapshot.nodes().collect();
    for some in all.chunks(workers) {
        let done: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|node| (node, scope.spawn(|| dissect(snapshot, node, job, cancelled))))
                .collect();
            threads
                .into_iter()
                .map(|(node, thread)| (Arc::clone(&node.name), thread.join()))
                .collect()
        });
        for (node, entries) in done {
            match entries {
                Ok(entries) => nodes.push((node, entries)),
                Err(_) => lock(&job.errors).push(format!("the dissection of node `{node}` ended with a bug")),
            }
        }
    }
    if cancelled.load(Ordering::Relaxed) {
        return job.fail("cancelled");
    }
    if nodes.is_empty() && !all.is_empty() {
        return job.fail("no node could be dissected");
    }
    job.complete(assemble(nodes, &snapshot.capture().names));
}

/// The flows of all of a capture, dissected at once.
pub(super) fn all_flows(capture: &Arc<Capture>) -> Store {
    at_once(&Snapshot::whole(capture), true)
}

/// The calls of a capture from a time on, dissected at once.
pub(super) fn calls_of(capture: &Arc<Capture>, span: Span) -> Store {
    at_once(&Snapshot::of_span(capture, span), false)
}

fn at_once(snapshot: &Snapshot, flows_only: bool) -> Store {
    let job = Dissection {
        flows_only,
        ..Dissection::new("everything", &snapshot.id, 0)
    };
    run(snapshot, &job, &AtomicBool::new(false));
    job.store
        .into_inner()
        .and_then(Arc::into_inner)
        .unwrap_or_default()
}

fn dissect(snapshot: &Snapshot, node: &NodeCapture, job: &Dissection, cancelled: &AtomicBool) -> Vec<Entry> {
    let mut dissector = Dissector::new(Limits::default());
    let mut entries = Vec::new();
    let mut packets = 0;
    for (number, packet) in (1u64..).zip(snapshot.packets(node)) {
        dissector.packet(&packet);
        packets = number;
        if number.is_multiple_of(BATCH) {
            let before = entries.len();
            dissector.drain(&mut entries);
            keep(job, &mut entries);
            job.processed.fetch_add(BATCH, Ordering::Relaxed);
            job.entries
                .fetch_add((entries.len() - before) as u64, Ordering::Relaxed);
            if cancelled.load(Ordering::Relaxed) {
                return Vec::new();
            }
        }
    }
    job.processed.fetch_add(packets % BATCH, Ordering::Relaxed);
    let before = entries.len();
    entries.append(&mut dissector.finish());
    // Lines are calls already: all that is left is to name and order them with the others.
    entries.extend_from_slice(snapshot.calls(node));
    keep(job, &mut entries);
    lock(&job.read).push(dissector.stats());
    job.entries
        .fetch_add((entries.len() - before) as u64, Ordering::Relaxed);
    entries
}

fn keep(job: &Dissection, entries: &mut Vec<Entry>) {
    if job.flows_only {
        entries.retain(|entry| match &entry.payload {
            Payload::Http(_) => false,
            Payload::Line(line) => line.protocol.is_tcp() || line.protocol.is_udp(),
            Payload::Dns(_) | Payload::TcpFlow(_) => true,
        });
    }
}
