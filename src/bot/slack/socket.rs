//! Socket Mode: Slack's events over a WebSocket that we open, so that nobody has to reach us.
//!
//! An envelope is acknowledged when it was taken in, and not before: one that was not is sent again. Our own few lines on
//! a WebSocket library, since the client library for it acknowledges whatever its callback says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_tungstenite::{connect_async, tungstenite::Message as Frame};

use super::web::WebApi;
use crate::bot::{
    incoming::{Accept, Delivery, DeliveryKind},
    metrics::Metrics,
    worker::Now,
};

/// Slack wants an acknowledgement within three seconds.
const ACCEPT: Duration = Duration::from_millis(2_500);

/// Slack pings more often than this; a socket that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(90);

/// Opening a socket may take so long.
const OPENING: Duration = Duration::from_secs(15);

/// The longest pause between attempts to open one.
const PAUSE: Duration = Duration::from_secs(30);

/// Whether a socket is open.
#[derive(Clone, Debug, Default)]
pub struct Connected(Arc<AtomicBool>);

impl Connected {
    pub fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, open: bool) {
        self.0.store(open, Ordering::Relaxed);
    }
}

/// Why a socket is not used any more.
enum Over {
    Closing,
    /// Slack asks for a new one.
    Refresh,
    Lost(String),
}

/// Listens until `closing` says so; opens a new socket whenever one is lost.
pub async fn listen(
    api: WebApi,
    accept: Arc<dyn Accept>,
    connected: Connected,
    metrics: Metrics,
    now: Now,
    mut closing: watch::Receiver<bool>,
) {
    let mut pause = Duration::from_millis(500);
    while !*closing.borrow() {
        let over = one(&api, &*accept, &connected, &metrics, &now, &mut closing).await;
        let was = connected.is();
        connected.set(false);
        match over {
            Over::Closing => break,
            Over::Refresh => {
                pause = Duration::from_millis(500);
                continue;
            }
            Over::Lost(why) => {
                if was {
                    pause = Duration::from_millis(500);
                }
                tracing::warn!(why, "the socket to Slack is lost; a new one is opened");
                metrics.slack("socket", "lost");
            }
        }
        tokio::select! {
            () = sleep(pause) => pause = (pause * 2).min(PAUSE),
            _ = closing.changed() => {}
        }
    }
}

/// One socket, from its opening to its end.
async fn one(
    api: &WebApi,
    accept: &dyn Accept,
    connected: &Connected,
    metrics: &Metrics,
    now: &Now,
    closing: &mut watch::Receiver<bool>,
) -> Over {
    let url = match api.socket().await {
        Ok(url) => url,
        Err(error) => return Over::Lost(error.to_string()),
    };
    let mut socket = match timeout(OPENING, connect_async(url.as_str())).await {
        Ok(Ok((socket, _))) => socket,
        // The address holds a ticket: it is not told.
        Ok(Err(_)) => return Over::Lost("it could not be opened".to_owned()),
        Err(_) => return Over::Lost("it did not open in time".to_owned()),
    };
    loop {
        let frame = tokio::select! {
            frame = timeout(SILENCE, socket.next()) => frame,
            _ = closing.changed() => {
                let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
                return Over::Closing;
            }
        };
        let text = match frame {
            Err(_) => return Over::Lost("nothing was heard for too long".to_owned()),
            Ok(None) => return Over::Lost("it ended".to_owned()),
            Ok(Some(Err(error))) => return Over::Lost(error.to_string()),
            Ok(Some(Ok(Frame::Text(text)))) => text,
            Ok(Some(Ok(Frame::Close(_)))) => return Over::Lost("Slack closed it".to_owned()),
            // The library answers pings.
            Ok(Some(Ok(_))) => continue,
        };
        let Ok(envelope) = serde_json::from_str::<Value>(&text) else {
            tracing::warn!("Slack sent what is no JSON");
            continue;
        };
        match envelope.get("type").and_then(Value::as_str) {
            Some("hello") => {
                connected.set(true);
                continue;
            }
            Some("disconnect") => {
                let reason = envelope.get("reason").and_then(Value::as_str);
                if reason == Some("link_disabled") {
                    return Over::Lost("Socket Mode is off in the app's settings: turn it on".to_owned());
                }
                // One that goes before it has said hello is not worth a hurry.
                return if connected.is() {
                    Over::Refresh
                } else {
                    Over::Lost("Slack closed it before it was in use".to_owned())
                };
            }
            _ => {}
        }
        let Some((id, delivery)) = delivery(&envelope, now) else {
            continue;
        };
        let kind = delivery.kind.name();
        let taken = timeout(ACCEPT, accept.accept(delivery)).await;
        match taken {
            Ok(Ok(())) => {
                metrics.delivery(kind, "taken");
                let ack = json!({"envelope_id": id}).to_string();
                if let Err(error) = socket.send(Frame::Text(ack.into())).await {
                    return Over::Lost(error.to_string());
                }
            }
            Ok(Err(why)) => {
                metrics.delivery(kind, "not_taken");
                tracing::warn!(why, "an event was not taken in: Slack sends it again");
            }
            Err(_) => {
                metrics.delivery(kind, "not_taken");
                tracing::warn!("an event was not taken in within the time: Slack sends it again");
            }
        }
    }
}

/// What an envelope delivers, and its id.
fn delivery(envelope: &Value, now: &Now) -> Option<(String, Delivery)> {
    let id = envelope.get("envelope_id").and_then(Value::as_str)?.to_owned();
    let body = envelope.get("payload")?.clone();
    let kind = match envelope.get("type").and_then(Value::as_str)? {
        "events_api" => DeliveryKind::Event,
        "interactive" => DeliveryKind::Interaction,
        "slash_commands" => DeliveryKind::Command,
        _ => return None,
    };
    let own = kind.id_of(&body).unwrap_or_else(|| format!("envelope:{id}"));
    Some((id, Delivery::new(&own, kind, now(), body)))
}
