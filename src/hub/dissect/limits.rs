//! What a dissection may cost, and what it came across.

use std::collections::BTreeMap;

use crate::hub::packet::headers::Skip;

/// Bounds on what a dissection holds at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// TCP connections, and as many UDP conversations. Beyond it the longest silent ones are closed.
    pub connections: usize,
    /// Bytes that wait for missing ones before them, per direction of a connection.
    pub out_of_order_bytes: usize,
    /// Segments that wait for missing ones before them, per direction of a connection.
    pub out_of_order_segments: usize,
    /// All bytes that wait for others, bytes.
    pub buffered_bytes: usize,
    /// Bytes kept of a body; the rest is counted.
    pub body_kept: usize,
    /// Length of the head of an HTTP message, bytes.
    pub head_bytes: usize,
    /// Header fields kept of an HTTP message.
    pub headers: usize,
    /// Requests, or DNS queries, that wait for an answer on one connection.
    pub waiting: usize,
    /// A connection without packets for this long is over, µs of packet time.
    pub idle_us: i64,
    /// How long a closed connection still collects late packets, µs of packet time.
    pub linger_us: i64,
    /// A DNS query is not waited for longer than this, µs of packet time.
    pub dns_wait_us: i64,
    /// A hole in a stream that the receiver acknowledged was missed by the capture. That many more
    /// packets of the connection may come before it counts as lost: captures reorder a little.
    pub hole_patience: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 65_536,
            out_of_order_bytes: 1 << 20,
            out_of_order_segments: 4096,
            buffered_bytes: 256 << 20,
            body_kept: 64 << 10,
            head_bytes: 64 << 10,
            headers: 128,
            waiting: 512,
            idle_us: 600_000_000,
            linger_us: 5_000_000,
            dns_wait_us: 60_000_000,
            hole_patience: 32,
        }
    }
}

/// What was read, and what of it was not dissected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub packets: u64,
    /// Captured bytes of these packets, link headers included.
    pub bytes: u64,
    /// Packets that led to nothing, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Entries by protocol: "http", "dns", "tcp".
    pub entries: BTreeMap<&'static str, u64>,
    /// HTTP responses whose request was not captured.
    pub http_orphans: u64,
    /// DNS responses whose query was not captured, or was answered before.
    pub dns_orphans: u64,
    /// Connections and conversations closed early because there were too many.
    pub evicted: u64,
    /// Bytes of TCP streams that the capture missed.
    pub lost_bytes: u64,
}
