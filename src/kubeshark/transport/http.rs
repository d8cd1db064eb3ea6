//! A server behind streamable HTTP.

use std::error::Error;

use reqwest::redirect;
use rmcp::transport::{
    StreamableHttpClientTransport,
    streamable_http_client::{HttpStatusError, StreamableHttpClientTransportConfig, StreamableHttpError},
};
use secrecy::{ExposeSecret, SecretString};

use super::lines::readable;
use crate::kubeshark::{
    failure::{FailureKind, of_status},
    limits::Limits,
};

/// How much of a server's text an error shows, characters.
const EXCERPT_CHARS: usize = 200;

/// What an HTTP exchange failed of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpFailure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    /// Whether nothing came back at all, so that a new connection may help.
    pub(crate) broken: bool,
}

/// The transport to `url`.
///
/// Redirects are not followed: before a Hub they lead to a login page, and following one would also
/// carry the token to another host.
pub(crate) fn transport(
    url: &str,
    token: Option<&SecretString>,
    limits: &Limits,
) -> Result<StreamableHttpClientTransport<reqwest::Client>, HttpFailure> {
    let parsed = reqwest::Url::parse(url).map_err(|e| address(format!("the address is no URL: {e}")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(address(format!(
            "the address starts with `{}:`, not with http: or https:",
            parsed.scheme()
        )));
    }
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread has just installed one, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let client = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(limits.connect)
        .user_agent(concat!("rca-agent/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| address(format!("the HTTP client cannot be set up: {}", chain(&e))))?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(parsed.as_str())
        .max_json_response_size(limits.message_bytes)
        .max_sse_event_size(limits.message_bytes);
    if let Some(token) = token {
        config = config.auth_header(token.expose_secret());
    }
    Ok(StreamableHttpClientTransport::with_client(client, config))
}

/// An address that leads nowhere.
fn address(message: String) -> HttpFailure {
    HttpFailure {
        kind: FailureKind::NotFound,
        message,
        broken: false,
    }
}

/// What the transport's error means.
pub(crate) fn failure(error: &(dyn Error + 'static)) -> HttpFailure {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(known) = current.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
            return meaning(known);
        }
        cause = current.source();
    }
    HttpFailure {
        kind: FailureKind::HubUnreachable,
        message: chain(error),
        broken: true,
    }
}

fn meaning(error: &StreamableHttpError<reqwest::Error>) -> HttpFailure {
    match error {
        StreamableHttpError::AuthRequired(_) => of_answer(401, ""),
        StreamableHttpError::InsufficientScope(_) => of_answer(403, ""),
        StreamableHttpError::HttpStatus(HttpStatusError { status, .. }) => of_answer(*status, ""),
        StreamableHttpError::SessionExpired => of_answer(404, ""),
        StreamableHttpError::UnexpectedServerResponse(text) => status_of(text).map_or_else(
            || {
                malformed(format!(
                    "its answer cannot be read: {}",
                    excerpt(without_type_names(text))
                ))
            },
            |(status, body)| of_answer(status, body),
        ),
        StreamableHttpError::ResponseBodyTooLarge { max_size } => HttpFailure {
            kind: FailureKind::TooLarge,
            message: format!("the answer has more than {max_size} bytes"),
            broken: false,
        },
        StreamableHttpError::UnexpectedContentType(kind) => malformed(format!(
            "it answers with `{}` where JSON or an event stream is expected",
            kind.as_deref().map_or_else(|| "no content type".into(), excerpt)
        )),
        StreamableHttpError::Client(e) if e.is_timeout() => HttpFailure {
            kind: FailureKind::Timeout,
            message: chain(e),
            broken: true,
        },
        StreamableHttpError::Client(e) => HttpFailure {
            kind: FailureKind::HubUnreachable,
            message: chain(e),
            broken: true,
        },
        StreamableHttpError::Deserialize(e) => malformed(format!("its answer cannot be read: {e}")),
        other => HttpFailure {
            kind: FailureKind::HubUnreachable,
            message: chain(other),
            broken: true,
        },
    }
}

fn malformed(message: String) -> HttpFailure {
    HttpFailure {
        kind: FailureKind::Malformed,
        message,
        broken: false,
    }
}

/// The failure that a status tells, with what the server says beside it.
fn of_answer(status: u16, body: &str) -> HttpFailure {
    let reason = match status {
        300..=399 => "a redirect, as to a login page (single sign-on)".to_owned(),
        _ => reqwest::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or("no known status")
            .to_owned(),
    };
    let body = excerpt(body);
    let said = if body.is_empty() {
        String::new()
    } else {
        format!(": {body}")
    };
    HttpFailure {
        kind: of_status(status).unwrap_or(FailureKind::Other),
        message: format!("HTTP {status}, {reason}{said}"),
        broken: false,
    }
}

/// The library's text without the name of its own type.
fn without_type_names(text: &str) -> &str {
    text.strip_prefix("could not parse JSON response as ServerJsonRpcMessage: ")
        .unwrap_or(text)
}

/// The status and body of the library's text `HTTP 302 Found: body`.
fn status_of(text: &str) -> Option<(u16, &str)> {
    let rest = text.strip_prefix("HTTP ")?;
    let status = rest.get(..3)?.parse().ok()?;
    let body = rest.split_once(": ").map_or("", |(_, body)| body);
    Some((status, body))
}

/// An error with its causes. Ours are without the URL, which the message around it tells.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = excerpt(error.to_string());
    let mut cause = error.source();
    while let Some(current) = cause {
        let next = excerpt(current.to_string());
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = current.source();
    }
    text
}

/// The beginning of a server's text on one line.
fn excerpt(text: impl AsRef<str>) -> String {
    readable(text.as_ref().trim())
        .chars()
        .take(EXCERPT_CHARS)
        .collect()
}
