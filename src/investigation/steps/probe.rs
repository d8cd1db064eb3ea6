//! The model asks: first what its hypotheses want to know, then one query after the other, until it concludes, repeats
//! itself, or has asked enough. What it learns is evidence; the analysis rests on its own queries alone.

use serde_json::json;

use super::{answers as answers_of, weigh::Weigh};
use crate::{
    investigation::{
        action::Action,
        case::Case,
        consult::{
            Asking, Heard, Proposed, Role, answers, digest, found_since, opinion, present, propose, result_of,
        },
        machine::{Phase, Plan, Seen, State, Step},
    },
    wire::Operation,
};

#[derive(Clone, Debug)]
pub struct Probe {
    /// What was asked and what came of it, as the model is told.
    log: Vec<String>,
    /// Questions to the model that are left.
    rounds: u32,
    /// Proposals that were refused or repeated.
    strikes: u32,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Ask(Box<Asking>),
    Query { shown: String, calls: Vec<Operation> },
}

/// Questions to the model, and refusals after which it is not asked again.
const ROUNDS: u32 = 4;
const STRIKES: u32 = 3;

impl Probe {
    /// The first state after the program's own narrowing.
    pub fn next(case: &mut Case) -> State {
        if !present(case, Phase::Probe) {
            return State::Weigh(Weigh::new(case));
        }
        let _ = digest(case);
        let probe = Progress {
            log: Vec::new(),
            rounds: ROUNDS,
            strikes: 0,
        };
        probe.advance(case)
    }
}

/// A probe between two stages.
struct Progress {
    log: Vec<String>,
    rounds: u32,
    strikes: u32,
}

impl Progress {
    fn at(self, stage: Stage) -> State {
        State::Probe(Probe {
            log: self.log,
            rounds: self.rounds,
            strikes: self.strikes,
            stage,
        })
    }

    /// The next query that was asked for, or the next question to the model, or the end.
    fn advance(mut self, case: &mut Case) -> State {
        while !case.opinion.queued.is_empty() {
            let query = case.opinion.queued.remove(0);
            match propose(case, &query) {
                Proposed::Ask { shown, calls } => return self.at(Stage::Query { shown, calls }),
                Proposed::Known { shown, told } => {
                    self.strikes += 1;
                    case.reject(Role::Narrow, "fresh-query", &format!("asked again: {shown}"));
                    self.log.push(format!("{shown}: {told}"));
                }
                Proposed::Not(why) => {
                    self.strikes += 1;
                    case.reject(Role::Narrow, "model-tools", &why);
                    self.log.push(format!("refused: {why}"));
                }
            }
        }
        if self.rounds == 0 || self.strikes >= STRIKES || !present(case, Phase::Probe) {
            return State::Weigh(Weigh::new(case));
        }
        self.rounds -= 1;
        let facts = digest(case);
        let task = json!({ "found": found_since(case), "log": self.log, "left": self.rounds });
        let asking = Box::new(Asking::new(case, Role::Narrow, facts, task));
        self.at(Stage::Ask(asking))
    }
}

impl Probe {
    fn progress(&self) -> Progress {
        Progress {
            log: self.log.clone(),
            rounds: self.rounds,
            strikes: self.strikes,
        }
    }
}

impl Step for Probe {
    fn plan(&self, _: &Case) -> Plan {
        Plan::Act(match &self.stage {
            Stage::Ask(asking) => asking.action(),
            Stage::Query { shown, calls } => Action::Query {
                why: format!("the model asks: {shown}"),
                calls: calls.clone(),
            },
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        let mut progress = self.progress();
        let asking = match &self.stage {
            Stage::Query { shown, calls } => {
                let Ok(answers) = answers_of(seen) else {
                    return State::Weigh(Weigh::new(case));
                };
                let told = result_of(case, calls, &answers);
                progress.log.push(format!("{shown}: {told}"));
                return progress.advance(case);
            }
            Stage::Ask(asking) => asking,
        };
        let heard = asking.hear::<answers::Narrow>(case, seen, |case, said| match said.action.as_str() {
            "conclude" => opinion::conclusion(case, said).map(|_| ()),
            _ => Ok(()),
        });
        match heard {
            Heard::Again(asking) => progress.at(Stage::Ask(asking)),
            Heard::Nothing => State::Weigh(Weigh::new(case)),
            Heard::Answer(said) if said.action == "conclude" => {
                case.opinion.conclusion = opinion::conclusion(case, &said).ok();
                State::Weigh(Weigh::new(case))
            }
            Heard::Answer(said) => {
                case.opinion.queued.push(said.query());
                progress.advance(case)
            }
        }
    }

    fn refused(&self, case: &mut Case, why: &str) -> State {
        let Stage::Query { shown, .. } = &self.stage else {
            return State::Weigh(Weigh::new(case));
        };
        let mut progress = self.progress();
        progress.strikes += 1;
        progress.log.push(format!("{shown}: refused, {why}"));
        progress.advance(case)
    }
}
