//! Packets in, entries out.

use super::connection::Connection;
use super::dns::{Queries, is_dns_port, is_dns_query};
use super::flow::FlowMap;
use super::output::{Dialog, Output};
use super::{Limits, Stats};
use crate::hub::entry::{Endpoint, Entry};
use crate::hub::packet::RawPacket;
use crate::hub::packet::fragments::Fragments;
use crate::hub::packet::headers::{self, Content, Decoded, Segment, Skip, TcpFlags, Transport};

/// Idle connections are looked for not more often than this, µs of packet time.
const SWEEP_US: i64 = 1_000_000;
/// ... and not more often than this many packets.
const SWEEP_PACKETS: u64 = 4096;
/// When there are too many, one in so many goes at once: choosing them costs a look at all.
const EVICT_SHARE: usize = 16;

/// A UDP conversation with DNS in it.
#[derive(Debug)]
struct Conversation {
    dialog: Dialog,
    queries: Queries,
    last_us: i64,
}

/// Dissects packets of one node, in the order they were captured.
#[derive(Debug, Default)]
pub struct Dissector {
    out: Output,
    connections: FlowMap<Box<Connection>>,
    conversations: FlowMap<Box<Conversation>>,
    fragments: Fragments,
    /// Connections and conversations so far.
    streams: u32,
    /// The latest time of a packet, Unix µs.
    now_us: i64,
    swept_us: i64,
    since_sweep: u64,
}

impl Dissector {
    /// A dissector that holds no more than `limits` allow.
    pub fn new(limits: Limits) -> Self {
        Self {
            out: Output {
                limits,
                ..Output::default()
            },
            ..Self::default()
        }
    }

    /// Takes the next packet.
    pub fn packet(&mut self, packet: &RawPacket<'_>) {
        self.out.stats.packets += 1;
        self.out.stats.bytes += packet.data.len() as u64;
        self.now_us = if self.out.stats.packets == 1 {
            packet.ts_us
        } else {
            self.now_us.max(packet.ts_us)
        };
        let taken = match headers::decode(packet) {
            Ok(Content::Whole(decoded)) => self.decoded(&decoded, packet.ts_us),
            Ok(Content::Piece(fragment)) => match self.fragments.add(&fragment, packet.ts_us) {
                Some(payload) => headers::decode_reassembled(&fragment, &payload)
                    .and_then(|decoded| self.decoded(&decoded, packet.ts_us)),
                None => Err(Skip::Fragment),
            },
            Err(skip) => Err(skip),
        };
        if let Err(skip) = taken {
            *self.out.stats.skipped.entry(skip).or_default() += 1;
        }
        self.since_sweep += 1;
        if self.since_sweep >= SWEEP_PACKETS && self.now_us.saturating_sub(self.swept_us) >= SWEEP_US {
            self.sweep();
        }
    }

    /// Moves the entries finished so far to the end of `entries`.
    pub fn drain(&mut self, entries: &mut Vec<Entry>) {
        entries.append(&mut self.out.entries);
    }

    /// Ends everything that is still open; gives the entries not drained yet. The dissector is as new
    /// afterwards, but for its statistics and its numbering of streams.
    pub fn finish(&mut self) -> Vec<Entry> {
        let connections = self.connections.extract(|_| true);
        let conversations = self.conversations.extract(|_| true);
        self.close(connections, conversations);
        self.fragments = Fragments::default();
        std::mem::take(&mut self.out.entries)
    }

    /// What was read so far.
    pub fn stats(&self) -> Stats {
        self.out.stats.clone()
    }

    fn decoded(&mut self, decoded: &Decoded<'_>, ts_us: i64) -> Result<(), Skip> {
        let src = Endpoint {
            ip: decoded.src,
            port: decoded.src_port,
        };
        let dst = Endpoint {
            ip: decoded.dst,
            port: decoded.dst_port,
        };
        match decoded.transport {
            Transport::Tcp(segment) => self.tcp(src, dst, &segment, decoded.ip_id, ts_us),
            Transport::Udp(payload) => self.udp(src, dst, payload, ts_us),
        }
    }

    fn tcp(
        &mut self,
        src: Endpoint,
        dst: Endpoint,
        segment: &Segment<'_>,
        ip_id: u16,
        ts_us: i64,
    ) -> Result<(), Skip> {
        if self.connections.len() >= self.out.limits.connections {
            self.evict();
        }
        let Self {
            connections,
            out,
            streams,
            ..
        } = self;
        let mut make = || {
            let stream = *streams;
            *streams = streams.saturating_add(1);
            Box::new(Connection::new(stream, [src, dst], ts_us))
        };
        let connection = connections.get_or_insert_with(src, dst, &mut make);
        if segment.flags.has(TcpFlags::SYN) && connection.is_reused_by(src, segment) {
            let before = std::mem::replace(connection, make());
            before.close(out);
        }
        connection.segment(src, segment, ip_id, ts_us, out)
    }

    fn udp(&mut self, src: Endpoint, dst: Endpoint, payload: &[u8], ts_us: i64) -> Result<(), Skip> {
        if !is_dns_port(src.port)
            && !is_dns_port(dst.port)
            && self.conversations.get_mut(src, dst).is_none()
            && !is_dns_query(dst.port, payload)
        {
            return Err(Skip::OtherUdp);
        }
        if dst.ip.is_multicast() {
            return Err(Skip::MulticastDns);
        }
        if self.conversations.len() >= self.out.limits.connections {
            self.evict();
        }
        let Self {
            conversations,
            out,
            streams,
            ..
        } = self;
        let conversation = conversations.get_or_insert_with(src, dst, || {
            let stream = *streams;
            *streams = streams.saturating_add(1);
            let dialog = Dialog::new(stream, [src, dst]);
            Box::new(Conversation {
                dialog,
                queries: Queries::default(),
                last_us: ts_us,
            })
        });
        let Conversation {
            dialog,
            queries,
            last_us,
        } = &mut **conversation;
        *last_us = ts_us.max(*last_us);
        let side = usize::from(dialog.end(0) != src);
        if queries.datagram(side, payload, ts_us, dialog, out) {
            Ok(())
        } else {
            Err(Skip::OtherUdp)
        }
    }

    /// Ends what has been silent for too long.
    fn sweep(&mut self) {
        let (now, limits) = (self.now_us, self.out.limits.clone());
        (self.swept_us, self.since_sweep) = (now, 0);
        let connections = self.connections.extract(|connection| {
            let patience = if connection.closed() {
                limits.linger_us
            } else {
                limits.idle_us
            };
            now.saturating_sub(connection.last_us()) > patience
        });
        let conversations = self
            .conversations
            .extract(|conversation| now.saturating_sub(conversation.last_us) > limits.dns_wait_us);
        self.close(connections, conversations);
    }

    /// Makes room by ending what has been silent longest.
    fn evict(&mut self) {
        let limit = self.out.limits.connections;
        let (mut connections, mut conversations) = (Vec::new(), Vec::new());
        if self.connections.len() >= limit {
            let before = oldest(
                self.connections
                    .values()
                    .map(|connection| connection.last_us())
                    .collect(),
            );
            connections = self
                .connections
                .extract(|connection| connection.last_us() <= before);
        }
        if self.conversations.len() >= limit {
            let before = oldest(
                self.conversations
                    .values()
                    .map(|conversation| conversation.last_us)
                    .collect(),
            );
            conversations = self
                .conversations
                .extract(|conversation| conversation.last_us <= before);
        }
        self.out.stats.evicted += (connections.len() + conversations.len()) as u64;
        self.close(connections, conversations);
    }

    /// Ends connections and conversations in the order they began, whatever order the tables gave.
    #[expect(
        clippy::vec_box,
        reason = "the tables hold boxes, so that moving an entry is cheap"
    )]
    fn close(&mut self, mut connections: Vec<Box<Connection>>, mut conversations: Vec<Box<Conversation>>) {
        connections.sort_unstable_by_key(|connection| connection.stream());
        conversations.sort_unstable_by_key(|conversation| conversation.dialog.stream);
        for connection in connections {
            connection.close(&mut self.out);
        }
        for mut conversation in conversations {
            let Conversation { dialog, queries, .. } = &mut *conversation;
            queries.end(dialog, &mut self.out);
        }
    }
}

/// The time up to which a sixteenth of `times` lies.
fn oldest(mut times: Vec<i64>) -> i64 {
    let at = times.len() / EVICT_SHARE;
    if at >= times.len() {
        return i64::MAX;
    }
    *times.select_nth_unstable(at).1
}
