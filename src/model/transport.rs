//! One HTTP request to an endpoint: limits, and errors that keep their status and words.

use std::time::Duration;

use async_openai::{error::OpenAIError, middleware::HttpRequestFactory};
use futures::StreamExt;
use reqwest::{Response, StatusCode, header::RETRY_AFTER};

use super::{
    answer::said,
    error::{ModelError, Trouble},
};

/// Sends one request and reads its answer whole.
pub(super) async fn send(
    client: reqwest::Client,
    limit: Duration,
    most_bytes: usize,
    request: HttpRequestFactory,
) -> Result<Response, tower::BoxError> {
    let request = request.build().await?;
    let exchange = exchange(client, most_bytes, request);
    match tokio::time::timeout(limit, exchange).await {
        Ok(answered) => Ok(answered?),
        Err(_) => Err(ModelError::new(
            Trouble::Timeout,
            format!("the endpoint did not answer within {:.1} s", limit.as_secs_f64()),
        )
        .into()),
    }
}

async fn exchange(
    client: reqwest::Client,
    most_bytes: usize,
    request: reqwest::Request,
) -> Result<Response, ModelError> {
    let response = client
        .execute(request)
        .await
        .map_err(|error| unreachable_endpoint(&error))?;
    let status = response.status();
    let retry_after_ms = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(retry_after);
    let mut bytes: Vec<u8> = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|error| {
            ModelError::new(
                Trouble::Unreachable,
                format!(
                    "the connection to the endpoint was cut in the middle of its answer: {}",
                    chain(&error)
                ),
            )
        })?;
        if bytes.len() + part.len() > most_bytes {
            return Err(ModelError::new(
                Trouble::TooLarge,
                format!("the endpoint's answer is larger than {most_bytes} bytes"),
            ));
        }
        bytes.extend_from_slice(&part);
    }
    if !status.is_success() {
        return Err(refused(status, retry_after_ms, &bytes));
    }
    let mut answer = http::Response::new(bytes);
    *answer.status_mut() = status;
    Ok(Response::from(answer))
}

/// Seconds, or a date (RFC 9110, section 10.2.3); a date in the past is no wait.
fn retry_after(value: &str) -> Option<u64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        if seconds.is_finite() && (0.0..=1e9).contains(&seconds) {
            return u64::try_from(Duration::from_secs_f64(seconds).as_millis()).ok();
        }
        return None;
    }
    let at = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let left = at.to_utc() - chrono::Utc::now();
    Some(u64::try_from(left.num_milliseconds()).unwrap_or(0))
}

fn refused(status: StatusCode, retry_after_ms: Option<u64>, body: &[u8]) -> ModelError {
    let text = String::from_utf8_lossy(body);
    let words = match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) => said(value.get("error").unwrap_or(&value)),
        Err(_) => said(&serde_json::Value::from(
            text.chars().take(300).collect::<String>(),
        )),
    };
    let trouble = match status.as_u16() {
        401 | 403 => Trouble::Unauthorized,
        404 => Trouble::NotFound,
        408 => Trouble::Timeout,
        429 => Trouble::RateLimited,
        500.. => Trouble::Server,
        _ => Trouble::Refused,
    };
    let colon = if words.is_empty() { "" } else { ": " };
    ModelError {
        retry_after_ms,
        message: format!("the endpoint answered {}{colon}{words}", status.as_u16()),
        said: words,
        ..ModelError::new(trouble, "")
    }
}

fn unreachable_endpoint(error: &reqwest::Error) -> ModelError {
    let trouble = if error.is_timeout() {
        Trouble::Timeout
    } else {
        Trouble::Unreachable
    };
    ModelError::new(
        trouble,
        format!("the endpoint cannot be reached: {}", chain(error)),
    )
}

/// An error with its causes, without the address, which may hold a secret.
fn chain(error: &dyn std::error::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        let text = error.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        next = error.source();
    }
    if parts.is_empty() {
        parts.push("no connection".to_owned());
    }
    parts.join(": ")
}

/// What came of a call through the library, as an error of ours.
pub(super) fn error_of(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(boxed) => match boxed.downcast::<ModelError>() {
            Ok(error) => *error,
            Err(other) => ModelError::new(Trouble::Malformed, other.to_string()),
        },
        OpenAIError::JSONDeserialize(error, _) => ModelError::new(
            Trouble::Malformed,
            format!("the endpoint's answer is not JSON: {error}"),
        ),
        other => ModelError::new(Trouble::Malformed, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::retry_after;

    #[test]
    fn waits_are_seconds_or_dates() {
        assert_eq!(retry_after("2"), Some(2000));
        assert_eq!(retry_after(" 0.25 "), Some(250));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        for odd in ["", "-1", "soon", "inf", "1e30"] {
            assert_eq!(retry_after(odd), None, "{odd}");
        }
    }
}
