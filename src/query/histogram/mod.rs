//! Exact counts over time and dimensions.
//!
//! A histogram is a set of regions: stretches of time by groups of values. A region whose count is known and not
//! zero is listed where that costs less than counting its cells, otherwise split, in time down to a bin, then by
//! value. Of the parts of a split all but one are counted: the last one is what is left. Lists wait until there is
//! nothing more to split, as neighbours are then listed together.

mod cost;
mod job;
mod region;
mod take;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::counting::Counting;
use super::dimension::{Dimension, Hold, Value};
use super::gap::{Gap, Reason};
use super::proof::{self, Outcome, Proof};
use super::question::{self, Question, Sound, filter_of};
use super::reply::Reply;
use super::{Budget, Plan, TURN};
use crate::kfl::Filter;
use crate::time::{Clock, Utc, Window};
use crate::wire::Operation;
use cost::Way;
use job::Job;
use region::{Known, Region};

/// A place in a histogram.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Number of the bin, from 0.
    pub bin: usize,
    /// The value in each dimension.
    pub values: Vec<Value>,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub bins: Vec<Window>,
    /// Cells without calls are left out.
    pub cells: BTreeMap<Cell, u64>,
    /// All calls, also those that gaps keep out of the cells; `None` where that is not known.
    pub total: Option<u64>,
    /// What is not in the cells. Without gaps every number is exact.
    pub gaps: Vec<Gap>,
    /// What was used up.
    pub calls: u32,
    /// Bytes of answers.
    pub bytes: u64,
}

impl Counts {
    /// The calls in all cells.
    pub fn counted(&self) -> u64 {
        self.cells.values().sum()
    }

    /// The cells of one bin together, or of one value, and so on.
    pub fn sum(&self, of: impl Fn(&Cell) -> bool) -> u64 {
        self.cells
            .iter()
            .filter(|(cell, _)| of(cell))
            .map(|(_, calls)| calls)
            .sum()
    }
}

/// Bins of a histogram at most.
const BINS: i64 = 2000;

/// Counts the calls of a question over time and dimensions.
#[derive(Clone, Debug)]
pub struct Histogram {
    question: Question,
    dimensions: Vec<Dimension>,
    /// ms
    width: i64,
    counting: Counting,
    budget: Budget,
    /// The first questions, until it is known how the server counts.
    proof: Option<Proof>,
    nameless: bool,
    /// To be decided on.
    open: Vec<(Region, Option<Known>)>,
    /// To be listed once nothing is split any more.
    listing: Vec<(Region, Option<u64>)>,
    /// Asked in this turn.
    jobs: Vec<Job>,
    /// How many listed calls had a value, by dimension.
    seen: Vec<BTreeMap<Value, u64>>,
    cells: BTreeMap<Cell, u64>,
    expected: Option<u64>,
    gaps: Vec<Gap>,
    calls: u32,
    bytes: u64,
    turns: Vec<String>,
}

impl Histogram {
    /// Over bins of this width, of which the last may be shorter, and over each of the dimensions. There are 2000
    /// bins at most: they are made wider where they would be more.
    pub fn new(
        question: Question,
        width: TimeDelta,
        dimensions: Vec<Dimension>,
        counting: Counting,
        budget: Budget,
    ) -> Self {
        let question = question.aligned();
        let length = question.window.length().num_milliseconds().max(1);
        let width = width
            .num_milliseconds()
            .max(length.div_euclid(BINS) + 1)
            .min(length);
        let by_service = dimensions.contains(&Dimension::DstService);
        let proof = if counting.is_known() {
            Proof::known(&counting, by_service)
        } else {
            Proof::new(&question)
        };
        let mut histogram = Self {
            seen: vec![BTreeMap::new(); dimensions.len()],
            question,
            dimensions,
            width,
            counting,
            budget,
            proof: Some(proof),
            nameless: false,
            open: Vec::new(),
            listing: Vec::new(),
            jobs: Vec::new(),
            cells: BTreeMap::new(),
            expected: None,
            gaps: Vec::new(),
            calls: 0,
            bytes: 0,
            turns: Vec::new(),
        };
        histogram.begin();
        histogram
    }

    /// Only how many there are.
    pub fn count(question: Question, counting: Counting, budget: Budget) -> Self {
        let whole = question.window.length();
        Self::new(question, whole, Vec::new(), counting, budget)
    }

    /// How the server counts, for the next plan.
    pub fn counting(&self) -> Counting {
        self.counting
    }

    /// What is counted.
    pub fn filter(&self) -> &Filter {
        &self.question.filter
    }

    /// What was counted so far; all of it once nothing is asked any more.
    pub fn counts(&self) -> Counts {
        let counted: u64 = self.cells.values().sum();
        let total = self.expected.or_else(|| self.gaps.is_empty().then_some(counted));
        Counts {
            bins: (0..self.bins()).map(|bin| self.bin(bin)).collect(),
            cells: self.cells.clone(),
            total,
            gaps: self.gaps.clone(),
            calls: self.calls,
            bytes: self.bytes,
        }
    }

    fn bins(&self) -> usize {
        let length = self.question.window.length().num_milliseconds().max(1);
        usize::try_from((length + self.width - 1).div_euclid(self.width)).unwrap_or(1)
    }

    /// The start of a bin; the window's end behind the last one.
    fn bin_start(&self, bin: usize) -> Utc {
        let offset = i64::try_from(bin).unwrap_or(i64::MAX).saturating_mul(self.width);
        self.question
            .window
            .start
            .checked_add_signed(TimeDelta::milliseconds(offset.min(i64::from(u32::MAX) * 1000)))
            .map_or(self.question.window.end, |at| at.min(self.question.window.end))
    }

    fn bin(&self, bin: usize) -> Window {
        Window {
            start: self.bin_start(bin),
            end: self.bin_start(bin + 1),
        }
    }

    fn bin_of(&self, at: Utc) -> usize {
        let offset = (at - self.question.window.start).num_milliseconds().max(0);
        usize::try_from(offset / self.width).unwrap_or(0)
    }

    /// First bin of a stretch, and the one behind its last.
    fn bins_of(&self, window: &Window) -> (usize, usize) {
        let last = window.end - TimeDelta::milliseconds(1);
        (self.bin_of(window.start), self.bin_of(last) + 1)
    }

    fn gap(&mut self, region: &Region, calls: Option<u64>, reason: Reason) {
        let asked = self
            .question
            .count(region.window, &self.dimensions, &region.group);
        self.gaps.push(Gap {
            filter: filter_of(&asked),
            window: region.window,
            calls,
            reason,
        });
    }

    /// The first turn: the proof, where the budget allows one.
    fn begin(&mut self) {
        if self.question.window.start >= self.question.window.end {
            self.proof = None;
            self.expected = Some(0);
            return;
        }
        self.next();
    }

    /// Passes on from the proof, and plans the next turn.
    fn next(&mut self) {
        if let Some(proof) = &self.proof {
            match proof.outcome() {
                None => {
                    let calls = u32::try_from(self.asks().len()).unwrap_or(u32::MAX);
                    if !self.budget.allows(calls, self.counting.row_bytes) {
                        self.proof = None;
                        self.counting.totals = self.counting.totals.or(Some(false));
                        self.gap(&self.whole(), None, Reason::Budget);
                    }
                    return;
                }
                Some(Outcome::Nothing) => {
                    self.proof = None;
                    self.expected = Some(0);
                    return;
                }
                Some(Outcome::Known) => {
                    let proof = proof.clone();
                    self.proof = None;
                    self.root(&proof);
                }
            }
        }
        self.plan();
    }

    fn whole(&self) -> Region {
        Region {
            window: self.question.window,
            group: vec![Hold::Any; self.dimensions.len()],
        }
    }

    /// What the proof told of the whole window.
    fn root(&mut self, proof: &Proof) {
        let total = proof.total.filter(|_| self.counting.by_totals());
        let by = proof.by.clone().filter(|_| self.counting.by_statistics());
        if let (Some(total), Some((stated, _))) = (total, &by)
            && total != *stated
        {
            // One of them is wrong, and the proof was of `total`.
            self.counting.statistics = Some(false);
        }
        self.expected = total.or(by.as_ref().map(|(total, _)| *total));
        self.nameless = proof.nameless != Some(false);
        let by_service = self
            .dimensions
            .iter()
            .position(|dimension| *dimension == Dimension::DstService);
        if let (Some(at), true, true) = (by_service, self.nameless, self.counting.by_statistics()) {
            // Statistics name what no service answers in their own way: it is counted apart.
            for hold in [
                Hold::Is(Value::no_service()),
                Hold::Not(vec![Value::no_service()]),
            ] {
                let mut region = self.whole();
                if let Some(place) = region.group.get_mut(at) {
                    *place = hold;
                }
                self.open.push((region, None));
            }
            return;
        }
        let known = self.expected.map(|total| Known {
            total,
            by: by.map(|(_, by)| by),
        });
        self.open.push((self.whole(), known));
    }

    /// Decides on open regions until a turn is full or nothing is left.
    fn plan(&mut self) {
        let mut waiting = Vec::new();
        while self.asked() < TURN {
            let Some((region, known)) = self.open.pop() else {
                break;
            };
            self.decide(region, known, &mut waiting);
        }
        self.open.extend(waiting);
        if self.jobs.is_empty() {
            self.merge();
            while self.asked() < TURN && !self.listing.is_empty() {
                let (region, known) = self.listing.remove(0);
                let job = Job::list(region, known);
                self.ask(job, known);
            }
        }
        if self.jobs.is_empty() && self.open.is_empty() && self.listing.is_empty() {
            self.finish();
        } else if self.jobs.is_empty() {
            // Everything that was to be asked was refused by the budget: on to what is left.
            self.plan();
        }
    }

    fn asked(&self) -> usize {
        self.jobs.iter().map(Job::calls).sum()
    }

    /// Puts a job into the turn where the budget allows it, else notes the gap.
    fn ask(&mut self, mut job: Job, known: Option<u64>) {
        match self.sound(&mut job) {
            Sound::Yes => {}
            Sound::Contradiction => {
                // What is left of a family whose other parts cannot be is all of it.
                if let Job::Family { rest, parent, .. } = job {
                    self.open.push((rest, Some(parent)));
                }
                return;
            }
            Sound::No(why) => return self.gap(&job.region(), known, Reason::Failed(why)),
        }
        let calls = u32::try_from(job.calls()).unwrap_or(u32::MAX);
        let bytes = job.bytes(&self.counting);
        if self.budget.allows(calls, bytes) {
            // Taken now, so that the jobs of one turn do not spend the same; settled when they are answered.
            self.budget = self.budget.less(calls, bytes);
            self.jobs.push(job);
        } else {
            self.gap(&job.region(), known, Reason::Budget);
        }
    }

    /// Whether a job can be asked. Parts of a family that contradict the question have no calls and are left out.
    fn sound(&self, job: &mut Job) -> Sound {
        if let Job::Family { asked, way, .. } = job {
            let possible = |region: &Region| {
                let operation = way.operation(&self.question, &self.dimensions, region);
                question::sound(&operation) != Sound::Contradiction
            };
            asked.retain(possible);
            if asked.is_empty() {
                return Sound::Contradiction;
            }
        }
        let asked = job.operations(&self.question, &self.dimensions);
        let verdicts = asked.iter().map(question::sound);
        verdicts
            .into_iter()
            .find(|verdict| *verdict != Sound::Yes)
            .unwrap_or(Sound::Yes)
    }

    fn finish(&mut self) {
        let counted: u64 = self.cells.values().sum();
        if let Some(expected) = self.expected
            && self.gaps.is_empty()
            && counted != expected
        {
            let reason = Reason::Disagree {
                expected,
                came: counted,
            };
            self.gap(&self.whole(), Some(expected), reason);
        }
    }
}

impl Plan for Histogram {
    fn asks(&self) -> Vec<Operation> {
        match &self.proof {
            Some(proof) => proof.asks(&self.question, &self.counting),
            None => self
                .jobs
                .iter()
                .flat_map(|job| job.operations(&self.question, &self.dimensions))
                .collect(),
        }
    }

    fn take(&mut self, replies: Vec<Reply>) {
        let asked = self.asks();
        if asked.is_empty() {
            return;
        }
        let mut replies: Vec<Reply> = replies.into_iter().take(asked.len()).collect();
        replies.resize_with(asked.len(), Reply::missing);
        let bytes: u64 = replies.iter().map(|reply| reply.bytes).sum();
        self.turns.push(self.describe(bytes));
        self.calls = self
            .calls
            .saturating_add(u32::try_from(replies.len()).unwrap_or(u32::MAX));
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(proof) = &mut self.proof {
            let calls = u32::try_from(replies.len()).unwrap_or(u32::MAX);
            self.budget = self.budget.less(calls, bytes);
            proof.take(&self.question, &mut self.counting, &replies);
        } else {
            self.settle(replies, bytes);
        }
        self.next();
    }

    fn explain(&self, clock: &Clock) -> Vec<String> {
        let dimensions: Vec<String> = self.dimensions.iter().map(ToString::to_string).collect();
        let mut lines = vec![
            format!(
                "count over {}{}{}{}: `{}`",
                clock.window(&self.question.window),
                match self.bins() {
                    1 => String::new(),
                    bins => format!(
                        ", in {bins} bins of {}",
                        clock.duration(TimeDelta::milliseconds(self.width))
                    ),
                },
                if dimensions.is_empty() { "" } else { ", by " },
                dimensions.join(", "),
                self.question.filter,
            ),
            self.counting.words().to_owned(),
        ];
        lines.extend(self.turns.iter().cloned());
        let asks = self.asks();
        if asks.is_empty() {
            lines.push(format!(
                "done with {} calls and {} bytes: {} counted, {} gaps",
                self.calls,
                self.bytes,
                self.cells.values().sum::<u64>(),
                self.gaps.len()
            ));
        }
        for ask in asks {
            let Some(scope) = ask.scope() else { continue };
            let window = scope
                .window
                .map(|window| clock.window(&window))
                .unwrap_or_default();
            let (bytes, why) = self.reason(&ask);
            lines.push(format!(
                "next: {} over {window}, about {bytes} bytes, {why}: `{}`",
                ask.name(),
                scope.filter
            ));
        }
        lines
    }
}

impl Histogram {
    /// What the answer to a question will have, bytes, and what the question is for.
    fn reason(&self, ask: &Operation) -> (u64, &'static str) {
        let (rows, counted, listed, summed) = if self.proof.is_some() {
            (
                proof::ROWS,
                "what the server says, believed once it is proven",
                "a list that is known to be complete, to prove the server's numbers on",
                "what its statistics say, believed once they are proven",
            )
        } else {
            (
                super::MAX_ROWS,
                "one of the parts, of which the last is what the others leave",
                "cheaper listed than counted apart",
                "which tell the services apart",
            )
        };
        match ask {
            Operation::ApiStats { .. } => (self.counting.statistics_bytes, summed),
            Operation::ListCalls { .. } => (self.counting.list_bytes(u64::from(rows)), listed),
            _ => (self.counting.list_bytes(1), counted),
        }
    }

    /// A line about the turn that was answered.
    fn describe(&self, bytes: u64) -> String {
        if self.proof.is_some() {
            return format!(
                "{} calls to prove how the server counts: {bytes} bytes",
                self.asks().len()
            );
        }
        let lists = self.jobs.iter().filter(|job| matches!(job, Job::List(_))).count();
        let statistics: usize = self
            .jobs
            .iter()
            .filter_map(Job::way)
            .filter(|(way, _)| *way == Way::Statistics)
            .map(|(_, calls)| calls)
            .sum();
        let totals = self.asked() - lists - statistics;
        format!("{statistics} statistics, {totals} totals, {lists} lists: {bytes} bytes")
    }
}
