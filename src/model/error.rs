//! Why a model gave no answer, for people.

/// What sort of trouble it was, as far as the caller treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection, or it was cut.
    Unreachable,
    Timeout,
    /// 401 or 403.
    Unauthorized,
    /// No such model or address.
    NotFound,
    /// 429 to the end, or nothing left to spend.
    RateLimited,
    /// 5xx to the end.
    Server,
    /// Another 4xx: the request is not understood.
    Refused,
    /// What came is no chat completion.
    Malformed,
    /// The answer was larger than is read.
    TooLarge,
}

/// Why a model gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    pub trouble: Trouble,
    pub message: String,
    /// How long the endpoint asks to wait, ms.
    pub retry_after_ms: Option<u64>,
    /// The endpoint's own words, cut; untrusted text.
    pub said: String,
}

impl ModelError {
    pub(super) fn new(trouble: Trouble, message: impl Into<String>) -> Self {
        Self {
            trouble,
            message: message.into(),
            retry_after_ms: None,
            said: String::new(),
        }
    }

    /// For those that answer without an endpoint.
    pub fn failed(trouble: Trouble, message: impl Into<String>) -> Self {
        Self::new(trouble, message)
    }

    /// Whether the same request may succeed later.
    pub(super) fn passes(&self) -> bool {
        matches!(
            self.trouble,
            Trouble::Unreachable | Trouble::Timeout | Trouble::RateLimited | Trouble::Server
        ) && !self.said.contains("insufficient_quota")
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.trouble {
            Trouble::Unreachable => "check --model-url (RCA_MODEL_URL), and that the endpoint runs",
            Trouble::Timeout => {
                "the endpoint is slow: raise `model.seconds` in rca-agent.toml, or take a smaller model"
            }
            Trouble::Unauthorized => {
                "check the key: RCA_MODEL_KEY, OPENAI_API_KEY, or `model.key_file` in rca-agent.toml"
            }
            Trouble::NotFound => {
                "check --model: the endpoint does not know it; `rca-agent doctor --model NAME` lists what it has"
            }
            Trouble::RateLimited => "the endpoint takes no more requests for now: wait, or raise its limits",
            Trouble::Server => "the endpoint fails: look at its log",
            Trouble::Refused => {
                "the endpoint does not understand the request: `rca-agent doctor --model NAME` says what it can do"
            }
            Trouble::Malformed => {
                "check that --model-url is the base of an OpenAI-compatible API, as in https://api.openai.com/v1"
            }
            Trouble::TooLarge => "the endpoint answered far more than it was asked for",
        }
    }
}
