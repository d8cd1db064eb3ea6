//! What a run ends with that is no investigation and no count.

use crate::{
    time::Window,
    wire::decode::{CloudStorage, Snapshot},
};

/// What was ordered and done.
#[derive(Clone, Debug, PartialEq)]
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
