//! Alerts of Alertmanager and of other senders, as ours.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{bot::alert::Alert, journal::hex, time::Utc};

/// Characters of a text that are kept.
const LONGEST: usize = 500;

/// Labels that are kept.
const LABELS: usize = 50;

/// Where in a sender's JSON each thing is, as JSON pointers (RFC 6901).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub fingerprint: String,
    /// RFC 3339, or Unix seconds or milliseconds.
    pub starts: String,
    pub ends: Option<String>,
    /// Where it says how it is; firing where this is `None`.
    pub status: Option<String>,
    /// Words of `status` that mean that it is over.
    pub resolved: Vec<String>,
    pub summary: String,
    /// An object of strings.
    pub labels: Option<String>,
    /// Where its alerts go: the id of a channel.
    pub channel: Option<String>,
}

/// The alerts of a notification of Alertmanager, version 4 of its webhook.
pub(super) fn alertmanager(body: &Value, receivers: &BTreeMap<String, String>) -> Result<Vec<Alert>, String> {
    let alerts = body
        .get("alerts")
        .and_then(Value::as_array)
        .ok_or("the field `alerts` is no list")?;
    let receiver = body.get("receiver").and_then(Value::as_str).unwrap_or_default();
    let channel = receivers.get(receiver).cloned();
    let one = |(at, alert): (usize, &Value)| {
        let field = |name: &str| format!("the field `alerts[{at}].{name}`");
        let labels = texts(alert.get("labels"));
        let fingerprint = alert
            .get("fingerprint")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map_or_else(|| of_labels(&labels), cut);
        let starts = alert
            .get("startsAt")
            .and_then(moment)
            .ok_or_else(|| format!("{} is no time", field("startsAt")))?;
        let firing = match alert.get("status").and_then(Value::as_str) {
            Some("firing") | None => true,
            Some("resolved") => false,
            Some(_) => return Err(format!("{} is neither firing nor resolved", field("status"))),
        };
        let annotations = texts(alert.get("annotations"));
        let name = labels.get("alertname").cloned().unwrap_or_default();
        let summary = annotations
            .get("summary")
            .or_else(|| annotations.get("description"))
            .or_else(|| annotations.get("message"))
            .cloned()
            .unwrap_or_default();
        let summary = match (name.is_empty(), summary.is_empty()) {
            (false, false) => format!("{name}: {summary}"),
            (false, true) => name,
            (true, false) => summary,
            (true, true) => "an alert without a name".to_owned(),
        };
        Ok(Alert {
            fingerprint,
            firing,
            starts,
            // Alertmanager writes the year 1 where it is not over.
            ends: alert
                .get("endsAt")
                .and_then(moment)
                .filter(|ends| *ends > starts && !firing),
            summary,
            labels,
            channel: channel.clone(),
        })
    };
    alerts.iter().enumerate().map(one).collect()
}

/// An alert of another sender.
pub(super) fn mapped(body: &Value, mapping: &Mapping, sender: &str) -> Result<Alert, String> {
    let at = |pointer: &str| body.pointer(pointer).filter(|value| !value.is_null());
    let word = |pointer: &str| {
        at(pointer).and_then(|value| match value {
            Value::String(text) if !text.is_empty() => Some(cut(text)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    let missing = |what: &str, pointer: &str| format!("there is no {what} at `{pointer}`");
    let fingerprint =
        word(&mapping.fingerprint).ok_or_else(|| missing("fingerprint", &mapping.fingerprint))?;
    let starts = at(&mapping.starts)
        .and_then(moment)
        .ok_or_else(|| missing("time", &mapping.starts))?;
    let status = mapping.status.as_deref().and_then(word);
    let over = status.is_some_and(|status| {
        let resolved: &[String] = &mapping.resolved;
        if resolved.is_empty() {
            matches!(
                status.to_lowercase().as_str(),
                "resolved" | "ok" | "closed" | "recovered"
            )
        } else {
            resolved.iter().any(|word| word.eq_ignore_ascii_case(&status))
        }
    });
    Ok(Alert {
        fingerprint: format!("{sender}:{fingerprint}"),
        firing: !over,
        starts,
        ends: mapping
            .ends
            .as_deref()
            .and_then(at)
            .and_then(moment)
            .filter(|ends| *ends > starts),
        summary: word(&mapping.summary).ok_or_else(|| missing("summary", &mapping.summary))?,
        labels: texts(mapping.labels.as_deref().and_then(at)),
        channel: mapping.channel.clone(),
    })
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let object = value.and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((cut(name), cut(value.as_str()?))))
        .take(LABELS)
        .collect()
}

/// What Alertmanager calls a fingerprint is a hash of the labels; where it is not sent it is made.
fn of_labels(labels: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (name, value) in labels {
        hash.update(name);
        hash.update([0]);
        hash.update(value);
        hash.update([0]);
    }
    hex(hash.finalize().get(..8).unwrap_or_default())
}

/// A time as senders write it.
fn moment(value: &Value) -> Option<Utc> {
    let number = match value {
        Value::String(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(at) => return Some(at.to_utc()),
            Err(_) => text.parse::<f64>().ok()?,
        },
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    // Beyond the year 5138 in seconds, so it is milliseconds.
    let millis = if number.abs() < 1e11 {
        number * 1_000.0
    } else {
        number
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float beyond i64 saturates, and is no time then"
    )]
    Utc::from_timestamp_millis(millis as i64)
}
