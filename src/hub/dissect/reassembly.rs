//! One direction of a TCP connection as a stream of bytes.
//!
//! Segments may come out of order, more than once, overlap, and be missing. Where two segments disagree
//! about a byte, **the first copy that was captured wins**: it is what was delivered or buffered already,
//! and for honest senders both are the same.

use std::collections::BTreeMap;

/// Segments further than this from the expected place are no reordering: the sequence has jumped
/// because much of it was not captured, bytes.
const JUMP: i64 = 1 << 28;

/// Content of a stretch of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stretch {
    Bytes(Box<[u8]>),
    /// On the wire, but cut off by the capture: number of bytes.
    Cut(u64),
}

/// A stretch that waits for what comes before it.
#[derive(Clone, Debug)]
struct Waiting {
    ts_us: i64,
    stretch: Stretch,
}

impl Waiting {
    fn len(&self) -> i64 {
        match &self.stretch {
            Stretch::Bytes(bytes) => as_i64(bytes.len() as u64),
            Stretch::Cut(length) => as_i64(*length),
        }
    }
}

/// What comes next in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes in order; `seq` is the sequence number of the first, `ts_us` when their packet was captured.
    Bytes { ts_us: i64, seq: u32, bytes: Box<[u8]> },
    /// Bytes that are not in the capture.
    Gap { length: u64 },
}

/// What a segment brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// Bytes of it that are next in the stream, with the sequence number of their first.
    pub in_order: Option<(u32, &'a [u8])>,
    /// Bytes after these that were cut off by the capture.
    pub cut: u64,
    /// Payload bytes of it that had not been seen before.
    pub fresh: u64,
    /// The sequence has jumped: what came before is lost.
    pub jumped: bool,
}

/// Reassembles one direction. Positions are offsets from its first byte.
#[derive(Debug, Default)]
pub struct Stream {
    /// Sequence number of the next byte in order; unknown before the first packet.
    next_seq: Option<u32>,
    /// Position of that byte.
    next: i64,
    /// By position; never overlapping, never before `next`.
    waiting: BTreeMap<i64, Waiting>,
    waiting_bytes: usize,
    fin: Option<i64>,
}

impl Stream {
    /// Fixes where the stream begins, unless that is known.
    pub fn begin(&mut self, seq: u32) {
        self.next_seq.get_or_insert(seq);
    }

    /// The sequence number of the next byte in order.
    pub fn next_seq(&self) -> Option<u32> {
        self.next_seq
    }

    /// Bytes that wait for missing ones.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Segments that wait for missing ones.
    pub fn waiting_segments(&self) -> usize {
        self.waiting.len()
    }

    /// Sequence number right after the first hole; `None` without a hole.
    pub fn hole_end(&self) -> Option<u32> {
        let (&start, _) = self.waiting.first_key_value()?;
        Some(self.next_seq?.wrapping_add(low_bits(start - self.next)))
    }

    /// When the first segment after the hole was captured, Unix µs.
    pub fn waiting_since(&self) -> Option<i64> {
        self.waiting.first_key_value().map(|(_, waiting)| waiting.ts_us)
    }

    /// Whether everything up to the sender's FIN has been delivered.
    pub fn finished(&self) -> bool {
        self.fin.is_some_and(|fin| self.next >= fin)
    }

    /// Adds a segment: `payload` begins at `seq`, and `cut` more bytes of it were not captured.
    /// After it, [`Stream::pop`] gives what it made available beyond itself.
    pub fn push<'a>(&mut self, seq: u32, payload: &'a [u8], cut: u32, fin: bool, ts_us: i64) -> Arrival<'a> {
        let next_seq = *self.next_seq.get_or_insert(seq);
        let mut arrival = Arrival::default();
        // the distance of two sequence numbers is signed: they wrap around
        let distance = i64::from(seq.wrapping_sub(next_seq).cast_signed());
        if distance.abs() > JUMP {
            self.waiting.clear();
            self.waiting_bytes = 0;
            self.next_seq = Some(seq);
            arrival.jumped = true;
        }
        let start = if arrival.jumped {
            self.next
        } else {
            self.next.saturating_add(distance)
        };
        let middle = start.saturating_add(as_i64(payload.len() as u64));
        let end = middle.saturating_add(i64::from(cut));
        if fin {
            self.fin = Some(self.fin.map_or(end, |fin| fin.min(end)));
        }
        if end <= self.next {
            return arrival;
        }
        let nothing_between = self
            .waiting
            .first_key_value()
            .is_none_or(|(&first, _)| first >= end);
        if start <= self.next && nothing_between {
            // the usual case: no copy
            let old = usize::try_from(self.next - start).unwrap_or(usize::MAX);
            let bytes = payload.get(old..).unwrap_or_default();
            arrival.fresh = bytes.len() as u64;
            if !bytes.is_empty() {
                arrival.in_order = Some((self.seq_at(self.next), bytes));
            }
            arrival.cut = u64::try_from(end - middle.max(self.next)).unwrap_or_default();
            self.advance(end);
        } else {
            arrival.fresh = self.wait(start.max(self.next), middle, ts_us, |from, to| {
                let from = usize::try_from(from - start).ok()?;
                let to = usize::try_from(to - start).ok()?;
                Some(Stretch::Bytes(payload.get(from..to)?.into()))
            });
            self.wait(middle.max(self.next), end, ts_us, |from, to| {
                u64::try_from(to - from).ok().map(Stretch::Cut)
            });
        }
        arrival
    }

    /// The next stretch that is in order, where one has been waiting.
    pub fn pop(&mut self) -> Option<Piece> {
        let first = self
            .waiting
            .first_entry()
            .filter(|first| *first.key() <= self.next)?;
        let (start, waiting) = first.remove_entry();
        let end = start.saturating_add(waiting.len());
        let seq = self.seq_at(start);
        self.advance(end);
        Some(match waiting.stretch {
            Stretch::Bytes(bytes) => {
                self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes.len());
                Piece::Bytes {
                    ts_us: waiting.ts_us,
                    seq,
                    bytes,
                }
            }
            Stretch::Cut(length) => Piece::Gap { length },
        })
    }

    /// Gives the first hole up: what follows it is in order now. Its length, or `None` without a hole.
    pub fn skip_hole(&mut self) -> Option<u64> {
        let (&start, _) = self.waiting.first_key_value()?;
        let length = u64::try_from(start - self.next)
            .ok()
            .filter(|length| *length > 0)?;
        self.advance(start);
        Some(length)
    }

    fn advance(&mut self, to: i64) {
        self.next_seq = Some(self.seq_at(to));
        self.next = to;
    }

    fn seq_at(&self, position: i64) -> u32 {
        self.next_seq
            .unwrap_or_default()
            .wrapping_add(low_bits(position - self.next))
    }

    /// Keeps what of `start..end` is not there yet; gives the number of new bytes.
    fn wait(
        &mut self,
        start: i64,
        end: i64,
        ts_us: i64,
        stretch: impl Fn(i64, i64) -> Option<Stretch>,
    ) -> u64 {
        let mut missing = Vec::new();
        let mut from = start;
        if let Some((&before, waiting)) = self.waiting.range(..=start).next_back() {
            from = from.max(before.saturating_add(waiting.len()));
        }
        for (&next, waiting) in self.waiting.range(start..end.max(start)) {
            if from < next {
                missing.push((from, next));
            }
            from = from.max(next.saturating_add(waiting.len()));
        }
        if from < end {
            missing.push((from, end));
        }
        let mut fresh = 0;
        for (from, to) in missing {
            let Some(stretch) = stretch(from, to) else {
                continue;
            };
            if let Stretch::Bytes(bytes) = &stretch {
                self.waiting_bytes += bytes.len();
                fresh += bytes.len() as u64;
            }
            self.waiting.insert(from, Waiting { ts_us, stretch });
        }
        fresh
    }
}

/// Whether sequence number `one` comes before `other`, across the wrap-around.
pub(super) fn seq_before(one: u32, other: u32) -> bool {
    one.wrapping_sub(other).cast_signed() < 0
}

fn low_bits(distance: i64) -> u32 {
    u32::try_from(distance.rem_euclid(1 << 32)).unwrap_or_default()
}

fn as_i64(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
