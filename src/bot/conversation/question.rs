//! From a question in words to an investigation, with what has to be asked on the way.

use chrono::TimeDelta;

use super::{
    Ctx, Policy,
    step::Step,
    thread::{Asks, Draft, Open, Thread},
    words,
};
use crate::{
    bot::{
        blocks::{self, Choices},
        person::{Person, Place},
        work::{Request, Work},
    },
    time::{Clock, HourStyle, Reading, Utc, Zone, parse_window_with},
};

/// Questions that one investigation may cost.
const QUESTIONS: u32 = 8;
/// Answers that a question offers at most.
const LABELS: usize = 20;

/// What is offered where no time was said: label, and words for the parser of times.
const WHEN: &[(&str, &str)] = &[
    ("The last 15 minutes", "15 minutes ago"),
    ("The last hour", "1 hour ago"),
    ("The last 3 hours", "3 hours ago"),
    ("Today", "today"),
];
/// The last hour.
const WHEN_DEFAULT: usize = 1;

/// A draft of what somebody asked. `of` is the time of the message that it is about, where it is another one.
pub(super) fn draft(text: &str, by: &Person, at: &Place, of: Option<Utc>, context: Ctx<'_>) -> Draft {
    let Ctx { known, now, .. } = context;
    let zone = known.profile.as_ref().and_then(|profile| profile.zone);
    let reading_zone = zone.unwrap_or(Zone::UTC);
    let (namespace, service) = words::named(text, now, reading_zone);
    // An alert's own times are seldom in its reader's zone; when it came is certain.
    let said = match of {
        Some(of) => vec![around(of, now)],
        None => words::time(text, now, reading_zone),
    };
    let (words, halves) = one(said);
    Draft {
        case: known.fresh.clone(),
        question: text.trim().chars().take(words::QUESTION).collect(),
        words,
        halves,
        now,
        zone,
        namespace,
        service,
        by: by.clone(),
        at: at.clone(),
        notes: of
            .map(|_| "The window is a quarter of an hour to either side of the message".to_owned())
            .into_iter()
            .collect(),
        answers: Vec::new(),
        asked: 0,
        assumed: false,
    }
}

/// The only one, or all of several.
fn one(mut said: Vec<String>) -> (Option<String>, Vec<String>) {
    if said.len() > 1 {
        (None, said)
    } else {
        (said.pop(), Vec::new())
    }
}

/// From a quarter of an hour before a message until a quarter after it, or now.
fn around(of: Utc, now: Utc) -> String {
    let quarter = TimeDelta::minutes(15);
    let spelt = |at: Utc| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let start = of.checked_sub_signed(quarter).unwrap_or(of);
    let end = of.checked_add_signed(quarter).unwrap_or(of).min(now);
    format!("{} to {}", spelt(start), spelt(end))
}

/// What is missing of a draft, or nothing.
enum Next {
    Ready(Box<Request>),
    Ask {
        asks: Asks,
        question: String,
        labels: Vec<String>,
        default: usize,
    },
    Refuse(String),
}

fn next(draft: &Draft, policy: &Policy) -> Next {
    let mut draft = draft.clone();
    let allowed = policy.namespaces.get(&draft.at.channel);
    if let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) {
        match (&draft.namespace, allowed.as_slice()) {
            (Some(namespace), allowed) if !allowed.contains(namespace) => {
                return Next::Refuse(format!(
                    "This channel may not ask about the namespace {namespace}, only about: {}.",
                    allowed.join(", ")
                ));
            }
            (Some(_), _) => {}
            (None, [one]) => draft.namespace = Some(one.clone()),
            (None, many) => {
                let many: Vec<String> = many.iter().take(LABELS).cloned().collect();
                return Next::Ask {
                    question: "Which namespace is it about?".to_owned(),
                    labels: many.clone(),
                    asks: Asks::Namespace(many),
                    default: 0,
                };
            }
        }
    }
    let Some(said) = draft.words.clone() else {
        if !draft.halves.is_empty() {
            return half(&draft);
        }
        return when("When was it?".to_owned());
    };
    let Some(zone) = draft.zone.or_else(|| zoneless(&said, draft.now)) else {
        let mut zones = policy.zones.clone();
        if !zones.contains(&Zone::UTC) {
            zones.push(Zone::UTC);
        }
        zones.truncate(LABELS);
        return Next::Ask {
            question: format!("Slack does not tell me your time zone. In which one is \"{said}\"?"),
            labels: zones.iter().map(|zone| zone.name().to_owned()).collect(),
            asks: Asks::Zone(zones),
            default: 0,
        };
    };
    let reading = match parse_window_with(&said, None, draft.now, &zone, &draft.answers) {
        Ok(reading) => reading,
        Err(error) => return when(format!("\"{said}\" cannot be used: {error}. When was it?")),
    };
    if let Some(ambiguity) = reading.ambiguities.get(draft.answers.len()) {
        return Next::Ask {
            asks: Asks::Which,
            question: sentence(&ambiguity.question),
            labels: ambiguity
                .choices
                .iter()
                .take(LABELS)
                .map(|choice| choice.label.clone())
                .collect(),
            default: ambiguity.chosen,
        };
    }
    Next::Ready(Box::new(request(draft, said, reading, zone, policy)))
}

fn request(draft: Draft, since: String, reading: Reading, zone: Zone, policy: &Policy) -> Request {
    let namespaces = policy
        .namespaces
        .get(&draft.at.channel)
        .cloned()
        .unwrap_or_default();
    Request {
        message: format!("case:{}", draft.case),
        case: draft.case,
        question: draft.question,
        since,
        until: None,
        reading,
        zone,
        now: draft.now,
        namespace: draft.namespace,
        service: draft.service,
        by: draft.by,
        at: draft.at,
        notes: draft.notes,
        namespaces,
    }
}

fn when(question: String) -> Next {
    Next::Ask {
        asks: Asks::When(WHEN.iter().map(|(_, words)| (*words).to_owned()).collect()),
        question,
        labels: WHEN.iter().map(|(label, _)| (*label).to_owned()).collect(),
        default: WHEN_DEFAULT,
    }
}

/// Which half of the day is meant; the later one is likelier.
fn half(draft: &Draft) -> Next {
    let zone = draft.zone.unwrap_or(Zone::UTC);
    let start = |said: &String| {
        parse_window_with(said, None, draft.now, &zone, &[])
            .ok()
            .map(|reading| reading.window.start)
    };
    let labels = draft.halves.iter().map(|said| {
        let reading = parse_window_with(said, None, draft.now, &zone, &[]).ok();
        match reading.filter(|_| draft.zone.is_some()) {
            Some(reading) => {
                let clock = Clock {
                    zone,
                    now: draft.now,
                    hours: HourStyle::TwentyFour,
                };
                format!("{said}: {}", clock.window(&reading.window))
            }
            None => said.clone(),
        }
    });
    let latest = (0..draft.halves.len()).max_by_key(|index| draft.halves.get(*index).and_then(start));
    Next::Ask {
        question: "Which half of the day is meant?".to_owned(),
        labels: labels.collect(),
        asks: Asks::When(draft.halves.clone()),
        default: latest.unwrap_or(0),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    match rest.next() {
        Some(first) => first.to_uppercase().chain(rest).collect(),
        None => String::new(),
    }
}

/// A zone for words that mean the same everywhere ("20 minutes ago", "15:00 UTC").
fn zoneless(said: &str, now: Utc) -> Option<Zone> {
    let read = |name: &str| {
        let zone = Zone::named(name)?;
        Some(parse_window_with(said, None, now, &zone, &[]).ok()?.window)
    };
    let utc = read("UTC")?;
    ["Asia/Tokyo", "Pacific/Honolulu", "Asia/Kolkata"]
        .iter()
        .all(|name| read(name) == Some(utc))
        .then_some(Zone::UTC)
}

/// Takes an answer into a draft.
fn answered(open: &Open, index: usize) -> Draft {
    let mut draft = open.draft.clone();
    match &open.asks {
        Asks::When(words) => {
            draft.words = words.get(index).cloned();
            draft.answers.clear();
        }
        Asks::Which => draft.answers.push(index),
        Asks::Zone(zones) => draft.zone = zones.get(index).copied(),
        Asks::Namespace(names) => draft.namespace = names.get(index).cloned(),
    }
    draft
}

/// Goes on with a draft: the next question, or the case. `assume` answers every question by its default.
pub(super) fn go(mut draft: Draft, thread: &mut Thread, context: Ctx<'_>, assume: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..=QUESTIONS {
        match next(&draft, context.policy) {
            Next::Ready(request) => {
                thread.open = None;
                steps.extend(start(*request, draft.assumed, thread, context));
                return steps;
            }
            Next::Refuse(why) => {
                thread.open = None;
                steps.push(Step::Whisper {
                    to: draft.by.clone(),
                    at: draft.at.clone(),
                    message: blocks::whisper(&why),
                });
                return steps;
            }
            Next::Ask {
                asks,
                question,
                labels,
                default,
            } => {
                draft.asked += 1;
                let open = Open {
                    key: format!("question:{}:{}", draft.case, draft.asked),
                    asks,
                    question,
                    labels,
                    default,
                    draft: draft.clone(),
                };
                if assume || draft.asked > QUESTIONS {
                    let label = open.labels.get(open.default).cloned().unwrap_or_default();
                    draft = answered(&open, open.default);
                    draft.assumed = true;
                    draft.notes.push(format!("{} {label}", open.question));
                    continue;
                }
                steps.extend(pose(open, thread, context));
                return steps;
            }
        }
    }
    steps
}

/// Puts a question into the thread, with what happens where nobody answers.
fn pose(open: Open, thread: &mut Thread, context: Ctx<'_>) -> Vec<Step> {
    let Ctx { policy, now, .. } = context;
    let default = open.labels.get(open.default).cloned().unwrap_or_default();
    let otherwise = format!(
        "Without an answer I take \"{default}\" in {}.",
        crate::time::duration(policy.patience())
    );
    let message = blocks::question(&Choices {
        key: &open.key,
        question: &open.question,
        labels: &open.labels,
        otherwise: Some(&otherwise),
    });
    let at = open.draft.at.clone();
    let steps = vec![
        Step::Post {
            key: open.key.clone(),
            at: at.clone(),
            message,
        },
        Step::Enqueue {
            key: format!("assume:{}", open.key),
            work: Box::new(Work::Assume {
                place: at,
                question: open.key.clone(),
            }),
            not_before: now.checked_add_signed(policy.patience()),
        },
    ];
    thread.open = Some(open);
    steps
}

/// Opens the case.
pub(super) fn start(request: Request, changeable: bool, thread: &mut Thread, context: Ctx<'_>) -> Vec<Step> {
    let steps = vec![
        Step::Post {
            key: request.message.clone(),
            at: request.at.clone(),
            message: blocks::queued(&request, context.known.ahead, changeable),
        },
        Step::Enqueue {
            key: format!("case:{}", request.case),
            work: Box::new(Work::Investigate {
                request: Box::new(request.clone()),
            }),
            not_before: None,
        },
    ];
    thread.keep(request);
    steps
}

/// Answers the open question with one of its choices. `by` is nobody where it is assumed.
pub(super) fn choose(
    open: &Open,
    index: usize,
    by: Option<&Person>,
    at: &Place,
    thread: &mut Thread,
    context: Ctx<'_>,
) -> Vec<Step> {
    let label = open.labels.get(index).cloned().unwrap_or_default();
    let mut draft = answered(open, index);
    draft.at = at.clone();
    if by.is_none() {
        draft.assumed = true;
        draft.notes.push(format!("{} {label}", open.question));
    }
    let mut steps = vec![Step::Edit {
        key: open.key.clone(),
        message: blocks::question_settled(&open.question, &label, by),
    }];
    thread.open = None;
    steps.extend(go(draft, thread, context, by.is_none()));
    steps
}

/// An answer in words to the open question; `None` where it is none.
pub(super) fn worded(open: &Open, text: &str, now: Utc) -> Option<Result<usize, Draft>> {
    let text = text.trim();
    let same = |label: &String| label.eq_ignore_ascii_case(text);
    if let Some(index) = open.labels.iter().position(same) {
        return Some(Ok(index));
    }
    let zone = open.draft.zone.unwrap_or(Zone::UTC);
    if matches!(open.asks, Asks::Zone(_))
        && let Ok(zone) = text.parse::<Zone>()
    {
        let mut draft = open.draft.clone();
        draft.zone = Some(zone);
        return Some(Err(draft));
    }
    let whole = parse_window_with(text, None, now, &zone, &[]).is_ok();
    let said = if whole {
        vec![text.to_owned()]
    } else {
        words::time(text, now, zone)
    };
    if said.is_empty() {
        return None;
    }
    let mut draft = open.draft.clone();
    (draft.words, draft.halves) = one(said);
    draft.answers.clear();
    draft.now = now;
    Some(Err(draft))
}
