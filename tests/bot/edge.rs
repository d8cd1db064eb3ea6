//! What the tests of the edge share: somebody who takes deliveries in, and a client of the fake Slack.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rca_agent::{
    bot::{
        incoming::{Accept, Delivery},
        metrics::Metrics,
        person::Place,
        slack::{Message, web::WebApi},
        worker::Now,
    },
    driver::Performed,
};
use serde_json::json;
use tokio::{sync::watch, time::timeout};

use crate::fake::{FakeSlack, TEAM};

/// Takes in what comes, after refusing as often as it was told to.
pub(crate) struct Taken {
    deliveries: Mutex<Vec<Delivery>>,
    pub(crate) refusals: AtomicUsize,
    /// Deliveries that were offered, taken or not.
    offered: watch::Sender<usize>,
    /// Never comes to an end with a delivery.
    pub(crate) hangs: std::sync::atomic::AtomicBool,
}

impl Taken {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            deliveries: Mutex::new(Vec::new()),
            refusals: AtomicUsize::new(0),
            offered: watch::channel(0).0,
            hangs: false.into(),
        })
    }

    pub(crate) fn all(&self) -> Vec<Delivery> {
        self.deliveries.lock().unwrap().clone()
    }

    /// Waits until so many were offered.
    pub(crate) async fn offered(&self, count: usize) {
        let mut offered = self.offered.subscribe();
        timeout(
            Duration::from_secs(20),
            offered.wait_for(|offered| *offered >= count),
        )
        .await
        .unwrap_or_else(|_| panic!("{count} deliveries did not come: {:?}", self.all()))
        .unwrap();
    }
}

impl Accept for Taken {
    fn accept(&self, delivery: Delivery) -> Performed<'_, Result<(), String>> {
        Box::pin(async move {
            let refused = self
                .refusals
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
            if !refused {
                self.deliveries.lock().unwrap().push(delivery);
            }
            self.offered.send_modify(|count| *count += 1);
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            if refused {
                return Err("the store is away".to_owned());
            }
            Ok(())
        })
    }
}

/// A client with the bot's token.
pub(crate) fn api(fake: &FakeSlack) -> WebApi {
    client(fake, &fake.bot_token)
}

/// A client with any token.
pub(crate) fn client(fake: &FakeSlack, token: &str) -> WebApi {
    let _ = rustls::crypto::ring::default_provider().install_default();
    WebApi::new(token.to_owned().into(), Some(&fake.url), Metrics::default()).unwrap()
}

/// Half past nine on a day in autumn, always.
pub(crate) fn fixed() -> Now {
    Arc::new(|| "2026-10-01T09:30:00Z".parse().unwrap())
}

pub(crate) fn place(thread: Option<&str>) -> Place {
    Place {
        team: TEAM.to_owned(),
        channel: "COPS".to_owned(),
        thread: thread.map(str::to_owned),
    }
}

pub(crate) fn message(text: &str) -> Message {
    Message {
        text: text.to_owned(),
        blocks: vec![json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})],
    }
}
