//! Reads a case back: every complete line, large bodies put in their place again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    bodies::{Bodies, bodies},
    entry::{Closed, Entry, FORMAT, Line, OLDEST_FORMAT, link},
    writer::{JOURNAL, body_hash},
};
use crate::{
    investigation::{Body, settings::Source},
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
    /// What was written is not what is there now.
    #[error("line {line} of `{}` was changed after it was written: {why}", path.display())]
    Changed { path: PathBuf, line: usize, why: String },
    #[error("`{}` has journal format {found}; this version reads {OLDEST_FORMAT} to {FORMAT}", path.display())]
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
    /// The format it is written in, and goes on in.
    pub format: u32,
    /// Link of the last line; empty in format 1.
    pub link: String,
}

impl Recording {
    /// Of a case that has not begun.
    pub fn nothing() -> Self {
        Self {
            entries: Vec::new(),
            valid_bytes: 0,
            torn: false,
            format: FORMAT,
            link: String::new(),
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
    read_with_bodies(dir).map(|(recording, _)| recording)
}

/// The same with the large results by their hash.
pub fn read_with_bodies(dir: &Path) -> Result<(Recording, Bodies), JournalError> {
    let path = dir.join(JOURNAL);
    let bytes = fs::read(&path).map_err(|source| JournalError::Io {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    let kept = Bodies::open(dir)?;
    let mut entries = Vec::new();
    let mut valid_bytes = 0;
    let mut torn = false;
    let mut format = FORMAT;
    let mut linked = String::new();
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
        if number == 0 {
            format = format_of(&path, text)?.unwrap_or(FORMAT);
        }
        let parsed: Line = serde_json::from_slice(text).map_err(|error| corrupt(error.to_string()))?;
        let changed = |why: &str| JournalError::Changed {
            path: path.clone(),
            line: number + 1,
            why: why.to_owned(),
        };
        if format >= 2 {
            linked = link(&linked, parsed.seq, parsed.entry.get());
            if parsed.link.as_ref() != Some(&linked) {
                return Err(changed("its hash does not follow from it and the line before"));
            }
        }
        if parsed.seq != number as u64 + 1 {
            return Err(corrupt(format!("it has the number {}", parsed.seq)));
        }
        let entry: Entry =
            serde_json::from_str(parsed.entry.get()).map_err(|error| corrupt(error.to_string()))?;
        entries.push(restored(&kept, entry).map_err(|error| match error {
            Unrestored::Changed(why) => changed(&why),
            Unrestored::Missing(why) => corrupt(why),
        })?);
        valid_bytes += line.len() as u64;
    }
    if !matches!(entries.first(), None | Some(Entry::Opened { .. })) {
        return Err(JournalError::Corrupt {
            path,
            line: 1,
            why: "it is not the opening of a case".to_owned(),
        });
    }
    let recording = Recording {
        entries,
        valid_bytes,
        torn,
        format,
        link: linked,
    };
    Ok((recording, kept))
}

/// The format that the first line names. A newer one is told apart from rubbish before anything else is made of it.
fn format_of(path: &Path, text: &[u8]) -> Result<Option<u32>, JournalError> {
    let value: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    let Some(found) = value.pointer("/entry/format").and_then(serde_json::Value::as_u64) else {
        return Ok(None);
    };
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    if (OLDEST_FORMAT..=FORMAT).contains(&found) {
        Ok(Some(found))
    } else {
        Err(JournalError::Format {
            path: path.to_owned(),
            found,
        })
    }
}

/// Why a large result could not be put back.
enum Unrestored {
    Changed(String),
    Missing(String),
}

/// Puts bodies that were kept in files back into their place.
fn restored(kept: &Bodies, mut entry: Entry) -> Result<Entry, Unrestored> {
    for body in bodies(&mut entry) {
        restore(kept, body)?;
    }
    Ok(entry)
}

fn restore(kept: &Bodies, body: &mut Body) -> Result<(), Unrestored> {
    if !body.value.is_null() || body.sha256 == body_hash(&serde_json::Value::Null) {
        return if body_hash(&body.value) == body.sha256 {
            Ok(())
        } else {
            Err(Unrestored::Changed(
                "a result is another than its hash says".to_owned(),
            ))
        };
    }
    if !body.sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Unrestored::Missing(format!("`{}` is no hash", body.sha256)));
    }
    let path = kept.path(&body.sha256);
    let (value, proven) = kept
        .parsed(&body.sha256)
        .map_err(|error| Unrestored::Missing(format!("`{}`: {error}", path.display())))?;
    // What is no JSON any more is not what was written.
    let value = value.filter(|value| proven || body_hash(value) == body.sha256);
    body.value =
        value.ok_or_else(|| Unrestored::Changed(format!("the hash of `{}` is another", path.display())))?;
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
