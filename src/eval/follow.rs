//! Follows a recorded session loosely: every request gets the answer that the recording has for it, in whatever order
//! today's code asks. So a run goes on beyond its first divergence, and the difference between both can be shown whole.

use std::collections::{HashMap, VecDeque};

use super::transcript::operation;
use crate::{
    investigation::{Action, Answer, Failure, Observation},
    journal::{Entry, Journal, JournalError},
};

/// What the recording has for one request.
enum Given {
    /// Of a call to a tool.
    Answer(Answer),
    /// The whole action could not be performed.
    Unavailable(Failure),
    /// Of an action that is no call.
    Whole(Observation),
}

impl Given {
    /// A copy for whoever asks the same once more; none of a list of calls, which nobody has to ask for twice.
    fn kept(&self) -> Option<Self> {
        const SMALL_BYTES: u64 = 4096;
        Some(match self {
            Self::Answer(answer) if answer.bytes > SMALL_BYTES => return None,
            Self::Answer(answer) => Self::Answer(answer.clone()),
            Self::Unavailable(failure) => Self::Unavailable(failure.clone()),
            Self::Whole(observation) => Self::Whole(observation.clone()),
        })
    }
}

/// The answers of a recording, by what was asked.
pub(super) struct Followed {
    answers: HashMap<String, VecDeque<Given>>,
    /// The answer to the request that was appended last.
    next: Option<Observation>,
    /// What was asked that the recording has no answer to.
    missing: Option<String>,
    entries: usize,
}

impl Followed {
    /// Of the entries of a recording, in their order.
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut answers: HashMap<String, VecDeque<Given>> = HashMap::new();
        let mut asked: Option<Action> = None;
        for entry in entries {
            match entry {
                Entry::Requested { action, .. } => asked = Some(action),
                Entry::Observed { observation } => {
                    let Some(action) = asked.take() else { continue };
                    for (key, given) in keys(&action).into_iter().zip(taken_apart(observation, &action)) {
                        answers.entry(key).or_default().push_back(given);
                    }
                }
                Entry::Opened { .. } | Entry::Moved { .. } | Entry::Closed { .. } => {}
            }
        }
        Self {
            answers,
            next: None,
            missing: None,
            entries: 0,
        }
    }

    /// What was asked that the recording has no answer to: there a replay ends.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    fn given(&mut self, key: &str) -> Option<Given> {
        let queue = self.answers.get_mut(key)?;
        let given = queue.pop_front()?;
        if queue.is_empty() {
            // Of what is asked again and again, a job's status, the last answer holds.
            queue.extend(given.kept());
        }
        Some(given)
    }

    fn answer(&mut self, action: &Action) -> Option<Observation> {
        let mut answers = Vec::new();
        for key in keys(action) {
            match self.given(&key) {
                Some(Given::Whole(observation)) => return Some(observation),
                Some(Given::Unavailable(failure)) => return Some(Observation::Unavailable { failure }),
                Some(Given::Answer(answer)) => answers.push(answer),
                None => {
                    self.missing = Some(key);
                    return None;
                }
            }
        }
        Some(Observation::Answers { answers })
    }
}

/// What a request is known by.
fn keys(action: &Action) -> Vec<String> {
    match action {
        Action::Connect => vec!["connect".to_owned()],
        Action::Query { calls, .. } => calls.iter().map(operation).collect(),
        Action::Wait { then, .. } => vec![operation(then)],
        // One role is asked in an order; what is in the prompt is not its name.
        Action::Consult { consultation } => vec![format!("consult the model: {}", consultation.role)],
        Action::AskUser { choices, .. } => vec![format!("ask the user: {}", choices.join(" | "))],
    }
}

fn taken_apart(observation: Observation, action: &Action) -> Vec<Given> {
    match observation {
        Observation::Answers { answers } => answers.into_iter().map(Given::Answer).collect(),
        Observation::Unavailable { failure } => keys(action)
            .iter()
            .map(|_| Given::Unavailable(failure.clone()))
            .collect(),
        whole => vec![Given::Whole(whole)],
    }
}

impl Journal for Followed {
    fn append(&mut self, entry: Entry) -> Result<(), JournalError> {
        self.entries += 1;
        match &entry {
            Entry::Requested { action, rulings } if rulings.iter().all(|ruling| ruling.refused.is_none()) => {
                self.next = self.answer(action);
            }
            Entry::Observed { .. } if self.missing.is_some() => {
                return Err(JournalError::Exhausted(self.entries));
            }
            _ => {}
        }
        Ok(())
    }

    fn recorded_entries_left(&self) -> bool {
        true
    }

    fn recorded(&mut self) -> Option<Observation> {
        self.next.take()
    }
}
