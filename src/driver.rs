//! Turns decisions into effects, and writes both down. The only loop in the program.

use std::{future::Future, pin::Pin};

use crate::{
    investigation::{Action, Machine, MachineError, Observation, Plan, Seen, State, guard},
    journal::{Closed, Entry, Journal, JournalError},
    wire::Operation,
};

/// A future that may be sent between threads.
pub type Performed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Performs actions. A call that fails is an observation; there is nothing else that can go wrong.
pub trait Effects: Send {
    fn perform<'a>(&'a mut self, action: &'a Action) -> Performed<'a, Observation>;

    /// Called once before the first action of a resumed run, with what the recorded part had
    /// recorded on the server: an embedded server that died with the process has to have it again.
    fn restore<'a>(&'a mut self, done: &'a [Operation]) -> Performed<'a, Result<(), String>>;
}

/// Watches a run: progress is a view of the journal.
pub trait Watch: Send {
    /// `replayed` tells entries that were recorded before from those that happen now.
    fn entry(&mut self, machine: &Machine, entry: &Entry, replayed: bool);
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn entry(&mut self, _: &Machine, _: &Entry, _: bool) {}
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error("could not restore what the interrupted run had made on the server: {0}")]
    Restore(String),
}

/// Runs the machine to its end, following what the journal has recorded and performing the rest.
pub async fn drive(
    machine: &mut Machine,
    opening: Entry,
    effects: &mut dyn Effects,
    journal: &mut dyn Journal,
    watch: &mut dyn Watch,
) -> Result<(), RunError> {
    journal.append(opening.clone())?;
    watch.entry(machine, &opening, journal.recorded_entries_left());
    let mut made: Vec<Operation> = Vec::new();
    let mut live = false;
    while let Some((plan, rulings)) = machine.plan() {
        let replayed = journal.recorded_entries_left();
        let moved = match plan {
            Plan::Decide => machine.settle(None, Seen::Nothing)?,
            Plan::Act(action) => {
                let refusal = guard::refusal(&rulings);
                let entry = Entry::Requested {
                    action: action.clone(),
                    rulings,
                };
                journal.append(entry.clone())?;
                watch.entry(machine, &entry, replayed);
                if let Some(refusal) = refusal {
                    machine.refuse(&refusal)?
                } else {
                    let recorded = journal.recorded();
                    let observation = if let Some(observation) = recorded {
                        note_made(&mut made, &action, &observation);
                        observation
                    } else {
                        if !std::mem::replace(&mut live, true) && !made.is_empty() {
                            effects.restore(&made).await.map_err(RunError::Restore)?;
                        }
                        effects.perform(&action).await
                    };
                    journal.append(Entry::Observed {
                        observation: observation.clone(),
                    })?;
                    let entry = Entry::Observed { observation };
                    watch.entry(machine, &entry, replayed);
                    let seen = match entry {
                        Entry::Observed { observation } => Seen::Observed(observation),
                        _ => Seen::Nothing,
                    };
                    machine.settle(Some(&action), seen)?
                }
            }
        };
        let entry = Entry::Moved { moved };
        journal.append(entry.clone())?;
        watch.entry(machine, &entry, replayed);
    }
    let closed = match machine.state() {
        State::Concluded(_) | State::Counted(_) | State::Finished(_) => Closed::Concluded,
        _ => Closed::Stopped,
    };
    let replayed = journal.recorded_entries_left();
    journal.append(Entry::Closed { closed })?;
    watch.entry(machine, &Entry::Closed { closed }, replayed);
    Ok(())
}

/// Keeps the operations that left something on the server.
fn note_made(made: &mut Vec<Operation>, action: &Action, observation: &Observation) {
    let Observation::Answers { answers } = observation else {
        return;
    };
    for (call, answer) in action.calls().iter().zip(answers) {
        let makes = matches!(
            call,
            Operation::CreateSnapshot { .. } | Operation::StartDissection { .. }
        );
        if makes && answer.result.is_ok() {
            made.push(call.clone());
        }
    }
}
