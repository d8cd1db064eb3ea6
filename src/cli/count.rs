//! `kfl count`: exact numbers for a filter, or the plan by which they would be found.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    args::{By, CountArgs},
    order::{self, Asked, Parts},
    output,
};
use crate::{
    config::Config,
    error::AppError,
    investigation::{CountOrder, Counted, Machine, State, Task, words},
    kfl,
    progress::Show,
    query::{self, Cell, Counts, Dimension},
    report::{
        self,
        document::{Block, Document},
    },
    time::Clock,
};

/// Bins of a histogram over time where no width is wanted: as many as a screen shows.
const BINS: u64 = 30;

/// What a whole run may take beyond the counting: snapshot, dissection, a control.
const AROUND: u32 = 100;

pub(super) async fn count(config: &Config, args: &CountArgs, show: Show) -> Result<u8, AppError> {
    // A wrong filter is told before anything is started.
    if let Err(found) = kfl::check(&args.filter) {
        for diagnostic in &found {
            output::stderr(&diagnostic.render(&args.filter));
        }
        return Ok(1);
    }
    let parts = Parts {
        source: &args.source,
        time: &args.time,
        asked: Asked::Window {
            since: args.since.as_deref(),
            until: args.until.as_deref(),
        },
        snapshot: args.snapshot.named(),
        task: Task::Count(CountOrder {
            filter: args.filter.clone(),
            by: dimensions(args),
            every_ms: None,
            budget_calls: args.budget_calls,
            budget_bytes: args.budget_bytes,
            explain: args.explain,
        }),
        no_input: args.no_input,
        yes: false,
    };
    let mut order = order::order(config, "count", parts)?;
    let every = every_ms(args, order.settings.reading.window.length())?;
    if let Task::Count(count) = &mut order.settings.task {
        count.every_ms = every;
    }
    let (calls, bytes) = (
        args.budget_calls.saturating_add(AROUND),
        args.budget_bytes.saturating_mul(2),
    );
    order::at_least(&mut order.settings.playbook, calls, bytes);
    let clock = order.settings.clock();
    let machine = order::run(order, None, show).await?;
    match machine.state() {
        State::Counted(counted) if args.explain => explain(args, counted, &machine, &clock),
        State::Counted(counted) => tell(args, counted, &machine, &clock),
        State::Concluded(finding) => nothing(args, &finding.because, &finding.next),
        other => Err(order::unexpected(other)),
    }
}

/// Width of the bins; `None` where nothing is counted over time.
fn every_ms(args: &CountArgs, length: TimeDelta) -> Result<Option<u64>, AppError> {
    let over_time = args.by.contains(&By::Time) || args.every.is_some();
    match &args.every {
        Some(text) => width(text).map(Some),
        None if over_time => Ok(Some(query::fitting(length, BINS))),
        None => Ok(None),
    }
}

/// What calls are told apart by, each once.
fn dimensions(args: &CountArgs) -> Vec<Dimension> {
    let mut by = Vec::new();
    for dimension in args.by.iter().filter_map(|by| by.dimension()) {
        if !by.contains(&dimension) {
            by.push(dimension);
        }
    }
    by
}

/// ms of a width as somebody writes it.
fn width(text: &str) -> Result<u64, AppError> {
    let micros = kfl::parse_duration(text).map_err(|why| {
        AppError::usage(format!("--every cannot be read: {why}")).hint("for example --every 5m")
    })?;
    match u64::try_from(micros / 1000) {
        Ok(millis) if millis > 0 => Ok(millis),
        _ => Err(AppError::usage("--every is shorter than a millisecond")),
    }
}

impl By {
    /// What the planner calls it; time is no dimension to it.
    fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Service => Some(Dimension::DstService),
            Self::Caller => Some(Dimension::SrcService),
            Self::Namespace => Some(Dimension::DstNamespace),
            Self::Status => Some(Dimension::StatusClass),
            Self::Time => None,
        }
    }
}

/// Nothing is recorded of the window.
fn nothing(args: &CountArgs, because: &[String], next: &[String]) -> Result<u8, AppError> {
    if args.json {
        output::stdout(&output::pretty(
            &json!({ "total": null, "because": because, "next": next }),
        ))?;
    } else {
        output::stdout(&format!(
            "nothing can be counted: {}",
            report::plain(&because.join("; "))
        ))?;
        for hint in next {
            output::stderr(&format!("hint: {hint}"));
        }
    }
    Ok(3)
}

#[expect(clippy::cast_precision_loss, reason = "answers stay far below 2^52 bytes")]
fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

/// The plan, and what it may take. Nothing of it was asked.
fn explain(args: &CountArgs, counted: &Counted, machine: &Machine, clock: &Clock) -> Result<u8, AppError> {
    let plan = counted.explain(clock);
    let window = machine.case().window.map(|window| clock.window(&window));
    if args.json {
        let value = json!({
            "plan": plan,
            "window": window,
            "budget": { "calls": args.budget_calls, "bytes": args.budget_bytes },
        });
        return output::stdout(&output::pretty(&value)).map(|()| 0);
    }
    let window = window.unwrap_or_default();
    let bound = format!(
        "The counting takes {} calls and {} of answers at most (--budget-calls, --budget-bytes); the snapshot, its \
         dissection and, where nothing matches, a control come on top. What is not known by then is named with what is \
         known of it, never left out.",
        words::number(args.budget_calls.into()),
        megabytes(args.budget_bytes)
    );
    let document = Document {
        title: "A plan; nothing of it was asked".to_owned(),
        card: None,
        blocks: vec![
            Block::Heading("Before anything is counted".to_owned()),
            Block::Numbered(vec![
                format!("A snapshot that covers {window}: one that is there, else a new one, waited for."),
                "Its dissection: one that is there, else a new one, waited for. Live traffic is never asked.".to_owned(),
            ]),
            Block::Heading("What is counted, and the first questions".to_owned()),
            Block::List(plan),
            Block::Heading("What follows".to_owned()),
            Block::Paragraph(
                "The answers decide. Where the server's numbers are proven to count every match, the window is split until \
                 each cell is known: of the parts of a split all but one are counted, and few calls are listed rather than \
                 counted apart. Where they are not, rows are listed, in stretches that no answer cuts. Every filter passes \
                 the guards before it is sent."
                    .to_owned(),
            ),
            Block::Paragraph(bound),
        ],
    };
    output::stdout(&output::terminal(&document)).map(|()| 0)
}

/// What was counted, and what could not be.
fn tell(args: &CountArgs, counted: &Counted, machine: &Machine, clock: &Clock) -> Result<u8, AppError> {
    let counts = counted.counts();
    let case = machine.case();
    let status = if counts.gaps.is_empty() { 0 } else { 3 };
    let gaps: Vec<String> = counts
        .gaps
        .iter()
        .map(|gap| format!("{}: {gap}", clock.window(&gap.window)))
        .collect();
    let dimensions = case.settings.task.count().map_or(&[][..], |order| &order.by);
    if args.json {
        let rows: Vec<Value> = rows(&counts, dimensions)
            .iter()
            .map(|(cell, calls)| row_json(&counts, dimensions, cell, *calls, clock))
            .collect();
        let control = counted
            .control()
            .map(|(filter, counts)| json!({ "filter": filter, "calls": counts.total }));
        let value = json!({
            "filter": args.filter,
            "window": case.window.map(|window| json!({ "start": clock.rfc3339(window.start), "end": clock.rfc3339(window.end) })),
            "total": counts.total,
            "exact": counts.gaps.is_empty(),
            "cells": rows,
            "missing": gaps,
            "control": control,
            "counted_by": counted.counting().words(),
            "cost": { "calls": case.spent.calls, "bytes": case.spent.bytes },
        });
        output::stdout(&output::pretty(&value))?;
        return Ok(status);
    }
    let mut blocks = vec![Block::List(head(args, counted, machine, clock))];
    let over_time = counts.bins.len() > 1;
    if over_time || !dimensions.is_empty() {
        let mut head: Vec<String> = over_time.then(|| "From".to_owned()).into_iter().collect();
        head.extend(dimensions.iter().map(|dimension| capital(&dimension.to_string())));
        head.push("Calls".to_owned());
        let rows = rows(&counts, dimensions)
            .iter()
            .map(|(cell, calls)| {
                let from = counts.bins.get(cell.bin).filter(|_| over_time);
                let mut row: Vec<String> = from.map(|bin| clock.at(bin.start)).into_iter().collect();
                row.extend(cell.values.iter().map(ToString::to_string));
                row.push(words::number(*calls));
                row
            })
            .collect();
        blocks.push(Block::Table { head, rows });
        if over_time && !dimensions.is_empty() {
            blocks.push(Block::Paragraph(
                if gaps.is_empty() {
                    "What is not in the table had no calls."
                } else {
                    "What is not in the table had no calls, or is among what is missing."
                }
                .to_owned(),
            ));
        }
    }
    if !gaps.is_empty() {
        blocks.push(Block::Heading("What is missing".to_owned()));
        blocks.push(Block::List(gaps));
    }
    let document = Document {
        title: title(&counts),
        card: None,
        blocks,
    };
    output::stdout(&output::terminal(&document))?;
    Ok(status)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + chars.as_str())
        .unwrap_or_default()
}

fn title(counts: &Counts) -> String {
    let calls = |number: u64| format!("{} {}", words::number(number), words::plural(number, "call"));
    let counted = counts.counted();
    match counts.total {
        Some(total) if counted == total => calls(total),
        Some(total) => format!("{}, {} of them told apart", calls(total), words::number(counted)),
        None => format!("At least {}", calls(counted)),
    }
}

/// What the numbers are of, how they were found, and what they cost.
fn head(args: &CountArgs, counted: &Counted, machine: &Machine, clock: &Clock) -> Vec<String> {
    let (case, counts) = (machine.case(), counted.counts());
    let mut lines = Vec::new();
    if args.filter.trim().is_empty() {
        lines.push("Filter: none".to_owned());
    } else {
        lines.push(format!("Filter: {}", args.filter));
    }
    lines.extend(
        case.window
            .map(|window| format!("Window: {}", clock.window(&window))),
    );
    lines.extend(case.assumptions.iter().map(|line| format!("Assumed: {line}")));
    lines.extend(
        case.coverage
            .not_seen
            .iter()
            .map(|line| format!("Not seen: {line}")),
    );
    if counts.gaps.is_empty() {
        let how = match counts.total {
            Some(0) => "nothing matched, so there was nothing to prove the server's numbers on",
            _ => counted.counting().words(),
        };
        lines.push(format!("Exact: {how}"));
    }
    if let Some((filter, control)) = counted.control() {
        let of = if filter.is_empty() {
            "with no filter at all".to_owned()
        } else {
            format!("of {filter}")
        };
        lines.push(match control.total {
            Some(0) => {
                format!("Control: there are no calls {of} either, so this says nothing about the filter")
            }
            Some(calls) => format!("Control: there are {} calls {of}", words::number(calls)),
            None => format!("Control: whether there are calls {of} is not known"),
        });
    }
    lines.push(format!(
        "Cost: {} tool calls, {} of answers",
        case.spent.calls,
        megabytes(case.spent.bytes)
    ));
    lines
}

/// In the order of reading: by time, then the most calls first. Without dimensions, bins without calls as well.
fn rows(counts: &Counts, dimensions: &[Dimension]) -> Vec<(Cell, u64)> {
    let mut rows: Vec<(Cell, u64)> = if dimensions.is_empty() && counts.gaps.is_empty() {
        let bins = (0..counts.bins.len()).map(|bin| (bin, counts.sum(|cell| cell.bin == bin)));
        bins.map(|(bin, calls)| {
            (
                Cell {
                    bin,
                    values: Vec::new(),
                },
                calls,
            )
        })
        .collect()
    } else {
        counts
            .cells
            .iter()
            .map(|(cell, calls)| (cell.clone(), *calls))
            .collect()
    };
    rows.sort_by(|a, b| {
        (a.0.bin, std::cmp::Reverse(a.1), &a.0.values).cmp(&(b.0.bin, std::cmp::Reverse(b.1), &b.0.values))
    });
    rows
}

fn row_json(counts: &Counts, dimensions: &[Dimension], cell: &Cell, calls: u64, clock: &Clock) -> Value {
    let mut row = serde_json::Map::new();
    if let Some(bin) = counts.bins.get(cell.bin) {
        row.insert("start".to_owned(), json!(clock.rfc3339(bin.start)));
        row.insert("end".to_owned(), json!(clock.rfc3339(bin.end)));
    }
    for (dimension, value) in dimensions.iter().zip(&cell.values) {
        row.insert(dimension.to_string().replace(' ', "_"), json!(value.to_string()));
    }
    row.insert("calls".to_owned(), json!(calls));
    Value::Object(row)
}
