//! What is done with a case that is done.

use super::{Desk, Trouble, perform::lenient};
use crate::{
    bot::{
        blocks,
        runs::{Attachment, Followed},
        store::{Change, Outcome},
        work::{Follow, FollowUp},
        worker::Held,
    },
    error::AppError,
};

/// What a file of a follow-up is called.
fn name(what: FollowUp) -> &'static str {
    match what {
        FollowUp::Pcap => "packets",
        FollowUp::Compare => "comparison",
        FollowUp::Confirm => "confirmation",
        FollowUp::Preserve => "preserved",
    }
}

impl Desk {
    pub(super) async fn follow(
        &self,
        held: &Held,
        follow: &Follow,
    ) -> Result<(Outcome, Vec<Change>), Trouble> {
        let dir = self.cases.join(&follow.case);
        if self.store.shared() {
            self.fetch(&follow.case, &dir).await?;
        }
        let mut signs = held.signs();
        let left = async {
            let over = |signs: &crate::bot::worker::Signs| signs.lost || signs.closing;
            // Whoever gives the signs is gone: so is this process.
            let _ = signs.wait_for(over).await;
        };
        let done = tokio::select! {
            done = self.runs.follow(follow, &dir) => done,
            // It changes nothing that the next attempt would not change in the same way.
            () = left => return Ok((Outcome::Released, Vec::new())),
        };
        match done {
            Ok(Followed { text, mut files }) => {
                if text.chars().count() > blocks::SHOWN {
                    files.push(Attachment {
                        name: format!("{}-{}.txt", follow.case, name(follow.what)),
                        title: "All of it".to_owned(),
                        bytes: text.clone().into_bytes(),
                    });
                }
                let message = blocks::followed(follow.what, &follow.case, &follow.by, Ok(&text));
                lenient(self.edit(&follow.message, &message).await)?;
                let there = match self.slack.uploaded(&follow.at).await {
                    Ok(there) => there,
                    Err(error) => {
                        tracing::warn!(%error, "Slack does not tell what is in a thread");
                        Vec::new()
                    }
                };
                self.upload(&follow.at, files, &there).await?;
            }
            Err(error) => self.told(follow, Err(&error)).await,
        }
        Ok((Outcome::Done, Vec::new()))
    }

    /// Says what a follow-up came to.
    pub(super) async fn told(&self, follow: &Follow, came: Result<&str, &AppError>) {
        let message = blocks::followed(follow.what, &follow.case, &follow.by, came);
        if let Err(trouble) = self.edit(&follow.message, &message).await {
            tracing::warn!(case = follow.case, %trouble, "the thread does not hear what came of a follow-up");
        }
    }
}
