//! Which party the added time is spent in.
//!
//! Of every endpoint on every edge two distributions are compared with themselves before: the time the callee
//! spent itself (nested calls taken out), and, where both ends were captured, the time lost between the two. A
//! party answers for its own time, and for what is lost on its edges as far as they are slow *together*: a pod
//! short of processor time, or behind a bad link, is slow to everybody; one slow callee leaves its caller's
//! other calls alone. How much of what its callers wait longer is the party's own and not its callees' is told
//! by the sums, which single wrong links do not disturb.

use std::collections::BTreeMap;

use super::{
    layer::Layer,
    nesting::Nesting,
    picture::Party,
    shift::{Shift, shift, winsorized_mean},
    traffic::{Side, Traffic},
};

/// What changed on the edges around one party, and how much of it is the party's own doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slowness {
    /// Into [`Traffic::parties`].
    pub party: usize,
    /// The sum of the log ratios that the party answers for; 0 where nothing changed.
    pub score: f64,
    /// The largest step of its own time, with the endpoint.
    pub own: Option<(Shift, usize)>,
    /// The name of that endpoint, where its calls have one.
    pub endpoint: Option<String>,
    /// Share of what its callers wait longer that its callees do not explain, 0 to 1.
    pub own_share: f64,
    /// The largest step of the time lost on its edges.
    pub gap: Option<Shift>,
    /// Slow edges out of it, of all that it is judged by.
    pub out_of: (usize, usize),
    /// Endpoints of it, by caller, whose own time grew, of all with calls enough.
    pub endpoints: (usize, usize),
}

/// Values of one component, before and during, in the order of time, with the times of those before.
#[derive(Default)]
struct Values {
    sides: [Vec<i64>; 2],
    times_us: Vec<i64>,
}

impl Values {
    fn push(&mut self, side: Side, at_us: i64, value: i64) {
        self.sides[usize::from(side == Side::During)].push(value);
        if side == Side::Before {
            self.times_us.push(at_us);
        }
    }

    fn shift(&mut self, searched: bool) -> Option<Shift> {
        let usual = if searched {
            blocks(&self.times_us, &self.sides[0])
        } else {
            Vec::new()
        };
        let [before, during] = &mut self.sides;
        before.sort_unstable();
        during.sort_unstable();
        shift(before, during, &usual)
    }
}

/// The values in blocks of time, each ascending: how much a distribution changes by itself.
fn blocks(times_us: &[i64], values: &[i64]) -> Vec<Vec<i64>> {
    const BLOCK_US: i64 = 15_000_000;
    const ENOUGH: usize = 6;
    let mut blocks: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (at, value) in times_us.iter().zip(values) {
        blocks.entry(at.div_euclid(BLOCK_US)).or_default().push(*value);
    }
    let mut blocks: Vec<Vec<i64>> = blocks
        .into_values()
        .filter(|block| block.len() >= ENOUGH)
        .collect();
    for block in &mut blocks {
        block.sort_unstable();
    }
    blocks
}

/// The largest steps of an edge.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    own: Option<(Shift, usize)>,
    gap: Option<Shift>,
    /// Endpoints whose own time grew by half at least, and all with calls enough.
    endpoints: (usize, usize),
}

/// Every party that is called, slowest first. A stretch that was searched for has to go beyond what comes and goes.
pub(super) fn slowness(traffic: &Traffic, nesting: &Nesting, searched: bool) -> Vec<Slowness> {
    let steps = steps(traffic, nesting, searched);
    let mut called: Vec<usize> = steps.keys().map(|(_, to)| *to).collect();
    called.sort_unstable();
    called.dedup();
    let mut all: Vec<Slowness> = called
        .into_iter()
        .map(|party| of_party(traffic, &steps, party))
        .collect();
    all.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| traffic.party(a.party).cmp(&traffic.party(b.party)))
    });
    all
}

fn steps(traffic: &Traffic, nesting: &Nesting, searched: bool) -> BTreeMap<(usize, usize), Steps> {
    let mut values: BTreeMap<(usize, usize, Layer, usize), (Values, Values)> = BTreeMap::new();
    for (at, item) in traffic.items.iter().enumerate() {
        // A lookup is waited for like a call. A connection lasts as long as it is kept.
        if item.layer == Layer::Tcp {
            continue;
        }
        let (own, gap) = values
            .entry((item.from, item.to, item.layer, item.endpoint))
            .or_default();
        if let Some(us) = nesting.own_us(traffic, at) {
            let lost = item.gap_us();
            own.push(item.side, item.start_us, (us - lost.unwrap_or(0)).max(0));
            if let Some(lost) = lost {
                gap.push(item.side, item.start_us, lost);
            }
        }
    }
    let mut steps: BTreeMap<(usize, usize), Steps> = BTreeMap::new();
    for ((from, to, _, endpoint), (mut own, mut gap)) in values {
        let best = steps.entry((from, to)).or_default();
        let own = own.shift(searched);
        if let Some(step) = own {
            best.endpoints.0 += usize::from(step.log_ratio > 0.4);
            best.endpoints.1 += 1;
        }
        if let Some(step) = own
            && best.own.is_none_or(|(old, _)| step.log_ratio > old.log_ratio)
        {
            best.own = Some((step, endpoint));
        }
        if let Some(step) = gap.shift(searched)
            && best.gap.is_none_or(|old| step.log_ratio > old.log_ratio)
        {
            best.gap = Some(step);
        }
    }
    steps
}

/// An edge counts as slow together with the slowest one of its party from this share of its log ratio on.
const TOGETHER: f64 = 0.3;

fn of_party(traffic: &Traffic, steps: &BTreeMap<(usize, usize), Steps>, party: usize) -> Slowness {
    let outside = |number: &usize| traffic.party(*number).is_some_and(Party::is_outside);
    let into = || steps.iter().filter(|((_, to), _)| *to == party);
    let own = into()
        .filter_map(|(_, steps)| steps.own)
        .max_by(|a, b| a.0.log_ratio.total_cmp(&b.0.log_ratio));
    // What is lost between customers and the first service is theirs to complain about, not to be judged by.
    let gaps_in: Vec<Shift> = into()
        .filter(|((from, _), _)| !outside(from))
        .filter_map(|(_, steps)| steps.gap)
        .collect();
    // A callee that only one end of was captured is judged by its own time instead, of which the way is a part.
    let gaps_out: Vec<Shift> = steps
        .iter()
        .filter(|((from, to), _)| *from == party && *to != party)
        .filter_map(|(_, steps)| steps.gap.or_else(|| steps.own.map(|(own, _)| own)))
        .collect();
    let largest = |steps: &[Shift]| steps.iter().map(|step| step.log_ratio).fold(0.0, f64::max);
    // Both directions of a party's link are slow together, or one of them alone.
    let top = largest(&gaps_in).max(largest(&gaps_out));
    let count = |steps: &[Shift]| {
        let slow = steps
            .iter()
            .filter(|step| step.log_ratio > 0.0 && step.log_ratio > TOGETHER * top)
            .count();
        (slow, steps.len())
    };
    let (in_slow, out_slow) = (count(&gaps_in), count(&gaps_out));
    // One slow callee says nothing about its caller: it takes two.
    let out_counts = out_slow.0 >= 2;
    let share = |(slow, all): (usize, usize)| if all == 0 { 0.0 } else { ratio(slow, all).powi(2) };
    let sum = |steps: &[Shift]| steps.iter().map(|step| step.log_ratio).sum::<f64>();
    let mut gap_score = sum(&gaps_in) * share(in_slow);
    if out_counts {
        gap_score += sum(&gaps_out) * share(out_slow);
    }
    let own_share = balance(traffic, party);
    let own_ratio = own.map_or(0.0, |(step, _)| step.log_ratio);
    Slowness {
        party,
        score: own_ratio * own_share + gap_score,
        own,
        endpoint: own
            .map(|(_, endpoint)| traffic.endpoint(endpoint).to_owned())
            .filter(|name| !name.is_empty()),
        own_share,
        gap: gaps_in
            .into_iter()
            .chain(if out_counts { gaps_out } else { Vec::new() })
            .max_by(|a, b| a.log_ratio.total_cmp(&b.log_ratio)),
        out_of: out_slow,
        endpoints: into().fold((0, 0), |sum, (_, steps)| {
            (sum.0 + steps.endpoints.0, sum.1 + steps.endpoints.1)
        }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of edges")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// A rise below this is not worth being explained, µs a call.
const WORTH_US: f64 = 1_000.0;

/// Which share of what a party's callers wait longer is not waited for by the party itself in turn, 0 to 1. From the means of each endpoint over all calls, so links do not matter; an
/// endpoint counts with its calls during, so that another mix of them is no rise.
fn balance(traffic: &Traffic, party: usize) -> f64 {
    let mut into: BTreeMap<(usize, Layer, usize), Values> = BTreeMap::new();
    let mut out_of: BTreeMap<(usize, Layer, usize), Values> = BTreeMap::new();
    for item in &traffic.items {
        let (Some(elapsed), true) = (item.elapsed_us, item.layer != Layer::Tcp) else {
            continue;
        };
        if item.to == party {
            let answered = item.server_us.map_or(elapsed, |server| server.min(elapsed));
            let key = (item.from, item.layer, item.endpoint);
            into.entry(key)
                .or_default()
                .push(item.side, item.start_us, answered);
        } else if item.from == party {
            let key = (item.to, item.layer, item.endpoint);
            out_of
                .entry(key)
                .or_default()
                .push(item.side, item.start_us, elapsed);
        }
    }
    let (rise, calls) = added(into);
    let (waits, _) = added(out_of);
    if calls < 1.0 {
        return 1.0;
    }
    let (rise, waits) = (rise / calls, waits / calls);
    if rise <= WORTH_US {
        // Nobody waits longer on the whole: an old disturbance may hide a new one. Only what it does not wait
        // longer for in turn can be its own.
        return if waits <= WORTH_US { 1.0 } else { 0.0 };
    }
    ((rise - waits) / rise).clamp(0.0, 1.0)
}

/// Time added in all, µs, and the calls during that it was added to. Keys without calls enough on both sides say nothing.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn added<K>(values: BTreeMap<K, Values>) -> (f64, f64) {
    const ENOUGH: usize = 5;
    let (mut time, mut calls) = (0.0, 0.0);
    for Values {
        sides: [mut before, mut during],
        ..
    } in values.into_values()
    {
        if before.len() < ENOUGH || during.len() < ENOUGH {
            continue;
        }
        before.sort_unstable();
        during.sort_unstable();
        if let (Some(was), Some(is)) = (winsorized_mean(&before), winsorized_mean(&during)) {
            time += (is - was) * during.len() as f64;
            calls += during.len() as f64;
        }
    }
    (time, calls)
}
