//! Messages of a case that waits, runs, or ended without a verdict, and of what is done with one afterwards.

use super::kit::{Blocks, Button, Mrkdwn};
use crate::{
    bot::{
        person::Person,
        slack::Message,
        work::{FollowUp, Request},
    },
    error::AppError,
    time::Utc,
};

/// Characters of a follow-up's text that are shown; the rest comes as a file.
pub const SHOWN: usize = 2600;

/// How far a running case is. Made by [`crate::bot::watcher::Watcher`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProgressFacts {
    /// The phase in words.
    pub phase: String,
    /// What is waited for. Untrusted.
    pub waiting_for: String,
    /// What the phases before came to, the oldest first. Untrusted.
    pub done: Vec<String>,
    pub calls: u32,
    pub most_calls: u32,
    /// Spent in calls and in waiting for them, s.
    pub seconds: f64,
    /// What a person should know before the end, such as how long the recording still reaches back. Untrusted.
    pub notes: Vec<String>,
}

fn window(text: Mrkdwn, request: &Request) -> Mrkdwn {
    let window = request.reading.window;
    text.at(window.start, request.zone)
        .say(" until ")
        .at(window.end, request.zone)
}

fn asked(request: &Request) -> Mrkdwn {
    let mut text = Mrkdwn::new().text(&request.question).say("\n");
    text = window(text, request);
    if let Some(namespace) = &request.namespace {
        text = text.say(", namespace ").code(namespace);
    }
    if let Some(service) = &request.service {
        text = text.say(", service ").code(&service.to_string());
    }
    text
}

/// What was assumed, and what else is to be known of the window.
fn assumed(request: &Request) -> Option<Mrkdwn> {
    let notes = request
        .notes
        .iter()
        .take(6)
        .fold(Mrkdwn::new(), |text, line| text.text(line).say(". "));
    let assumptions = request.reading.assumptions.iter().take(6);
    let text = assumptions.fold(notes, |text, line| text.say("Assumed: ").text(line).say(". "));
    (!text.is_empty()).then_some(text)
}

/// A case that was just asked for. `ahead` cases wait before it; `changeable` offers to change what was assumed.
pub fn queued(request: &Request, ahead: u64, changeable: bool) -> Message {
    let state = match ahead {
        0 => Mrkdwn::new().say("*Starting.* The recording is frozen first, so nothing of it is lost."),
        1 => Mrkdwn::new().say("*Waiting:* one investigation is before this one."),
        ahead => Mrkdwn::new()
            .say("*Waiting:* ")
            .text(&ahead.to_string())
            .say(" investigations are before this one."),
    };
    let mut blocks = Blocks::new().section(&state).section(&asked(request));
    if let Some(assumed) = assumed(request) {
        blocks = blocks.context(&assumed);
    }
    let mut buttons = vec![Button::new("stop", &request.case, "Stop").danger()];
    if changeable {
        buttons.push(Button::new("change", &request.case, "Another time"));
    }
    blocks
        .last(&buttons)
        .message(&format!("Investigating: {}", request.question))
}

/// A case that runs. `started` is when it was created.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds are shown whole; a float beyond i64 saturates"
)]
pub fn progress(request: &Request, facts: &ProgressFacts, started: Utc) -> Message {
    let mut state = Mrkdwn::new().bold(&facts.phase);
    if !facts.waiting_for.is_empty() {
        state = state.say(": ").text(&facts.waiting_for);
    }
    let mut blocks = Blocks::new().section(&state).section(&asked(request));
    if !facts.done.is_empty() {
        let from = facts.done.len().saturating_sub(12);
        let done = facts
            .done
            .iter()
            .skip(from)
            .fold(Mrkdwn::new(), |text, line| text.say("✓ ").text(line).say("\n"));
        blocks = blocks.section(&done);
    }
    let spent = format!(
        "{} of at most {} calls, {} s in them; started ",
        facts.calls, facts.most_calls, facts.seconds as i64
    );
    blocks = blocks.context(&Mrkdwn::new().text(&spent).at(started, request.zone));
    for note in facts.notes.iter().take(5) {
        blocks = blocks.context(&Mrkdwn::new().text(note));
    }
    if let Some(assumed) = assumed(request) {
        blocks = blocks.context(&assumed);
    }
    blocks
        .last(&[Button::new("stop", &request.case, "Stop").danger()])
        .message(&format!("Investigating: {}", request.question))
}

/// A case that could not be run to its end.
pub fn failed(request: &Request, error: &AppError) -> Message {
    let mut blocks = Blocks::new()
        .section(
            &Mrkdwn::new()
                .say("*The investigation did not come to its end:* ")
                .text(&error.what),
        )
        .section(&asked(request));
    if !error.because.is_empty() {
        let because = Mrkdwn::new().say("*Because*\n");
        blocks = blocks.section(&because.bullets(error.because.iter().take(6)));
    }
    if !error.hints.is_empty() {
        let hints = Mrkdwn::new().say("*What to do*\n");
        blocks = blocks.section(&hints.bullets(error.hints.iter().take(6)));
    }
    blocks
        .context(&Mrkdwn::new().say("Case ").code(&request.case))
        .last(&[Button::new("again", &request.case, "Try again")])
        .message(&format!(
            "The investigation did not come to its end: {}",
            error.what
        ))
}

/// A case that somebody stopped.
pub fn stopped(request: &Request, by: &Person) -> Message {
    Blocks::new()
        .section(&Mrkdwn::new().say("*Stopped* by ").person(&by.user).say("."))
        .section(&asked(request))
        .context(
            &Mrkdwn::new()
                .say("Case ")
                .code(&request.case)
                .say(". What was recorded until then is kept."),
        )
        .last(&[Button::new("again", &request.case, "Start again")])
        .message(&format!("Stopped: {}", request.question))
}

/// What a follow-up is, in a sentence that says it goes on.
fn doing(what: FollowUp) -> &'static str {
    match what {
        FollowUp::Pcap => "Exporting the packets of the workloads involved",
        FollowUp::Compare => "Comparing with the same hours of the day before",
        FollowUp::Confirm => "Looking whether the path is well again after the fix",
        FollowUp::Preserve => "Copying the snapshot to cloud storage",
    }
}

/// A follow-up that was just asked for.
pub fn following(what: FollowUp, case: &str, by: &Person) -> Message {
    Blocks::new()
        .section(&Mrkdwn::new().say(doing(what)).say(" …"))
        .context(
            &Mrkdwn::new()
                .say("Asked for by ")
                .person(&by.user)
                .say(", case ")
                .code(case),
        )
        .message(doing(what))
}

/// What a follow-up came to: its lines, or why it did not come to anything.
pub fn followed(what: FollowUp, case: &str, by: &Person, result: Result<&str, &AppError>) -> Message {
    let (title, lines) = match result {
        Ok(text) => (doing(what).to_owned(), Mrkdwn::new().listing(text.trim(), SHOWN)),
        Err(error) => {
            let mut lines = error.because.clone();
            lines.extend(error.hints.iter().map(|hint| format!("→ {hint}")));
            (
                format!("{}: {}", doing(what), error.what),
                Mrkdwn::new().text(&lines.into_iter().take(12).collect::<Vec<_>>().join("\n")),
            )
        }
    };
    let mut blocks = Blocks::new().section(&Mrkdwn::new().bold(&title));
    if !lines.is_empty() {
        blocks = blocks.section(&lines);
    }
    blocks
        .context(
            &Mrkdwn::new()
                .say("Asked for by ")
                .person(&by.user)
                .say(", case ")
                .code(case),
        )
        .message(&title)
}
