//! Runs an investigation, resumes one, replays one: the same path, with more or less of it recorded.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::{
    args::{Format, ReplayArgs, ResumeArgs},
    output, source,
};
use crate::{
    config::Config,
    driver::{self, Effects, RunError, Watch},
    effects::{self, Ask, LiveEffects, NoEffects, Nobody},
    error::{AppError, Kind},
    investigation::{Finding, Machine, Problem, Settings, State, Verdict},
    journal::{
        self, CaseJournal, Entry, FORMAT, JournalError, Recording,
        redact::{HIDDEN, Redactor},
    },
    kubeshark::{Endpoint, Limits},
    model::Model,
    progress::{Progress, Show, verdict},
    report::{self, Report},
    time::Utc,
};

/// A case about to be run.
pub(super) struct Start {
    pub(super) id: String,
    pub(super) created: Utc,
    pub(super) settings: Settings,
    pub(super) endpoint: Endpoint,
    pub(super) model: Option<Box<dyn Model>>,
    pub(super) redactor: Redactor,
    /// What is sent to the model is shown.
    pub(super) prompts: bool,
    pub(super) dir: PathBuf,
    pub(super) out: Option<PathBuf>,
    pub(super) format: Option<Format>,
    pub(super) show: Show,
}

/// Asks on the terminal.
struct Terminal;

impl Ask for Terminal {
    fn ask(&mut self, question: &str, choices: &[String], default: usize) -> usize {
        output::stderr(&crate::report::plain(question));
        for (index, choice) in choices.iter().enumerate() {
            output::stderr(&format!("  {}. {}", index + 1, crate::report::plain(choice)));
        }
        let mut stdin = std::io::stdin().lock();
        // Three tries: somebody who types rubbish that often wants the default.
        for _ in 0..3 {
            let _ = write!(std::io::stderr(), "Which one? [{}] ", default + 1);
            let mut line = String::new();
            match stdin.read_line(&mut line) {
                Ok(0) | Err(_) => return default,
                Ok(_) if line.trim().is_empty() => return default,
                Ok(_) => match line.trim().parse::<usize>() {
                    Ok(number) if (1..=choices.len()).contains(&number) => return number - 1,
                    _ => output::stderr(&format!("a number from 1 to {}, please", choices.len())),
                },
            }
        }
        default
    }
}

/// Whether somebody can be asked.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Runs a new case to its end and prints its report.
pub(super) async fn investigate(start: Start) -> Result<u8, AppError> {
    let journal = CaseJournal::open(&start.dir, Recording::nothing())
        .map_err(|error| journal_error(&error, &start.dir))?;
    go(start, journal).await
}

/// Who is asked.
pub(super) fn asker(settings: &Settings) -> Box<dyn Ask> {
    if settings.no_input {
        Box::new(Nobody)
    } else {
        Box::new(Terminal)
    }
}

async fn go(start: Start, mut journal: CaseJournal) -> Result<u8, AppError> {
    let Start {
        id,
        created,
        settings,
        endpoint,
        model,
        redactor,
        prompts,
        dir,
        out,
        format,
        show,
    } = start;
    let progress = Progress::new(show).with_prompts(prompts);
    progress.line(&format!("case {id}: {}", settings.source));
    let ask = asker(&settings);
    let limits = limits(&settings);
    let mut effects = LiveEffects::new(endpoint, limits, redactor, ask, absolute(&dir))
        .with_arriving(progress.arriving())
        .with_model(model)
        .with_span(effects::run_span(&id));
    let mut watch = progress;
    let driven = drive(&id, created, settings, &mut effects, &mut journal, &mut watch);
    let machine = tokio::select! {
        driven = driven => Some(driven),
        // Everything so far is written: nothing is lost by stopping here.
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    watch.finish();
    let Some(machine) = machine else {
        return Err(AppError::environment("interrupted")
            .hint(format!("`rca-agent resume {id}` goes on where it stopped")));
    };
    let machine = machine.map_err(|error| run_error(&error, &dir))?;
    if matches!(machine.state(), State::Stopped(_)) {
        watch.line(&format!("stopped; journal: {}", dir.display()));
    }
    let finished = finish(&machine, created, &dir)?;
    output::write_all(&dir, &finished.report, &machine.case().settings.clock())?;
    drop(journal);
    if let Some(out) = &out {
        output::copy_case(&dir, out)?;
    }
    watch.line(&format!(
        "{}; report and journal: {}",
        verdict(machine.state()),
        dir.display()
    ));
    output::stdout(&output::rendered(
        &finished.report,
        &machine.case().settings.clock(),
        output::format(format),
        None,
    ))?;
    Ok(finished.status)
}

/// Runs a case to its end without printing anything, and without anybody to ask: from the beginning, or on from what is
/// recorded of it.
pub(super) async fn concluded(
    start: Start,
    recording: Recording,
    watch: &mut dyn Watch,
) -> Result<(Machine, Report), AppError> {
    let dir = start.dir;
    let mut journal = CaseJournal::open(&dir, recording).map_err(|error| journal_error(&error, &dir))?;
    let limits = limits(&start.settings);
    let mut effects = LiveEffects::new(
        start.endpoint,
        limits,
        start.redactor,
        Box::new(Nobody),
        absolute(&dir),
    )
    .with_model(start.model)
    .with_span(effects::run_span(&start.id));
    let (id, created) = (start.id, start.created);
    let machine = drive(&id, created, start.settings, &mut effects, &mut journal, watch)
        .await
        .map_err(|error| run_error(&error, &dir))?;
    let report = finish(&machine, created, &dir)?.report;
    Ok((machine, report))
}

/// Takes secrets out of what belongs to a case: the known kinds, and what the configuration names.
pub(super) fn redactor(config: &Config, id: &str) -> Result<Redactor, AppError> {
    Redactor::new(id)
        .with(&config.redact.patterns, &config.redact.names)
        .map_err(|error| {
            AppError::usage("a pattern of `redact.patterns` in rca-agent.toml cannot be read").because(&error)
        })
}

/// A server may run in another directory than this process.
fn absolute(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap_or_else(|_| dir.to_owned())
}

/// No call waits for longer than the whole run may take.
pub(super) fn limits(settings: &Settings) -> Limits {
    Limits::within(std::time::Duration::from_secs(
        settings.playbook.budget.seconds.max(1),
    ))
}

/// Drives a machine from its settings, following whatever the journal has recorded.
async fn drive(
    id: &str,
    created: Utc,
    settings: Settings,
    effects: &mut dyn Effects,
    journal: &mut CaseJournal,
    watch: &mut dyn Watch,
) -> Result<Machine, RunError> {
    let opening = journal.opening().cloned().unwrap_or_else(|| Entry::Opened {
        format: FORMAT,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        case: id.to_owned(),
        created,
        settings: Box::new(settings.clone()),
    });
    let mut machine = Machine::new(id, settings);
    driver::drive(&mut machine, opening, effects, journal, watch).await?;
    Ok(machine)
}

/// What a run ended in.
struct Finished {
    report: Report,
    status: u8,
}

fn finish(machine: &Machine, created: Utc, dir: &Path) -> Result<Finished, AppError> {
    match machine.state() {
        State::Concluded(finding) => {
            let finding: &Finding = finding;
            let report = report::report(machine.case(), finding, created);
            let status = match finding.verdict {
                Verdict::RootCause | Verdict::NoAnomaly => 0,
                Verdict::Inconclusive | Verdict::NoData => 3,
            };
            Ok(Finished { report, status })
        }
        State::Stopped(problem) => Err(stopped(problem)),
        other => Err(AppError::new(
            Kind::Bug,
            format!("the investigation ended in {:?}", other.phase()),
        )
        .hint(format!(
            "please report this with the journal in `{}`",
            dir.display()
        ))),
    }
}

/// What has to be mended before a run can go on.
pub(super) fn stopped(problem: &Problem) -> AppError {
    AppError {
        kind: Kind::Environment,
        what: problem.what.clone(),
        because: problem.because.clone(),
        hints: problem.hints.clone(),
    }
}

/// Goes on with an interrupted case.
pub(super) async fn resume(config: &Config, args: &ResumeArgs, show: Show) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, &args.case)?;
    let recording = journal::read(&dir).map_err(|error| journal_error(&error, &dir))?;
    let (id, created, mut settings) = opening(&recording, &dir)?;
    // Settings that decide are the recorded ones; where the server is may have changed.
    let reached = if source::is_named(&args.source) {
        source::chosen(config, &args.source)?
    } else {
        settings.source.clone()
    };
    if reached.to_string().contains(HIDDEN) {
        return Err(
            AppError::usage(format!("could not reach the server of the case `{id}` again"))
                .reason("its command or address held a secret, which was not recorded")
                .hint("give it again: `rca-agent resume CASE --mcp-command \"…\"` or `--mcp-url …`"),
        );
    }
    let endpoint = source::endpoint(config, &reached)?;
    settings.no_input |= args.no_input || !can_ask();
    let journal = CaseJournal::open(&dir, recording).map_err(|error| journal_error(&error, &dir))?;
    let redactor = redactor(config, &id)?;
    let model = super::model::connect(config, settings.model.as_ref(), dir.join("questions"))?;
    let start = Start {
        id,
        created,
        settings,
        endpoint,
        model,
        redactor,
        prompts: args.show_prompts,
        dir,
        out: args.output.out.clone(),
        format: args.output.format,
        show,
    };
    go(start, journal).await
}

/// Runs a recorded case again and prints its report; no server is needed and nothing is written but to `--out`.
pub(super) async fn replay(config: &Config, args: &ReplayArgs) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    let dir = output::case_dir(&cases, &args.case)?;
    let mut watch = Progress::new(Show::Nothing).with_prompts(args.show_prompts);
    let (machine, report, status) = replayed(&dir, &mut watch).await?;
    if let Some(out) = &args.output.out {
        output::copy_case(&dir, out)?;
        output::write_all(out, &report, &machine.case().settings.clock())?;
    }
    output::stdout(&output::rendered(
        &report,
        &machine.case().settings.clock(),
        output::format(args.output.format),
        None,
    ))?;
    Ok(status)
}

/// The machine and the report of a recorded case, made again by today's code.
pub(super) async fn replayed(dir: &Path, watch: &mut dyn Watch) -> Result<(Machine, Report, u8), AppError> {
    let recording = journal::read(dir).map_err(|error| journal_error(&error, dir))?;
    let (id, created, settings) = opening(&recording, dir)?;
    let mut journal = CaseJournal::replay(recording);
    let machine = drive(&id, created, settings, &mut NoEffects, &mut journal, watch)
        .await
        .map_err(|error| run_error(&error, dir))?;
    let finished = finish(&machine, created, dir)?;
    Ok((machine, finished.report, finished.status))
}

pub(super) fn opening(recording: &Recording, dir: &Path) -> Result<(String, Utc, Settings), AppError> {
    match recording.entries.first() {
        Some(Entry::Opened {
            case,
            created,
            settings,
            ..
        }) => Ok((case.clone(), *created, (**settings).clone())),
        _ => Err(
            AppError::environment(format!("the journal in `{}` is empty", dir.display()))
                .reason("the run was interrupted before it wrote its first line")
                .hint("start the investigation again; nothing is lost"),
        ),
    }
}

pub(super) fn journal_error(error: &JournalError, dir: &Path) -> AppError {
    match error {
        JournalError::Diverged { at, recorded, made } => AppError::new(Kind::Diverged, format!("the replay of `{}` diverged", dir.display()))
            .reason(format!("entry {at} is another than recorded"))
            .reason(difference(recorded, made))
            .hint("this version decides differently from the one that recorded the case; its report stays as it was written"),
        JournalError::Exhausted(_) => AppError::new(Kind::Diverged, format!("the journal in `{}` ends before the investigation does", dir.display()))
            .because(error)
            .hint("`rca-agent resume CASE` goes on with it"),
        JournalError::Busy { .. } => AppError::environment(format!("could not open the case `{}`", dir.display()))
            .because(error)
            .hint("wait until it has ended; progress is on its terminal"),
        JournalError::Changed { .. } => AppError::new(Kind::Diverged, format!("the journal in `{}` was changed", dir.display()))
            .because(error)
            .hint("nothing can be concluded from a changed journal: take a copy that was exported or preserved, or investigate again"),
        JournalError::Corrupt { .. } | JournalError::Format { .. } | JournalError::Io { .. } => {
            AppError::environment(format!("could not use the journal in `{}`", dir.display())).because(error)
        }
    }
}

/// The lines in which two entries differ.
fn difference(recorded: &Entry, made: &Entry) -> String {
    const LINES: usize = 12;
    let lines = |entry: &Entry| -> Vec<String> { output::pretty(entry).lines().map(str::to_owned).collect() };
    let (old, new) = (lines(recorded), lines(made));
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let part = |sign: char, all: &[String]| -> Vec<String> {
        all.iter()
            .skip(same)
            .take(LINES)
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut out = part('-', &old);
    out.extend(part('+', &new));
    format!(
        "recorded (-) and made now (+), from line {}:\n{}",
        same + 1,
        out.join("\n")
    )
}

fn run_error(error: &RunError, dir: &Path) -> AppError {
    match error {
        RunError::Journal(error) => journal_error(error, dir),
        RunError::Machine(error) => AppError::new(Kind::Bug, "the investigation broke off")
            .because(error)
            .hint(format!("this is a bug: please report it with the journal in `{}`", dir.display())),
        RunError::Restore(_) => AppError::environment("could not go on with the case")
            .because(error)
            .hint("if the server lost the snapshot and its buffers have moved on, the recorded part is all there is"),
    }
}

/// A journal entry in one line.
pub(super) fn in_a_line(entry: &Entry) -> String {
    use crate::investigation::{Action, Observation};
    let line = match entry {
        Entry::Opened { agent, settings, .. } => format!(
            "opened     by rca-agent {agent}, {}: {}",
            settings.source, settings.question
        ),
        Entry::Requested { action, rulings } => {
            let refused = rulings.iter().find_map(|ruling| {
                Some(format!(
                    "  refused by {}: {}",
                    ruling.guard,
                    ruling.refused.as_ref()?
                ))
            });
            let what = match action {
                Action::Connect => "connect".to_owned(),
                Action::Query { why, calls } => {
                    let names: Vec<&str> = calls.iter().map(crate::wire::Operation::name).collect();
                    format!("{} ({why})", names.join(", "))
                }
                Action::Wait { why, after_ms, then } => {
                    format!("{} after {after_ms} ms ({why})", then.name())
                }
                Action::AskUser { question, .. } => format!("ask: {question}"),
                Action::Consult { consultation } => format!("ask the model: {}", consultation.role),
            };
            format!("requested  {what}{}", refused.unwrap_or_default())
        }
        Entry::Observed { observation } => match observation {
            Observation::Connected { server, .. } => format!("observed   connected to {server}"),
            Observation::Answers { answers } => {
                let parts: Vec<String> = answers
                    .iter()
                    .map(|answer| match &answer.result {
                        Ok(_) => format!("{} {} B", answer.tool, answer.bytes),
                        Err(failure) => format!("{} failed: {failure}", answer.tool),
                    })
                    .collect();
                format!("observed   {}", parts.join(", "))
            }
            Observation::Chosen { choice } => format!("observed   choice {}", choice + 1),
            Observation::Replied { reply } => match &reply.answer {
                Ok(_) => format!(
                    "observed   {} answered, {} tokens in, {} out",
                    reply.model, reply.usage.tokens_in, reply.usage.tokens_out
                ),
                Err(failure) => format!("observed   the model failed: {failure}"),
            },
            Observation::Unavailable { failure } => format!("observed   {failure}"),
        },
        Entry::Moved { moved } => format!("moved      {:?} to {:?}", moved.from, moved.to),
        Entry::Closed { closed } => format!("closed     {closed:?}"),
    };
    report::plain(&line)
}
