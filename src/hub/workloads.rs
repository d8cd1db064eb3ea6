//! `workloads.json`: which IP was which workload, on which node, when.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use crate::time::Utc;

/// The value of `format` this version reads.
pub const FORMAT: &str = "rca-agent/capture/1";

/// More workloads than this are refused: the largest supported clusters run about 150,000 pods.
const MAX_WORKLOADS: usize = 500_000;

/// The file as a whole.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Inventory {
    pub format: String,
    #[serde(default)]
    pub cluster: Option<String>,
    #[serde(default)]
    pub nodes: Vec<NodeListing>,
    #[serde(default)]
    pub workloads: Vec<Workload>,
}

/// A node and where its packets are.
#[derive(Clone, Debug, Deserialize)]
pub struct NodeListing {
    pub name: String,
    /// File name inside the directory; without it, a file named like the node is taken.
    #[serde(default)]
    pub capture: Option<String>,
}

/// What sort of thing has an address. The order is that of preference where several share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Pod,
    Service,
    Node,
    External,
}

impl Kind {
    /// As it is written in the file and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Node => "node",
            Self::External => "external",
        }
    }
}

/// One workload with its addresses.
#[derive(Clone, Debug, Deserialize)]
pub struct Workload {
    pub kind: Kind,
    pub name: String,
    #[serde(default)]
    pub namespace: String,
    #[serde(default)]
    pub node: Option<String>,
    #[serde(default)]
    pub ips: Vec<IpAddr>,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Services that select this pod.
    #[serde(default)]
    pub services: Vec<String>,
    /// `deployment/payments`.
    #[serde(default)]
    pub owner: Option<String>,
    /// Ports of a service.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// The addresses belong to it from here on (inclusive); absent: always did.
    #[serde(default)]
    pub from: Option<Utc>,
    /// … until here (exclusive); absent: for ever.
    #[serde(default)]
    pub until: Option<Utc>,
}

impl Workload {
    /// Start of the interval, Unix µs.
    pub fn from_us(&self) -> i64 {
        self.from.map_or(i64::MIN, |at| at.timestamp_micros())
    }

    /// End of the interval (exclusive), Unix µs.
    pub fn until_us(&self) -> i64 {
        self.until.map_or(i64::MAX, |at| at.timestamp_micros())
    }

    /// Whether the addresses were its own at `ts_us`.
    pub fn holds_at(&self, ts_us: i64) -> bool {
        self.from_us() <= ts_us && ts_us < self.until_us()
    }
}

/// What is wrong with a `workloads.json`.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    #[error("`workloads.json` is not what was expected: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`workloads.json` has the format `{0}`; this version reads `{FORMAT}`")]
    Format(String),
    #[error("`workloads.json` lists {0} workloads; at most {MAX_WORKLOADS} are read")]
    TooMany(usize),
}

impl Inventory {
    /// Reads the text of a `workloads.json`.
    pub fn parse(json: &[u8]) -> Result<Self, InventoryError> {
        let inventory: Self = serde_json::from_slice(json)?;
        if inventory.format != FORMAT {
            return Err(InventoryError::Format(inventory.format));
        }
        if inventory.workloads.len() > MAX_WORKLOADS {
            return Err(InventoryError::TooMany(inventory.workloads.len()));
        }
        Ok(inventory)
    }
}
