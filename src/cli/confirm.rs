//! `confirm`: a case's path again after its fix, beside before and during.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    args::{ConfirmArgs, TimeArgs},
    compare::{measure, parts, shown, tally_json},
    investigate,
    order::{self, Order},
    output, run, snapshots, source, verify,
};
use crate::{
    analysis::{Edge, EdgeKey, Measured, Recovery, Stretch, Suspect, Tally, Thresholds, recovery},
    config::Config,
    error::{AppError, Kind},
    investigation::{
        Case, Finding, State,
        settings::{NamedSnapshot, Source, Task},
    },
    journal::{self, Recording},
    progress::Show,
    report::document::{Block, Document},
    time::{Clock, Window},
};

/// A hop, and how it is now.
type Looked<'a> = (&'a EdgeKey, Tally, Recovery);

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
        return Err(
            AppError::environment(format!("the case `{}` has no path to look at again", case.id))
                .hint("`rca-agent investigate` looks at a fresh window on its own"),
        );
    }
    let mut order = again(config, args, case, &recording)?;
    order.settings.task = Task::Measure {
        edges: edges.iter().map(|key| (*key).clone()).collect(),
    };
    let clock = order.settings.clock();
    let thresholds = order.settings.playbook.survey.abnormal.clone();
    let (measured, not_seen) = measure(order, show).await?;
    let looked = looked(case, edges, &measured, &thresholds);
    tell(args, case, &looked, &measured, &not_seen, &clock)
}

/// The edges along a finding's path: whatever requests go that way, and lookups and connections where they are a hop.
fn path<'a>(case: &'a Case, finding: &Finding) -> Vec<&'a EdgeKey> {
    let along = |key: &&EdgeKey| {
        finding.path.iter().any(|hop| {
            let same = key.from == hop.from && key.to == hop.to;
            same && (key.layer.is_request() || key.layer == hop.layer)
        })
    };
    let place = |key: &EdgeKey| {
        let hops = &mut finding.path.iter();
        hops.position(|hop| key.from == hop.from && key.to == hop.to)
    };
    let mut edges: Vec<&EdgeKey> = case.picture.edges.keys().filter(along).collect();
    if edges.is_empty() {
        // Nobody was hurt that calls were seen of, as where a job no longer runs: what the cause was told by.
        let causes = |suspect: &&Suspect| finding.causes.iter().any(|cause| cause.party == suspect.party);
        let suspects = case.diagnosis.suspects.iter().filter(causes);
        edges = suspects.flat_map(|suspect| &suspect.edges).collect();
        edges.dedup();
    }
    edges.sort_by_key(|key| (place(key), key.layer));
    edges
}

/// Every hop now, from the callers down: what is known of a hop helps to tell the next one.
fn looked<'a>(
    case: &Case,
    edges: Vec<&'a EdgeKey>,
    measured: &Measured,
    thresholds: &Thresholds,
) -> Vec<Looked<'a>> {
    let over = |windows: &[Window]| {
        windows
            .iter()
            .fold(TimeDelta::zero(), |sum, one| sum + one.length())
    };
    let (before_length, during_length) = (over(&case.baseline()), over(case.window.as_slice()));
    let nothing = Edge::default();
    let mut looked: Vec<Looked<'a>> = Vec::new();
    for key in edges {
        let edge = case.picture.edges.get(key).unwrap_or(&nothing);
        let after = measured.edges.get(key).cloned().unwrap_or_default();
        let callers_mended = looked
            .iter()
            .any(|(caller, _, how)| caller.to == key.from && *how == Recovery::Mended);
        let of = |tally, length| Stretch { tally, length };
        let how = recovery(
            of(&edge.before, before_length),
            of(&edge.during, during_length),
            of(&after, measured.window.length()),
            callers_mended,
            thresholds,
        );
        looked.push((key, after, how));
    }
    looked
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
    let since = match &args.since {
        Some(since) => since.clone(),
        None => since(case, config, &time)?,
    };
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

/// A quarter of an hour, or what is over since the incident where that is less.
fn since(case: &Case, config: &Config, time: &TimeArgs) -> Result<String, AppError> {
    const LONG: TimeDelta = TimeDelta::minutes(15);
    let now = investigate::moment(config, time, investigate::system_now())?.now;
    Ok(match case.ended {
        Some(ended) if ended > now - LONG && ended < now => ended.to_rfc3339(),
        _ => "15 minutes ago".to_owned(),
    })
}

/// What has to be said of a window that is no time after the incident.
fn beside(incident: &Window, now: &Window) -> Option<&'static str> {
    if now.end <= incident.start {
        Some("Note: this is a time before the incident, which says nothing about a fix")
    } else if now.overlap(incident).is_some() {
        Some("Note: this window holds a part of the incident; --since names a later one")
    } else {
        None
    }
}

/// Requests are what is meant without a word.
fn hop(key: &EdgeKey) -> String {
    let ends = format!("{} → {}", key.from, key.to);
    if key.layer.is_request() {
        ends
    } else {
        format!("{ends} ({})", key.layer.noun())
    }
}

fn tell(
    args: &ConfirmArgs,
    case: &Case,
    looked: &[Looked<'_>],
    measured: &Measured,
    not_seen: &[String],
    clock: &Clock,
) -> Result<u8, AppError> {
    let overall = if looked.iter().any(|(.., after)| *after == Recovery::Abnormal) {
        Recovery::Abnormal
    } else if looked.iter().all(|(.., after)| *after == Recovery::Mended) {
        Recovery::Mended
    } else {
        Recovery::Unknown
    };
    let title = match overall {
        Recovery::Mended => format!("Case {} is mended", case.id),
        Recovery::Abnormal => format!("Case {} is not mended", case.id),
        Recovery::Unknown => format!("Whether case {} is mended cannot be told", case.id),
    };
    let status = match overall {
        Recovery::Mended => 0,
        Recovery::Abnormal => Kind::Diverged.status(),
        Recovery::Unknown => 3,
    };
    let rows = looked.iter().map(|(key, after, how)| {
        let edge = case.picture.edges.get(*key);
        let of = |tally: &Tally| shown(tally, key.layer);
        let how = match how {
            Recovery::Mended => "as before",
            Recovery::Abnormal => "still abnormal",
            Recovery::Unknown => "too few to tell",
        };
        vec![
            hop(key),
            edge.map_or_else(String::new, |edge| of(&edge.before)),
            edge.map_or_else(String::new, |edge| of(&edge.during)),
            of(after),
            how.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if args.json {
        let value = json!({
            "case": case.id, "mended": match overall { Recovery::Mended => Some(true), Recovery::Abnormal => Some(false), Recovery::Unknown => None },
            "window": snapshots::window_json(&measured.window, clock),
            "hops": looked.iter().map(|(key, after, how)| json!({
                "edge": format!("{} → {}", key.from, key.to), "of": key.layer.noun(),
                "before": case.picture.edges.get(*key).map(|edge| tally_json(&edge.before, key.layer)),
                "during": case.picture.edges.get(*key).map(|edge| tally_json(&edge.during, key.layer)),
                "after": tally_json(after, key.layer), "abnormal": *how == Recovery::Abnormal,
            })).collect::<Vec<_>>(),
            "not_seen": not_seen,
            "note": case.window.and_then(|incident| beside(&incident, &measured.window)),
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
    lines.extend(
        case.window
            .and_then(|incident| beside(&incident, &measured.window))
            .map(str::to_owned),
    );
    lines.extend(not_seen.iter().map(|line| format!("Not seen: {line}")));
    output::stdout(&output::terminal(&Document {
        title,
        card: None,
        blocks: vec![
            Block::List(lines),
            Block::Table {
                head: ["Hop", "Before", "During", "Now", "Verdict"]
                    .map(str::to_owned)
                    .to_vec(),
                rows,
            },
        ],
    }))?;
    Ok(status)
}
