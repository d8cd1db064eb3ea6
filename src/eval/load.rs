//! Finds cases, reads them, and checks what a parser cannot.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use chrono::DateTime;

use super::{
    case::{CaseFile, Ending, LimitsFile, SCHEMA, Truth},
    rehearsed::{self, Script},
    score,
};
use crate::{
    hub::Fault,
    investigation::{Playbook, ServiceName},
    playbook::{self, At, Finding, near, parsed},
    time::{HourStyle, Reading, Utc, Window, Zone, parse_window},
};

/// The file that makes a directory a case.
pub const CASE: &str = "case.yaml";

/// A case that can be run.
#[derive(Clone, Debug)]
pub struct EvalCase {
    /// Name of its directory.
    pub name: String,
    pub dir: PathBuf,
    pub about: String,
    pub tags: BTreeSet<String>,
    pub question: String,
    pub since: String,
    pub until: Option<String>,
    /// What these words mean today.
    pub reading: Reading,
    pub baseline: Option<Window>,
    pub zone: Zone,
    pub now: Utc,
    pub hours: HourStyle,
    pub namespace: Option<String>,
    pub service: Option<ServiceName>,
    /// Where the capture is, for the embedded hub.
    pub capture: Option<PathBuf>,
    /// The same as the case has it.
    pub capture_as_written: Option<String>,
    pub faults: Vec<Fault>,
    /// The workflow, with the limits of the case.
    pub playbook: Playbook,
    /// What a rehearsed model does, where there is one.
    pub script: Option<Script>,
    pub script_as_written: Option<String>,
    pub truth: Truth,
    /// Start and end that the words have to mean.
    pub true_window: Option<Window>,
    /// When it began, and the seconds that a report may be off.
    pub true_onset: Option<(Utc, f64)>,
    pub budget: super::case::BudgetFile,
}

impl EvalCase {
    /// Whether it can be asked again, without its recording.
    pub fn has_capture(&self) -> bool {
        self.capture.is_some()
    }

    /// The endings that are right; none before the truth is filled in.
    pub fn endings(&self) -> &[Ending] {
        self.truth
            .verdict
            .as_ref()
            .map_or(&[], super::case::OneOrMore::all)
    }
}

/// A case file that is not in order.
#[derive(Clone, Debug)]
pub struct BrokenCase {
    pub name: String,
    pub path: PathBuf,
    pub findings: Vec<Finding>,
}

impl fmt::Display for BrokenCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}:{finding}", self.path.display())?;
            if let Some(suggestion) = &finding.suggestion {
                write!(f, " ({suggestion})")?;
            }
        }
        Ok(())
    }
}

/// The cases of a directory by name, the broken ones among them.
pub fn cases(root: &Path) -> io::Result<Vec<Result<EvalCase, BrokenCase>>> {
    let mut dirs = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.join(CASE).is_file() {
            dirs.push(path);
        }
    }
    dirs.sort();
    Ok(dirs.iter().map(|dir| case(dir)).collect())
}

/// The case in this directory.
pub fn case(dir: &Path) -> Result<EvalCase, BrokenCase> {
    let path = dir.join(CASE);
    let name = dir
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let broken = |findings| BrokenCase {
        name: name.clone(),
        path: path.clone(),
        findings,
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        broken(vec![Finding {
            line: 0,
            column: 0,
            message: format!(" {error}"),
            suggestion: None,
        }])
    })?;
    let file: CaseFile = parsed(
        &text,
        "a case",
        "`rca-agent eval schema` prints the form of a case",
    )
    .map_err(broken)?;
    let mut checker = Checker { found: Vec::new() };
    let case = checker.case(&name, dir, file);
    match case {
        Some(case) if checker.found.is_empty() => Ok(case),
        _ => Err(broken(checker.found)),
    }
}

struct Checker {
    found: Vec<Finding>,
}

impl Checker {
    fn say<T>(&mut self, at: &At<T>, message: impl Into<String>, suggestion: Option<String>) {
        self.found.push(Finding {
            line: at.line,
            column: at.column,
            message: message.into(),
            suggestion,
        });
    }

    fn instant(&mut self, at: &At<String>, what: &str) -> Option<Utc> {
        match DateTime::parse_from_rfc3339(&at.value) {
            Ok(time) => Some(time.into()),
            Err(error) => {
                let hint = "RFC 3339, as in `2026-03-14T18:12:00+02:00`".to_owned();
                self.say(
                    at,
                    format!("{what} `{}` cannot be read: {error}", at.value),
                    Some(hint),
                );
                None
            }
        }
    }

    fn case(&mut self, name: &str, dir: &Path, file: CaseFile) -> Option<EvalCase> {
        if file.schema.value != SCHEMA {
            self.say(
                &file.schema,
                format!("this version reads `{SCHEMA}`, not `{}`", file.schema.value),
                None,
            );
        }
        if file.about.value.trim().is_empty() {
            self.say(
                &file.about,
                "`about` is empty",
                Some("one sentence: what happened".to_owned()),
            );
        }
        let zone = self.zone(&file.zone);
        let now = self.instant(&file.now, "the time");
        let hours = self.hours(file.hours.as_ref());
        let faults = self.faults(&file.source.faults);
        let capture = self.capture(file.source.capture.as_ref(), dir);
        self.shortfalls(&file.truth);
        let window = file.truth.window.as_ref().and_then(|[start, end]| {
            let (from, to) = (self.instant(start, "the start"), self.instant(end, "the end"));
            Some(Window {
                start: from?,
                end: to?,
            })
        });
        let onset = file
            .truth
            .onset
            .as_ref()
            .and_then(|onset| Some((self.instant(&onset.at, "the onset")?, onset.within)));
        let (zone, now) = (zone?, now?);
        let read = |since: &At<String>, until: Option<&At<String>>| {
            let until = until.map(|at| at.value.as_str());
            parse_window(&since.value, until, now, &zone)
        };
        let reading = match read(&file.since, file.until.as_ref()) {
            Ok(reading) => Some(reading),
            Err(error) => {
                self.say(&file.since, format!("the window cannot be read: {error}"), None);
                None
            }
        };
        let baseline = file.baseline.as_ref().and_then(|at| match read(at, None) {
            Ok(reading) => Some(reading.window),
            Err(error) => {
                self.say(at, format!("the baseline cannot be read: {error}"), None);
                None
            }
        });
        let playbook = self.playbook(file.playbook.as_ref(), &file.limits);
        let script = file
            .model
            .as_ref()
            .and_then(|model| self.script(&model.script, dir));
        let service = file.service.as_deref().map(|text| {
            let (namespace, name) = match text.split_once('/') {
                Some((namespace, name)) => (Some(namespace.to_owned()), name),
                None => (None, text),
            };
            ServiceName {
                namespace,
                name: name.to_owned(),
            }
        });
        Some(EvalCase {
            name: name.to_owned(),
            dir: dir.to_owned(),
            about: file.about.value,
            tags: file.tags.into_iter().collect(),
            question: file.question,
            since: file.since.value,
            until: file.until.map(|at| at.value),
            reading: reading?,
            baseline,
            zone,
            now,
            hours,
            namespace: file.namespace,
            service,
            capture,
            capture_as_written: file.source.capture.map(|at| at.value),
            faults,
            playbook: playbook?,
            script,
            script_as_written: file.model.map(|model| model.script.value),
            truth: file.truth,
            true_window: window,
            true_onset: onset,
            budget: file.budget,
        })
    }

    fn hours(&mut self, hours: Option<&At<u8>>) -> HourStyle {
        match hours.map(|at| (at, at.value)) {
            None | Some((_, 24)) => HourStyle::TwentyFour,
            Some((_, 12)) => HourStyle::Twelve,
            Some((at, other)) => {
                self.say(at, format!("a clock has 12 or 24 hours, not {other}"), None);
                HourStyle::TwentyFour
            }
        }
    }

    fn faults(&mut self, faults: &[At<String>]) -> Vec<Fault> {
        let mut known = Vec::new();
        for at in faults {
            match at.value.parse::<Fault>() {
                Ok(fault) => known.push(fault),
                Err(error) => self.say(at, error.to_string(), None),
            }
        }
        known
    }

    fn capture(&mut self, capture: Option<&At<String>>, dir: &Path) -> Option<PathBuf> {
        let at = capture?;
        let path = dir.join(&at.value);
        if path.exists() {
            return Some(path);
        }
        let hint = "the path is taken from the directory of the case; without `source` the recorded session is all there is";
        self.say(
            at,
            format!("there is no capture `{}`", path.display()),
            Some(hint.to_owned()),
        );
        None
    }

    fn shortfalls(&mut self, truth: &Truth) {
        let Some(shortfalls) = &truth.shortfalls else {
            return;
        };
        for name in shortfalls.value.keys() {
            if score::names().all(|known| known != name) {
                self.say(
                    shortfalls,
                    format!("there is no check `{name}`"),
                    near(name, score::names()),
                );
            }
        }
    }

    fn playbook(&mut self, name: Option<&At<String>>, limits: &LimitsFile) -> Option<Playbook> {
        let wanted = name.map_or(playbook::DEFAULT, |at| at.value.as_str());
        let Some(shipped) = playbook::shipped(wanted) else {
            let near = near(wanted, playbook::SHIPPED.iter().map(|shipped| shipped.name));
            if let Some(at) = name {
                self.say(at, format!("no playbook `{wanted}` is compiled in"), near);
            }
            return None;
        };
        // What is compiled in is held in order by its own test.
        let mut playbook = playbook::read(shipped.text).ok()?;
        let budget = &mut playbook.budget;
        budget.calls = limits.calls.unwrap_or(budget.calls);
        budget.seconds = limits.seconds.unwrap_or(budget.seconds);
        Some(playbook)
    }

    fn script(&mut self, at: &At<String>, dir: &Path) -> Option<Script> {
        match rehearsed::script(&dir.join(&at.value)) {
            Ok(script) => Some(script),
            Err(findings) => {
                for finding in findings {
                    self.say(
                        at,
                        format!("`{}`: {finding}", at.value),
                        finding.suggestion.clone(),
                    );
                }
                None
            }
        }
    }

    fn zone(&mut self, at: &At<String>) -> Option<Zone> {
        match at.value.parse::<Zone>() {
            Ok(zone) => Some(zone),
            Err(error) => {
                self.say(at, error.to_string(), None);
                None
            }
        }
    }
}
