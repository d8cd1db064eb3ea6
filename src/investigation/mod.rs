//! Decides. A state machine that plans an action, is told what came of it, and moves.
//!
//! Nothing here acts: no clock, no randomness, no files, no network, no environment. The driver
//! performs what is planned; the guards in [`guard`] rule on every action and every move.

mod account;
pub mod action;
pub mod case;
mod checks;
pub mod consult;
pub mod evidence;
mod filters;
pub mod finding;
pub mod guard;
pub mod machine;
pub mod outcome;
pub mod route;
pub mod settings;
pub mod steps;
pub mod words;

pub use action::{Action, Answer, Body, Failure, FailureKind, Observation};
pub use case::Case;
pub use consult::{Consultation, Reply, Role, Usage};
pub use evidence::{Evidence, EvidenceId};
pub use finding::{Confidence, Finding, Problem, Verdict};
pub use machine::{MOVES, Machine, MachineError, Moved, Phase, Plan, Seen, State};
pub use outcome::Outcome;
pub use route::TaskKind;
pub use settings::{Budget, CountOrder, ModelSettings, Playbook, ServiceName, Settings, Task};
pub use steps::count::Counted;
