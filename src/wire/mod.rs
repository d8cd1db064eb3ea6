//! The vocabulary between an investigation and a Kubeshark server: what can be asked
//! ([`Operation`]) and how answers are read ([`decode`]).
//!
//! Pure. Names of tools and parameters do not occur here: mapping an operation onto what a given
//! server calls it is the business of the client's catalogue.

pub mod decode;
mod operation;

pub use operation::{CallForm, Effect, Operation, Scope, SnapshotRef};
