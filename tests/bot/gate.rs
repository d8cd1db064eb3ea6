//! The bot over HTTP: who may deliver, what is made of it, and that no body brings it down.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use proptest::prelude::*;
use rca_agent::{
    bot::{
        alert::Alert,
        gate::{Gate, Mapping, Ready, serve},
        incoming::DeliveryKind,
        metrics::Metrics,
    },
    driver::Performed,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::timeout};

use crate::{
    edge::{Taken, fixed},
    fake::{
        FakeSlack,
        act::{form, signature},
    },
};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TOKEN: &str = "webhook-token";
/// What [`fixed`] says, as Slack writes it.
const NOW: i64 = 1_790_847_000;

struct IsReady(Result<(), String>);

impl Ready for IsReady {
    fn ready(&self) -> Performed<'_, Result<(), String>> {
        Box::pin(async { self.0.clone() })
    }
}

struct Serving {
    base: String,
    taken: Arc<Taken>,
    http: reqwest::Client,
    closing: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn serving_when(ready: Result<(), String>) -> Serving {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (taken, closing) = (Taken::new(), watch::channel(false).0);
    let pager = Mapping {
        fingerprint: "/incident/id".to_owned(),
        starts: "/incident/opened".to_owned(),
        ends: Some("/incident/closed".to_owned()),
        status: Some("/incident/state".to_owned()),
        summary: "/incident/title".to_owned(),
        labels: Some("/tags".to_owned()),
        channel: Some("CPAGE".to_owned()),
        ..Mapping::default()
    };
    let gate = Gate {
        accept: taken.clone(),
        ready: Arc::new(IsReady(ready)),
        metrics: Metrics::default(),
        now: fixed(),
        signing: Some(SECRET.to_owned().into()),
        token: Some(TOKEN.to_owned().into()),
        receivers: BTreeMap::from([("shop".to_owned(), "COPS".to_owned())]),
        generic: BTreeMap::from([("pager".to_owned(), pager)]),
    };
    let task = tokio::spawn(serve(gate, listener, closing.subscribe()));
    Serving {
        base,
        taken,
        http: reqwest::Client::new(),
        closing,
        task,
    }
}

async fn serving() -> Serving {
    serving_when(Ok(())).await
}

impl Serving {
    async fn said(request: reqwest::RequestBuilder) -> (u16, String) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn slack_at(&self, path: &str, at: i64, body: impl AsRef<str>) -> (u16, String) {
        let body = body.as_ref();
        let request = self
            .http
            .post(format!("{}/slack/{path}", self.base))
            .header("x-slack-request-timestamp", at)
            .header("x-slack-signature", signature(SECRET, at, body))
            .body(body.to_owned());
        Self::said(request).await
    }

    async fn slack(&self, path: &str, body: impl AsRef<str>) -> (u16, String) {
        self.slack_at(path, NOW, body).await
    }

    async fn hook(&self, path: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self.http.post(format!("{}/webhooks/{path}", self.base));
        Self::said(request.bearer_auth(TOKEN).body(body)).await
    }

    async fn get(&self, path: &str) -> (u16, String) {
        Self::said(self.http.get(format!("{}{path}", self.base))).await
    }

    fn alerts(&self) -> Vec<Alert> {
        let of =
            |delivery: rca_agent::bot::incoming::Delivery| serde_json::from_value(delivery.body).unwrap();
        self.taken.all().into_iter().map(of).collect()
    }
}

fn event() -> String {
    json!({"type": "event_callback", "event_id": "Ev1", "team_id": "TSHOP", "event": {"type": "app_mention"}})
        .to_string()
}

#[tokio::test]
async fn slack_proves_that_it_is_slack() {
    let gate = serving().await;
    assert_eq!(fixed()().timestamp(), NOW);
    for (at, status) in [
        (NOW, 200),
        (NOW - 300, 200),
        (NOW + 300, 200),
        (NOW - 301, 401),
        (NOW + 301, 401),
        (i64::MAX, 401),
        (i64::MIN, 401),
    ] {
        assert_eq!(gate.slack_at("events", at, event()).await.0, status, "{at}");
    }
    assert_eq!(gate.taken.all().len(), 3);
    let good = signature(SECRET, NOW, &event());
    let other = signature("another secret", NOW, &event());
    let mut refusals = Vec::new();
    for (timestamp, signature) in [
        (None, Some(good.as_str())),
        (Some("1790847000"), None),
        (Some("1790847000"), Some(other.as_str())),
        (Some("1790847001"), Some(good.as_str())),
        (Some("soon"), Some(good.as_str())),
        (Some("1790847000"), Some(&good[3..])),
        (Some("1790847000"), Some("v0=")),
        (Some("1790847000"), Some("")),
    ] {
        let mut request = gate
            .http
            .post(format!("{}/slack/events", gate.base))
            .body(event());
        if let Some(timestamp) = timestamp {
            request = request.header("x-slack-request-timestamp", timestamp);
        }
        if let Some(signature) = signature {
            request = request.header("x-slack-signature", signature);
        }
        let (status, why) = Serving::said(request).await;
        refusals.push(format!("{status} {why}"));
    }
    insta::assert_snapshot!(refusals.join("\n"), @"
    401 the signature is missing
    401 the signature is missing
    401 the signature is wrong
    401 the signature is wrong
    401 the signature is wrong
    401 the signature is wrong
    401 the signature is wrong
    401 the signature is wrong
    ");
    assert_eq!(gate.taken.all().len(), 3);
}

#[tokio::test]
async fn slacks_deliveries_are_taken_in() {
    let gate = serving().await;
    let verification = json!({"type": "url_verification", "challenge": "abc"}).to_string();
    assert_eq!(gate.slack("events", verification).await, (200, "abc".to_owned()));
    let limited = json!({"type": "app_rate_limited"}).to_string();
    assert_eq!(gate.slack("events", limited).await.0, 200);
    assert!(gate.taken.all().is_empty());
    assert_eq!(gate.slack("events", event()).await, (200, String::new()));
    let pressed = json!({"type": "block_actions", "trigger_id": "1.2"}).to_string();
    assert_eq!(
        gate.slack("interactions", form(&[("payload", &pressed)])).await.0,
        200
    );
    let command = form(&[
        ("command", "/rca"),
        ("text", "why & since 3pm + é"),
        ("trigger_id", "3.4"),
    ]);
    assert_eq!(gate.slack("commands", command).await, (200, String::new()));
    let taken = gate.taken.all();
    let kinds: Vec<DeliveryKind> = taken.iter().map(|delivery| delivery.kind).collect();
    assert_eq!(
        kinds,
        [
            DeliveryKind::Event,
            DeliveryKind::Interaction,
            DeliveryKind::Command
        ]
    );
    assert_eq!(taken[2].body["text"], "why & since 3pm + é");
    for (path, body) in [
        ("events", "{"),
        ("interactions", "payload=%7B"),
        ("interactions", "other=1"),
        ("commands", ""),
    ] {
        assert_eq!(gate.slack(path, body).await.0, 400, "{path} {body}");
    }
}

#[tokio::test]
async fn what_is_not_taken_in_is_to_be_sent_again() {
    let gate = serving().await;
    gate.taken.refusals.store(1, Ordering::SeqCst);
    let (status, why) = gate.slack("events", event()).await;
    // Why the store is away is nobody's business outside.
    assert_eq!((status, why.contains("store")), (503, false));
    assert_eq!(gate.slack("events", event()).await.0, 200);
    gate.taken.hangs.store(true, Ordering::SeqCst);
    let slow = timeout(Duration::from_secs(3), gate.slack("events", event())).await;
    assert_eq!(slow.unwrap().0, 503);
}

#[tokio::test]
async fn the_fake_slack_delivers_over_http_too() {
    let (gate, fake) = (serving().await, FakeSlack::start().await);
    fake.events_to(&gate.base);
    fake.signs_at(NOW);
    fake.mention("UMARTA", "COPS", "why?");
    fake.command("UDAN", "COPS", "help");
    let answers = fake
        .wait_for("two answers", |state| {
            (state.answers.len() == 2).then(|| state.answers.clone())
        })
        .await;
    assert_eq!((answers, gate.taken.all().len()), (vec![200, 200], 2));
}

fn notification() -> Value {
    json!({"version": "4", "receiver": "shop", "status": "firing", "alerts": [
        {"status": "firing", "fingerprint": "f1", "startsAt": "2026-10-01T09:20:00Z",
         "endsAt": "0001-01-01T00:00:00Z", "labels": {"alertname": "Errors", "namespace": "shop"},
         "annotations": {"summary": "checkout fails"}},
        {"status": "resolved", "startsAt": "2026-10-01T11:00:00.5+02:00", "endsAt": "2026-10-01T09:10:00Z",
         "labels": {"alertname": "Slow"}}]})
}

#[tokio::test]
async fn alertmanagers_notifications_are_taken_apart() {
    let gate = serving().await;
    let body = notification().to_string();
    assert_eq!(
        gate.hook("alertmanager", body.clone()).await,
        (200, "2 taken in".to_owned())
    );
    insta::assert_json_snapshot!(gate.alerts());
    // Once more is the same, and its end is another thing.
    gate.hook("alertmanager", body.clone()).await;
    gate.hook(
        "alertmanager",
        body.replacen(
            "\"status\":\"firing\",\"fing",
            "\"status\":\"resolved\",\"fing",
            1,
        ),
    )
    .await;
    let ids: Vec<String> = gate.taken.all().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!((&ids[0], &ids[1]), (&ids[2], &ids[3]));
    assert_ne!(ids[0], ids[4]);
    assert_eq!(ids[1], ids[5]);
}

#[tokio::test]
async fn other_senders_are_read_by_their_mapping() {
    let gate = serving().await;
    let body = json!({"incident": {"id": 17, "opened": 1_790_846_400, "state": "OPEN", "title": "Checkout"},
        "tags": {"service": "checkout", "count": 3}});
    assert_eq!(gate.hook("generic/pager", body.to_string()).await.0, 200);
    let closed = json!({"incident": {"id": 17, "opened": 1_790_846_400_000_i64, "closed": "2026-10-01T09:25:00Z",
        "state": "Resolved", "title": "Checkout"}});
    assert_eq!(gate.hook("generic/pager", closed.to_string()).await.0, 200);
    insta::assert_json_snapshot!(gate.alerts());
    assert_eq!(gate.hook("generic/unknown", "{}").await.0, 404);
}

#[tokio::test]
async fn a_bad_body_is_told_by_its_field() {
    let gate = serving().await;
    let mut without_start = notification();
    without_start["alerts"][1]["startsAt"] = json!("yesterday");
    let mut odd = notification();
    odd["alerts"][0]["status"] = json!("maybe");
    let flood = json!({"alerts": vec![notification()["alerts"][0].clone(); 101]});
    let mut said = Vec::new();
    for (path, body) in [
        ("alertmanager", "{".to_owned()),
        ("alertmanager", "{}".to_owned()),
        ("alertmanager", without_start.to_string()),
        ("alertmanager", odd.to_string()),
        ("alertmanager", flood.to_string()),
        ("generic/pager", "{}".to_owned()),
        ("generic/pager", json!({"incident": {"id": "x"}}).to_string()),
    ] {
        let (status, why) = gate.hook(path, body).await;
        said.push(format!("{status} {why}"));
    }
    insta::assert_snapshot!(said.join("\n"));
    let (status, _) = gate.hook("alertmanager", vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(status, 413);
    assert!(gate.taken.all().is_empty());
}

#[tokio::test]
async fn webhooks_need_their_token() {
    let gate = serving().await;
    for path in ["alertmanager", "generic/pager", "generic/unknown"] {
        let request = || {
            gate.http
                .post(format!("{}/webhooks/{path}", gate.base))
                .body(notification().to_string())
        };
        for request in [
            request(),
            request().bearer_auth("webhook-toke"),
            request().bearer_auth(""),
            request().basic_auth("webhook-token", Some(TOKEN)),
        ] {
            assert_eq!(Serving::said(request).await.0, 401, "{path}");
        }
    }
    assert!(gate.taken.all().is_empty());
}

#[tokio::test]
async fn health_readiness_and_metrics_are_there() {
    let gate = serving_when(Err("the store cannot be reached".to_owned())).await;
    assert_eq!(gate.get("/healthz").await, (200, "ok".to_owned()));
    assert_eq!(
        gate.get("/readyz").await,
        (503, "the store cannot be reached".to_owned())
    );
    gate.slack("events", event()).await;
    let (status, text) = gate.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(
        text.contains(r#"rca_agent_deliveries_total{kind="event",outcome="taken"} 1"#),
        "{text}"
    );
    assert_eq!(serving().await.get("/readyz").await.0, 200);
    gate.closing.send(true).unwrap();
    timeout(Duration::from_secs(10), gate.task)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

/// JSON with the names that are looked for, and anything in them.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(json!("2026-10-01T09:20:00Z")),
        Just(json!("firing")),
    ];
    let name = prop_oneof![
        Just("alerts"),
        Just("status"),
        Just("startsAt"),
        Just("endsAt"),
        Just("labels"),
        Just("fingerprint"),
        Just("incident"),
        Just("id"),
        Just("opened"),
        Just("title"),
        Just("type"),
        Just("event_id"),
        Just("trigger_id"),
    ];
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8).prop_map(|fields| {
                let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(fields.collect())
            }),
        ]
    })
}

#[test]
fn no_body_brings_it_down() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let gate = runtime.block_on(serving());
    let answered = |status: u16| matches!(status, 200 | 400);
    proptest!(ProptestConfig::with_cases(96), |(body in anything(), bytes in ".{0,200}", word in "[%a-f0-9=&+]{0,60}")| {
        runtime.block_on(async {
            let json = body.to_string();
            for path in ["alertmanager", "generic/pager"] {
                prop_assert!(answered(gate.hook(path, json.clone()).await.0), "{path}");
                prop_assert!(answered(gate.hook(path, bytes.clone()).await.0), "{path}");
            }
            for path in ["events", "interactions", "commands"] {
                for body in [&json, &bytes, &word, &format!("payload={word}"), &form(&[("payload", &json)])] {
                    prop_assert!(answered(gate.slack(path, body).await.0), "{path}");
                }
            }
            Ok(())
        })?;
    });
    assert_eq!(runtime.block_on(gate.get("/healthz")).0, 200);
}
