//! A second opinion: a model argues against the leading suspect. What the recorded calls bear out takes from the
//! confidence; nothing that it says adds to it, and nothing changes the verdict.

use serde_json::json;

use super::{handoff::Handoff, write::Write};
use crate::investigation::{
    case::Case,
    consult::{Asking, Heard, Role, answers, digest, found_since, opinion, present},
    finding::{Finding, Verdict},
    machine::{Phase, Plan, Seen, State, Step},
};

#[derive(Clone, Debug)]
pub struct Challenge {
    finding: Box<Finding>,
    asking: Box<Asking>,
}

/// Objections taken.
const TAKEN: usize = 4;

impl Challenge {
    /// The first state after the weighing.
    pub fn next(case: &mut Case, finding: Finding) -> State {
        if !present(case, Phase::Challenge) || finding.verdict != Verdict::RootCause {
            return after(case, finding);
        }
        let facts = digest(case);
        let task = json!({ "found": found_since(case), "leading": leading(case, &finding), "doubts": finding.because });
        let asking = Box::new(Asking::new(case, Role::Weigh, facts, task));
        State::Challenge(Self {
            finding: Box::new(finding),
            asking,
        })
    }
}

/// The leading suspect as the model is told of it.
pub(super) fn leading(case: &Case, finding: &Finding) -> Vec<String> {
    finding
        .causes
        .iter()
        .map(|cause| {
            let number = case
                .opinion
                .parties
                .iter()
                .position(|party| party == &cause.party)
                .map_or_else(String::new, |index| format!("P{} ", index + 1));
            let kind = serde_json::to_value(cause.kind)
                .ok()
                .and_then(|kind| kind.as_str().map(str::to_owned))
                .unwrap_or_default();
            let began = cause
                .onset
                .map(|onset| format!(", from {}", case.settings.clock().bare(onset)))
                .unwrap_or_default();
            let cited: Vec<String> = cause.evidence.iter().take(8).map(ToString::to_string).collect();
            format!("{number}{kind}{began} [{}]", cited.join(" "))
        })
        .collect()
}

/// What follows the second opinion, or its absence.
fn after(case: &mut Case, finding: Finding) -> State {
    let finding = opinion::apply(case, finding);
    let wanted = case.settings.pcap && case.settings.playbook.has(Phase::Handoff);
    if wanted && finding.verdict == Verdict::RootCause {
        State::Handoff(Handoff::new(finding))
    } else {
        Write::next(case, finding)
    }
}

impl Step for Challenge {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(self.asking.action())
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let finding = &self.finding;
        let heard = self.asking.hear::<answers::Weigh>(case, seen, |case, said| {
            super::one_stands(&said.objections, |item| opinion::objection(case, finding, item))
        });
        match heard {
            Heard::Again(asking) => {
                return State::Challenge(Self {
                    finding: self.finding.clone(),
                    asking,
                });
            }
            Heard::Nothing => {}
            Heard::Answer(said) => {
                for item in said.objections.into_iter().take(TAKEN) {
                    match opinion::objection(case, finding, &item) {
                        Ok(objection) => case.opinion.objections.push(objection),
                        Err(why) => case.reject(Role::Weigh, "grounded", &why),
                    }
                }
            }
        }
        after(case, (*self.finding).clone())
    }

    fn refused(&self, case: &mut Case, _: &str) -> State {
        after(case, (*self.finding).clone())
    }
}
