//! What a conversation decides.

use serde_json::Value;

use crate::{
    bot::{
        person::{Person, Place},
        slack::Message,
        work::Work,
    },
    time::Utc,
};

/// What follows from one delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// In this order. Where a place has no thread yet, the first `Post` into it opens one, and all that follows means it.
    pub steps: Vec<Step>,
    /// What is to be known of the thread from now on; `None` leaves it as it was.
    pub thread: Option<Value>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Posts a message once; `key` tells it from all others, and is how it is found for an edit.
    Post {
        key: String,
        at: Place,
        message: Message,
    },
    /// Replaces the message that was posted under `key`.
    Edit { key: String, message: Message },
    /// Tells one person only.
    Whisper { to: Person, at: Place, message: Message },
    /// Shows somebody's app home.
    Home { to: Person, blocks: Vec<Value> },
    /// Puts work into the queue; once for every `key`.
    Enqueue {
        key: String,
        work: Box<Work>,
        not_before: Option<Utc>,
    },
    /// Ends a case that is waiting or running.
    Stop { case: String, by: Person },
    /// Somebody says whether a cause was right.
    Feedback { case: String, by: Person, right: bool },
}
