//! What Prometheus is told.

use std::{sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivered {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Worked {
    class: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Verdict {
    verdict: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    class: String,
    state: &'static str,
}

type Histograms = Family<Worked, Histogram, fn() -> Histogram>;

/// Counters and gauges of one process.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    deliveries: Family<Delivered, Counter>,
    calls: Family<Called, Counter>,
    jobs: Histograms,
    verdicts: Family<Verdict, Counter>,
    queue: Family<Queue, Gauge>,
}

/// From a tenth of a second to an hour.
fn buckets() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let deliveries = Family::default();
        let calls = Family::default();
        let jobs = Histograms::new_with_constructor(buckets);
        let verdicts = Family::default();
        let queue = Family::default();
        let mut registry = Registry::with_prefix("rca_agent");
        registry.register(
            "deliveries",
            "What Slack and alerting systems delivered",
            deliveries.clone(),
        );
        registry.register("slack_calls", "Calls of Slack's API", calls.clone());
        registry.register_with_unit(
            "work",
            "How long work took, by how it ended",
            Unit::Seconds,
            jobs.clone(),
        );
        registry.register("verdicts", "What investigations came to", verdicts.clone());
        registry.register(
            "queue",
            "Work that waits or runs, over all processes",
            queue.clone(),
        );
        Self {
            registry: Arc::new(registry),
            deliveries,
            calls,
            jobs,
            verdicts,
            queue,
        }
    }
}

impl Metrics {
    pub(super) fn delivery(&self, kind: &'static str, outcome: &'static str) {
        self.deliveries.get_or_create(&Delivered { kind, outcome }).inc();
    }

    pub(super) fn slack(&self, method: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&Called { method, outcome }).inc();
    }

    pub(super) fn worked(&self, class: &'static str, outcome: &'static str, took: Duration) {
        self.jobs
            .get_or_create(&Worked { class, outcome })
            .observe(took.as_secs_f64());
    }

    /// Counts a case that ended in `verdict`.
    pub(super) fn verdict(&self, verdict: &str) {
        let verdict = verdict.to_owned();
        self.verdicts.get_or_create(&Verdict { verdict }).inc();
    }

    /// What waits and runs: (class, waiting, running).
    pub fn queue(&self, depth: &[(String, i64, i64)]) {
        self.queue.clear();
        for (class, waiting, running) in depth {
            for (state, count) in [("waiting", waiting), ("running", running)] {
                let class = class.clone();
                self.queue.get_or_create(&Queue { class, state }).set(*count);
            }
        }
    }

    /// In the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut out, &self.registry);
        out
    }
}
