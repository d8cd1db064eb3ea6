//! What somebody wants of a case that is there.

use chrono::TimeDelta;

use super::{
    CaseInfo, Ctx, Digest, UNKNOWN_CASE, approval, question, spelt, step::Step, thread::Thread, whispered,
    words::Wish,
};
use crate::{
    bot::{
        blocks,
        person::{Person, Place},
        store::CaseState,
        work::{Follow, FollowUp, Request, Work},
    },
    time::{Window, Zone, parse_point},
};

/// How far "widen" goes on both sides.
const WIDEN: TimeDelta = TimeDelta::minutes(30);

/// Does what words asked for.
pub(super) fn wished(
    wish: &Wish,
    by: &Person,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let Some(case) = context.known.case.as_ref() else {
        // "Stop", before there is a case: the question is taken back.
        let Some(open) = thread.open.take() else {
            return vec![whispered(by, at, "There is nothing to stop in this thread.")];
        };
        return vec![Step::Edit {
            key: open.key,
            message: blocks::question_settled(&open.question, "never mind", Some(by)),
        }];
    };
    let id = case.case.as_str();
    match wish {
        Wish::Help => vec![lost(case, at, context)],
        Wish::Stop => vec![stop(id, by, at, context)],
        Wish::Follow(what) => wanted(*what, id, by, at, thread, context),
        Wish::Widen(words) => widen(id, words.as_deref(), by, at, thread, context),
        Wish::Feedback(right) => feedback(id, *right, by, at),
        Wish::State => vec![post(context, at, blocks::told(&state(case)))],
        Wish::Why | Wish::RuledOut | Wish::Evidence | Wish::Next => {
            let Some(digest) = &case.digest else {
                return vec![post(context, at, blocks::told(&state(case)))];
            };
            let (heading, lines) = out_of(digest, wish);
            vec![post(context, at, blocks::answer(&heading, &lines))]
        }
    }
}

fn post(context: Ctx<'_>, at: &Place, message: crate::bot::slack::Message) -> Step {
    Step::Post {
        key: format!("answer:{}", context.known.fresh),
        at: at.clone(),
        message,
    }
}

fn state(case: &CaseInfo) -> String {
    match case.state {
        CaseState::Waiting => "The investigation waits for its turn.",
        CaseState::Running => "The investigation is still running; the message above says how far it is.",
        CaseState::Done => "The investigation is done; its report is above.",
        CaseState::Stopped => "The investigation was stopped, so there is no report to answer from.",
        CaseState::Failed => {
            "The investigation did not come to its end, so there is no report to answer from."
        }
    }
    .to_owned()
}

/// An answer out of the report.
fn out_of(digest: &Digest, wish: &Wish) -> (String, Vec<String>) {
    let or = |lines: Vec<String>, nothing: &str| {
        if lines.is_empty() {
            vec![nothing.to_owned()]
        } else {
            lines
        }
    };
    match wish {
        Wish::RuledOut => (
            "Ruled out".to_owned(),
            or(digest.ruled_out.clone(), "Nothing was ruled out by name."),
        ),
        Wish::Evidence => (
            "Evidence".to_owned(),
            or(digest.evidence.clone(), "There is none: nothing could be asked."),
        ),
        Wish::Next => (
            "What to do now".to_owned(),
            or(digest.next.clone(), "The report names no next step."),
        ),
        _ => {
            let mut lines = vec![digest.summary.clone()];
            lines.extend(digest.path.iter().cloned());
            lines.extend(digest.because.iter().cloned());
            lines.retain(|line| !line.trim().is_empty());
            (
                format!("Why: {}", digest.title),
                or(lines, "The report says no more."),
            )
        }
    }
}

/// What is said to words that mean nothing here.
pub(super) fn lost(case: &CaseInfo, at: &Place, context: Ctx<'_>) -> Step {
    let can = if case.state.ended() {
        "In this thread I know: why, what was ruled out, evidence, next steps, pcap, compare with yesterday, widen (to 2pm), confirm the fix, preserve. For another investigation name a time: \"what broke around 3pm?\"."
    } else {
        "Until it is done I know: status, stop. For another investigation name a time: \"what broke around 3pm?\"."
    };
    post(context, at, blocks::told(&format!("{} {can}", state(case))))
}

pub(super) fn stop(case: &str, by: &Person, at: &Place, context: Ctx<'_>) -> Step {
    let over = context
        .known
        .case
        .as_ref()
        .filter(|known| known.case == case)
        .is_some_and(|known| known.state.ended());
    if over {
        return whispered(by, at, "It is over already; there is nothing to stop.");
    }
    Step::Stop {
        case: case.to_owned(),
        by: by.clone(),
    }
}

pub(super) fn feedback(case: &str, right: bool, by: &Person, at: &Place) -> Vec<Step> {
    let thanks = if right {
        "Thank you, it is noted that this was right."
    } else {
        "Thank you, it is noted that this was wrong. What it was, said here in the thread, helps whoever improves me."
    };
    vec![
        Step::Feedback {
            case: case.to_owned(),
            by: by.clone(),
            right,
        },
        whispered(by, at, thanks),
    ]
}

/// Why nothing can be done with a case yet, or any more.
fn unready(case: &str, thread: &Thread, context: Ctx<'_>) -> Option<String> {
    match context.known.case.as_ref().filter(|known| known.case == case) {
        Some(known) if known.state == CaseState::Done => None,
        Some(known) => Some(state(known)),
        // An older case of the thread: a newer one was asked for meanwhile.
        None if thread.request(case).is_some() => None,
        None => Some(UNKNOWN_CASE.to_owned()),
    }
}

/// A follow-up: at once, or after somebody said yes.
pub(super) fn wanted(
    what: FollowUp,
    case: &str,
    by: &Person,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    if let Some(why) = unready(case, thread, context) {
        return vec![whispered(by, at, &why)];
    }
    let zone = zone(case, thread, context);
    let changes = match what {
        FollowUp::Preserve => true,
        FollowUp::Pcap => context.policy.approve_pcap,
        FollowUp::Compare | FollowUp::Confirm => false,
    };
    if changes {
        return approval::ask(what, case, by, at, zone, thread, context);
    }
    follow(what, case, by, at, zone, &context.known.fresh)
}

fn zone(case: &str, thread: &Thread, context: Ctx<'_>) -> Zone {
    let own = context.known.profile.as_ref().and_then(|profile| profile.zone);
    own.or_else(|| thread.request(case).map(|request| request.zone))
        .unwrap_or(Zone::UTC)
}

/// Orders a follow-up, and says so. `unique` tells it from others of its kind.
pub(super) fn follow(
    what: FollowUp,
    case: &str,
    by: &Person,
    at: &Place,
    zone: Zone,
    unique: &str,
) -> Vec<Step> {
    let key = format!("follow:{unique}");
    vec![
        Step::Post {
            key: key.clone(),
            at: at.clone(),
            message: blocks::following(what, case, by),
        },
        Step::Enqueue {
            key: key.clone(),
            work: Box::new(Work::Follow {
                follow: Box::new(Follow {
                    case: case.to_owned(),
                    what,
                    by: by.clone(),
                    at: at.clone(),
                    message: key,
                    zone,
                }),
            }),
            not_before: None,
        },
    ]
}

/// The same question of a longer window: a new case in the same thread.
pub(super) fn widen(
    case: &str,
    words: Option<&str>,
    by: &Person,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let Some(old) = thread.request(case).cloned() else {
        return vec![whispered(by, at, UNKNOWN_CASE)];
    };
    let window = old.reading.window;
    let wider = match words {
        None => window.widened(WIDEN),
        Some(words) => {
            // "2pm" is the one near the window, not the last one before now.
            let near = (window.end + TimeDelta::hours(12)).min(context.now);
            match parse_point(words, near, &old.zone) {
                Ok(point) => window.hull(&Window {
                    start: point.at,
                    end: point.at,
                }),
                Err(error) => {
                    let text = format!("\"{words}\" cannot be read as a time: {error}.");
                    return vec![whispered(by, at, &text)];
                }
            }
        }
    };
    let wider = Window {
        start: wider.start,
        end: wider.end.min(context.now).max(window.end),
    };
    if wider == window {
        return vec![whispered(by, at, "The window holds that already.")];
    }
    let note = format!("The window of {} was widened", old.case);
    question::start(again(&old, wider, note, by, at, context), false, thread, context)
}

/// The same question once more.
pub(super) fn repeat(
    case: &str,
    by: &Person,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let running = context
        .known
        .case
        .as_ref()
        .is_some_and(|known| !known.state.ended());
    if running {
        return vec![whispered(by, at, "An investigation runs in this thread already.")];
    }
    let Some(old) = thread.request(case).cloned() else {
        return vec![whispered(by, at, UNKNOWN_CASE)];
    };
    let note = format!("Asked again after {}", old.case);
    let request = again(&old, old.reading.window, note, by, at, context);
    question::start(request, false, thread, context)
}

fn again(old: &Request, window: Window, note: String, by: &Person, at: &Place, context: Ctx<'_>) -> Request {
    let mut request = old.clone();
    request.case.clone_from(&context.known.fresh);
    request.message = format!("case:{}", request.case);
    request.since = spelt(window.start);
    request.until = Some(spelt(window.end));
    request.reading.window = window;
    request.reading.assumptions.clear();
    request.reading.ambiguities.clear();
    request.now = context.now;
    request.by = by.clone();
    request.at = at.clone();
    request.notes = vec![note];
    request
}
