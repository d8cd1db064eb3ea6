//! In which way a party that failures end in is at fault, if it is that party at all: some of what fails at a callee
//! is its caller's doing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        failures::Blame,
        layer::Layer,
        nesting::TOLERANCE_US,
        outcome::Outcome,
        picture::{EdgeKey, Party},
        statistics::{percentile, rose},
        traffic::Side,
        volume::VolumeChange,
    },
    Desk, Mechanism,
};

impl Desk<'_> {
    /// Who is at fault where calls fail at a party, and how: mostly the party.
    pub(super) fn mechanism(&self, blame: &Blame, edges: &[EdgeKey]) -> (Party, Mechanism) {
        let party = self.party(blame.party);
        let main = blame
            .outcomes
            .iter()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map_or(Outcome::Good, |(outcome, _)| *outcome);
        if blame.slow > 0.5 * blame.own || main == Outcome::Good {
            return (party, Mechanism::Slow);
        }
        if let Some((after_us, usual_us)) = self.gives_up_itself(blame) {
            return (party, Mechanism::GivesUp { after_us, usual_us });
        }
        if let Some(change) = self
            .volume
            .iter()
            .find(|change| matches!(change, VolumeChange::Misrouted { now, .. } if *now == blame.party))
            && let VolumeChange::Misrouted { was, calls, .. } = change
        {
            let meant = self.party(*was);
            return (
                meant,
                Mechanism::Misrouted {
                    to: party,
                    calls: *calls,
                },
            );
        }
        let callers: BTreeSet<&Party> = edges.iter().map(|key| &key.from).collect();
        let only = match callers.iter().next() {
            Some(caller) if callers.len() == 1 && !caller.is_outside() => Some((*caller).clone()),
            _ => None,
        };
        if let Some(caller) = &only
            && let Some(retries) = self.retries(blame, caller)
        {
            return (caller.clone(), retries);
        }
        if let (Outcome::ClientError | Outcome::Denied, Some(caller)) = (main, &only) {
            return (caller.clone(), Mechanism::AsksWrongly(main));
        }
        if let (Outcome::NoAnswer, Some(caller)) = (main, &only)
            && let Some((after_us, usual_us)) = self.given_up(blame)
        {
            return (caller.clone(), Mechanism::GivesUp { after_us, usual_us });
        }
        let layer = edges
            .iter()
            .map(|key| key.layer)
            .find(|layer| *layer == Layer::Tcp)
            .or(edges.first().map(|key| key.layer))
            .unwrap_or(Layer::Http);
        (party, Mechanism::Failing(layer, main))
    }

    /// How soon a party gave up on its callee that answers, and what an answer usually takes, where nobody could have
    /// answered in time: it failed before the answer came.
    fn gives_up_itself(&self, blame: &Blame) -> Option<(i64, i64)> {
        let mut waited: Vec<i64> = Vec::new();
        let mut callees: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for at in &blame.calls {
            let item = self.traffic.items.get(*at)?;
            let cut = self
                .nesting
                .children(*at)
                .iter()
                .filter_map(|child| self.traffic.items.get(*child))
                .filter(|child| child.layer.is_request())
                .find(|child| child.elapsed_us.is_none() || child.end_us() > item.end_us() + TOLERANCE_US);
            if let Some(child) = cut {
                waited.push((item.end_us() - child.start_us).max(0));
                *callees.entry((child.to, child.endpoint)).or_default() += 1;
            }
        }
        let (callee, count) = callees.into_iter().max_by_key(|(_, count)| *count)?;
        if count < 3 || count * 2 < blame.calls.len() {
            return None;
        }
        let usual: Vec<i64> = self
            .traffic
            .items
            .iter()
            .filter(|item| (item.to, item.endpoint) == callee && item.side == Side::Before)
            .filter_map(|item| item.elapsed_us)
            .collect();
        too_soon(waited, usual, 95)
    }

    /// Whether the only caller of what fails just repeats it: many more calls for each one it answers, while no larger
    /// share of what it answers meets a failure.
    fn retries(&self, blame: &Blame, caller: &Party) -> Option<Mechanism> {
        let (before, during) = self.volume.iter().find_map(|change| match change {
            VolumeChange::Amplified {
                from,
                to,
                before,
                during,
            } if *to == blame.party && &self.party(*from) == caller => Some((*before, *during)),
            _ => None,
        })?;
        // Calls into the caller, and those of them that met a failure of the callee. [before, during]
        let (mut met, mut all) = ([BTreeSet::new(), BTreeSet::new()], [0_u64; 2]);
        for (at, item) in self.traffic.items.iter().enumerate() {
            let side = usize::from(item.side == Side::During);
            if &self.party(item.to) == caller && item.layer.is_request() {
                all[side] += 1;
            }
            if item.to == blame.party && item.failing() {
                met[side].extend(self.nesting.parent(at));
            }
        }
        let counts = [0, 1].map(|side| (met[side].len() as u64, all[side]));
        (!rose(counts[0], counts[1])).then_some(Mechanism::Retries { before, during })
    }

    /// How soon a caller gave up on calls without an answer, and what an answer usually takes, where the former is
    /// less: then nobody could have answered in time.
    fn given_up(&self, blame: &Blame) -> Option<(i64, i64)> {
        let mut waited: Vec<i64> = Vec::new();
        let mut usual: Vec<i64> = Vec::new();
        let endpoints: BTreeSet<usize> = blame
            .calls
            .iter()
            .filter_map(|at| Some(self.traffic.items.get(*at)?.endpoint))
            .collect();
        for at in &blame.calls {
            let item = self.traffic.items.get(*at)?;
            let parent = self
                .nesting
                .parent(*at)
                .and_then(|parent| self.traffic.items.get(parent));
            if let Some(parent) = parent.filter(|parent| parent.elapsed_us.is_some()) {
                waited.push((parent.end_us() - item.start_us).max(0));
            }
        }
        for item in &self.traffic.items {
            if item.to == blame.party && item.side == Side::Before && endpoints.contains(&item.endpoint) {
                usual.extend(item.elapsed_us);
            }
        }
        too_soon(waited, usual, 90)
    }
}

/// How long was waited and what an answer usually takes, medians in µs, where the wait is shorter than what `percent` of
/// the answers take at most, or than twice the median. `None` where too few of either are known.
fn too_soon(mut waited: Vec<i64>, mut usual: Vec<i64>, percent: usize) -> Option<(i64, i64)> {
    waited.sort_unstable();
    usual.sort_unstable();
    let after = percentile(&waited, 50)?;
    let half = percentile(&usual, 50)?;
    let most = percentile(&usual, percent)?;
    (waited.len() >= 3 && usual.len() >= 5 && after < most.max(half.saturating_mul(2)))
        .then_some((after, half))
}
