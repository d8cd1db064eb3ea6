//! rca-agent: from recorded Kubernetes network traffic to a root cause report with evidence.

pub mod hub;
pub mod kfl;
pub mod kubeshark;
pub mod time;
pub mod wire;
