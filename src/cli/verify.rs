//! `verify`: journal, report and server held against each other.

use std::path::Path;

use serde_json::{Value, json};

use super::{
    args::{TimeArgs, VerifyArgs},
    order::{self, Asked, Parts},
    output, run, source,
};
use crate::{
    config::Config,
    driver::Unwatched,
    error::{AppError, Kind},
    investigation::{
        Action, Answer, Observation, Outcome, Settings, State, Task,
        outcome::{Difference, Rechecked},
        settings::{NamedSnapshot, RecheckOrder, RecordedQuery, Source},
        words,
    },
    journal::{self, Entry, Recording},
    progress::Show,
    report::document::{Block, Document},
    time::Window,
    wire::{Operation, SnapshotRef, decode},
};

/// Calls that a run takes beyond the queries themselves.
const AROUND: u32 = 100;

/// What the report is to the journal.
enum Reported {
    /// The journal leads to it, byte for byte.
    Agrees,
    /// The case ended without one.
    None,
    /// This version decides otherwise than the one that recorded.
    Undecided(String),
    /// Another text.
    Differs(String),
}

pub(super) async fn verify(config: &Config, args: &VerifyArgs, show: Show) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, &args.case)?;
    let recording = journal::read(&dir).map_err(|error| run::journal_error(&error, &dir))?;
    let (id, _, settings) = run::opening(&recording, &dir)?;
    let reported = reported(&dir).await;
    let queries = queries(&recording);
    let snapshot = snapshot(&recording);
    let rechecked = match (&snapshot, args.offline) {
        (Some((reference, window)), false) if !queries.is_empty() => {
            let again = Again {
                id: &id,
                settings: &settings,
                reference,
                window: *window,
                queries: &queries,
            };
            Some(again.ask(config, args, show).await?)
        }
        _ => None,
    };
    tell(
        args,
        &id,
        &recording,
        &settings,
        &reported,
        rechecked.as_ref(),
        queries.len(),
    )
}

/// Whether the report that lies in the case is the one that its journal leads to.
async fn reported(dir: &Path) -> Reported {
    let Ok(written) = std::fs::read_to_string(dir.join("report.json")) else {
        return Reported::None;
    };
    match run::replayed(dir, &mut Unwatched).await {
        Ok((_, report, _)) if output::pretty(&report) + "\n" == written => Reported::Agrees,
        Ok(_) => Reported::Differs(
            "the journal leads to another report.json than the one that lies beside it".to_owned(),
        ),
        Err(error) => Reported::Undecided(error.what),
    }
}

/// Every query about calls that was answered, in order.
fn queries(recording: &Recording) -> Vec<RecordedQuery> {
    let mut asked: Option<&Action> = None;
    let mut queries = Vec::new();
    for entry in &recording.entries {
        match entry {
            Entry::Requested { action, .. } => asked = Some(action),
            Entry::Observed {
                observation: Observation::Answers { answers },
            } => {
                let calls = asked.take().map_or(&[][..], Action::calls);
                queries.extend(
                    calls
                        .iter()
                        .zip(answers)
                        .filter_map(|(call, answer)| query(call, answer)),
                );
            }
            _ => {}
        }
    }
    queries
}

fn query(operation: &Operation, answer: &Answer) -> Option<RecordedQuery> {
    operation.scope()?;
    let body = answer.result.as_ref().ok()?;
    let list = match operation {
        Operation::CountCalls { .. } | Operation::ListCalls { .. } => decode::calls(&body.value).ok(),
        _ => None,
    };
    Some(RecordedQuery {
        operation: operation.clone(),
        sha256: body.sha256.clone(),
        total: list.as_ref().and_then(|list| list.total),
        rows: list.as_ref().map(|list| list.calls.len() as u64),
    })
}

/// The snapshot that the queries were asked of, and what was taken, where the case took it.
pub(super) fn snapshot(recording: &Recording) -> Option<(SnapshotRef, Option<Window>)> {
    let actions = || {
        recording.entries.iter().filter_map(|entry| match entry {
            Entry::Requested { action, .. } => Some(action),
            _ => None,
        })
    };
    let calls = || actions().flat_map(Action::calls);
    let reference = calls().find_map(|call| call.scope()?.snapshot.clone())?;
    let taken = calls().find_map(|call| match call {
        Operation::CreateSnapshot { name, window, .. } if *name == reference.name => Some(*window),
        _ => None,
    });
    Some((reference, taken))
}

/// The recorded queries, about to be asked again.
struct Again<'a> {
    id: &'a str,
    settings: &'a Settings,
    reference: &'a SnapshotRef,
    window: Option<Window>,
    queries: &'a [RecordedQuery],
}

impl Again<'_> {
    async fn ask(&self, config: &Config, args: &VerifyArgs, show: Show) -> Result<Rechecked, AppError> {
        // A hub that ran inside of us is gone, and takes the same again; on a server that is named that is a change.
        let embedded = matches!(self.settings.source, Source::Capture { .. } | Source::Demo { .. })
            && !source::is_named(&args.source);
        let retake = self.window.filter(|_| embedded || args.retake);
        let time = TimeArgs {
            tz: Some(self.settings.zone.name().to_owned()),
            now: None,
        };
        let parts = Parts {
            source: &args.source,
            time: &time,
            asked: Asked::Anything,
            snapshot: Some(NamedSnapshot {
                name: self.reference.name.clone(),
                retake,
            }),
            task: Task::Recheck(RecheckOrder {
                case: self.id.to_owned(),
                queries: self.queries.to_vec(),
            }),
            no_input: true,
            yes: false,
        };
        let mut order = if source::is_named(&args.source) {
            order::order(config, "verify", parts)?
        } else {
            order::order_at(config, "verify", self.settings.source.clone(), parts)?
        };
        let calls = u32::try_from(self.queries.len()).unwrap_or(u32::MAX);
        let bytes = self.settings.playbook.budget.bytes.saturating_mul(2);
        order::at_least(&mut order.settings.playbook, calls.saturating_add(AROUND), bytes);
        // Equal secrets get the tokens of the case again.
        let machine = order::run(order, Some(self.id), show).await?;
        let State::Finished(outcome) = machine.state() else {
            let mut error = order::unexpected(machine.state());
            error
                .hints
                .push("`rca-agent verify CASE --offline` checks the journal and the report alone".to_owned());
            if !embedded && !args.retake && self.window.is_some() {
                error
                    .hints
                    .push("`--retake` takes the snapshot again, if its window is still recorded".to_owned());
            }
            return Err(error);
        };
        match &**outcome {
            Outcome::Rechecked(rechecked) => Ok(rechecked.clone()),
            _ => Err(order::unexpected(machine.state())),
        }
    }
}

fn tell(
    args: &VerifyArgs,
    id: &str,
    recording: &Recording,
    settings: &Settings,
    reported: &Reported,
    rechecked: Option<&Rechecked>,
    queries: usize,
) -> Result<u8, AppError> {
    let differing = rechecked.map_or(0, |rechecked| rechecked.differing.len());
    let unanswered = rechecked.map_or(0, |rechecked| rechecked.unanswered.len());
    let failed = differing > 0 || unanswered > 0 || matches!(reported, Reported::Differs(_));
    let status = if failed { Kind::Diverged.status() } else { 0 };
    let journal = match recording.format {
        0 | 1 => "format 1, which has no links: only large results are held against their hashes".to_owned(),
        format => format!(
            "format {format}, every line follows from the one before; last link {}",
            recording.link
        ),
    };
    let report_line = match reported {
        Reported::Agrees => "report.json is what the journal leads to".to_owned(),
        Reported::None => "there is no report.json".to_owned(),
        Reported::Undecided(why) => format!("report.json was not compared: {why}"),
        Reported::Differs(why) => why.clone(),
    };
    if args.json {
        let clock = settings.clock();
        let list = |differences: &[Difference]| -> Vec<Value> {
            differences
                .iter()
                .map(|one| {
                    json!({
                        "tool": one.tool,
                        "filter": one.filter,
                        "window": one.window.map(|window| super::snapshots::window_json(&window, &clock)),
                        "what": one.what,
                    })
                })
                .collect()
        };
        let value = json!({
            "case": id,
            "verified": !failed,
            "journal": { "entries": recording.entries.len(), "format": recording.format, "link": recording.link },
            "report": report_line,
            "queries": rechecked.map(|rechecked| json!({
                "snapshot": rechecked.snapshot,
                "snapshot_was_there": rechecked.found,
                "agreed": rechecked.agreed,
                "differing": list(&rechecked.differing),
                "unanswered": list(&rechecked.unanswered),
            })),
        });
        output::stdout(&output::pretty(&value))?;
        return Ok(status);
    }
    let mut lines = vec![
        format!(
            "Journal: {} entries, {journal}",
            words::number(recording.entries.len() as u64)
        ),
        format!("Report: {report_line}"),
    ];
    let mut blocks = Vec::new();
    match rechecked {
        Some(rechecked) => {
            let how = if rechecked.found {
                "is there as it was"
            } else {
                "was taken again of the same window"
            };
            lines.push(format!("Snapshot: {} {how}", rechecked.snapshot));
            lines.push(format!(
                "Queries: {} asked again, {} agree in counts and hashes",
                words::number(u64::from(rechecked.agreed) + (differing + unanswered) as u64),
                words::number(rechecked.agreed.into())
            ));
            for (title, list) in [
                ("Other answers", &rechecked.differing),
                ("Not answered", &rechecked.unanswered),
            ] {
                if list.is_empty() {
                    continue;
                }
                blocks.push(Block::Heading(title.to_owned()));
                let said = list.iter().map(|one| difference(one, settings));
                blocks.push(Block::List(said.collect()));
            }
        }
        None if args.offline => lines.push(format!(
            "Queries: {} were not asked again (--offline)",
            words::number(queries as u64)
        )),
        None => lines.push("Queries: the case asked none about calls".to_owned()),
    }
    blocks.insert(0, Block::List(lines));
    let title = if failed {
        format!("Case {id} does not hold")
    } else {
        format!("Case {id} holds")
    };
    output::stdout(&output::terminal(&Document {
        title,
        card: None,
        blocks,
    }))?;
    Ok(status)
}

fn difference(one: &Difference, settings: &Settings) -> String {
    let filter = if one.filter.is_empty() {
        String::new()
    } else {
        format!(" of `{}`", one.filter)
    };
    let window = one.window.map_or_else(String::new, |window| {
        format!(", {}", settings.clock().window(&window))
    });
    format!("{}{filter}{window}: {}", one.tool, one.what)
}
