//! Workflows as files: read, checked against the machine, explained. Pure.
//!
//! A playbook says when a workflow is the right one, which phases it passes with which guards and tools, what it may
//! spend, what counts as abnormal, what is always asked and what is left behind. It can add and tighten: the guards of
//! the machine are consulted whatever a playbook says, and a file that leaves one out is refused.

mod check;
mod explain;
mod file;
mod numbers;
#[cfg(test)]
mod tests;

pub use check::{Finding, near, parsed};
pub use explain::explain;
pub use file::At;

use crate::investigation::Playbook;

/// A playbook that is compiled in.
pub struct Shipped {
    pub name: &'static str,
    pub text: &'static str,
}

/// The playbook whose numbers hold where another says nothing.
pub const DEFAULT: &str = "network-rca";

/// All playbooks that are compiled in.
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        name: DEFAULT,
        text: include_str!("../../playbooks/network-rca.yaml"),
    },
    Shipped {
        name: "pcap-handoff",
        text: include_str!("../../playbooks/pcap-handoff.yaml"),
    },
    Shipped {
        name: "trend-analysis",
        text: include_str!("../../playbooks/trend-analysis.yaml"),
    },
    Shipped {
        name: "forensic-preservation",
        text: include_str!("../../playbooks/forensic-preservation.yaml"),
    },
    Shipped {
        name: "production-replay",
        text: include_str!("../../playbooks/production-replay.yaml"),
    },
];

/// The compiled-in playbook of this name.
pub fn shipped(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

/// Reads and checks a playbook. Numbers that it does not say are those of [`DEFAULT`].
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn read(text: &str) -> Result<Playbook, Vec<Finding>> {
    check::playbook(text)
}

/// The JSON Schema of a playbook, for editors.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(file::File);
    schema.insert("$id".to_owned(), "rca-agent/playbook/1".into());
    schema.to_value()
}
