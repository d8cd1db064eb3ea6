//! From flags and configuration to a language model, and the person who stands in for one.

use std::{
    io::Write as _,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;

use super::{args::ModelArgs, output};
use crate::{
    config::Config,
    error::AppError,
    investigation::{ModelSettings, settings::ModelBudget},
    journal::redact::{HIDDEN, Redactor},
    model::{
        Answering, Asked, Completion, Model, ModelEndpoint, ModelError, ModelLimits, OpenAi, Request,
        Trouble, Usage, estimate, json_in,
    },
};

/// Investigates without a model.
const NONE: &str = "none";
/// Answers are given by hand.
const MANUAL: &str = "manual";

/// Where a model is sought that is only named.
const DEFAULT_URL: &str = "https://api.openai.com/v1";

/// What is spent at most where nobody says otherwise.
const CALLS: u32 = 16;
const TOKENS: u64 = 60_000;
const DIGEST_TOKENS: u32 = 1_000;

/// Whether there will be a model.
pub(super) fn is_named(config: &Config, args: &ModelArgs) -> bool {
    let name = args.model.as_ref().or(config.model.name.as_ref());
    name.is_some_and(|name| name != NONE)
}

/// The model that flags and configuration name; `None` for an investigation without one.
pub(super) fn settings(
    config: &Config,
    args: &ModelArgs,
    redactor: &Redactor,
) -> Result<Option<ModelSettings>, AppError> {
    let file = &config.model;
    let name = args
        .model
        .clone()
        .or_else(|| file.name.clone())
        .unwrap_or_else(|| NONE.to_owned());
    if name == NONE {
        return Ok(None);
    }
    if name.trim().is_empty() {
        return Err(AppError::usage("--model is empty").hint("name a model, or say `--model none`"));
    }
    let url = (name != MANUAL).then(|| {
        let url = args.model_url.clone().or_else(|| file.url.clone());
        redactor.text(url.as_deref().unwrap_or(DEFAULT_URL))
    });
    let temperature = args.temperature.or(file.temperature);
    if let Some(temperature) = temperature.filter(|t| !(0.0..=2.0).contains(t)) {
        return Err(
            AppError::usage(format!("a temperature of {temperature} makes no sense"))
                .hint("it goes from 0 to 2"),
        );
    }
    Ok(Some(ModelSettings {
        name,
        url,
        temperature,
        effort: args.reasoning_effort.clone().or_else(|| file.effort.clone()),
        digest_tokens: file.digest_tokens.unwrap_or(DIGEST_TOKENS).clamp(200, 50_000),
        budget: ModelBudget {
            calls: args.budget_model_calls.or(file.calls).unwrap_or(CALLS),
            tokens: args.budget_tokens.or(file.tokens).unwrap_or(TOKENS),
            money: args.budget_money.or(file.money),
        },
        prices: file.price_in.zip(file.price_out),
    }))
}

/// The model of a case's settings. Keys and headers come from the configuration: a case holds none.
pub(super) fn connect(
    config: &Config,
    settings: Option<&ModelSettings>,
    exchange: PathBuf,
) -> Result<Option<Box<dyn Model>>, AppError> {
    let Some(settings) = settings else { return Ok(None) };
    let Some(recorded) = &settings.url else {
        return Ok(Some(Box::new(Manual::new(exchange))));
    };
    Ok(Some(Box::new(endpoint(config, settings, recorded)?)))
}

/// A client of the endpoint in the settings.
pub(super) fn endpoint(
    config: &Config,
    settings: &ModelSettings,
    recorded: &str,
) -> Result<OpenAi, AppError> {
    let file = &config.model;
    // An address that held a secret was not recorded whole.
    let url = match (&file.url, recorded.contains(HIDDEN)) {
        (Some(url), true) => url.clone(),
        (None, true) => {
            return Err(AppError::usage("could not reach the model of the case again")
                .reason("its address held a secret, which was not recorded")
                .hint("set RCA_MODEL_URL to the address"));
        }
        (_, false) => recorded.to_owned(),
    };
    let mut limits = ModelLimits::default();
    if let Some(seconds) = file.seconds {
        limits.attempt = Duration::from_secs(seconds.max(1));
        limits.whole = limits.whole.max(limits.attempt);
    }
    if let Some(ms) = file.pause_ms {
        limits.first_pause = Duration::from_millis(ms);
    }
    OpenAi::new(ModelEndpoint {
        url,
        model: settings.name.clone(),
        key: config.model_key.clone(),
        temperature: settings.temperature,
        effort: settings.effort.clone(),
        headers: file
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), SecretString::from(value.clone())))
            .collect(),
        limits,
    })
    .map_err(|error| AppError::usage("the model cannot be asked").because(&error))
}

/// A person, or a file of answers: questions are shown and written to files, answers are read from stdin.
struct Manual {
    /// Where questions are written: `01-hypothesise.md`.
    dir: PathBuf,
    asked: Mutex<u32>,
}

/// Lines of one answer: more is no answer.
const LINES: usize = 2_000;

impl Manual {
    fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            asked: Mutex::new(0),
        }
    }

    fn answer(&self, request: &Request) -> Result<Completion, ModelError> {
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked += 1;
            *asked
        };
        let mut text = request
            .messages
            .iter()
            .map(|message| format!("[{}]\n{}\n", message.role, message.content))
            .collect::<Vec<_>>()
            .join("\n");
        text.extend(["\n", &request.schema_in_words, "\n"]);
        let path = self.dir.join(format!("{number:02}-{}.md", request.name));
        let written = std::fs::create_dir_all(&self.dir).and_then(|()| std::fs::write(&path, &text));
        written.map_err(|error| {
            failed(format!(
                "the question cannot be written to `{}`: {error}",
                path.display()
            ))
        })?;
        let shown: Vec<String> = text.lines().map(crate::report::plain).collect();
        output::stderr(&shown.join("\n"));
        output::stderr(&format!(
            "The question is in {}. Paste the answer, one JSON object; an empty line gives none:",
            path.display()
        ));
        let answer = object_from_stdin()?;
        Ok(Completion {
            model: MANUAL.to_owned(),
            usage: Usage {
                tokens_in: estimate(&text),
                tokens_out: estimate(&answer.to_string()),
                cached: 0,
                estimated: true,
            },
            answer,
        })
    }
}

fn failed(message: impl Into<String>) -> ModelError {
    ModelError::failed(Trouble::Unreachable, message)
}

/// Reads lines until they hold one JSON object, whole.
fn object_from_stdin() -> Result<Value, ModelError> {
    let stdin = std::io::stdin();
    let mut text = String::new();
    for _ in 0..LINES {
        let mut line = String::new();
        match stdin.read_line(&mut line) {
            Ok(0) => break,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => text.push_str(&line),
            Err(error) => return Err(failed(format!("no answer can be read from stdin: {error}"))),
        }
        if let Ok(value) = serde_json::from_str::<Value>(text.trim()) {
            return Ok(value);
        }
    }
    if text.trim().is_empty() {
        return Err(failed("nobody answered"));
    }
    Ok(json_in(&text).unwrap_or(Value::String(text)))
}

impl Model for Manual {
    fn name(&self) -> &'static str {
        MANUAL
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(async move {
            let _ = std::io::stderr().flush();
            Asked {
                result: self.answer(request),
                requests: 1,
                sent: request.messages.clone(),
            }
        })
    }
}
