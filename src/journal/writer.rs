//! Appends to a case, or follows its recording.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    Journal,
    bodies::bodies,
    entry::{Entry, Line, hex},
    reader::{JournalError, Recording},
};
use crate::investigation::{Body, Observation};

/// Name of the journal inside a case directory.
pub const JOURNAL: &str = "journal.jsonl";
/// Name of the directory of large results.
pub const BODIES: &str = "bodies";

/// A result whose JSON is longer than this lies in a file of its own, bytes.
pub(super) const INLINE_BYTES: usize = 2048;

/// SHA-256 of the compact JSON of a value, lower-case hex.
pub fn body_hash(value: &serde_json::Value) -> String {
    hex(&Sha256::digest(value.to_string().as_bytes()))
}

/// A case being followed, then written.
pub struct CaseJournal {
    /// `None` for a replay, which never writes.
    file: Option<Open>,
    recorded: Vec<Entry>,
    /// Entries seen so far, recorded ones included.
    at: usize,
    /// Of the recording; a new case gets the newest.
    format: u32,
    /// Link of the last line written.
    link: String,
}

struct Open {
    dir: PathBuf,
    file: File,
}

impl CaseJournal {
    /// Opens the case directory for writing; what `recording` holds is followed first.
    ///
    /// The file is locked: two processes on one case would write two truths.
    pub fn open(dir: &Path, recording: Recording) -> Result<Self, JournalError> {
        let io = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { doing, path, source }
        };
        let bodies = dir.join(BODIES);
        fs::create_dir_all(&bodies).map_err(io("create", &bodies))?;
        let path = dir.join(JOURNAL);
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Busy { path }),
            Err(TryLockError::Error(source)) => {
                return Err(JournalError::Io {
                    doing: "lock",
                    path,
                    source,
                });
            }
        }
        file.set_len(recording.valid_bytes).map_err(io("cut", &path))?;
        file.seek(SeekFrom::End(0)).map_err(io("open", &path))?;
        Ok(Self {
            file: Some(Open {
                dir: dir.to_owned(),
                file,
            }),
            recorded: recording.entries,
            at: 0,
            format: recording.format,
            link: recording.link,
        })
    }

    /// Follows a recording and writes nothing.
    pub fn replay(recording: Recording) -> Self {
        Self {
            file: None,
            recorded: recording.entries,
            at: 0,
            format: recording.format,
            link: recording.link,
        }
    }

    /// The opening of the recorded case; `None` for a new one.
    pub fn opening(&self) -> Option<&Entry> {
        self.recorded.first()
    }
}

impl Journal for CaseJournal {
    fn append(&mut self, entry: Entry) -> Result<(), JournalError> {
        if let Some(recorded) = self.recorded.get(self.at) {
            if recorded != &entry {
                return Err(JournalError::Diverged {
                    at: self.at + 1,
                    recorded: Box::new(recorded.clone()),
                    made: Box::new(entry),
                });
            }
            self.at += 1;
            return Ok(());
        }
        let Some(open) = &mut self.file else {
            return Err(JournalError::Exhausted(self.at));
        };
        let path = open.dir.join(JOURNAL);
        let unwritable = |error: serde_json::Error| JournalError::Io {
            doing: "write to",
            path: path.clone(),
            source: error.into(),
        };
        let closes = matches!(entry, Entry::Closed { .. });
        let entry = open.without_large_bodies(entry)?;
        let line = Line::after(&self.link, self.at as u64 + 1, &entry, self.format).map_err(unwritable)?;
        let mut text = serde_json::to_string(&line).map_err(unwritable)?;
        text.push('\n');
        // One write a line: a process that is killed leaves at most one line incomplete.
        open.file
            .write_all(text.as_bytes())
            .map_err(|source| JournalError::Io {
                doing: "write to",
                path: path.clone(),
                source,
            })?;
        if closes {
            open.file.sync_all().map_err(|source| JournalError::Io {
                doing: "write to",
                path,
                source,
            })?;
        }
        self.at += 1;
        self.link = line.link.unwrap_or_default();
        Ok(())
    }

    fn recorded_entries_left(&self) -> bool {
        self.at < self.recorded.len()
    }

    fn recorded(&mut self) -> Option<Observation> {
        match self.recorded.get(self.at)? {
            Entry::Observed { observation } => Some(observation.clone()),
            _ => None,
        }
    }
}

impl Open {
    fn without_large_bodies(&self, mut entry: Entry) -> Result<Entry, JournalError> {
        for body in bodies(&mut entry) {
            self.keep(body)?;
        }
        Ok(entry)
    }

    /// Moves a large value into its file. The file is complete before the line that names it is written.
    fn keep(&self, body: &mut Body) -> Result<(), JournalError> {
        let text = body.value.to_string();
        if text.len() <= INLINE_BYTES {
            return Ok(());
        }
        let path = self.dir.join(BODIES).join(format!("{}.json", body.sha256));
        if !path.exists() {
            let part = path.with_extension("part");
            let written = fs::write(&part, text).and_then(|()| fs::rename(&part, &path));
            written.map_err(|source| JournalError::Io {
                doing: "write",
                path,
                source,
            })?;
        }
        body.value = serde_json::Value::Null;
        Ok(())
    }
}
