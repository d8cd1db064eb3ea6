//! What kinds of failure there are, and what to do about each.

use serde::{Deserialize, Serialize};

/// What went wrong, as far as a decision can hang on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The Hub wants a token, or a login page stands before it (401, 302, 303).
    Unauthorized,
    /// The token's role does not allow it (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// The MCP server, or the Hub behind it, cannot be reached.
    HubUnreachable,
    /// Kubeshark does not run in the cluster.
    NotRunning,
    /// Raw capture is switched off.
    RawCaptureOff,
    /// The MCP server does not change the cluster unless it is started so.
    ReadOnly,
    /// Something of the kind is already under way, or there already (409).
    Conflict,
    /// No answer in time.
    Timeout,
    /// The answer is larger than what is read.
    TooLarge,
    /// The answer is not what the protocol asks for.
    Malformed,
    /// The server's process ended.
    Died,
    /// The program that serves could not be started.
    NotStarted,
    Other,
}

/// A failed call as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub tool: String,
    pub kind: FailureKind,
    /// A sentence without its full stop.
    pub message: String,
    /// What to do; may have several lines.
    pub hint: String,
}

/// The kind of failure that a tool's sentence tells.
///
/// A status code in parentheses (`Hub API error (404): …`) counts before any word.
pub(super) fn classify(message: &str) -> FailureKind {
    let text = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if text.contains("raw capture") && says(&["disabled", "not enabled", "is off", "not active"]) {
        return FailureKind::RawCaptureOff;
    }
    if says(&["allow-destructive", "read-only mode"]) {
        return FailureKind::ReadOnly;
    }
    if let Some(kind) = status_in(&text).and_then(of_status) {
        return kind;
    }
    if says(&[
        "requires authentication",
        "401/sso",
        "unauthorized",
        "sso redirect",
    ]) {
        FailureKind::Unauthorized
    } else if says(&["forbidden", "permission denied", "not allowed for role"]) {
        FailureKind::Forbidden
    } else if says(&["kubeshark is not running", "is not running"]) {
        FailureKind::NotRunning
    } else if says(&[
        "in progress",
        "already exists",
        "already running",
        "already being",
        "another snapshot",
    ]) {
        FailureKind::Conflict
    } else if says(&["deadline exceeded", "timed out", "timeout"]) {
        FailureKind::Timeout
    } else if says(&[
        "error calling hub api",
        "connection refused",
        "no such host",
        "connection reset",
    ]) {
        FailureKind::HubUnreachable
    } else if says(&["not found", "does not exist", "no such snapshot"]) {
        FailureKind::NotFound
    } else {
        FailureKind::Other
    }
}

/// The first three digits in parentheses.
fn status_in(text: &str) -> Option<u16> {
    text.split('(').skip(1).find_map(|rest| {
        let digits = rest.get(..3)?;
        let closed = rest.get(3..4).is_some_and(|c| c == ")");
        (closed && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    })
}

/// What an HTTP status means, where it means one thing.
pub(super) fn of_status(status: u16) -> Option<FailureKind> {
    Some(match status {
        300..=399 | 401 => FailureKind::Unauthorized,
        403 => FailureKind::Forbidden,
        404 | 410 => FailureKind::NotFound,
        408 | 504 => FailureKind::Timeout,
        409 => FailureKind::Conflict,
        502 | 503 => FailureKind::HubUnreachable,
        413 => FailureKind::TooLarge,
        _ => return None,
    })
}

/// The tools that only some of the Hub's roles may use.
const RECORDING_TOOLS: &[&str] = &[
    "create_snapshot",
    "start_snapshot_dissection",
    "export_snapshot_pcap",
    "upload_snapshot_to_cloud",
    "download_snapshot_from_cloud",
    "enable_dissection",
    "disable_dissection",
];

/// What to do about a failure of `tool`; empty `tool` for the connection as a whole.
pub(super) fn hint(kind: FailureKind, tool: &str) -> String {
    let fixed = match kind {
        FailureKind::Unauthorized => {
            "give the Hub's token: set KUBESHARK_HUB_TOKEN, or `--token` in the MCP command; where single \
             sign-on stands before the Hub, use a token or an address that it lets through"
        }
        FailureKind::Forbidden => return forbidden(tool),
        FailureKind::NotFound if tool.is_empty() => {
            "check the address: Kubeshark's MCP endpoint ends in `/mcp`, for example http://127.0.0.1:8898/mcp"
        }
        FailureKind::NotFound => "it may have been deleted meanwhile, or the Hub restarted and lost it",
        FailureKind::HubUnreachable => {
            "check that Kubeshark runs (`kubectl get pods -A -l app.kubernetes.io/name=kubeshark`), that the \
             address is right, and that a port forward is still up, for example \
             `kubectl port-forward -n kubeshark service/kubeshark-front 8899:80`"
        }
        FailureKind::NotRunning => {
            "install it with `kubeshark tap` or Helm, or name the cluster with `--kubeconfig` or `--url` in the \
             MCP command; a new installation holds no past traffic"
        }
        FailureKind::RawCaptureOff => {
            "switch raw capture on in Kubeshark's values; traffic is kept from then on:\n  \
             tap:\n    capture:\n      raw:\n        enabled: true\n        storageSize: 10Gi"
        }
        FailureKind::ReadOnly => {
            "start the MCP server with `--allow-destructive` if it may change the cluster"
        }
        FailureKind::Conflict => "wait for the one that is under way to end and try again",
        FailureKind::Timeout => {
            "the Hub gives up after 30 s: ask for less at once, and check its pods' load and memory"
        }
        FailureKind::TooLarge => {
            "narrow the query: a shorter window, a more selective filter, a smaller limit or the compact format"
        }
        FailureKind::Malformed => {
            "check that this is a Kubeshark MCP server and of which version; its log says more"
        }
        FailureKind::Died => "run the MCP command by hand to see why it ends; its last lines are above",
        FailureKind::NotStarted => {
            "install the Kubeshark command line tool (https://docs.kubeshark.com/en/install) and check that it is \
             in PATH, or give its full path in `--mcp-command`"
        }
        FailureKind::Other => "the server's own words above say what it is; its log says more",
    };
    fixed.to_owned()
}

fn forbidden(tool: &str) -> String {
    const ROLES: &str =
        "the Hub knows the roles admin, realtime (live traffic), snapshot (recordings) and viewer";
    if RECORDING_TOOLS.contains(&tool) {
        format!(
            "`{tool}` needs the role snapshot or admin, a viewer may only look; {ROLES}: use a token with one of them"
        )
    } else {
        format!("{ROLES}: use a token whose role allows it, and whose namespaces hold what is asked for")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_sentences_are_told_apart() {
        let cases = [
            ("Hub API error (404): snapshot not found", FailureKind::NotFound),
            ("Hub API error (403): forbidden", FailureKind::Forbidden),
            (
                "Hub API error (409): a snapshot is being created",
                FailureKind::Conflict,
            ),
            ("Hub API error (502): Bad Gateway", FailureKind::HubUnreachable),
            (
                "Hub API error (500): raw capture is disabled",
                FailureKind::RawCaptureOff,
            ),
            (
                "Hub API error (500): snapshot already in progress",
                FailureKind::Conflict,
            ),
            ("Hub API error (500): (é", FailureKind::Other),
            (
                "Hub requires authentication (401/SSO redirect), pass --token",
                FailureKind::Unauthorized,
            ),
            (
                "Error calling Hub API: dial tcp: connection refused",
                FailureKind::HubUnreachable,
            ),
            (
                "Error calling Hub API: context deadline exceeded",
                FailureKind::Timeout,
            ),
            (
                "Kubeshark is not running. Use the 'start_kubeshark' tool to start it first.",
                FailureKind::NotRunning,
            ),
            ("This needs --allow-destructive", FailureKind::ReadOnly),
            ("something else", FailureKind::Other),
        ];
        for (message, kind) in cases {
            assert_eq!(classify(message), kind, "{message}");
        }
    }

    #[test]
    fn every_kind_says_what_to_do() {
        assert!(hint(FailureKind::RawCaptureOff, "create_snapshot").contains("storageSize: 10Gi"));
        assert!(hint(FailureKind::Forbidden, "create_snapshot").contains("role snapshot or admin"));
        assert!(hint(FailureKind::Unauthorized, "").contains("KUBESHARK_HUB_TOKEN"));
    }
}
