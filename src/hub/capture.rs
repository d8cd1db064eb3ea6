//! What the hub serves: packet captures and calls per node, and who had which address.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::lines::{self, LineFile, LinesError};
use super::names::Names;
use super::node::{self, NodeCapture};
use super::packet::{self, CaptureError, CaptureFile};
use super::workloads::{Inventory, InventoryError, NodeListing};

/// More nodes than this are refused.
const MAX_NODES: usize = 1_000;
/// Largest `workloads.json` read, bytes.
const MAX_INVENTORY_BYTES: u64 = 256 << 20;
const INVENTORY: &str = "workloads.json";

/// A stretch of time in Unix µs: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start_us: i64,
    pub end_us: i64,
}

impl Span {
    /// Whether `ts_us` lies inside.
    pub fn contains(self, ts_us: i64) -> bool {
        self.start_us <= ts_us && ts_us < self.end_us
    }

    /// What both have in common, or `None` where that is nothing.
    pub fn overlap(self, other: Self) -> Option<Self> {
        let both = Self {
            start_us: self.start_us.max(other.start_us),
            end_us: self.end_us.min(other.end_us),
        };
        (both.start_us < both.end_us).then_some(both)
    }

    /// From the beginning of the earlier to the end of the later.
    fn hull(self, other: Self) -> Self {
        Self {
            start_us: self.start_us.min(other.start_us),
            end_us: self.end_us.max(other.end_us),
        }
    }
}

/// Captures of a cluster with the names of its workloads.
#[derive(Debug)]
pub struct Capture {
    pub cluster: String,
    pub nodes: Vec<NodeCapture>,
    pub names: Names,
    /// What could not be read, in sentences. What could be is served.
    pub problems: Vec<String>,
    /// The text of `workloads.json`, to be kept with a snapshot.
    pub(super) listing: Option<Vec<u8>>,
}

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("could not open the capture `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not use the capture directory `{}`", path.display())]
    Inventory { path: PathBuf, source: InventoryError },
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Lines(#[from] LinesError),
    #[error(
        "the directory `{}` holds no readable capture; a capture directory has one `NODE.pcap`, `.pcapng` \
         or `.pcap.zst` per node and a `workloads.json`, or calls in `.jsonl` files (also .gz, .zst){problems}",
        path.display()
    )]
    Nothing { path: PathBuf, problems: String },
    #[error("{found} nodes are more than the {MAX_NODES} that can be served")]
    TooManyNodes { found: usize },
}

impl Capture {
    /// Opens a capture directory or a single capture file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let read = |source| OpenError::Read {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(read)?.is_dir() {
            return Self::open_directory(path);
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("node");
        let file = Recorded::load(path, name)?;
        Self::new(
            Inventory::default(),
            vec![(stem(name).to_owned(), file)],
            Vec::new(),
        )
    }

    /// From the text of a `workloads.json` and the capture of each node, in memory.
    pub fn from_parts(workloads: &[u8], captures: Vec<(String, Vec<u8>)>) -> Result<Self, OpenError> {
        let inventory = Inventory::parse(workloads).map_err(|source| OpenError::Inventory {
            path: PathBuf::from(INVENTORY),
            source,
        })?;
        let files = captures
            .into_iter()
            .map(|(node, bytes)| {
                CaptureFile::from_bytes(&node, bytes).map(|file| (node, Recorded::Packets(file)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let capture = Self::new(inventory, files, Vec::new())?;
        Ok(Self {
            listing: Some(workloads.to_vec()),
            ..capture
        })
    }

    /// From what was kept of a snapshot.
    pub(super) fn restored(
        workloads: Option<&[u8]>,
        captures: Vec<(String, Vec<u8>)>,
    ) -> Result<Self, OpenError> {
        if let Some(workloads) = workloads {
            return Self::from_parts(workloads, captures);
        }
        let files = captures
            .into_iter()
            .map(|(node, bytes)| {
                CaptureFile::from_bytes(&node, bytes).map(|file| (node, Recorded::Packets(file)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Self::new(Inventory::default(), files, Vec::new())
    }

    /// From calls that came as lines; those that name no node are given to `node`.
    pub fn of_lines(node: &str, calls: LineFile) -> Result<Self, OpenError> {
        let files = vec![(node.to_owned(), Recorded::Calls(calls))];
        Self::new(Inventory::default(), files, Vec::new())
    }

    fn open_directory(path: &Path) -> Result<Self, OpenError> {
        let read = |source| OpenError::Read {
            path: path.to_owned(),
            source,
        };
        let mut problems = Vec::new();
        let mut present = capture_files(path).map_err(read)?;
        let listing = read_inventory(path).map_err(read)?;
        let inventory = if let Some(json) = &listing {
            Inventory::parse(json).map_err(|source| OpenError::Inventory {
                path: path.to_owned(),
                source,
            })?
        } else {
            // Lines name who called whom themselves.
            if present.is_empty() || present.iter().any(|file| !lines::is_lines(file)) {
                problems.push(format!(
                    "there is no `{INVENTORY}`: workloads are named by their address"
                ));
            }
            Inventory::default()
        };
        let mut chosen = Vec::new();
        for node in &inventory.nodes {
            match file_of(node, &present) {
                Some(at) => chosen.push((node.name.clone(), present.swap_remove(at))),
                None => problems.push(format!("node `{}` has no capture in the directory", node.name)),
            }
        }
        // What is not listed is served all the same, under its file's name.
        present.sort();
        chosen.extend(present.into_iter().map(|file| (stem(&file).to_owned(), file)));
        if chosen.len() > MAX_NODES {
            return Err(OpenError::TooManyNodes { found: chosen.len() });
        }
        let mut files = Vec::new();
        for (node, file) in chosen {
            match Recorded::load(&path.join(&file), &file) {
                Ok(read) => files.push((node, read)),
                Err(error) => problems.push(format!("the capture of node `{node}` is not served: {error}")),
            }
        }
        if files.is_empty() {
            let mut all = String::new();
            for problem in &problems {
                all.push_str("; ");
                all.push_str(problem);
            }
            return Err(OpenError::Nothing {
                path: path.to_owned(),
                problems: all,
            });
        }
        let capture = Self::new(inventory, files, problems)?;
        Ok(Self { listing, ..capture })
    }

    fn new(
        inventory: Inventory,
        mut files: Vec<(String, Recorded)>,
        mut problems: Vec<String>,
    ) -> Result<Self, OpenError> {
        if files.len() > MAX_NODES {
            return Err(OpenError::TooManyNodes { found: files.len() });
        }
        for (node, file) in &mut files {
            file.tell(node, &mut problems);
        }
        for problem in &problems {
            tracing::warn!("{problem}");
        }
        let mut nodes: Vec<NodeCapture> = Vec::with_capacity(files.len());
        let mut calls = Vec::new();
        for (name, file) in files {
            let file = match file {
                Recorded::Packets(file) => file,
                Recorded::Calls(file) => {
                    calls.push((name, file));
                    continue;
                }
            };
            // Entries are told apart by node, so two captures of one node are two.
            let taken = |name: &str| nodes.iter().any(|node| *node.name == *name);
            let mut unique = name.clone();
            for number in 2.. {
                if !taken(&unique) {
                    break;
                }
                unique = format!("{name}-{number}");
            }
            nodes.push(NodeCapture::of_packets(&unique, file));
        }
        node::add_lines(&mut nodes, calls, MAX_NODES).map_err(|found| OpenError::TooManyNodes { found })?;
        let mut workloads = inventory.workloads;
        let named = node::named(&nodes, &workloads);
        workloads.extend(named);
        Ok(Self {
            cluster: inventory.cluster.unwrap_or_default(),
            nodes,
            names: Names::new(workloads),
            problems,
            listing: None,
        })
    }

    /// The packets of all nodes.
    pub fn packet_count(&self) -> u64 {
        self.nodes.iter().map(NodeCapture::packet_count).sum()
    }

    /// What the packets of all nodes span.
    pub fn span(&self) -> Option<Span> {
        self.nodes.iter().filter_map(NodeCapture::span).reduce(Span::hull)
    }
}

/// What one file holds.
enum Recorded {
    Packets(CaptureFile),
    Calls(LineFile),
}

impl Recorded {
    /// Reads a file; `name` tells what is in it.
    fn load(path: &Path, name: &str) -> Result<Self, OpenError> {
        if lines::is_lines(name) {
            return Ok(Self::Calls(lines::load(path)?));
        }
        Ok(Self::Packets(packet::load(path)?))
    }

    /// Tells what of it could not be read.
    fn tell(&mut self, node: &str, problems: &mut Vec<String>) {
        match self {
            Self::Calls(file) => problems.append(&mut file.problems),
            Self::Packets(file) => problems.extend(file.problem().map(|problem| {
                format!(
                    "the capture of node `{node}` is damaged at byte {} ({}); the {} packets before that are served",
                    problem.offset,
                    problem.why,
                    file.packet_count()
                )
            })),
        }
    }
}

/// The bytes of `workloads.json`, where there is one.
fn read_inventory(directory: &Path) -> io::Result<Option<Vec<u8>>> {
    let path = directory.join(INVENTORY);
    match fs::metadata(&path) {
        Ok(found) if found.len() > MAX_INVENTORY_BYTES => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!(
                "`{INVENTORY}` has {} bytes; at most {MAX_INVENTORY_BYTES} are read",
                found.len()
            ),
        )),
        Ok(_) => fs::read(&path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Names of the capture files of a directory.
fn capture_files(directory: &Path) -> io::Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if let Some(name) = name.to_str().filter(|name| stem(name) != *name) {
            files.push(name.to_owned());
        }
    }
    files.sort();
    Ok(files)
}

/// Position of a node's file among those present: the one it names, else one named like the node.
fn file_of(node: &NodeListing, present: &[String]) -> Option<usize> {
    match &node.capture {
        // Compared with what is there, so that no name can lead out of the directory.
        Some(listed) => present.iter().position(|file| file == listed),
        None => present.iter().position(|file| stem(file) == node.name),
    }
}

/// A capture's file name without its extensions; other names as they are.
fn stem(file: &str) -> &str {
    if lines::is_lines(file) {
        return lines::stem(file);
    }
    let plain = file.strip_suffix(".zst").unwrap_or(file);
    let cut = [".pcap", ".pcapng", ".cap"]
        .iter()
        .find_map(|extension| plain.strip_suffix(extension));
    cut.filter(|stem| !stem.is_empty()).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_told_by_its_name() {
        assert_eq!(stem("node-1.pcap.zst"), "node-1");
        assert_eq!(
            stem("ip-10-0-1-7.ec2.internal.pcapng"),
            "ip-10-0-1-7.ec2.internal"
        );
        assert_eq!(stem("truth.json"), "truth.json");
        assert_eq!(stem(".pcap"), ".pcap");
    }

    #[test]
    fn no_listed_name_leads_out_of_the_directory() {
        let node = NodeListing {
            name: "a".to_owned(),
            capture: Some("../../etc/shadow.pcap".to_owned()),
        };
        assert_eq!(file_of(&node, &["a.pcap".to_owned()]), None);
    }
}
