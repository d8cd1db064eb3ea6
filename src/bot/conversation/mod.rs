//! Decides what is said and done when something arrives. Pure: what was heard, what is known of the thread, and the
//! moment go in, steps come out.

mod step;

pub use step::{Decision, Step};
