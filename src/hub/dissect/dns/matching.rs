//! Queries with their responses.

use std::collections::VecDeque;

use super::super::output::{Dialog, Output, Timing};
use super::message::Message;
use crate::hub::entry::{DnsCall, Payload};

/// A message as it was captured.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Captured<'a> {
    pub(super) data: &'a [u8],
    /// When its first and its last byte were captured, Unix µs.
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    /// Sequence number of its first byte; 0 over UDP.
    pub(super) seq: u32,
    pub(super) tcp: bool,
}

#[derive(Debug)]
struct Query {
    side: usize,
    ts_us: i64,
    seq: u32,
    call: Box<DnsCall>,
}

/// Queries of one conversation that wait for an answer, oldest first.
#[derive(Debug, Default)]
pub(in super::super) struct Queries {
    waiting: VecDeque<Query>,
    client: Option<usize>,
}

impl Queries {
    /// Adds a datagram that `side` sent. Whether it was DNS.
    pub(in super::super) fn datagram(
        &mut self,
        side: usize,
        data: &[u8],
        ts_us: i64,
        dialog: &mut Dialog,
        out: &mut Output,
    ) -> bool {
        let captured = Captured {
            data,
            first_us: ts_us,
            last_us: ts_us,
            seq: 0,
            tcp: false,
        };
        self.message(side, captured, dialog, out)
    }

    /// Adds a message that `side` sent. Whether it was DNS.
    pub(super) fn message(
        &mut self,
        side: usize,
        captured: Captured<'_>,
        dialog: &mut Dialog,
        out: &mut Output,
    ) -> bool {
        let Some(message) = Message::parse(captured.data) else {
            return false;
        };
        let bytes = u32::try_from(captured.data.len()).unwrap_or(u32::MAX);
        if message.response {
            self.client.get_or_insert(1 - side);
            self.response(side, message, bytes, captured.last_us, dialog, out);
        } else {
            self.client.get_or_insert(side);
            self.query(side, message, bytes, captured, dialog, out);
        }
        true
    }

    fn query(
        &mut self,
        side: usize,
        message: Message,
        bytes: u32,
        captured: Captured<'_>,
        dialog: &mut Dialog,
        out: &mut Output,
    ) {
        self.expire(captured.first_us, dialog, out);
        let repeated = self.waiting.iter().any(|query| {
            query.side == side && query.call.id == message.id && query.call.questions == message.questions
        });
        if repeated {
            return;
        }
        if self.waiting.len() >= out.limits.waiting
            && let Some(oldest) = self.waiting.pop_front()
        {
            unanswered(oldest, dialog, out);
        }
        let call = DnsCall {
            id: message.id,
            tcp: captured.tcp,
            questions: message.questions,
            request_bytes: bytes,
            ..DnsCall::default()
        };
        let (ts_us, seq) = (captured.first_us, captured.seq);
        self.waiting.push_back(Query {
            side,
            ts_us,
            seq,
            call: Box::new(call),
        });
    }

    fn response(
        &mut self,
        side: usize,
        message: Message,
        bytes: u32,
        ts_us: i64,
        dialog: &mut Dialog,
        out: &mut Output,
    ) {
        // an error may come without the question
        let at = self.waiting.iter().position(|query| {
            query.side != side
                && query.call.id == message.id
                && (message.questions.is_empty() || same_questions(&query.call.questions, &message.questions))
        });
        let Some(Query {
            side,
            ts_us: asked_us,
            seq,
            mut call,
        }) = at.and_then(|at| self.waiting.remove(at))
        else {
            out.stats.dns_orphans += 1;
            return;
        };
        call.answers = message.answers;
        call.rcode = Some(message.rcode);
        call.response_bytes = bytes;
        let elapsed_us = Some((ts_us - asked_us).max(0));
        let timing = Timing {
            ts_us: asked_us,
            elapsed_us,
            request_seq: seq,
        };
        dialog.emit(side, timing, Payload::Dns(call), out);
    }

    /// Gives up queries that wait too long.
    pub(in super::super) fn expire(&mut self, now_us: i64, dialog: &mut Dialog, out: &mut Output) {
        while let Some(query) = self
            .waiting
            .pop_front_if(|query| now_us.saturating_sub(query.ts_us) > out.limits.dns_wait_us)
        {
            unanswered(query, dialog, out);
        }
    }

    /// The conversation is over.
    pub(in super::super) fn end(&mut self, dialog: &mut Dialog, out: &mut Output) {
        while let Some(query) = self.waiting.pop_front() {
            unanswered(query, dialog, out);
        }
    }

    /// Which side asks.
    pub(super) fn client(&self) -> Option<usize> {
        self.client
    }
}

/// Names compare without case: resolvers vary it to make answers hard to forge, and servers may not
/// give it back as it was.
fn same_questions(asked: &[(String, String)], answered: &[(String, String)]) -> bool {
    asked.len() == answered.len()
        && asked
            .iter()
            .zip(answered)
            .all(|(one, other)| one.1 == other.1 && one.0.eq_ignore_ascii_case(&other.0))
}

fn unanswered(query: Query, dialog: &mut Dialog, out: &mut Output) {
    let Query {
        side,
        ts_us,
        seq,
        call,
    } = query;
    dialog.emit(
        side,
        Timing {
            ts_us,
            elapsed_us: None,
            request_seq: seq,
        },
        Payload::Dns(call),
        out,
    );
}
