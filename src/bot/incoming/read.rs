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

/// Attachments and blocks of a message that are read, and how deep.
const PARTS: usize = 50;
const DEEPEST: u32 = 6;

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
    // In a direct message a mention arrives twice: as a message, and as a mention.
    if via == Via::Mention && text(event, "/channel").is_some_and(|channel| channel.starts_with('D')) {
        return Some(ignored(
            "a mention in a direct message, which arrives as a message too",
        ));
    }
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
            let words = shown(message);
            let at = Place {
                team: by.team.clone(),
                channel: owned(body, "/channel/id")?,
                thread: owned(message, "/thread_ts").or_else(|| Some(ts.clone())),
            };
            Some(Incoming::Asked {
                by,
                at,
                text: cut(&plain(&words, me)),
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

/// All that a message shows, each text once: alerts come as attachments and blocks more often than as text.
fn shown(message: &Value) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |said: &str| {
        let said = said.trim();
        if !said.is_empty() && !words.iter().any(|known| known.contains(said)) {
            words.push(said.to_owned());
        }
    };
    if let Some(said) = text(message, "/text") {
        add(said);
    }
    let list = |value: &Value, name: &str| -> Vec<Value> {
        let items = value.get(name).and_then(Value::as_array);
        items.into_iter().flatten().take(PARTS).cloned().collect()
    };
    for attachment in list(message, "attachments") {
        for pointer in ["/pretext", "/title", "/text"] {
            if let Some(said) = text(&attachment, pointer) {
                add(said);
            }
        }
        for field in list(&attachment, "fields") {
            let of = |pointer| text(&field, pointer).unwrap_or_default();
            add(&format!("{}: {}", of("/title"), of("/value")));
        }
        for block in list(&attachment, "blocks") {
            texts(&block, 0, &mut add);
        }
        if let Some(said) = text(&attachment, "/fallback") {
            add(said);
        }
    }
    for block in list(message, "blocks") {
        texts(&block, 0, &mut add);
    }
    words.join(" ").chars().take(4 * LONGEST).collect()
}

/// Every `text` that is a string, wherever it stands in a block.
fn texts(value: &Value, depth: u32, add: &mut impl FnMut(&str)) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items.iter().take(PARTS) {
                texts(item, depth + 1, add);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter().take(PARTS) {
                match field {
                    Value::String(said) if name == "text" => add(said),
                    _ => texts(field, depth + 1, add),
                }
            }
        }
        _ => {}
    }
}
