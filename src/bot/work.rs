//! What is to be done: the payloads of the queue.

use serde::{Deserialize, Serialize};

use super::{
    incoming::Delivery,
    person::{Person, Place},
};
use crate::{
    investigation::ServiceName,
    time::{Reading, Utc, Zone},
};

/// A job's payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Find out what a delivery means, and answer.
    Handle { delivery: Box<Delivery> },
    /// Run a case, or go on with it.
    Investigate { request: Box<Request> },
    /// Do something with a case that is done.
    Follow { follow: Box<Follow> },
    /// Nobody answered the question of this thread: go on with what was assumed.
    Assume {
        place: Place,
        /// Key of the question.
        question: String,
    },
}

/// An investigation that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub case: String,
    /// Untrusted words.
    pub question: String,
    /// The words for the window, as they were said.
    pub since: String,
    pub until: Option<String>,
    /// What they mean in `zone`, as of `now`.
    pub reading: Reading,
    pub zone: Zone,
    pub now: Utc,
    pub namespace: Option<String>,
    pub service: Option<ServiceName>,
    pub by: Person,
    pub at: Place,
    /// Key of the message that shows it; see `Store::posted`.
    pub message: String,
    /// Told in the report: what was assumed in the conversation.
    pub notes: Vec<String>,
    /// Namespaces that the channel may ask about; empty for all.
    pub namespaces: Vec<String>,
}

/// Something to do with a case that is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    pub case: String,
    pub what: FollowUp,
    pub by: Person,
    pub at: Place,
    /// Key of the message that tells what came of it.
    pub message: String,
    /// Zone of whoever asked for it.
    pub zone: Zone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FollowUp {
    /// The packets of the workloads involved, as a file.
    Pcap,
    /// The same hours of the day before, beside.
    Compare,
    /// The case's path after the fix.
    Confirm,
    /// The snapshot to cloud storage. Changes state: needs an approval.
    Preserve,
}
