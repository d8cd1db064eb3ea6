//! A filter for a question that the rules do not read, proposed by a language model. What it proposes is text like any
//! other: it is held against the field table before anything is sent, and the answer shows it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{args::ModelArgs, model, output, run};
use crate::{
    config::Config,
    effects,
    error::{AppError, Kind},
    journal::{hex, redact::Redactor},
    kfl,
    model::{Model, ModelError, Request},
    prompt::Prompt,
};

/// The first answer, and further ones with what was wrong with those before.
const ATTEMPTS: usize = 3;

/// A longer filter is no filter, bytes.
const LONGEST: usize = 1_000;

/// What a model answers.
#[derive(Debug, Deserialize, JsonSchema)]
struct Proposal {
    /// One KFL filter; empty where the question is about no calls.
    filter: String,
}

/// A filter that checks, and who proposed it.
pub(super) struct Proposed {
    pub(super) filter: String,
    pub(super) model: String,
    pub(super) tokens: u64,
}

/// Asks the model that flags and configuration name; `None` where none is, or where it finds nothing to ask for.
pub(super) async fn filter(
    config: &Config,
    args: &ModelArgs,
    question: &str,
) -> Result<Option<Proposed>, AppError> {
    let redactor = run::redactor(config, "ask")?;
    let settings = model::settings(config, args, &redactor)?;
    let Some(model) = model::connect(config, settings.as_ref(), std::env::temp_dir())? else {
        return Ok(None);
    };
    let mut rejected: Vec<(String, String)> = Vec::new();
    let mut tokens = 0;
    while rejected.len() < ATTEMPTS {
        let request = request(&redactor, question, &rejected)?;
        if args.show_prompts {
            for message in &request.messages {
                output::stderr(&crate::report::plain(&format!(
                    "{}: {}",
                    message.role, message.content
                )));
            }
        }
        let asked = model.ask(&request).await;
        let completion = asked.result.map_err(|error| away(&error, &*model))?;
        tokens += completion.usage.tokens_in + completion.usage.tokens_out;
        let (said, proposal) = read(completion.answer);
        if args.show_prompts {
            output::stderr(&crate::report::plain(&format!("assistant: {said}")));
        }
        let why = match proposal {
            Some(proposal) if proposal.filter.trim().is_empty() => return Ok(None),
            Some(proposal) if proposal.filter.len() > LONGEST => "the filter is too long".to_owned(),
            Some(Proposal { filter }) => match kfl::check(&filter) {
                Ok(_) => {
                    return Ok(Some(Proposed {
                        filter,
                        model: redactor.text(&completion.model),
                        tokens,
                    }));
                }
                Err(found) => {
                    let lines: Vec<String> = found.iter().map(|one| one.render(&filter)).collect();
                    lines.join("\n")
                }
            },
            None => "it is no JSON object with a `filter`".to_owned(),
        };
        rejected.push((said, why));
    }
    let last = rejected.pop().map(|(said, _)| said).unwrap_or_default();
    let shown: String = last.chars().take(200).collect();
    Err(
        AppError::environment("the model proposed no filter that checks")
            .reason(format!("the last one was {}", crate::report::plain(&shown)))
            .hint("give the filter yourself: --kfl 'http && status_code >= 500' (`rca-agent kfl fields` lists the fields)"),
    )
}

/// The answer as it was said, and as a proposal where it is one.
fn read(answer: Value) -> (String, Option<Proposal>) {
    let said = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    (said, serde_json::from_value(answer).ok())
}

fn request(redactor: &Redactor, question: &str, rejected: &[(String, String)]) -> Result<Request, AppError> {
    // Marks that nobody who writes a question knows beforehand.
    let mark = hex(&Sha256::digest(format!("rca-agent ask {question}")));
    let mark = |from: usize| mark.get(from..from + 12).unwrap_or("mark").to_owned();
    let prompt = Prompt {
        role: "ask",
        facts: &json!({}),
        task: &json!({ "question": question }),
        fence: &mark(0),
        canary: &mark(20),
        rejected,
    };
    let schema = serde_json::to_value(schemars::schema_for!(Proposal)).unwrap_or_default();
    effects::in_words(redactor, &prompt, schema).map_err(|error| {
        AppError::new(Kind::Bug, "the question to the model could not be made").because(&error)
    })
}

fn away(error: &ModelError, model: &dyn Model) -> AppError {
    AppError::environment(format!("could not ask the model {}", crate::report::plain(model.name())))
        .because(error)
        .hint(error.hint())
        .hint("without a model these are understood: \"errors in checkout\", \"calls slower than 200 ms\", \"any DNS failures?\"")
}
