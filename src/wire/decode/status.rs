//! Whether Kubeshark is there and dissects: answers of `check_kubeshark_status` and
//! `get_dissection_status`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DecodeError, field::Fields};

/// What the server says of Kubeshark in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// `None` where neither is said.
    pub running: Option<bool>,
    pub namespace: Option<String>,
    /// Where it can be reached.
    pub address: Option<String>,
    /// The answer in full.
    pub text: String,
}

/// Reads prose ("Kubeshark is running in namespace …", "is accessible at …", "is not running") or
/// an object with such fields. Never fails: what is not understood is absent.
pub fn server_status(answer: &Value) -> ServerStatus {
    if let Some(fields) = Fields::of(answer) {
        return ServerStatus {
            running: fields
                .flag(&["running"])
                .or_else(|| running(&fields.text(&["status", "message"])?)),
            namespace: fields.text(&["namespace", "release_namespace"]),
            address: fields.text(&["url", "address"]),
            text: answer.to_string(),
        };
    }
    let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    ServerStatus {
        running: running(&text),
        namespace: word_after(&text, "in namespace"),
        address: word_after(&text, "accessible at"),
        text,
    }
}

fn running(text: &str) -> Option<bool> {
    let text = text.to_lowercase();
    if text.contains("not running") || text.contains("not accessible") || text.contains("not installed") {
        Some(false)
    } else if text.contains("running") || text.contains("accessible") {
        Some(true)
    } else {
        None
    }
}

/// The word that follows `phrase`, without quotes and final punctuation.
fn word_after(text: &str, phrase: &str) -> Option<String> {
    let (_, rest) = text.split_once(phrase)?;
    let word = rest.split_whitespace().next()?;
    let word = word.trim_matches(|c: char| matches!(c, '\'' | '"' | '`' | '.' | ',' | ';' | ':' | '(' | ')'));
    (!word.is_empty()).then(|| word.to_owned())
}

/// Whether traffic is dissected as it flows. It works forward only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveDissection {
    pub enabled: bool,
}

/// Reads `{enabled}`, also from the answers to switching it (`{success, …}`).
pub fn live_dissection(answer: &Value) -> Result<LiveDissection, DecodeError> {
    const WHAT: &str = "the answer about live dissection";
    let enabled = Fields::of(answer).and_then(|f| {
        f.flag(&["enabled", "dissection_enabled", "active"])
            .or_else(|| f.flag(&["status", "success"]))
    });
    enabled
        .map(|enabled| LiveDissection { enabled })
        .ok_or_else(|| DecodeError::field(WHAT, "enabled", "true or false", answer))
}
