//! A question to the model, asked again with what was wrong with the answer.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Consultation, Rejected, Role, answers};
use crate::investigation::{
    action::{Action, Observation},
    case::Case,
    machine::Seen,
};

/// How often an answer that was not accepted is asked for again.
pub(in crate::investigation) const REPAIRS: usize = 1;

/// Characters of a rejected answer that go back to the model.
const SHOWN: usize = 600;

/// The name under which answers that were not accepted are listed beside the guards' refusals.
pub(super) const NOT_ACCEPTED: &str = "model-answer";

/// A question that is being asked.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::investigation) struct Asking {
    consultation: Consultation,
}

/// What came of it.
pub(in crate::investigation) enum Heard<T> {
    Answer(T),
    /// The answer was not accepted; this is the question with the reason.
    Again(Box<Asking>),
    /// There will be no answer.
    Nothing,
}

impl Asking {
    pub(in crate::investigation) fn new(case: &Case, role: Role, facts: Value, task: Value) -> Self {
        Self {
            consultation: Consultation::new(case, role, facts, task),
        }
    }

    pub(in crate::investigation) fn action(&self) -> Action {
        Action::Consult {
            consultation: Box::new(self.consultation.clone()),
        }
    }

    /// Reads what was observed. `check` says what is wrong with an answer of the right shape, in words for the model.
    pub(in crate::investigation) fn hear<T: DeserializeOwned>(
        &self,
        case: &mut Case,
        seen: Seen,
        check: impl FnOnce(&Case, &T) -> Result<(), String>,
    ) -> Heard<T> {
        let Seen::Observed(Observation::Replied { reply }) = seen else {
            return Heard::Nothing;
        };
        // What it failed with was counted when it was charged.
        let Ok(body) = reply.answer else {
            return Heard::Nothing;
        };
        let read = self
            .read::<T>(&body.value)
            .and_then(|answer| check(case, &answer).map(|()| answer));
        match read {
            Ok(answer) => Heard::Answer(answer),
            Err(why) => self.again(case, &body.value, why),
        }
    }

    /// Asks once more, with the reason, or gives up.
    fn again<T>(&self, case: &mut Case, answer: &Value, why: String) -> Heard<T> {
        let role = self.consultation.role;
        case.reject(role, NOT_ACCEPTED, &format!("{role}: {why}"));
        self.repair(answer, why)
            .map_or(Heard::Nothing, |again| Heard::Again(Box::new(again)))
    }

    /// The question with what was wrong with the answer; `None` where it was asked again before.
    pub(in crate::investigation) fn repair(&self, answer: &Value, why: String) -> Option<Self> {
        if self.consultation.rejected.len() >= REPAIRS {
            return None;
        }
        let answer = match answer {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut again = self.clone();
        again.consultation.rejected.push(Rejected {
            answer: answer.chars().take(SHOWN).collect(),
            why,
        });
        Some(again)
    }

    fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, String> {
        if value.to_string().contains(&self.consultation.canary) {
            return Err("the answer repeats the word that must not be written".to_owned());
        }
        if value.is_string() {
            return Err("the answer is not JSON; answer with one JSON object and nothing else".to_owned());
        }
        let schema = answers::schema(self.consultation.role);
        // Our own schema always compiles; if it did not, the reader below would still refuse what does not fit.
        if let Ok(validator) = jsonschema::validator_for(&schema) {
            let wrong: Vec<String> = validator
                .iter_errors(value)
                .take(3)
                .map(|error| {
                    let path = error.instance_path().to_string();
                    let place = if path.is_empty() {
                        "the answer"
                    } else {
                        path.as_str()
                    };
                    let said: String = error.to_string().chars().take(160).collect();
                    format!("{place}: {said}")
                })
                .collect();
            if !wrong.is_empty() {
                return Err(format!(
                    "the answer does not fit the schema: {}",
                    wrong.join("; ")
                ));
            }
        }
        serde_json::from_value(value.clone()).map_err(|error| format!("the answer cannot be read: {error}"))
    }
}
