//! From the survey to hypotheses, by a model: who may be at fault, what would refute it, and the next query.

use serde_json::json;

use super::narrow::Narrow;
use crate::investigation::{
    case::Case,
    consult::{Asking, Heard, Role, answers, digest, opinion, present},
    machine::{Phase, Plan, Seen, State, Step},
};

#[derive(Clone, Debug)]
pub struct Hypothesise {
    asking: Box<Asking>,
}

/// Hypotheses taken, and queries of theirs that are asked.
const TAKEN: usize = 3;
const QUEUED: usize = 2;

impl Hypothesise {
    /// The first state after the survey, where something is abnormal.
    pub fn next(case: &mut Case) -> State {
        if !present(case, Phase::Hypothesise) || case.diagnosis.suspects.is_empty() {
            return State::Narrow(Narrow::new(case));
        }
        let facts = digest(case);
        let asking = Box::new(Asking::new(case, Role::Hypothesise, facts, json!({})));
        State::Hypothesise(Self { asking })
    }
}

impl Step for Hypothesise {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(self.asking.action())
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let heard = self
            .asking
            .hear::<answers::Hypothesise>(case, seen, |case, said| {
                super::one_stands(&said.hypotheses, |item| opinion::hypothesis(case, item))
            });
        match heard {
            Heard::Again(asking) => {
                return State::Hypothesise(Self { asking });
            }
            Heard::Nothing => {}
            Heard::Answer(said) => {
                for item in said.hypotheses.into_iter().take(TAKEN) {
                    match opinion::hypothesis(case, &item) {
                        Ok(hypothesis) => {
                            case.opinion.hypotheses.push(hypothesis);
                            case.opinion.queued.extend(item.next);
                        }
                        Err(why) => case.reject(Role::Hypothesise, "grounded", &why),
                    }
                }
                case.opinion.queued.truncate(QUEUED);
            }
        }
        State::Narrow(Narrow::new(case))
    }

    fn refused(&self, case: &mut Case, _: &str) -> State {
        State::Narrow(Narrow::new(case))
    }
}
