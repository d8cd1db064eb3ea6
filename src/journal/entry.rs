//! What a journal line holds. Writer and reader agree on nothing else.

use serde::{Deserialize, Serialize};

use crate::{
    investigation::{Action, Moved, Observation, Settings, guard::Ruling},
    time::Utc,
};

/// Version of the format; bumped when an old reader would misunderstand a new journal.
///
/// - 1: first version.
pub const FORMAT: u32 = 1;

/// One line: a sequence number from 1, and the entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub seq: u64,
    pub entry: Entry,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The first entry: all that a replay needs besides observations.
    Opened {
        format: u32,
        /// Version of rca-agent.
        agent: String,
        case: String,
        created: Utc,
        settings: Box<Settings>,
    },
    /// Written before an effect is performed, with what every guard said.
    Requested {
        action: Action,
        rulings: Vec<Ruling>,
    },
    /// Written after it. The only entry that is an input: the rest follows from it.
    Observed {
        observation: Observation,
    },
    Moved {
        moved: Moved,
    },
    /// The last entry.
    Closed {
        closed: Closed,
    },
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    Concluded,
    Stopped,
}
