//! Whole conversations, packet by packet.

pub(super) mod support;

mod flows;
mod messages;
mod properties;
mod streams;
