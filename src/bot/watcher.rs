//! How far a case is, for its message: a view of the journal.

use super::blocks::ProgressFacts;
use crate::{
    driver::Watch,
    investigation::{Action, Case, Machine, Phase, Role, steps::window::retention},
    journal::Entry,
};

/// Lines of phases that are kept.
const LINES: usize = 24;

/// Collects what [`super::blocks::progress`] shows, and hands it on whenever it changes.
pub struct Watcher<F> {
    facts: ProgressFacts,
    changed: F,
}

impl<F: FnMut(&ProgressFacts) + Send> Watcher<F> {
    /// `changed` is called with the facts after every entry that changes them, also while a recorded part is read again;
    /// it must not block.
    pub fn new(changed: F) -> Self {
        Self {
            facts: ProgressFacts {
                phase: "Starting".to_owned(),
                ..ProgressFacts::default()
            },
            changed,
        }
    }

    pub fn facts(&self) -> &ProgressFacts {
        &self.facts
    }
}

impl<F: FnMut(&ProgressFacts) + Send> Watch for Watcher<F> {
    fn entry(&mut self, machine: &Machine, entry: &Entry, _replayed: bool) {
        let before = self.facts.clone();
        let case = machine.case();
        match entry {
            Entry::Requested { action, rulings } => {
                let refused = rulings.iter().any(|ruling| ruling.refused.is_some());
                if !refused {
                    phase(machine.state().phase()).clone_into(&mut self.facts.phase);
                    self.facts.waiting_for = doing(action);
                }
            }
            Entry::Moved { moved } if moved.from != moved.to => {
                let came = came(case, moved.from);
                if !came.is_empty() && self.facts.done.len() < LINES {
                    self.facts.done.push(came);
                }
                if moved.from == Phase::Window {
                    self.facts.notes = retention(case);
                }
                phase(moved.to).clone_into(&mut self.facts.phase);
                self.facts.waiting_for.clear();
            }
            Entry::Opened { .. } | Entry::Observed { .. } | Entry::Moved { .. } | Entry::Closed { .. } => {}
        }
        self.facts.calls = case.spent.calls;
        self.facts.most_calls = case.settings.playbook.budget.calls;
        self.facts.seconds = seconds(case);
        if self.facts != before {
            (self.changed)(&self.facts);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run lasts less than 2^52 ms")]
fn seconds(case: &Case) -> f64 {
    case.spent.millis as f64 / 1e3
}

/// What goes on in a phase, for somebody who does not know its name.
fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Preflight => "Checking Kubeshark",
        Phase::Intake | Phase::Window | Phase::Live => "Settling the time",
        Phase::Secure => "Freezing the recording",
        Phase::Index => "Dissecting the recording",
        Phase::Survey => "Looking at all calls",
        Phase::Hypothesise => "Thinking of causes",
        Phase::Narrow => "Following what is abnormal",
        Phase::Inspect | Phase::Read => "Reading the abnormal calls",
        Phase::Probe => "Asking further",
        Phase::Weigh => "Weighing the suspects",
        Phase::Challenge => "Arguing against the suspect",
        Phase::Handoff => "Exporting the packets",
        Phase::Write | Phase::Conclude => "Writing the report",
        Phase::Count | Phase::Ask => "Counting calls",
        Phase::Inventory => "Listing snapshots",
        Phase::Transfer => "Copying the snapshot",
        Phase::Recheck => "Asking again",
        Phase::Packets => "Getting the packets",
        Phase::Finished | Phase::Concluded | Phase::Counted => "Done",
        Phase::Stopped => "Stopped",
    }
}

fn doing(action: &Action) -> String {
    match action {
        Action::Connect => "connecting".to_owned(),
        Action::Query { why, calls } if calls.len() == 1 => why.clone(),
        Action::Query { why, calls } => format!("{why} ({} queries)", calls.len()),
        Action::Wait { why, .. } => why.clone(),
        Action::AskUser { question, .. } => question.clone(),
        Action::Consult { consultation } => match consultation.role {
            Role::Intake => "a model reads which time is meant",
            Role::Hypothesise => "a model says who may be at fault",
            Role::Read => "a model reads the error texts",
            Role::Narrow => "a model says what to ask next",
            Role::Weigh => "a model argues against the leading suspect",
            Role::Write => "a model writes the prose",
        }
        .to_owned(),
    }
}

/// What a phase came to; empty where that is nothing to tell.
fn came(case: &Case, left: Phase) -> String {
    let clock = case.settings.clock();
    match left {
        Phase::Window => case
            .window
            .map(|window| format!("window {}", clock.window(&window)))
            .unwrap_or_default(),
        Phase::Secure => case.snapshot.as_ref().map_or_else(String::new, |secured| {
            let how = if secured.reused { "found" } else { "taken" };
            format!("snapshot {} {how}", secured.reference.name)
        }),
        Phase::Index => match case.coverage.entries {
            Some(entries) => format!("{entries} calls and connections dissected"),
            None => "dissected".to_owned(),
        },
        Phase::Survey => format!("{} pairs of services looked at", case.picture.edges.len()),
        Phase::Narrow => {
            let known = case
                .picture
                .edges
                .values()
                .filter(|edge| edge.onset.is_some())
                .count();
            format!("{known} abnormal ones followed")
        }
        Phase::Inspect => format!("{} calls read", case.readings.len()),
        Phase::Probe => match &case.opinion.conclusion {
            Some(conclusion) => format!("the model names {}", conclusion.party),
            None => "the model names nobody".to_owned(),
        },
        _ => String::new(),
    }
}
