//! Is it the network? Packets that had to be sent again, by pod and by node.
//!
//! A place (a pod, a node) loses packets where its connections had to send again several times as often as before and
//! it accounts for nearly all that was sent again. Of two that do, the one with the larger share of bad connections
//! is named, so that a peer with good connections to others goes free; a node only where several of its pods are bad.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    outcome::{Outcome, outcome, party},
    picture::Party,
    traffic::Side,
};
use crate::{
    time::Utc,
    wire::decode::{Call, Peer},
};

/// Where packets are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Lossy {
    pub place: Place,
    /// Packets that connections of the place had to send again, and those connections.
    pub before: (u64, u64),
    pub during: (u64, u64),
    /// The same of connections that do not touch the place, during.
    pub elsewhere: (u64, u64),
    /// Who talks to the place over connections that lost packets.
    pub peers: BTreeSet<Party>,
    /// Connection attempts of the place that nobody answered.
    pub unanswered: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A pod with the party that it belongs to.
    Pod {
        party: Party,
        pod: String,
    },
    Node(String),
}

#[derive(Default)]
struct Counts {
    before: (u64, u64),
    during: (u64, u64),
    /// Connections that had to send again.
    bad: u64,
    /// As the one who is called, rather than the caller.
    called: u64,
    unanswered: u64,
    bad_pods: BTreeSet<String>,
    peers: BTreeSet<Party>,
}

/// Nearly all of what was sent again, from which share on.
const NEARLY_ALL: f64 = 0.8;
/// Fewer packets sent again happen anywhere.
const FEWEST: u64 = 6;
/// Times as many for each connection as before.
const FACTOR: f64 = 5.0;

/// On which side a connection is: one that reaches into the incident belongs to it.
pub fn side_of(call: &Call, onset: Utc) -> Side {
    let lasted = call
        .elapsed_us
        .or(call.tcp.as_ref().and_then(|tcp| tcp.connection_time_us))
        .unwrap_or(0);
    if call.ts + chrono::TimeDelta::microseconds(lasted.max(0)) >= onset {
        Side::During
    } else {
        Side::Before
    }
}

/// The place where packets are lost, if they are lost in one place. Of connections with their side.
#[expect(clippy::cast_precision_loss, reason = "numbers of connections and packets")]
pub fn lossy(connections: &[(Side, &Call)]) -> Option<Lossy> {
    let mut places: BTreeMap<Place, Counts> = BTreeMap::new();
    let (mut all, mut quiet) = ((0_u64, 0_u64), (0_u64, 0_u64));
    for (side, call) in connections {
        let Some(tcp) = &call.tcp else { continue };
        let again = u64::try_from(tcp.retransmissions.unwrap_or(0)).unwrap_or(0);
        let during = *side == Side::During;
        let total = if during { &mut all } else { &mut quiet };
        total.0 += again;
        total.1 += 1;
        let (ends, mut touched) = ([&call.src, &call.dst], BTreeSet::new());
        for (index, peer) in ends.into_iter().enumerate() {
            let other = ends[1 - index];
            for place in places_of(peer) {
                let counts = places.entry(place.clone()).or_default();
                if during && again > 0 {
                    counts.peers.insert(party(other));
                    counts.bad_pods.extend(peer.pod.clone());
                }
                if touched.insert(place) {
                    let of = if during {
                        &mut counts.during
                    } else {
                        &mut counts.before
                    };
                    of.0 += again;
                    of.1 += 1;
                    if during {
                        counts.bad += u64::from(again > 0);
                        counts.called += u64::from(index == 1);
                        counts.unanswered += u64::from(outcome(call) == Outcome::Unanswered);
                    }
                }
            }
        }
    }
    let each = |(again, connections): (u64, u64)| (again as f64) / connections.max(1) as f64;
    let grew = |before: (u64, u64), during: (u64, u64)| {
        // Half a packet more before: nothing at all says little about how few.
        during.0 >= FEWEST
            && each(during) >= FACTOR * each((before.0, before.1)).max(0.5 / before.1.max(1) as f64)
    };
    if !grew(quiet, all) {
        return None;
    }
    let mut bad: Vec<(f64, bool, u64, Place, Counts)> = places
        .into_iter()
        .filter(|(_, counts)| {
            counts.during.0 as f64 >= NEARLY_ALL * all.0 as f64 && grew(counts.before, counts.during)
        })
        .map(|(place, counts)| {
            let share = counts.bad as f64 / counts.during.1.max(1) as f64;
            let node = matches!(place, Place::Node(_));
            (share, node, counts.called, place, counts)
        })
        .filter(|(_, node, _, _, counts)| !node || counts.bad_pods.len() >= 2)
        .collect();
    bad.sort_by(|a, b| {
        a.1.cmp(&b.1)
            .then_with(|| b.0.total_cmp(&a.0))
            .then_with(|| b.2.cmp(&a.2))
            .then_with(|| a.3.cmp(&b.3))
    });
    let (_, _, _, place, counts) = bad.into_iter().next()?;
    Some(Lossy {
        place,
        before: counts.before,
        during: counts.during,
        elsewhere: (all.0 - counts.during.0, all.1 - counts.during.1),
        peers: counts.peers,
        unanswered: counts.unanswered,
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
