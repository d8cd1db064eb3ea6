//! A sample of calls, made ready to be compared: ends and endpoints by number, times in µs, nested calls linked.

use std::collections::{BTreeSet, HashMap};

use super::{
    endpoint::endpoint,
    layer::Layer,
    outcome::{Outcome, ends, outcome},
    picture::{EdgeKey, Party},
};
use crate::{
    time::Window,
    wire::decode::{Call, Peer},
};

/// Which side of the comparison a call is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Before,
    During,
}

/// One call by numbers into [`Traffic`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    /// Into the calls that the traffic was made of.
    pub call: usize,
    /// Into [`Traffic::parties`].
    pub from: usize,
    pub to: usize,
    /// The instance (pod, else the party) that called, and that was called.
    pub from_instance: usize,
    pub to_instance: usize,
    pub layer: Layer,
    /// Into [`Traffic::endpoints`].
    pub endpoint: usize,
    /// Unix µs.
    pub start_us: i64,
    /// From the request to the end of the response as the caller saw it, µs; `None` without an answer.
    pub elapsed_us: Option<i64>,
    /// The same as the callee saw it, where both ends were captured, µs.
    pub server_us: Option<i64>,
    pub outcome: Outcome,
    pub side: Side,
    /// Two calls of one trace have the same number, where headers tell.
    pub trace: Option<u64>,
}

impl Item {
    /// When it was over, as far as is known, Unix µs.
    pub(super) fn end_us(&self) -> i64 {
        self.start_us.saturating_add(self.elapsed_us.unwrap_or(0).max(0))
    }

    /// Until when it may have been worked on: a call without an answer for as long as callers usually wait.
    pub(super) fn open_until_us(&self) -> i64 {
        const PATIENCE_US: i64 = 10_000_000;
        match self.elapsed_us {
            Some(_) => self.end_us(),
            None => self.start_us.saturating_add(PATIENCE_US),
        }
    }

    pub(super) fn failing(&self) -> bool {
        self.outcome != Outcome::Good
    }

    /// Time lost between the two ends, µs, where both saw the call.
    pub(super) fn gap_us(&self) -> Option<i64> {
        Some(self.elapsed_us?.saturating_sub(self.server_us?).max(0))
    }
}

/// Calls in the order of time, with what their numbers stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    pub parties: Vec<Party>,
    /// "POST /charge"; the empty text where a call has no path.
    pub endpoints: Vec<String>,
    pub items: Vec<Item>,
}

/// Gives out numbers.
struct Numbers<K>(HashMap<K, usize>);

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: std::hash::Hash + Eq> Numbers<K> {
    fn of(&mut self, key: K) -> usize {
        let next = self.0.len();
        *self.0.entry(key).or_insert(next)
    }

    fn into_list(self) -> Vec<K> {
        let mut list: Vec<(usize, K)> = self.0.into_iter().map(|(key, number)| (number, key)).collect();
        list.sort_by_key(|(number, _)| *number);
        list.into_iter().map(|(_, key)| key).collect()
    }
}

impl Traffic {
    /// Indexes calls: those of `before` and `during`, the rest is left out. Protocols that are not understood are left
    /// out too. The order of `calls` does not matter.
    pub(super) fn new(calls: &[Call], before: &[Window], during: &Window) -> Self {
        let mut parties: Numbers<Party> = Numbers::default();
        let mut instances: Numbers<(usize, Option<String>)> = Numbers::default();
        let mut endpoints: Numbers<String> = Numbers::default();
        let mut order: Vec<usize> = (0..calls.len()).collect();
        order.sort_by(|a, b| {
            let key = |at: &usize| calls.get(*at).map(|call| (call.ts, &call.id));
            key(a).cmp(&key(b))
        });
        let mut items = Vec::with_capacity(calls.len());
        for index in order {
            let Some(call) = calls.get(index) else { continue };
            let side = if during.contains(call.ts) {
                Side::During
            } else if before.iter().any(|part| part.contains(call.ts)) {
                Side::Before
            } else {
                continue;
            };
            let Some(layer) = Layer::of(call) else { continue };
            let (from, to) = ends(call);
            let (from, to) = (parties.of(from), parties.of(to));
            let instance = |peer: &Peer| peer.pod.clone().filter(|pod| !pod.is_empty());
            items.push(Item {
                call: index,
                from,
                to,
                from_instance: instances.of((from, instance(&call.src))),
                to_instance: instances.of((to, instance(&call.dst))),
                layer,
                endpoint: endpoints.of(endpoint(call).unwrap_or_default()),
                start_us: call.ts.timestamp_micros(),
                elapsed_us: call.elapsed_us,
                server_us: call.server_elapsed_us,
                outcome: outcome(call),
                side,
                trace: trace(call),
            });
        }
        Self {
            parties: parties.into_list(),
            endpoints: endpoints.into_list(),
            items,
        }
    }

    pub(super) fn party(&self, number: usize) -> Option<&Party> {
        self.parties.get(number)
    }

    pub(super) fn endpoint(&self, number: usize) -> &str {
        self.endpoints.get(number).map_or("", String::as_str)
    }

    /// The edge of an item.
    pub(super) fn key(&self, item: &Item) -> Option<EdgeKey> {
        Some(EdgeKey {
            from: self.party(item.from)?.clone(),
            to: self.party(item.to)?.clone(),
            layer: item.layer,
        })
    }

    /// How long there was traffic before and during, s: stretches of which nothing at all was recorded are no time in
    /// which anything could have happened.
    #[expect(clippy::cast_precision_loss, reason = "numbers of seconds")]
    pub(super) fn seconds(&self) -> (f64, f64) {
        const BIN_US: i64 = 5_000_000;
        let of = |side: Side| {
            let bins: BTreeSet<i64> = self
                .items
                .iter()
                .filter(|item| item.side == side && item.layer.is_request())
                .map(|item| item.start_us.div_euclid(BIN_US))
                .collect();
            bins.len() as f64 * BIN_US as f64 / 1e6
        };
        (of(Side::Before), of(Side::During))
    }
}

/// The number of the trace that headers name: W3C Trace Context, B3, Jaeger, or a request id that proxies pass on.
fn trace(call: &Call) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash, Hasher};

    let header = |wanted: &str| {
        let mut found = call
            .request_headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.next().map(|(_, value)| value.as_str())
    };
    let id = header("traceparent")
        .and_then(|value| value.split('-').nth(1))
        .or_else(|| header("x-b3-traceid"))
        .or_else(|| header("b3").and_then(|value| value.split('-').next()))
        .or_else(|| header("uber-trace-id").and_then(|value| value.split(':').next()))
        .or_else(|| header("x-request-id"))
        .filter(|id| id.len() >= 8)?;
    let mut hasher = DefaultHasher::new();
    id.to_ascii_lowercase().hash(&mut hasher);
    Some(hasher.finish())
}
