//! One TCP connection: its two streams, its facts, and the protocol inside.

use super::dns::DnsStream;
use super::facts::Facts;
use super::http::HttpExchange;
use super::inbox::Chunk;
use super::output::{Dialog, Output, Timing};
use super::reassembly::{Arrival, Piece, Stream, seq_before};
use crate::hub::entry::{Endpoint, Payload};
use crate::hub::packet::headers::{Segment, Skip, TcpFlags};

/// A hole the receiver acknowledged is given up after this much packet time, µs.
const HOLE_WAIT_US: i64 = 1_000_000;

/// The protocol inside.
#[derive(Debug)]
enum Application {
    Http(Box<HttpExchange>),
    Dns(Box<DnsStream>),
}

/// A TCP connection. Sides are 0, who sent the first packet captured, and 1.
#[derive(Debug)]
pub(super) struct Connection {
    dialog: Dialog,
    facts: Facts,
    streams: [Stream; 2],
    application: Application,
    /// Packets since the hole of a stream was acknowledged.
    hole_age: [u32; 2],
    /// Initial sequence numbers.
    isns: [Option<u32>; 2],
    reset: bool,
    /// Bytes that wait, as last reported to the common account.
    buffered: usize,
}

impl Connection {
    pub(super) fn new(stream: u32, ends: [Endpoint; 2], ts_us: i64) -> Self {
        let dns = ends.iter().any(|end| super::dns::is_dns_port(end.port));
        let application = if dns {
            Application::Dns(Box::default())
        } else {
            Application::Http(Box::default())
        };
        Self {
            dialog: Dialog::new(stream, ends),
            facts: Facts::new(ts_us),
            streams: Default::default(),
            application,
            hole_age: [0; 2],
            isns: [None; 2],
            reset: false,
            buffered: 0,
        }
    }

    pub(super) fn stream(&self) -> u32 {
        self.dialog.stream
    }

    pub(super) fn last_us(&self) -> i64 {
        self.facts.last_us
    }

    /// Whether nothing more is to be expected but late packets.
    pub(super) fn closed(&self) -> bool {
        self.reset || self.streams.iter().all(Stream::finished)
    }

    /// Which side sends from `from`.
    pub(super) fn side(&self, from: Endpoint) -> usize {
        usize::from(self.dialog.end(0) != from)
    }

    /// Whether this SYN opens another connection between the same endpoints.
    pub(super) fn is_reused_by(&self, from: Endpoint, segment: &Segment<'_>) -> bool {
        if !segment.flags.has(TcpFlags::SYN) || segment.flags.has(TcpFlags::ACK) {
            return false;
        }
        let side = self.side(from);
        match (at(&self.isns, side), at_ref(&self.streams, side).next_seq()) {
            (Some(isn), _) => isn != segment.seq,
            // captured from the middle on: a SYN that fits in front of it is merely late
            (None, Some(next)) => self.closed() || segment.seq.wrapping_add(1) != next,
            (None, None) => self.facts.client.is_some_and(|client| client != side) && self.closed(),
        }
    }

    /// Adds a packet.
    pub(super) fn segment(
        &mut self,
        from: Endpoint,
        segment: &Segment<'_>,
        ip_id: u16,
        ts_us: i64,
        out: &mut Output,
    ) -> Result<(), Skip> {
        let side = self.side(from);
        if self.facts.is_duplicate(side, segment, ip_id, ts_us) {
            return Err(Skip::Duplicate);
        }
        let flags = segment.flags;
        let mut first = segment.seq;
        if flags.has(TcpFlags::SYN) {
            if let Some(isn) = self.isns.get_mut(side) {
                isn.get_or_insert(segment.seq);
            }
            first = first.wrapping_add(1);
        }
        // what a reset carries is a message to people, not data; a keep-alive repeats an old byte
        let carries = !flags.has(TcpFlags::RST) && !self.facts.is_keepalive(side, segment);
        let [one, other] = &mut self.streams;
        let (stream, peer) = if side == 0 { (one, other) } else { (other, one) };
        if !flags.has(TcpFlags::RST) {
            stream.begin(first);
            if flags.has(TcpFlags::ACK) {
                peer.begin(segment.ack);
            }
        }
        let fin = flags.has(TcpFlags::FIN);
        let arrival = if carries && (fin || segment.cut > 0 || !segment.payload.is_empty()) {
            stream.push(first, segment.payload, segment.cut, fin, ts_us)
        } else {
            Arrival::default()
        };
        self.facts.add(side, segment, arrival.fresh, ts_us);
        if !segment.payload.is_empty() && matches!(self.application, Application::Dns(_)) {
            // the answer to a query cannot be kept waiting: give up now what the capture missed of it
            self.skip_acknowledged_hole(1 - side, out);
        }
        if arrival.jumped {
            self.gap(side, u64::MAX, out);
        }
        if let Some((seq, bytes)) = arrival.in_order {
            self.bytes(side, bytes, seq, ts_us, out);
        }
        if arrival.cut > 0 {
            self.application_gap(side, arrival.cut, out);
        }
        self.reset |= flags.has(TcpFlags::RST);
        self.settle(side, ts_us, out);
        self.account(out);
        Ok(())
    }

    /// Delivers what became available and gives up holes that will not be filled.
    fn settle(&mut self, sender: usize, ts_us: i64, out: &mut Output) {
        for side in [1 - sender, sender] {
            self.deliver(side, out);
            self.consider_hole(side, ts_us, out);
        }
        let lagging = [self.lags(0), self.lags(1)];
        if let Application::Http(http) = &mut self.application {
            http.resume(lagging, &mut self.dialog, out);
        }
        if at_ref(&self.streams, sender).finished() {
            self.end_of(sender, out);
        }
    }

    fn deliver(&mut self, side: usize, out: &mut Output) {
        while let Some(piece) = self.streams.get_mut(side).and_then(Stream::pop) {
            match piece {
                Piece::Bytes { ts_us, seq, bytes } => self.bytes(side, &bytes, seq, ts_us, out),
                Piece::Gap { length } => self.application_gap(side, length, out),
            }
        }
    }

    fn consider_hole(&mut self, side: usize, ts_us: i64, out: &mut Output) {
        let stream = at_ref(&self.streams, side);
        let Some(end) = stream.hole_end() else {
            if let Some(age) = self.hole_age.get_mut(side) {
                *age = 0;
            }
            return;
        };
        let acked = self.acknowledged(side, end);
        let too_much = stream.waiting_bytes() > out.limits.out_of_order_bytes
            || stream.waiting_segments() > out.limits.out_of_order_segments
            || out.buffered > out.limits.buffered_bytes;
        let waited_us = stream
            .waiting_since()
            .map_or(0, |since| ts_us.saturating_sub(since));
        let mut patience_over = false;
        if acked && let Some(age) = self.hole_age.get_mut(side) {
            *age = age.saturating_add(1);
            patience_over = *age > out.limits.hole_patience || waited_us > HOLE_WAIT_US;
        }
        if patience_over || too_much {
            self.skip_hole(side, out);
        }
    }

    /// Whether the receiver of what `side` sends has all before `end`.
    fn acknowledged(&self, side: usize, end: u32) -> bool {
        self.facts
            .acked_by(1 - side)
            .is_some_and(|ack| !seq_before(ack, end))
    }

    fn skip_acknowledged_hole(&mut self, side: usize, out: &mut Output) {
        if at_ref(&self.streams, side)
            .hole_end()
            .is_some_and(|end| self.acknowledged(side, end))
        {
            self.skip_hole(side, out);
        }
    }

    fn skip_hole(&mut self, side: usize, out: &mut Output) {
        if let Some(length) = self.streams.get_mut(side).and_then(Stream::skip_hole) {
            self.gap(side, length, out);
            self.deliver(side, out);
        }
    }

    /// Whether the peer has acknowledged bytes of `side` that have not been captured (yet).
    fn lags(&self, side: usize) -> bool {
        let stream = at_ref(&self.streams, side);
        stream.hole_end().is_some()
            || stream
                .next_seq()
                .zip(self.facts.acked_by(1 - side))
                // one sequence number is the FIN's
                .is_some_and(|(next, ack)| !stream.finished() && seq_before(next, ack))
    }

    fn bytes(&mut self, side: usize, bytes: &[u8], seq: u32, ts_us: i64, out: &mut Output) {
        let lagging = self.lags(1 - side);
        match &mut self.application {
            Application::Http(http) => {
                let chunk = Chunk { bytes, seq, ts_us };
                http.bytes(side, chunk, lagging, &mut self.dialog, out);
            }
            Application::Dns(dns) => dns.bytes(side, Chunk { bytes, seq, ts_us }, &mut self.dialog, out),
        }
    }

    /// A hole of the capture.
    fn gap(&mut self, side: usize, length: u64, out: &mut Output) {
        self.facts.missed_segment();
        if length != u64::MAX {
            out.stats.lost_bytes += length;
        }
        self.application_gap(side, length, out);
    }

    fn application_gap(&mut self, side: usize, length: u64, out: &mut Output) {
        match &mut self.application {
            Application::Http(http) => http.gap(side, length, &mut self.dialog, out),
            Application::Dns(dns) => dns.gap(side),
        }
    }

    fn end_of(&mut self, side: usize, out: &mut Output) {
        if let Application::Http(http) = &mut self.application {
            http.fin(side, &mut self.dialog, out);
        }
    }

    /// Keeps the common account of waiting bytes, and stops waiting where it is overdrawn.
    fn account(&mut self, out: &mut Output) {
        let mut buffered = self.count_buffered();
        if out.buffered.saturating_sub(self.buffered) + buffered > out.limits.buffered_bytes && buffered > 0 {
            self.stop_waiting(out);
            self.forget_fragments(out);
            buffered = self.count_buffered();
        }
        out.buffered = out.buffered.saturating_sub(self.buffered) + buffered;
        self.buffered = buffered;
    }

    fn count_buffered(&self) -> usize {
        let application = match &self.application {
            Application::Http(http) => http.buffered(),
            Application::Dns(dns) => dns.buffered(),
        };
        self.streams.iter().map(Stream::waiting_bytes).sum::<usize>() + application
    }

    /// Gives up all holes, the earliest first, so that both directions stay in step.
    fn stop_waiting(&mut self, out: &mut Output) {
        loop {
            let since = [0, 1].map(|side| at_ref(&self.streams, side).waiting_since());
            let side = match since {
                [Some(one), Some(other)] => usize::from(other < one),
                [Some(_), None] => 0,
                [None, Some(_)] => 1,
                [None, None] => break,
            };
            self.skip_hole(side, out);
            self.deliver(side, out);
        }
        if let Application::Http(http) = &mut self.application {
            http.resume([false; 2], &mut self.dialog, out);
        }
    }

    /// Drops messages of which only the beginning is there: what follows is looked at anew.
    fn forget_fragments(&mut self, out: &mut Output) {
        for side in [0, 1] {
            match &mut self.application {
                Application::Http(http) => http.forget_fragment(side, &mut self.dialog, out),
                Application::Dns(dns) => dns.gap(side),
            }
        }
    }

    /// Counts what the peer acknowledged although no packet with it, nor any after it, was captured.
    fn miss_the_end(&mut self, side: usize, out: &mut Output) {
        let stream = at_ref(&self.streams, side);
        if let Some((next, ack)) = stream.next_seq().zip(self.facts.acked_by(1 - side))
            && !stream.finished()
            && seq_before(next, ack)
            // the last sequence number may be that of a FIN
            && let length @ 1.. = ack.wrapping_sub(next) - 1
        {
            self.gap(side, u64::from(length), out);
        }
    }

    /// Ends the connection: what is unfinished is told as it is, and the facts with it.
    pub(super) fn close(mut self, out: &mut Output) {
        self.stop_waiting(out);
        for side in [0, 1] {
            self.miss_the_end(side, out);
        }
        let finished = [0, 1].map(|side| at_ref(&self.streams, side).finished());
        let (client, l7) = match &mut self.application {
            Application::Http(http) => {
                http.end(finished, &mut self.dialog, out);
                (http.client(), http.recognised().then_some("http"))
            }
            Application::Dns(dns) => {
                dns.end(&mut self.dialog, out);
                (dns.client(), dns.recognised().then_some("dns"))
            }
        };
        out.buffered = out.buffered.saturating_sub(self.buffered);
        let client = self
            .facts
            .client
            .or(client)
            .unwrap_or_else(|| self.guess_client());
        let flow = self.facts.finish(client, l7);
        let answered = flow.server_packets > 0;
        let timing = Timing {
            ts_us: self.facts.first_us,
            elapsed_us: answered.then_some(flow.duration_us),
            request_seq: self.facts.isn.unwrap_or_default(),
        };
        self.dialog
            .emit(client, timing, Payload::TcpFlow(Box::new(flow)), out);
    }

    /// Without a handshake and a known protocol, the lower port is the server's; ephemeral ports are
    /// high. Where both are the same, who sent first is the client.
    fn guess_client(&self) -> usize {
        usize::from(self.dialog.end(0).port < self.dialog.end(1).port)
    }
}

fn at<T: Copy>(pair: &[T; 2], side: usize) -> T {
    *at_ref(pair, side)
}

fn at_ref<T>(pair: &[T; 2], side: usize) -> &T {
    let [first, second] = pair;
    if side == 0 { first } else { second }
}
