//! Requests with their responses.

use std::collections::VecDeque;

use super::super::inbox::{Chunk, Inbox, Input};
use super::super::output::{Dialog, Output, Timing};
use super::body::Framing;
use super::direction::{Context, Direction, Role, State};
use super::head::{RequestHead, ResponseHead};
use crate::hub::entry::{Body, HttpCall, Payload};

/// What a response turns the connection into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    /// Another protocol (101).
    Opaque,
    /// A tunnel, in which there may be HTTP again (2xx to CONNECT).
    Tunnel,
}

/// What became of a response's head.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) framing: Framing,
    pub(super) switch: Option<Switch>,
    /// Its request was not captured.
    pub(super) orphan: bool,
}

/// A request, and what has come of its response.
#[derive(Debug)]
struct Exchange {
    side: usize,
    call: Box<HttpCall>,
    ts_us: i64,
    seq: u32,
    /// The request has ended.
    asked: bool,
    /// The response has ended.
    answered: bool,
    /// When the last byte of the response came, Unix µs.
    answer_us: Option<i64>,
    whole: bool,
}

/// Requests that wait for their responses, in order.
#[derive(Debug, Default)]
pub(super) struct Matching {
    waiting: VecDeque<Exchange>,
    pub(super) recognised: bool,
    client: Option<usize>,
    switch: Option<Switch>,
}

impl Matching {
    /// Adds a request whose head was captured from `ts_us` on.
    pub(super) fn ask(&mut self, side: usize, head: RequestHead, (ts_us, _): (i64, i64), seq: u32) {
        self.recognised = true;
        self.client.get_or_insert(side);
        let RequestHead {
            method,
            target,
            version,
            headers,
            ..
        } = head;
        let call = HttpCall {
            version,
            method,
            target,
            request_headers: headers,
            ..HttpCall::default()
        };
        self.waiting.push_back(Exchange {
            side,
            call: Box::new(call),
            ts_us,
            seq,
            asked: false,
            answered: false,
            answer_us: None,
            whole: true,
        });
    }

    /// Whether a request waits that a response of `ts_us` may answer.
    pub(super) fn is_asked(&self, ts_us: i64) -> bool {
        self.waiting
            .iter()
            .find(|exchange| !exchange.answered)
            .is_some_and(|exchange| exchange.ts_us <= ts_us)
    }

    /// Gives the oldest request up where too many wait.
    pub(super) fn limit_waiting(&mut self, dialog: &mut Dialog, out: &mut Output) {
        if self.waiting.len() > out.limits.waiting
            && let Some(at) = self.waiting.iter().position(|exchange| exchange.call.status == 0)
            && let Some(exchange) = self.waiting.remove(at)
        {
            emit(exchange, dialog, out);
        }
    }

    /// Responses were lost: requests before the last one that was sent by `ts_us` got theirs in the gap,
    /// since without pipelining a client asks again only when it has been answered.
    pub(super) fn catch_up(&mut self, ts_us: i64, dialog: &mut Dialog, out: &mut Output) {
        while self.waiting.get(1).is_some_and(|next| next.ts_us <= ts_us)
            && let Some(exchange) = self.waiting.pop_front()
        {
            emit(exchange, dialog, out);
        }
    }

    /// Takes the head of a final response.
    pub(super) fn answer(&mut self, side: usize, head: ResponseHead, ts_us: i64, end_us: i64) -> Answered {
        let open = self.waiting.iter_mut().find(|exchange| !exchange.answered);
        let Some(exchange) = open.filter(|open| open.ts_us <= ts_us && open.side != side) else {
            return Answered {
                framing: head.framing(None),
                switch: None,
                orphan: true,
            };
        };
        let method = exchange.call.method.as_str();
        let switch = match head.status {
            101 => Some(Switch::Opaque),
            200..300 if method == "CONNECT" => Some(Switch::Tunnel),
            _ => None,
        };
        let framing = head.framing(Some(method));
        let ResponseHead {
            status,
            reason,
            headers,
            ..
        } = head;
        exchange.call.status = status;
        exchange.call.reason = reason;
        exchange.call.response_headers = headers;
        exchange.answer_us = Some(end_us);
        self.switch = switch.or(self.switch);
        Answered {
            framing,
            switch,
            orphan: false,
        }
    }

    /// The exchange whose message a direction is in.
    fn current(&mut self, role: Option<Role>) -> Option<&mut Exchange> {
        match role? {
            Role::Requests => self.waiting.back_mut().filter(|exchange| !exchange.asked),
            Role::Responses => self.waiting.iter_mut().find(|exchange| !exchange.answered),
        }
    }

    /// The body that a direction is in.
    pub(super) fn body(&mut self, role: Option<Role>) -> Option<&mut Body> {
        self.current(role).map(|exchange| match role {
            Some(Role::Responses) => &mut exchange.call.response_body,
            _ => &mut exchange.call.request_body,
        })
    }

    /// Notes when bytes of a response came.
    pub(super) fn saw(&mut self, role: Option<Role>, ts_us: i64) {
        if role == Some(Role::Responses)
            && let Some(exchange) = self.current(role)
        {
            exchange.answer_us = Some(ts_us);
        }
    }

    /// Bytes of the message are missing.
    pub(super) fn damaged(&mut self, role: Option<Role>) {
        if let Some(exchange) = self.current(role) {
            exchange.whole = false;
        }
    }

    pub(super) fn finish_request(&mut self, whole: bool, dialog: &mut Dialog, out: &mut Output) {
        if let Some(exchange) = self.current(Some(Role::Requests)) {
            exchange.asked = true;
            exchange.whole &= whole;
        }
        self.emit_finished(dialog, out);
    }

    pub(super) fn finish_response(&mut self, whole: bool, dialog: &mut Dialog, out: &mut Output) {
        if let Some(exchange) = self.current(Some(Role::Responses)) {
            exchange.answered = true;
            exchange.whole &= whole;
        }
        self.emit_finished(dialog, out);
    }

    fn emit_finished(&mut self, dialog: &mut Dialog, out: &mut Output) {
        while let Some(exchange) = self.waiting.pop_front_if(|first| first.asked && first.answered) {
            emit(exchange, dialog, out);
        }
    }
}

fn emit(exchange: Exchange, dialog: &mut Dialog, out: &mut Output) {
    let Exchange {
        side,
        mut call,
        ts_us,
        seq,
        asked,
        answered,
        answer_us,
        whole,
    } = exchange;
    call.complete = whole && asked && answered;
    let elapsed_us = answer_us.map(|answer| (answer - ts_us).max(0));
    dialog.emit(
        side,
        Timing {
            ts_us,
            elapsed_us,
            request_seq: seq,
        },
        Payload::Http(call),
        out,
    );
}

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
        while let Some(exchange) = self.matching.waiting.pop_front() {
            emit(exchange, dialog, out);
        }
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
