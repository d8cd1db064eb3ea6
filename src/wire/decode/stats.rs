//! Aggregated statistics: answers of `get_api_stats`, whose shape is not public.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::field::{Fields, whole};

/// What was understood of the statistics; everything may be absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    pub total_calls: Option<u64>,
    /// Share of calls that failed, 0 to 1.
    pub error_rate: Option<f64>,
    pub services: Vec<ServiceStats>,
}

/// What was understood about one service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceStats {
    pub service: String,
    pub namespace: Option<String>,
    pub calls: Option<u64>,
    pub errors: Option<u64>,
    /// Share of calls that failed, 0 to 1.
    pub error_rate: Option<f64>,
    /// Latency percentiles, µs.
    pub p50_us: Option<i64>,
    pub p90_us: Option<i64>,
    pub p95_us: Option<i64>,
    pub p99_us: Option<i64>,
}

const CALLS: &[&str] = &[
    "total_calls",
    "calls",
    "total",
    "count",
    "requests",
    "total_requests",
];
const ERRORS: &[&str] = &["errors", "error_count", "total_errors", "failed"];

/// Takes what is understood and never fails. A percentile counts only where its unit is said
/// (`_us` or `_ms` in its name or in the name of the object around it).
pub fn stats(answer: &Value) -> Stats {
    let Some(outer) = Fields::of(answer) else {
        return Stats::default();
    };
    let head = outer
        .object(&["totals", "summary", "overall", "stats"])
        .unwrap_or(outer);
    let services = match outer.get(&["services", "by_service", "per_service"]) {
        Some(Value::Array(items)) => items.iter().filter_map(|item| service(item, None)).collect(),
        Some(by_name) => Fields::of(by_name)
            .into_iter()
            .flat_map(Fields::iter)
            .filter_map(|(name, item)| service(item, Some(name)))
            .collect(),
        None => Vec::new(),
    };
    Stats {
        total_calls: head.count(CALLS).or_else(|| outer.count(CALLS)),
        error_rate: error_rate(head),
        services,
    }
}

fn service(value: &Value, name: Option<&str>) -> Option<ServiceStats> {
    let fields = Fields::of(value)?;
    let named = name.map(str::to_owned);
    Some(ServiceStats {
        service: fields.text(&["service", "svc", "name"]).or(named)?,
        namespace: fields.text(&["namespace", "ns"]),
        calls: fields.count(CALLS),
        errors: fields.count(ERRORS),
        error_rate: error_rate(fields),
        p50_us: percentile(fields, "p50"),
        p90_us: percentile(fields, "p90"),
        p95_us: percentile(fields, "p95"),
        p99_us: percentile(fields, "p99"),
    })
}

/// The share of failures: said, in per cent where it is above 1, or from the two counts.
fn error_rate(fields: Fields<'_>) -> Option<f64> {
    let said = fields.number(&["error_rate", "error_ratio", "failure_rate"]);
    let said = said.map(|rate| if rate > 1.0 { rate / 100.0 } else { rate });
    let percent = || {
        fields
            .number(&["error_percent", "error_rate_percent"])
            .map(|p| p / 100.0)
    };
    let counted = || {
        let (errors, calls) = (fields.number(ERRORS)?, fields.number(CALLS)?);
        (calls > 0.0).then(|| errors / calls)
    };
    said.or_else(percent)
        .or_else(counted)
        .filter(|rate| (0.0..=1.0).contains(rate))
}

fn percentile(fields: Fields<'_>, which: &str) -> Option<i64> {
    let flat = |unit: &str| {
        fields.number(&[
            &format!("{which}_{unit}"),
            &format!("latency_{which}_{unit}"),
            &format!("{which}_latency_{unit}"),
        ])
    };
    let nested = |unit: &str| {
        let inner = fields.object(&[&format!("latency_{unit}"), &format!("elapsed_{unit}")]);
        let latency = fields.object(&["latency"]);
        inner
            .and_then(|l| l.number(&[which]))
            .or_else(|| latency?.number(&[&format!("{which}_{unit}")]))
    };
    let micros = flat("us")
        .or_else(|| nested("us"))
        .or_else(|| flat("ms").or_else(|| nested("ms")).map(|ms| ms * 1e3))?;
    whole(micros.round()).filter(|us| *us >= 0)
}
