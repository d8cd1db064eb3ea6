//! Statistics first: every edge of the service graph before and during the window.
//!
//! The turns: the server's own statistics; broad lists with their totals; where all requests are more
//! than one list shows, a list of each busy service and of several quiet ones together, the last of
//! them of everybody else; where even that was cut, counting queries an edge. Lookups and connections
//! are many and mostly fine: of them only the failing ones are listed, and the edges that those show
//! are counted. Before anything is counted by `total` it is proven that this is a count; where it is
//! not, rows are.

mod asks;
mod count;
mod take;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{answers, narrow::Narrow, stopped, weigh::Weigh};
use crate::{
    analysis::{EdgeKey, Layer, Naming, Party, compare, onset_apart},
    investigation::{
        action::Action,
        case::Case,
        machine::{Plan, Seen, State, Step},
    },
    query::Counting,
    time::{Utc, Window},
    wire::{Operation, Scope, decode::CallList},
};
use count::Counts;

#[derive(Clone, Debug)]
pub struct Survey {
    stage: Stage,
    /// What is still to be asked in this stage, a query each.
    queue: Vec<Ask>,
    /// The counts of the last stage.
    counts: Counts,
    known: Box<Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Statistics,
    Broad,
    Services,
    /// Whether the server's `total` is a count.
    Proof,
    Edges,
}

/// One question of the survey, and where its answer belongs.
#[derive(Clone, Debug, PartialEq)]
struct Ask {
    about: About,
    /// In the window; otherwise in the time before it.
    during: bool,
    operation: Operation,
}

#[derive(Clone, Debug, PartialEq)]
enum About {
    Statistics,
    /// A list of a whole layer.
    Layer(Layer),
    /// The failing calls of a layer.
    FailingOf(Layer),
    /// A list of the calls to some services, or to all others.
    Services(Layer, Whose),
    /// As many as a complete list showed, where `total` is a count.
    Proof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Failing,
}

/// Whose calls a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    /// Everybody's.
    All,
    /// Those to services of these names.
    To(BTreeSet<String>),
    /// Those to anything else.
    ToOthers(BTreeSet<String>),
}

impl Whose {
    fn holds(&self, party: &Party) -> bool {
        let named = |names: &BTreeSet<String>| party.naming == Naming::Service && names.contains(&party.name);
        match self {
            Self::All => true,
            Self::To(names) => named(names),
            Self::ToOthers(names) => !named(names),
        }
    }
}

impl std::fmt::Display for Whose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::All => f.write_str("anybody"),
            Self::To(names) => f.write_str(&list(names)),
            Self::ToOthers(names) if names.is_empty() => f.write_str("anybody"),
            Self::ToOthers(names) => write!(f, "anybody but {}", list(names)),
        }
    }
}

/// What complete lists have settled: an edge that they do not show had no such call.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Lists of all calls that were not cut: layer, whose, during.
    lists: Vec<(Layer, Whose, bool)>,
    /// Lists of several services' calls that were cut: they are listed one by one.
    cut: Vec<(Layer, Whose, bool)>,
    /// Requests to each service by its name, as far as statistics or a list told: only to put services of few
    /// requests together, never to count.
    sizes: BTreeMap<bool, BTreeMap<String, u64>>,
    /// Lists of failing calls that were not cut.
    failing: Vec<(Layer, bool)>,
    /// When calls of an edge failed hard, from lists that were not cut.
    failures: BTreeMap<EdgeKey, Vec<Utc>>,
    /// A list that was not cut, the shortest one with at least two rows, and what it is a list of.
    sample: Option<(Scope, CallList)>,
    /// What the sample proved of the server's numbers.
    counting: Counting,
    /// Failing calls of an edge, from those lists.
    counts: BTreeMap<(EdgeKey, bool), u64>,
}

impl Known {
    /// Whether a complete list showed all calls of a layer.
    fn whole(&self, layer: Layer, during: bool) -> bool {
        self.lists.contains(&(layer, Whose::All, during))
    }

    /// Requests in all, as far as statistics told.
    fn size(&self, during: bool) -> Option<u64> {
        Some(self.sizes.get(&during)?.values().sum())
    }

    /// The number of failing calls of an edge, where a complete list told it.
    fn failing(&self, key: &EdgeKey, during: bool) -> Option<u64> {
        let complete = self.failing.contains(&(key.layer, during));
        complete.then(|| self.counts.get(&(key.clone(), during)).copied().unwrap_or(0))
    }
}

/// Less than this before the window shows too few calls to compare with.
const SHORTEST_BASELINE: TimeDelta = TimeDelta::seconds(10);

/// Queries put into one action: enough to keep several connections busy, few enough to show progress.
const BATCH: usize = 8;

impl Survey {
    pub fn new(case: &Case) -> Self {
        let queue = asks::statistics(case);
        Self {
            stage: Stage::Statistics,
            queue,
            counts: Counts::default(),
            known: Box::default(),
        }
    }
}

/// The time before the window that the snapshot holds.
pub(super) fn baseline(case: &Case) -> Option<Window> {
    let (window, secured) = (case.window?, case.snapshot.as_ref()?);
    let before = Window {
        start: secured.window.start,
        end: window.start,
    };
    (before.start < before.end).then_some(before)
}

impl Step for Survey {
    fn plan(&self, _: &Case) -> Plan {
        let mut calls: Vec<Operation> = self
            .queue
            .iter()
            .take(BATCH)
            .map(|ask| ask.operation.clone())
            .collect();
        if self.stage == Stage::Edges {
            calls = self.counts.asks();
        }
        if calls.is_empty() {
            return Plan::Decide;
        }
        let why = match self.stage {
            Stage::Statistics => "the overall picture",
            Stage::Broad => "who calls whom, and what fails",
            Stage::Services => "each service before and during the window",
            Stage::Proof => "whether the server counts every match",
            Stage::Edges => "exact counts where a list was cut",
        };
        Plan::Act(Action::Query {
            why: why.to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let mut next = self.clone();
        if self.stage == Stage::Edges {
            let answers = match answers(seen) {
                Ok(answers) => answers,
                Err(failure) => return stopped("could not survey the window", failure),
            };
            next.counts.take(case, &answers);
            return if next.counts.asks().is_empty() {
                onward(case)
            } else {
                State::Survey(next)
            };
        }
        if !self.queue.is_empty() {
            let answers = match answers(seen) {
                Ok(answers) => answers,
                Err(failure) => return stopped("could not survey the window", failure),
            };
            let asked: Vec<Ask> = next.queue.drain(..next.queue.len().min(BATCH)).collect();
            for (ask, answer) in asked.iter().zip(&answers) {
                take::take(case, &mut next.known, ask, answer);
            }
            let cut = std::mem::take(&mut next.known.cut);
            next.queue.extend(asks::one_by_one(case, &cut));
            next.queue.retain(|ask| !case.has_asked(&ask.operation));
        }
        if next.queue.is_empty() {
            next.advance(case)
        } else {
            State::Survey(next)
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        for ask in &self.queue {
            if let About::Services(_, whose) = &ask.about {
                let missing = format!("the calls to {whose} were not listed: {why}");
                if !case.coverage.not_seen.contains(&missing) {
                    case.coverage.not_seen.push(missing);
                }
            }
        }
        case.coverage.cut_short = true;
        case.coverage
            .truncated
            .push(format!("the survey ended early: {why}"));
        State::Weigh(Weigh::new())
    }
}

impl Survey {
    /// Fills the next stage's queue; stages without questions are passed over.
    fn advance(mut self, case: &mut Case) -> State {
        self.settle_known(case);
        if self.stage == Stage::Broad
            && let Some(onset) = self.onset_apart(case)
        {
            case.compare_from(onset);
            return State::Survey(Self::new(case));
        }
        loop {
            self.stage = match self.stage {
                Stage::Statistics => {
                    case.surveyed = true;
                    Stage::Broad
                }
                Stage::Broad => Stage::Services,
                Stage::Services => Stage::Proof,
                Stage::Proof => Stage::Edges,
                Stage::Edges => return onward(case),
            };
            if self.stage == Stage::Edges {
                self.counts = Counts::new(case, &self.known);
                if !self.counts.asks().is_empty() {
                    return State::Survey(self);
                }
                continue;
            }
            self.queue = match self.stage {
                Stage::Statistics | Stage::Edges => Vec::new(),
                Stage::Broad => asks::broad(case, &self.known),
                Stage::Services => asks::services(case, &self.known),
                Stage::Proof => asks::proof(case, &self.known),
            };
            self.queue.retain(|ask| !case.has_asked(&ask.operation));
            if !self.queue.is_empty() {
                return State::Survey(self);
            }
        }
    }

    /// When the failures began, where the time before the window cannot tell. Asked once.
    fn onset_apart(&self, case: &Case) -> Option<Utc> {
        let (window, secured) = (case.window?, case.snapshot.as_ref()?);
        if case.compared_apart {
            return None;
        }
        let start = secured.window.start;
        let baseline = window.start - start >= SHORTEST_BASELINE;
        let onsets = self.known.failures.values().filter_map(|times| {
            let mut times = times.clone();
            times.sort();
            onset_apart(&times, start, &window, baseline)
        });
        onsets.min()
    }

    /// Counts are exact on every edge that a list showed whole, also where it showed no call at all.
    fn settle_known(&self, case: &mut Case) {
        let no_baseline = baseline(case).is_none();
        for (key, edge) in &mut case.picture.edges {
            for during in [true, false] {
                let tally = if during {
                    &mut edge.during
                } else {
                    &mut edge.before
                };
                let listed = |(layer, whose, of): &(Layer, Whose, bool)| {
                    *layer == key.layer && *of == during && whose.holds(&key.to)
                };
                if self.known.lists.iter().any(listed) || (!during && no_baseline) {
                    tally.exact = true;
                } else if let (false, Some(failing)) = (tally.exact, self.known.failing(key, during)) {
                    tally.failing = failing;
                }
            }
        }
    }
}

fn onward(case: &mut Case) -> State {
    let rules = &case.settings.playbook.survey.abnormal;
    let abnormal = case
        .picture
        .edges
        .values()
        .any(|edge| compare(&edge.before, &edge.during, rules).is_abnormal());
    if abnormal {
        State::Narrow(Narrow::new(case))
    } else {
        State::Weigh(Weigh::new())
    }
}
