//! Where finished entries go.

use super::{Limits, Stats};
use crate::hub::entry::{Endpoint, Entry, Payload};

/// What all connections of a dissection share.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) limits: Limits,
    pub(super) stats: Stats,
    pub(super) entries: Vec<Entry>,
    /// Bytes that wait for others, over all connections.
    pub(super) buffered: usize,
}

/// A conversation between two endpoints: what its entries have in common.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    pub(super) stream: u32,
    /// Side 0 is who sent the first packet.
    pub(super) ends: [Endpoint; 2],
    /// Entries so far.
    pub(super) entries: u32,
}

/// When something was asked and answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) ts_us: i64,
    pub(super) elapsed_us: Option<i64>,
    pub(super) request_seq: u32,
}

impl Dialog {
    pub(super) fn new(stream: u32, ends: [Endpoint; 2]) -> Self {
        Self {
            stream,
            ends,
            entries: 0,
        }
    }

    /// The endpoint of a side, 0 or 1.
    pub(super) fn end(&self, side: usize) -> Endpoint {
        let [first, second] = self.ends;
        if side == 0 { first } else { second }
    }

    /// Adds an entry whose client is `side`.
    pub(super) fn emit(&mut self, side: usize, timing: Timing, payload: Payload, out: &mut Output) {
        let protocol = match &payload {
            Payload::Http(_) => "http",
            Payload::Dns(_) => "dns",
            Payload::TcpFlow(_) => "tcp",
            Payload::Line(line) => line.protocol.name(),
        };
        *out.stats.entries.entry(protocol).or_default() += 1;
        out.entries.push(Entry {
            stream: self.stream,
            index: self.entries,
            ts_us: timing.ts_us,
            elapsed_us: timing.elapsed_us,
            src: self.end(side),
            dst: self.end(1 - side),
            request_seq: timing.request_seq,
            payload,
        });
        self.entries = self.entries.saturating_add(1);
    }
}
