//! A file of lines as a whole: opening, decompressing, limits, damage.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::parse::{MAX_LINE_BYTES, Parsed, Reader, Refusal};
use crate::hub::packet;

/// Bytes of a file that are read, decompressed.
const MAX_BYTES: u64 = 2 << 30;
/// Calls that are kept of a file.
const MAX_CALLS: usize = 4_000_000;
const EXTENSIONS: [&str; 3] = [".jsonl", ".jsonl.gz", ".jsonl.zst"];

/// The calls of a file.
#[derive(Debug, Default)]
pub struct LineFile {
    /// In the order of the file.
    pub calls: Vec<Parsed>,
    /// What could not be read, in sentences.
    pub problems: Vec<String>,
}

/// Why a file gives no calls at all.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    #[error("could not read the calls in `{name}`")]
    Read { name: String, source: io::Error },
    #[error("`{name}` holds no call{why}")]
    NoCall { name: String, why: String },
}

/// Whether a file of that name holds lines.
pub fn is_lines(name: &str) -> bool {
    stem(name) != name
}

/// The file's name without its extensions; other names as they are.
pub fn stem(name: &str) -> &str {
    let cut = EXTENSIONS
        .iter()
        .find_map(|extension| name.strip_suffix(extension));
    cut.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// Reads a file of lines, decompressing it where it is gzip or zstd.
pub fn load(path: &Path) -> Result<LineFile, LinesError> {
    let name = path.display().to_string();
    let failed = |source| LinesError::Read {
        name: name.clone(),
        source,
    };
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?);
    let magic = file.fill_buf().map_err(failed)?;
    if magic.starts_with(&[0x1f, 0x8b]) {
        return read(
            &name,
            BufReader::with_capacity(1 << 18, MultiGzDecoder::new(file)),
        );
    }
    if magic.starts_with(&packet::ZSTD_MAGIC) {
        let mut packed = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut packed).map_err(failed)?;
        let (data, cut) = packet::decompress(&name, &packed, MAX_BYTES)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::FileTooLarge, error.to_string())))?;
        let mut lines = read(&name, &*data)?;
        lines
            .problems
            .extend(cut.map(|cut| damaged(&name, &cut.why, lines.calls.len())));
        return Ok(lines);
    }
    read(&name, file)
}

fn damaged(name: &str, why: &str, calls: usize) -> String {
    format!("`{name}` is damaged ({why}); the {calls} calls before that are served")
}

/// Reads lines from `input`. `name` is for messages.
pub fn read(name: &str, input: impl BufRead) -> Result<LineFile, LinesError> {
    let mut input = input.take(MAX_BYTES);
    let mut lines = LineFile::default();
    let mut left_out = LeftOut::default();
    let mut reader = Reader::default();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        match next(&mut input, &mut line) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                lines
                    .problems
                    .push(damaged(name, &error.to_string(), lines.calls.len()));
                break;
            }
        }
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() {
            continue;
        }
        if lines.calls.len() == MAX_CALLS {
            let more = format!("`{name}` holds more than {MAX_CALLS} calls; the rest is not served");
            lines.problems.push(more);
            break;
        }
        left_out.lines += 1;
        match reader.line(trimmed) {
            Ok(call) => lines.calls.push(call),
            Err(refusal) => left_out.add(number, refusal),
        }
    }
    if input.limit() == 0 {
        let more = format!("`{name}` is larger than {MAX_BYTES} bytes; the rest is not served");
        lines.problems.push(more);
    }
    lines.problems.extend(left_out.told(name));
    lines.calls.shrink_to_fit();
    if lines.calls.is_empty() {
        let why = [""].into_iter().chain(lines.problems.iter().map(String::as_str));
        let why = why.collect::<Vec<_>>().join("; ");
        return Err(LinesError::NoCall {
            name: name.to_owned(),
            why,
        });
    }
    Ok(lines)
}

/// Reads the next line into `line`, with its end; of one that is too long only the beginning. False at the end.
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    // Two bytes more, so that a line of just the limit is not taken for a longer one.
    let room = (MAX_LINE_BYTES + 2) as u64;
    if input.by_ref().take(room).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    while line.len() as u64 == room && line.last() != Some(&b'\n') {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (skipped, done) = end.map_or((buffer.len(), buffer.is_empty()), |at| (at + 1, true));
        input.consume(skipped);
        if done {
            break;
        }
    }
    Ok(true)
}

/// Lines that are no calls.
#[derive(Default)]
struct LeftOut {
    /// All lines, those that are calls too.
    lines: u64,
    /// By sort of reason: how many, the first one's number, and its reason in full.
    by_reason: BTreeMap<&'static str, (u64, u64, String)>,
}

impl LeftOut {
    fn add(&mut self, number: u64, refusal: Refusal) {
        self.by_reason
            .entry(refusal.what)
            .or_insert((0, number, refusal.detail))
            .0 += 1;
    }

    fn told(&self, name: &str) -> Option<String> {
        let all: u64 = self.by_reason.values().map(|(count, _, _)| count).sum();
        let reasons: Vec<String> = self
            .by_reason
            .iter()
            .map(|(what, (count, first, detail))| format!("{count} {what} (line {first}: {detail})"))
            .collect();
        let lines = self.lines;
        (all > 0).then(|| {
            format!(
                "{all} of {lines} lines of `{name}` are left out: {}",
                reasons.join(", ")
            )
        })
    }
}
