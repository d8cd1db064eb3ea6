//! From what Slack sends to what it means. Nothing of it is trusted to be there.

use serde_json::Value;

use super::{Delivery, DeliveryKind, Incoming, Via, markup::plain};
use crate::{
    bot::{
        alert::Alert,
        person::{Person, Place},
    },
    time::Utc,
};

/// Callback id of the message shortcut.
pub(crate) const SHORTCUT: &str = "investigate_alert";

/// A longer question is cut, characters.
const LONGEST: usize = 2_000;

/// What a delivery says; `me` is the bot's own user.
pub fn read(delivery: &Delivery, me: &str) -> Incoming {
    let body = &delivery.body;
    let read = match delivery.kind {
        DeliveryKind::Event => event(body, me),
        DeliveryKind::Interaction => interaction(body, me),
        DeliveryKind::Command => command(body, me),
        DeliveryKind::Alert => serde_json::from_value::<Alert>(body.clone())
            .ok()
            .map(|alert| Incoming::Alert(Box::new(alert))),
    };
    read.unwrap_or_else(|| ignored("it says nothing that is known here"))
}

/// Where a delivery belongs, as far as it says so: deliveries of one thread are handled one after the other.
pub fn place_of(delivery: &Delivery, me: &str) -> Option<Place> {
    match read(delivery, me) {
        Incoming::Asked { at, .. } | Incoming::Pressed { at, .. } => Some(at),
        Incoming::Home { by } => Some(Place {
            team: by.team,
            channel: "home".to_owned(),
            thread: Some(by.user),
        }),
        Incoming::Alert(alert) => Some(Place {
            team: String::new(),
            channel: "alerts".to_owned(),
            thread: Some(alert.fingerprint),
        }),
        Incoming::Ignored { .. } => None,
    }
}

fn ignored(why: &str) -> Incoming {
    Incoming::Ignored { why: why.to_owned() }
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

fn owned(value: &Value, pointer: &str) -> Option<String> {
    text(value, pointer).map(str::to_owned)
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// A time stamp of Slack: seconds since 1970 with a fraction that makes it unique.
fn moment(ts: &str) -> Option<Utc> {
    let seconds: i64 = ts.split('.').next()?.parse().ok()?;
    Utc::from_timestamp_secs(seconds)
}

fn event(body: &Value, me: &str) -> Option<Incoming> {
    let event = body.get("event")?;
    let kind = text(event, "/type")?;
    let by = Person {
        team: owned(body, "/team_id").or_else(|| owned(event, "/team"))?,
        user: owned(event, "/user")?,
    };
    if by.user == me || event.get("bot_id").is_some_and(|id| !id.is_null()) {
        return Some(ignored("a bot said it"));
    }
    let via = match kind {
        "app_home_opened" => {
            return Some(match text(event, "/tab") {
                None | Some("home") => Incoming::Home { by },
                Some(_) => ignored("another tab than home"),
            });
        }
        "app_mention" => Via::Mention,
        "message" if text(event, "/channel_type") == Some("im") => Via::Direct,
        _ => return Some(ignored("an event of another kind")),
    };
    // Edits, joins and the like are messages too, by their subtype.
    if !matches!(text(event, "/subtype"), None | Some("file_share")) {
        return Some(ignored("no message of a person"));
    }
    let at = Place {
        team: by.team.clone(),
        channel: owned(event, "/channel")?,
        // What is said outside a thread opens one.
        thread: owned(event, "/thread_ts").or_else(|| owned(event, "/ts")),
    };
    let text = cut(&plain(text(event, "/text").unwrap_or_default(), me));
    Some(Incoming::Asked {
        by,
        at,
        text,
        via,
        of: None,
    })
}

fn interaction(body: &Value, me: &str) -> Option<Incoming> {
    let by = Person {
        team: owned(body, "/team/id").or_else(|| owned(body, "/user/team_id"))?,
        user: owned(body, "/user/id")?,
    };
    match text(body, "/type")? {
        "block_actions" => {
            let message = owned(body, "/container/message_ts").or_else(|| owned(body, "/message/ts"));
            let at = Place {
                team: by.team.clone(),
                channel: owned(body, "/channel/id").or_else(|| owned(body, "/container/channel_id"))?,
                thread: owned(body, "/message/thread_ts")
                    .or_else(|| owned(body, "/container/thread_ts"))
                    .or_else(|| message.clone()),
            };
            Some(Incoming::Pressed {
                by,
                at,
                message,
                action: owned(body, "/actions/0/action_id")?,
                value: owned(body, "/actions/0/value").unwrap_or_default(),
            })
        }
        "message_action" if text(body, "/callback_id") == Some(SHORTCUT) => {
            let message = body.get("message")?;
            let ts = owned(message, "/ts")?;
            let mut words = vec![text(message, "/text").unwrap_or_default().to_owned()];
            // Alerts come as attachments more often than as text.
            for attachment in message
                .get("attachments")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                for pointer in ["/pretext", "/title", "/text", "/fallback"] {
                    words.extend(owned(attachment, pointer));
                }
            }
            words.dedup();
            let at = Place {
                team: by.team.clone(),
                channel: owned(body, "/channel/id")?,
                thread: owned(message, "/thread_ts").or_else(|| Some(ts.clone())),
            };
            Some(Incoming::Asked {
                by,
                at,
                text: cut(&plain(&words.join(" "), me)),
                via: Via::Shortcut,
                of: moment(&ts),
            })
        }
        _ => Some(ignored("an interaction of another kind")),
    }
}

fn command(body: &Value, me: &str) -> Option<Incoming> {
    let by = Person {
        team: owned(body, "/team_id")?,
        user: owned(body, "/user_id")?,
    };
    let at = Place {
        team: by.team.clone(),
        channel: owned(body, "/channel_id")?,
        // A command is no message: what is answered opens the thread.
        thread: None,
    };
    Some(Incoming::Asked {
        by,
        at,
        text: cut(&plain(text(body, "/text").unwrap_or_default(), me)),
        via: Via::Command,
        of: None,
    })
}
