//! The Kubeshark client.

pub mod catalogue;
