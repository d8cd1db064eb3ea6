//! Printing, and writing a finished case's files.

use std::{
    fs,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::args::Format;
use crate::{
    error::{AppError, Kind},
    report::{self, Detail, Report, document::Document},
    time::Clock,
};

/// Prints to stdout. A reader that has gone away ends the output, not the program with an error.
pub(super) fn stdout(text: &str) -> Result<(), AppError> {
    let mut out = std::io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{newline}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(AppError::environment("could not write to stdout").because(&error)),
    }
}

/// Prints a line to stderr, if anybody listens.
pub(super) fn stderr(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Indented JSON.
pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Text on a terminal, Markdown in a file or pipe.
pub(super) fn format(wanted: Option<Format>) -> Format {
    wanted.unwrap_or(if std::io::stdout().is_terminal() {
        Format::Text
    } else {
        Format::Md
    })
}

/// How wide text may be.
pub(super) fn width() -> u16 {
    let terminal = console::Term::stdout();
    let columns = if terminal.is_term() {
        terminal.size_checked().map(|(_, columns)| columns)
    } else {
        None
    };
    columns.unwrap_or(FILE_WIDTH).clamp(40, 160)
}

/// Text for stdout: as wide as the terminal and in colours where it is one and shows them.
pub(super) fn terminal(document: &Document) -> String {
    let colours = console::Term::stdout().is_term() && console::colors_enabled();
    if colours {
        report::coloured(document, width())
    } else {
        report::text(document, width())
    }
}

/// A report in one format.
pub(super) fn rendered(report: &Report, clock: &Clock, format: Format, width_of: Option<u16>) -> String {
    let detail = if format == Format::Text && width_of.is_none() {
        Detail::Brief
    } else {
        Detail::Full
    };
    let document = report::document(report, clock, detail);
    match format {
        Format::Text => match width_of {
            Some(columns) => report::text(&document, columns),
            None => terminal(&document),
        },
        Format::Md => report::markdown(&document),
        Format::Json => pretty(report) + "\n",
        Format::Html => report::page(report, clock),
    }
}

/// Names of the files of a report.
const FILES: &[(&str, Format)] = &[
    ("report.json", Format::Json),
    ("report.md", Format::Md),
    ("report.txt", Format::Text),
    ("report.html", Format::Html),
];

/// Width of text in a file, columns.
const FILE_WIDTH: u16 = 110;

/// Writes the report in all formats, and its graph as a picture, into a directory.
pub(super) fn write_all(dir: &Path, report: &Report, clock: &Clock) -> Result<(), AppError> {
    for (name, format) in FILES {
        let path = dir.join(name);
        let text = rendered(report, clock, *format, Some(FILE_WIDTH));
        fs::write(&path, text).map_err(|error| unwritable(&path, &error))?;
    }
    if let Some(picture) = report::png(report, clock) {
        let path = dir.join("report.png");
        fs::write(&path, picture).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> AppError {
    AppError::environment(format!("could not write `{}`", path.display()))
        .because(error)
        .hint("the journal of the case is complete: `rca-agent replay CASE` writes the report again")
}

/// Copies everything in a case's directory into another one.
pub(super) fn copy_case(from: &Path, to: &Path) -> Result<(), AppError> {
    let failed = |path: &Path, error: std::io::Error| unwritable(path, &error);
    fs::create_dir_all(to).map_err(|error| failed(to, error))?;
    let entries = fs::read_dir(from).map_err(|error| {
        AppError::environment(format!("could not read `{}`", from.display())).because(&error)
    })?;
    for entry in entries.flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_case(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(|error| failed(&target, error))?;
        }
    }
    Ok(())
}

/// The directory of a case, from its id or its path.
pub(super) fn case_dir(cases: &Path, case: &str) -> Result<PathBuf, AppError> {
    let is_case = |dir: &Path| dir.join(crate::journal::JOURNAL).is_file();
    let named = Path::new(case);
    if is_case(named) {
        return Ok(named.to_owned());
    }
    let inside = cases.join(case);
    if !case.contains(['/', '\\']) && case != ".." && is_case(&inside) {
        return Ok(inside);
    }
    let known: Vec<String> = fs::read_dir(cases)
        .map(|entries| {
            entries
                .flatten()
                .filter(|e| is_case(&e.path()))
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .collect()
        })
        .unwrap_or_default();
    let mut error = AppError::new(
        Kind::Environment,
        format!("there is no case `{case}` in `{}`", cases.display()),
    );
    let near = known
        .iter()
        .map(|id| (strsim::jaro_winkler(id, case), id))
        .filter(|(near, _)| *near > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, id)) = near {
        error = error.hint(format!("did you mean `{id}`?"));
    }
    Err(error.hint("`rca-agent cases` lists the cases; `--cases DIR` looks elsewhere"))
}
