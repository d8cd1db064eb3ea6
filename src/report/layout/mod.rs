//! The order in which a report is read: verdict, cause, path, impact, what was ruled out, timeline,
//! coverage, what to do, evidence, cost.

mod evidence;
mod path;

use chrono::DateTime;

use super::{
    document::{Block, Card, Document, Tone},
    model::{Report, RootCause, Stretch},
    opinion,
    picture::CommonFactor,
};
use crate::{
    investigation::{Confidence, Verdict, words},
    time::{Clock, Utc, Window},
};
use evidence::evidence;
pub(super) use evidence::{cited, in_rows};
pub(super) use path::first_abnormal;
use path::path;

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
        card: Some(card(report, clock)),
        blocks: Vec::new(),
    };
    head(&mut doc, report, clock);
    path(&mut doc, report, clock);
    opinion::account(&mut doc, report);
    causes(&mut doc, report);
    opinion::second_opinion(&mut doc, report);
    if !report.next.is_empty() {
        doc.heading("What to do now");
        doc.blocks.push(Block::Numbered(report.next.clone()));
    }
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
    if !report.timeline.is_empty() {
        doc.heading("Timeline");
        let rows = report
            .timeline
            .iter()
            .map(|m| vec![m.local.clone(), m.what.clone(), cited(&m.evidence)]);
        doc.table(&["Time", "What", "Evidence"], rows.collect());
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
    coverage(&mut doc, report, clock);
    evidence(&mut doc, report, detail);
    closing(&mut doc, report);
    doc
}

/// The verdict in a few lines: when it began and ended, and who was hurt.
pub(super) fn card(report: &Report, clock: &Clock) -> Card {
    let tone = match report.verdict {
        Verdict::RootCause => Tone::Bad,
        Verdict::NoAnomaly => Tone::Good,
        Verdict::Inconclusive | Verdict::NoData => Tone::Doubtful,
    };
    let mut rows = Vec::new();
    if let Some(cause) = report.root_causes.first() {
        rows.push(("Onset".to_owned(), onset(cause, clock)));
        rows.extend(
            cause
                .ended
                .as_ref()
                .map(|ended| ("Last seen".to_owned(), local(ended, clock))),
        );
        rows.extend(
            cause
                .workload
                .as_ref()
                .map(|workload| ("Pod or node".to_owned(), workload.clone())),
        );
    }
    rows.extend(report.impact.first().map(|impact| {
        let more = match report.impact.len() {
            0 | 1 => String::new(),
            count => format!(
                "; {} more {}",
                count - 1,
                words::plural(u64::try_from(count - 1).unwrap_or(0), "service")
            ),
        };
        let who = named(&impact.service, impact.namespace.as_deref());
        ("Impact".to_owned(), format!("{who}: {}{more}", impact.what))
    }));
    Card {
        tone,
        summary: report.summary.clone(),
        rows,
    }
}

pub(super) fn onset(cause: &RootCause, clock: &Clock) -> String {
    cause.onset.as_ref().map_or_else(
        || "before the recorded traffic begins".to_owned(),
        |onset| local(onset, clock),
    )
}

pub(super) fn title(report: &Report) -> String {
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
pub fn label<T: serde::Serialize>(value: T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(|text| text.replace('_', " ")))
        .unwrap_or_default()
}

pub(super) fn named(name: &str, namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

pub(super) fn moment(time: &str) -> Option<Utc> {
    DateTime::parse_from_rfc3339(time).ok().map(|time| time.to_utc())
}

pub(super) fn local(time: &str, clock: &Clock) -> String {
    moment(time).map_or_else(|| time.to_owned(), |time| clock.at(time))
}

pub(super) fn span(start: &str, end: &str, clock: &Clock) -> String {
    match (moment(start), moment(end)) {
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
    let zone = moment(&report.window.start)
        .map_or_else(|| report.window.zone.clone(), |start| clock.zone_line(start));
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

fn causes(doc: &mut Document, report: &Report) {
    for cause in &report.root_causes {
        doc.heading("Cause");
        let service = named(
            cause.service.as_deref().unwrap_or("none"),
            cause.namespace.as_deref(),
        );
        let mut lines = vec![
            format!("Service: {service}"),
            format!("Kind: {}", label(cause.kind)),
        ];
        let optional = [("Pod or node", &cause.workload), ("Endpoint", &cause.endpoint)];
        lines.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?))),
        );
        lines.push(format!("Evidence: {}", cited(&cause.evidence)));
        doc.blocks.push(Block::List(lines));
        doc.paragraph(cause.explanation.clone());
        if !cause.factors.is_empty() {
            doc.table(
                &["Abnormal calls went", "Of abnormal", "Of good", "Lift"],
                cause.factors.iter().map(factor).collect(),
            );
        }
    }
}

fn factor(factor: &CommonFactor) -> Vec<String> {
    vec![
        format!("{} {}", factor.dimension, factor.value),
        words::of(factor.failing, factor.failing_of),
        words::of(factor.good, factor.good_of),
        format!("{:.1}×", factor.lift),
    ]
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
        "{} tool {}, {} of answers, {:.1} s in tools, {}. Case {}.",
        words::number(u64::from(cost.tool_calls)),
        words::plural(u64::from(cost.tool_calls), "call"),
        bytes(cost.bytes_in),
        cost.seconds,
        opinion::in_short(report),
        report.case
    ));
    opinion::cost(doc, report);
    if !report.repeat.is_empty() {
        doc.heading("How to repeat it");
        let lines: Vec<String> = report
            .repeat
            .iter()
            .map(|repeat| format!("# {}\n{}", repeat.what, repeat.command))
            .collect();
        doc.blocks.push(Block::Code(lines.join("\n")));
    }
}

/// 812345 as "812.3 kB".
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of answers stay far below 2^52 bytes"
)]
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}
