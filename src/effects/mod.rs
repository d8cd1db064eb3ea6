//! Performs what the machine planned: against a live server, or not at all.

mod consult;
mod live;
mod nothing;

pub use consult::request;
pub use live::{Ask, LiveEffects, Nobody};
pub use nothing::NoEffects;
