//! An alert, whoever sent it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Utc;

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The same for every notification about the same thing.
    pub fingerprint: String,
    pub firing: bool,
    pub starts: Utc,
    pub ends: Option<Utc>,
    /// One line. Untrusted, as all that follows.
    pub summary: String,
    pub labels: BTreeMap<String, String>,
    /// The channel that its receiver names, where it does.
    pub channel: Option<String>,
}
