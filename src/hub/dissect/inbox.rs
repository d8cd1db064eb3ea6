//! Bytes of a stream that could not be used yet, with the times they came.

/// Bytes that follow each other in a stream and came in one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'a> {
    pub(super) bytes: &'a [u8],
    /// Sequence number of the first.
    pub(super) seq: u32,
    /// When their packet was captured, Unix µs.
    pub(super) ts_us: i64,
}

/// The end of a packet's bytes, as an offset, and when it was captured, Unix µs.
pub(super) type Mark = (usize, i64);

/// Consecutive bytes of a stream, of one or several packets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    pub(super) data: &'a [u8],
    /// Sequence number of the first byte.
    pub(super) seq: u32,
    /// Where the bytes of each packet end; never empty where `data` is not.
    pub(super) marks: &'a [Mark],
}

impl<'a> Input<'a> {
    /// When the byte at `at` was captured, Unix µs.
    pub(super) fn ts_at(&self, at: usize) -> i64 {
        self.mark(at).map_or(0, |(_, ts_us)| ts_us)
    }

    /// The end of the packet that holds the byte at `at`.
    pub(super) fn packet_end(&self, at: usize) -> usize {
        self.mark(at).map_or(self.data.len(), |(end, _)| end)
    }

    /// Whether a packet begins at `at`.
    pub(super) fn begins_packet(&self, at: usize) -> bool {
        at == 0 || self.marks.binary_search_by_key(&at, |(end, _)| *end).is_ok()
    }

    /// Sequence number of the byte at `at`.
    pub(super) fn seq_at(&self, at: usize) -> u32 {
        // sequence numbers are modulo 2^32, so the low bits suffice
        self.seq
            .wrapping_add(u32::try_from(at & 0xffff_ffff).unwrap_or_default())
    }

    /// The bytes from `at` on.
    pub(super) fn from(&self, at: usize) -> &'a [u8] {
        self.data.get(at..).unwrap_or_default()
    }

    fn mark(&self, at: usize) -> Option<Mark> {
        let after = if self.marks.len() <= 1 {
            0
        } else {
            self.marks.partition_point(|(end, _)| *end <= at)
        };
        self.marks.get(after).or(self.marks.last()).copied()
    }
}

/// A buffer of such bytes.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    data: Vec<u8>,
    seq: u32,
    marks: Vec<Mark>,
}

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// Room that is held, bytes.
    pub(super) fn capacity(&self) -> usize {
        self.data.capacity() + self.marks.capacity() * size_of::<Mark>()
    }

    pub(super) fn append(&mut self, chunk: Chunk<'_>) {
        if chunk.bytes.is_empty() {
            return;
        }
        if self.data.is_empty() {
            self.seq = chunk.seq;
        }
        self.data.extend_from_slice(chunk.bytes);
        self.marks.push((self.data.len(), chunk.ts_us));
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input {
            data: &self.data,
            seq: self.seq,
            marks: &self.marks,
        }
    }

    /// Removes the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        if count >= self.data.len() {
            // an idle connection shall not hold the room of its largest message
            *self = Self::default();
            return;
        }
        if count == 0 {
            return;
        }
        self.seq = self.input().seq_at(count);
        self.data.drain(..count);
        let gone = self.marks.partition_point(|(end, _)| *end <= count);
        self.marks.drain(..gone);
        for (end, _) in &mut self.marks {
            *end -= count;
        }
    }
}
