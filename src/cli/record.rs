//! `eval record` and `eval adopt`: sessions become cases.

use std::{fs, path::Path};

use super::{
    args::{EvalAdoptArgs, EvalRecordArgs},
    eval::{all, chosen, failed},
    output, run, source,
};
use crate::{
    bot::desk::FEEDBACK,
    config::Config,
    error::{AppError, Kind},
    eval::{
        self, CASE, EvalCase, Match,
        adopt::{self, Known},
        run::EvalError,
    },
    investigation::{Settings, Verdict, finding::CauseKind},
    journal::{self, Entry},
    kubeshark::Endpoint,
    progress::{Progress, Show},
    report::Report,
    time::{Utc, parse_point},
};

pub(super) fn record(config: &Config, args: &EvalRecordArgs, show: Show) -> Result<u8, AppError> {
    let cases = if args.all {
        all(&args.chosen.evals)?
    } else {
        chosen(&args.chosen.evals, &args.cases, &[])?
    };
    let server = if source::is_named(&args.source) {
        let chosen = source::chosen(config, &args.source)?;
        Some(source::endpoint(config, &chosen)?)
    } else {
        None
    };
    let progress = Progress::new(show);
    for case in cases {
        let case = case.map_err(|broken| {
            AppError::usage(format!("the case `{}` is not in order", broken.name)).reason(broken.to_string())
        })?;
        if args.all && server.is_none() && !case.has_capture() {
            progress.line(&format!("– {} has no capture, its session stays", case.name));
            continue;
        }
        let endpoint = match &server {
            Some(server) => server.clone(),
            None => eval::run::hub_of(&case).map_err(|error| failed(&case, &error, &case.dir))?,
        };
        progress.live(&case.name);
        let ending = recorded(&case, endpoint)?;
        progress.line(&format!("recorded {}: {ending}", case.name));
    }
    progress.finish();
    Ok(0)
}

/// Records a session, packs it beside the case, and runs it once more to see that it can be followed.
fn recorded(case: &EvalCase, endpoint: Endpoint) -> Result<String, AppError> {
    let scratch = tempfile::tempdir()
        .map_err(|error| AppError::environment("could not make a directory to record in").because(&error))?;
    let dir = scratch.path();
    let broke = |error: EvalError| failed(case, &error, dir);
    let (ran, _) =
        on_runtime(eval::run::fresh(case, endpoint, eval::run::model_of(case), dir))?.map_err(broke)?;
    let recording = journal::read(dir).map_err(|error| run::journal_error(&error, dir))?;
    journal::write_packed(&case.dir, recording.entries)
        .map_err(|error| run::journal_error(&error, &case.dir))?;
    follows(case)?;
    Ok(ran.ending.word().to_owned())
}

/// A session that was just written can be followed to its end.
fn follows(case: &EvalCase) -> Result<(), AppError> {
    let replayed = on_runtime(eval::run::replay(case, Match::Exact))?
        .map_err(|error| failed(case, &error, &case.dir))?;
    let Some(divergence) = replayed.divergence else {
        return Ok(());
    };
    let mut error = AppError::new(
        Kind::Diverged,
        format!("the session of `{}` is not followed by this version", case.name),
    );
    error.because.extend(replayed.broke_off);
    Err(error
        .reason(divergence)
        .hint("the session was made by another version; `rca-agent eval record CASE` records it again where there is a capture or a server"))
}

fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, AppError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| AppError::environment("could not start the asynchronous runtime").because(&error))?;
    Ok(runtime.block_on(work))
}

pub(super) fn adopt(config: &Config, args: &EvalAdoptArgs) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let from = output::case_dir(&cases, &args.case)?;
    let recording = journal::read(&from).map_err(|error| run::journal_error(&error, &from))?;
    let Some(Entry::Opened {
        case: id, settings, ..
    }) = recording.entries.first()
    else {
        return Err(AppError::environment(format!(
            "the journal in `{}` is empty",
            from.display()
        )));
    };
    let (id, settings) = (id.clone(), (**settings).clone());
    if !matches!(recording.entries.last(), Some(Entry::Closed { .. })) {
        return Err(
            AppError::environment(format!("the investigation `{id}` is not finished"))
                .hint(format!("`rca-agent resume {id}` goes on with it")),
        );
    }
    if !settings.task.is_investigation() {
        return Err(AppError::usage(format!("`{id}` is no investigation"))
            .hint("only investigations can be scored; `rca-agent cases` lists them"));
    }
    if crate::playbook::shipped(&settings.playbook.name).is_none() {
        return Err(AppError::usage(format!(
            "the investigation `{id}` followed a playbook of your own"
        ))
        .reason(format!(
            "`{}` is not compiled in, and a case cannot name it",
            settings.playbook.name
        )));
    }
    let name = args.name.clone().unwrap_or_else(|| id.clone());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(AppError::usage(format!("`{name}` is no name for a case"))
            .hint("letters, digits, hyphens and underscores are"));
    }
    let mut known = known(args, &settings)?;
    let dir = args.chosen.evals.join(&name);
    if dir.exists() {
        return Err(AppError::usage(format!(
            "there is already a case `{name}` in `{}`",
            args.chosen.evals.display()
        ))
        .hint("choose another one with --name, or remove its directory"));
    }
    let report: Option<Report> = fs::read_to_string(from.join("report.json"))
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok());
    let nothing_told = known.cause.is_none() && !known.healthy;
    match (said_right(&from), &report) {
        (Some(true), Some(report)) if nothing_told => as_found(report, &mut known),
        (Some(false), _) if nothing_told => output::stderr(
            "the thread said that the cause was another one: write the right one into the `truth` of the case",
        ),
        _ => {}
    }
    adopt::store(recording, &dir).map_err(|error| run::journal_error(&error, &dir))?;
    write(
        &dir.join(CASE),
        &adopt::case_file(&settings, report.as_ref(), &known),
    )?;
    schema_beside(&args.chosen.evals)?;
    let case = eval::load::case(&dir).map_err(|broken| {
        AppError::new(Kind::Bug, "the case that was written cannot be read").reason(broken.to_string())
    })?;
    follows(&case)?;
    output::stderr(&format!(
        "made {}; its session has {} kB and needs no server",
        dir.display(),
        fs::metadata(dir.join(journal::PACKED))
            .map_or(0, |file| file.len())
            .div_ceil(1024)
    ));
    if case.endings().is_empty() {
        output::stderr(&format!("next: fill in `truth` in {}", dir.join(CASE).display()));
    }
    let elsewhere = if args.chosen.evals == Path::new("evals") {
        String::new()
    } else {
        format!(" --evals {}", args.chosen.evals.display())
    };
    output::stderr(&format!("then: rca-agent eval {name}{elsewhere}"));
    output::stderr(
        "Secrets are replaced; names of services, paths and error texts are as they were: read them before you share it.",
    );
    Ok(0)
}

fn known(args: &EvalAdoptArgs, settings: &Settings) -> Result<Known, AppError> {
    let cause = args.cause.as_ref().map(|text| match text.split_once('/') {
        Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
        None => (None, text.clone()),
    });
    let kind = args
        .kind
        .as_ref()
        .map(|text| {
            serde_json::from_value::<CauseKind>(text.as_str().into()).map_err(|error| {
                AppError::usage(format!("there is no kind of cause `{text}`")).because(&error)
            })
        })
        .transpose()?;
    let onset = args
        .onset
        .as_ref()
        .map(|text| {
            parse_point(text, settings.now, &settings.zone)
                .map(|point| point.at)
                .map_err(|error| AppError::usage("--onset cannot be read").because(&error))
        })
        .transpose()?;
    Ok(Known {
        cause,
        kind,
        onset,
        healthy: args.healthy,
    })
}

/// What was said last of a case's cause in its Slack thread.
fn said_right(dir: &Path) -> Option<bool> {
    let text = fs::read_to_string(dir.join(FEEDBACK)).ok()?;
    let last: serde_json::Value = serde_json::from_str(text.lines().last()?).ok()?;
    last.get("right")?.as_bool()
}

/// The truth of a case whose finding was right.
fn as_found(report: &Report, known: &mut Known) {
    if report.verdict == Verdict::NoAnomaly {
        known.healthy = true;
    }
    let Some(cause) = report.root_causes.first() else {
        return;
    };
    let name = cause.service.as_ref().or(cause.workload.as_ref());
    known.cause = name.map(|name| (cause.namespace.clone(), name.clone()));
    known.kind = known.kind.or(Some(cause.kind));
    let onset = cause.onset.as_deref().and_then(|at| at.parse::<Utc>().ok());
    known.onset = known.onset.or(onset);
}

fn write(path: &Path, text: &str) -> Result<(), AppError> {
    fs::write(path, text).map_err(|error| {
        AppError::environment(format!("could not write `{}`", path.display())).because(&error)
    })
}

/// The schema that the head of a case file names, for editors.
fn schema_beside(evals: &Path) -> Result<(), AppError> {
    let path = evals.join("case.schema.json");
    if path.exists() {
        return Ok(());
    }
    write(&path, &(output::pretty(&eval::schema()) + "\n"))
}
