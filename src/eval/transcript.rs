//! A session as lines of text: what was asked of whom, what came back, how it moved. Two sessions that decide the same
//! have the same lines, so a difference is shown as a diff of lines.

use serde_json::Value;
use similar::TextDiff;

use crate::{
    investigation::{Action, Answer, Body, Consultation, Observation, Settings, guard::Ruling},
    journal::{Closed, Entry},
    wire::Operation,
};

/// What of a request has to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// What decides the answer: operations with their arguments, refusals, moves. Words for people are left out.
    Shape,
    /// Words for people and every ruling too.
    Exact,
}

/// The lines of what was decided: requests, refusals, moves. Answers are not among them.
pub fn decided(entry: &Entry, how: Match) -> Vec<String> {
    let exact = how == Match::Exact;
    match entry {
        Entry::Opened { settings, .. } => opened(settings, exact),
        Entry::Requested { action, rulings } => {
            let mut lines = requested(action, exact);
            lines.extend(ruled(rulings, exact));
            lines
        }
        Entry::Observed { .. } => Vec::new(),
        Entry::Moved { moved } => {
            let mut lines = ruled(&moved.rulings, exact);
            if moved.from != moved.to {
                lines.push(format!("-> {}", moved.to.name()));
            }
            lines
        }
        Entry::Closed { closed } => vec![
            match closed {
                Closed::Concluded => "closed: concluded",
                Closed::Stopped => "closed: stopped",
            }
            .to_owned(),
        ],
    }
}

/// The same with the answers, as a person reads a session.
pub fn told(entry: &Entry) -> Vec<String> {
    match entry {
        Entry::Observed { observation } => observed(observation),
        other => decided(other, Match::Shape),
    }
}

fn opened(settings: &Settings, exact: bool) -> Vec<String> {
    let mut lines = vec![
        format!("question: {}", settings.question),
        format!(
            "window: {} to {}",
            settings.reading.window.start.to_rfc3339(),
            settings.reading.window.end.to_rfc3339()
        ),
        format!(
            "zone: {}, asked at {}",
            settings.zone.name(),
            settings.now.to_rfc3339()
        ),
    ];
    if let Some(baseline) = settings.baseline {
        lines.push(format!(
            "baseline: {} to {}",
            baseline.start.to_rfc3339(),
            baseline.end.to_rfc3339()
        ));
    }
    if exact {
        lines.push(format!(
            "playbook: {}",
            serde_json::to_string(&settings.playbook).unwrap_or_default()
        ));
    }
    lines
}

fn requested(action: &Action, exact: bool) -> Vec<String> {
    let why = |why: &str| {
        if exact {
            format!("  # {why}")
        } else {
            String::new()
        }
    };
    match action {
        Action::Connect => vec!["connect".to_owned()],
        Action::Query { why: words, calls } => calls
            .iter()
            .map(|call| format!("ask {}{}", operation(call), why(words)))
            .collect(),
        Action::Wait { why: words, then, .. } => {
            vec![format!("wait, then ask {}{}", operation(then), why(words))]
        }
        Action::Consult { consultation } => consulted(consultation, exact),
        Action::AskUser {
            question, choices, ..
        } => {
            let question = if exact {
                format!(": {question}")
            } else {
                String::new()
            };
            vec![format!("ask the user, {} choices{question}", choices.len())]
        }
    }
}

/// A question to the model: its role and how often it was told to answer otherwise. What it is told of the case, as the
/// templates put it, is compared exactly only.
fn consulted(consultation: &Consultation, exact: bool) -> Vec<String> {
    let again = match consultation.rejected.len() {
        0 => String::new(),
        times => format!(", {times} answers rejected"),
    };
    let mut lines = vec![format!("consult the model: {}{again}", consultation.role)];
    for rejected in &consultation.rejected {
        lines.push(format!("   rejected because {}", rejected.why));
    }
    if exact {
        lines.push(format!("   facts {}", consultation.facts));
        lines.push(format!("   task {}", consultation.task));
    }
    lines
}

/// Messages to a model, `{role, content}` each, a line a line.
pub fn messages(messages: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for message in messages.as_array().into_iter().flatten() {
        let part = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
        lines.push(format!("[{}]", part("role")));
        lines.extend(part("content").lines().map(|line| format!("| {line}")));
    }
    lines
}

fn ruled(rulings: &[Ruling], exact: bool) -> Vec<String> {
    let mut lines: Vec<String> = rulings
        .iter()
        .filter_map(|ruling| {
            let why = ruling.refused.as_ref()?;
            Some(format!("refused by {}: {why}", ruling.guard))
        })
        .collect();
    if exact {
        let names: Vec<&str> = rulings.iter().map(|ruling| ruling.guard.as_str()).collect();
        lines.push(format!("guards: {}", names.join(", ")));
    }
    lines
}

/// An operation and its arguments on one line; times are as they are on the wire, in UTC.
pub fn operation(operation: &Operation) -> String {
    let mut out = operation.name().to_owned();
    if let Ok(Value::Object(arguments)) = serde_json::to_value(operation) {
        flatten(&Value::Object(arguments), "", &mut out);
    }
    out
}

/// ` name=value` for every value at any depth that is not empty.
fn flatten(value: &Value, name: &str, out: &mut String) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| *key != "operation") {
                flatten(value, key, out);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::String(text) if text.is_empty() => {}
        value => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            out.extend([" ", name, "=", &text]);
        }
    }
}

fn observed(observation: &Observation) -> Vec<String> {
    match observation {
        Observation::Connected { server, tools, .. } => {
            vec![format!("   connected to {server}, {} tools", tools.len())]
        }
        Observation::Answers { answers } => answers.iter().map(answered).collect(),
        Observation::Replied { reply } => vec![match &reply.answer {
            Ok(answer) => format!("   {} answered {}", reply.model, answer.value),
            Err(failure) => format!("   the model failed: {failure}"),
        }],
        Observation::Chosen { choice } => vec![format!("   chosen: {}", choice + 1)],
        Observation::Unavailable { failure } => vec![format!("   unavailable: {failure}")],
    }
}

fn answered(answer: &Answer) -> String {
    match &answer.result {
        Ok(body) => format!("   {}: {} B{}", answer.tool, answer.bytes, rows(body)),
        Err(failure) => format!("   {} failed: {failure}", answer.tool),
    }
}

/// How many calls a list holds, and of how many.
fn rows(body: &Body) -> String {
    let Some(calls) = body.value.get("calls").and_then(Value::as_array) else {
        return String::new();
    };
    match body.value.get("total") {
        Some(total) => format!(", {} calls of {total}", calls.len()),
        None => format!(", {} calls", calls.len()),
    }
}

/// What differs between two sessions, as a unified diff; `None` where nothing does.
pub fn difference(recorded: &[String], made: &[String]) -> Option<String> {
    if recorded == made {
        return None;
    }
    let (old, new) = (lines(recorded), lines(made));
    let diff = TextDiff::from_lines(&old, &new);
    let text = diff
        .unified_diff()
        .context_radius(2)
        .header("recorded", "made now")
        .to_string();
    Some(text)
}

fn lines(all: &[String]) -> String {
    let mut text = String::new();
    for line in all {
        text.push_str(&crate::report::plain(line));
        text.push('\n');
    }
    text
}
