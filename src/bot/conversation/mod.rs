//! Decides what is said and done when something arrives. Pure: what was heard, what is known of the thread, and the
//! moment go in, steps come out.

mod access;
mod alert;
mod approval;
mod follow;
mod known;
mod pressed;
mod question;
mod step;
mod thread;
mod words;

pub use known::{CaseInfo, Digest, Known, Policy};
pub use step::{Decision, Step};

use self::{
    thread::Thread,
    words::{Wish, wish},
};
use crate::{
    bot::{
        blocks,
        incoming::{Incoming, Via},
        person::{Person, Place},
    },
    time::Utc,
};

/// One delivery, and all that a decision about it is made from.
#[derive(Clone, Copy)]
struct Ctx<'a> {
    known: &'a Known,
    policy: &'a Policy,
    now: Utc,
}

/// What follows from something that was heard.
///
/// For an alert, [`Decision::thread`] is the state of the thread that its first `Post` opens, or, where it posts
/// nothing that opens one, of the thread of [`Known::alerted`].
pub fn decide(heard: &Incoming, known: &Known, policy: &Policy, now: Utc) -> Decision {
    let context = Ctx { known, policy, now };
    match heard {
        Incoming::Ignored { .. } => Decision::default(),
        Incoming::Alert(alert) => alert::decide(alert, context),
        Incoming::Home { by } => {
            let zone = known.profile.as_ref().and_then(|profile| profile.zone);
            let blocks = match access::refused(by, None, policy) {
                Some(why) => blocks::told(&why).blocks,
                None => blocks::home(&known.recent, zone, now),
            };
            Decision {
                steps: vec![Step::Home {
                    to: by.clone(),
                    blocks,
                }],
                thread: None,
            }
        }
        Incoming::Asked {
            by,
            at,
            text,
            via,
            of,
        } => {
            if known.profile.as_ref().is_some_and(|profile| profile.bot) {
                return Decision::default();
            }
            match access::refused(by, Some(at), policy) {
                Some(why) => only(whispered(by, at, &why)),
                None => asked(by, at, text, *via, *of, context),
            }
        }
        Incoming::Pressed {
            by,
            at,
            action,
            value,
            ..
        } => match access::refused(by, Some(at), policy) {
            Some(why) => only(whispered(by, at, &why)),
            None => pressed::pressed(by, at, action, value, context),
        },
    }
}

/// What follows where nobody answered the question with this key: what was assumed. Nothing, where it was answered.
pub fn assume(place: &Place, question: &str, known: &Known, policy: &Policy, now: Utc) -> Decision {
    let mut thread = Thread::read(known.thread.as_ref());
    let Some(open) = thread.open.take_if(|open| open.key == question) else {
        return Decision::default();
    };
    let context = Ctx { known, policy, now };
    let steps = question::choose(&open, open.default, None, place, &mut thread, context);
    Decision {
        steps,
        thread: thread.write(),
    }
}

fn only(step: Step) -> Decision {
    Decision {
        steps: vec![step],
        thread: None,
    }
}

fn whispered(to: &Person, at: &Place, text: &str) -> Step {
    Step::Whisper {
        to: to.clone(),
        at: at.clone(),
        message: blocks::whisper(text),
    }
}

/// Said where a button or a word is about a case that the thread has forgotten.
const UNKNOWN_CASE: &str = "I do not know this case in this thread any more.";

/// A moment as the parser of times reads it back, to the last digit.
fn spelt(at: Utc) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn asked(by: &Person, at: &Place, text: &str, via: Via, of: Option<Utc>, context: Ctx<'_>) -> Decision {
    let Ctx { known, now, .. } = context;
    let mut thread = Thread::read(known.thread.as_ref());
    let zone = known.profile.as_ref().and_then(|profile| profile.zone);
    let wish = if via == Via::Shortcut { None } else { wish(text) };
    if wish == Some(Wish::Help) {
        let message = blocks::help(zone, now);
        // A command's answer is for whoever typed it.
        let step = if via == Via::Command {
            Step::Whisper {
                to: by.clone(),
                at: at.clone(),
                message,
            }
        } else {
            Step::Post {
                key: format!("help:{}", known.fresh),
                at: at.clone(),
                message,
            }
        };
        return only(step);
    }
    let steps = if let Some(open) = thread.open.clone()
        && let Some(answer) = question::worded(&open, text, now)
    {
        match answer {
            Ok(index) => question::choose(&open, index, Some(by), at, &mut thread, context),
            Err(mut draft) => {
                draft.at = at.clone();
                // Another question with a time of its own, not only the time of the first one.
                if words::is_question(text) {
                    draft = question::draft(text, by, at, of, context);
                }
                let said: String = text.trim().chars().take(100).collect();
                let mut steps = vec![Step::Edit {
                    key: open.key.clone(),
                    message: blocks::question_settled(&open.question, &said, Some(by)),
                }];
                steps.extend(question::go(draft, &mut thread, context, false));
                steps
            }
        }
    } else if let Some(wish) = wish
        && (known.case.is_some() || matches!(wish, Wish::Stop))
    {
        follow::wished(&wish, by, at, &mut thread, context)
    } else {
        let draft = question::draft(text, by, at, of, context);
        if let Some(case) = known
            .case
            .as_ref()
            .filter(|_| draft.words.is_none() && draft.halves.is_empty())
        {
            vec![follow::lost(case, at, context)]
        } else {
            question::go(draft, &mut thread, context, false)
        }
    };
    Decision {
        steps,
        thread: thread.write(),
    }
}
