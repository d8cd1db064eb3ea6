//! Cases with known truth, run and scored: what a change does to investigations.
//!
//! A case is a directory with a [`case`] file, and a recorded session beside it. It is run in one of three tiers
//! ([`run`]): its session through today's code, the same question anew against the embedded hub, or live. [`score`] says
//! how much of the answer is right, without a model to judge.

pub mod adopt;
pub mod case;
pub mod compare;
mod follow;
pub mod load;
pub mod rehearsed;
pub mod run;
pub mod score;
pub mod suite;
pub mod tell;
pub mod transcript;

pub use case::{Ending, SCHEMA, schema};
pub use load::{BrokenCase, CASE, EvalCase, cases};
pub use suite::{CaseResult, Order, RunResult, Status, Suite, Tier, run_all};
pub use transcript::Match;
