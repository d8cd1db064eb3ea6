//! Reads a chat completion, whoever wrote it: servers differ in all but the place of the text.

use serde_json::Value;

use super::{Completion, ModelError, Trouble, Usage, estimate, schema::without_nulls};

/// Reads the body of an answer. `sent` is the request, for the estimate where no usage is told.
pub(super) fn completion(body: &Value, asked_model: &str, sent: &str) -> Result<Completion, ModelError> {
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        return Err(ModelError {
            said: said(error),
            ..ModelError::new(
                Trouble::Server,
                format!(
                    "the endpoint answered with an error inside a success: {}",
                    said(error)
                ),
            )
        });
    }
    let Some(message) = body.pointer("/choices/0/message") else {
        return Err(ModelError::new(
            Trouble::Malformed,
            "the endpoint's answer holds no `choices[0].message`: it is no chat completion",
        ));
    };
    let text = called(message).unwrap_or_else(|| content(message));
    if text.as_str().is_some_and(|text| text.trim().is_empty()) {
        let why = match body.pointer("/choices/0/finish_reason").and_then(Value::as_str) {
            Some("length") => "it ran out of tokens before it said anything",
            Some("content_filter") => "the endpoint's content filter stopped it",
            _ => "its answer is empty",
        };
        return Err(ModelError::new(
            Trouble::Malformed,
            format!("the model said nothing: {why}"),
        ));
    }
    let length = match &text {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(Completion {
        model: body
            .get("model")
            .and_then(Value::as_str)
            .unwrap_or(asked_model)
            .chars()
            .take(100)
            .collect(),
        usage: usage(body.get("usage"), sent, &length),
        answer: match text {
            Value::String(text) => json_in(&text).map_or(Value::String(text), without_nulls),
            other => without_nulls(other),
        },
    })
}

/// The arguments of the first tool call.
fn called(message: &Value) -> Option<Value> {
    let arguments = message
        .pointer("/tool_calls/0/function/arguments")
        .or_else(|| message.pointer("/function_call/arguments"))?;
    Some(arguments.clone())
}

/// The text of a message: a string, or parts with texts.
fn content(message: &Value) -> Value {
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str).or_else(|| part.as_str()))
            .collect(),
        // Some servers answer with the object itself.
        Some(object @ Value::Object(_)) => return object.clone(),
        _ => String::new(),
    };
    let text = match message.get("refusal").and_then(Value::as_str) {
        Some(refusal) if text.trim().is_empty() => refusal.to_owned(),
        _ => text,
    };
    Value::String(text)
}

/// The JSON object in a text: alone, in a code fence, or among words and thoughts.
pub fn json_in(text: &str) -> Option<Value> {
    let text = match text.rsplit_once("</think>") {
        Some((_, after)) => after,
        None => text,
    };
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text.trim()) {
        return Some(value);
    }
    // The first brace from which on something parses; what follows the object is left.
    text.match_indices('{').take(TRIES).find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        stream.next()?.ok().filter(Value::is_object)
    })
}

/// Braces that are tried as the beginning of an object: each try may read all of the text.
const TRIES: usize = 8;

fn usage(told: Option<&Value>, sent: &str, text: &str) -> Usage {
    let number = |names: &[&str]| {
        let told = told?;
        names.iter().find_map(|name| {
            let value = told.get(name)?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        })
    };
    let (input, output) = (
        number(&["prompt_tokens", "input_tokens"]),
        number(&["completion_tokens", "output_tokens"]),
    );
    let cached = told
        .and_then(|told| {
            told.pointer("/prompt_tokens_details/cached_tokens")
                .or_else(|| told.pointer("/input_tokens_details/cached_tokens"))
        })
        .and_then(Value::as_u64)
        .unwrap_or(0);
    Usage {
        tokens_in: input.unwrap_or_else(|| estimate(sent)),
        tokens_out: output.unwrap_or_else(|| estimate(text)),
        cached,
        estimated: input.is_none() || output.is_none(),
    }
}

/// An error in the endpoint's words, on one line.
pub(super) fn said(error: &Value) -> String {
    let text = match error {
        Value::String(text) => text.clone(),
        Value::Object(map) => map
            .get("message")
            .or_else(|| map.get("detail"))
            .and_then(Value::as_str)
            .map_or_else(|| error.to_string(), str::to_owned),
        other => other.to_string(),
    };
    let code = error
        .get("code")
        .or_else(|| error.get("type"))
        .and_then(Value::as_str)
        .map(|code| format!(" ({code})"))
        .unwrap_or_default();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).take(300).collect();
    format!("{line}{code}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(message: &Value) -> Result<Value, String> {
        completion(&json!({"choices": [{"message": message}]}), "m", "")
            .map(|completion| completion.answer)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_object_is_found_wherever_it_stands() {
        let object = json!({"a": 1});
        let texts = [
            r#"{"a": 1}"#,
            "```json\n{\"a\": 1}\n```",
            "Here it is: {\"a\": 1} as asked.",
            "<think>{\"a\": 2}</think>\n{\"a\": 1}",
            "{\"a\": 1, \"b\": null}",
        ];
        for text in texts {
            assert_eq!(answer(&json!({"content": text})), Ok(object.clone()), "{text}");
        }
        assert_eq!(
            answer(&json!({"content": [{"type": "text", "text": "{\"a\":"}, {"text": "1}"}]})),
            Ok(object.clone())
        );
        assert_eq!(
            answer(&json!({"content": null, "tool_calls": [{"function": {"arguments": "{\"a\": 1}"}}]})),
            Ok(object.clone())
        );
        assert_eq!(
            answer(&json!({"tool_calls": [{"function": {"arguments": {"a": 1}}}]})),
            Ok(object.clone())
        );
        assert_eq!(answer(&json!({"content": {"a": 1}})), Ok(object));
        assert_eq!(answer(&json!({"content": "{\"a\": "})), Ok(json!("{\"a\": ")));
        assert!(
            answer(&json!({"content": ""}))
                .unwrap_err()
                .contains("said nothing")
        );
    }

    #[test]
    fn usage_is_read_in_any_spelling_or_estimated() {
        let read = |usage: Value| super::usage(Some(&usage), "12345678", "1234");
        assert_eq!(
            read(json!({"prompt_tokens": 5, "completion_tokens": 2})),
            Usage {
                tokens_in: 5,
                tokens_out: 2,
                cached: 0,
                estimated: false
            }
        );
        assert_eq!(
            read(
                json!({"input_tokens": "5", "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}})
            )
            .cached,
            4
        );
        assert_eq!(
            read(json!({})),
            Usage {
                tokens_in: 2,
                tokens_out: 1,
                cached: 0,
                estimated: true
            }
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,400}") {
            let _ = json_in(&text);
            let _ = answer(&json!({"content": text}));
        }
    }
}
