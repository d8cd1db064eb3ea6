//! The order in which a report is read: verdict, cause, path, impact, what was ruled out, timeline,
//! coverage, what to do, evidence, cost.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::Value;

use super::{
    document::{Block, Document},
    model::{Evidence, Report, Stretch},
};
use crate::{
    investigation::{Confidence, Verdict, words},
    time::{Clock, Utc, Window},
};

/// How much of the evidence is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What the cause and the path rest on: for a terminal, where the verdict is not to scroll away.
    Brief,
    /// What any claim rests on.
    Full,
}

/// Lays a report out. `clock` renders the times that the report holds.
pub fn document(report: &Report, clock: &Clock, detail: Detail) -> Document {
    let mut doc = Document {
        title: title(report),
        blocks: Vec::new(),
    };
    doc.paragraph(report.summary.clone());
    head(&mut doc, report, clock);
    causes(&mut doc, report, clock);
    path(&mut doc, report, clock);
    if !report.impact.is_empty() {
        doc.heading("Impact");
        let rows = report.impact.iter().map(|i| {
            vec![
                named(&i.service, i.namespace.as_deref()),
                i.what.clone(),
                cited(&i.evidence),
            ]
        });
        doc.table(&["Service", "What", "Evidence"], rows.collect());
    }
    if !report.ruled_out.is_empty() {
        doc.heading("Ruled out");
        let rows = report.ruled_out.iter().map(|r| {
            vec![
                named(&r.service, r.namespace.as_deref()),
                r.reason.clone(),
                cited(&r.evidence),
            ]
        });
        doc.table(&["Service", "Why", "Evidence"], rows.collect());
    }
    if !report.timeline.is_empty() {
        doc.heading("Timeline");
        let rows = report
            .timeline
            .iter()
            .map(|m| vec![m.local.clone(), m.what.clone(), cited(&m.evidence)]);
        doc.table(&["Time", "What", "Evidence"], rows.collect());
    }
    if !report.next.is_empty() {
        doc.heading("What to do now");
        doc.blocks.push(Block::Numbered(report.next.clone()));
    }
    coverage(&mut doc, report, clock);
    evidence(&mut doc, report, detail);
    closing(&mut doc, report);
    doc
}

fn title(report: &Report) -> String {
    let verdict = match report.verdict {
        Verdict::RootCause => match report.root_causes.first() {
            Some(cause) => {
                let name = named(
                    cause.service.as_deref().unwrap_or("a node"),
                    cause.namespace.as_deref(),
                );
                format!("Root cause: {name}, {}", label(cause.kind))
            }
            None => "Root cause".to_owned(),
        },
        Verdict::NoAnomaly => "No anomaly".to_owned(),
        Verdict::Inconclusive => "Inconclusive".to_owned(),
        Verdict::NoData => "No data".to_owned(),
    };
    let confidence = match report.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    format!("{verdict} ({confidence} confidence)")
}

/// A value of the schema in words: `app_error` as "app error".
fn label<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(|text| text.replace('_', " ")))
        .unwrap_or_default()
}

fn named(name: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

fn at(time: &str) -> Option<Utc> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.to_utc())
}

fn local(time: &str, clock: &Clock) -> String {
    at(time).map_or_else(|| time.to_owned(), |time| clock.at(time))
}

fn span(start: &str, end: &str, clock: &Clock) -> String {
    match (at(start), at(end)) {
        (Some(start), Some(end)) => clock.window(&Window { start, end }),
        _ => format!("{start} to {end}"),
    }
}

fn head(doc: &mut Document, report: &Report, clock: &Clock) {
    let mut lines = Vec::new();
    if !report.question.is_empty() {
        lines.push(format!("Question: {}", report.question));
    }
    lines.push(format!(
        "Window: {}",
        span(&report.window.start, &report.window.end, clock)
    ));
    let zone =
        at(&report.window.start).map_or_else(|| report.window.zone.clone(), |start| clock.zone_line(start));
    let beside = if zone.contains('(') {
        ", UTC in parentheses"
    } else {
        ""
    };
    lines.push(format!("Times: {zone}{beside}"));
    lines.extend(report.about.iter().map(|about| format!("Asked about {about}")));
    let label = match report.verdict {
        Verdict::RootCause | Verdict::NoAnomaly => "Doubt",
        Verdict::Inconclusive | Verdict::NoData => "Because",
    };
    lines.extend(report.because.iter().map(|reason| format!("{label}: {reason}")));
    lines.extend(
        report
            .window
            .assumptions
            .iter()
            .map(|assumption| format!("Assumed: {assumption}")),
    );
    doc.blocks.push(Block::List(lines));
}

fn causes(doc: &mut Document, report: &Report, clock: &Clock) {
    for cause in &report.root_causes {
        doc.heading("Cause");
        let mut rows = vec![
            vec![
                "Service".to_owned(),
                named(
                    cause.service.as_deref().unwrap_or("none"),
                    cause.namespace.as_deref(),
                ),
            ],
            vec!["Kind".to_owned(), label(cause.kind)],
        ];
        let optional = [("Pod or node", &cause.workload), ("Endpoint", &cause.endpoint)];
        rows.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some(vec![name.to_owned(), value.clone()?])),
        );
        let onset = cause.onset.as_ref().map_or_else(
            || "before the recorded traffic begins".to_owned(),
            |onset| local(onset, clock),
        );
        rows.push(vec!["Onset".to_owned(), onset]);
        if let Some(ended) = &cause.ended {
            rows.push(vec!["Last seen".to_owned(), local(ended, clock)]);
        }
        rows.push(vec!["Evidence".to_owned(), cited(&cause.evidence)]);
        doc.table(&["", ""], rows);
        doc.paragraph(cause.explanation.clone());
    }
}

fn path(doc: &mut Document, report: &Report, clock: &Clock) {
    if report.path.is_empty() {
        return;
    }
    doc.heading("How it spread, from where it was noticed to the cause");
    // Hops often follow within a second: then milliseconds tell the order.
    let seconds: BTreeSet<Option<i64>> = report
        .path
        .iter()
        .map(|hop| at(&hop.first_abnormal).map(|t| t.timestamp()))
        .collect();
    let first = |time: &str| match at(time) {
        Some(time) if seconds.len() < report.path.len() => clock.at_millis(time),
        _ => local(time, clock),
    };
    let rows = report.path.iter().map(|hop| {
        vec![
            format!("{} → {}", hop.from, hop.to),
            first(&hop.first_abnormal),
            hop.what.clone(),
            cited(&hop.evidence),
        ]
    });
    doc.table(&["Hop", "First abnormal", "What", "Evidence"], rows.collect());
}

fn coverage(doc: &mut Document, report: &Report, clock: &Clock) {
    doc.heading("Coverage");
    let coverage = &report.coverage;
    let held = |stretch: &Option<Stretch>| {
        stretch
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), |s| span(&s.start, &s.end, clock))
    };
    let entries = coverage
        .entries
        .map(|n| format!(", {} calls and connections", words::number(n)))
        .unwrap_or_default();
    let mut lines = vec![
        format!(
            "Asked: {}",
            span(&coverage.asked.start, &coverage.asked.end, clock)
        ),
        format!("Captured: {}", held(&coverage.captured)),
        format!("Dissected: {}{entries}", held(&coverage.dissected)),
    ];
    lines.extend(coverage.retention.iter().map(|line| format!("Buffers: {line}")));
    lines.extend(coverage.not_seen.iter().map(|gap| format!("Not seen: {gap}")));
    lines.extend(coverage.truncated.iter().map(|gap| format!("Cut short: {gap}")));
    lines.extend(report.refusals.iter().map(|refusal| {
        let times = if refusal.times == 1 {
            "once".to_owned()
        } else {
            format!("{} times", refusal.times)
        };
        format!("Refused {times} by the guard {}: {}", refusal.guard, refusal.why)
    }));
    doc.blocks.push(Block::List(lines));
}

/// Evidence that a claim cites; the rest is in report.json.
/// Evidence ids in the order of their numbers, three and more in a row as a range: "E3 E6–E9".
fn cited(ids: &[String]) -> String {
    let mut numbers: Vec<u64> = ids
        .iter()
        .filter_map(|id| id.strip_prefix('E')?.parse().ok())
        .collect();
    if numbers.len() != ids.len() {
        return ids.join(" ");
    }
    numbers.sort_unstable();
    numbers.dedup();
    let rows = numbers.chunk_by(|a, b| a + 1 == *b);
    rows.map(|row| match row {
        [first, _, .., last] => format!("E{first}–E{last}"),
        _ => row.iter().map(|n| format!("E{n}")).collect::<Vec<_>>().join(" "),
    })
    .collect::<Vec<_>>()
    .join(" ")
}

fn evidence(doc: &mut Document, report: &Report, detail: Detail) {
    let mut lists: Vec<&Vec<String>> = report
        .root_causes
        .iter()
        .map(|cause| &cause.evidence)
        .chain(report.path.iter().map(|hop| &hop.evidence))
        .collect();
    if detail == Detail::Full {
        lists.extend(report.impact.iter().map(|impact| &impact.evidence));
        lists.extend(report.ruled_out.iter().map(|out| &out.evidence));
        lists.extend(report.timeline.iter().map(|moment| &moment.evidence));
    }
    let cited: BTreeSet<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    let shown: Vec<&Evidence> = report
        .evidence
        .iter()
        .filter(|evidence| cited.contains(evidence.id.as_str()))
        .collect();
    if shown.is_empty() {
        return;
    }
    doc.heading("Evidence");
    let rows = shown.iter().map(|evidence| {
        let hash: String = evidence.result_sha256.chars().take(12).collect();
        vec![evidence.id.clone(), evidence.tool.clone(), facts(evidence), hash]
    });
    doc.table(&["Id", "Tool", "Facts", "SHA-256"], rows.collect());
    let others = report.evidence.len().saturating_sub(shown.len());
    if others > 0 {
        let which = match detail {
            Detail::Brief => "more results",
            Detail::Full => "more results that no claim rests on",
        };
        doc.paragraph(format!("{others} {which} are in report.json and in the journal."));
    }
    doc.heading("Queries to run again");
    let queries: Vec<String> = shown
        .iter()
        .map(|evidence| format!("{:<5}{}", evidence.id, query(evidence)))
        .collect();
    doc.blocks.push(Block::Code(queries.join("\n")));
}

/// The tool and its arguments but for the snapshot, which is the same for all.
fn query(evidence: &Evidence) -> String {
    let arguments: Vec<String> = evidence
        .arguments
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            !matches!(name.as_str(), "snapshot_id" | "snapshot" | "db") && !value.is_null()
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {}", evidence.tool, arguments.join(" "))
}

fn facts(evidence: &Evidence) -> String {
    let shown = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        Value::Number(number) => Some(number.as_u64().map_or_else(|| number.to_string(), words::number)),
        other => Some(other.to_string()),
    };
    let facts: Vec<String> = evidence
        .facts
        .iter()
        // Times are told in the timeline, in local time.
        .filter(|(name, _)| {
            !matches!(
                name.as_str(),
                "onset" | "first" | "at" | "start" | "end" | "oldest" | "newest"
            )
        })
        .filter_map(|(name, value)| Some(format!("{} {}", name.replace('_', " "), shown(value)?)))
        .collect();
    facts.join(", ")
}

fn closing(doc: &mut Document, report: &Report) {
    if !report.attachments.is_empty() {
        doc.heading("Attachments");
        doc.blocks.push(Block::List(
            report
                .attachments
                .iter()
                .map(|a| format!("{}: {}", a.file, a.what))
                .collect(),
        ));
    }
    doc.heading("Cost");
    let cost = &report.cost;
    doc.paragraph(format!(
        "{} tool {}, {} of answers, {:.1} s in tools, no model. Case {}.",
        words::number(u64::from(cost.tool_calls)),
        words::plural(u64::from(cost.tool_calls), "call"),
        bytes(cost.bytes_in),
        cost.seconds,
        report.case
    ));
}

/// 812345 as "812.3 kB".
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of answers stay far below 2^52 bytes"
)]
fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
