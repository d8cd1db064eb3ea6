//! Remembers. Everything planned, ruled, observed and decided is written down before anything
//! depends on it; resume, replay and the report's evidence are views of what was written.
//!
//! A case is a directory: `journal.jsonl`, an entry a line, and `bodies/HASH.json` for large
//! results; in a recorded session these are packed into one file ([`PACKED`]). Each line carries a hash that follows from it
//! and the line before, so that a change is found. Secrets are removed before anything gets here (see [`redact`]).

mod bodies;
mod entry;
mod reader;
pub mod redact;
mod writer;

pub use bodies::{Bodies, PACKED, bodies, write_packed};
pub use entry::{Closed, Entry, FORMAT, Line, OLDEST_FORMAT, hex, link};
pub use reader::{JournalError, Recording, Summary, read, read_with_bodies, summary};
pub use writer::{BODIES, CaseJournal, JOURNAL, body_hash};

use crate::investigation::Observation;

/// Where entries go, and where recorded observations come from.
///
/// A fresh run is a resumed run with an empty recording: while recorded entries are left, `append`
/// checks instead of writing, and `recorded` answers instead of the world.
pub trait Journal: Send {
    /// Writes an entry, or checks it against the recorded one in its place.
    fn append(&mut self, entry: Entry) -> Result<(), JournalError>;

    /// Whether recorded entries are still being followed.
    fn recorded_entries_left(&self) -> bool;

    /// The recorded observation that answers the entry appended last, if there is one.
    fn recorded(&mut self) -> Option<Observation>;
}

/// For what leaves no case: nothing is written, and there is nothing to follow.
pub struct Unkept;

impl Journal for Unkept {
    fn append(&mut self, _: Entry) -> Result<(), JournalError> {
        Ok(())
    }

    fn recorded_entries_left(&self) -> bool {
        false
    }

    fn recorded(&mut self) -> Option<Observation> {
        None
    }
}
