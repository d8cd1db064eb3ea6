//! What a run ends with that is no investigation and no count.

use std::net::IpAddr;

use super::settings::Direction;
use super::steps::count::Counted;
use crate::{
    time::Window,
    wire::decode::{Call, CloudStorage, IpOwner, Snapshot, Workload},
};

/// What was ordered and done.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The snapshots of the server, as it lists them.
    Inventory(Shelf),
    /// A snapshot covers the window: taken, or found.
    Kept {
        snapshot: Box<Snapshot>,
        window: Window,
        reused: bool,
    },
    /// Recorded queries were asked again.
    Rechecked(Rechecked),
    /// A window was surveyed: what was seen is in the case's picture.
    Measured,
    /// A question is answered.
    Answer(Box<QuestionAnswer>),
    /// A snapshot was kept in cloud storage, or brought from there.
    Transferred(Box<Transferred>),
    /// Packets lie in a file.
    Packets(Box<Exported>),
}

/// What lies on the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shelf {
    pub snapshots: Vec<Snapshot>,
    /// Where the server has a tool for it.
    pub cloud: Option<CloudStorage>,
}

/// How recorded answers compare with today's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rechecked {
    /// The snapshot that they were asked of.
    pub snapshot: String,
    /// It was found, not taken again.
    pub found: bool,
    /// Answers that are the same, byte for byte.
    pub agreed: u32,
    pub differing: Vec<Difference>,
    pub unanswered: Vec<Difference>,
}

/// A query whose answer is another than recorded, or that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub tool: String,
    pub filter: String,
    pub window: Option<Window>,
    /// What is different, or why there is no answer.
    pub what: String,
}

/// A snapshot that was moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Transferred {
    pub direction: Direction,
    /// As it is listed afterwards.
    pub snapshot: Snapshot,
    /// As the server names it: `s3`.
    pub provider: Option<String>,
    /// The server's job.
    pub job: String,
}

/// Packets in a file, and whose they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    pub snapshot: String,
    /// The part of the snapshot that was exported.
    pub window: Window,
    /// Empty: all.
    pub nodes: Vec<String>,
    /// As it was sent; `None` where all packets were wanted.
    pub bpf: Option<String>,
    /// Workloads that the patterns and labels matched.
    pub workloads: Vec<Workload>,
    /// The addresses of the filter, with everybody who had them.
    pub addresses: Vec<(IpAddr, Vec<IpOwner>)>,
    /// Where the server's side says the file lies, and how large it is.
    pub path: String,
    pub url: Option<String>,
    pub size_bytes: Option<u64>,
}

/// What a question came to.
#[derive(Clone, Debug)]
pub struct QuestionAnswer {
    /// The filter that was counted.
    pub filter: String,
    /// Filters that asked for more and matched nothing.
    pub tried: Vec<String>,
    pub counted: Counted,
    /// As many calls as one list shows: the first ones, or the slowest of them first.
    pub rows: Vec<Call>,
    /// The slowest come first.
    pub slowest: bool,
    /// The list did not hold all.
    pub cut: bool,
    pub ignored: Vec<String>,
    pub resolved: Vec<(String, String)>,
    /// Why there are no rows, where there are matches.
    pub unlisted: Option<String>,
}
