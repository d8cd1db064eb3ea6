//! What arrives at the bot, in its own words.

mod markup;
mod read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use markup::plain;
pub use read::{place_of, read};

use super::person::{Person, Place};
use crate::time::Utc;

/// Something that Slack or an alerting system delivered, as it came. Stored before it is acknowledged; read afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// The same for every attempt to deliver the same thing: `event_id`, `trigger_id`, or an alert's fingerprint and start.
    pub id: String,
    pub kind: DeliveryKind,
    pub received: Utc,
    /// Untrusted.
    pub body: Value,
}

impl Delivery {
    /// A delivery without NUL characters: no sentence has one, and a database may refuse what has.
    pub fn new(id: &str, kind: DeliveryKind, received: Utc, body: Value) -> Self {
        Self {
            id: id.replace('\0', ""),
            kind,
            received,
            body: without_nul(body),
        }
    }
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.replace('\0', ""), without_nul(value)))
            .collect(),
        other => other,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// A body of the Events API: `{"type": "event_callback", "event": {…}, …}`.
    Event,
    /// A button, a select, a shortcut: `{"type": "block_actions", …}`.
    Interaction,
    /// `/rca …`: the fields of the form.
    Command,
    /// One [`super::alert::Alert`].
    Alert,
}

impl DeliveryKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Interaction => "interaction",
            Self::Command => "command",
            Self::Alert => "alert",
        }
    }

    /// What is the same for every attempt to deliver this body.
    pub fn id_of(self, body: &Value) -> Option<String> {
        let name = match self {
            Self::Event => "event_id",
            Self::Interaction | Self::Command => "trigger_id",
            Self::Alert => return None,
        };
        let id = body
            .get(name)
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty())?;
        Some(format!(
            "{}:{}",
            self.name(),
            id.chars().take(200).collect::<String>()
        ))
    }
}

/// What a delivery says.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Somebody asks something, in words.
    Asked {
        by: Person,
        at: Place,
        /// Untrusted. Without the mention of the bot.
        text: String,
        via: Via,
        /// When what it is about was said, where it is another message.
        of: Option<Utc>,
    },
    /// Somebody pressed a button of ours.
    Pressed {
        by: Person,
        at: Place,
        /// Time stamp of the message with the button.
        message: Option<String>,
        action: String,
        value: String,
    },
    /// Somebody opened the app's home.
    Home { by: Person },
    /// An alerting system says that something is wrong, or is over.
    Alert(Box<super::alert::Alert>),
    /// Nothing for us.
    Ignored { why: String },
}

/// Takes deliveries in. What it has taken is not lost: only then is it acknowledged.
pub trait Accept: Send + Sync + 'static {
    /// `Err` says why it was not taken; whoever delivers tries again.
    fn accept(&self, delivery: Delivery) -> crate::driver::Performed<'_, Result<(), String>>;
}

/// How somebody came to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Mention,
    Direct,
    Command,
    /// "Investigate this alert" on a message.
    Shortcut,
}
