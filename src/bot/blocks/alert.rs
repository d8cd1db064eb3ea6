//! The first message of an alert's thread, and its last.

use std::collections::BTreeMap;

use super::kit::{Blocks, Mrkdwn};
use crate::{
    bot::{conversation::CaseInfo, slack::Message},
    time::{Utc, Zone},
};

/// Labels that are shown.
const LABELS: usize = 12;

/// An alert and how often it was told.
#[derive(Clone, Debug)]
pub struct AlertShown<'a> {
    /// Untrusted, as the labels.
    pub summary: &'a str,
    pub labels: &'a BTreeMap<String, String>,
    pub starts: Utc,
    pub ends: Option<Utc>,
    /// Notifications since it began.
    pub told: u32,
    /// How often it began in the last day, this time included.
    pub times: usize,
    /// The case of the last time.
    pub last: Option<&'a CaseInfo>,
    pub zone: Zone,
}

fn ordinal(times: usize) -> String {
    match times {
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        many => format!("{many}th"),
    }
}

/// An alert.
pub fn alert(shown: &AlertShown<'_>) -> Message {
    let mut text = Mrkdwn::new()
        .say("*Alert:* ")
        .text(shown.summary)
        .say("\nFiring since ")
        .at(shown.starts, shown.zone);
    if let Some(ends) = shown.ends {
        text = text.say(" until ").at(ends, shown.zone);
    }
    if shown.times > 1 {
        text = text
            .say("\n*For the ")
            .text(&ordinal(shown.times))
            .say(" time in 24 h.*");
    }
    if let Some(last) = shown.last {
        text = text.say("\nThe last time: case ").code(&last.case);
        if let Some(digest) = &last.digest {
            text = text.say(", ").text(&digest.title);
        }
        text = text.say(", ").at(last.created, shown.zone);
    }
    let mut blocks = Blocks::new().section(&text);
    if !shown.labels.is_empty() {
        let labels = shown
            .labels
            .iter()
            .take(LABELS)
            .fold(Mrkdwn::new(), |text, (name, value)| {
                text.code(&format!("{name}={value}")).say(" ")
            });
        blocks = blocks.context(&labels);
    }
    if shown.told > 1 {
        blocks = blocks.context(
            &Mrkdwn::new()
                .say("Told ")
                .text(&shown.told.to_string())
                .say(" times since."),
        );
    }
    blocks.message(&format!("Alert: {}", shown.summary))
}

/// The alert is over.
pub fn alert_over(summary: &str, ended: Utc, zone: Zone) -> Message {
    Blocks::new()
        .section(
            &Mrkdwn::new()
                .say("*The alert is over* since ")
                .at(ended, zone)
                .say(": ")
                .text(summary),
        )
        .message(&format!("The alert is over: {summary}"))
}
