//! `investigate` and `demo`: from flags to resolved settings.

use std::{path::PathBuf, process, time::SystemTime};

use super::{
    args::{DemoArgs, InvestigateArgs, OutputArgs, RunArgs, TimeArgs},
    order::{self, Asked},
    output, playbooks,
    run::{self, Start},
    source,
};
use crate::{
    config::Config,
    demo,
    error::AppError,
    investigation::{
        ServiceName, Settings, Task, TaskKind,
        settings::{Export, Input, NamedSnapshot, Source},
    },
    progress::Show,
    question::{self, Wanted},
    time::{Clock, Reading, Utc, Window, Zone, parse_point, parse_window},
};

/// Zone and moment of a run.
pub(super) struct Moment {
    pub(super) zone: Zone,
    pub(super) now: Utc,
    pub(super) notes: Vec<String>,
}

impl Moment {
    fn clock(&self, config: &Config) -> Clock {
        Clock {
            zone: self.zone,
            now: self.now,
            hours: config.hours,
        }
    }
}

/// Resolves `--tz` and `--now`.
pub(super) fn moment(config: &Config, args: &TimeArgs, clock_now: Utc) -> Result<Moment, AppError> {
    let named = args.tz.as_ref().or(config.tz.as_ref());
    let (zone, notes) = match named {
        Some(name) => {
            let zone: Zone = name.parse().map_err(|error: crate::time::ZoneError| {
                AppError::usage(format!("there is no time zone `{name}`"))
                    .because(&error)
                    .hint("zones go by their IANA names, such as Asia/Jerusalem or America/New_York")
            })?;
            (zone, Vec::new())
        }
        None => (config.system_zone, config.zone_notes.clone()),
    };
    let now = match &args.now {
        Some(text) => {
            parse_point(text, clock_now, &zone)
                .map_err(|error| AppError::usage("--now cannot be read").because(&error))?
                .at
        }
        None => clock_now,
    };
    Ok(Moment { zone, now, notes })
}

/// The moment by the system's clock.
pub(super) fn system_now() -> Utc {
    SystemTime::now().into()
}

pub(super) async fn investigate(config: &Config, args: &InvestigateArgs, show: Show) -> Result<u8, AppError> {
    let created = system_now();
    let moment = moment(config, &args.time, created)?;
    let source = source::chosen(config, &args.source)?;
    let snapshot = args.snapshot.named();
    let (since, until, reading, unread) = words(config, args, snapshot.is_some(), &source, &moment)?;
    let service = args.service.as_deref().map(service).transpose()?;
    let baseline = args
        .baseline
        .as_deref()
        .map(|range| parse_window(range, None, moment.now, &moment.zone))
        .transpose()
        .map_err(|error| AppError::usage("--baseline cannot be read").because(&error))?
        .map(|reading| reading.window);
    if args
        .namespace
        .as_deref()
        .is_some_and(|namespace| namespace.trim().is_empty())
    {
        return Err(AppError::usage("--namespace is empty").hint("leave it out to look at all namespaces"));
    }
    let plan = Plan {
        question: args.question.clone().unwrap_or_default(),
        source,
        since,
        until,
        reading,
        snapshot,
        unread,
        baseline,
        namespace: args.namespace.clone(),
        service,
    };
    let start = prepare(config, plan, moment, created, &args.run, &args.output, show)?;
    run::investigate(start).await
}

/// The user's words for the window, what they mean, and why they could not be read where a model is there to read them.
fn words(
    config: &Config,
    args: &InvestigateArgs,
    named: bool,
    source: &Source,
    moment: &Moment,
) -> Result<(String, Option<String>, Reading, Option<String>), AppError> {
    let helped = super::model::is_named(config, &args.run.model);
    let asks = args
        .question
        .as_ref()
        .is_some_and(|question| !question.trim().is_empty());
    let asked = Asked::Window {
        since: args.since.as_deref(),
        until: args.until.as_deref(),
    };
    let unread = match (&args.since, named) {
        (None, false) if helped && asks => "the question is all that was said".to_owned(),
        (None, false) => {
            return Err(AppError::usage("--since is missing: when did it begin?").hint(
                "for example --since \"3pm\", --since \"20 minutes ago\"; with --model a model reads it out of the question",
            ));
        }
        _ => match order::reading(&asked, named, source, moment) {
            Ok((since, until, reading)) => return Ok((since, until, reading, None)),
            Err(error) if !helped => return Err(error),
            Err(error) => error.because.first().cloned().unwrap_or(error.what),
        },
    };
    // Stands there until the model's words are read, and is never investigated.
    let none = Reading {
        window: Window {
            start: moment.now,
            end: moment.now,
        },
        assumptions: Vec::new(),
        ambiguities: Vec::new(),
    };
    let since = args.since.clone().unwrap_or_default();
    Ok((since, args.until.clone(), none, Some(unread)))
}

pub(super) async fn demo(config: &Config, args: &DemoArgs, show: Show) -> Result<u8, AppError> {
    let created = system_now();
    let name = args.name.as_deref().unwrap_or(demo::DEFAULT);
    let Some(capture) = demo::find(name) else {
        return Err(AppError::usage(format!("there is no bundled capture `{name}`"))
            .hint("`rca-agent demo --list` names them"));
    };
    let mut moment = moment(config, &args.time, created)?;
    if args.time.now.is_none() {
        moment.now = capture.now();
    }
    let reading =
        parse_window(capture.since, Some(capture.until), moment.now, &moment.zone).map_err(|error| {
            AppError::usage("the window of the bundled capture cannot be read").because(&error)
        })?;
    let plan = Plan {
        question: capture.question.to_owned(),
        source: Source::Demo {
            name: name.to_owned(),
        },
        since: capture.since.to_owned(),
        until: Some(capture.until.to_owned()),
        reading,
        snapshot: None,
        unread: None,
        baseline: None,
        namespace: None,
        service: None,
    };
    let start = prepare(config, plan, moment, created, &args.run, &args.output, show)?;
    run::investigate(start).await
}

pub(super) fn list_demos() -> Result<u8, AppError> {
    let lines: Vec<String> = demo::all()
        .iter()
        .map(|capture| format!("{:<14} {}", capture.name, capture.about))
        .collect();
    output::stdout(&lines.join("\n")).map(|()| 0)
}

/// What is to be found out, and where.
pub(super) struct Plan {
    pub(super) question: String,
    pub(super) source: Source,
    pub(super) since: String,
    pub(super) until: Option<String>,
    pub(super) reading: Reading,
    pub(super) snapshot: Option<NamedSnapshot>,
    pub(super) unread: Option<String>,
    pub(super) baseline: Option<Window>,
    pub(super) namespace: Option<String>,
    pub(super) service: Option<ServiceName>,
}

/// A new case of its own name.
pub(super) fn prepare(
    config: &Config,
    plan: Plan,
    moment: Moment,
    created: Utc,
    run: &RunArgs,
    output: &OutputArgs,
    show: Show,
) -> Result<Start, AppError> {
    let clock = moment.clock(config);
    let cases = run.cases.clone().unwrap_or_else(|| config.cases.clone());
    let start = prepare_in(config, plan, moment, created, run, || {
        new_case(&cases, &clock, created)
    })?;
    Ok(Start {
        out: output.out.clone(),
        format: output.format,
        show,
        ..start
    })
}

/// A case in the directory that `case` makes and names; it is made last, so that a mistake leaves nothing behind. Shows
/// nothing and prints nothing.
pub(super) fn prepare_in(
    config: &Config,
    plan: Plan,
    moment: Moment,
    created: Utc,
    run: &RunArgs,
    case: impl FnOnce() -> Result<(String, PathBuf), AppError>,
) -> Result<Start, AppError> {
    // Before the case exists: a capture that cannot be opened leaves nothing behind.
    let endpoint = source::endpoint(config, &plan.source)?;
    let mut playbook = match &run.playbook {
        Some(name) => playbooks::named(name)?,
        None => playbooks::default()?,
    };
    if playbook.task != TaskKind::Investigate {
        return Err(
            AppError::usage(format!("the playbook {} is no investigation", playbook.name)).hint(
                playbook.task.route().map_or_else(String::new, |route| {
                    format!("`rca-agent {}` runs it", route.command)
                }),
            ),
        );
    }
    playbooks::told(&playbook, |input| match input {
        Input::Question => !plan.question.trim().is_empty(),
        // What a model is to read out of the words is told in them.
        Input::Since => !plan.since.trim().is_empty() || plan.snapshot.is_some() || plan.unread.is_some(),
        Input::Until => plan.until.is_some(),
        Input::Baseline => plan.baseline.is_some(),
        Input::Namespace => plan.namespace.is_some(),
        Input::Service => plan.service.is_some(),
    })?;
    playbook.budget.calls = run
        .budget_calls
        .or(config.budget.calls)
        .unwrap_or(playbook.budget.calls);
    playbook.budget.seconds = run
        .budget_seconds
        .or(config.budget.seconds)
        .unwrap_or(playbook.budget.seconds);
    let (id, dir) = case()?;
    let redactor = run::redactor(config, &id)?;
    let model_settings = super::model::settings(config, &run.model, &redactor)?;
    let model = super::model::connect(config, model_settings.as_ref(), dir.join("questions"))?;
    let source = match plan.source {
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
        question: redactor.text(&plan.question),
        since: plan.since,
        until: plan.until,
        reading: plan.reading,
        baseline: plan.baseline,
        dashboard: dashboard(config, run)?,
        zone: moment.zone,
        hours: config.hours,
        now: moment.now,
        namespace: plan.namespace,
        service: plan.service,
        no_input: run.no_input || !run::can_ask(),
        yes: run.yes,
        // Both routes in one case, where the words ask for packets outright.
        pcap: run.pcap
            || playbook.export.contains(&Export::Pcap)
            || question::wanted(&plan.question) == Wanted::Packets,
        snapshot: plan.snapshot,
        task: Task::Investigate,
        playbook,
        model: model_settings,
        unread: plan.unread,
        notes: moment.notes,
    };
    Ok(Start {
        id,
        created,
        settings,
        endpoint,
        model,
        redactor,
        prompts: run.model.show_prompts,
        dir,
        out: None,
        format: None,
        show: Show::Nothing,
    })
}

/// The dashboard's address, where one is said. Only what a browser opens as a page can be linked to.
fn dashboard(config: &Config, run: &RunArgs) -> Result<Option<String>, AppError> {
    let Some(said) = run.dashboard.as_ref().or(config.dashboard.as_ref()) else {
        return Ok(None);
    };
    let web = reqwest::Url::parse(said).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
    });
    let url = web.ok_or_else(|| {
        AppError::usage(format!("`{said}` is not the address of a dashboard"))
            .hint("for example --dashboard https://kubeshark.example.com")
    })?;
    Ok(Some(url.to_string()))
}

/// What tells this run from others of the same minute.
fn seed(created: Utc) -> u64 {
    u64::from(created.timestamp_subsec_nanos()) ^ (u64::from(process::id()) << 20)
}

/// A local time to the minute, and two letters.
fn numbered(clock: &Clock, created: Utc, seed: u64) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let letter = |n: u64| {
        LETTERS
            .get(usize::try_from(n % LETTERS.len() as u64).unwrap_or(0))
            .copied()
            .map_or('a', char::from)
    };
    format!("{}-{}{}", clock.stamp(created), letter(seed), letter(seed / 31))
}

/// An id for what leaves no case: two runs of one minute do not share it.
pub(super) fn id_of(clock: &Clock, created: Utc) -> String {
    numbered(clock, created, seed(created))
}

/// A new case: its local time and two letters that tell it from another of the same minute.
fn new_case(cases: &std::path::Path, clock: &Clock, created: Utc) -> Result<(String, PathBuf), AppError> {
    let unwritable = |error: &std::io::Error| {
        AppError::environment(format!("could not create a case in `{}`", cases.display()))
            .because(error)
            .hint("`--cases DIR` or RCA_CASES names a directory that can be written")
    };
    std::fs::create_dir_all(cases).map_err(|error| unwritable(&error))?;
    let mut seed = seed(created);
    loop {
        let id = numbered(clock, created, seed);
        let dir = cases.join(&id);
        match std::fs::create_dir(&dir) {
            Ok(()) => return Ok((id, dir)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                seed = seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
            }
            Err(error) => return Err(unwritable(&error)),
        }
    }
}

fn service(text: &str) -> Result<ServiceName, AppError> {
    let (namespace, name) = match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name),
        None => (None, text),
    };
    if name.is_empty() || namespace.as_deref() == Some("") || name.contains('/') {
        return Err(AppError::usage(format!("`{text}` does not name a workload"))
            .hint("write NAMESPACE/NAME, as in --service shop/payments"));
    }
    Ok(ServiceName {
        namespace,
        name: name.to_owned(),
    })
}
