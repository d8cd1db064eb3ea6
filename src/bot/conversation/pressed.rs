//! Buttons.

use super::{
    Ctx, Decision, UNKNOWN_CASE, approval, follow, question,
    step::Step,
    thread::{Draft, Thread},
    whispered,
};
use crate::bot::{
    person::{Person, Place},
    work::{FollowUp, Request},
};

/// Somebody pressed a button: `action` says which, `value` of what.
pub(super) fn pressed(by: &Person, at: &Place, action: &str, value: &str, context: Ctx<'_>) -> Decision {
    let mut thread = Thread::read(context.known.thread.as_ref());
    let follow_up = |what, thread: &mut Thread| follow::wanted(what, value, by, at, thread, context);
    // The number behind it keeps the ids of one message apart.
    let action = action.strip_prefix("rca_").unwrap_or(action);
    let action = action.split(':').next().unwrap_or(action);
    let steps = match action {
        "choose" => choose(by, at, value, &mut thread, context),
        "stop" => vec![follow::stop(value, by, at, context)],
        "pcap" => follow_up(FollowUp::Pcap, &mut thread),
        "compare" => follow_up(FollowUp::Compare, &mut thread),
        "confirm" => follow_up(FollowUp::Confirm, &mut thread),
        "preserve" => follow_up(FollowUp::Preserve, &mut thread),
        "widen" => follow::widen(value, None, by, at, &mut thread, context),
        "again" => follow::repeat(value, by, at, &mut thread, context),
        "change" => change(by, at, value, &mut thread, context),
        "right" => follow::feedback(value, true, by, at),
        "wrong" => follow::feedback(value, false, by, at),
        "approve" => approval::answered(value, true, by, at, &mut thread, context),
        "decline" => approval::answered(value, false, by, at, &mut thread, context),
        _ => vec![whispered(
            by,
            at,
            "This button is of another version of me and does nothing.",
        )],
    };
    Decision {
        steps,
        thread: thread.write(),
    }
}

fn choose(by: &Person, at: &Place, value: &str, thread: &mut Thread, context: Ctx<'_>) -> Vec<Step> {
    let answer = value
        .rsplit_once('#')
        .and_then(|(key, index)| Some((key, index.parse::<usize>().ok()?)));
    let open = thread.open.clone();
    match (answer, open) {
        (Some((key, index)), Some(open)) if open.key == key && index < open.labels.len() => {
            question::choose(&open, index, Some(by), at, thread, context)
        }
        _ => vec![whispered(
            by,
            at,
            "That question is outdated: it was answered, or went on without an answer.",
        )],
    }
}

/// What was assumed is to be another time: the running case ends, and it is asked anew.
fn change(by: &Person, at: &Place, value: &str, thread: &mut Thread, context: Ctx<'_>) -> Vec<Step> {
    let Some(old) = thread.request(value).cloned() else {
        return vec![whispered(by, at, UNKNOWN_CASE)];
    };
    let mut steps = Vec::new();
    let running = context
        .known
        .case
        .as_ref()
        .is_some_and(|case| case.case == value && !case.state.ended());
    if running {
        steps.push(follow::stop(value, by, at, context));
    }
    let draft = asked_anew(old, by, at, context);
    steps.extend(question::go(draft, thread, context, false));
    steps
}

fn asked_anew(old: Request, by: &Person, at: &Place, context: Ctx<'_>) -> Draft {
    let zone = context.known.profile.as_ref().and_then(|profile| profile.zone);
    Draft {
        case: context.known.fresh.clone(),
        question: old.question,
        words: None,
        halves: Vec::new(),
        now: context.now,
        zone,
        namespace: old.namespace,
        service: old.service,
        by: by.clone(),
        at: at.clone(),
        notes: Vec::new(),
        answers: Vec::new(),
        asked: 0,
        assumed: false,
    }
}
