//! `confirm`: a case's path again after its fix, beside before and during.

use serde_json::json;

use super::{
    args::{ConfirmArgs, TimeArgs},
    compare::{measure, parts, shown, tally_json},
    order::{self, Order},
    output, run, snapshots, source, verify,
};
use crate::{
    analysis::{EdgeKey, Measured, Tally, Thresholds, compare as change, likely},
    config::Config,
    error::{AppError, Kind},
    investigation::{
        Case, Finding, State,
        settings::{NamedSnapshot, Source},
    },
    journal::{self, Recording},
    progress::Show,
    report::document::{Block, Document},
    time::Clock,
};

/// How a hop of a finding's path is after the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// As it was before the incident.
    Mended,
    Abnormal,
    /// Too few calls to tell.
    Unknown,
}

/// A hop, and how it is now.
type Looked<'a> = (&'a EdgeKey, Tally, After);

pub(super) async fn confirm(config: &Config, args: &ConfirmArgs, show: Show) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, &args.case)?;
    let recording = journal::read(&dir).map_err(|error| run::journal_error(&error, &dir))?;
    let (machine, _, _) = run::replayed(&dir, &mut crate::driver::Unwatched).await?;
    let case = machine.case();
    let State::Concluded(finding) = machine.state() else {
        return Err(AppError::environment(format!(
            "the case `{}` has no finding to confirm",
            case.id
        )));
    };
    let edges = path(case, finding);
    if edges.is_empty() {
        return Err(AppError::environment(format!(
            "the case `{}` has no path of requests to look at again",
            case.id
        ))
        .hint("`rca-agent investigate` looks at a fresh window on its own"));
    }
    let order = again(config, args, case, &recording)?;
    let clock = order.settings.clock();
    let thresholds = order.settings.playbook.survey.abnormal.clone();
    let (measured, not_seen) = measure(order, show).await?;
    let looked: Vec<Looked<'_>> = edges
        .into_iter()
        .map(|key| {
            let after = measured.edges.get(key).cloned().unwrap_or_default();
            let before = case.picture.edges.get(key).map(|edge| &edge.before);
            let how = judged(before, &after, &thresholds);
            (key, after, how)
        })
        .collect();
    tell(args, case, &looked, &measured, &not_seen, &clock)
}

/// The edges of requests along a finding's path.
fn path<'a>(case: &'a Case, finding: &Finding) -> Vec<&'a EdgeKey> {
    let along = |key: &&EdgeKey| {
        key.layer.is_request()
            && finding
                .path
                .iter()
                .any(|hop| key.from == hop.from && key.to == hop.to)
    };
    case.picture.edges.keys().filter(along).collect()
}

/// The fresh window, on the server of the case.
fn again(config: &Config, args: &ConfirmArgs, case: &Case, recording: &Recording) -> Result<Order, AppError> {
    let time = TimeArgs {
        tz: args
            .time
            .tz
            .clone()
            .or_else(|| Some(case.settings.zone.name().to_owned())),
        now: args.time.now.clone(),
    };
    let since = args.since.clone().unwrap_or_else(|| "15 minutes ago".to_owned());
    let parts = parts(
        &args.source,
        &time,
        Some(&since),
        args.until.as_deref(),
        args.snapshot.named(),
        args.no_input,
    );
    let mut order = if source::is_named(&args.source) {
        order::order(config, "confirm", parts)?
    } else {
        order::order_at(config, "confirm", case.settings.source.clone(), parts)?
    };
    order.settings.namespace.clone_from(&case.settings.namespace);
    // Of a recording the snapshot of the case may still hold the time after it.
    if let (Some((reference, Some(taken))), Source::Capture { .. } | Source::Demo { .. }) =
        (verify::snapshot(recording), &order.settings.source)
        && taken.covers(&order.settings.reading.window)
    {
        order.settings.snapshot = Some(NamedSnapshot {
            name: reference.name,
            retake: Some(taken),
        });
    }
    Ok(order)
}

fn tell(
    args: &ConfirmArgs,
    case: &Case,
    looked: &[Looked<'_>],
    measured: &Measured,
    not_seen: &[String],
    clock: &Clock,
) -> Result<u8, AppError> {
    let overall = if looked.iter().any(|(.., after)| *after == After::Abnormal) {
        After::Abnormal
    } else if looked.iter().all(|(.., after)| *after == After::Mended) {
        After::Mended
    } else {
        After::Unknown
    };
    let title = match overall {
        After::Mended => format!("Case {} is mended", case.id),
        After::Abnormal => format!("Case {} is not mended", case.id),
        After::Unknown => format!("Whether case {} is mended cannot be told", case.id),
    };
    let status = match overall {
        After::Mended => 0,
        After::Abnormal => Kind::Diverged.status(),
        After::Unknown => 3,
    };
    let rows = looked.iter().map(|(key, after, how)| {
        let edge = case.picture.edges.get(*key);
        let of = |tally: Option<&Tally>| tally.map_or_else(|| "no call".to_owned(), shown);
        let how = match how {
            After::Mended => "as before",
            After::Abnormal => "still abnormal",
            After::Unknown => "too few calls to tell",
        };
        vec![
            format!("{} → {}", key.from, key.to),
            of(edge.map(|edge| &edge.before)),
            of(edge.map(|edge| &edge.during)),
            shown(after),
            how.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if args.json {
        let value = json!({
            "case": case.id, "mended": match overall { After::Mended => Some(true), After::Abnormal => Some(false), After::Unknown => None },
            "window": snapshots::window_json(&measured.window, clock),
            "hops": looked.iter().map(|(key, after, how)| json!({
                "edge": format!("{} → {}", key.from, key.to),
                "before": case.picture.edges.get(*key).map(|edge| tally_json(&edge.before)),
                "during": case.picture.edges.get(*key).map(|edge| tally_json(&edge.during)),
                "after": tally_json(after), "abnormal": *how == After::Abnormal,
            })).collect::<Vec<_>>(),
            "not_seen": not_seen,
        });
        output::stdout(&output::pretty(&value))?;
        return Ok(status);
    }
    let mut lines = Vec::new();
    lines.extend(
        case.window
            .map(|window| format!("The incident: {}", clock.window(&window))),
    );
    lines.push(format!("Looked at now: {}", clock.window(&measured.window)));
    lines.extend(not_seen.iter().map(|line| format!("Not seen: {line}")));
    output::stdout(&output::terminal(&Document {
        title,
        card: None,
        blocks: vec![
            Block::List(lines),
            Block::Table {
                head: ["Hop", "Before", "During", "After", "Now"]
                    .map(str::to_owned)
                    .to_vec(),
                rows,
            },
        ],
    }))?;
    Ok(status)
}

/// Fewer calls without a failure say little.
const ENOUGH: u64 = 5;

fn judged(before: Option<&Tally>, after: &Tally, thresholds: &Thresholds) -> After {
    let nothing = Tally::default();
    let before = before.unwrap_or(&nothing);
    let counts = |tally: &Tally| (tally.failing, tally.calls);
    if after.calls > 0 && change(before, after, thresholds).is_abnormal() {
        After::Abnormal
    } else if after.calls < ENOUGH || likely(counts(before), counts(after)) {
        // That nothing is shown to be wrong does not show that it is mended.
        After::Unknown
    } else {
        After::Mended
    }
}
