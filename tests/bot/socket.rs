//! Socket Mode: what is taken in is acknowledged, what is not comes again, a lost socket is opened anew.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rca_agent::bot::{
    incoming::DeliveryKind,
    metrics::Metrics,
    slack::socket::{Connected, listen},
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    edge::{Taken, client, fixed},
    fake::{FakeSlack, Fault},
};

struct Listening {
    taken: Arc<Taken>,
    connected: Connected,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn listening(fake: &FakeSlack) -> Listening {
    let listening = begin(fake);
    fake.wait_for("a socket", |state| (state.connected == 1).then_some(()))
        .await;
    listening
}

fn begin(fake: &FakeSlack) -> Listening {
    let (taken, connected, closing) = (Taken::new(), Connected::default(), watch::channel(false).0);
    let task = tokio::spawn(listen(
        client(fake, &fake.app_token),
        taken.clone(),
        connected.clone(),
        Metrics::default(),
        fixed(),
        closing.subscribe(),
    ));
    Listening {
        taken,
        connected,
        closing,
        task,
    }
}

async fn acknowledged(fake: &FakeSlack, count: usize) {
    fake.wait_for(&format!("{count} acknowledgements"), |state| {
        (state.acks.len() >= count).then_some(())
    })
    .await;
}

#[tokio::test]
async fn all_kinds_are_taken_in_and_acknowledged() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    let ts = fake.mention("UMARTA", "COPS", "why is checkout slow?");
    fake.command("UDAN", "COPS", "help");
    fake.shortcut("UDAN", "COPS", &ts);
    fake.home("UDAN");
    acknowledged(&fake, 4).await;
    let kinds: Vec<DeliveryKind> = bot.taken.all().iter().map(|delivery| delivery.kind).collect();
    assert_eq!(
        kinds,
        [
            DeliveryKind::Event,
            DeliveryKind::Command,
            DeliveryKind::Interaction,
            DeliveryKind::Event
        ]
    );
    assert!(bot.connected.is());
    bot.closing.send(true).unwrap();
    timeout(Duration::from_secs(10), bot.task).await.unwrap().unwrap();
    assert!(!bot.connected.is());
}

#[tokio::test]
async fn what_was_not_taken_in_is_not_acknowledged_and_comes_again() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    bot.taken.refusals.store(1, Ordering::SeqCst);
    fake.mention("UMARTA", "COPS", "why?");
    bot.taken.offered(1).await;
    assert_eq!(
        fake.look(|state| (state.acks.len(), state.unacknowledged())),
        (0, 1)
    );
    fake.resend();
    acknowledged(&fake, 1).await;
    assert_eq!(bot.taken.all().len(), 1);
}

#[tokio::test]
async fn a_lost_socket_is_opened_anew_and_the_same_event_has_the_same_id() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    // It is taken in, but nobody hears of it: the socket is gone before.
    bot.taken.hangs.store(true, Ordering::SeqCst);
    fake.mention("UMARTA", "COPS", "why?");
    bot.taken.offered(1).await;
    fake.cut_sockets();
    bot.taken.hangs.store(false, Ordering::SeqCst);
    acknowledged(&fake, 1).await;
    let ids: Vec<String> = bot.taken.all().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(fake.look(|state| state.opened), 2);
}

#[tokio::test]
async fn duplicates_have_one_id_and_different_things_have_two() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    let event = fake.event(&serde_json::json!({"type": "app_home_opened", "user": "UDAN", "tab": "home"}));
    fake.again(&event);
    fake.home("UDAN");
    acknowledged(&fake, 3).await;
    let ids: Vec<String> = bot.taken.all().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
}

#[tokio::test]
async fn a_socket_that_slack_wants_refreshed_is_replaced() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    fake.disconnect();
    fake.wait_for("a second socket", |state| {
        (state.opened == 2 && state.connected == 1).then_some(())
    })
    .await;
    fake.mention("UMARTA", "COPS", "still there?");
    acknowledged(&fake, 1).await;
    assert_eq!(bot.taken.all().len(), 1);
}

#[tokio::test]
async fn it_goes_on_when_slack_is_away_at_first_and_when_it_babbles() {
    let fake = FakeSlack::start().await;
    for _ in 0..3 {
        fake.fail("apps.connections.open", Fault::Status(503));
    }
    let bot = begin(&fake);
    fake.wait_for("a socket", |state| (state.connected == 1).then_some(()))
        .await;
    for text in ["", "[]", "null", "{\"type\": 3}", "{\"envelope_id\": 1}", "🦈"] {
        fake.babble(text);
    }
    fake.mention("UMARTA", "COPS", "why?");
    acknowledged(&fake, 1).await;
    assert_eq!(bot.taken.all().len(), 1);
}

#[tokio::test]
async fn a_socket_that_has_gone_silent_is_given_up() {
    let fake = FakeSlack::start().await;
    let bot = listening(&fake).await;
    fake.home("UDAN");
    acknowledged(&fake, 1).await;
    // Until it listens again, so that the time it waits is counted from before.
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(91)).await;
    tokio::time::resume();
    fake.wait_for("a second socket", |state| (state.opened == 2).then_some(()))
        .await;
    fake.mention("UMARTA", "COPS", "still there?");
    acknowledged(&fake, 2).await;
    assert_eq!(bot.taken.all().len(), 2);
}
