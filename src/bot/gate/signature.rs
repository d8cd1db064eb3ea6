//! Whether Slack sent it: <https://api.slack.com/authentication/verifying-requests-from-slack>.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::time::Utc;

/// An older or newer request is a replay, s.
const WINDOW: i64 = 300;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Missing,
    Stale,
    Wrong,
}

impl Refused {
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Missing => "the signature is missing",
            Self::Stale => "the signature is too old, or from the future",
            Self::Wrong => "the signature is wrong",
        }
    }
}

/// Checks a signature in constant time.
pub(super) fn check(
    secret: &[u8],
    timestamp: Option<&str>,
    signature: Option<&str>,
    body: &[u8],
    now: Utc,
) -> Result<(), Refused> {
    let (Some(timestamp), Some(signature)) = (timestamp, signature) else {
        return Err(Refused::Missing);
    };
    let at: i64 = timestamp.parse().map_err(|_| Refused::Wrong)?;
    let digest = signature
        .strip_prefix("v0=")
        .and_then(from_hex)
        .ok_or(Refused::Wrong)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Refused::Wrong)?;
    for part in [b"v0:".as_slice(), timestamp.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac.verify_slice(&digest).map_err(|_| Refused::Wrong)?;
    if (now.timestamp().saturating_sub(at)).saturating_abs() > WINDOW {
        return Err(Refused::Stale);
    }
    Ok(())
}

/// Whether two secrets are the same; how long it takes says nothing of where they differ.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter()
        .zip(other.iter())
        .fold(0, |differs, (a, b)| differs | (a ^ b))
        == 0
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}
