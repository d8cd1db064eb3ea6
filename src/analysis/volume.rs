//! How much is asked: surges, calls that stopped, calls that go elsewhere, calls repeated.

use std::collections::BTreeMap;

use super::{
    layer::Layer,
    nesting::Nesting,
    traffic::{Side, Traffic},
};

/// Something about the amount of calls that changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum VolumeChange {
    /// A caller asks many times as often as before, of its own accord.
    Surge {
        from: usize,
        to: usize,
        /// Calls a minute before and during.
        before: f64,
        during: f64,
    },
    /// A caller is asked as before and no longer asks in turn.
    Stopped {
        from: usize,
        to: usize,
        layer: Layer,
        /// As many as before would have been, and what came.
        expected: f64,
        seen: u64,
    },
    /// What a caller asked of one it now asks of another, by the same endpoints.
    Misrouted {
        from: usize,
        was: usize,
        now: usize,
        calls: u64,
    },
    /// A caller asks many times for each time it is asked.
    Amplified {
        from: usize,
        to: usize,
        /// Calls out for each call in that makes any, before and during.
        before: f64,
        during: f64,
    },
}

/// Fewer calls than this say nothing about how many there should be.
const ENOUGH: f64 = 8.0;

/// What changed in the amount of calls. The lengths of both sides are in seconds; rates are only comparable where
/// `traffic` holds every call of both.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
pub(super) fn volume_changes(
    traffic: &Traffic,
    nesting: &Nesting,
    (quiet, loud): (f64, f64),
) -> Vec<VolumeChange> {
    if quiet < 1.0 || loud < 1.0 {
        return Vec::new();
    }
    let mut into: BTreeMap<usize, [u64; 2]> = BTreeMap::new();
    let mut edges: BTreeMap<(usize, usize, Layer), [u64; 2]> = BTreeMap::new();
    let mut fine: BTreeMap<(usize, usize, usize), [u64; 2]> = BTreeMap::new();
    for item in traffic.items.iter().filter(|item| item.layer.is_request()) {
        let side = usize::from(item.side == Side::During);
        into.entry(item.to).or_default()[side] += 1;
        edges.entry((item.from, item.to, item.layer)).or_default()[side] += 1;
        fine.entry((item.from, item.to, item.endpoint)).or_default()[side] += 1;
    }
    let mut changes = Vec::new();
    for ((from, to, layer), [before, during]) in &edges {
        let (before, seen) = (*before as f64, *during as f64);
        let asked = into.get(from).copied().unwrap_or_default();
        let fed = asked[0] as f64 >= ENOUGH && asked[1] as f64 >= ENOUGH;
        if fed {
            let expected = before / asked[0] as f64 * asked[1] as f64;
            if expected >= ENOUGH && seen <= 0.1 * expected {
                changes.push(VolumeChange::Stopped {
                    from: *from,
                    to: *to,
                    layer: *layer,
                    expected,
                    seen: *during,
                });
            }
        } else if let Some((was, is)) = surge((before, quiet), (seen, loud)) {
            changes.push(VolumeChange::Surge {
                from: *from,
                to: *to,
                before: was,
                during: is,
            });
        }
    }
    changes.extend(surges_of_endpoints(&changes, &into, &fine, (quiet, loud)));
    changes.extend(misrouted(traffic, &fine));
    changes.extend(amplified(traffic, nesting));
    changes
}

/// Callers that ask the same endpoint several times where they asked it once, for each call they answer that asks it at all.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn amplified(traffic: &Traffic, nesting: &Nesting) -> Vec<VolumeChange> {
    const REPEATED: f64 = 2.5;
    const LEAST: f64 = 2.0;
    // (caller, callee, endpoint) -> [(calls out, calls in that made any); before, during]
    let mut counts: BTreeMap<(usize, usize, usize), [(u64, u64); 2]> = BTreeMap::new();
    for (at, item) in traffic.items.iter().enumerate() {
        let mut out: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        for child in nesting
            .children(at)
            .iter()
            .filter_map(|child| traffic.items.get(*child))
        {
            if child.layer.is_request() {
                *out.entry((child.to, child.endpoint)).or_default() += 1;
            }
        }
        let side = usize::from(item.side == Side::During);
        for ((to, endpoint), number) in out {
            let count = &mut counts.entry((item.to, to, endpoint)).or_default()[side];
            count.0 += number;
            count.1 += 1;
        }
    }
    let mut most: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
    for ((from, to, _), [before, during]) in counts {
        if before.1 < 5 || during.1 < 3 {
            continue;
        }
        let (was, is) = (
            before.0 as f64 / before.1 as f64,
            during.0 as f64 / during.1 as f64,
        );
        if is >= REPEATED * was && is >= LEAST {
            let largest = most.entry((from, to)).or_default();
            if is > largest.1 {
                *largest = (was, is);
            }
        }
    }
    most.into_iter()
        .map(|((from, to), (before, during))| VolumeChange::Amplified {
            from,
            to,
            before,
            during,
        })
        .collect()
}

/// Calls a minute before and during, where they are many times as many: by factor, and beyond what counts do by
/// chance. Each side is (calls, seconds).
fn surge((before, quiet): (f64, f64), (seen, loud): (f64, f64)) -> Option<(f64, f64)> {
    const SURGE: f64 = 2.5;
    let (was, is) = (before / quiet * 60.0, seen / loud * 60.0);
    // Four standard deviations of both counts as well: a rate of a few calls doubles by itself.
    let sure = (is - was) > 4.0 * (is / loud * 60.0 + was / quiet * 60.0).sqrt();
    // Journeys come in bursts of seconds.
    let long = loud >= 20.0 && quiet >= 20.0;
    (long && seen >= 3.0 * ENOUGH && before >= 1.0 && is >= SURGE * was && sure).then_some((was, is))
}

/// A caller that asks one thing many times as often, where all its calls together do not show it.
#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn surges_of_endpoints(
    known: &[VolumeChange],
    into: &BTreeMap<usize, [u64; 2]>,
    fine: &BTreeMap<(usize, usize, usize), [u64; 2]>,
    (quiet, loud): (f64, f64),
) -> Vec<VolumeChange> {
    let mut largest: BTreeMap<(usize, usize), (f64, f64)> = BTreeMap::new();
    for ((from, to, _), [before, during]) in fine {
        let asked = into.get(from).is_some_and(|asked| asked[0] as f64 >= ENOUGH);
        let told = known.iter().any(
            |change| matches!(change, VolumeChange::Surge { from: f, to: t, .. } if f == from && t == to),
        );
        if asked || told {
            continue;
        }
        if let Some((was, is)) = surge((*before as f64, quiet), (*during as f64, loud)) {
            let most = largest.entry((*from, *to)).or_default();
            if is - was > most.1 - most.0 {
                *most = (was, is);
            }
        }
    }
    largest
        .into_iter()
        .map(|((from, to), (before, during))| VolumeChange::Surge {
            from,
            to,
            before,
            during,
        })
        .collect()
}

/// Endpoints that a caller asked of one party before and of another one since, where both are callees of it.
fn misrouted(traffic: &Traffic, fine: &BTreeMap<(usize, usize, usize), [u64; 2]>) -> Vec<VolumeChange> {
    const FEWEST: u64 = 5;
    let mut moved: BTreeMap<(usize, usize, usize), u64> = BTreeMap::new();
    for ((from, was, endpoint), [before, during]) in fine {
        // It went down to a tenth at least, and came up elsewhere where it had never been.
        if *before < FEWEST || during * 10 > *before || traffic.endpoint(*endpoint).is_empty() {
            continue;
        }
        for ((other, now, same), [old, new]) in fine {
            if other == from && same == endpoint && now != was && *old == 0 && *new >= FEWEST {
                *moved.entry((*from, *was, *now)).or_default() += new;
            }
        }
    }
    moved
        .into_iter()
        .map(|((from, was, now), calls)| VolumeChange::Misrouted {
            from,
            was,
            now,
            calls,
        })
        .collect()
}
