//! What prose may say: names, times and numbers as slots that code fills from the finding and the evidence.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answers::About;
use crate::{
    analysis::{Party, Suspect, Tally},
    investigation::{
        case::Case,
        evidence::EvidenceId,
        finding::{Cause, Finding},
        words,
    },
};

/// All slots of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    slots: Vec<Slot>,
}

/// One slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// "cause.service", "hop1.at", "E3.matching".
    pub name: String,
    pub value: String,
    /// Which sentences may use it.
    about: Vec<About>,
}

/// Facts of evidence that become slots, and slots in all: a prompt is no dump.
const COUNTS: &[&str] = &["abnormal", "failing", "matching"];
const SLOTS: usize = 36;
const HOPS: usize = 5;
const LISTED: usize = 3;

impl Slots {
    /// The slots of a finding. Times are local with UTC beside.
    pub fn of(case: &Case, finding: &Finding) -> Self {
        let mut slots = Vec::new();
        for (index, cause) in finding.causes.iter().take(2).enumerate() {
            let prefix = if index == 0 {
                "cause".to_owned()
            } else {
                format!("cause{}", index + 1)
            };
            of_cause(case, cause, &prefix, &mut slots);
        }
        let clock = case.settings.clock();
        let mut add = |name: String, value: &str, about: &[About]| {
            if !value.is_empty() {
                slots.push(Slot {
                    name,
                    value: value.to_owned(),
                    about: about.to_vec(),
                });
            }
        };
        for (index, reading) in case.opinion.readings.iter().take(2).enumerate() {
            let name = format!("read{}.quote", index + 1);
            add(
                name,
                &format!("`{}`", reading.quote),
                &[About::Cause, About::Spread],
            );
        }
        for (index, hop) in finding.path.iter().take(HOPS).enumerate() {
            let n = index + 1;
            let about = &[About::Spread];
            add(format!("hop{n}.from"), &called(&hop.from), about);
            add(format!("hop{n}.to"), &hop.to.name, about);
            add(format!("hop{n}.at"), &clock.at(hop.first_abnormal), about);
        }
        for (index, impact) in finding.impact.iter().take(LISTED).enumerate() {
            let n = index + 1;
            add(
                format!("impact{n}.service"),
                &called(&impact.party),
                &[About::Impact],
            );
            add(format!("impact{n}.what"), &impact.what, &[About::Impact]);
        }
        for (index, ruled) in finding.ruled_out.iter().take(LISTED).enumerate() {
            let n = index + 1;
            add(format!("ruled{n}.service"), &ruled.party.name, &[About::RuledOut]);
            add(format!("ruled{n}.reason"), &ruled.reason, &[About::RuledOut]);
        }
        for about in [About::Cause, About::Spread, About::Impact] {
            for id in evidence(finding, about) {
                facts(case, &id, about, &mut slots);
            }
        }
        slots.truncate(SLOTS);
        Self { slots }
    }

    /// The value of a slot, for a sentence about this.
    pub fn value(&self, name: &str, about: About) -> Result<&str, String> {
        let Some(slot) = self.slots.iter().find(|slot| slot.name == name) else {
            return Err(format!("there is no slot `{name}`"));
        };
        if about == About::Advice || slot.about.contains(&about) {
            Ok(&slot.value)
        } else {
            Err(format!(
                "the slot `{name}` does not belong into a sentence about {}",
                about.name()
            ))
        }
    }

    /// As a model sees them: name and value on a line.
    pub fn shown(&self) -> Value {
        let line = |slot: &Slot| format!("{} = {}", slot.name, super::digest::line(&slot.value, 140));
        json!(self.slots.iter().map(line).collect::<Vec<_>>())
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// A party as a sentence names it.
fn called(party: &Party) -> String {
    if party.is_outside() {
        "callers outside the cluster".to_owned()
    } else {
        party.name.clone()
    }
}

/// The evidence that sentences about this may cite.
pub(super) fn evidence(finding: &Finding, about: About) -> BTreeSet<EvidenceId> {
    let of = |lists: Vec<&Vec<EvidenceId>>| lists.into_iter().flatten().cloned().collect();
    match about {
        About::Cause => of(finding.causes.iter().map(|cause| &cause.evidence).collect()),
        About::Spread => of(finding.path.iter().map(|hop| &hop.evidence).collect()),
        About::Impact => of(finding.impact.iter().map(|impact| &impact.evidence).collect()),
        About::RuledOut => of(finding.ruled_out.iter().map(|ruled| &ruled.evidence).collect()),
        About::Advice => BTreeSet::new(),
    }
}

fn of_cause(case: &Case, cause: &Cause, prefix: &str, slots: &mut Vec<Slot>) {
    let clock = case.settings.clock();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            slots.push(Slot {
                name: format!("{prefix}.{name}"),
                value,
                about: vec![About::Cause, About::Spread],
            });
        }
    };
    add("service", Some(called(&cause.party)));
    add("workload", cause.workload.clone());
    add("endpoint", cause.endpoint.clone());
    add("onset", cause.onset.map(|at| clock.at(at)));
    add("ended", cause.ended.map(|at| clock.at(at)));
    let Some(suspect) = suspect(case, &cause.party) else {
        return;
    };
    let (before, during) = tallies(case, suspect);
    if during.failing > 0 {
        add("failing", Some(words::failing_of(&during)));
        add(
            "failing_before",
            (before.calls > 0).then(|| words::failing_of(&before)),
        );
    }
    if let Some(step) = suspect
        .slowness
        .as_ref()
        .and_then(|slow| slow.own.map(|(step, _)| step).or(slow.gap))
    {
        add("took", Some(words::latency(step.during_us)));
        add("took_before", Some(words::latency(step.before_us)));
    }
}

fn suspect<'a>(case: &'a Case, party: &Party) -> Option<&'a Suspect> {
    case.diagnosis
        .suspects
        .iter()
        .find(|suspect| &suspect.party == party)
}

/// Calls on the suspect's edges, added up.
fn tallies(case: &Case, suspect: &Suspect) -> (Tally, Tally) {
    let exact = || Tally {
        exact: true,
        ..Tally::default()
    };
    let (mut before, mut during) = (exact(), exact());
    for edge in suspect.edges.iter().filter_map(|key| case.picture.edges.get(key)) {
        for (sum, part) in [(&mut before, &edge.before), (&mut during, &edge.during)] {
            sum.calls += part.calls;
            sum.failing += part.failing;
            sum.exact &= part.exact;
        }
    }
    (before, during)
}

/// Numbers of one piece of evidence.
fn facts(case: &Case, id: &EvidenceId, about: About, slots: &mut Vec<Slot>) {
    let Some(evidence) = case.evidence.get(id) else {
        return;
    };
    for (fact, value) in evidence
        .facts
        .iter()
        .filter(|(name, _)| COUNTS.contains(&name.as_str()))
    {
        let Some(value) = value.as_u64() else { continue };
        let name = format!("{id}.{fact}");
        match slots.iter_mut().find(|slot| slot.name == name) {
            Some(slot) => slot.about.push(about),
            None => slots.push(Slot {
                name,
                value: words::number(value),
                about: vec![about],
            }),
        }
    }
}
