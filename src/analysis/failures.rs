//! Where failures come from: every failing call is followed down to the last failing call made for it.
//!
//! A class of failures (an edge and a way to fail) counts as far as it became more frequent; what fails as often as
//! ever is background. A failing call that was made for another failing one explains it. What no failing or long
//! call explains is the callee's own.

use std::collections::{BTreeMap, HashMap};

use super::{
    compare::{Thresholds, compare},
    layer::Layer,
    nesting::{Nesting, TOLERANCE_US},
    outcome::Outcome,
    picture::{EdgeKey, Picture},
    statistics::rose,
    traffic::{Item, Side, Traffic},
};

/// Failing calls that end in one party.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Blame {
    /// Into [`Traffic::parties`].
    pub party: usize,
    /// Failing calls that nothing else explains, of this party's own; background taken out.
    pub own: f64,
    /// Failing calls at the top (made for no other failing one) that lead to this party; background taken out.
    pub symptoms: f64,
    /// `symptoms` of all symptoms, 0 to 1.
    pub share: f64,
    /// The own failures, by item.
    pub calls: Vec<usize>,
    /// The way most symptoms took, from the top to the party, as edges of the traffic.
    pub path: Vec<(usize, usize, Layer)>,
    /// Own failures by how they ended.
    pub outcomes: BTreeMap<Outcome, f64>,
    /// Own failures whose callee took longer than ever, rather than failing by itself.
    pub slow: f64,
}

/// Everything that failures tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    /// Who is behind them, most symptoms first.
    pub blames: Vec<Blame>,
    /// Failing calls at the top, background taken out.
    pub symptoms: f64,
}

/// Follows the failures of `traffic`. The lengths of both sides are in seconds.
pub(super) fn failures(
    traffic: &Traffic,
    nesting: &Nesting,
    picture: &Picture,
    thresholds: &Thresholds,
    seconds: (f64, f64),
) -> Failures {
    let weights = weights(traffic, picture, thresholds, seconds);
    let explained = explained_by(traffic, &weights);
    let slow = Slow::of(traffic);
    let mut blames: HashMap<usize, Blame> = HashMap::new();
    let mut paths: HashMap<usize, BTreeMap<Way, f64>> = HashMap::new();
    let mut symptoms = 0.0;
    let is_child: Vec<bool> = {
        let mut is_child = vec![false; traffic.items.len()];
        for child in explained.values().flatten() {
            if let Some(slot) = is_child.get_mut(*child) {
                *slot = true;
            }
        }
        is_child
    };
    for at in 0..traffic.items.len() {
        let weight = weights.get(at).copied().unwrap_or(0.0);
        if weight <= 0.0 {
            continue;
        }
        let top = !is_child.get(at).copied().unwrap_or(false);
        let (last, path, because_slow) = descend(traffic, nesting, &explained, &slow, at);
        let Some(end) = traffic.items.get(last) else {
            continue;
        };
        let blame = blames.entry(end.to).or_insert_with(|| Blame {
            party: end.to,
            ..Blame::default()
        });
        if last == at || because_slow {
            blame.own += weight;
            blame.calls.push(last);
            *blame.outcomes.entry(end.outcome).or_default() += weight;
            if because_slow {
                blame.slow += weight;
            }
        }
        if top {
            symptoms += weight;
            blame.symptoms += weight;
            *paths.entry(end.to).or_default().entry(path).or_default() += weight;
        }
    }
    let mut blames: Vec<Blame> = blames.into_values().collect();
    for blame in &mut blames {
        blame.share = if symptoms > 0.0 {
            blame.symptoms / symptoms
        } else {
            0.0
        };
        let ways = paths.remove(&blame.party).unwrap_or_default();
        blame.path = ways
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.len().cmp(&b.0.len())))
            .map(|(path, _)| path)
            .unwrap_or_default();
    }
    blames.sort_by(|a, b| {
        (b.symptoms.total_cmp(&a.symptoms))
            .then(b.own.total_cmp(&a.own))
            .then_with(|| traffic.party(a.party).cmp(&traffic.party(b.party)))
    });
    Failures { blames, symptoms }
}

/// Edges from the top down, as numbers of parties.
type Way = Vec<(usize, usize, Layer)>;

type ClassOf = (usize, usize, Layer, Outcome);

/// How much of each failing call during is new. An edge whose failures rose counts by its classes that rose; where
/// the edge on the whole tells nothing, single endpoints may.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn weights(
    traffic: &Traffic,
    picture: &Picture,
    thresholds: &Thresholds,
    (quiet, loud): (f64, f64),
) -> Vec<f64> {
    // Failures by class, and by class and endpoint; calls by endpoint. [before, during]
    let mut classes: HashMap<ClassOf, [u64; 2]> = HashMap::new();
    let mut fine: HashMap<(ClassOf, usize), [u64; 2]> = HashMap::new();
    let mut calls: HashMap<(usize, usize, Layer, usize), [u64; 2]> = HashMap::new();
    for item in &traffic.items {
        let side = usize::from(item.side == Side::During);
        let edge = (item.from, item.to, item.layer);
        calls.entry((edge.0, edge.1, edge.2, item.endpoint)).or_default()[side] += 1;
        if item.failing() {
            let class = (edge.0, edge.1, edge.2, item.outcome);
            classes.entry(class).or_default()[side] += 1;
            fine.entry((class, item.endpoint)).or_default()[side] += 1;
        }
    }
    let mut rising: HashMap<(usize, usize, Layer), bool> = HashMap::new();
    let mut edge_rose = |item: &Item| {
        *rising.entry((item.from, item.to, item.layer)).or_insert_with(|| {
            let key: Option<EdgeKey> = traffic.key(item);
            key.and_then(|key| picture.edges.get(&key))
                .is_some_and(|edge| compare(&edge.before, &edge.during, thresholds).is_failing())
        })
    };
    let new_share = |[before, during]: [u64; 2]| {
        let rate = |count: u64, seconds: f64| {
            if seconds > 0.0 {
                count as f64 / seconds
            } else {
                0.0
            }
        };
        let now = rate(during, loud);
        let was = rate(before, quiet);
        // Less than twice as often is background that fluctuates.
        if now <= 2.0 * was { 0.0 } else { 1.0 - was / now }
    };
    traffic
        .items
        .iter()
        .map(|item| {
            if !item.failing() || item.side == Side::Before {
                return 0.0;
            }
            let class = (item.from, item.to, item.layer, item.outcome);
            let of_class = classes.get(&class).copied().unwrap_or_default();
            if edge_rose(item) {
                return new_share(of_class);
            }
            if !item.layer.is_request() {
                return 0.0;
            }
            let counts = fine.get(&(class, item.endpoint)).copied().unwrap_or_default();
            let all = calls
                .get(&(item.from, item.to, item.layer, item.endpoint))
                .copied()
                .unwrap_or_default();
            let enough = counts[1] >= thresholds.failing_calls;
            if enough && rose((counts[0], all[0]), (counts[1], all[1])) {
                new_share(counts)
            } else {
                0.0
            }
        })
        .collect()
}

/// For each new failing call the new failing calls that were made for it: each goes to the one that ended next.
fn explained_by(traffic: &Traffic, weights: &[f64]) -> HashMap<usize, Vec<usize>> {
    let new = |at: &usize| weights.get(*at).is_some_and(|weight| *weight > 0.0);
    let mut by_instance: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, item) in traffic.items.iter().enumerate() {
        if new(&at) && item.layer.is_request() {
            by_instance.entry(item.to_instance).or_default().push(at);
        }
    }
    let mut explained: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, child) in traffic.items.iter().enumerate() {
        if !new(&at) {
            continue;
        }
        let Some(parents) = by_instance.get(&child.from_instance) else {
            continue;
        };
        let over = if child.elapsed_us.is_some() && child.layer != Layer::Tcp {
            child.end_us()
        } else {
            child.start_us
        };
        let parent = parents
            .iter()
            .copied()
            .filter(|parent| *parent != at)
            .filter_map(|parent| Some((parent, traffic.items.get(parent)?)))
            .filter(|(_, outer)| {
                let differ = outer.trace.is_some() && child.trace.is_some() && outer.trace != child.trace;
                outer.start_us <= child.start_us + TOLERANCE_US
                    && outer.open_until_us() + TOLERANCE_US >= child.start_us
                    && !differ
            })
            .min_by_key(|(_, outer)| {
                let after = outer.end_us() - over;
                // One that ended before the child did had given up on it.
                (after < -TOLERANCE_US, after.abs())
            });
        if let Some((parent, _)) = parent {
            explained.entry(parent).or_default().push(at);
        }
    }
    explained
}

/// What a usual call of an endpoint takes at most.
struct Slow {
    usual_us: HashMap<(usize, Layer, usize), i64>,
}

impl Slow {
    fn of(traffic: &Traffic) -> Self {
        let mut before: HashMap<(usize, Layer, usize), Vec<i64>> = HashMap::new();
        for item in traffic.items.iter().filter(|item| item.side == Side::Before) {
            if let Some(elapsed) = item.elapsed_us {
                let key = (item.to, item.layer, item.endpoint);
                before.entry(key).or_default().push(elapsed);
            }
        }
        let usual_us = before
            .into_iter()
            .filter_map(|(key, mut values)| {
                values.sort_unstable();
                Some((key, super::statistics::percentile(&values, 95)?))
            })
            .collect();
        Self { usual_us }
    }

    /// Whether a call took so much longer than usual, and so much of the one it was made for, that it is the reason.
    fn explains(&self, inner: &Item, outer: &Item) -> bool {
        const LONGER: i64 = 3;
        let Some(usual) = self.usual_us.get(&(inner.to, inner.layer, inner.endpoint)) else {
            return false;
        };
        let (Some(inside), Some(whole)) = (inner.elapsed_us, outer.elapsed_us) else {
            return false;
        };
        inside > usual.saturating_mul(LONGER) && inside.saturating_mul(2) >= whole
    }
}

type Descent = (usize, Way, bool);

/// Down from a failing call to the last that explains it, with the edges on the way, and whether the last step was
/// to a call that was only slow.
fn descend(
    traffic: &Traffic,
    nesting: &Nesting,
    explained: &HashMap<usize, Vec<usize>>,
    slow: &Slow,
    from: usize,
) -> Descent {
    /// Deeper chains are circles.
    const DEEPEST: usize = 32;
    let mut at = from;
    let mut path = Vec::new();
    for _ in 0..DEEPEST {
        let Some(item) = traffic.items.get(at) else { break };
        path.push((item.from, item.to, item.layer));
        // A connection that was refused explains the request that failed over it; of several calls the last.
        let next = explained
            .get(&at)
            .into_iter()
            .flatten()
            .copied()
            .filter(|child| *child != at)
            .max_by_key(|child| traffic.items.get(*child).map(Item::end_us));
        if let Some(child) = next {
            at = child;
            continue;
        }
        let long = nesting
            .children(at)
            .iter()
            .copied()
            .filter_map(|child| Some((child, traffic.items.get(child)?)))
            .filter(|(_, inner)| slow.explains(inner, item))
            .max_by_key(|(_, inner)| inner.elapsed_us);
        if let Some((child, inner)) = long {
            path.push((inner.from, inner.to, inner.layer));
            return (child, path, true);
        }
        break;
    }
    (at, path, false)
}
