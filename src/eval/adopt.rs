//! Makes a case of a finished investigation: its session redacted once more and packed, and a case file whose truth is
//! to be filled in.

use std::{fmt::Write as _, path::Path};

use serde_json::Value;

use super::case::SCHEMA;
use crate::{
    investigation::{Observation, Settings, finding::CauseKind, settings::Source},
    journal::{self, Entry, JournalError, Recording, body_hash, redact::Redactor},
    playbook,
    report::Report,
    time::{HourStyle, Utc},
};

/// What is known of the incident when it is adopted.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Namespace and name of the cause.
    pub cause: Option<(Option<String>, String)>,
    pub kind: Option<CauseKind>,
    pub onset: Option<Utc>,
    /// Nothing was wrong.
    pub healthy: bool,
}

/// Writes the session of a recording into the directory of a case, without what tells where it was recorded.
pub fn store(recording: Recording, dir: &Path) -> Result<(), JournalError> {
    let mut entries = recording.entries;
    let mut redactor = Redactor::new("");
    for entry in &mut entries {
        if let Entry::Opened { case, settings, .. } = entry {
            redactor = Redactor::new(case.clone());
            settings.source = nowhere(&settings.source);
            settings.dashboard = None;
            if let Some(model) = &mut settings.model {
                model.url = model
                    .url
                    .as_ref()
                    .map(|_| "https://recorded.invalid/v1".to_owned());
            }
            settings.question = redactor.text(&settings.question);
        }
        redact(entry, &redactor);
    }
    journal::write_packed(dir, entries)
}

/// The same kind of source, without paths, hosts and arguments.
fn nowhere(source: &Source) -> Source {
    let last = |text: &str| {
        let word = text.split_whitespace().next().unwrap_or_default();
        word.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
    };
    match source {
        Source::Command { command } => Source::Command {
            command: last(command),
        },
        // A name that is reserved for being nowhere (RFC 2606).
        Source::Url { .. } => Source::Url {
            url: "https://recorded.invalid/mcp".to_owned(),
        },
        Source::Capture { path } => Source::Capture {
            path: path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned(),
        },
        Source::Demo { name } => Source::Demo { name: name.clone() },
    }
}

/// What was redacted when it was recorded stays as it is; what today's rules know beyond that goes too.
fn redact(entry: &mut Entry, redactor: &Redactor) {
    if let Entry::Observed {
        observation: Observation::Answers { answers },
    } = entry
    {
        for answer in answers {
            answer.arguments = redactor.value(std::mem::take(&mut answer.arguments));
            if let Err(failure) = &mut answer.result {
                failure.message = redactor.text(&failure.message);
            }
        }
    }
    for body in journal::bodies(entry) {
        let value = redactor.value(body.value.clone());
        if value != body.value {
            body.sha256 = body_hash(&value);
            body.value = value;
        }
    }
}

fn quoted(text: &str) -> String {
    // Every JSON text is YAML.
    Value::from(text).to_string()
}

/// The case file of an investigation with these settings. `report` is what was said of it, where there is one.
pub fn case_file(settings: &Settings, report: Option<&Report>, known: &Known) -> String {
    let mut out = format!(
        "# yaml-language-server: $schema=../case.schema.json\nschema: {SCHEMA}\nabout: {}\n",
        quoted(&about(settings, known))
    );
    // Writing to a string cannot fail.
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name}: {value}");
    };
    line("tags", "[own]");
    line("question", &quoted(&settings.question));
    line("since", &quoted(&settings.since));
    if let Some(until) = &settings.until {
        line("until", &quoted(until));
    }
    if let Some(baseline) = settings.baseline {
        let range = format!("{}..{}", baseline.start.to_rfc3339(), baseline.end.to_rfc3339());
        line("baseline", &quoted(&range));
    }
    line("zone", settings.zone.name());
    line("now", &quoted(&settings.clock().rfc3339(settings.now)));
    if settings.hours == HourStyle::Twelve {
        line("hours", "12");
    }
    if let Some(namespace) = &settings.namespace {
        line("namespace", &quoted(namespace));
    }
    if let Some(service) = &settings.service {
        line("service", &quoted(&service.to_string()));
    }
    if settings.playbook.name != playbook::DEFAULT {
        line("playbook", &settings.playbook.name);
    }
    let usual = playbook::shipped(&settings.playbook.name)
        .and_then(|shipped| playbook::read(shipped.text).ok())
        .map(|playbook| playbook.budget);
    if usual.is_some_and(|usual| usual != settings.playbook.budget) {
        let budget = &settings.playbook.budget;
        line(
            "limits",
            &format!("{{calls: {}, seconds: {}}}", budget.calls, budget.seconds),
        );
    }
    truth(&mut out, report, known);
    out
}

fn about(settings: &Settings, known: &Known) -> String {
    match &known.cause {
        _ if known.healthy => "nothing was wrong".to_owned(),
        Some((_, name)) => format!("{name} was the cause"),
        None if settings.question.trim().is_empty() => "an incident of ours".to_owned(),
        None => settings.question.clone(),
    }
}

fn word(kind: CauseKind) -> String {
    let value = serde_json::to_value(kind).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn truth(out: &mut String, report: Option<&Report>, known: &Known) {
    out.push_str("\n# What is true of it, from what you know of the incident and not from the report.\n");
    if let Some(report) = report {
        let said = report.root_causes.first().map_or_else(
            || "no cause".to_owned(),
            |cause| {
                let name = cause
                    .service
                    .as_deref()
                    .or(cause.workload.as_deref())
                    .unwrap_or("nobody");
                format!(
                    "{name}, {}, since {}",
                    word(cause.kind),
                    cause.onset.as_deref().unwrap_or("before the data")
                )
            },
        );
        let verdict = serde_json::to_value(report.verdict).unwrap_or_default();
        let verdict = verdict.as_str().unwrap_or_default().to_owned();
        let _ = writeln!(
            out,
            "# The report said {verdict}: {}.",
            crate::report::plain(&said)
        );
    }
    out.push_str("truth:\n");
    match &known.cause {
        _ if known.healthy => out.push_str("  verdict: no_anomaly\n"),
        Some((namespace, name)) => {
            let _ = writeln!(out, "  verdict: root_cause\n  causes:\n    - service: {}", quoted(name));
            if let Some(namespace) = namespace {
                let _ = writeln!(out, "      namespace: {}", quoted(namespace));
            }
            if let Some(kind) = known.kind {
                let _ = writeln!(out, "      kind: {}", word(kind));
            }
        }
        None => out.push_str(
            "  verdict:   # root_cause, no_anomaly, inconclusive or no_data; nothing is scored before it is filled in\n  \
             # causes:\n  #   - {service: payment-db, namespace: prod, kind: refused}\n",
        ),
    }
    match known.onset {
        Some(at) => {
            let _ = writeln!(out, "  onset: {{at: {}, within: 60}}", quoted(&at.to_rfc3339()));
        }
        None => out.push_str("  # onset: {at: \"2026-03-14T18:23:45+02:00\", within: 60}\n"),
    }
    out.push_str(
        "  # path: [outside, gateway, checkout, payment-db]   # each calls the next\n  \
         # ruled_out: [prod/redis]\n  \
         # forbidden: [\"words that the report may not claim\"]\n\
         # budget: {calls: 60}\n",
    );
}
