//! What the bot remembers of a thread.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bot::{
        person::{Person, Place},
        work::{FollowUp, Request},
    },
    investigation::ServiceName,
    time::{Utc, Zone},
};

/// Requests of a thread that are kept; older ones have no buttons any more.
const REQUESTS: usize = 8;
/// Approvals that are kept.
const APPROVALS: usize = 16;

/// State of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Thread {
    /// The question that waits for an answer.
    pub(super) open: Option<Open>,
    /// What was investigated here, the newest last.
    pub(super) requests: Vec<Request>,
    pub(super) approvals: Vec<Approval>,
    pub(super) alert: Option<Incident>,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) key: String,
    pub(super) asks: Asks,
    pub(super) question: String,
    pub(super) labels: Vec<String>,
    /// What is assumed where nobody answers.
    pub(super) default: usize,
    pub(super) draft: Draft,
}

/// What a question settles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asks {
    /// When it happened; the words for each answer.
    When(Vec<String>),
    /// Which of several readings is meant.
    Which,
    /// Where the person is.
    Zone(Vec<Zone>),
    Namespace(Vec<String>),
}

/// An investigation of which not all is known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Draft {
    /// The id of the case to be.
    pub(super) case: String,
    pub(super) question: String,
    /// The words for the window.
    pub(super) words: Option<String>,
    /// Words of which one is meant, where an hour said no half of the day.
    #[serde(default)]
    pub(super) halves: Vec<String>,
    /// When it was asked: what "ago" counts from.
    pub(super) now: Utc,
    pub(super) zone: Option<Zone>,
    pub(super) namespace: Option<String>,
    pub(super) service: Option<ServiceName>,
    pub(super) by: Person,
    pub(super) at: Place,
    pub(super) notes: Vec<String>,
    /// Which reading is meant, ambiguity by ambiguity.
    pub(super) answers: Vec<usize>,
    /// Questions put so far.
    pub(super) asked: u32,
    /// Something was assumed that can be changed.
    pub(super) assumed: bool,
}

/// A yes that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Approval {
    pub(super) key: String,
    pub(super) case: String,
    pub(super) what: FollowUp,
    pub(super) by: Person,
    pub(super) approvers: Vec<String>,
    pub(super) expires: Utc,
    pub(super) zone: Zone,
    pub(super) settled: bool,
}

/// An alert that opened the thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Incident {
    pub(super) fingerprint: String,
    /// Case and key of the first message.
    pub(super) case: String,
    /// When it began, each time in the last day; the newest last.
    pub(super) starts: Vec<Utc>,
    pub(super) firing: bool,
    /// How often it was told while it was firing.
    pub(super) told: u32,
}

impl Thread {
    /// What was left; a state that cannot be read (of another version) is forgotten.
    pub(super) fn read(state: Option<&Value>) -> Self {
        state
            .and_then(|state| Self::deserialize(state).ok())
            .unwrap_or_default()
    }

    pub(super) fn write(&self) -> Option<Value> {
        serde_json::to_value(self).ok()
    }

    pub(super) fn request(&self, case: &str) -> Option<&Request> {
        self.requests.iter().rev().find(|request| request.case == case)
    }

    pub(super) fn keep(&mut self, request: Request) {
        self.requests.retain(|known| known.case != request.case);
        self.requests.push(request);
        let over = self.requests.len().saturating_sub(REQUESTS);
        self.requests.drain(..over);
    }

    pub(super) fn keep_approval(&mut self, approval: Approval) {
        self.approvals.push(approval);
        let over = self.approvals.len().saturating_sub(APPROVALS);
        self.approvals.drain(..over);
    }
}
