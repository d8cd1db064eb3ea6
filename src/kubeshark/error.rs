//! Why a server could not be reached, or a call failed: for people, and as a kind for decisions.

use std::{fmt, time::Duration};

use super::failure::{Failure, FailureKind, classify, hint};

/// How many of the last lines of a server's stderr a message shows; all kept ones are in the error.
const LINES_SHOWN: usize = 3;

/// How a server's process ended and what it said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastWords {
    /// "exit status: 1", "signal: 9 (SIGKILL)"; `None` where it still runs or there is no process.
    pub exit: Option<String>,
    /// The last lines of its stderr, oldest first.
    pub stderr: Vec<String>,
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(exit) = &self.exit {
            write!(f, " ({exit})")?;
        }
        let shown = self.stderr.len().saturating_sub(LINES_SHOWN);
        let lines: Vec<&str> = self.stderr.iter().skip(shown).map(String::as_str).collect();
        if lines.is_empty() {
            Ok(())
        } else {
            write!(f, "; its stderr ends with: {}", lines.join(" | "))
        }
    }
}

/// A server that could not be connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// The program could not be started.
    Start { target: String, reason: String },
    /// It ended before the handshake did.
    Died { target: String, last: LastWords },
    /// The handshake took too long.
    TimedOut {
        target: String,
        after: Duration,
        last: LastWords,
    },
    /// It answers, but not as an MCP server does.
    Protocol {
        target: String,
        what: String,
        last: LastWords,
    },
    /// The HTTP request failed or was answered with a status that says so.
    Http {
        target: String,
        kind: FailureKind,
        message: String,
    },
}

impl ConnectError {
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Start { .. } => FailureKind::NotStarted,
            Self::Died { .. } => FailureKind::Died,
            Self::TimedOut { .. } => FailureKind::Timeout,
            Self::Protocol { .. } => FailureKind::Malformed,
            Self::Http { kind, .. } => *kind,
        }
    }

    /// What to do about it; may have several lines.
    pub fn hint(&self) -> String {
        match self {
            Self::TimedOut { .. } => {
                "the server does not answer the MCP handshake: check that the command or the address is that of an \
                 MCP server (`kubeshark mcp`), and run it by hand to see what it waits for"
                    .to_owned()
            }
            other => hint(other.kind(), ""),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { target, reason } => write!(f, "could not start {target}: {reason}"),
            Self::Died { target, last } => {
                write!(f, "{target} ended before it answered the handshake{last}")
            }
            Self::TimedOut { target, after, last } => {
                write!(
                    f,
                    "{target} did not answer the handshake within {}{last}",
                    Seconds(*after)
                )
            }
            Self::Protocol { target, what, last } => {
                write!(f, "{target} does not speak MCP as expected: {what}{last}")
            }
            Self::Http { target, message, .. } => {
                write!(f, "could not connect to {target}: {message}")
            }
        }
    }
}

impl std::error::Error for ConnectError {}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The tool says so itself, or HTTP does.
    Tool {
        tool: String,
        kind: FailureKind,
        message: String,
    },
    /// The server does not take the request.
    Rejected {
        tool: String,
        code: i32,
        message: String,
    },
    /// The request is larger than a server reads, bytes.
    RequestTooLarge {
        tool: String,
        bytes: usize,
        limit: usize,
    },
    /// The answer is larger than what is read, bytes. `exact` is false where reading stopped early.
    TooLarge {
        tool: String,
        bytes: u64,
        exact: bool,
        limit: u64,
    },
    /// The answer is not what the protocol asks for.
    Malformed { tool: String, what: String },
    /// No answer in time. `attempts` counts the connections it was tried on.
    TimedOut {
        tool: String,
        after: Duration,
        attempts: u32,
        last: LastWords,
    },
    /// The server went away in the middle. `attempts` counts the connections it was tried on.
    Died {
        tool: String,
        attempts: u32,
        repeatable: bool,
        last: LastWords,
    },
    /// No connection could be opened for the call; `after` is what had broken the one before.
    NotConnected {
        tool: String,
        error: Box<ConnectError>,
        after: Option<Box<CallError>>,
    },
}

impl CallError {
    /// The tool that was called.
    pub fn tool(&self) -> &str {
        match self {
            Self::Tool { tool, .. }
            | Self::Rejected { tool, .. }
            | Self::RequestTooLarge { tool, .. }
            | Self::TooLarge { tool, .. }
            | Self::Malformed { tool, .. }
            | Self::TimedOut { tool, .. }
            | Self::Died { tool, .. }
            | Self::NotConnected { tool, .. } => tool,
        }
    }

    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Tool { kind, .. } => *kind,
            Self::Rejected { message, .. } => classify(message),
            Self::RequestTooLarge { .. } | Self::TooLarge { .. } => FailureKind::TooLarge,
            Self::Malformed { .. } => FailureKind::Malformed,
            Self::TimedOut { .. } => FailureKind::Timeout,
            Self::Died { .. } => FailureKind::Died,
            Self::NotConnected { error, .. } => error.kind(),
        }
    }

    /// What to do about it; may have several lines.
    pub fn hint(&self) -> String {
        match self {
            Self::NotConnected { error, .. } => error.hint(),
            other => hint(other.kind(), other.tool()),
        }
    }

    /// The same as it is recorded.
    pub fn failure(&self) -> Failure {
        Failure {
            tool: self.tool().to_owned(),
            kind: self.kind(),
            message: self.to_string(),
            hint: self.hint(),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool { tool, message, .. } => write!(f, "`{tool}` failed: {message}"),
            Self::Rejected { tool, code, message } => {
                write!(
                    f,
                    "the server does not take the call of `{tool}`: {message} ({code})"
                )
            }
            Self::RequestTooLarge { tool, bytes, limit } => {
                write!(
                    f,
                    "the request to `{tool}` has {bytes} bytes, a server reads at most {limit}"
                )
            }
            Self::TooLarge {
                tool,
                bytes,
                exact,
                limit,
            } => {
                let more = if *exact { "" } else { "more than " };
                write!(
                    f,
                    "the answer of `{tool}` has {more}{}, at most {} are read",
                    Mebibytes(*bytes),
                    Mebibytes(*limit)
                )
            }
            Self::Malformed { tool, what } => write!(f, "the answer of `{tool}` cannot be read: {what}"),
            Self::TimedOut {
                tool,
                after,
                attempts,
                last,
            } => {
                write!(
                    f,
                    "`{tool}` did not answer within {}{}{last}",
                    Seconds(*after),
                    Again(*attempts)
                )
            }
            Self::Died {
                tool,
                attempts,
                repeatable,
                last,
            } => {
                write!(
                    f,
                    "the MCP server went away in the middle of `{tool}`{}{last}",
                    Again(*attempts)
                )?;
                if *repeatable {
                    return Ok(());
                }
                f.write_str("; whether it took effect is not known, so it was not repeated")
            }
            Self::NotConnected {
                tool,
                error,
                after: None,
            } => {
                write!(f, "`{tool}` could not be called: {error}")
            }
            Self::NotConnected {
                error,
                after: Some(after),
                ..
            } => {
                write!(f, "{after}; then {error}")
            }
        }
    }
}

impl std::error::Error for CallError {}

struct Again(u32);

impl fmt::Display for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 {
            f.write_str(", also after a restart")
        } else {
            Ok(())
        }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_millis() == 0 {
            write!(f, "{} s", self.0.as_secs())
        } else {
            write!(f, "{} ms", self.0.as_millis())
        }
    }
}

struct Mebibytes(u64);

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIB: u64 = 1 << 20;
        if self.0 < MIB {
            return write!(f, "{} bytes", self.0);
        }
        let tenths = self.0.saturating_mul(10) / MIB;
        write!(f, "{}.{} MiB", tenths / 10, tenths % 10)
    }
}
