//! Asks a language model. Knows nothing of investigations: messages and a schema go in, JSON comes out.
//!
//! - [`Model`]: anything that answers; a person at a terminal is one;
//! - [`OpenAi`]: any endpoint that speaks the chat completions of `OpenAI`, with or without structured outputs;
//! - [`strict`]: a JSON Schema in the dialect that structured outputs take.

mod answer;
mod error;
mod examine;
mod openai;
mod schema;
mod transport;

use std::{future::Future, pin::Pin};

use serde::Serialize;
use serde_json::Value;

pub use answer::json_in;
pub use error::{ModelError, Trouble};
pub use examine::{Ability, Capability, examine};
pub use openai::{ModelEndpoint, ModelLimits, OpenAi};
pub use schema::strict;

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Names the schema: letters, digits, `_` and `-`.
    pub name: String,
    pub messages: Vec<Message>,
    /// JSON Schema of the answer.
    pub schema: Value,
    /// What is added to the messages where the schema cannot be given otherwise.
    pub schema_in_words: String,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    pub role: String,
    pub content: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// The model as the endpoint names it.
    pub model: String,
    /// JSON, or a string where the answer is not JSON.
    pub answer: Value,
    pub usage: Usage,
}

/// What an answer cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub tokens_in: u64,
    pub tokens_out: u64,
    /// Of `tokens_in`, those the server had cached.
    pub cached: u64,
    /// The endpoint told none; a quarter of the characters was taken.
    pub estimated: bool,
}

/// What came of a question: the answer or why there is none, and the requests it took.
#[derive(Debug)]
pub struct Asked {
    pub result: Result<Completion, ModelError>,
    pub requests: u32,
    /// The messages as they were sent last.
    pub sent: Vec<Message>,
}

/// A future that may be sent between threads.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Asked> + Send + 'a>>;

/// Something that answers.
pub trait Model: Send + Sync {
    /// What it was asked for by.
    fn name(&self) -> &str;

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a>;
}

impl<M: Model + ?Sized> Model for std::sync::Arc<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        (**self).ask(request)
    }
}

/// Tokens of a text, about: a token is four characters of English, and nobody is charged by this number.
pub fn estimate(text: &str) -> u64 {
    (text.len() as u64).div_ceil(4)
}
