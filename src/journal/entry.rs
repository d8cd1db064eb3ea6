//! What a journal line holds. Writer and reader agree on nothing else.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{
    investigation::{Action, Moved, Observation, Settings, guard::Ruling},
    time::Utc,
};

/// Version of the format; bumped when an old reader would misunderstand a new journal.
///
/// - 1: first version.
/// - 2: every line carries a hash that follows from its entry and the line before ([`link`]).
pub const FORMAT: u32 = 2;

/// The oldest format that is still read. A case of an older format goes on in its own.
pub const OLDEST_FORMAT: u32 = 1;

/// One line: a sequence number from 1, the link to the line before, and the entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub seq: u64,
    /// [`link`] of this line; absent in format 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The entry as it is written, byte for byte: the link is of these bytes.
    pub entry: Box<RawValue>,
}

impl Line {
    /// The line that follows one with the link `before`, in a journal of this format.
    pub fn after(before: &str, seq: u64, entry: &Entry, format: u32) -> Result<Self, serde_json::Error> {
        let entry = serde_json::value::to_raw_value(entry)?;
        Ok(Self {
            seq,
            link: (format >= 2).then(|| link(before, seq, entry.get())),
            entry,
        })
    }
}

/// The link of a line: SHA-256 over the link of the line before (empty for the first), the line's number and its entry
/// as written, joined by line feeds; lower-case hex.
///
/// Whoever changes, removes or moves a line changes all links after it. Large results are named in the entries by their
/// own hash. Who rewrites the whole chain is found only by the last link, where somebody has kept it.
pub fn link(before: &str, seq: u64, entry: &str) -> String {
    let mut hash = Sha256::new();
    for part in [before, "\n", &seq.to_string(), "\n", entry] {
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
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
