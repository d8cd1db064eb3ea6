//! `benchmark`: investigates incidents whose cause is known, and says how often it was found.

use std::time::Instant;

use comfy_table::{ContentArrangement, Table, presets};

use super::{
    args::{BenchmarkArgs, ModelArgs, OutputArgs, RunArgs},
    investigate::{self, Moment, Plan},
    output, run,
};
use crate::{
    benchmark::{self, Incident, Outcome, RULES, Ranked},
    config::Config,
    driver::Unwatched,
    error::AppError,
    investigation::{Verdict, settings::Source},
    journal::Recording,
    progress::{Progress, Show},
    time::Reading,
};

pub(super) async fn benchmark(config: &Config, args: &BenchmarkArgs, show: Show) -> Result<u8, AppError> {
    let root = &args.path;
    let mut incidents = benchmark::incidents(root).map_err(|error| {
        AppError::usage(format!("there are no incidents in `{}`", root.display())).because(&error)
    })?;
    incidents.retain(|incident| {
        args.only
            .as_ref()
            .is_none_or(|only| incident.name.contains(only.as_str()))
    });
    if incidents.is_empty() {
        return Err(AppError::usage("no incident has such a name"));
    }
    let scratch = tempfile::tempdir()
        .map_err(|error| AppError::environment("could not make a directory for the cases").because(&error))?;
    let progress = Progress::new(show);
    let mut outcomes = Vec::new();
    for incident in &incidents {
        let outcome = measure(config, incident, args, scratch.path()).await?;
        progress.line(&line(&outcome));
        outcomes.push(outcome);
    }
    let text = if args.json {
        output::pretty(&serde_json::json!({
            "cases": outcomes.iter().map(as_json).collect::<Vec<_>>(),
            "summary": benchmark::summary(&outcomes).iter().map(|line| serde_json::json!({
                "kind": line.kind, "cases": line.cases, "top_1": line.top_1, "top_3": line.top_3, "mrr": line.mrr,
                "wrong": line.wrong, "inconclusive": line.inconclusive,
            })).collect::<Vec<_>>(),
        }))
    } else {
        rendered(&outcomes, &benchmark::published(root))
    };
    output::stdout(&text).map(|()| 0)
}

/// Investigates one incident like any other, in a directory that goes with it.
async fn measure(
    config: &Config,
    incident: &Incident,
    args: &BenchmarkArgs,
    scratch: &std::path::Path,
) -> Result<Outcome, AppError> {
    let created = investigate::system_now();
    let moment = Moment {
        zone: config.system_zone,
        now: created,
        notes: Vec::new(),
    };
    let source = Source::Capture {
        path: incident.source.display().to_string(),
    };
    let plan = Plan {
        question: incident.question.clone(),
        source,
        since: incident.window.start.to_rfc3339(),
        until: Some(incident.window.end.to_rfc3339()),
        reading: Reading {
            window: incident.window,
            assumptions: Vec::new(),
            ambiguities: Vec::new(),
        },
        snapshot: None,
        unread: None,
        baseline: incident.baseline.filter(|_| !args.own_baseline),
        namespace: None,
        service: None,
    };
    let limits = RunArgs {
        no_input: true,
        cases: Some(args.keep.clone().unwrap_or_else(|| scratch.join(&incident.name))),
        model: ModelArgs {
            // What is measured is the analysis.
            model: Some("none".to_owned()),
            ..ModelArgs::default()
        },
        ..RunArgs::default()
    };
    let start = investigate::prepare(
        config,
        plan,
        moment,
        created,
        &limits,
        &OutputArgs::default(),
        Show::Nothing,
    )?;
    let began = Instant::now();
    let (machine, report) = run::concluded(start, Recording::nothing(), &mut Unwatched).await?;
    let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let case = machine.case();
    let rules = RULES
        .iter()
        .map(|rule| {
            rule.ranking(&case.picture)
                .iter()
                .position(|party| {
                    incident
                        .wanted
                        .iter()
                        .any(|wanted| wanted.is(Some(&party.name), None))
                })
                .map(|at| at + 1)
        })
        .collect();
    let outcome = Outcome {
        name: incident.name.clone(),
        kind: incident.kind.clone(),
        wanted: incident.wanted.clone(),
        verdict: report.verdict,
        ranking: report
            .suspects
            .iter()
            .map(|suspect| Ranked {
                service: suspect.service.clone(),
                workload: suspect.workload.clone(),
            })
            .collect(),
        probability: report.probability,
        said_kind: report
            .root_causes
            .first()
            .and_then(|cause| serde_json::to_value(cause.kind).ok()?.as_str().map(str::to_owned)),
        rules,
        calls: report.cost.tool_calls,
        bytes: report.cost.bytes_in,
        own_ms: took.saturating_sub(case.spent.millis),
    };
    if args.keep.is_none() {
        // The bodies of one incident are tens of megabytes.
        let _ = std::fs::remove_dir_all(scratch.join(&incident.name));
    }
    Ok(outcome)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RootCause => "root cause",
        Verdict::NoAnomaly => "no anomaly",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NoData => "no data",
    }
}

fn place(rank: Option<usize>) -> String {
    rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())
}

fn name(service: Option<&str>, workload: Option<&str>) -> String {
    service.or(workload).unwrap_or("nobody").to_owned()
}

fn wanted(outcome: &Outcome) -> String {
    let names: Vec<String> = outcome
        .wanted
        .iter()
        .map(|wanted| name(wanted.service.as_deref(), wanted.workload.as_deref()))
        .collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(" or ")
    }
}

fn line(outcome: &Outcome) -> String {
    let said = outcome.ranking.first().map_or_else(
        || "nobody".to_owned(),
        |first| name(first.service.as_deref(), first.workload.as_deref()),
    );
    format!(
        "{} {}: {} {said} (wanted {}, rank {})",
        if outcome.right() { "✓" } else { "✗" },
        outcome.name,
        word(outcome.verdict),
        wanted(outcome),
        place(outcome.rank()),
    )
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    serde_json::json!({
        "name": outcome.name,
        "kind": outcome.kind,
        "wanted": outcome.wanted.iter().map(|wanted| wanted.service.as_ref().or(wanted.workload.as_ref())).collect::<Vec<_>>(),
        "verdict": outcome.verdict,
        "ranking": outcome.ranking.iter().map(|one| one.service.as_ref().or(one.workload.as_ref())).collect::<Vec<_>>(),
        "rank": outcome.rank(),
        "right": outcome.right(),
        "probability": outcome.probability,
        "kind_said": outcome.said_kind,
        "simple_rules": RULES.iter().zip(&outcome.rules).map(|(rule, rank)| (rule.name.to_owned(), serde_json::json!(rank))).collect::<serde_json::Map<_, _>>(),
        "tool_calls": outcome.calls,
        "bytes": outcome.bytes,
        "own_ms": outcome.own_ms,
    })
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

#[expect(clippy::cast_precision_loss, reason = "bytes shown in MB")]
fn rendered(outcomes: &[Outcome], published: &[String]) -> String {
    let mut header = vec![
        "incident",
        "kind",
        "wanted",
        "rank",
        "verdict",
        "sure",
        "kind said",
    ];
    header.extend(RULES.iter().map(|rule| rule.name));
    header.extend(["calls", "MB", "own ms"]);
    let mut cases = table(&header);
    for outcome in outcomes {
        let mut row = vec![
            outcome.name.clone(),
            outcome.kind.clone(),
            wanted(outcome),
            place(outcome.rank()),
            format!(
                "{}{}",
                word(outcome.verdict),
                if outcome.wrong() { " (wrong)" } else { "" }
            ),
            format!("{:.2}", outcome.probability),
            outcome.said_kind.clone().unwrap_or_default(),
        ];
        row.extend(outcome.rules.iter().map(|rank| place(*rank)));
        row.extend([
            outcome.calls.to_string(),
            format!("{:.1}", outcome.bytes as f64 / 1e6),
            outcome.own_ms.to_string(),
        ]);
        cases.add_row(row);
    }
    let mut kinds = table(&[
        "kind",
        "cases",
        "top-1",
        "top-3",
        "MRR",
        "wrong cause",
        "none reported",
    ]);
    for line in benchmark::summary(outcomes) {
        let share = |count: usize| {
            format!(
                "{count} ({:.1} %)",
                100.0 * count as f64 / line.cases.max(1) as f64
            )
        };
        kinds.add_row(vec![
            line.kind.clone(),
            line.cases.to_string(),
            share(line.top_1),
            share(line.top_3),
            format!("{:.3}", line.mrr),
            line.wrong.to_string(),
            line.inconclusive.to_string(),
        ]);
    }
    let mut text = format!("{cases}\n\n{kinds}");
    if !published.is_empty() {
        text.push_str("\n\nPublished figures, as the incidents' README has them:\n");
        text.push_str(&published.join("\n"));
    }
    text
}
