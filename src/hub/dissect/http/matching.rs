//! Requests with their responses, in order.

use std::collections::VecDeque;

use super::super::output::{Dialog, Output, Timing};
use super::body::Framing;
use super::direction::Role;
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
    pub(super) client: Option<usize>,
    pub(super) switch: Option<Switch>,
}

impl Matching {
    /// Adds a request whose head was captured from `ts_us` on.
    pub(super) fn ask(&mut self, side: usize, head: RequestHead, ts_us: i64, seq: u32) {
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

    /// Whether the request that is being sent has its answer already.
    pub(super) fn is_answered_early(&self) -> bool {
        self.waiting
            .back()
            .is_some_and(|exchange| exchange.answered && !exchange.asked)
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

    /// The connection is over: tells what is unfinished.
    pub(super) fn end(&mut self, dialog: &mut Dialog, out: &mut Output) {
        while let Some(exchange) = self.waiting.pop_front() {
            emit(exchange, dialog, out);
        }
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
