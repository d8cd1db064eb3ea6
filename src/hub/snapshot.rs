//! Snapshots: a stretch of the capture held fixed, and the jobs that build and dissect it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::capture::{Capture, Span};
use super::cloud::Parcel;
use super::dissection::{self, Dissection};
use super::entry::{Entry, Payload};
use super::error::ToolError;
use super::fault::{Fault, Faults};
use super::node::NodeCapture;
use super::packet::{RawPacket, write_pcap};

/// Snapshots kept at most; each may hold a dissection in memory.
const MAX_SNAPSHOTS: usize = 64;
/// Longest name, bytes.
const MAX_NAME: usize = 200;

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Completed,
    Failed(String),
}

/// A value several threads look at; what a panicking one left behind is still good, as every
/// change is a single assignment.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the packets and calls of a capture were between two moments, on some nodes. Refers to the capture; nothing is copied.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub id: String,
    pub name: String,
    /// As far as there are data.
    pub span: Span,
    /// Unix ms, by the hub's clock.
    pub created_ms: i64,
    capture: Arc<Capture>,
    /// Positions of its nodes in the capture.
    nodes: Vec<usize>,
    /// Whether it is rehearsed that nothing is in it.
    empty: bool,
    phase: Mutex<Phase>,
    packets: AtomicU64,
    bytes: AtomicU64,
    looked_at: AtomicU64,
    dissections: Mutex<Vec<Arc<Dissection>>>,
}

impl Snapshot {
    /// All there is, completed.
    pub(super) fn whole(capture: &Arc<Capture>) -> Self {
        Self {
            id: "everything".to_owned(),
            name: "everything".to_owned(),
            span: Span {
                start_us: i64::MIN,
                end_us: i64::MAX,
            },
            created_ms: 0,
            capture: Arc::clone(capture),
            nodes: (0..capture.nodes.len()).collect(),
            empty: false,
            phase: Mutex::new(Phase::Completed),
            packets: AtomicU64::default(),
            bytes: AtomicU64::default(),
            looked_at: AtomicU64::default(),
            dissections: Mutex::default(),
        }
    }

    /// What there is of this time, completed.
    pub(super) fn of_span(capture: &Arc<Capture>, span: Span) -> Self {
        Self {
            span,
            ..Self::whole(capture)
        }
    }

    /// All there is, with a dissection of it that is completed.
    pub(super) fn dissected(capture: &Arc<Capture>, dissection: Dissection) -> Self {
        Self {
            dissections: Mutex::new(vec![Arc::new(dissection)]),
            ..Self::whole(capture)
        }
    }

    /// What was kept of a snapshot elsewhere, completed.
    pub(super) fn restored(
        capture: &Arc<Capture>,
        id: String,
        name: String,
        span: Span,
        created_ms: i64,
    ) -> Self {
        let snapshot = Self {
            id,
            name,
            span,
            created_ms,
            ..Self::whole(capture)
        };
        snapshot.build(&AtomicBool::new(false));
        snapshot
    }

    /// All of it, to be kept elsewhere. Calls that came as lines have no packets that could be kept.
    pub(super) fn parcel(&self) -> Result<Parcel, ToolError> {
        let mut nodes = Vec::new();
        for node in self.nodes() {
            if !self.calls(node).is_empty() {
                return Err(ToolError::Api {
                    status: 501,
                    message: format!(
                        "snapshot `{}` holds calls without packets, which cannot be kept in cloud storage",
                        self.name
                    ),
                });
            }
            let packets: Vec<RawPacket<'_>> = self.packets(node).collect();
            let file = write_pcap(&packets).map_err(|error| ToolError::bad_request(error.to_string()))?;
            nodes.push((node.name.to_string(), file));
        }
        Ok(Parcel {
            id: self.id.clone(),
            name: self.name.clone(),
            start_us: self.span.start_us,
            end_us: self.span.end_us,
            created_ms: self.created_ms,
            nodes,
            workloads: self.capture.listing.clone(),
        })
    }

    /// How far its building is.
    pub(super) fn phase(&self) -> Phase {
        lock(&self.phase).clone()
    }

    /// Its nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &NodeCapture> {
        self.nodes.iter().filter_map(|at| self.capture.nodes.get(*at))
    }

    /// The packets of one of its nodes.
    pub(super) fn packets<'s>(&self, node: &'s NodeCapture) -> impl Iterator<Item = RawPacket<'s>> + use<'s> {
        node.packets(self.held())
    }

    /// The calls of one of its nodes that came as lines.
    pub(super) fn calls<'s>(&self, node: &'s NodeCapture) -> &'s [Entry] {
        node.calls(self.held())
    }

    /// How many of its calls came as lines.
    pub(super) fn call_count(&self) -> u64 {
        self.nodes().map(|node| self.calls(node).len() as u64).sum()
    }

    fn held(&self) -> Span {
        let nothing = Span {
            start_us: 0,
            end_us: 0,
        };
        if self.empty { nothing } else { self.span }
    }

    /// Packets, and their bytes with those of lines; complete once it is.
    pub(super) fn size(&self) -> (u64, u64) {
        (
            self.packets.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        )
    }

    /// How much of the capture was looked through, 0 to 100.
    pub(super) fn progress(&self) -> u64 {
        if self.phase() == Phase::Completed {
            return 100;
        }
        let all: u64 = self.nodes().map(NodeCapture::packet_count).sum();
        percent(self.looked_at.load(Ordering::Relaxed), all)
    }

    /// The names behind the addresses.
    pub(super) fn capture(&self) -> &Capture {
        &self.capture
    }

    /// All dissections, the oldest first.
    pub(super) fn dissections(&self) -> Vec<Arc<Dissection>> {
        lock(&self.dissections).clone()
    }

    /// The dissection of that name, or the newest where none is named.
    pub(super) fn dissection(&self, name: Option<&str>) -> Option<Arc<Dissection>> {
        let all = lock(&self.dissections);
        match name {
            Some(name) => all
                .iter()
                .rev()
                .find(|dissection| dissection.name == name)
                .cloned(),
            None => all.last().cloned(),
        }
    }

    fn build(&self, cancelled: &AtomicBool) {
        for node in self.nodes() {
            for packet in self.packets(node) {
                self.packets.fetch_add(1, Ordering::Relaxed);
                self.bytes.fetch_add(packet.data.len() as u64, Ordering::Relaxed);
                if cancelled.load(Ordering::Relaxed) {
                    return;
                }
            }
            for call in self.calls(node) {
                if let Payload::Line(line) = &call.payload {
                    self.bytes.fetch_add(line.bytes.into(), Ordering::Relaxed);
                }
            }
            self.looked_at.fetch_add(node.packet_count(), Ordering::Relaxed);
        }
        *lock(&self.phase) = Phase::Completed;
    }
}

/// `part` of `whole` in percent, below 100 as long as something is missing.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0).min(99)
}

/// What a snapshot is to hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub name: Option<String>,
    pub span: Option<Span>,
    /// Empty: all.
    pub nodes: Vec<String>,
}

/// All snapshots of a hub.
#[derive(Debug)]
pub(super) struct Registry {
    capture: Arc<Capture>,
    faults: Faults,
    snapshots: Mutex<Vec<Arc<Snapshot>>>,
    cancelled: Arc<AtomicBool>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Registry {
    /// No snapshots yet.
    pub(super) fn new(capture: Arc<Capture>, faults: Faults) -> Self {
        Self {
            capture,
            faults,
            snapshots: Mutex::default(),
            cancelled: Arc::default(),
        }
    }

    /// Takes a snapshot that was made elsewhere.
    pub(super) fn hold(&self, snapshot: Snapshot) {
        lock(&self.snapshots).push(Arc::new(snapshot));
    }

    /// All snapshots, the oldest first.
    pub(super) fn list(&self) -> Vec<Arc<Snapshot>> {
        lock(&self.snapshots).clone()
    }

    /// The snapshot of that id or name.
    pub(super) fn find(&self, reference: &str) -> Result<Arc<Snapshot>, ToolError> {
        let all = lock(&self.snapshots);
        let found = all
            .iter()
            .find(|one| one.id == reference)
            .or_else(|| all.iter().find(|one| one.name == reference));
        found
            .cloned()
            .ok_or_else(|| ToolError::not_found(format!("snapshot `{reference}` not found")))
    }

    /// Begins to build a snapshot.
    pub(super) fn create(&self, request: Request) -> Result<Arc<Snapshot>, ToolError> {
        let nodes = self.positions(&request.nodes)?;
        let held = nodes.iter().filter_map(|at| self.capture.nodes.get(*at)?.span());
        let held = held.reduce(|a, b| Span {
            start_us: a.start_us.min(b.start_us),
            end_us: a.end_us.max(b.end_us),
        });
        let Some(held) = held else {
            return Err(ToolError::bad_request(
                "no raw capture data available on the requested nodes",
            ));
        };
        let asked = request.span.unwrap_or(held);
        if asked.start_us >= asked.end_us {
            return Err(ToolError::bad_request("start_time must be before end_time"));
        }
        let Some(span) = asked.overlap(held) else {
            return Err(ToolError::bad_request(format!(
                "the requested time window {}-{} is outside the available data {}-{} (Unix ms)",
                asked.start_us / 1000,
                asked.end_us / 1000,
                held.start_us / 1000,
                held.end_us / 1000
            )));
        };
        let snapshot = self.enlist(request.name, span, nodes, held.end_us / 1000)?;
        let faults = self.faults.clone();
        let (job, cancelled) = (Arc::clone(&snapshot), Arc::clone(&self.cancelled));
        if faults.has(&Fault::SnapshotFails) {
            let why = "failed to assemble the snapshot: no space left on device".to_owned();
            *lock(&snapshot.phase) = Phase::Failed(why);
        } else if !faults.has(&Fault::SnapshotStuck) {
            run(move || job.build(&cancelled));
        }
        Ok(snapshot)
    }

    fn enlist(
        &self,
        name: Option<String>,
        span: Span,
        nodes: Vec<usize>,
        created_ms: i64,
    ) -> Result<Arc<Snapshot>, ToolError> {
        let mut all = lock(&self.snapshots);
        if let Some(busy) = all.iter().find(|one| one.phase() == Phase::Running) {
            return Err(ToolError::conflict(format!(
                "another snapshot is already in progress: `{}`; wait until it is completed",
                busy.name
            )));
        }
        if all.len() >= MAX_SNAPSHOTS {
            return Err(ToolError::Api {
                status: 507,
                message: format!("no room for more than {MAX_SNAPSHOTS} snapshots"),
            });
        }
        let number = all.len() + 1;
        let name = name.unwrap_or_else(|| format!("snapshot-{number}"));
        if name.is_empty()
            || name.len() > MAX_NAME
            || name.contains(['/', '\\'])
            || name.contains(char::is_control)
        {
            return Err(ToolError::bad_request(format!(
                "a snapshot's name has 1 to {MAX_NAME} bytes without slashes and control characters"
            )));
        }
        if all.iter().any(|one| one.name == name || one.id == name) {
            return Err(ToolError::conflict(format!(
                "a snapshot named `{name}` already exists"
            )));
        }
        let snapshot = Arc::new(Snapshot {
            id: format!("snap-{number}"),
            name,
            span,
            created_ms,
            capture: Arc::clone(&self.capture),
            nodes,
            empty: self.faults.has(&Fault::EmptyWindow),
            phase: Mutex::new(Phase::Running),
            packets: AtomicU64::default(),
            bytes: AtomicU64::default(),
            looked_at: AtomicU64::default(),
            dissections: Mutex::default(),
        });
        all.push(Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// Positions of nodes by name; all of them where none is named.
    pub(super) fn positions(&self, names: &[String]) -> Result<Vec<usize>, ToolError> {
        let all = &self.capture.nodes;
        if names.is_empty() {
            return Ok((0..all.len()).collect());
        }
        let position = |name: &String| {
            all.iter().position(|node| *node.name == **name).ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|node| &*node.name).collect();
                ToolError::not_found(format!(
                    "node `{name}` not found; the nodes are {}",
                    known.join(", ")
                ))
            })
        };
        let mut positions = names.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        positions.sort_unstable();
        positions.dedup();
        Ok(positions)
    }

    /// Begins to dissect a completed snapshot. One that was begun is returned as it is, unless it failed.
    pub(super) fn dissect(
        &self,
        snapshot: &Arc<Snapshot>,
        name: Option<&str>,
    ) -> Result<Arc<Dissection>, ToolError> {
        match snapshot.phase() {
            Phase::Completed => {}
            Phase::Failed(why) => {
                return Err(ToolError::conflict(format!(
                    "snapshot `{}` failed: {why}",
                    snapshot.name
                )));
            }
            Phase::Pending | Phase::Running => {
                return Err(ToolError::conflict(format!(
                    "snapshot `{}` is not completed yet",
                    snapshot.name
                )));
            }
        }
        let name = name.filter(|name| !name.is_empty()).unwrap_or("default");
        if name.len() > MAX_NAME || name.contains(['/', '\\']) {
            return Err(ToolError::bad_request(
                "a dissection's name has no slashes and at most 200 bytes",
            ));
        }
        let mut all = lock(&snapshot.dissections);
        let begun = all.iter().rev().find(|one| one.name == name);
        if let Some(begun) = begun.filter(|one| !matches!(one.phase(), Phase::Failed(_))) {
            return Ok(Arc::clone(begun));
        }
        let (packets, _) = snapshot.size();
        let dissection = Arc::new(Dissection::new(name, &snapshot.id, packets));
        all.push(Arc::clone(&dissection));
        drop(all);
        if self.faults.has(&Fault::DissectionFails) {
            dissection.fail("worker crashed: out of memory while reassembling streams");
        } else if !self.faults.has(&Fault::DissectionStuck) {
            let (snapshot, job) = (Arc::clone(snapshot), Arc::clone(&dissection));
            let cancelled = Arc::clone(&self.cancelled);
            run(move || dissection::run(&snapshot, &job, &cancelled));
        }
        Ok(dissection)
    }
}

/// Does `job` beside everything else; at once where there is no runtime to do it.
fn run(job: impl FnOnce() + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn_blocking(job)),
        Err(_) => job(),
    }
}
