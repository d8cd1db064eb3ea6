//! HTTP on one connection: its two directions and what they add up to.

use super::super::inbox::{Chunk, Inbox, Input};
use super::super::output::{Dialog, Output};
use super::direction::{Context, Direction, Role, State};
use super::matching::{Matching, Switch};

/// HTTP/1.x on one connection.
#[derive(Debug)]
pub(crate) struct HttpExchange {
    directions: [Direction; 2],
    matching: Matching,
}

impl Default for HttpExchange {
    fn default() -> Self {
        let directions = [0, 1].map(Direction::new);
        Self {
            directions,
            matching: Matching::default(),
        }
    }
}

impl HttpExchange {
    fn split(&mut self, side: usize) -> (&mut Direction, &mut Matching) {
        let [first, second] = &mut self.directions;
        (if side == 0 { first } else { second }, &mut self.matching)
    }

    /// Adds bytes that `side` sent next. `lagging`: bytes of the other side are missing and may yet come.
    pub(in super::super) fn bytes(
        &mut self,
        side: usize,
        chunk: Chunk<'_>,
        lagging: bool,
        dialog: &mut Dialog,
        out: &mut Output,
    ) {
        let (direction, matching) = self.split(side);
        let mut context = Context {
            matching,
            dialog,
            out,
            lagging,
        };
        if direction.inbox.is_empty() {
            let Chunk { bytes, seq, ts_us } = chunk;
            let input = Input {
                data: bytes,
                seq,
                marks: &[(bytes.len(), ts_us)],
            };
            let used = direction.read(input, &mut context);
            if used < bytes.len() {
                direction.inbox.append(Chunk {
                    bytes: input.from(used),
                    seq: input.seq_at(used),
                    ts_us,
                });
            }
        } else {
            direction.inbox.append(chunk);
            if !(direction.stalled && lagging) {
                direction.drain(&mut context);
            }
        }
        self.switch();
    }

    /// Goes on with responses that waited for their requests. `lagging`: by side, whether bytes of it are
    /// missing and may yet come. To be called after every packet.
    pub(in super::super) fn resume(&mut self, lagging: [bool; 2], dialog: &mut Dialog, out: &mut Output) {
        let [first, second] = lagging;
        for (side, other_lags) in [(0, second), (1, first)] {
            let (direction, matching) = self.split(side);
            if !direction.stalled {
                continue;
            }
            direction.stalled_packets = direction.stalled_packets.saturating_add(1);
            let enough = direction.stalled_packets > out.limits.hole_patience
                || direction.inbox.len() > out.limits.out_of_order_bytes;
            let mut context = Context {
                matching,
                dialog,
                out,
                lagging: other_lags && !enough,
            };
            direction.drain(&mut context);
            if !direction.stalled {
                direction.stalled_packets = 0;
            }
            self.switch();
        }
    }

    /// Applies a change of protocol to both directions; the one that announced it has done so.
    fn switch(&mut self) {
        let Some(switch) = self.matching.switch.take() else {
            return;
        };
        for direction in &mut self.directions {
            match switch {
                Switch::Opaque => direction.state = State::Opaque,
                Switch::Tunnel if direction.role == Some(Role::Requests) => {
                    (direction.state, direction.role) = (State::Seek, None);
                }
                Switch::Tunnel => {}
            }
            if switch == Switch::Opaque {
                direction.inbox = Inbox::default();
            }
        }
    }

    /// `length` bytes of `side` are missing here.
    pub(in super::super) fn gap(&mut self, side: usize, length: u64, dialog: &mut Dialog, out: &mut Output) {
        self.release(side, dialog, out);
        let (direction, matching) = self.split(side);
        direction.gap(
            length,
            &mut Context {
                matching,
                dialog,
                out,
                lagging: false,
            },
        );
    }

    /// Drops what waits of `side` for its continuation.
    pub(in super::super) fn forget_fragment(&mut self, side: usize, dialog: &mut Dialog, out: &mut Output) {
        let (direction, matching) = self.split(side);
        if !direction.inbox.is_empty() {
            direction.gap(
                u64::MAX,
                &mut Context {
                    matching,
                    dialog,
                    out,
                    lagging: false,
                },
            );
        }
    }

    /// `side` has sent its last byte.
    pub(in super::super) fn fin(&mut self, side: usize, dialog: &mut Dialog, out: &mut Output) {
        let (direction, matching) = self.split(side);
        if direction.inbox.is_empty() {
            direction.fin(&mut Context {
                matching,
                dialog,
                out,
                lagging: false,
            });
        }
    }

    /// Reads what waits, whatever it waits for.
    fn release(&mut self, side: usize, dialog: &mut Dialog, out: &mut Output) {
        let (direction, matching) = self.split(side);
        if !direction.inbox.is_empty() {
            direction.drain(&mut Context {
                matching,
                dialog,
                out,
                lagging: false,
            });
        }
        self.switch();
    }

    /// The connection is over: tells what is unfinished. `finished`: by side, whether it closed properly.
    pub(in super::super) fn end(&mut self, finished: [bool; 2], dialog: &mut Dialog, out: &mut Output) {
        for side in [0, 1] {
            self.release(side, dialog, out);
        }
        for (side, finished) in [0, 1].into_iter().zip(finished) {
            if finished {
                let (direction, matching) = self.split(side);
                direction.fin(&mut Context {
                    matching,
                    dialog,
                    out,
                    lagging: false,
                });
            }
        }
        self.matching.end(dialog, out);
    }

    /// Which side asks.
    pub(in super::super) fn client(&self) -> Option<usize> {
        self.matching.client
    }

    /// Whether there was any HTTP.
    pub(in super::super) fn recognised(&self) -> bool {
        self.matching.recognised
    }

    /// Bytes that wait.
    pub(in super::super) fn buffered(&self) -> usize {
        self.directions
            .iter()
            .map(|direction| direction.inbox.capacity())
            .sum()
    }
}
