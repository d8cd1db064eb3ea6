//! What pictures are drawn from: the service graph, calls over time, what each node recorded. Part of `report.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Stretch;

/// Who called whom. Bounded: what is abnormal comes first, then the busiest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Graph {
    pub nodes: Vec<GraphNode>,
    pub edges: Vec<GraphEdge>,
    /// Services and edges that were seen and are not among these, since there are too many.
    pub nodes_left_out: usize,
    pub edges_left_out: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphNode {
    pub name: String,
    pub namespace: Option<String>,
    pub role: Role,
    /// The pod or node of it that is at fault, where the fault is local to one.
    pub workload: Option<String>,
}

/// What a service has to do with the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Cause,
    /// Calls to it became abnormal.
    Affected,
    Healthy,
    /// Callers without a name in the cluster.
    Outside,
}

/// Of two services the protocol that tells most: abnormal ones first, requests before lookups and connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GraphEdge {
    /// Indices into `nodes`.
    pub from: usize,
    pub to: usize,
    /// "http", "dns", "tcp" (connections).
    pub protocol: String,
    pub before: Amounts,
    pub during: Amounts,
    pub abnormal: bool,
    /// On the way from where it was noticed to the cause.
    pub on_path: bool,
    /// RFC 3339; of an abnormal edge.
    pub first_abnormal: Option<String>,
    pub evidence: Vec<String>,
}

/// Calls of an edge over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Amounts {
    pub calls: u64,
    pub failing: u64,
    /// Counted, not only seen in a list that was cut.
    pub exact: bool,
    pub median_us: Option<i64>,
    pub p95_us: Option<i64>,
}

/// Calls over time, of those on the path and of suspects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverTime {
    pub start: String,
    pub end: String,
    /// Every list below has so many values, of equal stretches from start to end.
    pub bins: usize,
    /// What was compared with what.
    pub baseline: Vec<Stretch>,
    pub incident: Stretch,
    /// Only a part of the calls was listed: shares are right, amounts are not.
    pub sampled: bool,
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    pub service: String,
    pub namespace: Option<String>,
    /// Calls that it made; otherwise those that were made to it.
    pub made: bool,
    /// "http", "dns", "tcp" (connections). Of lookups and connections only failing ones were listed.
    pub protocol: String,
    pub calls: Vec<u64>,
    pub failing: Vec<u64>,
    /// Of the calls that were answered, µs.
    pub median_us: Vec<Option<i64>>,
    pub p95_us: Vec<Option<i64>>,
    /// First abnormal call, where one is known.
    pub onset: Option<String>,
}

/// What one node recorded of the time that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NodeCoverage {
    pub node: String,
    /// From the oldest to the newest packet; null where it held nothing.
    pub captured: Option<Stretch>,
    /// The part of it that the snapshot holds and was dissected.
    pub dissected: Option<Stretch>,
    /// Listed calls that touched the node, by minute from `coverage.minutes_from`; empty where calls do not name nodes.
    pub calls: Vec<u64>,
}

/// A value that abnormal calls have in common and good ones have not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommonFactor {
    /// "to the pod", "with the header x-version:".
    pub dimension: String,
    pub value: String,
    /// Abnormal calls with it, and all of them.
    pub failing: u64,
    pub failing_of: u64,
    /// Good calls with it, and all of them.
    pub good: u64,
    pub good_of: u64,
    /// P(value | abnormal) / P(value | good).
    pub lift: f64,
}

/// A command that does it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repeat {
    pub what: String,
    pub command: String,
}
