//! Reads a case back: every complete line, large bodies put in their place again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    entry::{Closed, Entry, FORMAT, Line},
    writer::{BODIES, JOURNAL, body_hash},
};
use crate::{
    investigation::{Body, Observation, settings::Source},
    time::Utc,
};

/// Why a journal cannot be written, read or followed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("could not {doing} `{}`", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("line {line} of `{}` cannot be read: {why}", path.display())]
    Corrupt { path: PathBuf, line: usize, why: String },
    #[error("`{}` has journal format {found}; this version reads {FORMAT}", path.display())]
    Format { path: PathBuf, found: u32 },
    #[error("`{}` is in use by another rca-agent", path.display())]
    Busy { path: PathBuf },
    /// The recording and the code disagree about what happens next.
    #[error("entry {at} of the recording is another than the one this version makes")]
    Diverged {
        at: usize,
        recorded: Box<Entry>,
        made: Box<Entry>,
    },
    /// A replay came to the end of what was recorded before the investigation ended.
    #[error("the recording ends after {0} entries, before the investigation does")]
    Exhausted(usize),
}

/// All of a journal that can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub entries: Vec<Entry>,
    /// Length of the file up to the last complete line, bytes; what follows was cut off while being written.
    pub valid_bytes: u64,
    pub torn: bool,
}

impl Recording {
    /// Of a case that has not begun.
    pub fn nothing() -> Self {
        Self {
            entries: Vec::new(),
            valid_bytes: 0,
            torn: false,
        }
    }
}

/// What a list of cases shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub case: String,
    pub created: Utc,
    pub question: String,
    pub source: Source,
    pub closed: Option<Closed>,
    pub entries: usize,
}

/// Reads the journal in the case directory `dir`.
///
/// A last line that is incomplete is left out: the process was killed while writing it, and nothing
/// depended on it yet. Anything else that cannot be read is an error.
pub fn read(dir: &Path) -> Result<Recording, JournalError> {
    let path = dir.join(JOURNAL);
    let bytes = fs::read(&path).map_err(|source| JournalError::Io {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    let mut entries = Vec::new();
    let mut valid_bytes = 0;
    let mut torn = false;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let corrupt = |why: String| JournalError::Corrupt {
            path: path.clone(),
            line: number + 1,
            why,
        };
        let Some(text) = line.strip_suffix(b"\n") else {
            torn = true;
            break;
        };
        let parsed: Line = match serde_json::from_slice(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                check_format(&path, number, text)?;
                return Err(corrupt(error.to_string()));
            }
        };
        if number == 0 {
            check_format(&path, number, text)?;
        }
        if parsed.seq != number as u64 + 1 {
            return Err(corrupt(format!("it has the number {}", parsed.seq)));
        }
        entries.push(restored(dir, parsed.entry).map_err(corrupt)?);
        valid_bytes += line.len() as u64;
    }
    if !matches!(entries.first(), None | Some(Entry::Opened { .. })) {
        return Err(JournalError::Corrupt {
            path,
            line: 1,
            why: "it is not the opening of a case".to_owned(),
        });
    }
    Ok(Recording {
        entries,
        valid_bytes,
        torn,
    })
}

/// A newer format is told apart from rubbish before anything else is made of it.
fn check_format(path: &Path, number: usize, text: &[u8]) -> Result<(), JournalError> {
    let value: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    match value.pointer("/entry/format").and_then(serde_json::Value::as_u64) {
        Some(found) if number == 0 && found != u64::from(FORMAT) => Err(JournalError::Format {
            path: path.to_owned(),
            found: u32::try_from(found).unwrap_or(u32::MAX),
        }),
        _ => Ok(()),
    }
}

/// Puts bodies that were kept in files back into their place.
fn restored(dir: &Path, mut entry: Entry) -> Result<Entry, String> {
    if let Entry::Observed { observation } = &mut entry {
        match observation {
            Observation::Connected { schemas, .. } => restore(dir, schemas)?,
            Observation::Answers { answers } => {
                for body in answers
                    .iter_mut()
                    .filter_map(|answer| answer.result.as_mut().ok())
                {
                    restore(dir, body)?;
                }
            }
            Observation::Chosen { .. } | Observation::Unavailable { .. } => {}
        }
    }
    Ok(entry)
}

fn restore(dir: &Path, body: &mut Body) -> Result<(), String> {
    if !body.value.is_null() || body.sha256 == body_hash(&serde_json::Value::Null) {
        return Ok(());
    }
    if !body.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("`{}` is no hash", body.sha256));
    }
    let path = dir.join(BODIES).join(format!("{}.json", body.sha256));
    let bytes = fs::read(&path).map_err(|error| format!("`{}`: {error}", path.display()))?;
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| format!("`{}`: {error}", path.display()))?;
    if body_hash(&value) != body.sha256 {
        return Err(format!("`{}` was changed: its hash is another", path.display()));
    }
    body.value = value;
    Ok(())
}

/// What a list shows of a recording; `None` where nothing was written yet.
pub fn summary(recording: &Recording) -> Option<Summary> {
    let Entry::Opened {
        case,
        created,
        settings,
        ..
    } = recording.entries.first()?
    else {
        return None;
    };
    let closed = recording.entries.iter().find_map(|entry| match entry {
        Entry::Closed { closed } => Some(*closed),
        _ => None,
    });
    Some(Summary {
        case: case.clone(),
        created: *created,
        question: settings.question.clone(),
        source: settings.source.clone(),
        closed,
        entries: recording.entries.len(),
    })
}
