//! Whole conversations, packet by packet.

pub(super) mod support;

mod flows;
mod properties;
mod streams;
