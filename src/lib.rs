//! rca-agent: from recorded Kubernetes network traffic to a root cause report with evidence.
//!
//! [`investigation`] decides and never acts; [`driver`] performs what it planned and is the only
//! loop; [`journal`] remembers; [`report`] tells. The map, the glossary and the invariants are in
//! ARCHITECTURE.md.

pub mod analysis;
pub mod benchmark;
pub mod bot;
pub mod bpf;
pub mod cli;
pub mod config;
pub mod demo;
pub mod driver;
pub mod effects;
pub mod error;
pub mod eval;
pub mod hub;
pub mod investigation;
pub mod journal;
pub mod kfl;
pub mod kubeshark;
pub mod model;
pub mod playbook;
pub mod progress;
pub mod prompt;
pub mod query;
pub mod question;
pub mod report;
pub mod time;
pub mod wire;
