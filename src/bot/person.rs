//! Who said something, and where.

use serde::{Deserialize, Serialize};

use crate::time::Zone;

/// Somebody of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// `T…`
    pub team: String,
    /// `U…` or `W…`
    pub user: String,
}

/// What Slack knows of somebody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Untrusted text.
    pub name: String,
    /// Where Slack says the person is; `None` where it does not, or names a zone that we do not know.
    pub zone: Option<Zone>,
    pub bot: bool,
}

/// A place where something can be said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    pub team: String,
    /// `C…`, `G…` or `D…`
    pub channel: String,
    /// Time stamp of the message that the thread hangs on; `None` for a new message in the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
}

impl Place {
    /// What is handled one after the other: what is said in one thread.
    pub fn serial(&self) -> Option<String> {
        let thread = self.thread.as_ref()?;
        Some(format!("{}/{}/{thread}", self.team, self.channel))
    }
}
