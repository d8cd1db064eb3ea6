//! Counts calls, where that is all that was asked: the snapshot is secured and dissected as for an investigation,
//! then a plan is carried out instead of one.

use chrono::TimeDelta;

use super::{answers, malformed, stopped};
use crate::{
    investigation::{
        action::{Action, Answer, Failure},
        case::Case,
        machine::{Plan as Proposed, Seen, State, Step},
        settings::CountOrder,
    },
    kfl::{self, Filter},
    query::{Budget, Counting, Counts, Histogram, Plan, Question, Reply, Target},
    time::Clock,
    wire::Operation,
};

/// What a control may take: to know that there were calls at all is worth a few queries.
const CONTROL: Budget = Budget {
    calls: 12,
    bytes: 1 << 20,
};

/// Carries out a plan, turn by turn.
#[derive(Clone, Debug)]
pub struct Count {
    plan: Box<Histogram>,
    /// What came of the plan's questions of this turn so far.
    replies: Vec<Option<Reply>>,
    /// Answers that may be wanted again: nothing is asked twice.
    known: Vec<(Operation, Reply)>,
    /// Where nothing matched: the filter before, and its count.
    control: Option<Control>,
    /// Nothing is asked: only the plan is wanted.
    shown_only: bool,
    /// Whether "nothing matches" is to be held against a control.
    controlled: bool,
}

/// The positive control of "nothing matches".
#[derive(Clone, Debug)]
struct Control {
    filter: Filter,
    plan: Box<Histogram>,
}

/// What was counted; or, with nothing asked, how it would be.
#[derive(Clone, Debug)]
pub struct Counted {
    plan: Box<Histogram>,
    control: Option<Control>,
}

impl Counted {
    pub fn counts(&self) -> Counts {
        self.plan.counts()
    }

    /// How the server's numbers were found to count.
    pub fn counting(&self) -> Counting {
        self.plan.counting()
    }

    /// The plan, a line each: what was found out, and what would be asked next and why.
    pub fn explain(&self, clock: &Clock) -> Vec<String> {
        self.plan.explain(clock)
    }

    /// Where nothing matches: the filter without as many terms as it takes to match something, those about outcomes first, and
    /// how many calls match that.
    pub fn control(&self) -> Option<(String, Counts)> {
        let control = self.control.as_ref()?;
        Some((control.filter.to_string(), control.plan.counts()))
    }
}

/// From the case to the counting, or to why there is none.
pub(super) fn begin(case: &mut Case) -> State {
    let Some(order) = case.settings.task.count().cloned() else {
        return stopped("could not count", malformed("nothing was to be counted"));
    };
    counting(case, &order, true)
}

/// The same for an order of another task. Where nothing matches, a control follows if it is to be `controlled`.
pub(super) fn counting(case: &mut Case, order: &CountOrder, controlled: bool) -> State {
    let checked = match kfl::check(&order.filter) {
        Ok(checked) => checked,
        Err(found) => {
            let said: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
            return stopped(
                "could not count",
                malformed(&format!("the filter does not check: {}", said.join("; "))),
            );
        }
    };
    let statistics = case.supported.contains("api_stats");
    // Where there are no statistics, there is nothing to ask before a list.
    case.surveyed |= !statistics;
    let question = Question {
        target: target(case, statistics),
        filter: Filter::from(&checked),
        window: case.window.unwrap_or(case.when.window),
    };
    let mut count = Count {
        plan: Box::new(planned(&question, order)),
        replies: Vec::new(),
        known: Vec::new(),
        control: None,
        shown_only: order.explain,
        controlled,
    };
    count.turn(case);
    State::Count(count)
}

/// The snapshot of the case; live traffic where there is none.
pub(super) fn target(case: &Case, statistics: bool) -> Target {
    Target {
        snapshot: case.snapshot.as_ref().map(|secured| secured.reference.clone()),
        dissection: case.dissected.clone().flatten(),
        statistics,
    }
}

fn planned(question: &Question, order: &CountOrder) -> Histogram {
    let width = match order.every_ms {
        Some(millis) => TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX / 1000)),
        None => question.window.length(),
    };
    let budget = Budget {
        calls: order.budget_calls,
        bytes: order.budget_bytes,
    };
    Histogram::new(
        question.clone(),
        width,
        order.by.clone(),
        Counting::default(),
        budget,
    )
}

impl Count {
    /// The plan that asks now.
    fn current(&self) -> &Histogram {
        match &self.control {
            Some(control) => &control.plan,
            None => &self.plan,
        }
    }

    /// The questions of this turn that are still to be asked, with their places: statistics before lists.
    fn due(&self, case: &Case) -> Vec<(usize, Operation)> {
        let asks = self.current().asks().into_iter().enumerate();
        let mut due: Vec<(usize, Operation)> = asks
            .filter(|(at, _)| self.replies.get(*at).is_some_and(Option::is_none))
            .collect();
        let is_statistics = |ask: &Operation| matches!(ask, Operation::ApiStats { .. });
        if !case.surveyed && due.iter().any(|(_, ask)| is_statistics(ask)) {
            due.retain(|(_, ask)| is_statistics(ask));
        }
        due
    }

    /// Passes on as long as nothing has to be asked: the plan's next turn, then the control.
    fn turn(&mut self, case: &Case) {
        loop {
            let asks = self.current().asks();
            if asks.is_empty() {
                if self.begin_control(case) {
                    continue;
                }
                return;
            }
            self.replies.resize(asks.len(), None);
            for (ask, reply) in asks.iter().zip(&mut self.replies) {
                let before = self.known.iter().find(|(known, _)| known == ask);
                *reply = reply.take().or_else(|| before.map(|(_, reply)| reply.clone()));
            }
            if self.replies.iter().any(Option::is_none) {
                return;
            }
            let replies = std::mem::take(&mut self.replies).into_iter().flatten().collect();
            match &mut self.control {
                Some(control) => control.plan.take(replies),
                None => self.plan.take(replies),
            }
        }
    }

    /// Where nothing was found: begins to count with one term less. Says whether it did.
    fn begin_control(&mut self, case: &Case) -> bool {
        let nothing = self.current().counts().total == Some(0);
        let filter = match &self.control {
            Some(control) => &control.filter,
            None => self.plan.filter(),
        };
        let Some(filter) = filter
            .relaxed()
            .filter(|_| nothing && self.controlled && !self.shown_only)
        else {
            return false;
        };
        let question = Question {
            target: target(case, case.supported.contains("api_stats")),
            filter: filter.clone(),
            window: case.window.unwrap_or(case.when.window),
        };
        let plan = Box::new(Histogram::count(question, self.current().counting(), CONTROL));
        self.control = Some(Control { filter, plan });
        self.replies.clear();
        true
    }

    fn take(&mut self, case: &mut Case, replies: impl Iterator<Item = (usize, Operation, Reply)>) {
        for (at, ask, reply) in replies {
            case.surveyed |= matches!(ask, Operation::ApiStats { .. });
            // Lists are long, and none is asked for again.
            if reply.told.is_ok() && !matches!(ask, Operation::ListCalls { .. }) {
                self.known.push((ask, reply.clone()));
            }
            if let Some(place) = self.replies.get_mut(at) {
                *place = Some(reply);
            }
        }
        self.turn(case);
    }
}

impl Step for Count {
    fn plan(&self, case: &Case) -> Proposed {
        let calls: Vec<Operation> = self.due(case).into_iter().map(|(_, ask)| ask).collect();
        if self.shown_only || calls.is_empty() {
            return Proposed::Decide;
        }
        let why = match &self.control {
            None => "how many there are".to_owned(),
            Some(control) if control.filter.terms().is_empty() => "is there any traffic at all?".to_owned(),
            Some(control) => format!("does `{}` match anything?", control.filter),
        };
        Proposed::Act(Action::Query { why, calls })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let due = self.due(case);
        if self.shown_only || due.is_empty() {
            return State::Counted(Box::new(Counted {
                plan: self.plan.clone(),
                control: self.control.clone(),
            }));
        }
        let answers = match answers(seen) {
            Ok(answers) => answers,
            Err(failure) => return stopped("could not count", failure),
        };
        let mut next = self.clone();
        let mut answers = answers.into_iter();
        let replies = due.into_iter().map(|(at, ask)| {
            let reply = match answers.next() {
                Some(answer) => reply(&ask, &answer),
                None => Reply::failed("there was no answer"),
            };
            (at, ask, reply)
        });
        next.take(case, replies);
        State::Count(next)
    }

    /// What is not asked is a gap; the plan goes on with what is left.
    fn refused(&self, case: &mut Case, why: &str) -> State {
        let mut next = self.clone();
        let refused = self.due(case).into_iter();
        let replies = refused.map(|(at, ask)| (at, ask, Reply::failed(why)));
        next.take(case, replies);
        State::Count(next)
    }
}

fn reply(ask: &Operation, answer: &Answer) -> Reply {
    match answer.value() {
        Ok(value) => Reply::read(ask, value, answer.bytes),
        Err(Failure { message, .. }) => Reply::failed(message.clone()),
    }
}
