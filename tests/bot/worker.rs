//! Workers: what breaks off, what is given up, what is stopped, and what is handed over.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use rca_agent::{
    bot::{
        store::{Change, Class, Outcome},
        worker::{self, Handler, Held, Now, Settings},
    },
    driver::Performed,
};
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use crate::stores::{LIMITS, Opened, at, case, claim, databases, handle, investigate, place};

/// Does with work what its key says.
#[derive(Default)]
struct Keys {
    tried: AtomicUsize,
    given_up: Mutex<Vec<String>>,
    done: Mutex<Vec<(String, &'static str)>>,
    changed: Notify,
}

impl Keys {
    fn note(&self) {
        self.changed.notify_waiters();
    }

    /// Waits until `wanted` holds.
    async fn until(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let waited = timeout(Duration::from_secs(20), async {
            loop {
                let changed = self.changed.notified();
                if wanted(self) {
                    return;
                }
                changed.await;
            }
        });
        assert!(waited.await.is_ok(), "waited in vain for {what}");
    }

    fn ended(&self, outcome: &str) -> usize {
        let done = self.done.lock().unwrap();
        done.iter().filter(|(_, how)| *how == outcome).count()
    }
}

impl Handler for Keys {
    fn handle<'a>(&'a self, held: &'a Held) -> Performed<'a, (Outcome, Vec<Change>)> {
        Box::pin(async move {
            self.tried.fetch_add(1, Ordering::SeqCst);
            self.note();
            let key = held.lease.key.as_str();
            assert!(!key.starts_with("breaks"), "as it was to");
            if key.starts_with("hangs") {
                std::future::pending::<()>().await;
            }
            if key.starts_with("waits") {
                let mut signs = held.signs();
                let over = signs.wait_for(|signs| signs.closing || signs.stopped.is_some());
                let stopped = over.await.is_ok_and(|signs| signs.stopped.is_some());
                let outcome = if stopped { Outcome::Done } else { Outcome::Released };
                return (outcome, Vec::new());
            }
            (Outcome::Done, Vec::new())
        })
    }

    fn give_up<'a>(&'a self, held: &'a Held, _: &'a str) -> Performed<'a, Vec<Change>> {
        Box::pin(async move {
            self.given_up.lock().unwrap().push(held.lease.key.clone());
            assert!(held.lease.key != "breaks again", "as it was to");
            Vec::new()
        })
    }

    fn ended(&self, class: Class, outcome: &'static str, _: Duration) {
        let class = class.name().to_owned();
        self.done.lock().unwrap().push((class, outcome));
        self.note();
    }
}

/// A worker on a database, with a clock that the test moves.
struct Running {
    keys: Arc<Keys>,
    clock: Arc<AtomicI64>,
    close: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(database: &Opened) -> Self {
        Self::with(database, Duration::from_mins(1), Duration::from_secs(10))
    }

    /// With this as the longest that work may take, and so long for it when the process ends.
    fn with(database: &Opened, longest: Duration, grace: Duration) -> Self {
        let keys = Arc::new(Keys::default());
        let clock = Arc::new(AtomicI64::new(0));
        let told = Arc::clone(&clock);
        let now: Now = Arc::new(move || at(told.load(Ordering::SeqCst)));
        let (close, closing) = watch::channel(false);
        let settings = Settings {
            owner: "tested".to_owned(),
            small: 2,
            long: 2,
            lease: Duration::from_millis(300),
            idle: Duration::from_millis(10),
            attempts: 2,
            limits: LIMITS,
            grace,
            longest_small: longest,
            longest_long: longest,
        };
        let work = worker::work(
            database.store.clone(),
            Arc::clone(&keys) as Arc<dyn Handler>,
            settings,
            now,
            closing,
        );
        Self {
            keys,
            clock,
            close,
            task: tokio::spawn(work),
        }
    }

    async fn end(self) {
        self.close.send(true).unwrap();
        timeout(Duration::from_secs(20), self.task)
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_is_tried_again_and_given_up_and_keeps_nobody_else() {
    for database in databases().await {
        let running = Running::start(&database);
        let store = &database.store;
        store
            .enqueue(&handle("breaks", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        running
            .keys
            .until("the first attempt", |keys| keys.ended("again") == 1)
            .await;
        store
            .enqueue(&handle("well", &place("C1", "2.0")), at(0))
            .await
            .unwrap();
        running
            .keys
            .until("other work", |keys| keys.ended("done") == 1)
            .await;
        running.clock.store(60, Ordering::SeqCst);
        running
            .keys
            .until("the second attempt", |keys| keys.ended("again") == 2)
            .await;
        running.clock.store(120, Ordering::SeqCst);
        running
            .keys
            .until("the end", |keys| {
                !keys.given_up.lock().unwrap().is_empty() && keys.ended("failed") == 1
            })
            .await;
        running.end().await;
        assert_eq!(store.job("breaks").await.unwrap().unwrap().0, "failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_when_a_process_ends_is_handed_over_at_once() {
    for database in databases().await {
        let running = Running::start(&database);
        let store = &database.store;
        let job = investigate("waits", "case", &place("C1", "1.0"));
        store.enqueue(&job, at(0)).await.unwrap();
        running
            .keys
            .until("it to begin", |keys| keys.tried.load(Ordering::SeqCst) == 1)
            .await;
        let keys = Arc::clone(&running.keys);
        running.end().await;
        // A look for work that was under way may have found it once more, and put it back at once.
        assert!(keys.ended("released") >= 1 && keys.ended("done") == 0);
        // No lease has to run out, and it counts as no attempt.
        let next = store
            .claim("another", Class::Long, Duration::from_secs(9), LIMITS, at(0))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((next.key.as_str(), next.attempts), ("waits", 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_reaches_what_runs() {
    for database in databases().await {
        let store = &database.store;
        let here = place("C1", "1.0");
        store.enqueue(&handle("asks", &here), at(0)).await.unwrap();
        let asked = claim(store, "asking", Class::Small, at(0)).await.unwrap();
        let follows = [
            Change::Case(Box::new(case("case", &here, "waits"))),
            Change::Enqueue(Box::new(investigate("waits", "case", &here))),
        ];
        assert!(
            store
                .finish(&asked, &Outcome::Done, &follows, at(0))
                .await
                .unwrap()
        );
        let running = Running::start(&database);
        running
            .keys
            .until("it to begin", |keys| keys.tried.load(Ordering::SeqCst) == 1)
            .await;
        assert!(!store.stop("case", "U1", at(1)).await.unwrap(), "it runs");
        running
            .keys
            .until("its end", |keys| keys.ended("done") == 1)
            .await;
        running.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_even_be_given_up_ends_all_the_same() {
    for database in databases().await {
        let running = Running::start(&database);
        let store = &database.store;
        store
            .enqueue(&handle("breaks again", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        for attempt in 1..=2 {
            running
                .keys
                .until("an attempt", |keys| keys.ended("again") == attempt)
                .await;
            running.clock.fetch_add(60, Ordering::SeqCst);
        }
        running
            .keys
            .until("the end", |keys| keys.ended("failed") == 1)
            .await;
        running.end().await;
        assert_eq!(store.job("breaks again").await.unwrap().unwrap().0, "failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_gives_its_place_to_others() {
    for database in databases().await {
        let running = Running::with(&database, Duration::from_millis(400), Duration::from_secs(10));
        let store = &database.store;
        for key in ["hangs here", "hangs there"] {
            store
                .enqueue(&handle(key, &place("C1", key)), at(0))
                .await
                .unwrap();
        }
        store
            .enqueue(&handle("well", &place("C1", "3.0")), at(1))
            .await
            .unwrap();
        running.clock.store(1, Ordering::SeqCst);
        running
            .keys
            .until("other work", |keys| {
                keys.ended("again") == 2 && keys.ended("done") == 1
            })
            .await;
        running.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_with_its_process_is_put_back() {
    for database in databases().await {
        let running = Running::with(&database, Duration::from_mins(1), Duration::from_millis(200));
        let store = &database.store;
        store
            .enqueue(&handle("hangs", &place("C1", "1.0")), at(0))
            .await
            .unwrap();
        running
            .keys
            .until("it to begin", |keys| keys.tried.load(Ordering::SeqCst) == 1)
            .await;
        running.end().await;
        let next = claim(store, "another", Class::Small, at(0)).await.unwrap();
        assert_eq!((next.key.as_str(), next.attempts), ("hangs", 1));
    }
}
