//! The service graph as the recorded calls show it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    layer::Layer,
    outcome::{Outcome, outcome},
};
use crate::{time::Utc, wire::decode::Call};

/// One end of an edge: a service, an external host, or a bare address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Party {
    /// `None` for what is not in the cluster or not known to be.
    pub namespace: Option<String>,
    pub name: String,
    pub naming: Naming,
}

/// What a party's name is a name of, and so by which field it is filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naming {
    Service,
    Pod,
    Address,
    /// Callers that the cluster has no name for, all together.
    Outside,
    /// A node of the cluster, as what a fault is local to.
    Node,
    /// A user's word: a service or a pod.
    Word,
}

impl Party {
    /// Everybody who calls from where the cluster has no names.
    pub fn outside() -> Self {
        Self {
            namespace: None,
            name: "outside".to_owned(),
            naming: Naming::Outside,
        }
    }

    pub fn is_outside(&self) -> bool {
        self.naming == Naming::Outside
    }
}

impl std::fmt::Display for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// Who calls whom, by what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EdgeKey {
    pub from: Party,
    pub to: Party,
    pub layer: Layer,
}

/// What was counted over a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub calls: u64,
    pub failing: u64,
    /// The counts are exact; otherwise they come from a truncated list.
    pub exact: bool,
    /// Latencies of a sample, µs, ascending; failing calls included.
    pub latencies_us: Vec<i64>,
}

impl Tally {
    /// The tally of a list of calls.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a Call>, exact: bool) -> Self {
        let mut tally = Self {
            exact,
            ..Self::default()
        };
        for call in calls {
            tally.calls += 1;
            tally.failing += u64::from(outcome(call) != Outcome::Good);
            tally.latencies_us.extend(call.elapsed_us);
        }
        tally.latencies_us.sort_unstable();
        tally
    }

    /// Failing of all, 0 to 1; zero where there are no calls.
    #[expect(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^52")]
    pub fn share(&self) -> f64 {
        if self.calls == 0 {
            0.0
        } else {
            self.failing as f64 / self.calls as f64
        }
    }
}

/// When an edge first behaved abnormally.
#[derive(Clone, Debug, PartialEq)]
pub struct Onset {
    /// When the call began.
    pub at: Utc,
    /// When it ended: a call that fails because of another one began before that one and ended after it.
    pub ended: Utc,
    /// The call that shows it.
    pub call: String,
    /// False where earlier calls may exist that no list showed.
    pub exact: bool,
}

/// One edge before and during the window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    pub before: Tally,
    pub during: Tally,
    pub onset: Option<Onset>,
    /// Calls in the window that failed hard (see [`super::Outcome::is_hard`]), as far as a list showed.
    pub hard: u64,
    /// The list of abnormal calls was cut: later ones are missing.
    pub cut: bool,
    /// Failing calls that a list showed, oldest first.
    pub failing: Vec<Call>,
    /// Good calls that a list showed.
    pub good: Vec<Call>,
}

/// Every edge seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    pub edges: BTreeMap<EdgeKey, Edge>,
    /// Calls that lists showed, requests and failing lookups and connections, each once: what the edges are tallied
    /// from, and what is looked at call by call.
    pub calls: Vec<Call>,
    /// Whether `calls` holds every request of both stretches: otherwise it is a sample.
    pub whole: bool,
    /// Whether the time before the window holds anything to compare with.
    pub has_baseline: bool,
}

impl Picture {
    pub fn edge(&mut self, key: EdgeKey) -> &mut Edge {
        self.edges.entry(key).or_default()
    }

    /// Everyone who was called, each once.
    pub fn called(&self) -> Vec<&Party> {
        let mut parties: Vec<_> = self.edges.keys().map(|key| &key.to).collect();
        parties.sort();
        parties.dedup();
        parties
    }

    /// The edges into `party` of one layer, added up.
    pub fn into_party(&self, party: &Party, layer: Layer) -> (Tally, Tally) {
        let (mut before, mut during) = (
            Tally {
                exact: true,
                ..Tally::default()
            },
            Tally {
                exact: true,
                ..Tally::default()
            },
        );
        for (_, edge) in self
            .edges
            .iter()
            .filter(|(key, _)| &key.to == party && key.layer == layer)
        {
            for (sum, part) in [(&mut before, &edge.before), (&mut during, &edge.during)] {
                sum.calls += part.calls;
                sum.failing += part.failing;
                sum.exact &= part.exact;
                sum.latencies_us.extend(&part.latencies_us);
            }
        }
        before.latencies_us.sort_unstable();
        during.latencies_us.sort_unstable();
        (before, during)
    }
}
