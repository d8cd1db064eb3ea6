//! Does what was decided, and runs what was asked for: the one place of the bot where things happen.

mod case;
mod files;
mod follow;
mod handle;
mod perform;

pub use files::FEEDBACK;

use std::{path::PathBuf, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    conversation::Policy,
    incoming::{Accept, Delivery, place_of},
    metrics::Metrics,
    runs::Runs,
    slack::{Slack, SlackError},
    store::{Change, Class, NewJob, Outcome, Store, StoreError},
    work::Work,
    worker::{Handler, Held, Now},
};
use crate::{
    driver::Performed,
    error::AppError,
    time::{Clock, HourStyle, Utc, Zone},
};

/// Everything that the bot needs to act.
pub struct Desk {
    pub store: Store,
    pub slack: Arc<dyn Slack>,
    pub runs: Arc<dyn Runs>,
    pub policy: Policy,
    /// The bot's own user.
    pub me: String,
    /// Directory of cases.
    pub cases: PathBuf,
    pub now: Now,
    pub metrics: Metrics,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Slack(#[from] SlackError),
}

impl Trouble {
    /// What becomes of the work: what may succeed later is done again, with more patience each time.
    fn outcome(&self, attempts: u32) -> Outcome {
        let why = self.to_string();
        let patient = Duration::from_secs(1 << attempts.min(5));
        match self {
            Self::Slack(SlackError::Refused(_)) => Outcome::Failed { why },
            Self::Slack(SlackError::Busy { seconds }) => Outcome::Again {
                after: Duration::from_secs(*seconds),
                why,
            },
            Self::Slack(SlackError::Away(_)) | Self::Store(_) => Outcome::Again { after: patient, why },
        }
    }
}

impl Desk {
    fn now(&self) -> Utc {
        (self.now)()
    }

    fn zone(&self) -> Zone {
        self.policy.zones.first().copied().unwrap_or(Zone::UTC)
    }

    /// The id of a case that `seed` opens: the same however often it is handled.
    fn fresh(&self, seed: &str, at: Utc) -> String {
        const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let clock = Clock {
            zone: self.zone(),
            now: at,
            hours: HourStyle::TwentyFour,
        };
        let digest = Sha256::digest(seed.as_bytes());
        let letters: String = digest
            .iter()
            .take(6)
            .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
            .map(|letter| char::from(*letter))
            .collect();
        format!("{}-{letters}", clock.stamp(at))
    }
}

impl Accept for Desk {
    fn accept(&self, delivery: Delivery) -> Performed<'_, Result<(), String>> {
        Box::pin(async move {
            let Some(place) = place_of(&delivery, &self.me) else {
                // Nothing for us: it is not even written down.
                return Ok(());
            };
            let job = NewJob::new(
                delivery.id.clone(),
                Work::Handle {
                    delivery: Box::new(delivery),
                },
            )
            .at(&place);
            let new = self
                .store
                .enqueue(&job, self.now())
                .await
                .map_err(|error| error.to_string())?;
            if !new {
                tracing::debug!(key = job.key, "delivered once more");
            }
            Ok(())
        })
    }
}

impl Handler for Desk {
    fn handle<'a>(&'a self, held: &'a Held) -> Performed<'a, (Outcome, Vec<Change>)> {
        Box::pin(async move {
            let done = match &held.lease.work {
                Work::Handle { delivery } => self.hear(delivery).await,
                Work::Assume { place, question } => self.assume(place, question, &held.lease).await,
                Work::Investigate { request } => self.investigate(held, request).await,
                Work::Follow { follow } => self.follow(held, follow).await,
            };
            match done {
                Ok(done) => done,
                Err(trouble) => (trouble.outcome(held.lease.attempts), Vec::new()),
            }
        })
    }

    fn give_up<'a>(&'a self, held: &'a Held, why: &'a str) -> Performed<'a, Vec<Change>> {
        Box::pin(async move {
            let error = AppError::environment("the bot gave it up")
                .reason(why)
                .hint("the log of the bot says more; try again when it is well");
            match &held.lease.work {
                Work::Investigate { request } => self.failed(request, &error).await,
                Work::Follow { follow } => {
                    self.told(follow, Err(&error)).await;
                    Vec::new()
                }
                Work::Handle { .. } | Work::Assume { .. } => Vec::new(),
            }
        })
    }

    fn ended(&self, class: Class, outcome: &'static str, took: Duration) {
        self.metrics.worked(class.name(), outcome, took);
    }
}
