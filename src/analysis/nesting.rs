//! Which call was made on behalf of which: by trace headers where they exist, else by time and instance.
//!
//! A call that an instance makes while it answers another one was made for that one. With several to choose from it
//! goes to the one that is not waiting already and acted last: handlers mostly call one thing after the other, and
//! go on at once when an answer arrives (the observation behind M. K. Aguilera et al., "Performance Debugging for
//! Distributed Systems of Black Boxes", SOSP 2003, section 4, here for one pass over the calls in the order of time). Single links
//! may be wrong where an instance answers much at once; sums over many calls are not, since every nested call is
//! subtracted from exactly one enclosing one.

use std::collections::HashMap;

use super::{
    layer::Layer,
    traffic::{Item, Traffic},
};

/// Clocks and rounding of one capture, µs: Kubeshark tells times in ms.
pub(super) const TOLERANCE_US: i64 = 1_500;

/// For every item the one it was made for.
#[derive(Clone, Debug, Default)]
pub(super) struct Nesting {
    parent: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

impl Nesting {
    /// Links the items of `traffic`, which are in the order of time.
    pub(super) fn of(traffic: &Traffic) -> Self {
        let items = &traffic.items;
        let mut parent = vec![None; items.len()];
        let mut children = vec![Vec::new(); items.len()];
        // Calls being answered, by instance; when each last acted.
        let mut open: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut acted: Vec<i64> = items.iter().map(|item| item.start_us).collect();
        for (at, item) in items.iter().enumerate() {
            if let Some(answering) = open.get_mut(&item.from_instance) {
                answering.retain(|other| {
                    items
                        .get(*other)
                        .is_some_and(|outer| outer.open_until_us() + TOLERANCE_US >= item.start_us)
                });
                let best = answering
                    .iter()
                    .copied()
                    .filter_map(|other| Some((other, items.get(other)?)))
                    .filter(|(other, outer)| *other != at && encloses(outer, item))
                    .min_by_key(|(other, outer)| {
                        let same_trace = item.trace.is_some() && item.trace == outer.trace;
                        let since = item.start_us - acted.get(*other).copied().unwrap_or(0);
                        let waiting = since < -TOLERANCE_US;
                        let cut = item.end_us() > outer.open_until_us() + TOLERANCE_US;
                        (!same_trace, cut, waiting, since.abs())
                    })
                    .map(|(other, _)| other);
                if let Some(outer) = best {
                    if let Some(slot) = parent.get_mut(at) {
                        *slot = Some(outer);
                    }
                    if let Some(list) = children.get_mut(outer) {
                        list.push(at);
                    }
                    if let Some(last) = acted.get_mut(outer) {
                        *last = (*last).max(item.end_us());
                    }
                }
            }
            if item.layer.is_request() {
                open.entry(item.to_instance).or_default().push(at);
            }
        }
        Self { parent, children }
    }

    pub(super) fn parent(&self, at: usize) -> Option<usize> {
        self.parent.get(at).copied().flatten()
    }

    pub(super) fn children(&self, at: usize) -> &[usize] {
        self.children.get(at).map_or(&[], Vec::as_slice)
    }

    /// Time that an item spent in its callee itself, nested calls taken out, as the caller saw it, µs.
    pub(super) fn own_us(&self, traffic: &Traffic, at: usize) -> Option<i64> {
        let item = traffic.items.get(at)?;
        let elapsed = item.elapsed_us?;
        let mut spans: Vec<(i64, i64)> = self
            .children(at)
            .iter()
            .filter_map(|child| traffic.items.get(*child))
            .filter(|child| child.layer != Layer::Tcp)
            .map(|child| {
                // Who was never answered was waited for, as far as is known to the end.
                let end = child.elapsed_us.map_or(i64::MAX, |_| child.end_us());
                (child.start_us.max(item.start_us), end.min(item.end_us()))
            })
            .collect();
        spans.sort_unstable();
        let (mut nested, mut reached) = (0, i64::MIN);
        for (start, end) in spans {
            nested += (end - start.max(reached)).max(0);
            reached = reached.max(end);
        }
        Some((elapsed - nested).max(0))
    }
}

/// Whether `inner` may have been made while `outer` was being answered. One that was given up ends later.
fn encloses(outer: &Item, inner: &Item) -> bool {
    let differ = outer.trace.is_some() && inner.trace.is_some() && outer.trace != inner.trace;
    outer.to_instance == inner.from_instance
        && outer.start_us <= inner.start_us + TOLERANCE_US
        && outer.open_until_us() + TOLERANCE_US >= inner.start_us
        && !differ
}
