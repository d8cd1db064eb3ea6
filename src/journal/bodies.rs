//! Where large results lie: a file each in a case that may still grow, one packed file in a recorded session.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use sha2::{Digest, Sha256};

use super::{
    entry::{Entry, Line, hex},
    reader::JournalError,
    writer::{BODIES, INLINE_BYTES, JOURNAL},
};
use crate::investigation::{Body, Observation};

/// Name of the packed large results of a recorded session: compact JSON, one a line, compressed with gzip. A result is
/// found by the hash of its line, so none can be changed unnoticed.
pub const PACKED: &str = "bodies.jsonl.gz";

/// Most bytes that are unpacked: a session whose budget is spent has 64 MiB.
const MOST_BYTES: u64 = 512 << 20;

/// The large results of one directory.
pub struct Bodies {
    dir: PathBuf,
    /// By hash; empty where nothing is packed.
    packed: HashMap<String, String>,
}

impl Bodies {
    /// Those of the case or recorded session in `dir`. What is packed is unpacked at once.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join(PACKED);
        let packed = match File::open(&path) {
            Ok(file) => unpacked(file).map_err(|source| JournalError::Io {
                doing: "unpack",
                path,
                source,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => HashMap::new(),
            Err(source) => {
                return Err(JournalError::Io {
                    doing: "open",
                    path,
                    source,
                });
            }
        };
        Ok(Self {
            dir: dir.to_owned(),
            packed,
        })
    }

    /// The compact JSON that has this hash. Its bytes are not checked against it where it lies in a file of its own.
    pub fn text(&self, sha256: &str) -> io::Result<String> {
        if let Some(text) = self.packed.get(sha256) {
            return Ok(text.clone());
        }
        fs::read_to_string(self.path(sha256))
    }

    /// Where a result lies that has a file of its own.
    pub(super) fn path(&self, sha256: &str) -> PathBuf {
        self.dir.join(BODIES).join(format!("{sha256}.json"))
    }

    /// The same JSON parsed, and whether its hash is already known to be right.
    pub(super) fn parsed(&self, sha256: &str) -> io::Result<(Option<serde_json::Value>, bool)> {
        match self.packed.get(sha256) {
            // The parser of this type is compiled with the library, at its level of optimisation.
            Some(text) => Ok((text.parse().ok(), true)),
            None => Ok((fs::read_to_string(self.path(sha256))?.parse().ok(), false)),
        }
    }
}

fn unpacked(file: File) -> io::Result<HashMap<String, String>> {
    let mut text = String::new();
    let read = MultiGzDecoder::new(BufReader::new(file))
        .take(MOST_BYTES + 1)
        .read_to_string(&mut text)?;
    if read as u64 > MOST_BYTES {
        let why = format!("it holds more than {MOST_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(text
        .lines()
        .map(|line| (hex(&Sha256::digest(line)), line.to_owned()))
        .collect())
}

/// Writes a recorded session into `dir`: the journal, and its large results packed. What was there is replaced.
///
/// The same entries give the same bytes, so that a session recorded again is a change only where it is another.
pub fn write_packed(dir: &Path, entries: Vec<Entry>) -> Result<(), JournalError> {
    let (mut journal, mut bodies, mut link) = (String::new(), Vec::new(), String::new());
    let mut known = std::collections::HashSet::new();
    let format = match entries.first() {
        Some(Entry::Opened { format, .. }) => *format,
        _ => super::FORMAT,
    };
    let unwritable = |name: &str| {
        let path = dir.join(name);
        move |source: io::Error| JournalError::Io {
            doing: "write",
            path,
            source,
        }
    };
    for (index, mut entry) in entries.into_iter().enumerate() {
        for body in large(&mut entry) {
            let text = std::mem::take(&mut body.value).to_string();
            if known.insert(body.sha256.clone()) {
                bodies.push(text);
            }
        }
        let json = |error: serde_json::Error| unwritable(JOURNAL)(error.into());
        let line = Line::after(&link, index as u64 + 1, &entry, format).map_err(json)?;
        journal.push_str(&serde_json::to_string(&line).map_err(json)?);
        journal.push('\n');
        link = line.link.unwrap_or_default();
    }
    // No name and no time in the header: equal contents are equal files.
    let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    for text in &bodies {
        packed.write_all(text.as_bytes()).map_err(unwritable(PACKED))?;
        packed.write_all(b"\n").map_err(unwritable(PACKED))?;
    }
    let packed = packed.finish().map_err(unwritable(PACKED))?;
    fs::create_dir_all(dir).map_err(unwritable(""))?;
    replace(&dir.join(PACKED), &packed).map_err(unwritable(PACKED))?;
    replace(&dir.join(JOURNAL), journal.as_bytes()).map_err(unwritable(JOURNAL))
}

/// Writes a file whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)?;
    fs::rename(&part, path)
}

/// The results of an entry that are too long for its line.
pub(super) fn large(entry: &mut Entry) -> Vec<&mut Body> {
    let mut bodies = bodies(entry);
    bodies.retain(|body| body.value.to_string().len() > INLINE_BYTES);
    bodies
}

/// All results of an entry.
pub fn bodies(entry: &mut Entry) -> Vec<&mut Body> {
    let Entry::Observed { observation } = entry else {
        return Vec::new();
    };
    match observation {
        Observation::Connected { schemas, .. } => vec![schemas],
        Observation::Answers { answers } => answers
            .iter_mut()
            .filter_map(|answer| answer.result.as_mut().ok())
            .collect(),
        Observation::Replied { reply } => {
            let answer = reply.answer.as_mut().ok();
            [&mut reply.prompt].into_iter().chain(answer).collect()
        }
        Observation::Chosen { .. } | Observation::Unavailable { .. } => Vec::new(),
    }
}
