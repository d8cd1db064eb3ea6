//! A case's files between the disk of this process and the database: another process goes on with what it finds there.

use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{Desk, Trouble};
use crate::{
    bot::store::{Lease, StoreError},
    journal::{BODIES, JOURNAL},
};

/// What people said of a case's cause, a JSON object a line.
pub const FEEDBACK: &str = "feedback.jsonl";

/// Bytes of one piece.
const PIECE: u64 = 4 * 1024 * 1024;

/// Files beyond this stay where they are: a database is no place for packets.
const LARGEST: u64 = 64 * 1024 * 1024;

impl Desk {
    /// Keeps what somebody said of a case's cause beside its journal, for whoever makes a test of the case.
    pub(super) fn keep_feedback(&self, case: &str, by: &str, right: bool) {
        let dir = self.cases.join(case);
        let line = json!({"by": by, "right": right, "at": self.now().to_rfc3339()}).to_string() + "\n";
        let kept = fs::create_dir_all(&dir).and_then(|()| {
            fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(dir.join(FEEDBACK))?
                .write_all(line.as_bytes())
        });
        if let Err(error) = kept {
            // It is in the database all the same.
            tracing::warn!(%error, case, "what somebody said of a cause is not beside its journal");
        }
    }

    /// Brings a case's files here, unless what is here goes beyond them: a journal that another process has gone on with
    /// takes the place of the one that it left here.
    pub(super) async fn fetch(&self, case: &str, dir: &Path) -> Result<(), Trouble> {
        let there = self.store.files(case).await?;
        let here = fs::read(dir.join(JOURNAL)).unwrap_or_default();
        let further = there
            .iter()
            .find(|(name, _)| name == JOURNAL)
            .is_none_or(|(_, bytes)| !here.is_empty() && here.starts_with(bytes));
        if further {
            return Ok(());
        }
        for (name, bytes) in there {
            let Some(path) = inside(dir, &name) else {
                continue;
            };
            let written = path
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(&path, bytes));
            if let Err(error) = written {
                // What is not here is asked for again.
                tracing::warn!(%error, case, name, "a file of a case was not brought here");
            }
        }
        Ok(())
    }

    /// Sends what is new of a case's files to the database, where processes share it.
    pub(super) async fn ship(&self, lease: &Lease, case: &str, dir: &Path) -> Result<(), Trouble> {
        if !self.store.shared() {
            return Ok(());
        }
        let there = self.store.shipped(case).await?;
        // The journal grows meanwhile: only lines that were there before the bodies were listed name none but those.
        let shipped = |name: &str| {
            there
                .iter()
                .find(|(known, _)| known == name)
                .map_or(0, |(_, size)| *size)
        };
        let lines = whole_lines(&dir.join(JOURNAL), shipped(JOURNAL));
        let mut names = listed(dir, BODIES);
        names.extend([JOURNAL, "report.json"].map(str::to_owned));
        for name in names {
            let start = shipped(&name);
            if let Some(path) = inside(dir, &name) {
                let most = if name == JOURNAL { lines } else { LARGEST };
                self.ship_one(lease, case, &name, &path, (start, most)).await?;
            }
        }
        Ok(())
    }

    async fn ship_one(
        &self,
        lease: &Lease,
        case: &str,
        name: &str,
        path: &Path,
        (mut start, most): (u64, u64),
    ) -> Result<(), StoreError> {
        // A file that is not there yet has nothing to ship.
        let Ok(mut file) = fs::File::open(path) else {
            return Ok(());
        };
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        if size > LARGEST {
            return Ok(());
        }
        let size = size.min(most);
        while start < size {
            let mut piece = Vec::new();
            let most = PIECE.min(size - start);
            let read = file
                .seek(SeekFrom::Start(start))
                .and_then(|_| (&mut file).take(most).read_to_end(&mut piece));
            if read.is_err() || piece.is_empty() {
                return Ok(());
            }
            self.store.ship(lease, case, name, start, &piece).await?;
            start += piece.len() as u64;
        }
        Ok(())
    }
}

/// Where the last whole line from `start` on ends, bytes: one that is not whole yet would be cut off by whoever goes on,
/// and then nothing would fit any more.
fn whole_lines(path: &Path, start: u64) -> u64 {
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut text)
    });
    let lines = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at as u64 + 1);
    read.map_or(start, |_| start + lines)
}

/// Names below `dir/sub`, with `sub/` before them.
fn listed(dir: &Path, sub: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.join(sub)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| format!("{sub}/{}", entry.file_name().to_string_lossy()))
        // What is still being written has another name then.
        .filter(|name| Path::new(name).extension().is_none_or(|kind| kind != "part"))
        .collect();
    names.sort();
    names
}

/// A path below `dir`, and nowhere else.
fn inside(dir: &Path, name: &str) -> Option<PathBuf> {
    let plain = name
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
    plain.then(|| dir.join(name))
}
