//! Statistics first: every edge of the service graph before and during the window.
//!
//! The turns: the server's own statistics; the failing calls of each kind and the first rows; all requests of both
//! stretches, in slices of time that one list each shows whole. Where there are too many for that, a sample: slices
//! spread over the stretch, and services of few calls whole, since a sample would miss them. Lookups and connections
//! are many and mostly fine: of them only the failing ones are listed. Then the edges that failing calls point at
//! are counted where no list showed them whole. Before anything is counted by `total` it is proven that this is a
//! count; where it is not, rows are.

mod asks;
mod count;
mod take;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::{answers, finished, hypothesise::Hypothesise, probe::Probe, stopped};
use crate::{
    analysis::{EdgeKey, Layer, diagnose, incident_in, onset_apart},
    investigation::{
        action::Action,
        case::Case,
        machine::{Phase, Plan, Seen, State, Step},
        outcome::Outcome,
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
    Rows,
    /// What short answers say that succeeded by their status.
    Bodies,
    /// A short list that is known to be complete, where none has been seen yet.
    Sample,
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

/// Entries that are looked at alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Requests,
    Lookups,
    Connections,
}

impl Group {
    const ALL: [Self; 3] = [Self::Requests, Self::Lookups, Self::Connections];

    fn of(layer: Layer) -> Self {
        match layer {
            Layer::Dns => Self::Lookups,
            Layer::Tcp => Self::Connections,
            _ => Self::Requests,
        }
    }

    /// The layers of a group that are worth asking about.
    fn layers(self, case: &Case) -> Vec<Layer> {
        match self {
            Self::Requests if case.layers.is_empty() => Layer::REQUESTS.to_vec(),
            Self::Requests => case.layers.iter().copied().collect(),
            Self::Lookups => vec![Layer::Dns],
            Self::Connections => vec![Layer::Tcp],
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum About {
    Statistics,
    /// The failing calls of a group.
    Failing(Group),
    /// All requests of a slice of a stretch.
    Rows(Window),
    /// All requests to services of few calls.
    Quiet(BTreeSet<String>),
    /// Short answers in full; of a sample of all, or of an edge on which one said that it failed.
    Bodies(Option<EdgeKey>),
    /// A list so short that it is complete.
    Sample,
    /// As many as a complete list showed, where `total` is a count.
    Proof,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    All,
    Failing,
}

/// What the lists have settled.
#[derive(Clone, Debug, Default)]
struct Known {
    /// Requests to each service by its name, as far as statistics or a list told: to find those of few, never to count.
    sizes: BTreeMap<bool, BTreeMap<String, u64>>,
    /// Stretches whose requests are too many to be listed whole.
    sampled: BTreeSet<bool>,
    /// Lists of rows asked for, by stretch.
    lists: BTreeMap<bool, usize>,
    /// Stretches of which a slice could not be listed whole.
    cut: BTreeSet<bool>,
    /// Services whose requests were listed whole all the same.
    quiet: BTreeSet<(String, bool)>,
    /// Lists of failing calls, and whether one of them was cut.
    failing: BTreeMap<(Group, bool), bool>,
    /// When calls of an edge failed hard, from lists that were not cut.
    failures: BTreeMap<EdgeKey, Vec<Utc>>,
    /// A list that was not cut, the shortest one with at least two rows, and what it is a list of.
    sample: Option<(Scope, CallList)>,
    /// What the sample proved of the server's numbers.
    counting: Counting,
    /// Failing calls of an edge, from lists of failing calls.
    counts: BTreeMap<(EdgeKey, bool), u64>,
}

impl Known {
    /// Whether every request of a stretch was listed.
    fn whole(&self, during: bool) -> bool {
        self.lists.contains_key(&during) && !self.sampled.contains(&during) && !self.cut.contains(&during)
    }

    /// What was listed whole was one stretch, and a part of it is now the time before the incident: that was listed whole
    /// as well.
    fn parted(&mut self) {
        self.lists.entry(false).or_default();
        for group in Group::ALL {
            if let Some(cut) = self.failing.get(&(group, true)).copied() {
                self.failing.entry((group, false)).or_insert(cut);
            }
        }
    }

    /// Requests in all, as far as statistics told.
    fn size(&self, during: bool) -> Option<u64> {
        Some(self.sizes.get(&during)?.values().sum())
    }

    /// The number of failing calls of an edge, where a complete list told it.
    fn failing(&self, key: &EdgeKey, during: bool) -> Option<u64> {
        let complete = self.failing.get(&(Group::of(key.layer), during)) == Some(&false);
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

/// The window, or what it is compared with: one part or two.
fn stretch(case: &Case, during: bool) -> Vec<Window> {
    if during {
        case.window.into_iter().collect()
    } else {
        case.baseline()
    }
}

/// The length of a stretch.
fn length(parts: &[Window]) -> TimeDelta {
    parts
        .iter()
        .fold(TimeDelta::zero(), |sum, part| sum + part.length())
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
            Stage::Rows => "the requests before and during the window",
            Stage::Bodies => "what answers say that succeeded by their status",
            Stage::Sample => "a list that is complete, to hold counts against",
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
                let more = take::take(case, &mut next.known, ask, answer);
                next.queue.extend(more);
            }
            next.queue.retain(|ask| !case.has_asked(&ask.operation));
        }
        if next.queue.is_empty() {
            next.advance(case)
        } else {
            State::Survey(next)
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        let mut known = self.known.clone();
        for ask in &self.queue {
            if let About::Rows(_) = &ask.about {
                known.cut.insert(ask.during);
            }
        }
        take::tally(case, &known);
        case.coverage.cut_short = true;
        case.coverage
            .truncated
            .push(format!("the survey ended early: {why}"));
        if case.settings.task.is_measuring() {
            return finished(Outcome::Measured);
        }
        Probe::next(case)
    }
}

impl Survey {
    /// Fills the next stage's queue; stages without questions are passed over.
    fn advance(mut self, case: &mut Case) -> State {
        // Of a sample the failures alone tell when it began.
        if self.stage == Stage::Broad
            && !case.settings.task.is_measuring()
            && [true, false].into_iter().any(|during| {
                self.known
                    .size(during)
                    .is_some_and(|size| size > asks::most(case))
            })
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
                Stage::Broad => Stage::Rows,
                Stage::Rows => Stage::Bodies,
                Stage::Bodies => {
                    take::tally(case, &self.known);
                    if settle_incident(case) {
                        self.known.parted();
                        take::tally(case, &self.known);
                    }
                    Stage::Sample
                }
                Stage::Sample => Stage::Proof,
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
                Stage::Rows => asks::rows(case, &mut self.known),
                Stage::Bodies => asks::bodies(case, &self.known),
                Stage::Sample => asks::sample(case, &self.known),
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
}

/// Narrows the window to the incident in it, where the calls show when it began. Needs every call of both stretches.
fn settle_incident(case: &mut Case) -> bool {
    let Some(window) = case.window.filter(|_| case.picture.whole && !case.compared_apart) else {
        return false;
    };
    // Somebody who says what to compare with knows both stretches: they are compared as they are.
    if case.settings.baseline.is_some() || case.settings.task.is_measuring() {
        return false;
    }
    let Some(incident) = incident_in(&case.picture, &case.baseline(), &window) else {
        return false;
    };
    case.compare_during(&incident);
    true
}

/// Ranks who may be behind what the survey saw. Also where nobody is, connections are looked at.
fn onward(case: &mut Case) -> State {
    if case.settings.task.is_measuring() {
        return finished(Outcome::Measured);
    }
    rank(case);
    if !case.settings.playbook.has(Phase::Narrow) {
        return Probe::next(case);
    }
    Hypothesise::next(case)
}

/// Makes the diagnosis of the picture as it now is.
pub(super) fn rank(case: &mut Case) {
    if let Some(window) = case.window {
        let rules = &case.settings.playbook.survey.abnormal;
        case.diagnosis = diagnose(
            &case.picture,
            &case.baseline(),
            &window,
            rules,
            case.compared_apart,
        );
    }
}
