//! A case, from its beginning or from where another process left it, to its verdict in the thread.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use super::{Desk, Trouble, perform::lenient};
use crate::{
    bot::{
        blocks::{self, ProgressFacts},
        conversation::Digest,
        person::Person,
        runs::{Attachment, Ended},
        slack::SlackError,
        store::{CaseState, Change, Outcome},
        watcher::Watcher,
        work::Request,
        worker::Held,
    },
    error::{AppError, Kind},
    journal::{self, Entry},
    time::Utc,
};

/// The message of a running case is edited no more often.
const EVERY: Duration = Duration::from_secs(3);

/// Attempts of a case whose journal is not at its end.
const ATTEMPTS: u32 = 3;

/// How a run in this process ended.
enum Run {
    Ended(Result<Ended, AppError>),
    /// Somebody stopped it.
    Stopped(Person),
    /// This process ends, or the case is another's.
    Left,
}

impl Desk {
    pub(super) async fn investigate(
        &self,
        held: &Held,
        request: &Request,
    ) -> Result<(Outcome, Vec<Change>), Trouble> {
        let nothing = Vec::new;
        let Some(row) = self.store.case(&request.case).await? else {
            let why = "its case is not known".to_owned();
            return Ok((Outcome::Failed { why }, nothing()));
        };
        // One that is done may have died before its thread heard of it.
        if matches!(row.state, CaseState::Stopped | CaseState::Failed) {
            return Ok((Outcome::Done, nothing()));
        }
        let dir = self.cases.join(&request.case);
        if self.store.shared() {
            self.fetch(&request.case, &dir).await?;
        }
        let run = self.run(held, request, &dir, row.created).await?;
        match run {
            Run::Left => Ok((Outcome::Released, nothing())),
            Run::Stopped(by) => {
                lenient(self.edit(&request.message, &blocks::stopped(request, &by)).await)?;
                Ok((Outcome::Done, vec![end(request, CaseState::Stopped, None)]))
            }
            Run::Ended(Ok(ended)) => {
                let word = serde_json::to_value(ended.report.verdict).ok();
                self.metrics
                    .verdict(word.as_ref().and_then(|word| word.as_str()).unwrap_or_default());
                self.ship(&held.lease, &request.case, &dir).await?;
                // Before the thread sees buttons: whoever presses one at once is to find a case that is done.
                let digest = serde_json::to_value(Digest::of(&ended.report)).ok();
                let end = end(request, CaseState::Done, digest);
                if !self.store.note(&held.lease, &[end], self.now()).await? {
                    return Ok((Outcome::Released, nothing()));
                }
                let verdict = blocks::verdict(&ended.report, request.zone, row.created, self.now());
                lenient(self.edit(&request.message, &verdict).await)?;
                self.hand_over(request, &ended.files).await?;
                Ok((Outcome::Done, nothing()))
            }
            Run::Ended(Err(error)) => {
                // A journal at its end says the same every time; what broke off before may go on.
                let whole = journal::read(&dir)
                    .is_ok_and(|recording| matches!(recording.entries.last(), Some(Entry::Closed { .. })));
                if error.kind == Kind::Environment && !whole && held.lease.attempts < ATTEMPTS {
                    let after = EVERY * held.lease.attempts;
                    let why = error.to_string();
                    return Ok((Outcome::Again { after, why }, nothing()));
                }
                tracing::warn!(case = request.case, %error, "a case could not be run to its end");
                Ok((Outcome::Done, self.failed(request, &error).await))
            }
        }
    }

    /// Says that a case came to nothing.
    pub(super) async fn failed(&self, request: &Request, error: &AppError) -> Vec<Change> {
        if let Err(trouble) = self.edit(&request.message, &blocks::failed(request, error)).await {
            tracing::warn!(case = request.case, %trouble, "the thread does not hear that its case failed");
        }
        self.metrics.verdict("failed");
        vec![end(request, CaseState::Failed, None)]
    }

    /// Runs the case on a thread of its own, since deciding takes the processor, and follows what happens meanwhile.
    async fn run(&self, held: &Held, request: &Request, dir: &Path, started: Utc) -> Result<Run, Trouble> {
        let (facts, mut shown) = watch::channel(ProgressFacts::default());
        let (go_on, leave) = oneshot::channel::<()>();
        let runs = Arc::clone(&self.runs);
        let (asked, place, handle) = (request.clone(), dir.to_owned(), Handle::current());
        let mut task = spawn_blocking(move || {
            let mut watcher = Watcher::new(move |now: &ProgressFacts| {
                let _ = facts.send(now.clone());
            });
            handle.block_on(async {
                tokio::select! {
                    ended = runs.investigate(&asked, &place, &mut watcher) => Some(ended),
                    // Dropping the run leaves a journal that can be gone on with.
                    _ = leave => None,
                }
            })
        });
        let mut signs = held.signs();
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut quiet = 0_u64;
        let mut beats = 0;
        let left = loop {
            tokio::select! {
                ended = &mut task => {
                    return Ok(match ended {
                        Ok(Some(ended)) => Run::Ended(ended),
                        Ok(None) => Run::Left,
                        Err(error) => Run::Ended(Err(AppError::new(Kind::Bug, "the investigation broke off").because(&error))),
                    });
                }
                changed = signs.changed() => {
                    let now = signs.borrow_and_update().clone();
                    if let Some(by) = now.stopped {
                        let team = request.at.team.clone();
                        break Run::Stopped(Person { team, user: by });
                    }
                    if now.lost || now.closing || changed.is_err() {
                        break Run::Left;
                    }
                    if now.beats != beats {
                        beats = now.beats;
                        self.ship(&held.lease, &request.case, dir).await?;
                    }
                }
                _ = ticks.tick() => {
                    if quiet > 0 {
                        quiet -= 1;
                    } else if shown.has_changed().unwrap_or(false) {
                        let facts = shown.borrow_and_update().clone();
                        let message = blocks::progress(request, &facts, started);
                        match self.edit(&request.message, &message).await {
                            Ok(()) => {}
                            // Progress can wait.
                            Err(Trouble::Slack(SlackError::Busy { seconds })) => quiet = seconds / EVERY.as_secs() + 1,
                            Err(trouble) => {
                                tracing::warn!(%trouble, "progress is not shown");
                                quiet = 5;
                            }
                        }
                    }
                }
            }
        };
        drop(go_on);
        // It ends at its next wait; what it has written until then is shipped, for whoever goes on.
        let _ = task.await;
        if !held.signs().borrow().lost {
            self.ship(&held.lease, &request.case, dir).await?;
        }
        Ok(left)
    }

    /// Puts those files into the thread that are not there yet.
    async fn hand_over(&self, request: &Request, files: &[Attachment]) -> Result<(), Trouble> {
        if files.is_empty() {
            return Ok(());
        }
        let there = match self.slack.uploaded(&request.at).await {
            Ok(there) => there,
            Err(SlackError::Refused(why)) => {
                tracing::warn!(why, "Slack does not tell what is in a thread");
                Vec::new()
            }
            Err(error) => return Err(error.into()),
        };
        let named = files.iter().map(|file| Attachment {
            name: format!("{}-{}", request.case, file.name),
            ..file.clone()
        });
        self.upload(&request.at, named.collect(), &there).await
    }
}

fn end(request: &Request, state: CaseState, verdict: Option<serde_json::Value>) -> Change {
    Change::CaseEnded {
        case: request.case.clone(),
        state,
        verdict,
    }
}
