//! What people do, and what goes wrong between Slack and us.

use std::{fmt::Write as _, sync::PoisonError};

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{BOT_USER, FakeSlack, Frame, Posted, Shared, State, TEAM, methods};

impl State {
    /// Sends an envelope down the newest socket.
    fn envelope(&mut self, kind: &str, payload: &Value, attempt: u64) {
        let id = self.next("envelope-");
        let text = json!({"envelope_id": id, "type": kind, "payload": payload, "retry_attempt": attempt,
            "accepts_response_payload": kind != "events_api"})
        .to_string();
        if let Some((_, socket)) = self.sockets.last() {
            let _ = socket.send(Frame::Text(text));
        }
        self.pending.push((id, kind.to_owned(), payload.clone(), attempt));
    }

    /// Sends again what nobody acknowledged, in new envelopes.
    pub(super) fn resend(&mut self) {
        for (_, kind, payload, attempt) in std::mem::take(&mut self.pending) {
            self.envelope(&kind, &payload, attempt + 1);
        }
    }

    /// What nobody has acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.pending.len()
    }
}

/// What Slack sends with a request to show that it is Slack.
pub(crate) fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{timestamp}:{body}").as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().fold("v0=".to_owned(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Fields as a form.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let url = reqwest::Url::parse_with_params("http://form/", fields).unwrap();
    url.query().unwrap_or_default().to_owned()
}

impl Shared {
    fn deliver(self: &std::sync::Arc<Self>, kind: &str, payload: &Value) {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(target) = target else {
            self.change(|state| state.envelope(kind, payload, 0));
            return;
        };
        let (path, content, body) = match kind {
            "events_api" => ("events", "application/json", payload.to_string()),
            "interactive" => (
                "interactions",
                "application/x-www-form-urlencoded",
                form(&[("payload", &payload.to_string())]),
            ),
            _ => {
                let fields: Vec<(&str, &str)> = payload
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
                    .collect();
                ("commands", "application/x-www-form-urlencoded", form(&fields))
            }
        };
        let signs_at = *self.signs_at.lock().unwrap_or_else(PoisonError::into_inner);
        let timestamp = signs_at.unwrap_or_else(|| chrono::Utc::now().timestamp());
        let signed = signature(&self.signing_secret, timestamp, &body);
        let request = reqwest::Client::new()
            .post(format!("{target}/slack/{path}"))
            .header("content-type", content)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signed)
            .body(body);
        let shared = std::sync::Arc::clone(self);
        tokio::spawn(async move {
            let status = match request.send().await {
                Ok(response) => response.status().as_u16(),
                Err(_) => 0,
            };
            shared.change(|state| state.answers.push(status));
        });
    }
}

impl FakeSlack {
    /// From now on events go to `base` over HTTP, signed, instead of over a WebSocket.
    pub(crate) fn events_to(&self, base: &str) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(base.to_owned());
    }

    /// Signs requests with this time, Unix seconds.
    pub(crate) fn signs_at(&self, timestamp: i64) {
        *self
            .shared
            .signs_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(timestamp);
    }

    fn say(&self, user: &str, channel: &str, thread: Option<&str>, text: &str) -> String {
        self.change(|state| {
            let ts = state.next_ts();
            state.messages.push(Posted {
                channel: channel.to_owned(),
                ts: ts.clone(),
                thread: thread.map(str::to_owned),
                user: user.to_owned(),
                text: text.to_owned(),
                ..Posted::default()
            });
            ts
        })
    }

    /// An event with these fields, in what Slack puts around it; gives that too, to deliver it once more.
    pub(crate) fn event(&self, event: &Value) -> Value {
        let id = self.change(|state| state.next("Ev"));
        let body = json!({"type": "event_callback", "team_id": TEAM, "api_app_id": "AFAKE", "event_id": id,
            "event_time": 1_790_000_000, "event": event});
        self.shared.deliver("events_api", &body);
        body
    }

    /// Delivers an event again, as Slack does when it is not sure.
    pub(crate) fn again(&self, body: &Value) {
        self.shared.deliver("events_api", body);
    }

    /// Somebody says something in a channel, without a mention: no event comes of it.
    pub(crate) fn remark(&self, user: &str, channel: &str, text: &str) -> String {
        self.say(user, channel, None, text)
    }

    /// Somebody mentions the bot in a channel; gives the time stamp of the message.
    pub(crate) fn mention(&self, user: &str, channel: &str, text: &str) -> String {
        self.mention_in(user, channel, None, text)
    }

    /// Somebody mentions the bot in a thread.
    pub(crate) fn reply(&self, user: &str, channel: &str, thread: &str, text: &str) -> String {
        self.mention_in(user, channel, Some(thread), text)
    }

    fn mention_in(&self, user: &str, channel: &str, thread: Option<&str>, text: &str) -> String {
        let text = format!("<@{BOT_USER}> {text}");
        let ts = self.say(user, channel, thread, &text);
        self.event(
            &json!({"type": "app_mention", "user": user, "text": text, "ts": ts, "channel": channel,
            "thread_ts": thread, "event_ts": ts, "team": TEAM}),
        );
        ts
    }

    /// Somebody writes to the bot alone, in `channel` (`D…`).
    pub(crate) fn direct(&self, user: &str, channel: &str, thread: Option<&str>, text: &str) -> String {
        let ts = self.say(user, channel, thread, text);
        self.event(
            &json!({"type": "message", "channel_type": "im", "user": user, "text": text, "ts": ts,
            "channel": channel, "thread_ts": thread, "event_ts": ts, "team": TEAM}),
        );
        ts
    }

    /// Somebody opens the app's home.
    pub(crate) fn home(&self, user: &str) {
        self.event(&json!({"type": "app_home_opened", "user": user, "channel": "DHOME", "tab": "home"}));
    }

    /// Somebody types `/rca …`.
    pub(crate) fn command(&self, user: &str, channel: &str, text: &str) {
        let trigger = self.change(|state| state.next("trigger."));
        let payload = json!({"command": "/rca", "text": text, "team_id": TEAM, "channel_id": channel,
            "user_id": user, "user_name": user.to_lowercase(), "trigger_id": trigger,
            "response_url": "https://hooks.slack.com/commands/none", "api_app_id": "AFAKE"});
        self.shared.deliver("slash_commands", &payload);
    }

    /// Somebody chooses "Investigate this alert" on a message.
    pub(crate) fn shortcut(&self, user: &str, channel: &str, ts: &str) {
        let (trigger, message) = self.change(|state| {
            let trigger = state.next("trigger.");
            let message = state
                .messages
                .iter()
                .find(|message| message.channel == channel && message.ts == ts)
                .unwrap_or_else(|| panic!("no message {ts} in {channel}"));
            (trigger, methods::shown(state, message, false))
        });
        let payload = json!({"type": "message_action", "callback_id": "investigate_alert",
            "trigger_id": trigger, "team": {"id": TEAM, "domain": "shop"},
            "user": {"id": user, "team_id": TEAM}, "channel": {"id": channel}, "message_ts": ts,
            "message": message, "response_url": "https://hooks.slack.com/app/none"});
        self.shared.deliver("interactive", &payload);
    }

    /// Somebody presses a button on a message of the bot, by the words on it or its action id; gives the payload, to press
    /// twice with [`Self::press_again`].
    ///
    /// # Panics
    /// Where no such button is there.
    pub(crate) fn press(&self, user: &str, ts: &str, button: &str) -> Value {
        let payload = self.change(|state| {
            let trigger = state.next("trigger.");
            let message = state
                .messages
                .iter()
                .find(|message| message.ts == ts)
                .unwrap_or_else(|| panic!("no message {ts}"));
            let pressed = find(&message.blocks, button)
                .unwrap_or_else(|| panic!("no button {button:?} on:\n{}", State::words(&message.blocks, "")));
            let container = json!({"type": "message", "message_ts": ts, "channel_id": message.channel,
                "thread_ts": message.thread});
            json!({"type": "block_actions", "trigger_id": trigger, "team": {"id": TEAM, "domain": "shop"},
                "user": {"id": user, "team_id": TEAM}, "channel": {"id": message.channel},
                "container": container, "message": methods::shown(state, message, false), "actions": [pressed],
                "response_url": "https://hooks.slack.com/actions/none"})
        });
        self.shared.deliver("interactive", &payload);
        payload
    }

    /// Presses a button on somebody's app home.
    ///
    /// # Panics
    /// Where no such button is there.
    pub(crate) fn press_home(&self, user: &str, button: &str) {
        let payload = self.change(|state| {
            let trigger = state.next("trigger.");
            let pressed = state.homes.get(user).and_then(|blocks| find(blocks, button));
            let pressed = pressed.unwrap_or_else(|| panic!("no button {button:?} on the home of {user}"));
            json!({"type": "block_actions", "trigger_id": trigger, "team": {"id": TEAM, "domain": "shop"},
                "user": {"id": user, "team_id": TEAM}, "container": {"type": "view", "view_id": "VHOME"},
                "view": {"type": "home"}, "actions": [pressed]})
        });
        self.shared.deliver("interactive", &payload);
    }

    /// Delivers what [`Self::press`] gave once more.
    pub(crate) fn press_again(&self, payload: &Value) {
        self.shared.deliver("interactive", payload);
    }

    /// Slack says that the sockets are going to be refreshed.
    pub(crate) fn disconnect(&self) {
        let frame = json!({"type": "disconnect", "reason": "refresh_requested"}).to_string();
        self.change(|state| {
            for (_, socket) in &state.sockets {
                let _ = socket.send(Frame::Text(frame.clone()));
            }
        });
    }

    /// All sockets are gone without a word.
    pub(crate) fn cut_sockets(&self) {
        self.change(|state| {
            for (_, socket) in &state.sockets {
                let _ = socket.send(Frame::Cut);
            }
        });
    }

    /// Sends what is no envelope.
    pub(crate) fn babble(&self, text: &str) {
        self.change(|state| {
            for (_, socket) in &state.sockets {
                let _ = socket.send(Frame::Text(text.to_owned()));
            }
        });
    }

    /// Slack's patience with what was not acknowledged is over: all of it is sent again.
    pub(crate) fn resend(&self) {
        self.change(State::resend);
    }
}

/// A button as the interaction names it.
fn find(blocks: &[Value], wanted: &str) -> Option<Value> {
    let elements = blocks.iter().flat_map(|block| {
        let inside = block.get("elements").and_then(Value::as_array);
        inside.into_iter().flatten().chain(block.get("accessory"))
    });
    let mut buttons =
        elements.filter(|element| element.get("type").and_then(Value::as_str) == Some("button"));
    buttons
        .find(|button| {
            let words = button.pointer("/text/text").and_then(Value::as_str);
            words == Some(wanted) || button.get("action_id").and_then(Value::as_str) == Some(wanted)
        })
        .map(|button| {
            json!({"type": "button", "action_id": button["action_id"], "value": button.get("value"),
                "text": button["text"], "block_id": "b", "action_ts": "1790000000.000001"})
        })
}
