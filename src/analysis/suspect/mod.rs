//! Who is behind it: what failures, latency, amounts and connections say, put into one ranking.

use std::collections::{BTreeMap, BTreeSet};

mod mechanism;

use super::{
    compare::{Thresholds, compare},
    failures::{Failures, failures},
    incident::{Incident, incident},
    latency::{Slowness, slowness},
    layer::Layer,
    nesting::Nesting,
    outcome::{Outcome, outcome},
    picture::{Edge, EdgeKey, Party, Picture},
    traffic::Traffic,
    volume::{VolumeChange, volume_changes},
};
use crate::{
    time::{Utc, Window},
    wire::decode::Call,
};

/// In which way a suspect is thought to cause what was seen.
#[derive(Clone, Debug, PartialEq)]
pub enum Mechanism {
    /// Its answers fail, mostly in this way, by this layer.
    Failing(Layer, Outcome),
    /// It takes its time itself.
    Slow,
    /// It is slow to answer and slow to ask at once: short of processor time, or behind a bad link.
    Starved,
    /// Time is lost on the way to and from it.
    Network,
    /// It gives up earlier than its callee usually answers, µs.
    GivesUp { after_us: i64, usual_us: i64 },
    /// It asks what its callee rejects, and its callee answers others.
    AsksWrongly(Outcome),
    /// It repeats what fails: calls out for each call in.
    Retries { before: f64, during: f64 },
    /// It asks many times as often as before, calls a minute.
    Surge { before: f64, during: f64 },
    /// It no longer makes calls that it used to make for each call it answers.
    Stopped { expected: f64, seen: u64 },
    /// What was meant for it went to another party.
    Misrouted { to: Party, calls: u64 },
}

/// A party that may be behind what was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    pub party: Party,
    pub mechanism: Mechanism,
    /// The abnormal edges that show it: into it, or out of it where it is the caller who is at fault.
    pub edges: Vec<EdgeKey>,
    /// Edges from where people noticed down to the party.
    pub path: Vec<EdgeKey>,
    /// Abnormal edges that lead to it, its own included.
    pub explains: BTreeSet<EdgeKey>,
    /// For the ranking only: more is more suspicious. Of the first one at most 2.
    pub score: f64,
    /// Share of the new failures at the top that end here, 0 to 1; of a suspect by latency, how its step compares
    /// with the largest one.
    pub share: f64,
    /// Abnormal calls that it explains.
    pub weight: u64,
    /// Its own failing calls, by position in [`Picture::calls`].
    pub calls: Vec<usize>,
    pub slowness: Option<Slowness>,
    /// The first abnormal call on its edges.
    pub onset: Option<Utc>,
}

/// What the recorded traffic says on the whole.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// Ranked, the strongest first.
    pub suspects: Vec<Suspect>,
}

/// A step of latency below this log ratio, or below this rise, is no cause of anything.
const LEAST_STEP: f64 = 0.6;
const LEAST_RISE_US: i64 = 10_000;

/// Compares the calls of `picture` in both stretches and ranks who may be behind the difference. `searched` says that
/// `during` was chosen as the most striking stretch: then it has to stand out from the others as well.
pub fn diagnose(
    picture: &Picture,
    before: &[Window],
    during: &Window,
    thresholds: &Thresholds,
    searched: bool,
) -> Diagnosis {
    let traffic = Traffic::new(&picture.calls, before, during);
    let nesting = Nesting::of(&traffic);
    let seconds = traffic.seconds();
    let failures = failures(&traffic, &nesting, picture, thresholds, seconds);
    let slow = slowness(&traffic, &nesting, searched);
    let volume = if picture.whole {
        volume_changes(&traffic, &nesting, seconds)
    } else {
        Vec::new()
    };
    let mut desk = Desk {
        traffic: &traffic,
        nesting: &nesting,
        abnormal: picture
            .edges
            .iter()
            .filter(|(_, edge)| compare(&edge.before, &edge.during, thresholds).is_abnormal())
            .collect(),
        picture,
        failures: &failures,
        volume: &volume,
        suspects: Vec::new(),
    };
    desk.by_failures(thresholds);
    desk.by_latency(&slow);
    desk.by_volume();
    let mut suspects = desk.suspects;
    suspects.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.onset.is_none().cmp(&b.onset.is_none()))
            .then_with(|| a.onset.cmp(&b.onset))
            .then_with(|| a.party.cmp(&b.party))
    });
    Diagnosis { suspects }
}

/// When what happened in the window began and ended, from the calls of `picture`.
pub fn incident_in(picture: &Picture, before: &[Window], during: &Window) -> Option<Incident> {
    let traffic = Traffic::new(&picture.calls, before, during);
    incident(&traffic, during)
}

/// What the ranking is made from.
struct Desk<'a> {
    traffic: &'a Traffic,
    nesting: &'a Nesting,
    picture: &'a Picture,
    abnormal: BTreeMap<&'a EdgeKey, &'a Edge>,
    failures: &'a Failures,
    volume: &'a [VolumeChange],
    suspects: Vec<Suspect>,
}

impl Desk<'_> {
    fn party(&self, number: usize) -> Party {
        self.traffic.party(number).cloned().unwrap_or_else(Party::outside)
    }

    /// The suspect with this party, or a new one.
    fn add(&mut self, suspect: Suspect) {
        match self
            .suspects
            .iter_mut()
            .find(|other| other.party == suspect.party)
        {
            Some(other) => {
                other.score += suspect.score;
                other.slowness = other.slowness.take().or(suspect.slowness);
                for edge in suspect.edges {
                    if !other.edges.contains(&edge) {
                        other.edges.push(edge);
                    }
                }
            }
            None => self.suspects.push(suspect),
        }
    }

    fn suspect(&self, party: Party, mechanism: Mechanism, edges: Vec<EdgeKey>, score: f64) -> Suspect {
        let (explains, weight) = explained(&edges, &self.abnormal);
        let onset = edges
            .iter()
            .filter_map(|key| self.picture.edges.get(key)?.onset.as_ref())
            .map(|onset| onset.at)
            .min();
        Suspect {
            path: path_to(&edges, &self.abnormal),
            party,
            mechanism,
            edges,
            explains,
            score,
            share: 0.0,
            weight,
            calls: Vec::new(),
            slowness: None,
            onset,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of calls"
    )]
    fn by_failures(&mut self, thresholds: &Thresholds) {
        let symptoms = self.failures.symptoms.round() as u64;
        if symptoms < thresholds.failing_calls.min(3) {
            return;
        }
        for blame in &self.failures.blames {
            if blame.share <= 0.0 || blame.calls.is_empty() {
                continue;
            }
            let mut edges: Vec<EdgeKey> = Vec::new();
            for at in &blame.calls {
                let key = self
                    .traffic
                    .items
                    .get(*at)
                    .and_then(|item| self.traffic.key(item));
                if let Some(key) = key.filter(|key| !edges.contains(key)) {
                    edges.push(key);
                }
            }
            let (party, mechanism) = self.mechanism(blame, &edges);
            let mut suspect = self.suspect(party, mechanism, edges, blame.share);
            let path: Vec<EdgeKey> = blame
                .path
                .iter()
                .map(|(from, to, layer)| EdgeKey {
                    from: self.party(*from),
                    to: self.party(*to),
                    layer: *layer,
                })
                .collect();
            if path.len() >= suspect.path.len() {
                suspect.path = path;
            }
            suspect.share = blame.share;
            suspect.weight = blame.symptoms.round() as u64;
            suspect.calls = blame
                .calls
                .iter()
                .filter_map(|at| Some(self.traffic.items.get(*at)?.call))
                .collect();
            self.add(suspect);
        }
    }

    fn by_latency(&mut self, slow: &[Slowness]) {
        let worth = |slow: &&Slowness| {
            let rise = slow
                .own
                .map_or(0, |(step, _)| step.rise_us())
                .max(slow.gap.map_or(0, |step| step.rise_us()));
            slow.score >= LEAST_STEP && rise >= LEAST_RISE_US
        };
        let Some(largest) = slow.iter().filter(worth).map(|slow| slow.score).reduce(f64::max) else {
            return;
        };
        // Where calls fail outright, failing says more than being slow.
        let say = if self.failures.symptoms >= 3.0 { 0.5 } else { 1.0 };
        for slow in slow.iter().filter(worth) {
            let party = self.party(slow.party);
            if party.is_outside() {
                continue;
            }
            let edges: Vec<EdgeKey> = self
                .picture
                .edges
                .keys()
                .filter(|key| key.to == party && key.layer != Layer::Tcp)
                .cloned()
                .collect();
            let own = slow.own.map_or(0.0, |(step, _)| step.log_ratio) * slow.own_share;
            // Whatever it is asked, it takes longer; or it is slow to ask as well.
            let everything = slow.endpoints.1 >= 2 && slow.endpoints.0 == slow.endpoints.1;
            let asking = slow.out_of.0 >= 2 && slow.out_of.0 * 2 > slow.out_of.1;
            let mechanism = if asking || (everything && own * 2.0 >= slow.score) {
                Mechanism::Starved
            } else if own * 2.0 >= slow.score {
                Mechanism::Slow
            } else {
                Mechanism::Network
            };
            let share = slow.score / largest;
            let mut suspect = self.suspect(party, mechanism, edges, share * say);
            suspect.share = share;
            suspect.slowness = Some(slow.clone());
            self.add(suspect);
        }
    }

    fn by_volume(&mut self) {
        let trouble = !self.suspects.is_empty();
        let changes = self.volume.to_vec();
        for change in &changes {
            match change {
                VolumeChange::Surge {
                    from,
                    to,
                    before,
                    during,
                } => {
                    let edges = vec![self.edge(*from, *to)];
                    let mechanism = Mechanism::Surge {
                        before: *before,
                        during: *during,
                    };
                    // What is slow or fails under several times the load is so because of the load.
                    let score = if trouble { 1.5 } else { 1.0 };
                    let mut suspect = self.suspect(self.party(*from), mechanism, edges, score);
                    suspect.share = 1.0;
                    self.add(suspect);
                }
                // A caller that fails before it would have called says nothing by not calling.
                VolumeChange::Stopped {
                    from,
                    to,
                    layer,
                    expected,
                    seen,
                } if !trouble => {
                    let edges = vec![EdgeKey {
                        from: self.party(*from),
                        to: self.party(*to),
                        layer: *layer,
                    }];
                    let mechanism = Mechanism::Stopped {
                        expected: *expected,
                        seen: *seen,
                    };
                    let mut suspect = self.suspect(self.party(*from), mechanism, edges, 0.8);
                    suspect.share = 1.0;
                    self.add(suspect);
                }
                VolumeChange::Stopped { .. }
                | VolumeChange::Misrouted { .. }
                | VolumeChange::Amplified { .. } => {}
            }
        }
    }

    fn edge(&self, from: usize, to: usize) -> EdgeKey {
        let (from, to) = (self.party(from), self.party(to));
        let layer = self
            .picture
            .edges
            .keys()
            .find(|key| key.from == from && key.to == to && key.layer.is_request())
            .map_or(Layer::Http, |key| key.layer);
        EdgeKey { from, to, layer }
    }
}

/// Abnormal edges from which these are reached, with their abnormal calls.
fn explained(edges: &[EdgeKey], abnormal: &BTreeMap<&EdgeKey, &Edge>) -> (BTreeSet<EdgeKey>, u64) {
    let mut explains: BTreeSet<EdgeKey> = edges.iter().cloned().collect();
    let mut reached: BTreeSet<&Party> = edges.iter().map(|key| &key.from).collect();
    let mut front: Vec<&Party> = reached.iter().copied().collect();
    while let Some(to) = front.pop() {
        for key in abnormal.keys().filter(|key| &key.to == to) {
            explains.insert((*key).clone());
            if reached.insert(&key.from) {
                front.push(&key.from);
            }
        }
    }
    let weight = explains
        .iter()
        .filter_map(|key| abnormal.get(key))
        .map(|edge| abnormal_calls(edge))
        .sum();
    (explains, weight)
}

/// Failing calls; on an edge that is only slower, the calls of the slower half.
fn abnormal_calls(edge: &Edge) -> u64 {
    if edge.during.failing > 0 {
        edge.during.failing
    } else {
        edge.during.calls / 2
    }
}

/// Walks from the edges to their callers, each time along the edge with most abnormal calls.
fn path_to(edges: &[EdgeKey], abnormal: &BTreeMap<&EdgeKey, &Edge>) -> Vec<EdgeKey> {
    let mut path: Vec<EdgeKey> = Vec::new();
    let first = edges.iter().max_by_key(|key| {
        (
            abnormal.contains_key(key),
            abnormal.get(key).map(|edge| abnormal_calls(edge)),
        )
    });
    let Some(first) = first else { return path };
    let mut seen: BTreeSet<&Party> = BTreeSet::from([&first.to, &first.from]);
    let mut at = &first.from;
    path.push(first.clone());
    while let Some((key, _)) = abnormal
        .iter()
        .filter(|(key, _)| &key.to == at && key.layer.is_request() && !seen.contains(&key.from))
        .max_by_key(|(key, edge)| (leads_on(&key.from, abnormal), abnormal_calls(edge)))
    {
        path.push((*key).clone());
        seen.insert(&key.from);
        at = &key.from;
    }
    path.reverse();
    path
}

/// Whether the party is itself called abnormally: such a caller leads towards the people who noticed.
fn leads_on(party: &Party, abnormal: &BTreeMap<&EdgeKey, &Edge>) -> bool {
    abnormal.keys().any(|key| &key.to == party)
}

/// The outcome that most failing calls on these edges had, or `None` where none failed.
pub fn kind_of(edges: &[EdgeKey], picture: &Picture) -> Option<(Layer, Outcome)> {
    let mut counts: BTreeMap<(Layer, Outcome), u64> = BTreeMap::new();
    for key in edges {
        let failing: &[Call] = picture.edges.get(key).map_or(&[], |edge| &edge.failing);
        for call in failing {
            *counts.entry((key.layer, outcome(call))).or_default() += 1;
        }
    }
    // Connections that were refused explain requests that failed, never the other way round.
    let refused = counts.iter().find(|((layer, outcome), _)| {
        *layer == Layer::Tcp && matches!(outcome, Outcome::Refused | Outcome::Unanswered)
    });
    refused
        .or_else(|| counts.iter().max_by_key(|(_, count)| **count))
        .map(|(kind, _)| *kind)
}
