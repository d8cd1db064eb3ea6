//! Performs what the machine planned: against a live server, or not at all.

mod arriving;
mod consult;
mod live;
mod nothing;
mod spans;

pub use arriving::Arriving;
pub use consult::{in_words, request};
pub use live::{Ask, LiveEffects, Nobody};
pub use nothing::NoEffects;
pub use spans::{TARGET as SPANS, run as run_span};
