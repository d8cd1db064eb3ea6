//! `playbooks`: the workflows there are, what they do, and whether a file is one.

use std::{fs, path::Path};

use super::{
    args::{PlaybooksAction, PlaybooksArgs},
    output,
};
use crate::{
    error::{AppError, Kind},
    investigation::{Playbook, TaskKind, settings::Input},
    playbook::{self, Finding, SHIPPED},
    report,
};

/// Where a team keeps its own.
const DIRECTORY: &str = "playbooks";

pub(super) fn run(args: &PlaybooksArgs) -> Result<u8, AppError> {
    match args.action.as_ref().unwrap_or(&PlaybooksAction::List) {
        PlaybooksAction::List => list(),
        PlaybooksAction::Show { name, yaml } => show(name, *yaml),
        PlaybooksAction::Check { files } => check(files),
        PlaybooksAction::Schema => output::stdout(&output::pretty(&playbook::schema())).map(|()| 0),
    }
}

/// The playbook of this name or path, checked.
pub(super) fn named(name: &str) -> Result<Playbook, AppError> {
    let (shown, text) = text(name)?;
    playbook::read(&text).map_err(|found| {
        let mut error = AppError::usage(format!("the playbook `{shown}` is not in order"));
        error.because.extend(found.iter().map(ToString::to_string));
        error
            .hints
            .extend(found.into_iter().filter_map(|finding| finding.suggestion));
        error.hint(format!("`rca-agent playbooks check {shown}` checks it again"))
    })
}

/// The playbook that holds where none is named.
pub(super) fn default() -> Result<Playbook, AppError> {
    named(playbook::DEFAULT)
}

/// The compiled-in playbook of a task; the numbers of the default one where it has none of its own.
pub(super) fn of_task(task: TaskKind) -> Result<Playbook, AppError> {
    for shipped in SHIPPED {
        let playbook = named(shipped.name)?;
        if playbook.task == task {
            return Ok(playbook);
        }
    }
    let default = named(playbook::DEFAULT)?;
    Ok(Playbook {
        task,
        needs: Vec::new(),
        ..default
    })
}

/// Whether everything that the playbook needs was told.
pub(super) fn told(playbook: &Playbook, told: impl Fn(Input) -> bool) -> Result<(), AppError> {
    let Some(input) = playbook.needs.iter().find(|input| !told(**input)) else {
        return Ok(());
    };
    let hint = match input {
        Input::Question => "give the question as the first argument".to_owned(),
        other => format!("add --{}", other.name()),
    };
    let what = format!("the playbook {} needs to know {}", playbook.name, input.name());
    Err(AppError::usage(what).hint(hint))
}

/// The text of a playbook, and how it is called: a path, else one that is compiled in, else one of the directory.
fn text(name: &str) -> Result<(String, String), AppError> {
    let is_path = name.contains(['/', '\\']) || Path::new(name).extension().is_some();
    if !is_path && let Some(shipped) = playbook::shipped(name) {
        return Ok((name.to_owned(), shipped.text.to_owned()));
    }
    let path = if is_path {
        name.to_owned()
    } else {
        format!("{DIRECTORY}/{name}.yaml")
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok((path, text)),
        Err(error) if !is_path && error.kind() == std::io::ErrorKind::NotFound => {
            let likeness = |known: &&str| strsim::jaro_winkler(name, known);
            let near = SHIPPED
                .iter()
                .map(|shipped| shipped.name)
                .filter(|known| likeness(known) > 0.75)
                .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let mut missing = AppError::usage(format!("there is no playbook `{name}`")).reason(format!(
                "none of that name is compiled in, and there is no `{path}`"
            ));
            if let Some(near) = near {
                missing = missing.hint(format!("did you mean `{near}`?"));
            }
            Err(missing.hint("`rca-agent playbooks` lists them; a path names a file"))
        }
        Err(error) => {
            Err(AppError::environment(format!("could not read the playbook `{path}`")).because(&error))
        }
    }
}

fn list() -> Result<u8, AppError> {
    let mut lines = Vec::new();
    for shipped in SHIPPED {
        let playbook = named(shipped.name)?;
        lines.push(format!("{:<24} {}", playbook.name, playbook.when));
    }
    let mut own: Vec<_> = fs::read_dir(DIRECTORY)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    own.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "yaml"));
    own.sort();
    for path in own {
        let path = path.display().to_string();
        match fs::read_to_string(&path).map(|text| playbook::read(&text)) {
            // Of the project itself, or copied from it.
            Ok(Ok(playbook)) if playbook::shipped(&playbook.name).is_some() => {}
            Ok(Ok(playbook)) => {
                lines.push(format!("{:<24} {}", playbook.name, report::plain(&playbook.when)));
            }
            Ok(Err(_)) => output::stderr(&format!(
                "warning: `{path}` is not in order: `rca-agent playbooks check {path}`"
            )),
            Err(error) => output::stderr(&format!("warning: could not read `{path}`: {error}")),
        }
    }
    output::stdout(&lines.join("\n")).map(|()| 0)
}

fn show(name: &str, yaml: bool) -> Result<u8, AppError> {
    if yaml {
        let (_, text) = text(name)?;
        return output::stdout(&text).map(|()| 0);
    }
    let document = playbook::explain(&named(name)?);
    output::stdout(&output::terminal(&document)).map(|()| 0)
}

/// Checks each file and says what is wrong with each; 1 where anything is.
fn check(files: &[std::path::PathBuf]) -> Result<u8, AppError> {
    let mut wrong = false;
    for path in files {
        let shown = path.display();
        match read(path)? {
            Ok(playbook) => output::stdout(&format!("{shown}: in order, playbook {}", playbook.name))?,
            Err(found) => {
                wrong = true;
                for finding in found {
                    let place = if finding.line > 0 {
                        format!("{shown}:{}:{}", finding.line, finding.column)
                    } else {
                        shown.to_string()
                    };
                    output::stderr(&report::plain(&format!("{place}: {}", finding.message)));
                    if let Some(suggestion) = finding.suggestion {
                        output::stderr(&format!("  help: {}", report::plain(&suggestion)));
                    }
                }
            }
        }
    }
    Ok(if wrong { Kind::Environment.status() } else { 0 })
}

fn read(path: &Path) -> Result<Result<Playbook, Vec<Finding>>, AppError> {
    let text = fs::read_to_string(path).map_err(|error| {
        AppError::environment(format!("could not read the playbook `{}`", path.display())).because(&error)
    })?;
    Ok(playbook::read(&text))
}
