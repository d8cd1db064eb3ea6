//! Alerts: one thread for an incident, however often it is told.

use chrono::TimeDelta;

use super::{
    CaseInfo, Ctx, Decision, question, spelt,
    step::Step,
    thread::{Incident, Thread},
};
use crate::{
    bot::{
        alert::Alert,
        blocks::{self, AlertShown},
        person::{Person, Place},
        work::Request,
    },
    investigation::ServiceName,
    time::{Reading, Utc, Window, Zone},
};

/// How long before its start an alert's cause may lie: rules wait before they fire.
const BEFORE: TimeDelta = TimeDelta::minutes(15);
/// How long a window of an alert is at most.
const LONGEST: TimeDelta = TimeDelta::hours(3);
/// How far back recurrences are counted.
const DAY: TimeDelta = TimeDelta::hours(24);

pub(super) fn decide(alert: &Alert, context: Ctx<'_>) -> Decision {
    let thread = Thread::read(context.known.alerted_thread.as_ref());
    let before = thread
        .alert
        .clone()
        .filter(|incident| incident.fingerprint == alert.fingerprint);
    match (&before, &context.known.alerted) {
        // Another start is another incident: that the first one ended was not told, or got lost.
        (Some(incident), Some(case))
            if alert.firing
                && incident.firing
                && (incident.starts.last() == Some(&alert.starts) || !case.state.ended()) =>
        {
            told_again(alert, thread, context)
        }
        (Some(incident), Some(case)) if !alert.firing && incident.firing => {
            over(alert, thread, case, context)
        }
        _ if !alert.firing => Decision::default(),
        _ => fired(alert, before.as_ref(), context),
    }
}

fn zone(context: Ctx<'_>) -> Zone {
    context.policy.zones.first().copied().unwrap_or(Zone::UTC)
}

/// The same incident once more: a line of its first message counts.
fn told_again(alert: &Alert, mut thread: Thread, context: Ctx<'_>) -> Decision {
    let Some(incident) = thread.alert.as_mut() else {
        return Decision::default();
    };
    incident.told = incident.told.saturating_add(1);
    let message = blocks::alert(&AlertShown {
        summary: &alert.summary,
        labels: &alert.labels,
        starts: incident.starts.last().copied().unwrap_or(alert.starts),
        ends: None,
        told: incident.told,
        times: incident.starts.len(),
        last: None,
        zone: zone(context),
    });
    let steps = vec![Step::Edit {
        key: format!("alert:{}", incident.case),
        message,
    }];
    Decision {
        steps,
        thread: thread.write(),
    }
}

/// The incident is over: its thread hears of it once.
fn over(alert: &Alert, mut thread: Thread, case: &CaseInfo, context: Ctx<'_>) -> Decision {
    let Some(incident) = thread.alert.as_mut() else {
        return Decision::default();
    };
    incident.firing = false;
    let ended = alert.ends.unwrap_or(context.now);
    let steps = vec![Step::Post {
        key: format!("resolved:{}", incident.case),
        at: case.at.clone(),
        message: blocks::alert_over(&alert.summary, ended, zone(context)),
    }];
    Decision {
        steps,
        thread: thread.write(),
    }
}

/// A new incident, or one that is back: a thread of its own, and a case.
fn fired(alert: &Alert, before: Option<&Incident>, context: Ctx<'_>) -> Decision {
    let (known, policy, now) = (context.known, context.policy, context.now);
    let Some(channel) = alert.channel.clone().or_else(|| policy.alert_channel.clone()) else {
        return Decision::default();
    };
    // A receiver names a channel with its workspace, or without.
    let (team, channel) = match channel.split_once('/') {
        Some((team, channel)) => (team.to_owned(), channel.to_owned()),
        None => (policy.alert_team.clone().unwrap_or_default(), channel),
    };
    let at = Place {
        team,
        channel,
        thread: None,
    };
    let mut starts: Vec<Utc> = before.map(|incident| incident.starts.clone()).unwrap_or_default();
    starts.retain(|start| now - *start < DAY && *start != alert.starts);
    starts.push(alert.starts);
    // A fingerprint that comes back every minute keeps no list of a thousand.
    let over = starts.len().saturating_sub(100);
    starts.drain(..over);
    let mut thread = Thread {
        alert: Some(Incident {
            fingerprint: alert.fingerprint.clone(),
            case: known.fresh.clone(),
            starts: starts.clone(),
            firing: true,
            told: 1,
        }),
        ..Thread::default()
    };
    let mut steps = vec![Step::Post {
        key: format!("alert:{}", known.fresh),
        at: at.clone(),
        message: blocks::alert(&AlertShown {
            summary: &alert.summary,
            labels: &alert.labels,
            starts: alert.starts,
            ends: alert.ends,
            told: 1,
            times: starts.len(),
            last: known.alerted.as_ref(),
            zone: zone(context),
        }),
    }];
    match request(alert, at.clone(), context) {
        Ok(request) => steps.extend(question::start(request, false, &mut thread, context)),
        Err(why) => steps.push(Step::Post {
            key: format!("refused:{}", known.fresh),
            at,
            message: blocks::told(&why),
        }),
    }
    Decision {
        steps,
        thread: thread.write(),
    }
}

fn request(alert: &Alert, at: Place, context: Ctx<'_>) -> Result<Request, String> {
    let (known, policy, now) = (context.known, context.policy, context.now);
    let label = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| alert.labels.get(*name))
            .filter(|value| !value.is_empty() && value.len() <= 63)
            .cloned()
    };
    let allowed = policy.namespaces.get(&at.channel).cloned().unwrap_or_default();
    let mut namespace = label(&["namespace", "exported_namespace"]);
    match (&namespace, allowed.as_slice()) {
        (_, []) => {}
        (Some(named), allowed) if allowed.contains(named) => {}
        (Some(named), allowed) => {
            return Err(format!(
                "Not investigated: this channel may not ask about the namespace {named}, only about: {}.",
                allowed.join(", ")
            ));
        }
        (None, [one]) => namespace = Some(one.clone()),
        (None, allowed) => {
            return Err(format!(
                "Not investigated: the alert names no namespace, and this channel may ask only about: {}.",
                allowed.join(", ")
            ));
        }
    }
    let end = alert.ends.unwrap_or(now).min(now);
    let start = alert.starts.checked_sub_signed(BEFORE).unwrap_or(alert.starts);
    if start >= end {
        return Err("Not investigated: the alert says that it starts in the future.".to_owned());
    }
    let cut = end.min(start.checked_add_signed(LONGEST).unwrap_or(end));
    let mut notes = vec!["The window begins 15 minutes before the alert does".to_owned()];
    if cut < end {
        notes.push("The window ends three hours later".to_owned());
    }
    Ok(Request {
        case: known.fresh.clone(),
        question: alert.summary.chars().take(super::words::QUESTION).collect(),
        since: spelt(start),
        until: Some(spelt(cut)),
        reading: Reading {
            window: Window { start, end: cut },
            assumptions: Vec::new(),
            ambiguities: Vec::new(),
        },
        zone: zone(context),
        now,
        service: label(&["service", "exported_service"]).map(|name| ServiceName {
            namespace: namespace.clone(),
            name,
        }),
        namespace,
        by: Person {
            team: at.team.clone(),
            user: String::new(),
        },
        message: format!("case:{}", known.fresh),
        at,
        notes,
        namespaces: allowed,
    })
}
