//! The simple rules that people use instead, for comparison.

use std::collections::BTreeMap;

use crate::analysis::{Party, Picture, percentile};

/// A rule that ranks services by one number.
pub struct Rule {
    pub name: &'static str,
    /// What it ranks by; more is more suspicious.
    value: fn(&Picture, &Party) -> f64,
}

/// Most failing answers; greatest rise of the 95th percentile; deepest service whose share of failures rose.
pub const RULES: [Rule; 3] = [
    Rule {
        name: "most errors",
        value: most_errors,
    },
    Rule {
        name: "p95 rise",
        value: rise,
    },
    Rule {
        name: "deepest failing",
        value: deepest,
    },
];

impl Rule {
    /// The services that the rule names, the first one first.
    pub fn ranking(&self, picture: &Picture) -> Vec<Party> {
        let mut ranked: Vec<(f64, Party)> = picture
            .called()
            .into_iter()
            .map(|party| ((self.value)(picture, party), party.clone()))
            .filter(|(value, _)| *value > 0.0)
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        ranked.into_iter().map(|(_, party)| party).collect()
    }
}

/// Requests of all layers into a party: (calls, failing) before and during, latencies before and during.
fn into(picture: &Picture, party: &Party) -> ([(u64, u64); 2], [Vec<i64>; 2]) {
    let mut counts = [(0, 0); 2];
    let mut latencies: [Vec<i64>; 2] = Default::default();
    for (key, edge) in &picture.edges {
        if &key.to != party || !key.layer.is_request() {
            continue;
        }
        for (side, tally) in [&edge.before, &edge.during].into_iter().enumerate() {
            if let (Some(count), Some(values)) = (counts.get_mut(side), latencies.get_mut(side)) {
                count.0 += tally.calls;
                count.1 += tally.failing;
                values.extend(&tally.latencies_us);
            }
        }
    }
    for values in &mut latencies {
        values.sort_unstable();
    }
    (counts, latencies)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of calls")]
fn most_errors(picture: &Picture, party: &Party) -> f64 {
    into(picture, party).0[1].1 as f64
}

#[expect(clippy::cast_precision_loss, reason = "latencies in µs")]
fn rise(picture: &Picture, party: &Party) -> f64 {
    let (_, [before, during]) = into(picture, party);
    match (percentile(&before, 95), percentile(&during, 95)) {
        (Some(was), Some(is)) => (is - was) as f64,
        _ => 0.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of calls and of hops")]
fn deepest(picture: &Picture, party: &Party) -> f64 {
    let share = |(calls, failing): (u64, u64)| {
        if calls == 0 {
            0.0
        } else {
            failing as f64 / calls as f64
        }
    };
    let ([before, during], _) = into(picture, party);
    if during.1 == 0 || share(during) <= share(before) {
        return 0.0;
    }
    depths(picture).get(party).copied().unwrap_or(0) as f64 + share(during)
}

/// The longest way to each party from where nobody calls, circles cut.
fn depths(picture: &Picture) -> BTreeMap<Party, usize> {
    let mut depths: BTreeMap<Party, usize> = BTreeMap::new();
    let parties = picture.called().len();
    for _ in 0..parties {
        let mut changed = false;
        for key in picture
            .edges
            .keys()
            .filter(|key| key.layer.is_request() && key.from != key.to)
        {
            let depth = depths.get(&key.from).copied().unwrap_or(0) + 1;
            let known = depths.entry(key.to.clone()).or_default();
            if depth > *known && depth <= parties {
                *known = depth;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    depths
}
