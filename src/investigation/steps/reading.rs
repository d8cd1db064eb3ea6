//! What the error bodies of the first abnormal calls say, by a model: quoted, and held against the text.

use serde_json::json;

use super::probe::Probe;
use crate::investigation::{
    case::Case,
    consult::{Asking, Heard, Role, answers, digest, opinion, present, skeleton},
    machine::{Phase, Plan, Seen, State, Step},
};

#[derive(Clone, Debug)]
pub struct ReadBodies {
    asking: Box<Asking>,
}

/// Texts that are read.
const TEXTS: usize = 5;

impl ReadBodies {
    /// The first state after single calls were looked at.
    pub fn next(case: &mut Case) -> State {
        if !present(case, Phase::Read) || case.opinion.texts.is_empty() {
            return Probe::next(case);
        }
        let facts = digest(case);
        let texts: Vec<String> = case
            .opinion
            .texts
            .iter()
            .take(TEXTS)
            .map(|(id, text)| {
                let outcome = case
                    .evidence
                    .get(id)
                    .and_then(|evidence| evidence.facts.get("outcome")?.as_str())
                    .unwrap_or_default();
                let good = case.opinion.good.as_deref();
                format!("{id} (a call that {outcome}): {}", skeleton(text, good))
            })
            .collect();
        let task = json!({ "texts": texts });
        let asking = Box::new(Asking::new(case, Role::Read, facts, task));
        State::Read(Self { asking })
    }
}

impl Step for ReadBodies {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(self.asking.action())
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let heard = self.asking.hear::<answers::Read>(case, seen, |case, said| {
            super::one_stands(&said.readings, |item| opinion::reading(case, item))
        });
        match heard {
            Heard::Again(asking) => {
                return State::Read(Self { asking });
            }
            Heard::Nothing => {}
            Heard::Answer(said) => {
                for item in said.readings.into_iter().take(TEXTS) {
                    match opinion::reading(case, &item) {
                        Ok(reading) => case.opinion.readings.push(reading),
                        Err(why) => case.reject(Role::Read, "grounded", &why),
                    }
                }
            }
        }
        Probe::next(case)
    }

    fn refused(&self, case: &mut Case, _: &str) -> State {
        Probe::next(case)
    }
}
