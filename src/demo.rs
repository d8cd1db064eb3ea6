//! The captures that are compiled in, so that the first investigation needs nothing else.
//!
//! The recorded truth that lies beside them is not compiled in: nothing here could look it up.

use crate::{
    hub::{Capture, OpenError},
    time::{Utc, Zone, parse_point},
};

/// The capture that `demo` takes without a name.
pub const DEFAULT: &str = "checkout-502";

/// A bundled capture, and what to ask of it.
#[derive(Debug)]
pub struct Demo {
    pub name: &'static str,
    /// One line for a list.
    pub about: &'static str,
    pub question: &'static str,
    /// RFC 3339.
    pub since: &'static str,
    pub until: &'static str,
    now: &'static str,
    workloads: &'static [u8],
    nodes: &'static [(&'static str, &'static [u8])],
}

macro_rules! bundled {
    ($name:literal, $file:literal) => {
        include_bytes!(concat!("../evals/captures/", $name, "/", $file))
    };
}

static DEMOS: &[Demo] = &[
    Demo {
        name: "checkout-502",
        about: "customers get errors at checkout; the cause is three services away",
        question: "Why do customers get errors at checkout?",
        since: "2026-11-23T01:33:00Z",
        until: "2026-11-23T01:39:00Z",
        now: "2026-11-23T02:30:00Z",
        workloads: bundled!("checkout-502", "workloads.json"),
        nodes: &[
            ("node-1", bundled!("checkout-502", "node-1.pcap.zst")),
            ("node-2", bundled!("checkout-502", "node-2.pcap.zst")),
            ("node-3", bundled!("checkout-502", "node-3.pcap.zst")),
        ],
    },
    Demo {
        name: "healthy",
        about: "the same shop on a day when nothing broke",
        question: "Was anything wrong in the shop?",
        since: "2026-11-23T01:32:00Z",
        until: "2026-11-23T01:38:00Z",
        now: "2026-11-23T02:30:00Z",
        workloads: bundled!("healthy", "workloads.json"),
        nodes: &[
            ("node-1", bundled!("healthy", "node-1.pcap.zst")),
            ("node-2", bundled!("healthy", "node-2.pcap.zst")),
            ("node-3", bundled!("healthy", "node-3.pcap.zst")),
        ],
    },
];

/// All bundled captures.
pub fn all() -> &'static [Demo] {
    DEMOS
}

/// The bundled capture of that name.
pub fn find(name: &str) -> Option<&'static Demo> {
    DEMOS.iter().find(|demo| demo.name == name)
}

/// Opens a bundled capture; `None` where there is none of that name.
pub fn capture(name: &str) -> Option<Result<Capture, OpenError>> {
    let demo = find(name)?;
    let nodes = demo
        .nodes
        .iter()
        .map(|(node, bytes)| ((*node).to_owned(), bytes.to_vec()))
        .collect();
    Some(Capture::from_parts(demo.workloads, nodes))
}

impl Demo {
    /// When the capture is looked at: shortly after it was recorded, so that "today" is its day.
    pub fn now(&self) -> Utc {
        parse_point(self.now, Utc::UNIX_EPOCH, &Zone::UTC).map_or(Utc::UNIX_EPOCH, |point| point.at)
    }
}
