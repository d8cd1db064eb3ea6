//! Faults to rehearse: ways a Kubeshark server misbehaves that a client must get along with.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// One way to misbehave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    HubToolsMissing,
    ViewerRole,
    RawCaptureOff,
    SnapshotFails,
    SnapshotStuck,
    DissectionFails,
    DissectionStuck,
    /// The connection drops when this many tool calls have been answered.
    DiesAfter(u32),
    /// No call is answered any more after this many.
    HangsAfter(u32),
    HugeAnswer,
    MalformedJson,
    OlderDialect,
    TotalIsReturnedLength,
    NeedsToken,
    EmptyWindow,
    /// Only what touches this namespace is shown.
    NamespaceScope(String),
    CloudOn,
    /// Live dissection has been on for the last so many seconds of the capture.
    LiveDissection(u32),
}

/// How a fault is written and what it does, for help texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    pub name: &'static str,
    pub does: &'static str,
}

const fn described(name: &'static str, does: &'static str) -> Description {
    Description { name, does }
}

impl Fault {
    /// Every fault as it is written, with one line each.
    pub const ALL: &[Description] = &[
        described(
            "hub-tools-missing",
            "the Hub cannot be reached: only the local tools are listed",
        ),
        described(
            "viewer-role",
            "the role is viewer: creating, dissecting and uploading answer 403",
        ),
        described(
            "raw-capture-off",
            "raw capture is not enabled: there are no data boundaries",
        ),
        described("snapshot-fails", "every snapshot ends as failed"),
        described("snapshot-stuck", "a snapshot stays in progress for ever"),
        described("dissection-fails", "every dissection ends as failed"),
        described("dissection-stuck", "a dissection stays pending for ever"),
        described(
            "dies-after:N",
            "the connection drops at the tool call after the Nth",
        ),
        described("hangs-after:N", "no tool call after the Nth is ever answered"),
        described("huge-answer", "lists of calls and statistics are 12 MB long"),
        described(
            "malformed-json",
            "lists of calls and statistics break off in the middle",
        ),
        described(
            "older-dialect",
            "tools, parameters and answers as an older Kubeshark has them, numbers as strings",
        ),
        described(
            "total-is-returned-length",
            "`total` of a list is the number of rows it returns",
        ),
        described(
            "needs-token",
            "the Hub asks for a token: 401 over HTTP, a refusal in words over stdio",
        ),
        described("empty-window", "snapshots complete, but hold no packet"),
        described(
            "namespace-scope:NS",
            "whatever does not touch namespace NS is silently hidden",
        ),
        described(
            "cloud-on",
            "cloud storage is configured (not a failure): uploads and downloads are jobs that complete",
        ),
        described(
            "live-dissection:N",
            "live dissection is on (not a failure), since N seconds before the end of the capture",
        ),
    ];
}

/// A fault that does not exist or lacks its number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    #[error("there is no fault `{0}` to rehearse; known are {known}", known = known())]
    Unknown(String),
    #[error("fault `{name}` needs {what} after a colon, as in `{name}:{example}`")]
    Argument {
        name: &'static str,
        what: &'static str,
        example: &'static str,
    },
}

const CALLS: &str = "a number of tool calls";

fn known() -> String {
    let names: Vec<_> = Fault::ALL.iter().map(|one| format!("`{}`", one.name)).collect();
    names.join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, argument) = text
            .trim()
            .split_once(':')
            .map_or((text.trim(), None), |(n, a)| (n, Some(a)));
        let number = |name, what| {
            let missing = FaultError::Argument {
                name,
                what,
                example: "3",
            };
            argument.and_then(|n| n.parse().ok()).ok_or(missing)
        };
        Ok(match name {
            "dies-after" => Self::DiesAfter(number("dies-after", CALLS)?),
            "hangs-after" => Self::HangsAfter(number("hangs-after", CALLS)?),
            "live-dissection" => Self::LiveDissection(number("live-dissection", "a number of seconds")?),
            "namespace-scope" => {
                if let Some(namespace) = argument.filter(|namespace| !namespace.is_empty()) {
                    Self::NamespaceScope(namespace.to_owned())
                } else {
                    let name = "namespace-scope";
                    return Err(FaultError::Argument {
                        name,
                        what: "a namespace",
                        example: "shop",
                    });
                }
            }
            _ if argument.is_some() => return Err(FaultError::Unknown(text.to_owned())),
            "hub-tools-missing" => Self::HubToolsMissing,
            "viewer-role" => Self::ViewerRole,
            "raw-capture-off" => Self::RawCaptureOff,
            "snapshot-fails" => Self::SnapshotFails,
            "snapshot-stuck" => Self::SnapshotStuck,
            "dissection-fails" => Self::DissectionFails,
            "dissection-stuck" => Self::DissectionStuck,
            "huge-answer" => Self::HugeAnswer,
            "malformed-json" => Self::MalformedJson,
            "older-dialect" => Self::OlderDialect,
            "total-is-returned-length" => Self::TotalIsReturnedLength,
            "needs-token" => Self::NeedsToken,
            "empty-window" => Self::EmptyWindow,
            "cloud-on" => Self::CloudOn,
            _ => return Err(FaultError::Unknown(text.to_owned())),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::HubToolsMissing => "hub-tools-missing",
            Self::ViewerRole => "viewer-role",
            Self::RawCaptureOff => "raw-capture-off",
            Self::SnapshotFails => "snapshot-fails",
            Self::SnapshotStuck => "snapshot-stuck",
            Self::DissectionFails => "dissection-fails",
            Self::DissectionStuck => "dissection-stuck",
            Self::DiesAfter(calls) => return write!(f, "dies-after:{calls}"),
            Self::HangsAfter(calls) => return write!(f, "hangs-after:{calls}"),
            Self::HugeAnswer => "huge-answer",
            Self::MalformedJson => "malformed-json",
            Self::OlderDialect => "older-dialect",
            Self::TotalIsReturnedLength => "total-is-returned-length",
            Self::NeedsToken => "needs-token",
            Self::EmptyWindow => "empty-window",
            Self::NamespaceScope(namespace) => return write!(f, "namespace-scope:{namespace}"),
            Self::CloudOn => "cloud-on",
            Self::LiveDissection(seconds) => return write!(f, "live-dissection:{seconds}"),
        };
        f.write_str(name)
    }
}

/// The faults of one hub.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<[Fault]>);

impl Faults {
    /// These faults together.
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(faults.into_iter().collect())
    }

    /// Whether this one is rehearsed.
    pub fn has(&self, fault: &Fault) -> bool {
        self.0.contains(fault)
    }

    /// The namespace the answers are limited to.
    pub fn namespace(&self) -> Option<&str> {
        self.0.iter().find_map(|fault| match fault {
            Fault::NamespaceScope(namespace) => Some(&**namespace),
            _ => None,
        })
    }

    /// For how long live dissection has been on, seconds.
    pub fn live_dissection(&self) -> Option<u32> {
        self.0.iter().find_map(|fault| match fault {
            Fault::LiveDissection(seconds) => Some(*seconds),
            _ => None,
        })
    }

    /// The calls answered before the connection drops.
    pub fn dies_after(&self) -> Option<u32> {
        self.0.iter().find_map(|fault| {
            if let Fault::DiesAfter(calls) = fault {
                Some(*calls)
            } else {
                None
            }
        })
    }

    /// The calls answered before no more are.
    pub fn hangs_after(&self) -> Option<u32> {
        self.0.iter().find_map(|fault| {
            if let Fault::HangsAfter(calls) = fault {
                Some(*calls)
            } else {
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_described_fault_can_be_rehearsed_and_is_written_as_described() {
        for described in Fault::ALL {
            let written = described.name.replace(":N", ":3").replace(":3S", ":shop");
            let fault: Fault = written.parse().unwrap();
            assert_eq!(fault.to_string(), written);
        }
    }

    #[test]
    fn a_wrong_fault_says_what_to_write() {
        let refused = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
        insta::assert_snapshot!(refused("dies-after"), @"fault `dies-after` needs a number of tool calls after a colon, as in `dies-after:3`");
        insta::assert_snapshot!(refused("namespace-scope:"), @"fault `namespace-scope` needs a namespace after a colon, as in `namespace-scope:shop`");
        assert!(refused("viewer-role:2").starts_with("there is no fault `viewer-role:2`"));
    }
}
