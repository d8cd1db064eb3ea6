//! Packet captures cut out of a snapshot, kept until they are downloaded.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::capture::Span;
use super::error::ToolError;
use super::ethernet::as_ethernet;
use super::packet::{RawPacket, write_pcap};
use super::snapshot::{Snapshot, lock};
use crate::bpf::PacketFilter;

/// Exports kept at most; the oldest goes first.
const MAX_EXPORTS: usize = 32;
/// Bytes of all kept exports together, unless a single one is larger.
const MAX_KEPT_BYTES: usize = 2 << 30;

/// What to cut out.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut {
    /// Node names; empty: all of the snapshot.
    pub nodes: Vec<String>,
    pub span: Option<Span>,
    pub filter: String,
}

/// A file that can be downloaded.
#[derive(Clone, Debug)]
pub(super) struct Export {
    /// Relative, as `download_file` takes it.
    pub path: String,
    pub packets: usize,
    /// Nodes whose captures were merged.
    pub nodes: usize,
    pub file: Arc<[u8]>,
}

/// The files of a hub.
#[derive(Debug, Default)]
pub(super) struct Exports {
    kept: Mutex<(u64, Vec<Export>)>,
}

impl Exports {
    /// Cuts packets out of a snapshot into one file, merged by time. What two nodes both saw is in it
    /// twice, as in a merge of captures.
    pub(super) fn cut(&self, snapshot: &Snapshot, cut: &Cut) -> Result<Export, ToolError> {
        let packets = packets_of(snapshot, cut)?;
        let nodes = snapshot.nodes().filter(|node| cut.takes(&node.name)).count();
        let file = write_pcap(&packets).map_err(|error| ToolError::bad_request(error.to_string()))?;
        Ok(self.keep(&snapshot.id, packets.len(), nodes, file.into()))
    }

    fn keep(&self, snapshot: &str, packets: usize, nodes: usize, file: Arc<[u8]>) -> Export {
        let mut kept = lock(&self.kept);
        kept.0 += 1;
        let path = format!("/snapshots/{snapshot}/export-{}.pcap", kept.0);
        let export = Export {
            path,
            packets,
            nodes,
            file,
        };
        kept.1.push(export.clone());
        while kept.1.len() > 1
            && (kept.1.len() > MAX_EXPORTS
                || kept.1.iter().map(|one| one.file.len()).sum::<usize>() > MAX_KEPT_BYTES)
        {
            kept.1.remove(0);
        }
        export
    }

    /// The file at a path that an export gave, with or without its first slash.
    pub(super) fn find(&self, path: &str) -> Result<Export, ToolError> {
        let wanted = path.trim_start_matches('/');
        let kept = lock(&self.kept);
        let found = kept
            .1
            .iter()
            .find(|one| one.path.trim_start_matches('/') == wanted)
            .cloned();
        found.ok_or_else(|| ToolError::Local("Error downloading file: HTTP 404".to_owned()))
    }
}

impl Cut {
    fn takes(&self, node: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|name| name == node)
    }
}

/// The packets of a cut, in order of time.
pub(super) fn packets_of<'s>(snapshot: &'s Snapshot, cut: &Cut) -> Result<Vec<RawPacket<'s>>, ToolError> {
    let filter = PacketFilter::compile(&cut.filter).map_err(|why| {
        ToolError::bad_request(format!("invalid BPF filter `{}`: {why}", shortened(&cut.filter)))
    })?;
    if let Some(unknown) = cut
        .nodes
        .iter()
        .find(|name| !snapshot.nodes().any(|node| *node.name == ***name))
    {
        let message = format!("node `{unknown}` is not part of snapshot `{}`", snapshot.name);
        return Err(ToolError::not_found(message));
    }
    let all = cut.filter.trim().is_empty();
    let wanted = |packet: &RawPacket<'_>| {
        cut.span.is_none_or(|span| span.contains(packet.ts_us))
            && (all || as_ethernet(packet).is_some_and(|frame| filter.matches(&frame)))
    };
    let nodes = snapshot.nodes().filter(|node| cut.takes(&node.name));
    let mut packets: Vec<RawPacket<'s>> = nodes
        .flat_map(|node| snapshot.packets(node))
        .filter(wanted)
        .collect();
    packets.sort_by_key(|packet| packet.ts_us);
    Ok(packets)
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    if text.len() <= 200 {
        text.to_owned()
    } else {
        text.chars().take(200).chain(['…']).collect()
    }
}

/// Writes a download. A file that is already there is never overwritten, unless it has the same content.
pub(super) fn write_file(to: &Path, content: &[u8]) -> Result<(), ToolError> {
    let failed = |what: &str, error: &io::Error| {
        ToolError::Local(format!("Error {what} file {}: {error}", to.display()))
    };
    match fs::File::create_new(to) {
        Ok(mut file) => file
            .write_all(content)
            .and_then(|()| file.flush())
            .map_err(|error| failed("writing", &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let same = fs::metadata(to).is_ok_and(|there| there.len() == content.len() as u64)
                && fs::read(to).is_ok_and(|there| there == content);
            if same {
                Ok(())
            } else {
                Err(failed("creating", &error))
            }
        }
        Err(error) => Err(failed("creating", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_never_overwrites_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path().join("out.pcap");
        write_file(&to, b"one").unwrap();
        write_file(&to, b"one").unwrap();
        let refused = write_file(&to, b"two").unwrap_err().to_string();
        assert!(refused.starts_with("Error creating file"), "{refused}");
        assert_eq!(fs::read(&to).unwrap(), b"one");
        assert!(write_file(&directory.path().join("none/out.pcap"), b"x").is_err());
    }
}
