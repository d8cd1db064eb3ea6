//! The app's home: the person's cases, and what can be done.

use serde_json::Value;

use super::{
    dialog::help_blocks,
    kit::{Blocks, Mrkdwn},
};
use crate::{
    bot::{conversation::CaseInfo, store::CaseState},
    investigation::finding::Verdict,
    time::{Utc, Zone},
};

/// Cases that are shown.
const CASES: usize = 15;

/// The home of somebody in `zone`, where Slack tells it.
pub fn home(recent: &[CaseInfo], zone: Option<Zone>, now: Utc) -> Vec<Value> {
    let mut blocks = help_blocks(Blocks::new().header("Root causes"), zone, now)
        .divider()
        .header("Your investigations");
    if recent.is_empty() {
        blocks = blocks.section(&Mrkdwn::new().say("None yet."));
    }
    for case in recent.iter().take(CASES) {
        let text = Mrkdwn::new()
            .bold(&state(case))
            .say("\n")
            .text(&case.question.chars().take(300).collect::<String>());
        blocks = blocks.section(&text).context(
            &Mrkdwn::new()
                .code(&case.case)
                .say(", ")
                .at(case.created, zone.unwrap_or(Zone::UTC)),
        );
    }
    blocks.into_values()
}

fn state(case: &CaseInfo) -> String {
    match (case.state, &case.digest) {
        (CaseState::Waiting, _) => "Waiting".to_owned(),
        (CaseState::Running, _) => "Running".to_owned(),
        (CaseState::Stopped, _) => "Stopped".to_owned(),
        (CaseState::Failed, _) => "Did not come to its end".to_owned(),
        (CaseState::Done, Some(digest)) if digest.verdict == Verdict::RootCause => {
            format!("Root cause: {}", digest.title)
        }
        (CaseState::Done, Some(digest)) => digest.title.clone(),
        (CaseState::Done, None) => "Done".to_owned(),
    }
}
