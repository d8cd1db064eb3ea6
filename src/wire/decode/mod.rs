//! Reads answers of a Kubeshark server tolerantly: unknown fields are ignored, numbers may be
//! strings, `null` is an empty list, a missing optional field is absent, and a field is found under
//! any of the names that versions have used, in snake case or camel case. What is needed and missing
//! is a [`DecodeError`] that names the field and says what came instead.
//!
//! Every function takes the text of a tool's answer parsed as JSON, or a JSON string where the
//! server answered prose. Field names are those of the public command line tool, documentation and
//! skills of Kubeshark, mid 2026.

mod boundaries;
mod call;
mod detail;
mod dissection;
mod error;
mod field;
mod flow;
mod snapshot;
mod stats;
mod status;
mod transfer;
mod workload;

pub use boundaries::{Boundaries, NodeBoundaries, boundaries};
pub use call::{Call, CallList, Peer, TcpMetrics, calls};
pub use detail::{CallDetail, call_detail};
pub use dissection::{Dissection, DissectionStatus, dissection, dissections};
pub use error::DecodeError;
pub use flow::{Flow, FlowList, FlowSide, FlowTotals, flows};
pub use snapshot::{Snapshot, SnapshotStatus, snapshot, snapshots};
pub use stats::{ServiceStats, Stats, stats};
pub use status::{LiveDissection, ServerStatus, live_dissection, server_status};
pub use transfer::{
    CloudJob, CloudJobStatus, CloudStorage, Download, Export, cloud_job, cloud_storage, download, export,
};
pub use workload::{IpIdentity, IpOwner, IpSeen, Workload, WorkloadList, ips, workloads};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
