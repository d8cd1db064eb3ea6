//! `compare`: the same survey of several stretches, side by side.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    args::{CompareArgs, SourceArgs, TimeArgs},
    order::{self, Asked, Order, Parts},
    output, snapshots,
};
use crate::{
    analysis::{
        Drift, EdgeKey, Layer, Measured, Tally, Thresholds, Trend, drift, median_us, percentile, trend,
    },
    config::Config,
    error::{AppError, Kind},
    investigation::{Outcome, State, Task, settings::NamedSnapshot, words},
    kfl,
    progress::Show,
    report::document::{Block, Document},
    time::{Clock, Reading, Window, parse_window},
};

/// Stretches of a series, at most.
const MOST: i64 = 60;

/// Rows of a table of endpoints.
const ROWS: usize = 40;

pub(super) async fn compare(config: &Config, args: &CompareArgs, show: Show) -> Result<u8, AppError> {
    let mut later = order::order(
        config,
        "compare",
        parts(
            &args.source,
            &args.time,
            args.since.as_deref(),
            args.until.as_deref(),
            args.snapshot.named(),
            args.no_input,
        ),
    )?;
    later.settings.namespace.clone_from(&args.namespace);
    let clock = later.settings.clock();
    let window = later.settings.reading.window;
    let earlier = match (&args.baseline, &args.baseline_snapshot, &args.every, &args.last) {
        (Some(range), None, None, None) => {
            let reading = parse_window(range, None, later.settings.now, &later.settings.zone)
                .map_err(|error| AppError::usage("--baseline cannot be read").because(&error))?;
            vec![other(&later, &clock, reading.window, None)]
        }
        (None, Some(name), None, None) => {
            let whole = Window {
                start: chrono::DateTime::UNIX_EPOCH,
                end: later.settings.now,
            };
            let named = NamedSnapshot {
                name: name.clone(),
                retake: None,
            };
            let mut order = other(&later, &clock, whole, Some(named));
            order.settings.since = String::new();
            vec![order]
        }
        (None, None, Some(every), Some(last)) => series(&later, &clock, window, every, last)?,
        _ => {
            return Err(AppError::usage("there is nothing to compare with")
                .hint("--baseline 'yesterday 3pm-4pm', or --baseline-snapshot NAME, or a series: --every 1d --last 7d"));
        }
    };
    let thresholds = later.settings.playbook.survey.abnormal.clone();
    let mut measured = Vec::new();
    let mut missing = Vec::new();
    for order in earlier.into_iter().chain([later]) {
        let of = order.settings.reading.window;
        match measure(order, show).await {
            Ok((one, not_seen)) => {
                missing.extend(
                    not_seen
                        .into_iter()
                        .map(|line| format!("{}: {line}", clock.window(&one.window))),
                );
                measured.push(one);
            }
            // A series goes on without what is not recorded.
            Err(error)
                if args.every.is_some()
                    && matches!(error.kind, Kind::Environment | Kind::NoData)
                    && of != window =>
            {
                missing.push(format!("{}: {}", clock.window(&of), error.because.join("; ")));
            }
            Err(error) => return Err(error),
        }
    }
    let (Some(last), Some(first)) = (measured.last(), measured.first().filter(|_| measured.len() > 1)) else {
        return Err(AppError::environment("there is nothing to compare with").reason(missing.join("\n")).hint(
            "a series needs snapshots of its stretches: `rca-agent snapshots take` at regular intervals keeps them",
        ));
    };
    if measured.iter().all(|one| one.edges.is_empty()) {
        return Err(nothing_seen(args.namespace.as_deref()));
    }
    let rows = drifts(first, last, &thresholds);
    if args.json {
        output::stdout(&output::pretty(&in_json(&measured, &rows, &missing, &clock)))?;
    } else {
        output::stdout(&output::terminal(&document(&measured, &rows, &missing, &clock)))?;
    }
    Ok(0)
}

/// That nothing drifted where nothing was seen would be no answer.
fn nothing_seen(namespace: Option<&str>) -> AppError {
    let place = namespace.map_or_else(String::new, |name| format!(" to the namespace {name}"));
    AppError::new(
        Kind::NoData,
        format!("no request{place} was seen in any of the stretches"),
    )
    .hint("lookups and connections are not compared: `rca-agent investigate` looks at them")
    .hint("check the name and the times; `rca-agent ask 'what is there'` lists what was recorded")
}

pub(super) fn parts<'a>(
    source: &'a SourceArgs,
    time: &'a TimeArgs,
    since: Option<&'a str>,
    until: Option<&'a str>,
    snapshot: Option<NamedSnapshot>,
    no_input: bool,
) -> Parts<'a> {
    Parts {
        source,
        time,
        asked: Asked::Window { since, until },
        snapshot,
        task: Task::Measure { edges: Vec::new() },
        no_input,
        yes: false,
    }
}

/// The same order for another stretch. It shares the server, and finds the snapshots of the others.
fn other(order: &Order, clock: &Clock, window: Window, snapshot: Option<NamedSnapshot>) -> Order {
    let mut settings = order.settings.clone();
    settings.since = clock.rfc3339(window.start);
    settings.until = Some(clock.rfc3339(window.end));
    settings.reading = Reading {
        window,
        assumptions: Vec::new(),
        ambiguities: Vec::new(),
    };
    settings.snapshot = snapshot;
    Order {
        id: format!("{}-{}", order.id, window.start.timestamp()),
        created: order.created,
        settings,
        endpoint: order.endpoint.clone(),
        downloads: order.downloads.clone(),
    }
}

/// The same stretch earlier, as often as it fits, the oldest first.
fn series(
    later: &Order,
    clock: &Clock,
    window: Window,
    every: &str,
    last: &str,
) -> Result<Vec<Order>, AppError> {
    let length = |flag: &str, text: &str| -> Result<TimeDelta, AppError> {
        let days = text
            .strip_suffix('d')
            .and_then(|days| days.parse::<i64>().ok())
            .map(|days| format!("{}h", days * 24));
        let micros = kfl::parse_duration(days.as_deref().unwrap_or(text)).map_err(|why| {
            AppError::usage(format!("{flag} cannot be read: {why}")).hint("for example --every 1d --last 7d")
        })?;
        Ok(TimeDelta::microseconds(micros))
    };
    let (every, last) = (length("--every", every)?, length("--last", last)?);
    let count = last.num_seconds() / every.num_seconds().max(1);
    if every <= TimeDelta::zero() || !(1..=MOST).contains(&count) {
        return Err(
            AppError::usage(format!("a series has 1 to {MOST} stretches before the last one"))
                .hint("for example --every 1d --last 7d"),
        );
    }
    let back = |n: i64| every * i32::try_from(n).unwrap_or(i32::MAX);
    Ok((1..=count)
        .rev()
        .map(|n| {
            let earlier = Window {
                start: window.start - back(n),
                end: window.end - back(n),
            };
            other(later, clock, earlier, None)
        })
        .collect())
}

/// One stretch, and what of it was not seen.
pub(super) async fn measure(order: Order, show: Show) -> Result<(Measured, Vec<String>), AppError> {
    let machine = order::run(order, None, show).await?;
    match machine.state() {
        State::Finished(outcome) if matches!(**outcome, Outcome::Measured) => {
            let case = machine.case();
            let window = case.window.unwrap_or(case.settings.reading.window);
            let mut not_seen = case.coverage.not_seen.clone();
            not_seen.extend(case.coverage.gaps());
            Ok((
                Measured::of(&case.picture, window, case.settings.task.counted_edges()),
                not_seen,
            ))
        }
        other => Err(order::unexpected(other)),
    }
}

/// One line of a comparison.
struct Row {
    what: String,
    layer: Layer,
    endpoint: bool,
    before: Tally,
    after: Tally,
    drifts: Vec<Drift>,
    first: Option<crate::time::Utc>,
}

fn drifts(earlier: &Measured, later: &Measured, thresholds: &Thresholds) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut keys: Vec<&EdgeKey> = earlier.edges.keys().chain(later.edges.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (before, after) = (earlier.edges.get(key), later.edges.get(key));
        rows.push(Row {
            what: format!("{} → {}", key.from, key.to),
            layer: key.layer,
            endpoint: false,
            before: before.cloned().unwrap_or_default(),
            after: after.cloned().unwrap_or_default(),
            drifts: drift(before, after, (earlier, later), thresholds),
            first: later.first.get(key).copied(),
        });
    }
    let mut endpoints: Vec<&(EdgeKey, String)> =
        earlier.endpoints.keys().chain(later.endpoints.keys()).collect();
    endpoints.sort();
    endpoints.dedup();
    for key in endpoints {
        let (before, after) = (earlier.endpoints.get(key), later.endpoints.get(key));
        let drifts = drift(before, after, (earlier, later), thresholds);
        if drifts.is_empty() {
            continue;
        }
        rows.push(Row {
            what: format!("{} {}", key.0.to, key.1),
            layer: key.0.layer,
            endpoint: true,
            before: before.cloned().unwrap_or_default(),
            after: after.cloned().unwrap_or_default(),
            drifts,
            first: None,
        });
    }
    rows.sort_by_key(|row| {
        (
            row.endpoint,
            !row.drifts.iter().any(Drift::is_worse),
            row.drifts.is_empty(),
            std::cmp::Reverse(row.after.calls),
        )
    });
    rows
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn said(row: &Row, clock: &Clock) -> String {
    let said: Vec<String> = row
        .drifts
        .iter()
        .map(|drift| match drift {
            Drift::New => match row.first {
                Some(first) => format!("new, first seen {}", clock.at(first)),
                None => "new".to_owned(),
            },
            Drift::Gone => "gone".to_owned(),
            Drift::MoreFailing { before, after } => {
                format!("fails more: {} to {}", percent(*before), percent(*after))
            }
            Drift::LessFailing { before, after } => {
                format!("fails less: {} to {}", percent(*before), percent(*after))
            }
            Drift::Slower {
                percent,
                before_us,
                after_us,
            } => format!(
                "slower: p{percent} {} to {}",
                words::latency(*before_us),
                words::latency(*after_us)
            ),
            Drift::Faster {
                percent,
                before_us,
                after_us,
            } => format!(
                "faster: p{percent} {} to {}",
                words::latency(*before_us),
                words::latency(*after_us)
            ),
            Drift::Busier { factor } => format!("{factor:.1} times the calls"),
            Drift::Quieter { factor } => format!("{factor:.2} times the calls"),
        })
        .collect();
    said.join("; ")
}

/// Of lookups and connections only the failing ones are listed: their latencies are not those of all.
fn latencies(tally: &Tally, layer: Layer) -> &[i64] {
    if layer.is_request() {
        &tally.latencies_us
    } else {
        &[]
    }
}

pub(super) fn shown(tally: &Tally, layer: Layer) -> String {
    let noun = layer.counted(tally.calls);
    if tally.calls == 0 {
        return format!("no {noun}");
    }
    let latency = |at: usize| percentile(latencies(tally, layer), at).map(words::latency);
    let latencies = match (latency(50), latency(95)) {
        (Some(p50), Some(p95)) => format!(", p50 {p50}, p95 {p95}"),
        _ => String::new(),
    };
    let about = if tally.exact { "" } else { "at least " };
    format!(
        "{about}{} {noun}, {} fail{latencies}",
        words::number(tally.calls),
        percent(tally.share())
    )
}

fn document(measured: &[Measured], rows: &[Row], missing: &[String], clock: &Clock) -> Document {
    let changed = rows
        .iter()
        .filter(|row| !row.endpoint && !row.drifts.is_empty())
        .count() as u64;
    let title = if changed == 0 {
        "Nothing drifted beyond what chance explains".to_owned()
    } else {
        format!(
            "{} of {} edges drifted",
            words::number(changed),
            words::number(rows.iter().filter(|row| !row.endpoint).count() as u64)
        )
    };
    let mut lines = Vec::new();
    if let (Some(first), Some(last)) = (measured.first(), measured.last()) {
        lines.push(format!("Before: {}", clock.window(&first.window)));
        lines.push(format!("After: {}", clock.window(&last.window)));
        for (what, one) in [("before", first), ("after", last)] {
            if !one.whole {
                lines.push(format!(
                    "Of the time {what} a sample was read: what is missing there is not told"
                ));
            }
        }
    }
    lines.extend(missing.iter().map(|line| format!("Not seen: {line}")));
    lines.push("Compared are requests; lookups and connections are not".to_owned());
    let mut blocks = vec![Block::List(lines)];
    for (heading, endpoint) in [("Edges", false), ("Endpoints that drifted", true)] {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .filter(|row| row.endpoint == endpoint)
            .take(ROWS)
            .map(|row| {
                let change = if row.drifts.is_empty() {
                    "nothing beyond chance".to_owned()
                } else {
                    said(row, clock)
                };
                vec![
                    row.what.clone(),
                    shown(&row.before, row.layer),
                    shown(&row.after, row.layer),
                    change,
                ]
            })
            .collect();
        if !rows.is_empty() {
            blocks.push(Block::Heading(heading.to_owned()));
            blocks.push(Block::Table {
                head: ["Edge", "Before", "After", "Change"].map(str::to_owned).to_vec(),
                rows,
            });
        }
    }
    if measured.len() > 2 {
        series_blocks(&mut blocks, measured, clock);
    }
    Document {
        title,
        card: None,
        blocks,
    }
}

/// Every edge over the series: its values, and whether they go one way.
fn trends(measured: &[Measured]) -> Vec<(String, &'static str, Vec<f64>, Trend)> {
    let mut keys: Vec<&EdgeKey> = measured.iter().flat_map(|one| one.edges.keys()).collect();
    keys.sort();
    keys.dedup();
    let mut trends = Vec::new();
    for key in keys {
        let tallies = || measured.iter().filter_map(|one| one.edges.get(key));
        let shares: Vec<f64> = tallies().map(|tally| tally.share() * 100.0).collect();
        #[expect(clippy::cast_precision_loss, reason = "latencies in µs stay far below 2^52")]
        let medians: Vec<f64> = tallies()
            .filter_map(median_us)
            .map(|us| us as f64 / 1e3)
            .collect();
        let name = format!("{} → {}", key.from, key.to);
        for (what, values) in [("failing, %", shares), ("p50, ms", medians)] {
            let way = trend(&values);
            trends.push((name.clone(), what, values, way));
        }
    }
    trends.sort_by_key(|(.., way)| *way == Trend::None);
    trends
}

fn way(trend: Trend) -> &'static str {
    match trend {
        Trend::Rising => "rising",
        Trend::Falling => "falling",
        Trend::None => "no trend",
    }
}

fn series_blocks(blocks: &mut Vec<Block>, measured: &[Measured], clock: &Clock) {
    blocks.push(Block::Heading("The series".to_owned()));
    blocks.push(Block::List(
        measured
            .iter()
            .map(|one| {
                let calls = one.edges.values().map(|tally| tally.calls).sum();
                format!("{}: {} calls", clock.window(&one.window), words::number(calls))
            })
            .collect(),
    ));
    blocks.push(Block::Table {
        head: ["Edge", "What", "Values", "Trend"].map(str::to_owned).to_vec(),
        rows: trends(measured)
            .into_iter()
            .take(ROWS)
            .map(|(edge, what, values, trend)| {
                let values: Vec<String> = values.iter().map(|value| format!("{value:.1}")).collect();
                vec![edge, what.to_owned(), values.join(", "), way(trend).to_owned()]
            })
            .collect(),
    });
}

pub(super) fn tally_json(tally: &Tally, layer: Layer) -> Value {
    let latencies = latencies(tally, layer);
    json!({
        "calls": tally.calls, "failing": tally.failing, "exact": tally.exact,
        "p50_us": percentile(latencies, 50), "p95_us": percentile(latencies, 95),
    })
}

fn in_json(measured: &[Measured], rows: &[Row], missing: &[String], clock: &Clock) -> Value {
    json!({
        "windows": measured.iter().map(|one| snapshots::window_json(&one.window, clock)).collect::<Vec<_>>(),
        "rows": rows.iter().map(|row| json!({
            "what": row.what, "of": if row.endpoint { "endpoint" } else { "edge" },
            "before": tally_json(&row.before, row.layer), "after": tally_json(&row.after, row.layer),
            "change": said(row, clock), "worse": row.drifts.iter().any(Drift::is_worse),
        })).collect::<Vec<_>>(),
        "series": if measured.len() > 2 {
            trends(measured).into_iter().map(|(edge, what, values, trend)| json!({
                "edge": edge, "what": what, "values": values, "trend": way(trend),
            })).collect::<Vec<_>>()
        } else { Vec::new() },
        "not_seen": missing,
    })
}
