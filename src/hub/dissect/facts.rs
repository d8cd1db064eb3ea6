//! What one TCP connection looked like to whoever captured it.
//!
//! The rules follow those of Wireshark's sequence analysis, with one difference: whether bytes were seen
//! before is known from the reassembled stream, not guessed from sequence numbers.

use super::reassembly::seq_before;
use crate::hub::entry::TcpFlow;
use crate::hub::packet::headers::{Segment, TcpFlags};

const SYN: u8 = 1;
const SYN_ACK: u8 = 2;
const ACK: u8 = 4;
const DATA: u8 = 8;
const FIN: u8 = 16;
const RST: u8 = 32;

/// Late bytes that fill a hole within this time were reordered, later they were sent again, µs.
const REORDER_US: i64 = 3_000;
/// The same packet captured twice comes within this time; no sender repeats itself so soon, µs.
const DUPLICATE_US: i64 = 2_000;
/// Packets remembered per side to recognise one captured twice.
const REMEMBERED: usize = 4;

/// What makes two packets of one side the same packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fingerprint {
    ip_id: u16,
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    length: u32,
}

/// One side of the connection as a sender.
#[derive(Clone, Debug, Default)]
struct Sender {
    packets: u64,
    fresh_bytes: u64,
    first_data_us: Option<i64>,
    /// Sequence number after the highest byte sent, and when that was captured.
    highest: Option<(u32, i64)>,
    /// Acknowledgment and window of the last packet that had one.
    acked: Option<(u32, u16)>,
    /// Duplicates of the last acknowledgment in a row.
    repeated_acks: u32,
    last_was_keepalive: bool,
    resets: u64,
    recent: [(Fingerprint, i64); REMEMBERED],
}

/// Collects the facts of a connection, packet by packet.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    flow: TcpFlow,
    senders: [Sender; 2],
    /// Which side sent the SYN.
    pub(super) client: Option<usize>,
    /// Initial sequence number of the client.
    pub(super) isn: Option<u32>,
    first_syn_us: Option<i64>,
    last_syn_us: i64,
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    first_reset_by: Option<usize>,
}

impl Facts {
    /// The facts of a connection whose first packet came at `ts_us`.
    pub(super) fn new(ts_us: i64) -> Self {
        Self {
            first_us: ts_us,
            last_us: ts_us,
            ..Self::default()
        }
    }

    fn sender(&self, side: usize) -> &Sender {
        let [first, second] = &self.senders;
        if side == 0 { first } else { second }
    }

    fn sender_mut(&mut self, side: usize) -> &mut Sender {
        let [first, second] = &mut self.senders;
        if side == 0 { first } else { second }
    }

    /// Whether this very packet was captured a moment ago, as on `any` and on bridges. The IPv4
    /// identification tells: a sender that repeats itself gives the copy another one. Packets without one
    /// are taken for copies only where nobody repeats them so soon, which is when they open or reset.
    pub(super) fn is_duplicate(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        ip_id: u16,
        ts_us: i64,
    ) -> bool {
        if ip_id == 0 && !segment.flags.any(TcpFlags::SYN | TcpFlags::RST) {
            return false;
        }
        let fingerprint = Fingerprint {
            ip_id,
            seq: segment.seq,
            ack: segment.ack,
            flags: segment.flags.0,
            window: segment.window,
            length: length(segment),
        };
        let sender = self.sender_mut(side);
        let seen = sender
            .recent
            .iter()
            .any(|(known, at)| *known == fingerprint && ts_us.saturating_sub(*at).abs() <= DUPLICATE_US);
        if !seen {
            sender.recent.rotate_right(1);
            if let Some(newest) = sender.recent.first_mut() {
                *newest = (fingerprint, ts_us);
            }
        }
        seen
    }

    /// Whether the segment repeats the last byte (or none) to see if the peer is still there.
    pub(super) fn is_keepalive(&self, side: usize, segment: &Segment<'_>) -> bool {
        length(segment) <= 1
            && !segment.flags.any(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST)
            && self
                .sender(side)
                .highest
                .is_some_and(|(highest, _)| segment.seq == highest.wrapping_sub(1))
    }

    /// The highest acknowledgment this side has sent.
    pub(super) fn acked_by(&self, side: usize) -> Option<u32> {
        self.sender(side).acked.map(|(ack, _)| ack)
    }

    /// Adds a packet of `side`, of whose payload `fresh` bytes had not been seen before.
    pub(super) fn add(&mut self, side: usize, segment: &Segment<'_>, fresh: u64, ts_us: i64) {
        self.last_us = self.last_us.max(ts_us);
        self.sender_mut(side).packets += 1;
        self.handshake(side, segment, ts_us);

        let flags = segment.flags;
        let keepalive = self.is_keepalive(side, segment);
        if length(segment) > 0 && !keepalive {
            self.flow.completeness |= DATA;
            let sender = self.sender_mut(side);
            sender.first_data_us.get_or_insert(ts_us);
            sender.fresh_bytes += fresh;
        }
        if flags.has(TcpFlags::FIN) {
            self.flow.completeness |= FIN;
            self.flow.fins += 1;
        }
        if flags.has(TcpFlags::RST) {
            self.flow.completeness |= RST;
            self.flow.resets += 1;
            self.first_reset_by.get_or_insert(side);
            self.sender_mut(side).resets += 1;
        }
        if keepalive {
            self.flow.keepalives += 1;
        } else {
            self.sequence(side, segment, fresh, ts_us);
        }
        self.acknowledgment(side, segment, keepalive);
        self.sender_mut(side).last_was_keepalive = keepalive;
    }

    fn handshake(&mut self, side: usize, segment: &Segment<'_>, ts_us: i64) {
        let flags = segment.flags;
        if flags.has(TcpFlags::SYN) {
            if flags.has(TcpFlags::ACK) {
                self.client.get_or_insert(1 - side);
                if self.flow.completeness & SYN != 0 && self.flow.completeness & SYN_ACK == 0 {
                    // where the SYN was repeated, the answer is to the last one
                    self.flow.initial_rtt_us = Some((ts_us - self.last_syn_us).max(0));
                }
                self.flow.completeness |= SYN_ACK;
            } else {
                self.client.get_or_insert(side);
                if self.client == Some(side) {
                    self.isn.get_or_insert(segment.seq);
                    self.first_syn_us.get_or_insert(ts_us);
                    self.last_syn_us = ts_us;
                    self.flow.syns += 1;
                }
                self.flow.completeness |= SYN;
            }
        } else if flags.has(TcpFlags::ACK) && !flags.has(TcpFlags::RST) {
            self.flow.completeness |= ACK;
            if self.client == Some(side)
                && self.flow.completeness & SYN_ACK != 0
                && let Some(syn_us) = self.first_syn_us
            {
                self.flow.handshake_us.get_or_insert((ts_us - syn_us).max(0));
            }
        }
    }

    /// Retransmitted, out of order, or new.
    fn sequence(&mut self, side: usize, segment: &Segment<'_>, fresh: u64, ts_us: i64) {
        let flags = segment.flags;
        let (syn, fin) = (
            u32::from(flags.has(TcpFlags::SYN)),
            u32::from(flags.has(TcpFlags::FIN)),
        );
        let taken = length(segment).wrapping_add(syn).wrapping_add(fin);
        if taken == 0 {
            return;
        }
        let reorder_us = self
            .flow
            .initial_rtt_us
            .map_or(REORDER_US, |rtt| rtt.max(REORDER_US));
        let end = segment.seq.wrapping_add(taken);
        let asked_for = {
            let peer = self.sender(1 - side);
            peer.repeated_acks >= 2 && peer.acked.is_some_and(|(ack, _)| ack == segment.seq)
        };
        if let Some((highest, at_us)) = self.sender(side).highest
            && seq_before(segment.seq, highest)
        {
            // a bare FIN that comes first and is repeated later has no bytes to be recognised by
            if fresh > 0 && ts_us.saturating_sub(at_us) <= reorder_us && !asked_for {
                self.flow.out_of_order += 1;
            } else {
                self.flow.retransmissions += 1;
                self.flow.fast_retransmissions += u64::from(asked_for);
            }
        }
        let sender = self.sender_mut(side);
        if sender.highest.is_none_or(|(highest, _)| seq_before(highest, end)) {
            sender.highest = Some((end, ts_us));
        }
    }

    fn acknowledgment(&mut self, side: usize, segment: &Segment<'_>, keepalive: bool) {
        let flags = segment.flags;
        if flags.any(TcpFlags::RST) {
            return;
        }
        let opening_or_closing = flags.any(TcpFlags::SYN | TcpFlags::FIN);
        if segment.window == 0 && !opening_or_closing {
            self.flow.zero_windows += 1;
        }
        if !flags.has(TcpFlags::ACK) {
            return;
        }
        let (outstanding, probed) = {
            let peer = self.sender(1 - side);
            let outstanding = peer
                .highest
                .is_some_and(|(highest, _)| seq_before(segment.ack, highest));
            (outstanding, peer.last_was_keepalive)
        };
        let sender = self.sender_mut(side);
        let repeats = sender.acked == Some((segment.ack, segment.window));
        let bare = length(segment) == 0 && !opening_or_closing && !keepalive;
        if repeats && bare && outstanding && !probed && segment.window != 0 {
            sender.repeated_acks += 1;
            self.flow.dup_acks += 1;
            return;
        }
        match sender.acked {
            Some((ack, _)) if seq_before(segment.ack, ack) => {}
            Some((ack, _)) if ack == segment.ack => sender.acked = Some((ack, segment.window)),
            _ => {
                sender.repeated_acks = 0;
                sender.acked = Some((segment.ack, segment.window));
            }
        }
    }

    /// Counts a hole that was never filled.
    pub(super) fn missed_segment(&mut self) {
        self.flow.missing_segments += 1;
    }

    /// The facts, seen from `client`.
    pub(super) fn finish(&self, client: usize, l7: Option<&'static str>) -> TcpFlow {
        let (from_client, from_server) = (self.sender(client), self.sender(1 - client));
        let first_byte_us = from_client
            .first_data_us
            .zip(from_server.first_data_us)
            .map(|(asked, answered)| answered - asked)
            .filter(|elapsed| *elapsed >= 0);
        TcpFlow {
            duration_us: (self.last_us - self.first_us).max(0),
            first_byte_us,
            client_packets: from_client.packets,
            server_packets: from_server.packets,
            client_bytes: from_client.fresh_bytes,
            server_bytes: from_server.fresh_bytes,
            reset_by_server: self.first_reset_by == Some(1 - client),
            l7,
            ..self.flow.clone()
        }
    }
}

fn length(segment: &Segment<'_>) -> u32 {
    u32::try_from(segment.payload.len())
        .unwrap_or(u32::MAX)
        .saturating_add(segment.cut)
}
