//! Incidents with known causes, to measure by: what is read of them, and how a ranking is scored.
//!
//! An incident is a directory. `case.json` is the form of published incidents (times in Unix µs), `truth.json` that of
//! our own captures. What they say of the cause is read to score and never to decide: the investigation gets
//! the window, the window to compare with, and the question.

mod incident;
mod rules;
mod score;

pub use incident::{Incident, IncidentError, Wanted, incidents};
pub use rules::{RULES, Rule};
pub use score::{Line, Outcome, Ranked, published, rank, summary};
