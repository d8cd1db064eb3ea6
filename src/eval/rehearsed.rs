//! A language model that answers as a script says: well, wrongly, out of order, or not at all.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    investigation::{ModelSettings, settings::ModelBudget},
    model::{Answering, Asked, Completion, Model, ModelError, Request, Trouble, Usage, estimate},
    playbook::{Finding, parsed},
};

/// How it is named in reports.
pub const NAME: &str = "rehearsed";

/// One thing that it does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Act {
    /// Answers with this JSON.
    Answer(Value),
    /// Answers with this text.
    Text(String),
    /// Does not answer; the endpoint says this.
    Fail(String),
}

/// What it does in each role, in order; the last of a role again and again.
pub type Script = BTreeMap<String, Vec<Act>>;

/// Reads a script.
pub fn script(path: &Path) -> Result<Script, Vec<Finding>> {
    let text = fs::read_to_string(path).map_err(|error| {
        vec![Finding {
            line: 0,
            column: 0,
            message: error.to_string(),
            suggestion: None,
        }]
    })?;
    parsed(&text, "a script", "evals/README.md tells the form of a script")
}

/// The settings of a case that it answers in; the budgets are those of a run where nobody says otherwise.
pub fn settings() -> ModelSettings {
    ModelSettings {
        name: NAME.to_owned(),
        url: Some("https://rehearsed.invalid/v1".to_owned()),
        temperature: None,
        effort: None,
        digest_tokens: 1_000,
        budget: ModelBudget {
            calls: 16,
            tokens: 60_000,
            money: None,
        },
        prices: None,
    }
}

/// The model.
pub struct Rehearsed {
    script: Script,
    /// How often each role was asked.
    asked: Mutex<HashMap<String, usize>>,
}

impl Rehearsed {
    pub fn new(script: Script) -> Self {
        Self {
            script,
            asked: Mutex::new(HashMap::new()),
        }
    }

    fn answer(&self, request: &Request) -> Result<Value, ModelError> {
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let number = asked.entry(request.name.clone()).or_insert(0);
            *number += 1;
            *number - 1
        };
        let acts = self.script.get(&request.name).map_or(&[][..], Vec::as_slice);
        match acts.get(number).or_else(|| acts.last()) {
            Some(Act::Answer(answer)) => Ok(answer.clone()),
            Some(Act::Text(text)) => Ok(Value::String(text.clone())),
            Some(Act::Fail(why)) => Err(ModelError::failed(Trouble::Server, why.clone())),
            None => Err(ModelError::failed(
                Trouble::Server,
                format!("the script has nothing for `{}`", request.name),
            )),
        }
    }
}

impl Model for Rehearsed {
    fn name(&self) -> &'static str {
        "rehearsed"
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(async move {
            let result = self.answer(request).map(|answer| Completion {
                model: NAME.to_owned(),
                usage: Usage {
                    tokens_in: request
                        .messages
                        .iter()
                        .map(|message| estimate(&message.content))
                        .sum(),
                    tokens_out: estimate(&answer.to_string()),
                    cached: 0,
                    estimated: true,
                },
                answer,
            });
            Asked {
                result,
                requests: 1,
                sent: request.messages.clone(),
            }
        })
    }
}
