//! What came back from a tool.

use std::time::Duration;

use rmcp::model::{CallToolResult, ContentBlock, ServerResult};
use serde_json::Value;

use super::{error::CallError, failure::classify, transport::lines::readable};

/// A tool's answer, not yet understood.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAnswer {
    /// The text parsed as JSON, or a JSON string where it is prose.
    pub body: Value,
    /// The size of the text, bytes.
    pub bytes: u64,
    /// From sending the request to the whole answer, restarts included.
    pub took: Duration,
}

/// How much of a tool's own message is kept, characters.
const MAX_MESSAGE_CHARS: usize = 2000;

/// Takes the text out of a result and reads it.
pub(super) fn read(
    tool: &str,
    result: ServerResult,
    max_bytes: usize,
    elapsed: Duration,
) -> Result<RawAnswer, CallError> {
    let (texts, structured, failed) = parts(result);
    let bytes = texts
        .iter()
        .fold(0_usize, |sum, text| sum.saturating_add(text.len()));
    if bytes > max_bytes {
        return Err(CallError::TooLarge {
            tool: tool.to_owned(),
            bytes: wide(bytes),
            exact: true,
            limit: wide(max_bytes),
        });
    }
    if failed {
        let message: String = readable(texts.join(" ").trim())
            .chars()
            .take(MAX_MESSAGE_CHARS)
            .collect();
        let message = message.trim_end_matches('.').to_owned();
        let kind = classify(&message);
        let message = if message.is_empty() {
            "it does not say why".to_owned()
        } else {
            message
        };
        return Err(CallError::Tool {
            tool: tool.to_owned(),
            kind,
            message,
        });
    }
    let body = match (texts.is_empty(), structured) {
        (true, Some(structured)) => structured,
        (true, None) => Value::Null,
        (false, _) => parse(tool, &texts)?,
    };
    Ok(RawAnswer {
        body,
        bytes: wide(bytes),
        took: elapsed,
    })
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The texts, the structured content, and whether it is an error. A result of an unknown shape is
/// searched for texts all the same.
fn parts(result: ServerResult) -> (Vec<String>, Option<Value>, bool) {
    if let ServerResult::CallToolResult(CallToolResult {
        content,
        structured_content,
        is_error,
        ..
    }) = result
    {
        let texts = content
            .into_iter()
            .filter_map(|block| match block {
                ContentBlock::Text(text) => Some(text.text),
                _ => None,
            })
            .collect();
        return (texts, structured_content, is_error.unwrap_or(false));
    }
    let Ok(value) = serde_json::to_value(&result) else {
        return (Vec::new(), None, false);
    };
    let blocks = value
        .get("content")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let texts = blocks
        .iter()
        .filter_map(|b| b.get("text")?.as_str().map(str::to_owned))
        .collect();
    let failed = value.get("isError").and_then(Value::as_bool).unwrap_or(false);
    (texts, value.get("structuredContent").cloned(), failed)
}

/// Parses the texts together; where that is no JSON, the only one that is; else they are prose.
fn parse(tool: &str, texts: &[String]) -> Result<Value, CallError> {
    let whole = if let [one] = texts {
        one.trim()
    } else {
        &texts.join("\n")
    };
    let error = match serde_json::from_str(whole) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut parsed = texts
        .iter()
        .filter_map(|text| serde_json::from_str::<Value>(text).ok());
    if texts.len() > 1
        && let (Some(only), None) = (parsed.next(), parsed.next())
    {
        return Ok(only);
    }
    let start = whole.trim_start();
    if start.starts_with('{') || start.starts_with("[{") {
        return Err(CallError::Malformed {
            tool: tool.to_owned(),
            what: format!("its JSON is broken ({error})"),
        });
    }
    Ok(Value::from(whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::failure::FailureKind, *};

    fn read_texts(texts: &[&str], failed: bool) -> Result<RawAnswer, CallError> {
        let content: Vec<Value> = texts.iter().map(|t| json!({"type": "text", "text": t})).collect();
        let result = serde_json::from_value(json!({"content": content, "isError": failed})).unwrap();
        read("list_snapshots", result, 64, Duration::ZERO)
    }

    #[test]
    fn json_and_prose() {
        assert_eq!(
            read_texts(&[" {\n \"a\": 1}\n"], false).unwrap().body,
            json!({"a": 1})
        );
        assert_eq!(
            read_texts(&["Kubeshark is running."], false).unwrap().body,
            json!("Kubeshark is running.")
        );
        assert_eq!(
            read_texts(&["{\"a\":", "1}"], false).unwrap().body,
            json!({"a": 1})
        );
        assert_eq!(
            read_texts(&["Note:", "{\"a\":1}"], false).unwrap().body,
            json!({"a": 1})
        );
        assert_eq!(
            read_texts(&["one", "two"], false).unwrap().body,
            json!("one\ntwo")
        );
        assert_eq!(read_texts(&[], false).unwrap().body, Value::Null);
        assert_eq!(read_texts(&["{}"], false).unwrap().bytes, 2);
    }

    #[test]
    fn what_cannot_be_read() {
        insta::assert_snapshot!(read_texts(&["{\"a\": ["], false).unwrap_err(),
            @"the answer of `list_snapshots` cannot be read: its JSON is broken (EOF while parsing a list at line 1 column 7)");
        insta::assert_snapshot!(read_texts(&["x".repeat(65).as_str()], false).unwrap_err(),
            @"the answer of `list_snapshots` has 65 bytes, at most 64 bytes are read");
        let failed = read_texts(&["Hub API error (403): forbidden."], true).unwrap_err();
        assert_eq!(failed.kind(), FailureKind::Forbidden);
        insta::assert_snapshot!(failed, @"`list_snapshots` failed: Hub API error (403): forbidden");
    }

    #[test]
    fn a_result_of_an_unknown_shape_is_searched() {
        let odd = json!({"content": [{"type": "hologram", "x": 1}, {"type": "text", "text": "{\"a\":1}"}]});
        let answer = read("t", serde_json::from_value(odd).unwrap(), 64, Duration::ZERO).unwrap();
        assert_eq!(answer.body, json!({"a": 1}));
    }
}
