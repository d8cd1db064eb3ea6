//! Runs that are no investigation: from flags to settings, to the machine at its end.

use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::{
    args::{SourceArgs, TimeArgs},
    investigate::{self, Moment},
    playbooks, run, source,
};
use crate::{
    config::Config,
    driver,
    effects::{self, LiveEffects},
    error::{AppError, Kind},
    hub::Capture,
    investigation::{
        Machine, Playbook, Settings, State, Task,
        settings::{NamedSnapshot, Source},
    },
    journal::{Entry, FORMAT, Unkept, redact::Redactor},
    kubeshark::Endpoint,
    progress::{Progress, Show},
    time::{Reading, Utc, Window, parse_window},
};

/// A run about to begin.
pub(super) struct Order {
    pub(super) id: String,
    pub(super) created: Utc,
    pub(super) settings: Settings,
    pub(super) endpoint: Endpoint,
    /// Where files go that the server is asked to put somewhere.
    pub(super) downloads: PathBuf,
}

/// What the user said of time, or that a task needs none.
pub(super) enum Asked<'a> {
    Window {
        since: Option<&'a str>,
        until: Option<&'a str>,
    },
    Anything,
}

/// The parts of an order that commands share.
pub(super) struct Parts<'a> {
    pub(super) source: &'a SourceArgs,
    pub(super) time: &'a TimeArgs,
    pub(super) asked: Asked<'a>,
    pub(super) snapshot: Option<NamedSnapshot>,
    pub(super) task: Task,
    pub(super) no_input: bool,
    pub(super) yes: bool,
}

/// Resolves everything that is to be known before a server is reached. `what` names the run.
pub(super) fn order(config: &Config, what: &str, parts: Parts<'_>) -> Result<Order, AppError> {
    let source = source::chosen(config, parts.source)?;
    order_at(config, what, source, parts)
}

/// The same where it is known already where Kubeshark is.
pub(super) fn order_at(
    config: &Config,
    what: &str,
    source: Source,
    parts: Parts<'_>,
) -> Result<Order, AppError> {
    let created = investigate::system_now();
    let moment = investigate::moment(config, parts.time, created)?;
    let endpoint = source::endpoint(config, &source)?;
    let named = parts.snapshot.is_some();
    let (since, until, reading) = reading(&parts.asked, named, &source, &moment)?;
    let playbook = playbooks::of_task(parts.task.kind())?;
    let id = format!("{what}-{}", created.timestamp_millis());
    let redactor = run::redactor(config, &id)?;
    let source = match source {
        Source::Command { command } => Source::Command {
            command: redactor.text(&command),
        },
        Source::Url { url } => Source::Url {
            url: redactor.text(&url),
        },
        other => other,
    };
    let settings = Settings {
        source,
        question: String::new(),
        since,
        until,
        reading,
        baseline: None,
        dashboard: None,
        zone: moment.zone,
        hours: config.hours,
        now: moment.now,
        namespace: None,
        service: None,
        no_input: parts.no_input || !run::can_ask(),
        yes: parts.yes,
        pcap: false,
        snapshot: parts.snapshot,
        task: parts.task,
        playbook,
        model: None,
        unread: None,
        notes: moment.notes,
    };
    Ok(Order {
        id,
        created,
        settings,
        endpoint,
        downloads: std::env::temp_dir(),
    })
}

/// The user's words for the window, and what they were read as. Of a snapshot that is named and of a capture it is all
/// that is there, where there are no words.
pub(super) fn reading(
    asked: &Asked<'_>,
    named: bool,
    source: &Source,
    moment: &Moment,
) -> Result<(String, Option<String>, Reading), AppError> {
    let whole = || Reading {
        window: Window {
            start: DateTime::UNIX_EPOCH,
            end: moment.now,
        },
        assumptions: Vec::new(),
        ambiguities: Vec::new(),
    };
    let (since, until) = match (asked, source) {
        (Asked::Anything, _) => return Ok((String::new(), None, whole())),
        (Asked::Window { since: None, .. }, _) if named => return Ok((String::new(), None, whole())),
        (
            Asked::Window {
                since: Some(since),
                until,
            },
            _,
        ) => ((*since).to_owned(), until.map(str::to_owned)),
        (Asked::Window { .. }, Source::Capture { path }) => of_capture(path)?,
        (Asked::Window { .. }, _) => {
            return Err(AppError::usage("--since is missing").hint(
                "a cluster may have recorded days: say which part of it, as in --since '20 minutes ago'",
            ));
        }
    };
    let reading = parse_window(&since, until.as_deref(), moment.now, &moment.zone)
        .map_err(|error| AppError::usage("the window cannot be read").because(&error))?;
    Ok((since, until, reading))
}

/// From the first to the last packet of a capture.
fn of_capture(path: &str) -> Result<(String, Option<String>), AppError> {
    let capture = Capture::open(Path::new(path)).map_err(|error| {
        AppError::environment(format!("could not open the capture `{path}`")).because(&error)
    })?;
    let at = Utc::from_timestamp_micros;
    let ends = capture
        .span()
        .and_then(|span| Some((at(span.start_us)?, at(span.end_us)?)));
    match ends {
        Some((start, end)) => Ok((start.to_rfc3339(), Some(end.to_rfc3339()))),
        None => Err(AppError::environment(format!(
            "the capture `{path}` holds nothing"
        ))),
    }
}

/// Runs the machine to its end without leaving a case. `salt` decides the tokens that stand for secrets.
pub(super) async fn run(order: Order, salt: Option<&str>, show: Show) -> Result<Machine, AppError> {
    let Order {
        id,
        created,
        settings,
        endpoint,
        downloads,
    } = order;
    let opening = Entry::Opened {
        format: FORMAT,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        case: id.clone(),
        created,
        settings: Box::new(settings.clone()),
    };
    let redactor = Redactor::new(salt.unwrap_or(&id));
    let ask = run::asker(&settings);
    let limits = run::limits(&settings);
    let mut watch = Progress::new(show);
    let mut effects = LiveEffects::new(endpoint, limits, redactor, ask, downloads)
        .with_arriving(watch.arriving())
        .with_span(effects::run_span(&id));
    let mut machine = Machine::new(id, settings);
    let driven = driver::drive(&mut machine, opening, &mut effects, &mut Unkept, &mut watch).await;
    watch.finish();
    driven.map_err(|error| {
        AppError::new(Kind::Bug, "the run broke off")
            .because(&error)
            .hint("this is a bug: please report it with the command")
    })?;
    Ok(machine)
}

/// What is said where a run ended in something that its command does not know.
pub(super) fn unexpected(state: &State) -> AppError {
    match state {
        State::Stopped(problem) => run::stopped(problem),
        State::Concluded(finding) => {
            let mut error = AppError::new(Kind::NoData, "there is nothing to work on");
            error.because.clone_from(&finding.because);
            error.hints.clone_from(&finding.next);
            error
        }
        other => AppError::new(Kind::Bug, format!("the run ended in {:?}", other.phase())),
    }
}

/// Makes room in a budget for what a command is known to take.
pub(super) fn at_least(playbook: &mut Playbook, calls: u32, bytes: u64) {
    playbook.budget.calls = playbook.budget.calls.max(calls);
    playbook.budget.bytes = playbook.budget.bytes.max(bytes);
}
