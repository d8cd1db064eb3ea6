//! What a plan could not find out.

use std::fmt;

use crate::time::Window;

/// A part of a question that has no exact answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What was asked about, KFL.
    pub filter: String,
    pub window: Window,
    /// How many calls there are, where at least that is known.
    pub calls: Option<u64>,
    pub reason: Reason,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The calls or bytes allowed are spent.
    Budget,
    /// The server did not answer, with what it said.
    Failed(String),
    /// Calls of a single millisecond, or of a single latency, that a list does not show whole.
    TooDense,
    /// Rows that could not be read.
    Unreadable(u64),
    /// Two answers about the same calls do not agree: what was expected, what came.
    Disagree { expected: u64, came: u64 },
}

impl fmt::Display for Gap {
    /// Without the window: only a [`Clock`](crate::time::Clock) renders times.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.calls {
            Some(1) => f.write_str("1 call")?,
            Some(calls) => write!(f, "{calls} calls")?,
            None => f.write_str("calls")?,
        }
        if !self.filter.is_empty() {
            write!(f, " of `{}`", self.filter)?;
        }
        match &self.reason {
            Reason::Budget => f.write_str(" were not told apart: the budget is spent"),
            Reason::Failed(why) => write!(f, " were not told apart: {why}"),
            Reason::TooDense => f.write_str(" that nothing tells apart are more than a list shows"),
            Reason::Unreadable(rows) => write!(f, ": {rows} rows could not be read"),
            Reason::Disagree { expected, came } => {
                write!(f, ": {expected} were counted and {came} came in parts")
            }
        }
    }
}
