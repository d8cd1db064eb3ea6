//! Takes work under leases and has it done: several at once, each with a heartbeat, until the process closes.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout, timeout_at},
};

use super::store::{Beat, Change, Class, Lease, Limits, Outcome, Store, StoreError};
use crate::{driver::Performed, time::Utc};

/// What time it is, for everything that the bot writes down.
pub type Now = Arc<dyn Fn() -> Utc + Send + Sync>;

/// Does the work.
pub trait Handler: Send + Sync + 'static {
    /// Does it, and gives how it ended and what is to be written with that.
    fn handle<'a>(&'a self, held: &'a Held) -> Performed<'a, (Outcome, Vec<Change>)>;

    /// Called instead of a further attempt when there were too many. `why` is what the last one ended in.
    fn give_up<'a>(&'a self, held: &'a Held, why: &'a str) -> Performed<'a, Vec<Change>>;

    /// Hears how work ended, for the metrics.
    fn ended(&self, class: Class, outcome: &'static str, took: Duration);
}

/// What happens to work while it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Who wants it to end.
    pub stopped: Option<String>,
    /// Another process has it.
    pub lost: bool,
    /// This process is ending.
    pub closing: bool,
    /// Goes up with every heartbeat.
    pub beats: u64,
}

/// Work that is being done.
#[derive(Clone, Debug)]
pub struct Held {
    pub lease: Lease,
    signs: watch::Receiver<Signs>,
}

impl Held {
    /// Follows the signs.
    pub fn signs(&self) -> watch::Receiver<Signs> {
        self.signs.clone()
    }
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This process among its fellows.
    pub owner: String,
    /// How much of each class at once.
    pub small: usize,
    pub long: usize,
    pub lease: Duration,
    /// Between two looks for work.
    pub idle: Duration,
    pub attempts: u32,
    pub limits: Limits,
    /// How long is waited for what is being done when the process ends; what has not ended then is put back.
    pub grace: Duration,
    /// Longest that one piece of work of each class may take: everything in it has limits of its own, so what takes
    /// longer hangs.
    pub longest_small: Duration,
    pub longest_long: Duration,
}

/// Works until `closing` says so.
pub async fn work(
    store: Store,
    handler: Arc<dyn Handler>,
    settings: Settings,
    now: Now,
    closing: watch::Receiver<bool>,
) {
    let one = |class, count| {
        let worker = Worker {
            store: store.clone(),
            handler: Arc::clone(&handler),
            settings: settings.clone(),
            now: Arc::clone(&now),
            class,
        };
        worker.run(count, closing.clone())
    };
    tokio::join!(one(Class::Small, settings.small), one(Class::Long, settings.long));
}

#[derive(Clone)]
struct Worker {
    store: Store,
    handler: Arc<dyn Handler>,
    settings: Settings,
    now: Now,
    class: Class,
}

impl Worker {
    async fn run(self, count: usize, mut closing: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        let mut pause = self.settings.idle;
        while !*closing.borrow() {
            while running.try_join_next().is_some() {}
            if running.len() >= count.max(1) {
                tokio::select! {
                    _ = running.join_next() => {}
                    _ = closing.changed() => {}
                }
                continue;
            }
            let claimed = self
                .store
                .claim(
                    &self.settings.owner,
                    self.class,
                    self.settings.lease,
                    self.settings.limits,
                    (self.now)(),
                )
                .await;
            match claimed {
                Ok(Some(lease)) => {
                    pause = self.settings.idle;
                    let worker = self.clone();
                    let closing = closing.clone();
                    running.spawn(async move { worker.one(lease, closing).await });
                    // There may be more for the other class.
                    continue;
                }
                Ok(None) => pause = self.settings.idle,
                Err(error) => {
                    tracing::warn!(%error, "the database did not give work");
                    // It comes back when it comes back; asking all the time does not help it.
                    pause = (pause * 2).min(Duration::from_secs(10));
                }
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.store.rung() => {}
                _ = running.join_next(), if !running.is_empty() => {}
                _ = closing.changed() => {}
            }
        }
        // Each ends by itself inside the grace; writing that down may take a moment more.
        let until = Instant::now() + self.settings.grace + self.settings.lease / 3;
        while let Ok(Some(_)) = timeout_at(until, running.join_next()).await {}
    }

    /// Does one piece of work, with its heartbeat beside.
    async fn one(&self, lease: Lease, closing: watch::Receiver<bool>) {
        let began = Instant::now();
        let (signs, seen) = watch::channel(Signs::default());
        let held = Held {
            lease: lease.clone(),
            signs: seen,
        };
        let handler = Arc::clone(&self.handler);
        let given_up = lease.attempts > self.settings.attempts;
        // A task of its own: what panics in it ends this work and no other. It ends with the set, whatever becomes of us.
        let mut task = JoinSet::new();
        task.spawn(async move {
            if given_up {
                let changes = handler.give_up(&held, "it did not end in several attempts").await;
                let why = "given up".to_owned();
                return (Outcome::Failed { why }, changes);
            }
            handler.handle(&held).await
        });
        let longest = match self.class {
            Class::Small => self.settings.longest_small,
            Class::Long => self.settings.longest_long,
        };
        let broken = |why: &str| {
            let why = why.to_owned();
            let outcome = if given_up {
                // Not even that could be said. Trying on would never end.
                Outcome::Failed { why }
            } else {
                Outcome::Again {
                    after: Duration::from_secs(5),
                    why,
                }
            };
            (outcome, Vec::new())
        };
        let (outcome, changes) = tokio::select! {
            ended = task.join_next() => match ended {
                Some(Ok(ended)) => ended,
                Some(Err(error)) => {
                    tracing::error!(%error, key = lease.key, "work broke off");
                    broken("it broke off: this is a bug")
                }
                None => broken("it never began: this is a bug"),
            },
            // The lease is lost: whoever has it now does it.
            () = self.beat(&lease, &signs, closing.clone()) => return,
            () = sleep(longest) => {
                tracing::error!(key = lease.key, "work hangs");
                broken("it hung: this is a bug")
            }
            () = overdue(closing, self.settings.grace) => {
                tracing::warn!(key = lease.key, "work did not end with the process: it is put back");
                (Outcome::Released, Vec::new())
            }
        };
        drop(task);
        let name = match &outcome {
            Outcome::Done => "done",
            Outcome::Again { .. } => "again",
            Outcome::Released => "released",
            Outcome::Failed { .. } => "failed",
        };
        if let Outcome::Again { why, .. } | Outcome::Failed { why } = &outcome {
            tracing::warn!(key = lease.key, why, outcome = name, "work did not succeed");
        }
        self.finish(&lease, &outcome, &changes).await;
        self.handler.ended(self.class, name, began.elapsed());
    }

    /// Writes the end down; tried for as long as the lease lasts.
    async fn finish(&self, lease: &Lease, outcome: &Outcome, changes: &[Change]) {
        let until = Instant::now() + self.settings.lease;
        loop {
            match self.store.finish(lease, outcome, changes, (self.now)()).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(
                        key = lease.key,
                        "work ended after its lease: somebody else does it"
                    );
                    return;
                }
                Err(error) if Instant::now() < until => {
                    tracing::warn!(%error, key = lease.key, "the end of work was not written");
                    sleep(Duration::from_secs(1)).await;
                }
                Err(error) => {
                    tracing::error!(%error, key = lease.key, "the end of work was never written: it is done again");
                    return;
                }
            }
        }
    }

    /// Beats until the lease is lost.
    async fn beat(&self, lease: &Lease, signs: &watch::Sender<Signs>, mut closing: watch::Receiver<bool>) {
        let mut ticks = interval(self.settings.lease / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut held_until = Instant::now() + self.settings.lease;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                changed = closing.changed(), if !signs.borrow().closing => {
                    // Whoever could have said so is gone: the process ends.
                    let now = changed.is_err() || *closing.borrow();
                    signs.send_modify(|signs| signs.closing |= now);
                    continue;
                }
            }
            // It lasts from when it was asked for, and a connection that hangs must not outlast it.
            let asked = Instant::now();
            let beat = self.store.beat(lease, self.settings.lease, (self.now)());
            let beat: Result<Result<Beat, StoreError>, _> = timeout(self.settings.lease / 3, beat).await;
            match beat {
                Ok(Ok(Beat::Held)) => held_until = asked + self.settings.lease,
                Ok(Ok(Beat::Stopped(by))) => {
                    held_until = asked + self.settings.lease;
                    signs.send_modify(|signs| signs.stopped = Some(by));
                }
                Ok(Ok(Beat::Lost)) => break,
                Ok(Err(error)) => tracing::warn!(%error, key = lease.key, "no heartbeat"),
                Err(_) => tracing::warn!(key = lease.key, "no heartbeat: the database does not answer"),
            }
            if Instant::now() >= held_until {
                break;
            }
            signs.send_modify(|signs| signs.beats += 1);
        }
        tracing::warn!(key = lease.key, "the lease is lost");
        signs.send_modify(|signs| signs.lost = true);
    }
}

/// Ends when the process has been closing for this long.
async fn overdue(mut closing: watch::Receiver<bool>, grace: Duration) {
    // Whoever could have said so is gone: the process ends.
    let _ = closing.wait_for(|closing| *closing).await;
    sleep(grace).await;
}
