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
    /// What else is a secret, by what the user says.
    more: Vec<Regex>,
    names: Vec<String>,
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
    "xauthkey",
    "xsessiontoken",
    "xsessionid",
    "xuserpassword",
    "xgoogapikey",
    "xgitlabtoken",
    "xamzsignature",
    "ocpapimsubscriptionkey",
    "sessioncookie",
    "credential",
    "credentials",
    "bearer",
    "signature",
    "sharedaccesskey",
    "accountkey",
    "connectionstring",
    "webhookurl",
    "otp",
    "onetimepassword",
    "iban",
    "accountnumber",
    "csrftoken",
    "awssecretaccesskey",
    "awssessiontoken",
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
        // Digest credentials and the like: everything after the scheme.
        pattern(r"(?i)\b(?:proxy-)?authorization\s*:\s*\w+\s+([^\r\n]{8,})", 1, |value| !value.starts_with('‹')),
        // A line of cookies: all of them.
        pattern(r#"(?i)\b(?:set-)?cookie\s*:\s*([^\r\n"\\]{3,})"#, 1, |value| !value.starts_with('‹')),
        // JSON web tokens.
        pattern(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*", 0, any),
        // Keys of cloud and code providers with a fixed beginning.
        pattern(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", 0, any),
        pattern(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}|xox[abeprs]-[A-Za-z0-9\-]{10,}|sk-[A-Za-z0-9_\-]{16,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{10,}|AIza[A-Za-z0-9_\-]{30,}|npm_[A-Za-z0-9]{20,}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|dop_v1_[a-f0-9]{32,}|hv[sb]\.[A-Za-z0-9_\-]{20,}|ya29\.[A-Za-z0-9_\-]{20,})", 0, any),
        // Addresses of Slack's incoming webhooks.
        pattern(r"hooks\.slack\.com/services/([A-Za-z0-9/]{20,})", 1, any),
        pattern(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?", 0, any),
        // user:password@ of a URL.
        pattern(r"://[^/\s:@]+:([^/\s@]+)@", 1, any),
        // name=value and "name":"value".
        pattern(
            r#"(?i)[\\"']*\b(?:password|passwd|pwd|passphrase|secret|client_secret|(?:aws_)?secret_access_key|api[_-]?key|(?:account|shared_?access|private|encryption)[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|csrf[_-]?token|session[_-]?(?:id|token)|jsessionid|phpsessid|token|card[_-]?number|cvv|cvc|otp|iban|x-amz-signature|x-amz-security-token|x-goog-signature|sig|signature|authorization|set-cookie|cookie)[\\"']*\s*[:=]\s*[\\"']*([^\s"'\\&;,{}\[\]]{3,})"#,
            1,
            |value| !value.starts_with('‹') && !matches!(value.to_ascii_lowercase().as_str(), "bearer" | "basic" | "digest" | "null" | "none" | "true" | "false"),
        ),
        // The same as XML.
        pattern(r"(?i)<(?:\w+:)?(?:password|passwd|secret|token|apikey|api_key|accesstoken|sessionid|cardnumber|cvv|iban)(?:\s[^>]*)?>([^<]{3,})<", 1, |value| !value.starts_with('‹')),
        // International bank account numbers, with their check digits.
        pattern(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", 0, iban),
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

/// The check digits of international bank account numbers (ISO 13616: modulo 97 is 1).
fn iban(text: &str) -> bool {
    let plain: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let (head, tail) = plain.split_at(4);
    tail.iter().chain(head).try_fold(0u32, |rest, c| {
        let value = c.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % 97)
    }) == Some(1)
}

impl Redactor {
    /// A redactor for a case; `salt` is the case's id.
    pub fn new(salt: impl Into<String>) -> Self {
        Self {
            salt: salt.into(),
            more: Vec::new(),
            names: Vec::new(),
        }
    }

    /// The same with patterns and names of one's own. Of a pattern with a group the group is the secret.
    ///
    /// # Errors
    /// The first pattern that cannot be read.
    pub fn with(mut self, patterns: &[String], names: &[String]) -> Result<Self, regex::Error> {
        for pattern in patterns {
            self.more.push(Regex::new(pattern)?);
        }
        for name in names {
            // The name beside its value in any text, as in a header that an error message repeats.
            let spelled: String = name
                .trim()
                .chars()
                .map(|c| match c {
                    '-' | '_' => "[-_]?".to_owned(),
                    c => regex::escape(&c.to_string()),
                })
                .collect();
            if spelled.is_empty() {
                continue;
            }
            self.more.push(Regex::new(&format!(
                r#"(?i)\b{spelled}[\\"']*\s*[:=]\s*[\\"']*([^\s"'\\&;,{{}}\[\]]{{3,}})"#
            ))?);
            self.names.push(plain_name(name));
        }
        Ok(self)
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
        for regex in &self.more {
            out = regex
                .replace_all(&out, |found: &Captures<'_>| {
                    let whole = found.get(0).map_or("", |m| m.as_str());
                    let secret = found.get(1).map_or(whole, |m| m.as_str());
                    if secret.is_empty() || secret.contains('‹') {
                        whole.to_owned()
                    } else {
                        whole.replacen(secret, &self.token(secret), 1)
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
                    .is_some_and(|name| self.is_secret_name(name));
                let pairs = map.into_iter().map(|(key, value)| {
                    let secret = self.is_secret_name(&key) || (named && key == "value");
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

    fn is_secret_name(&self, name: &str) -> bool {
        let plain = plain_name(name);
        SECRET_NAMES.contains(&plain.as_str()) || self.names.contains(&plain)
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

/// In lower case, without `-` and `_`.
fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '-' | '_'))
        .collect::<String>()
        .to_ascii_lowercase()
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
