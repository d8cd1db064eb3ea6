//! Times as people type them, by our own grammar: the crates there are read some of these phrases silently
//! wrong (`last 2 hours` as the future, `2026-03-14 18:12 IST` as UTC).
//!
//! Three steps: `lexer` (words, numbers, marks), `grammar`, `moment` and `offset` (a `phrase`), and `range`, `resolve`
//! and `letters` (instants in a zone). `reading` tries every option of what is open and says what was assumed.

mod date;
mod error;
mod grammar;
mod halves;
mod letters;
mod lexer;
mod moment;
mod offset;
mod phrase;
mod range;
mod reading;
mod resolve;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use error::{TimeError, Unreadable};
pub use reading::{
    Ambiguity, Choice, PointReading, Reading, parse_point, parse_point_with, parse_window, parse_window_with,
};
