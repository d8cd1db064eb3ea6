//! Puts a question to the language model: the only place that knows templates, model and machine.

use std::time::Instant;

use serde_json::Value;
use tracing::Span;

use super::spans;
use crate::{
    investigation::{Body, Consultation, Failure, FailureKind, Observation, Reply, Usage, consult::answers},
    journal::{body_hash, redact::Redactor},
    model::{Message, Model, ModelError, Request, Trouble},
    prompt::{self, Prompt},
};

/// Asks, and tells what came of it. What is sent and what is answered passes the redactor.
pub(super) async fn consult(
    model: Option<&dyn Model>,
    redactor: &Redactor,
    consultation: &Consultation,
    run: &Span,
) -> Observation {
    let Some(model) = model else {
        return unavailable("there is no model to ask");
    };
    let request = match request(redactor, consultation) {
        Ok(request) => request,
        Err(error) => return unavailable(&error.to_string()),
    };
    let span = spans::chat(run, model.name(), &request.name);
    let started = Instant::now();
    let asked = model.ask(&request).await;
    spans::completed(&span, &asked.result);
    drop(span);
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (name, answer, usage) = match asked.result {
        Ok(completion) => {
            let usage = Usage {
                requests: asked.requests,
                tokens_in: completion.usage.tokens_in,
                tokens_out: completion.usage.tokens_out,
                cached: completion.usage.cached,
                estimated: completion.usage.estimated,
            };
            let answer = body(redactor.value(completion.answer));
            (redactor.text(&completion.model), Ok(answer), usage)
        }
        Err(error) => {
            let usage = Usage {
                requests: asked.requests,
                ..Usage::default()
            };
            (String::new(), Err(failure(redactor, &error)), usage)
        }
    };
    let sent = serde_json::to_value(&asked.sent).unwrap_or_default();
    Observation::Replied {
        reply: Box::new(Reply {
            model: name,
            prompt: body(sent),
            answer,
            usage,
            took_ms,
        }),
    }
}

/// The question in the words of its template, after redaction.
pub fn request(redactor: &Redactor, consultation: &Consultation) -> Result<Request, prompt::PromptError> {
    let rejected: Vec<(String, String)> = consultation
        .rejected
        .iter()
        .map(|rejected| (rejected.answer.clone(), rejected.why.clone()))
        .collect();
    let prompt = Prompt {
        role: consultation.role.name(),
        facts: &consultation.facts,
        task: &consultation.task,
        fence: &consultation.fence,
        canary: &consultation.canary,
        rejected: &rejected,
    };
    in_words(redactor, &prompt, answers::schema(consultation.role))
}

/// A prompt in the words of its template, after redaction, for an answer that fits `schema`.
pub fn in_words(
    redactor: &Redactor,
    prompt: &Prompt<'_>,
    schema: Value,
) -> Result<Request, prompt::PromptError> {
    let messages = prompt::render(prompt)?;
    Ok(Request {
        name: prompt.role.to_owned(),
        messages: messages
            .into_iter()
            .map(|message| Message {
                role: message.role,
                content: redactor.text(&message.content),
            })
            .collect(),
        schema_in_words: prompt::schema_in_words(&crate::model::strict(&schema))?,
        schema,
    })
}

fn body(value: Value) -> Body {
    Body {
        sha256: body_hash(&value),
        value,
    }
}

fn unavailable(message: &str) -> Observation {
    Observation::Unavailable {
        failure: Failure {
            kind: FailureKind::Unsupported,
            message: message.to_owned(),
            hints: Vec::new(),
        },
    }
}

fn failure(redactor: &Redactor, error: &ModelError) -> Failure {
    let kind = match error.trouble {
        Trouble::Unreachable | Trouble::Server | Trouble::RateLimited => FailureKind::Unreachable,
        Trouble::Timeout => FailureKind::Timeout,
        Trouble::Unauthorized => FailureKind::Unauthorized,
        Trouble::NotFound => FailureKind::NotFound,
        Trouble::Refused => FailureKind::Unsupported,
        Trouble::Malformed => FailureKind::Malformed,
        Trouble::TooLarge => FailureKind::TooLarge,
    };
    Failure {
        kind,
        message: redactor.text(&error.message),
        hints: vec![error.hint().to_owned()],
    }
}
