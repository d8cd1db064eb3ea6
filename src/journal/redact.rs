//! Removes secrets before anything is written, shown or decided upon.
//!
//! The same value gets the same token within a case, so values stay joinable; another case gives
//! another token. What is looked for: names of fields and headers that hold secrets, and shapes of
//! secrets in any text (bearer tokens, JSON web tokens, cloud keys, card numbers, e-mail addresses,
//! passwords in URLs and in parameters).

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// How every token begins.
pub const HIDDEN: &str = "‹hidden-";

/// Replaces secrets by tokens of one case.
#[derive(Clone, Debug)]
pub struct Redactor {
    salt: String,
}

/// Names (in lower case, `-` and `_` taken out) whose value is a secret whatever it looks like.
const SECRET_NAMES: &[&str] = &[
    "authorization",
    "proxyauthorization",
    "cookie",
    "setcookie",
    "xapikey",
    "apikey",
    "xauthtoken",
    "xaccesstoken",
    "xcsrftoken",
    "xamzsecuritytoken",
    "xvaulttoken",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "clientsecret",
    "token",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authtoken",
    "sessiontoken",
    "sessionid",
    "privatekey",
    "secretkey",
    "accesskey",
    "cardnumber",
    "ccnumber",
    "cvv",
    "cvc",
    "pin",
    "ssn",
];

/// A regular expression, and the group that is the secret.
struct Pattern {
    regex: Regex,
    group: usize,
    /// Checks what a regular expression cannot.
    accept: fn(&str) -> bool,
}

fn pattern(regex: &str, group: usize, accept: fn(&str) -> bool) -> Option<Pattern> {
    Regex::new(regex)
        .ok()
        .map(|regex| Pattern { regex, group, accept })
}

static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let any: fn(&str) -> bool = |_| true;
    [
        // Bearer and basic credentials.
        pattern(r"(?i)\b(?:bearer|basic|token|apikey)\s+([A-Za-z0-9+/_\-.=~]{8,})", 1, any),
        // JSON web tokens.
        pattern(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*", 0, any),
        // Keys of cloud and code providers with a fixed beginning.
        pattern(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0, any),
        pattern(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9\-]{10,}|sk-[A-Za-z0-9_\-]{16,}|AIza[A-Za-z0-9_\-]{30,})", 0, any),
        pattern(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?", 0, any),
        // user:password@ of a URL.
        pattern(r"://[^/\s:@]+:([^/\s@]+)@", 1, any),
        // name=value and "name":"value".
        pattern(
            r#"(?i)["']?\b(?:password|passwd|pwd|secret|client_secret|api[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|session[_-]?id|token|card[_-]?number|cvv|cvc|authorization|set-cookie|cookie)["']?\s*[:=]\s*["']?([^\s"'&;,{}\[\]]{3,})"#,
            1,
            |value| !value.starts_with('‹'),
        ),
        // Payment cards: known beginnings, and the check digit.
        pattern(r"\b(?:3[47]\d{2}[ -]?\d{6}[ -]?\d{5}|(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6(?:011|5\d{2}))(?:[ -]?\d{4}){3})\b", 0, luhn),
        // E-mail addresses.
        pattern(r"\b[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9.\-]{1,190}\.[A-Za-z]{2,24}\b", 0, any),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The check digit of card numbers (ISO/IEC 7812-1, annex B).
fn luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            if index % 2 == 0 {
                *digit
            } else {
                digit * 2 - if *digit > 4 { 9 } else { 0 }
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

impl Redactor {
    /// A redactor for a case; `salt` is the case's id.
    pub fn new(salt: impl Into<String>) -> Self {
        Self { salt: salt.into() }
    }

    /// The token that stands for a secret: six hex digits tell values apart without telling them.
    fn token(&self, secret: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.salt.as_bytes());
        hash.update([0]);
        hash.update(secret.as_bytes());
        let digest = hash.finalize();
        let short = digest
            .iter()
            .take(3)
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        format!("{HIDDEN}{short}›")
    }

    /// The text with every secret in it replaced.
    pub fn text(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for pattern in PATTERNS.iter() {
            if !pattern.regex.is_match(&out) {
                continue;
            }
            out = pattern
                .regex
                .replace_all(&out, |found: &Captures<'_>| {
                    let whole = found.get(0).map_or("", |m| m.as_str());
                    match found.get(pattern.group).map(|m| m.as_str()) {
                        Some(secret) if (pattern.accept)(secret) && !secret.contains('‹') => {
                            whole.replacen(secret, &self.token(secret), 1)
                        }
                        _ => whole.to_owned(),
                    }
                })
                .into_owned();
        }
        out
    }

    /// The value with every secret in it replaced, at any depth.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(map) => {
                // Headers also come as a list of {name, value}.
                let named = map
                    .get("name")
                    .and_then(Value::as_str)
                    .is_some_and(is_secret_name);
                let pairs = map.into_iter().map(|(key, value)| {
                    let secret = is_secret_name(&key) || (named && key == "value");
                    let value = if secret {
                        self.whole(value)
                    } else {
                        self.value(value)
                    };
                    (key, value)
                });
                Value::Object(pairs.collect())
            }
            other => other,
        }
    }

    /// A value that is a secret whatever it looks like; its structure is kept.
    fn whole(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text.is_empty() || text.starts_with(HIDDEN) => Value::String(text),
            Value::String(text) => Value::String(self.token(&text)),
            Value::Number(number) => Value::String(self.token(&number.to_string())),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.whole(item)).collect()),
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .map(|(key, value)| (key, self.whole(value)))
                    .collect(),
            ),
            other => other,
        }
    }
}

fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .collect::<String>()
        .to_ascii_lowercase();
    SECRET_NAMES.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_every_kind_are_gone_and_stay_joinable() {
        let redactor = Redactor::new("case-1");
        let value = redactor.value(json!({
            "headers": {"Authorization": "Bearer abcdef0123456789", "X-Api-Key": "k-1", "Accept": "text/html"},
            "list": [{"name": "Cookie", "value": "sid=42"}, {"name": "Host", "value": "shop"}],
            "body": "{\"password\":\"hunter22\",\"card\":\"4111 1111 1111 1111\",\"mail\":\"ann@example.org\"}",
            "path": "/login?token=deadbeef99&next=/cart",
            "dsn": "postgres://app:s3cr3t@postgres:5432/shop",
            "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "status": 500,
        }));
        let text = value.to_string();
        for secret in [
            "abcdef0123456789",
            "k-1",
            "sid=42",
            "hunter22",
            "4111",
            "ann@",
            "deadbeef99",
            "s3cr3t",
            "eyJ",
        ] {
            assert!(!text.contains(secret), "{secret} is still in {text}");
        }
        for kept in ["text/html", "shop", "/cart", "postgres:5432", "500"] {
            assert!(text.contains(kept), "{kept} is missing from {text}");
        }
        let again = redactor.value(json!({"authorization": "Bearer abcdef0123456789"}));
        assert_eq!(
            again["authorization"], value["headers"]["Authorization"],
            "equal values, equal tokens"
        );
        let other = Redactor::new("case-2").value(json!({"authorization": "Bearer abcdef0123456789"}));
        assert_ne!(
            other["authorization"], again["authorization"],
            "another case, another token"
        );
    }

    #[test]
    fn redacting_twice_changes_nothing() {
        let redactor = Redactor::new("case-1");
        let once = redactor.value(json!({"cookie": "a=b", "body": "Bearer abcdef0123456789 token=abcdefgh"}));
        let body = once["body"].as_str().unwrap().to_owned();
        assert_eq!(redactor.text(&body), body);
    }

    #[test]
    fn numbers_that_are_no_cards_stay() {
        let redactor = Redactor::new("case-1");
        let text = "order 1700000000000 of 4111111111111112 at node-1/204/0";
        assert_eq!(redactor.text(text), text);
    }
}
