//! Which stretch of time is investigated: the user's words, inside what was recorded.

use chrono::TimeDelta;

use super::{
    answers, conclude::Conclude, count, live::Live, preflight::raw_capture_off, read, secure::Secure, stopped,
};
use crate::{
    investigation::{
        action::{Action, Answer, FailureKind, Observation},
        case::{Case, Event},
        machine::{Plan, Seen, State, Step},
    },
    time::{Ambiguity, Reading, Window, parse_window_with},
    wire::{
        Operation,
        decode::{self, Boundaries},
    },
};

/// Asks about what is ambiguous, one question after the other, then looks at the boundaries.
#[derive(Clone, Debug)]
pub struct SettleWindow {
    /// What the user's words mean, with the answers so far.
    reading: Reading,
    answers: Vec<usize>,
}

impl SettleWindow {
    pub fn new(case: &Case) -> Self {
        Self {
            reading: case.when.clone(),
            answers: Vec::new(),
        }
    }

    fn open_question(&self, case: &Case) -> Option<&Ambiguity> {
        if case.settings.no_input {
            None
        } else {
            self.reading.ambiguities.get(self.answers.len())
        }
    }

    /// Reads the user's words again with one more answer.
    fn answered(&self, case: &mut Case, choice: usize) -> Self {
        let mut answers = self.answers.clone();
        answers.push(choice);
        let settings = &case.settings;
        let read = parse_window_with(
            &settings.since,
            settings.until.as_deref(),
            settings.now,
            &settings.zone,
            &answers,
        );
        // The words were read before; with an answer that was offered they can be read again.
        let reading = read.unwrap_or_else(|_| self.reading.clone());
        case.assumptions = settings
            .notes
            .iter()
            .chain(&reading.assumptions)
            .cloned()
            .collect();
        case.when.clone_from(&reading);
        Self { reading, answers }
    }
}

impl Step for SettleWindow {
    fn plan(&self, case: &Case) -> Plan {
        if let Some(ambiguity) = self.open_question(case) {
            return Plan::Act(Action::AskUser {
                question: ambiguity.question.clone(),
                choices: ambiguity
                    .choices
                    .iter()
                    .map(|choice| choice.label.clone())
                    .collect(),
                default: ambiguity.chosen,
            });
        }
        let mut calls = vec![Operation::DataBoundaries];
        if case.supports(&Operation::L7DataBoundaries) {
            calls.push(Operation::L7DataBoundaries);
        }
        Plan::Act(Action::Query {
            why: "what is still recorded?".to_owned(),
            calls,
        })
    }

    fn settle(&self, case: &mut Case, seen: Seen) -> State {
        if let Some(ambiguity) = self.open_question(case) {
            let choice = match seen {
                Seen::Observed(Observation::Chosen { choice }) => choice,
                _ => ambiguity.chosen,
            };
            return State::Window(self.answered(case, choice));
        }
        let answers = match answers(seen) {
            Ok(answers) => answers,
            Err(failure) => return stopped("could not learn what is recorded", failure),
        };
        if case.settings.snapshot.is_some() {
            return self.of_snapshot(case, answers.first());
        }
        let otherwise = self.recorded(case, answers.first());
        Live::before(case, self.reading.window, answers.get(1), otherwise)
    }

    fn refused(&self, _: &mut Case, why: &str) -> State {
        stopped("could not learn what is recorded", super::malformed(why))
    }
}

impl SettleWindow {
    /// The way to a snapshot of what is recorded, or why there is none.
    fn recorded(&self, case: &mut Case, answer: Option<&Answer>) -> State {
        let Some(first) = answer else {
            return stopped(
                "could not learn what is recorded",
                super::malformed("there was no answer"),
            );
        };
        let boundaries = match read(first, decode::boundaries) {
            Ok(boundaries) => boundaries,
            Err(failure) if failure.kind == FailureKind::RawCaptureOff => {
                return stopped(
                    "there are no recorded packets to investigate",
                    raw_capture_off(failure.message),
                );
            }
            Err(failure) => return stopped("could not learn what is recorded", failure),
        };
        let nodes = boundaries.nodes.len();
        let evidence = case.file(
            first,
            serde_json::json!({ "nodes": nodes, "oldest": boundaries.cluster.map(|w| w.start), "newest": boundaries.cluster.map(|w| w.end) }),
        );
        case.coverage.not_seen.extend(boundaries.problems.iter().cloned());
        let Some(captured) = boundaries.cluster.or_else(|| spanned(&boundaries)) else {
            return stopped(
                "there are no recorded packets to investigate",
                raw_capture_off(format!(
                    "`{}` names no time for which packets are recorded",
                    first.tool
                )),
            );
        };
        case.coverage.captured = Some(captured);
        case.boundaries = Some(boundaries);
        if let Some(id) = evidence {
            let what = "the oldest packet that is recorded".to_owned();
            case.events.push(Event {
                at: captured.start,
                what,
                evidence: vec![id],
            });
        }
        self.inside(case, captured)
    }

    /// Of a snapshot that was named it does not matter what the nodes still hold, if anything.
    fn of_snapshot(&self, case: &mut Case, answer: Option<&Answer>) -> State {
        let boundaries = answer.and_then(|answer| read(answer, decode::boundaries).ok());
        if let Some(boundaries) = boundaries {
            case.coverage.captured = boundaries.cluster.or_else(|| spanned(&boundaries));
            case.boundaries = Some(boundaries);
        }
        case.asked_window = Some(self.reading.window);
        case.window = Some(self.reading.window);
        State::Secure(Secure::new(case))
    }

    /// Cuts the window to the data, and says what is missing.
    fn inside(&self, case: &mut Case, captured: Window) -> State {
        let clock = case.settings.clock();
        let Some(window) = self.reading.window.overlap(&captured) else {
            let reason = if self.reading.window.end <= captured.start {
                format!(
                    "the window {} has been rotated out of the buffers: the oldest packet left is of {}",
                    clock.window(&self.reading.window),
                    clock.at(captured.start)
                )
            } else {
                format!(
                    "nothing is recorded for the window {} yet: the newest packet is of {}",
                    clock.window(&self.reading.window),
                    clock.at(captured.end)
                )
            };
            case.window = Some(self.reading.window);
            let rotated = self.reading.window.end <= captured.start;
            if rotated && case.supports(&Operation::ListSnapshots) {
                // Somebody may have taken a snapshot in time.
                return State::Secure(Secure::only_existing(case, reason));
            }
            case.coverage.not_seen.push(reason.clone());
            return State::Conclude(Conclude::no_data(reason, next_time(rotated)));
        };
        case.coverage.missing = missing(&self.reading.window, &window);
        // The first and the last packet are never exactly at the ends of what was asked.
        if self.reading.window.length() - window.length() > TimeDelta::seconds(2) {
            case.coverage.not_seen.push(format!(
                "of the window {} only {} is recorded",
                clock.window(&self.reading.window),
                clock.window(&window)
            ));
        }
        case.asked_window = Some(window);
        case.window = Some(window);
        let notes = node_notes(case, &window);
        case.coverage.not_seen.extend(notes);
        // To show a plan nothing has to be recorded.
        if case.settings.task.count().is_some_and(|order| order.explain) {
            return count::begin(case);
        }
        State::Secure(Secure::new(case))
    }
}

/// Share of `asked` that is not in `held`, 0 to 1.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a window stay far below 2^52"
)]
fn missing(asked: &Window, held: &Window) -> f64 {
    let millis = |window: &Window| window.length().num_milliseconds() as f64;
    if millis(asked) > 0.0 {
        1.0 - millis(held) / millis(asked)
    } else {
        0.0
    }
}

/// The stretch between the oldest and the newest packet of any node.
fn spanned(boundaries: &Boundaries) -> Option<Window> {
    let windows = || boundaries.nodes.iter().filter_map(|node| node.window);
    let start = windows().map(|window| window.start).min()?;
    let end = windows().map(|window| window.end).max()?;
    Some(Window { start, end })
}

pub(super) fn next_time(rotated: bool) -> Vec<String> {
    if rotated {
        vec![
            "a larger buffer reaches further back: raise `tap.capture.raw.storageSize` (per node) in Kubeshark's Helm values".to_owned(),
        ]
    } else {
        vec!["check the time and the zone of --since; `--tz` names another zone".to_owned()]
    }
}

/// Nodes that hold the window only in part.
fn node_notes(case: &Case, window: &Window) -> Vec<String> {
    let clock = case.settings.clock();
    let mut notes = Vec::new();
    for node in case.boundaries.iter().flat_map(|boundaries| &boundaries.nodes) {
        match node.window {
            None => notes.push(format!("{} recorded nothing", node.name)),
            Some(held) if held.overlap(window).is_none() => {
                notes.push(format!(
                    "{} holds nothing of the window, only {}",
                    node.name,
                    clock.window(&held)
                ));
            }
            // Capture starts and ends with the first and last packet: a second or two is no gap.
            Some(held) if held.start > window.start + TimeDelta::seconds(30) => {
                notes.push(format!(
                    "{} holds the window only from {}",
                    node.name,
                    clock.at(held.start)
                ));
            }
            Some(held) if held.end < window.end - TimeDelta::seconds(30) => {
                notes.push(format!(
                    "{} holds the window only up to {}",
                    node.name,
                    clock.at(held.end)
                ));
            }
            Some(_) => {}
        }
    }
    notes
}

/// How long each node's buffer still holds the start of the window, where it is being overwritten at all.
///
/// The oldest packet moves forward no slower than a full buffer is filled again, so the time between
/// it and the window's start is what is left if the traffic stays as it was. Empty for a capture
/// that has ended.
pub fn retention(case: &Case) -> Vec<String> {
    let (Some(boundaries), Some(window)) = (&case.boundaries, case.window) else {
        return Vec::new();
    };
    let clock = case.settings.clock();
    let mut lines = Vec::new();
    for node in &boundaries.nodes {
        let Some(held) = node.window else { continue };
        if case.settings.now - held.end > TimeDelta::minutes(10) {
            continue;
        }
        let left = window.start - held.start;
        if left > TimeDelta::zero() {
            lines.push(format!(
                "{} holds the start of the window for about {} more",
                node.name,
                clock.duration(left)
            ));
        } else {
            lines.push(format!("{} has already lost the start of the window", node.name));
        }
    }
    lines
}
