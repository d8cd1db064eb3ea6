//! What an endpoint can do, found out by asking it.

use serde_json::{Value, json};

use super::{
    Message, ModelError, OpenAi, Request, Trouble,
    openai::{Form, http_client},
};

/// One thing that an endpoint can or cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// "structured outputs".
    pub part: &'static str,
    pub state: Ability,
    /// In words.
    pub what: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    Yes,
    /// Not, and another way takes its place.
    No,
    /// Without it nothing works.
    Broken,
}

/// Asks an endpoint for its models, for an answer by schema and for a call of a tool: two short questions.
pub async fn examine(model: &OpenAi) -> Vec<Capability> {
    let mut found = Vec::new();
    let listed = list(model).await;
    let request = sample();
    let schema = model.once(&request, Form::Schema).await;
    let tool = model.once(&request, Form::Tool).await;
    let words = match (&schema, &tool) {
        (Err(_), Err(_)) => Some(model.once(&request, Form::Words).await),
        _ => None,
    };
    let answers = schema.is_ok() || tool.is_ok() || matches!(&words, Some(Ok(_)));
    let endpoint = model.endpoint();
    let models = match &listed {
        Ok(models) if models.iter().any(|entry| entry.0 == endpoint.model) => {
            format!(
                "{} at {}, one of {} models there",
                endpoint.model,
                endpoint.url,
                models.len()
            )
        }
        Ok(models) => {
            let names: Vec<&str> = models.iter().take(12).map(|entry| entry.0.as_str()).collect();
            format!(
                "{} is not among the models of {}: {}",
                endpoint.model,
                endpoint.url,
                names.join(", ")
            )
        }
        Err(_) => format!(
            "{} at {}, which does not list its models",
            endpoint.model, endpoint.url
        ),
    };
    let unlisted = listed
        .as_ref()
        .is_ok_and(|models| !models.iter().any(|entry| entry.0 == endpoint.model));
    match (&schema, &words) {
        (Err(error), Some(Err(_))) => found.push(Capability {
            part: "model",
            state: Ability::Broken,
            what: format!("{models}; {error}\n{}", error.hint()),
        }),
        _ => found.push(Capability {
            part: "model",
            state: if unlisted { Ability::No } else { Ability::Yes },
            what: models,
        }),
    }
    if !answers {
        return found;
    }
    found.push(match &schema {
        Ok(completion) if fits(&completion.answer) => ability("structured", "answers by JSON schema"),
        Ok(_) => inability(
            "structured",
            "a schema is accepted and not kept: answers are checked and asked for again",
        ),
        Err(error) => inability(
            "structured",
            &format!("no answers by JSON schema ({error}): tool calls or the prompt take their place"),
        ),
    });
    found.push(match &tool {
        Ok(completion) if fits(&completion.answer) => ability("tool calls", "answers as arguments of a tool"),
        Ok(_) => inability("tool calls", "a tool is accepted and not called"),
        Err(error) => inability("tool calls", &format!("none ({error})")),
    });
    let context = listed
        .ok()
        .and_then(|models| models.into_iter().find(|entry| entry.0 == endpoint.model)?.1);
    found.push(match context {
        Some(tokens) if tokens < LEAST_CONTEXT => inability(
            "context",
            &format!("{tokens} tokens: a question takes up to about {LEAST_CONTEXT}"),
        ),
        Some(tokens) => ability("context", &format!("{tokens} tokens")),
        None => inability(
            "context",
            &format!("the endpoint does not tell; a question takes up to about {LEAST_CONTEXT} tokens"),
        ),
    });
    found
}

/// Tokens of the longest question with its answer, about.
const LEAST_CONTEXT: u64 = 8_000;

fn ability(part: &'static str, what: &str) -> Capability {
    Capability {
        part,
        state: Ability::Yes,
        what: what.to_owned(),
    }
}

fn inability(part: &'static str, what: &str) -> Capability {
    Capability {
        part,
        state: Ability::No,
        what: what.to_owned(),
    }
}

fn fits(answer: &Value) -> bool {
    answer.get("ready").is_some_and(Value::is_boolean)
}

fn sample() -> Request {
    let message = |role: &str, content: &str| Message {
        role: role.to_owned(),
        content: content.to_owned(),
    };
    Request {
        name: "readiness".to_owned(),
        messages: vec![
            message("system", "Answer with one JSON object and nothing else."),
            message("user", "Say that you are ready: {\"ready\": true}"),
        ],
        schema: json!({"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}),
        schema_in_words: String::new(),
    }
}

/// Where endpoints tell how many tokens a model takes.
const CONTEXT: &[&str] = &[
    "/context_length",
    "/context_window",
    "/max_model_len",
    "/max_context_length",
    "/meta/n_ctx_train",
    "/top_provider/context_length",
];

/// Names of the models, each with its context in tokens where it is told.
async fn list(model: &OpenAi) -> Result<Vec<(String, Option<u64>)>, ModelError> {
    let endpoint = model.endpoint();
    let failed = |what: &str| ModelError::new(Trouble::Malformed, what.to_owned());
    let sent = http_client()?
        .get(format!("{}/models", endpoint.url.trim_end_matches('/')))
        .headers(model.headers())
        .timeout(endpoint.limits.attempt)
        .send()
        .await
        .map_err(|_| failed("the models cannot be listed"))?;
    let value: Value = sent
        .json()
        .await
        .map_err(|_| failed("the list of models is not JSON"))?;
    let entries = value
        .get("data")
        .or_else(|| value.get("models"))
        .and_then(Value::as_array)
        .ok_or_else(|| failed("the list of models has no entries"))?;
    Ok(entries
        .iter()
        .filter_map(|entry| {
            let name = entry.get("id").or_else(|| entry.get("name"))?.as_str()?;
            let context = CONTEXT
                .iter()
                .find_map(|pointer| entry.pointer(pointer)?.as_u64());
            Some((name.chars().take(100).collect(), context))
        })
        .collect())
}
