//! DNS over TCP (RFC 7766): messages with their length in front.

use super::super::inbox::{Chunk, Inbox};
use super::super::output::{Dialog, Output};
use super::matching::{Captured, Queries};

/// A DNS header has this length, bytes: nothing shorter is a message.
const HEADER: usize = 12;

#[derive(Debug, Default)]
struct Direction {
    inbox: Inbox,
    /// After a gap, or after something that was no DNS: a message may begin with the next packet.
    lost: bool,
}

/// DNS on one TCP connection.
#[derive(Debug, Default)]
pub(in super::super) struct DnsStream {
    directions: [Direction; 2],
    queries: Queries,
    recognised: bool,
}

impl DnsStream {
    /// Adds bytes that `side` sent next.
    pub(in super::super) fn bytes(
        &mut self,
        side: usize,
        chunk: Chunk<'_>,
        dialog: &mut Dialog,
        out: &mut Output,
    ) {
        let [first, second] = &mut self.directions;
        let direction = if side == 0 { first } else { second };
        if direction.lost {
            direction.inbox = Inbox::default();
        }
        direction.inbox.append(chunk);
        let input = direction.inbox.input();
        let mut at = 0;
        while let [high, low, rest @ ..] = input.from(at) {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(data) = rest.get(..length) else {
                // a length that cannot be right will not become right with more bytes
                if length < HEADER || direction.lost {
                    at = input.data.len();
                    direction.lost = true;
                }
                break;
            };
            let captured = Captured {
                data,
                first_us: input.ts_at(at),
                last_us: input.ts_at(at + 1 + length),
                seq: input.seq_at(at),
                tcp: true,
            };
            if length < HEADER || !self.queries.message(side, captured, dialog, out) {
                at = input.data.len();
                direction.lost = true;
                break;
            }
            self.recognised = true;
            direction.lost = false;
            at += 2 + length;
        }
        direction.inbox.consume(at);
    }

    /// Bytes of `side` are missing.
    pub(in super::super) fn gap(&mut self, side: usize) {
        if let Some(direction) = self.directions.get_mut(side) {
            *direction = Direction {
                lost: true,
                ..Direction::default()
            };
        }
    }

    /// The connection is over: tells what was not answered.
    pub(in super::super) fn end(&mut self, dialog: &mut Dialog, out: &mut Output) {
        self.queries.end(dialog, out);
    }

    /// Which side asks.
    pub(in super::super) fn client(&self) -> Option<usize> {
        self.queries.client()
    }

    /// Whether there was any DNS.
    pub(in super::super) fn recognised(&self) -> bool {
        self.recognised
    }

    /// Bytes that wait.
    pub(in super::super) fn buffered(&self) -> usize {
        self.directions
            .iter()
            .map(|direction| direction.inbox.capacity())
            .sum()
    }
}
