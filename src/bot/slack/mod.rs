//! Slack as the bot needs it. [`Slack`] is the seam: everything behind it is the network.

mod scopes;
pub mod socket;
pub mod web;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use scopes::SCOPES;

use super::{
    person::{Person, Place, Profile},
    runs::Attachment,
};
use crate::driver::Performed;

/// What can be asked of Slack. Every call has a time limit, and waits out a rate limit of moderate length itself.
pub trait Slack: Send + Sync {
    /// Posts a message and gives its time stamp. `key` goes along as the message's metadata.
    fn post<'a>(
        &'a self,
        at: &'a Place,
        key: &'a str,
        message: &'a Message,
    ) -> Performed<'a, Result<String, SlackError>>;

    /// The time stamp of the message that was posted under `key`, where there is one in this place.
    fn find<'a>(&'a self, at: &'a Place, key: &'a str) -> Performed<'a, Result<Option<String>, SlackError>>;

    /// Replaces a message.
    fn update<'a>(
        &'a self,
        at: &'a Place,
        ts: &'a str,
        message: &'a Message,
    ) -> Performed<'a, Result<(), SlackError>>;

    /// Shows a message to one person only.
    fn whisper<'a>(
        &'a self,
        to: &'a Person,
        at: &'a Place,
        message: &'a Message,
    ) -> Performed<'a, Result<(), SlackError>>;

    /// Puts files into a thread.
    fn upload<'a>(&'a self, at: &'a Place, files: &'a [Attachment]) -> Performed<'a, Result<(), SlackError>>;

    /// Names of the files that the bot has put into a thread.
    fn uploaded<'a>(&'a self, at: &'a Place) -> Performed<'a, Result<Vec<String>, SlackError>>;

    fn profile<'a>(&'a self, person: &'a Person) -> Performed<'a, Result<Profile, SlackError>>;

    /// Shows blocks as somebody's app home.
    fn publish_home<'a>(
        &'a self,
        to: &'a Person,
        blocks: &'a [Value],
    ) -> Performed<'a, Result<(), SlackError>>;
}

/// A message as Slack takes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Shown in notifications, and where blocks cannot be.
    pub text: String,
    /// Block Kit.
    pub blocks: Vec<Value>,
}

/// Why Slack did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Slack's own word, such as `channel_not_found`. Asking again will not help.
    #[error("Slack refused: {0}")]
    Refused(String),
    /// Too much was asked for.
    #[error("Slack asks to wait {seconds} s")]
    Busy { seconds: u64 },
    /// Slack could not be reached, or answered with what is not its protocol. Asking again may help.
    #[error("Slack could not be reached: {0}")]
    Away(String),
}
