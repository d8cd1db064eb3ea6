//! What Slack sends, and what it says.

use std::fmt::Write as _;

use proptest::prelude::*;
use rca_agent::bot::incoming::{Delivery, DeliveryKind, place_of, read};
use serde_json::{Value, json};

fn delivery(kind: DeliveryKind, body: Value) -> Delivery {
    Delivery {
        id: "Ev1".to_owned(),
        kind,
        received: "2026-03-18T14:20:00Z".parse().unwrap(),
        body,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "values are written where they are used"
)]
fn event(event: Value) -> Delivery {
    delivery(
        DeliveryKind::Event,
        json!({ "type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": event }),
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_said_is_read() {
    let button = json!({
        "type": "block_actions", "team": { "id": "T1" }, "user": { "id": "U1" }, "channel": { "id": "C1" },
        "container": { "message_ts": "2.0", "thread_ts": "1.0", "channel_id": "C1" },
        "message": { "ts": "2.0", "thread_ts": "1.0" },
        "actions": [{ "action_id": "rca_choose:1", "value": "question:x:1#0" }],
    });
    let shortcut = json!({
        "type": "message_action", "callback_id": "investigate_alert", "team": { "id": "T1" }, "user": { "id": "U1" },
        "channel": { "id": "C1" },
        "message": {
            "ts": "1773843600.0001", "text": "",
            "attachments": [{
                "title": "<https://am.example|[FIRING:1] HighErrorRate>", "text": "checkout &gt; 5%",
                "fallback": "[FIRING:1]", "fields": [{ "title": "severity", "value": "page" }],
            }],
            "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": "in *shop*" } }],
        },
    });
    let command = json!({ "team_id": "T1", "channel_id": "C1", "user_id": "U1", "command": "/rca", "text": "what broke?" });
    let alert = json!({
        "fingerprint": "f", "firing": true, "starts": "2026-03-18T14:00:00Z", "ends": null, "summary": "s",
        "labels": {}, "channel": "T1/C9",
    });
    let all = [
        (
            "mention",
            event(
                json!({ "type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0",
            "text": "<@U0RCA> why did <http://checkout|checkout> fail &amp; burn?" }),
            ),
        ),
        (
            "mention in a thread",
            event(
                json!({ "type": "app_mention", "user": "U1", "channel": "C1", "ts": "3.0",
            "thread_ts": "1.0", "text": "stop <@U0RCA>" }),
            ),
        ),
        (
            "direct",
            event(
                json!({ "type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "ts": "1.0",
            "text": "what broke?" }),
            ),
        ),
        (
            "mention in a direct message",
            event(
                json!({ "type": "app_mention", "user": "U1", "channel": "D1", "ts": "1.0",
            "text": "<@U0RCA> hi" }),
            ),
        ),
        (
            "with a file",
            event(
                json!({ "type": "message", "subtype": "file_share", "channel_type": "im", "user": "U1",
            "channel": "D1", "ts": "1.0", "text": "see" }),
            ),
        ),
        (
            "an edit",
            event(
                json!({ "type": "message", "subtype": "message_changed", "channel_type": "im", "user": "U1",
            "channel": "D1", "ts": "1.0" }),
            ),
        ),
        (
            "a bot",
            event(
                json!({ "type": "message", "channel_type": "im", "user": "U1", "bot_id": "B1", "channel": "D1",
            "ts": "1.0", "text": "x" }),
            ),
        ),
        (
            "itself",
            event(
                json!({ "type": "message", "channel_type": "im", "user": "U0RCA", "channel": "D1", "ts": "1.0",
            "text": "x" }),
            ),
        ),
        (
            "in a channel",
            event(
                json!({ "type": "message", "channel_type": "channel", "user": "U1", "channel": "C1",
            "ts": "1.0", "text": "x" }),
            ),
        ),
        (
            "home",
            event(json!({ "type": "app_home_opened", "tab": "home", "user": "U1" })),
        ),
        (
            "another tab",
            event(json!({ "type": "app_home_opened", "tab": "messages", "user": "U1" })),
        ),
        ("button", delivery(DeliveryKind::Interaction, button)),
        ("shortcut", delivery(DeliveryKind::Interaction, shortcut)),
        ("command", delivery(DeliveryKind::Command, command)),
        ("alert", delivery(DeliveryKind::Alert, alert)),
        ("nothing", delivery(DeliveryKind::Event, json!(null))),
    ];
    let mut out = String::new();
    for (name, one) in all {
        let _ = writeln!(out, "━━ {name}\n{:#?}", read(&one, "U0RCA"));
    }
    insta::assert_snapshot!(out);
}

/// JSON with the names that are looked at.
fn any_json() -> impl Strategy<Value = Value> {
    let names = "event|type|app_mention|message|text|user|channel|team|id|team_id|actions|action_id|value|attachments|blocks|ts|thread_ts|callback_id|fields|tab";
    let words =
        "app_mention|message|message_action|block_actions|investigate_alert|im|app_home_opened|.{0,20}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_arrives_is_read_or_ignored(body in any_json()) {
        for kind in [DeliveryKind::Event, DeliveryKind::Interaction, DeliveryKind::Command, DeliveryKind::Alert] {
            let one = delivery(kind, body.clone());
            let _ = read(&one, "U0RCA");
            let _ = place_of(&one, "U0RCA");
        }
    }
}

#[test]
fn a_delivery_holds_no_nul() {
    let body = json!({ "event\0": { "text": "why\0?", "blocks": ["\0", 1, null] } });
    let taken = Delivery::new(
        "Ev\u{0}1",
        DeliveryKind::Event,
        "2026-03-18T14:20:00Z".parse().unwrap(),
        body,
    );
    assert_eq!(taken.id, "Ev1");
    assert_eq!(
        taken.body,
        json!({ "event": { "text": "why?", "blocks": ["", 1, null] } })
    );
}
