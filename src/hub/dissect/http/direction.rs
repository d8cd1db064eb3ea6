//! One direction of an HTTP connection: finds messages in a stream.

use super::super::inbox::{Inbox, Input};
use super::super::output::{Dialog, Output};
use super::body::{Framing, Progress};
use super::head::{self, Look, Parsed};
use super::matching::{Matching, Switch};
use crate::hub::entry::Body;

/// What a direction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Requests,
    Responses,
}

/// Where in its stream a direction is.
#[derive(Debug, Default)]
pub(super) enum State {
    /// Not in step: a message may begin with the next packet.
    #[default]
    Seek,
    /// Right after a message.
    Start,
    Body {
        framing: Framing,
        owner: Owner,
    },
    /// Not HTTP any more.
    Opaque,
}

/// Whose body is read.
#[derive(Debug)]
pub(super) enum Owner {
    /// That of the exchange that [`Matching`] is at.
    Exchange,
    /// That of a response whose request was not captured.
    Nobody(Body),
}

/// Parses one direction.
#[derive(Debug, Default)]
pub(super) struct Direction {
    pub(super) side: usize,
    pub(super) role: Option<Role>,
    pub(super) state: State,
    pub(super) inbox: Inbox,
    /// Bytes at the beginning of the inbox that hold no end of a head.
    scanned: usize,
    /// Bytes at the beginning of the inbox that hold no end of a line.
    scanned_for_line: usize,
    /// A response waits since bytes of the other direction, perhaps its request, are known to be missing.
    pub(super) stalled: bool,
    /// Packets of the connection since then.
    pub(super) stalled_packets: u32,
    /// Messages may have been lost since the last one that was read.
    pub(super) lost: bool,
}

/// What the other parts of the dissection are to a direction while it reads.
pub(super) struct Context<'a> {
    pub(super) matching: &'a mut Matching,
    pub(super) dialog: &'a mut Dialog,
    pub(super) out: &'a mut Output,
    /// Bytes of the other direction are known to be missing, and may yet come.
    pub(super) lagging: bool,
}

/// Whether reading goes on at another place or needs more data.
enum Step {
    To(usize),
    Wait,
}

impl Direction {
    pub(super) fn new(side: usize) -> Self {
        Self {
            side,
            ..Self::default()
        }
    }

    /// Reads what the inbox holds.
    pub(super) fn drain(&mut self, context: &mut Context<'_>) {
        let mut inbox = std::mem::take(&mut self.inbox);
        let used = self.read(inbox.input(), context);
        inbox.consume(used);
        self.inbox = inbox;
    }

    /// Reads as far as possible; the number of bytes that need not be shown again.
    pub(super) fn read(&mut self, input: Input<'_>, context: &mut Context<'_>) -> usize {
        let mut at = 0;
        self.stalled = false;
        while at < input.data.len() {
            let step = match self.state {
                State::Opaque => return input.data.len(),
                State::Body { .. } => self.body(input, at, context),
                State::Seek | State::Start => self.start(input, at, context),
            };
            match step {
                Step::To(next) => at = next,
                Step::Wait => break,
            }
        }
        at
    }

    fn start(&mut self, input: Input<'_>, at: usize, context: &mut Context<'_>) -> Step {
        let data = input.from(at);
        // empty lines in front of a message are to be ignored (RFC 9112, 2.2)
        if data.first().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            return Step::To(at + 1);
        }
        let found = match (head::look(data, self.scanned_for_line), self.role) {
            (Look::Request, Some(Role::Responses)) | (Look::Response, Some(Role::Requests)) => Look::Nothing,
            (found, _) => found,
        };
        self.scanned_for_line = 0;
        match found {
            Look::Nothing => self.nothing(input, at),
            Look::Proxy(length) => {
                self.scanned = 0;
                Step::To(at + length)
            }
            Look::Unsure if data.len() >= context.out.limits.head_bytes => self.nothing(input, at),
            Look::Unsure => {
                self.scanned_for_line = data.len();
                Step::Wait
            }
            Look::Request => self.request(input, at, context),
            Look::Response => self.response(input, at, context),
        }
    }

    /// No message begins here: perhaps one begins with the next packet.
    fn nothing(&mut self, input: Input<'_>, at: usize) -> Step {
        self.lost |= matches!(self.state, State::Start) && self.role.is_some();
        self.state = State::Seek;
        self.scanned = 0;
        Step::To(input.packet_end(at).max(at + 1))
    }

    /// Whether the head at the beginning of `data` is not complete yet, remembering how far it was looked at.
    fn incomplete_head(&mut self, data: &[u8]) -> bool {
        // the first look is the parser's own
        if self.scanned == 0 || head::head_end(data, self.scanned).is_some() {
            return false;
        }
        self.scanned = data.len();
        true
    }

    fn partial_head(&mut self, input: Input<'_>, at: usize, context: &Context<'_>) -> Step {
        let length = input.data.len() - at;
        if length >= context.out.limits.head_bytes {
            return self.nothing(input, at);
        }
        self.scanned = length;
        Step::Wait
    }

    fn request(&mut self, input: Input<'_>, at: usize, context: &mut Context<'_>) -> Step {
        let data = input.from(at);
        if self.incomplete_head(data) {
            return self.partial_head(input, at, context);
        }
        match head::parse_request(data, context.out.limits.headers) {
            Parsed::Nothing => self.nothing(input, at),
            Parsed::Partial => self.partial_head(input, at, context),
            Parsed::Head(head, length) => {
                (self.scanned, self.role, self.lost) = (0, Some(Role::Requests), false);
                let framing = head.framing.clone();
                context
                    .matching
                    .ask(self.side, head, input.ts_at(at), input.seq_at(at));
                context.matching.limit_waiting(context.dialog, context.out);
                self.begin_body(framing, Owner::Exchange, context);
                Step::To(at + length)
            }
        }
    }

    fn response(&mut self, input: Input<'_>, at: usize, context: &mut Context<'_>) -> Step {
        let (data, ts_us) = (input.from(at), input.ts_at(at));
        if context.lagging && !context.matching.is_asked(ts_us) {
            self.stalled = true;
            return Step::Wait;
        }
        if self.incomplete_head(data) {
            return self.partial_head(input, at, context);
        }
        match head::parse_response(data, context.out.limits.headers) {
            Parsed::Nothing => self.nothing(input, at),
            Parsed::Partial => self.partial_head(input, at, context),
            Parsed::Head(head, length) => {
                (self.scanned, self.role) = (0, Some(Role::Responses));
                context.matching.recognised = true;
                self.state = State::Start;
                let next = at + length;
                if matches!(head.status, 100 | 102..=199) {
                    return Step::To(next);
                }
                if std::mem::take(&mut self.lost) {
                    context.matching.catch_up(ts_us, context.dialog, context.out);
                }
                let end_us = input.ts_at(next - 1);
                let answered = context.matching.answer(self.side, head, ts_us, end_us);
                context.out.stats.http_orphans += u64::from(answered.orphan);
                match answered.switch {
                    Some(Switch::Opaque) => self.state = State::Opaque,
                    Some(Switch::Tunnel) => (self.state, self.role) = (State::Seek, None),
                    None => {
                        let owner = if answered.orphan {
                            Owner::Nobody(Body::default())
                        } else {
                            Owner::Exchange
                        };
                        self.begin_body(answered.framing, owner, context);
                        return Step::To(next);
                    }
                }
                context
                    .matching
                    .finish_response(true, context.dialog, context.out);
                Step::To(next)
            }
        }
    }

    fn begin_body(&mut self, framing: Framing, owner: Owner, context: &mut Context<'_>) {
        if framing.is_empty() {
            self.finish(&owner, true, context);
        } else {
            self.state = State::Body { framing, owner };
        }
    }

    /// The end of a message, `whole` or not.
    fn finish(&mut self, owner: &Owner, whole: bool, context: &mut Context<'_>) {
        self.state = State::Start;
        match (owner, self.role) {
            (Owner::Nobody(_), _) | (_, None) => {}
            (Owner::Exchange, Some(Role::Requests)) => {
                context
                    .matching
                    .finish_request(whole, context.dialog, context.out);
            }
            (Owner::Exchange, Some(Role::Responses)) => {
                context
                    .matching
                    .finish_response(whole, context.dialog, context.out);
            }
        }
    }

    fn body(&mut self, input: Input<'_>, at: usize, context: &mut Context<'_>) -> Step {
        let State::Body {
            mut framing,
            mut owner,
        } = std::mem::take(&mut self.state)
        else {
            return Step::Wait;
        };
        let data = input.from(at);
        // nobody knows whether this was the answer to HEAD: do not take the next message for its body
        if matches!(owner, Owner::Nobody(_))
            && input.begins_packet(at)
            && head::look(data, 0) == Look::Response
        {
            self.state = State::Start;
            return Step::To(at);
        }
        // refused before it was sent (`Expect: 100-continue`): the client may go on with another request
        if self.role == Some(Role::Requests)
            && input.begins_packet(at)
            && context.matching.is_answered_early()
            && head::look(data, 0) == Look::Request
        {
            self.finish(&owner, false, context);
            return Step::To(at);
        }
        let limit = context.out.limits.body_kept;
        let progress = {
            let body = match &mut owner {
                Owner::Nobody(body) => Some(body),
                Owner::Exchange => context.matching.body(self.role),
            };
            match body {
                Some(body) => framing.feed(data, body, limit),
                None => framing.feed(data, &mut Body::default(), 0),
            }
        };
        let used = match progress {
            Progress::More => data.len(),
            Progress::Done(used) | Progress::Broken(used) => used,
        };
        if used > 0 && matches!(owner, Owner::Exchange) {
            context.matching.saw(self.role, input.ts_at(at + used - 1));
        }
        match progress {
            Progress::More => self.state = State::Body { framing, owner },
            Progress::Done(_) => self.finish(&owner, true, context),
            Progress::Broken(_) => {
                self.finish(&owner, false, context);
                self.lost = true;
            }
        }
        Step::To(at + used)
    }

    /// Bytes are missing.
    pub(super) fn gap(&mut self, length: u64, context: &mut Context<'_>) {
        // the beginning of a head without its end is of no use
        self.inbox = Inbox::default();
        (self.scanned, self.scanned_for_line) = (0, 0);
        match std::mem::take(&mut self.state) {
            State::Opaque => self.state = State::Opaque,
            State::Seek | State::Start => self.lost = true,
            State::Body {
                mut framing,
                mut owner,
            } => {
                let bridged = {
                    let body = match &mut owner {
                        Owner::Nobody(body) => Some(body),
                        Owner::Exchange => context.matching.body(self.role),
                    };
                    framing.skip(length, body.unwrap_or(&mut Body::default()))
                };
                if let Owner::Exchange = owner {
                    context.matching.damaged(self.role);
                }
                if bridged && framing.is_empty() {
                    self.finish(&owner, false, context);
                } else if bridged {
                    self.state = State::Body { framing, owner };
                } else {
                    self.finish(&owner, false, context);
                    (self.state, self.lost) = (State::Seek, true);
                }
            }
        }
    }

    /// The sender has closed: whether a body that lasted until then is complete.
    pub(super) fn fin(&mut self, context: &mut Context<'_>) {
        if let State::Body { framing, owner } = std::mem::take(&mut self.state) {
            self.finish(&owner, framing == Framing::UntilClose, context);
            self.state = State::Seek;
        } else if !matches!(self.state, State::Opaque) {
            self.state = State::Seek;
        }
    }
}
