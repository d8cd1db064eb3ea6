//! Questions, approvals and answers of a conversation.

use super::kit::{Blocks, Button, Mrkdwn};
use crate::{
    bot::{person::Person, slack::Message, work::FollowUp},
    time::{Utc, Zone},
};

/// A question with its answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices<'a> {
    /// Key of the question: a press on an outdated one is known by it.
    pub key: &'a str,
    pub question: &'a str,
    /// Untrusted.
    pub labels: &'a [String],
    /// What happens where nobody answers; `None` where nothing does.
    pub otherwise: Option<&'a str>,
}

/// A question in the thread. The value of a button is `KEY#INDEX`.
pub fn question(choices: &Choices<'_>) -> Message {
    let mut blocks = Blocks::new().section(&Mrkdwn::new().text(choices.question));
    // A label that a button would cut is spelt out above.
    if choices.labels.iter().any(|label| label.chars().count() > 70) {
        let lines = choices
            .labels
            .iter()
            .enumerate()
            .take(20)
            .fold(Mrkdwn::new(), |text, (at, label)| {
                text.text(&format!("{}. {label}\n", at + 1))
            });
        blocks = blocks.section(&lines);
    }
    if let Some(otherwise) = choices.otherwise {
        blocks = blocks.context(&Mrkdwn::new().text(otherwise));
    }
    let buttons: Vec<Button> = choices
        .labels
        .iter()
        .enumerate()
        .take(20)
        .map(|(index, label)| Button::new("choose", &format!("{}#{index}", choices.key), label))
        .collect();
    blocks.last(&buttons).message(choices.question)
}

/// The question once it is answered: by whom, or by nobody.
pub fn question_settled(question: &str, answer: &str, by: Option<&Person>) -> Message {
    let text = Mrkdwn::new().text(question).say(" ").bold(answer);
    let text = match by {
        Some(by) => text.say(", says ").person(&by.user),
        None => text.say(", assumed"),
    };
    Blocks::new()
        .section(&text)
        .message(&format!("{question} {answer}"))
}

/// What an approval is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ApprovalShown<'a> {
    pub key: &'a str,
    pub case: &'a str,
    pub what: FollowUp,
    pub by: &'a Person,
    /// Who may say yes.
    pub approvers: &'a [String],
    pub expires: Utc,
    pub zone: Zone,
}

fn changes(what: FollowUp) -> &'static str {
    match what {
        FollowUp::Preserve => "copy the snapshot of this case to cloud storage, out of the cluster",
        FollowUp::Pcap => "export the packets as they were recorded, contents included, into this thread",
        FollowUp::Compare => "take a snapshot of the same hours of the day before",
        FollowUp::Confirm => "take a snapshot of the time after the fix",
    }
}

fn approval_head(shown: &ApprovalShown<'_>) -> Mrkdwn {
    Mrkdwn::new()
        .person(&shown.by.user)
        .say(" asks to ")
        .say(changes(shown.what))
        .say(" (case ")
        .code(shown.case)
        .say(").")
}

/// Asks for an approval.
pub fn approval(shown: &ApprovalShown<'_>) -> Message {
    let who = if shown.approvers.is_empty() {
        Mrkdwn::new().person(&shown.by.user)
    } else {
        shown
            .approvers
            .iter()
            .take(20)
            .enumerate()
            .fold(Mrkdwn::new(), |text, (at, user)| {
                let comma = if at == 0 { "" } else { ", " };
                text.say(comma).person(user)
            })
    };
    Blocks::new()
        .section(&approval_head(shown))
        .context(
            &Mrkdwn::new()
                .say("May be approved by ")
                .join(who)
                .say(" until ")
                .at(shown.expires, shown.zone),
        )
        .last(&[
            Button::new("approve", shown.key, "Approve").primary(),
            Button::new("decline", shown.key, "Decline").danger(),
        ])
        .message("An approval is asked for")
}

/// How an approval ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Settled<'a> {
    Approved(&'a Person),
    Declined(&'a Person),
    Expired,
}

/// An approval that is over.
pub fn approval_settled(shown: &ApprovalShown<'_>, settled: &Settled<'_>) -> Message {
    let (text, word) = match settled {
        Settled::Approved(by) => (Mrkdwn::new().say("*Approved* by ").person(&by.user), "Approved"),
        Settled::Declined(by) => (Mrkdwn::new().say("*Declined* by ").person(&by.user), "Declined"),
        Settled::Expired => (
            Mrkdwn::new().say("*Expired:* nobody approved it in time"),
            "Expired",
        ),
    };
    Blocks::new()
        .section(&approval_head(shown))
        .section(&text)
        .message(word)
}

/// A heading and lines: an answer out of a report. Untrusted.
pub fn answer(heading: &str, lines: &[String]) -> Message {
    Blocks::new()
        .section(&Mrkdwn::new().bold(heading))
        .section(&Mrkdwn::new().bullets(lines.iter().take(30)))
        .message(heading)
}

/// Plain words for everybody in the thread. Untrusted.
pub fn told(text: &str) -> Message {
    Blocks::new().section(&Mrkdwn::new().text(text)).message(text)
}

/// Plain words for one person. Untrusted.
pub fn whisper(text: &str) -> Message {
    told(text)
}

pub(super) fn help_blocks(blocks: Blocks, zone: Option<Zone>, now: Utc) -> Blocks {
    let blocks = blocks
        .section(&Mrkdwn::new().say(
            "*I find out why something broke, from recorded network traffic.* Ask me in a channel, in a direct message, or with `/rca`:",
        ))
        .section(&Mrkdwn::new().say(
            "• `why did checkout fail around 3pm?`\n• `what broke in namespace shop between 14:00 and 14:20?`\n• `why were payments slow 20 minutes ago?`\n• `what happened to orders yesterday 3pm to 3:30pm?`",
        ))
        .section(&Mrkdwn::new().say(
            "*In the thread of an answer:* `why`, `what was ruled out`, `evidence`, `pcap`, `compare with yesterday`, `widen to 2pm`, `confirm the fix`, `preserve`, `stop`.\nOn the message of an alert: the shortcut *Investigate this alert*.",
        ))
        .section(&Mrkdwn::new().say(
            "I read and take snapshots. Whatever goes beyond that is asked for first.",
        ));
    let times = match zone {
        Some(zone) => Mrkdwn::new()
            .say("Times are read in your zone, ")
            .text(zone.name())
            .say(": it is ")
            .at(now, zone)
            .say("."),
        None => Mrkdwn::new().say(
            "Slack does not tell me your zone, so I ask where it matters; `3pm UTC` or `20 minutes ago` need no zone.",
        ),
    };
    blocks.context(&times)
}

/// What the bot can do.
pub fn help(zone: Option<Zone>, now: Utc) -> Message {
    help_blocks(Blocks::new(), zone, now).message("What I can do")
}
