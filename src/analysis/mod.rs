//! What can be computed is computed here: pure functions over calls and counts.
//!
//! A [`Picture`] holds, for every edge of the service graph, a [`Tally`] before and during the
//! window. [`compare()`] says how an edge changed, [`suspects`] which party the changes point at.
//! It is simple on purpose: error shares and latencies against the time before, and the deepest
//! callee whose own behaviour changed.

mod compare;
mod endpoint;
mod outcome;
mod picture;
mod statistics;
mod suspect;
#[cfg(test)]
mod tests;

pub use compare::{Change, Thresholds, compare, risen};
pub use endpoint::{common_endpoint, endpoint, path_template};
pub use outcome::{Outcome, ends, outcome};
pub use picture::{Edge, EdgeKey, Layer, Naming, Onset, Party, Picture, Tally};
pub use statistics::{onset_apart, onset_of_events, percentile, wilson};
pub use suspect::{Suspect, bad_replica, kind_of, suspects};
