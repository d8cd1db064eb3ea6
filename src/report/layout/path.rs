//! The path from where it was noticed to the cause, with its errors over time.

use std::collections::BTreeSet;

use super::{cited, local, moment, span};
use crate::{
    report::{
        document::{Block, Document, Step},
        mermaid::mermaid,
        model::Report,
        picture::Series,
    },
    time::Clock,
};

pub(super) fn path(doc: &mut Document, report: &Report, clock: &Clock) {
    if !report.path.is_empty() {
        doc.heading("How it spread, from where it was noticed to the cause");
        let steps = (0..report.path.len()).filter_map(|at| step(report, at, clock));
        doc.blocks.push(Block::Path {
            steps: steps.collect(),
            legend: legend(report, clock),
        });
    }
    doc.blocks.extend(mermaid(&report.graph).map(Block::Diagram));
}

/// When a hop's first abnormal call was. Hops often follow within a second: then milliseconds tell the order.
pub(in crate::report) fn first_abnormal(report: &Report, time: &str, clock: &Clock) -> String {
    let seconds: BTreeSet<Option<i64>> = report
        .path
        .iter()
        .map(|hop| moment(&hop.first_abnormal).map(|t| t.timestamp()))
        .collect();
    match moment(time) {
        Some(time) if seconds.len() < report.path.len() => clock.at_millis(time),
        _ => local(time, clock),
    }
}

fn step(report: &Report, at: usize, clock: &Clock) -> Option<Step> {
    let hop = report.path.get(at)?;
    let cause = report
        .root_causes
        .first()
        .and_then(|cause| cause.service.as_ref());
    Some(Step {
        from: hop.from.clone(),
        to: hop.to.clone(),
        first: first_abnormal(report, &hop.first_abnormal, clock),
        what: hop.what.clone(),
        evidence: cited(&hop.evidence),
        spark: series_of(report, &hop.to).map(sparks),
        cause: Some(&hop.to) == cause,
    })
}

/// The curve of the calls to a service.
fn series_of<'a>(report: &'a Report, service: &str) -> Option<&'a Series> {
    let series = &report.over_time.as_ref()?.series;
    series
        .iter()
        .find(|series| !series.made && series.service == service)
}

/// Failing calls over time, or latencies where none failed.
fn sparks(series: &Series) -> (String, Vec<u64>) {
    if series.failing.iter().any(|count| *count > 0) {
        return ("failing".to_owned(), series.failing.clone());
    }
    let slow = series.p95_us.iter();
    let slow = slow.map(|us| us.and_then(|us| u64::try_from(us).ok()).unwrap_or(0));
    ("latency".to_owned(), slow.collect())
}

fn legend(report: &Report, clock: &Clock) -> Option<String> {
    let over = report.over_time.as_ref()?;
    let sampled = if over.sampled {
        ", of a sample of the calls"
    } else {
        ""
    };
    Some(format!(
        "The lines show {}{sampled}; the highest is the most of that service.",
        span(&over.start, &over.end, clock)
    ))
}
