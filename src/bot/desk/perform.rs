//! One step after the other. A step that was done is not done again when the work is.

use super::{Desk, Trouble};
use crate::bot::{
    blocks,
    conversation::Step,
    person::Place,
    runs::Attachment,
    slack::{Message, SlackError},
    store::{Change, NewCase, NewJob, Post},
    work::Work,
};

/// What steps left so far.
#[derive(Default)]
pub(super) struct Performed {
    /// The thread that a first message opened.
    pub(super) opened: Option<Place>,
    pub(super) changes: Vec<Change>,
}

impl Performed {
    /// Where something means the thread that was just opened.
    fn fill(&self, at: &mut Place) {
        if at.thread.is_none()
            && let Some(opened) = &self.opened
            && opened.team == at.team
            && opened.channel == at.channel
        {
            at.thread.clone_from(&opened.thread);
        }
    }
}

impl Desk {
    pub(super) async fn take(
        &self,
        step: Step,
        fingerprint: Option<&str>,
        performed: &mut Performed,
    ) -> Result<(), Trouble> {
        match step {
            Step::Post { key, mut at, message } => {
                performed.fill(&mut at);
                let ts = self.post(&key, &at, &message).await?;
                if at.thread.is_none() && performed.opened.is_none() {
                    performed.opened = Some(Place {
                        thread: Some(ts),
                        ..at
                    });
                }
            }
            Step::Edit { key, message } => {
                lenient(self.edit(&key, &message).await)?;
            }
            Step::Whisper { to, mut at, message } => {
                performed.fill(&mut at);
                lenient(self.slack.whisper(&to, &at, &message).await)?;
            }
            Step::Home { to, blocks } => lenient(self.slack.publish_home(&to, &blocks).await)?,
            Step::Enqueue {
                key,
                mut work,
                not_before,
            } => {
                let at = match &mut *work {
                    Work::Investigate { request } => {
                        performed.fill(&mut request.at);
                        performed.changes.push(Change::Case(Box::new(NewCase {
                            id: request.case.clone(),
                            at: request.at.clone(),
                            by: request.by.clone(),
                            message: request.message.clone(),
                            question: request.question.clone(),
                            fingerprint: fingerprint.map(str::to_owned),
                            job: key.clone(),
                        })));
                        request.at.clone()
                    }
                    Work::Follow { follow } => {
                        performed.fill(&mut follow.at);
                        follow.at.clone()
                    }
                    Work::Assume { place, .. } => {
                        performed.fill(place);
                        place.clone()
                    }
                    Work::Handle { .. } => return Ok(()),
                };
                let job = NewJob::new(key, *work).at(&at).not_before(not_before);
                performed.changes.push(Change::Enqueue(Box::new(job)));
            }
            Step::Stop { case, by } => {
                if self.store.stop(&case, &by.user, self.now()).await?
                    && let Some(request) = self.store.request(&case).await?
                {
                    lenient(self.edit(&request.message, &blocks::stopped(&request, &by)).await)?;
                }
            }
            Step::Feedback { case, by, right } => {
                self.store.feedback(&case, &by, right, self.now()).await?;
                self.keep_feedback(&case, &by.user, right);
            }
        }
        Ok(())
    }

    /// Posts a message, unless it was posted; gives its time stamp.
    pub(super) async fn post(&self, key: &str, at: &Place, message: &Message) -> Result<String, Trouble> {
        let found = match self.store.begin_post(key, at, self.now()).await? {
            Post::Posted(ts) => return Ok(ts),
            Post::New => None,
            // Nobody knows whether Slack took it: Slack does.
            Post::Begun => self.slack.find(at, key).await?,
        };
        let ts = match found {
            Some(ts) => ts,
            None => match self.slack.post(at, key, message).await {
                Ok(ts) => ts,
                Err(error @ (SlackError::Refused(_) | SlackError::Busy { .. })) => {
                    self.store.undo_post(key).await?;
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            },
        };
        self.store.end_post(key, &ts).await?;
        Ok(ts)
    }

    /// Puts those files into a thread whose names are not `there` yet.
    pub(super) async fn upload(
        &self,
        at: &Place,
        files: Vec<Attachment>,
        there: &[String],
    ) -> Result<(), Trouble> {
        let missing: Vec<Attachment> = files
            .into_iter()
            .filter(|file| !there.contains(&file.name))
            .collect();
        lenient(self.slack.upload(at, &missing).await)
    }

    /// Replaces a message that was posted; does nothing where none was.
    pub(super) async fn edit(&self, key: &str, message: &Message) -> Result<(), Trouble> {
        let Some((at, ts)) = self.store.posted(key).await? else {
            tracing::warn!(key, "there is no message to edit");
            return Ok(());
        };
        Ok(self.slack.update(&at, &ts, message).await?)
    }
}

/// What Slack refuses, as a message that somebody deleted, is no reason to stop: the rest of the steps still counts.
pub(super) fn lenient<E: Into<Trouble>>(done: Result<(), E>) -> Result<(), Trouble> {
    match done.map_err(Into::into) {
        Err(Trouble::Slack(SlackError::Refused(why))) => {
            tracing::warn!(why, "Slack refused a step");
            Ok(())
        }
        other => other,
    }
}
