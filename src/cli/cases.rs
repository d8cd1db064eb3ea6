//! `cases`: the investigations there are.

use std::{fs, io::IsTerminal, path::Path};

use super::{
    args::{CasesAction, CasesArgs, Format},
    investigate::{moment, system_now},
    output, run,
};
use crate::{
    config::Config,
    error::AppError,
    journal::{self, Closed, Entry},
    report::Report,
    time::Clock,
};

pub(super) fn run(config: &Config, args: &CasesArgs) -> Result<u8, AppError> {
    let cases = args.cases.clone().unwrap_or_else(|| config.cases.clone());
    match args.action.as_ref().unwrap_or(&CasesAction::List) {
        CasesAction::List => list(config, args, &cases),
        CasesAction::Show { case, format } => show(&cases, case, *format),
        CasesAction::Export { case, dir } => {
            let from = output::case_dir(&cases, case)?;
            output::copy_case(&from, dir)?;
            output::stderr(&format!("exported to {}", dir.display()));
            Ok(0)
        }
    }
}

fn list(config: &Config, args: &CasesArgs, cases: &Path) -> Result<u8, AppError> {
    let moment = moment(config, &args.time, system_now())?;
    let clock = Clock {
        zone: moment.zone,
        now: moment.now,
        hours: config.hours,
    };
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    let entries = match fs::read_dir(cases) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            output::stderr(&format!(
                "there are no cases in `{}` yet; `rca-agent demo` makes one",
                cases.display()
            ));
            return Ok(0);
        }
        Err(error) => {
            return Err(
                AppError::environment(format!("could not read `{}`", cases.display())).because(&error),
            );
        }
    };
    for entry in entries
        .flatten()
        .filter(|entry| entry.path().join(journal::JOURNAL).is_file())
    {
        match journal::read(&entry.path()) {
            Ok(recording) => {
                found.extend(journal::summary(&recording).map(|summary| (summary, verdict(&entry.path()))));
            }
            Err(error) => unreadable.push(error.to_string()),
        }
    }
    found.sort_by(|a, b| {
        b.0.created
            .cmp(&a.0.created)
            .then_with(|| b.0.case.cmp(&a.0.case))
    });
    for (summary, verdict) in &found {
        let state = match summary.closed {
            Some(Closed::Concluded) => verdict.clone().unwrap_or_else(|| "concluded".to_owned()),
            Some(Closed::Stopped) => "stopped".to_owned(),
            None => "interrupted".to_owned(),
        };
        let question = crate::report::plain(&summary.question);
        output::stdout(&format!(
            "{:<20} {:<14} {}  {question}",
            summary.case,
            state,
            clock.at(summary.created)
        ))?;
    }
    for error in unreadable {
        output::stderr(&format!("warning: {error}"));
    }
    Ok(0)
}

/// The verdict of a finished case, from its report.
fn verdict(dir: &Path) -> Option<String> {
    let text = fs::read(dir.join("report.json")).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&text).ok()?;
    value
        .get("verdict")?
        .as_str()
        .map(|verdict| crate::report::plain(&verdict.replace('_', " ")))
}

/// The report that was written, with the clock of whoever asked; `None` where another version wrote it.
fn written(dir: &Path) -> Option<(Report, Clock)> {
    let report: Report = serde_json::from_slice(&fs::read(dir.join("report.json")).ok()?).ok()?;
    let recording = journal::read(dir).ok()?;
    match recording.entries.first() {
        Some(Entry::Opened { settings, .. }) => Some((report, settings.clock())),
        _ => None,
    }
}

/// The report as it was written. A case without one is told from its journal.
fn show(cases: &Path, case: &str, format: Option<Format>) -> Result<u8, AppError> {
    let dir = output::case_dir(cases, case)?;
    let name = match output::format(format) {
        Format::Text => "report.txt",
        Format::Md => "report.md",
        Format::Json => "report.json",
        Format::Html => "report.html",
    };
    if name == "report.txt"
        && std::io::stdout().is_terminal()
        && let Some((report, clock)) = written(&dir)
    {
        // The width and colours of this terminal, not of the file.
        output::stdout(&output::rendered(&report, &clock, Format::Text, None))?;
        return Ok(0);
    }
    if let Ok(text) = fs::read_to_string(dir.join(name)) {
        output::stdout(&text)?;
        return Ok(0);
    }
    let recording = journal::read(&dir).map_err(|error| {
        AppError::environment(format!("could not read the case `{case}`")).because(&error)
    })?;
    let lines: Vec<String> = recording
        .entries
        .iter()
        .enumerate()
        .map(|(index, entry)| format!("{:>4}  {}", index + 1, run::in_a_line(entry)))
        .collect();
    output::stdout(&lines.join("\n"))?;
    output::stderr("this case has no report; `rca-agent resume` goes on with it where it was interrupted");
    Ok(0)
}
