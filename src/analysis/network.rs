//! Is it the network? Connections that lost packets, by pod and by node.
//!
//! A place (a pod, a node) is bad where its connections lose packets more often than they did before, connections
//! that do not touch it do not, and it accounts for nearly all that do. The smallest such place is named: a node only
//! where more than one of its pods is bad.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    outcome::party,
    picture::Party,
    statistics::rose,
    traffic::Side,
};
use crate::wire::decode::{Call, Peer};

/// Where packets are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Lossy {
    pub place: Place,
    /// Connections of the place that had to send something again, and all of them.
    pub before: (u64, u64),
    pub during: (u64, u64),
    /// The same of connections that do not touch the place, during.
    pub elsewhere: (u64, u64),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A pod with the party that it belongs to.
    Pod { party: Party, pod: String },
    Node(String),
}

#[derive(Default)]
struct Counts {
    before: (u64, u64),
    during: (u64, u64),
    /// Pods whose connections were bad during, and all.
    bad_pods: BTreeSet<String>,
    pods: BTreeSet<String>,
}

/// Nearly all bad connections, from which share on.
const NEARLY_ALL: f64 = 0.8;

/// The place where packets are lost, if they are lost in one place. Of connections with their side.
#[expect(clippy::cast_precision_loss, reason = "numbers of connections")]
pub fn lossy(connections: &[(Side, &Call)]) -> Option<Lossy> {
    let mut places: BTreeMap<Place, Counts> = BTreeMap::new();
    let (mut all, mut quiet) = ((0_u64, 0_u64), (0_u64, 0_u64));
    for (side, call) in connections {
        let Some(tcp) = &call.tcp else { continue };
        let bad = tcp.retransmissions.unwrap_or(0) > 0;
        let during = *side == Side::During;
        let total = if during { &mut all } else { &mut quiet };
        total.0 += u64::from(bad);
        total.1 += 1;
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for peer in [&call.src, &call.dst] {
            touched.extend(places_of(peer));
        }
        for place in touched {
            let counts = places.entry(place.clone()).or_default();
            let of = if during { &mut counts.during } else { &mut counts.before };
            of.0 += u64::from(bad);
            of.1 += 1;
            if let (Place::Node(node), true) = (&place, during) {
                for peer in [&call.src, &call.dst] {
                    if let (Some(pod), Some(true)) = (&peer.pod, peer.node.as_ref().map(|n| n == node)) {
                        counts.pods.insert(pod.clone());
                        if bad {
                            counts.bad_pods.insert(pod.clone());
                        }
                    }
                }
            }
        }
    }
    if !rose(quiet, all) {
        return None;
    }
    let mut bad: Vec<(f64, bool, Place, Counts)> = places
        .into_iter()
        .filter(|(_, counts)| {
            counts.during.0 as f64 >= NEARLY_ALL * all.0 as f64 && rose(counts.before, counts.during)
        })
        .map(|(place, counts)| {
            let share = counts.during.0 as f64 / counts.during.1.max(1) as f64;
            let node = matches!(place, Place::Node(_));
            (share, node, place, counts)
        })
        .filter(|(_, node, _, counts)| !node || counts.bad_pods.len() >= 2)
        .collect();
    bad.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| a.1.cmp(&b.1))
            .then_with(|| a.2.cmp(&b.2))
    });
    let (_, _, place, counts) = bad.into_iter().next()?;
    let elsewhere = (all.0 - counts.during.0, all.1 - counts.during.1);
    // Where the rest of the cluster loses as much, no place is to blame.
    (elsewhere.1 == 0 || rose(elsewhere, counts.during)).then_some(Lossy {
        place,
        before: counts.before,
        during: counts.during,
        elsewhere,
    })
}

fn places_of(peer: &Peer) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(pod) = peer.pod.clone().filter(|pod| !pod.is_empty()) {
        places.push(Place::Pod {
            party: party(peer),
            pod,
        });
    }
    if let Some(node) = peer.node.clone().filter(|node| !node.is_empty()) {
        places.push(Place::Node(node));
    }
    places
}
