//! Calls to look at: the first, the slowest, some at random; not the first thousand.

use std::time::Duration;

use chrono::TimeDelta;

use super::gap::{Gap, Reason};
use super::question::{Question, Sound, filter_of, middle, sound};
use super::reply::Reply;
use super::{Budget, Counting, MAX_ROWS, Plan, TURN};
use crate::kfl::Filter;
use crate::time::{Clock, Window};
use crate::wire::Operation;
use crate::wire::decode::{Call, CallList};

/// Which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The earliest.
    First,
    /// Those that took longest.
    Slowest,
    /// Calls at moments that the seed decides: the same seed, the same moments.
    Random { seed: u64 },
}

/// At most this many halvings: a year's first millisecond is found with fewer.
const ROUNDS: u32 = 48;

/// Rows that a stretch tried for random calls may show: one of them is taken.
const RANDOM_ROWS: u32 = 5;

/// Bounds of latency that are tried at first, µs.
const BOUNDS_US: [u64; 6] = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Finds a few calls of a question that stand for it.
#[derive(Clone, Debug)]
pub struct Samples {
    question: Question,
    wanted: Wanted,
    rows: u32,
    counting: Counting,
    budget: Budget,
    search: Search,
    rounds: u32,
    asked: Vec<Operation>,
    /// How many calls are above the upper bound of latency.
    above: u64,
    calls: Vec<Call>,
    gaps: Vec<Gap>,
}

#[derive(Clone, Debug)]
enum Search {
    /// The earliest calls: nothing is before the stretch.
    Earliest {
        window: Window,
    },
    /// Calls below the bound are not looked at, above `high` there are too few; both µs.
    Slow {
        low: u64,
        high: u64,
        bounds: Vec<u64>,
    },
    /// The bound is found: what is above it, µs.
    Above(u64),
    /// Stretches that are still to be tried, in the order of trying.
    Moments {
        left: Vec<Window>,
    },
    Done,
}

impl Samples {
    /// At most `rows` calls.
    pub fn new(question: Question, wanted: Wanted, rows: u32, counting: Counting, budget: Budget) -> Self {
        let question = question.aligned();
        let rows = rows.clamp(1, MAX_ROWS);
        let search = match wanted {
            Wanted::First => Search::Earliest {
                window: question.window,
            },
            Wanted::Slowest => Search::Slow {
                low: 0,
                high: u64::MAX,
                bounds: std::iter::once(0).chain(BOUNDS_US).collect(),
            },
            Wanted::Random { seed } => Search::Moments {
                left: moments(&question.window, rows, seed),
            },
        };
        let mut samples = Self {
            question,
            wanted,
            rows,
            counting,
            budget,
            search,
            rounds: 0,
            asked: Vec::new(),
            above: 0,
            calls: Vec::new(),
            gaps: Vec::new(),
        };
        samples.plan();
        samples
    }

    /// The calls found: oldest first, the slowest ones slowest first.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Why there are fewer, or others, than were wanted.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn list(&self, window: Window, limit: u32) -> Operation {
        self.question.list(window, &[], &[], limit)
    }

    fn plan(&mut self) {
        self.asked = match &self.search {
            // In order, the first rows of a list are the first calls there are.
            Search::Earliest { window } if self.counting.in_order() => vec![self.list(*window, self.rows)],
            Search::Earliest { window } => stretches(window)
                .into_iter()
                .map(|part| self.list(part, self.rows))
                .collect(),
            Search::Slow { bounds, .. } => bounds.iter().map(|bound| self.count_above(*bound)).collect(),
            Search::Above(bound) => {
                let mut question = self.question.clone();
                question.filter = slower(question.filter, *bound);
                vec![question.list(question.window, &[], &[], self.rows)]
            }
            Search::Moments { left } => left
                .iter()
                .take(TURN)
                .map(|window| self.list(*window, RANDOM_ROWS))
                .collect(),
            Search::Done => Vec::new(),
        };
        if self.asked.is_empty() {
            self.search = Search::Done;
            return;
        }
        let calls = u32::try_from(self.asked.len()).unwrap_or(u32::MAX);
        let rows: u64 = self.asked.iter().map(limit).sum();
        let unsound = self.asked.iter().map(sound).find_map(|verdict| match verdict {
            Sound::No(why) => Some(Reason::Failed(why)),
            Sound::Yes | Sound::Contradiction => None,
        });
        let refused = unsound.or_else(|| {
            let allowed = self.budget.allows(calls, self.counting.list_bytes(rows)) && self.rounds < ROUNDS;
            (!allowed).then_some(Reason::Budget)
        });
        if let Some(reason) = refused {
            self.end(reason);
        }
        self.rounds += 1;
    }

    /// How many took this long or longer: by a list of as many as are wanted where nothing is counted.
    fn count_above(&self, micros: u64) -> Operation {
        let mut question = self.question.clone();
        question.filter = slower(question.filter, micros);
        if self.counting.by_totals() {
            question.count(question.window, &[], &[])
        } else {
            question.list(question.window, &[], &[], self.rows)
        }
    }

    fn end(&mut self, reason: Reason) {
        self.gaps.push(Gap {
            filter: self.asked.first().map(filter_of).unwrap_or_default(),
            window: self.question.window,
            calls: None,
            reason,
        });
        self.asked = Vec::new();
        self.search = Search::Done;
    }

    fn earliest(&mut self, window: Window, lists: &[CallList]) {
        let parts = if self.counting.in_order() {
            vec![window]
        } else {
            stretches(&window)
        };
        for (part, list) in parts.iter().zip(lists) {
            let missing = usize::try_from(self.rows).unwrap_or(usize::MAX) - self.calls.len();
            if list.truncated && !self.counting.in_order() {
                if middle(part).is_none() {
                    self.take_first(list, missing);
                    self.asked = vec![self.list(*part, self.rows)];
                    return self.end(Reason::TooDense);
                }
                // Some of the first are here, but not which.
                self.search = Search::Earliest { window: *part };
                return;
            }
            self.take_first(list, missing);
            if self.calls.len() >= usize::try_from(self.rows).unwrap_or(usize::MAX) {
                break;
            }
        }
        self.search = Search::Done;
    }

    fn take_first(&mut self, list: &CallList, rows: usize) {
        let mut calls = list.calls.clone();
        calls.sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.id.cmp(&b.id)));
        self.calls.extend(calls.into_iter().take(rows));
    }

    /// Between the highest bound with too many calls above it and the lowest one with few enough.
    fn slow(&mut self, mut low: u64, mut high: u64, bounds: &[u64], lists: &[CallList]) {
        for (bound, list) in bounds.iter().zip(lists) {
            let rows = u64::try_from(list.calls.len()).unwrap_or(u64::MAX);
            let few = if self.counting.by_totals() {
                list.total.filter(|total| *total <= u64::from(self.rows))
            } else {
                (!list.truncated).then_some(rows)
            };
            match few {
                None => low = low.max(*bound),
                Some(rows) if *bound < high => (high, self.above) = (*bound, rows),
                Some(_) => {}
            }
        }
        // Half of what was wanted will do; and so will bounds that differ by a fiftieth.
        let near = high.saturating_sub(low) <= (low / 50).max(1);
        if high == 0 || self.above.saturating_mul(2) >= u64::from(self.rows) || near {
            self.search = Search::Above(if self.above == 0 && high > 0 { low } else { high });
        } else {
            let top = if high == u64::MAX {
                low.saturating_mul(1000)
            } else {
                high
            };
            self.search = Search::Slow {
                low,
                high,
                bounds: between(low, top),
            };
        }
    }

    fn slowest(&mut self, lists: &[CallList]) {
        self.calls = lists.iter().flat_map(|list| list.calls.clone()).collect();
        self.calls
            .sort_by(|a, b| b.elapsed_us.cmp(&a.elapsed_us).then_with(|| a.id.cmp(&b.id)));
        self.search = Search::Done;
        if lists.iter().any(|list| list.truncated) {
            self.end(Reason::TooDense);
        }
    }

    fn moments(&mut self, left: &[Window], lists: &[CallList]) {
        let Wanted::Random { seed } = self.wanted else {
            return;
        };
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        for (window, list) in left.iter().zip(lists) {
            let mut calls: Vec<&Call> = list.calls.iter().collect();
            calls.sort_by(|a, b| a.id.cmp(&b.id));
            let pick = mix(seed ^ window.start.timestamp_millis().unsigned_abs());
            let many = u64::try_from(calls.len()).unwrap_or(u64::MAX).max(1);
            let at = usize::try_from(pick % many).unwrap_or(0);
            let found = calls
                .get(at)
                .filter(|call| self.calls.iter().all(|own| own.id != call.id));
            if let (Some(call), true) = (found, self.calls.len() < rows) {
                self.calls.push((*call).clone());
            }
        }
        let rest: Vec<Window> = left.iter().skip(TURN).copied().collect();
        self.calls
            .sort_by(|a, b| a.ts.cmp(&b.ts).then_with(|| a.id.cmp(&b.id)));
        self.search = if self.calls.len() >= rows || rest.is_empty() {
            Search::Done
        } else {
            Search::Moments { left: rest }
        };
    }
}

impl Plan for Samples {
    fn asks(&self) -> Vec<Operation> {
        self.asked.clone()
    }

    fn take(&mut self, replies: Vec<Reply>) {
        if self.asked.is_empty() {
            return;
        }
        let bytes = replies.iter().map(|reply| reply.bytes).sum();
        self.budget = self
            .budget
            .less(u32::try_from(self.asked.len()).unwrap_or(u32::MAX), bytes);
        let mut lists = Vec::new();
        for number in 0..self.asked.len() {
            let reply = replies.get(number).cloned().unwrap_or_else(Reply::missing);
            match reply.calls() {
                Ok(list) => lists.push(list.clone()),
                Err(why) => return self.end(Reason::Failed(why)),
            }
        }
        match self.search.clone() {
            Search::Earliest { window } => self.earliest(window, &lists),
            Search::Slow { low, high, bounds } => self.slow(low, high, &bounds, &lists),
            Search::Above(_) => self.slowest(&lists),
            Search::Moments { left } => self.moments(&left, &lists),
            Search::Done => {}
        }
        if matches!(self.search, Search::Done) {
            self.asked = Vec::new();
        } else {
            self.plan();
        }
    }

    fn explain(&self, clock: &Clock) -> Vec<String> {
        let which = match self.wanted {
            Wanted::First => "first",
            Wanted::Slowest => "slowest",
            Wanted::Random { .. } => "random",
        };
        let mut lines = vec![format!(
            "find the {} {which} calls of `{}` in {}",
            self.rows,
            self.question.filter,
            clock.window(&self.question.window)
        )];
        for ask in &self.asked {
            let Some(scope) = ask.scope() else { continue };
            let window = scope
                .window
                .map(|window| clock.window(&window))
                .unwrap_or_default();
            lines.push(format!("next: {} `{}` {window}", ask.name(), scope.filter));
        }
        if self.asked.is_empty() {
            lines.push(format!(
                "done: {} calls, {} gaps",
                self.calls.len(),
                self.gaps.len()
            ));
        }
        lines
    }
}

fn limit(operation: &Operation) -> u64 {
    match operation {
        Operation::ListCalls { limit, .. } => u64::from(*limit),
        _ => 1,
    }
}

fn slower(filter: Filter, micros: u64) -> Filter {
    filter.latency_at_least(Duration::from_micros(micros))
}

/// Four parts of a stretch, fewer where it is short.
fn stretches(window: &Window) -> Vec<Window> {
    let half = |window: &Window| match middle(window) {
        Some(at) => vec![
            Window {
                start: window.start,
                end: at,
            },
            Window {
                start: at,
                end: window.end,
            },
        ],
        None => vec![*window],
    };
    half(window).iter().flat_map(half).collect()
}

/// Three bounds between two, even by their ratio: latencies spread over decades.
fn between(low: u64, high: u64) -> Vec<u64> {
    let middle = geometric(low, high);
    let mut bounds = vec![geometric(low, middle), middle, geometric(middle, high)];
    bounds.retain(|bound| low < *bound && *bound < high);
    bounds.dedup();
    if bounds.is_empty() {
        // Next to each other by ratio, not yet by number.
        bounds.push(low + (high - low) / 2);
    }
    bounds
}

fn geometric(a: u64, b: u64) -> u64 {
    a.max(1).saturating_mul(b.max(1)).isqrt().clamp(a, b.max(a))
}

/// Short stretches all over the window: several times as many as calls are wanted, since some are empty.
fn moments(window: &Window, rows: u32, seed: u64) -> Vec<Window> {
    let all = window.length().num_milliseconds();
    if all <= 0 {
        return Vec::new();
    }
    let tries = u64::from(rows).saturating_mul(3).max(12);
    let length = (all / 1000).clamp(1, 10_000);
    let room = u64::try_from((all - length).max(0)).unwrap_or(0) + 1;
    (0..tries)
        .filter_map(|number| {
            let from = i64::try_from(mix(seed.wrapping_add(number)) % room).ok()?;
            let start = window.start.checked_add_signed(TimeDelta::milliseconds(from))?;
            let end = start.checked_add_signed(TimeDelta::milliseconds(length))?;
            Some(Window {
                start,
                end: end.min(window.end),
            })
        })
        .collect()
}

/// Spreads bits: the finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
