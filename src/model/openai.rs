//! The chat completions of `OpenAI`, as many servers speak them: what one of them does not understand is left out next time.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_openai::{Client, config::Config, middleware::HttpRequestFactory};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::{
    Answering, Asked, Completion, Message, Model, ModelError, Request, Trouble, answer, schema::strict,
    transport,
};

/// Where a model is, and how it is asked.
#[derive(Clone, Debug)]
pub struct ModelEndpoint {
    /// Base of the API: `https://api.openai.com/v1`.
    pub url: String,
    pub model: String,
    pub key: Option<SecretString>,
    pub temperature: Option<f64>,
    /// Value of `reasoning_effort`.
    pub effort: Option<String>,
    /// Further headers of every request.
    pub headers: Vec<(String, SecretString)>,
    pub limits: ModelLimits,
}

/// Limits of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelLimits {
    /// One request may take so long.
    pub attempt: Duration,
    /// All requests of a question and the pauses between them.
    pub whole: Duration,
    /// Requests that failed in passing, after which no more are made.
    pub attempts: u32,
    /// First pause between two requests; twice as long each time, where the endpoint names none.
    pub first_pause: Duration,
    /// Largest answer that is read, bytes.
    pub answer_bytes: usize,
    /// Tokens that an answer may have.
    pub answer_tokens: u32,
}

impl Default for ModelLimits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(90),
            whole: Duration::from_mins(4),
            attempts: 4,
            first_pause: Duration::from_millis(500),
            answer_bytes: 1 << 20,
            answer_tokens: 4_000,
        }
    }
}

/// How an answer is made to fit a schema, the best way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Structured outputs.
    Schema,
    /// The arguments of a tool that has to be called.
    Tool,
    /// Any JSON object; the schema stands in the prompt.
    Object,
    /// The prompt alone.
    Words,
}

/// What an endpoint was found not to understand.
#[derive(Clone, Copy, Debug)]
struct Manners {
    form: Form,
    temperature: bool,
    effort: bool,
    limit: Option<&'static str>,
}

/// A client of one endpoint. What it learns of the endpoint's manners it keeps.
pub struct OpenAi {
    endpoint: ModelEndpoint,
    client: Client<Access>,
    manners: Mutex<Manners>,
}

/// Address and headers, for the library.
#[derive(Clone, Debug)]
struct Access {
    url: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Config for Access {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.url
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

impl OpenAi {
    /// A client.
    ///
    /// # Errors
    /// Where address, key or headers cannot be used.
    pub fn new(endpoint: ModelEndpoint) -> Result<Self, ModelError> {
        let unusable = |what: &str| ModelError::new(Trouble::Refused, what.to_owned());
        let mut headers = HeaderMap::new();
        if let Some(key) = &endpoint.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret().trim()))
                .map_err(|_| unusable("the key of the model holds characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, value) in &endpoint.headers {
            let header = name
                .parse::<HeaderName>()
                .map_err(|_| unusable(&format!("`{name}` is no name of a header")))?;
            let mut value = HeaderValue::from_str(value.expose_secret())
                .map_err(|_| unusable(&format!("the value of the header `{name}` cannot be sent")))?;
            value.set_sensitive(true);
            headers.insert(header, value);
        }
        let http = http_client()?;
        let (attempt, bytes) = (endpoint.limits.attempt, endpoint.limits.answer_bytes);
        let access = Access {
            url: endpoint.url.trim_end_matches('/').to_owned(),
            key: SecretString::from(String::new()),
            headers,
        };
        let client = Client::build(http.clone(), access).with_http_service(tower::service_fn(
            move |request: HttpRequestFactory| transport::send(http.clone(), attempt, bytes, request),
        ));
        let manners = Manners {
            form: Form::Schema,
            temperature: endpoint.temperature.is_some(),
            effort: endpoint.effort.is_some(),
            limit: Some("max_tokens"),
        };
        Ok(Self {
            endpoint,
            client,
            manners: Mutex::new(manners),
        })
    }

    fn manners(&self) -> Manners {
        *self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves out what the endpoint says it does not understand. False where there is nothing left to leave out.
    fn adapt(&self, error: &ModelError) -> bool {
        if !matches!(error.trouble, Trouble::Refused | Trouble::NotFound) {
            return false;
        }
        let said = error.said.to_lowercase();
        let mut manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner);
        if manners.temperature && said.contains("temperature") {
            manners.temperature = false;
        } else if manners.effort && said.contains("reasoning") {
            manners.effort = false;
        } else if manners.limit == Some("max_tokens") && said.contains("max_tokens") {
            manners.limit = Some("max_completion_tokens");
        } else if manners.limit.is_some() && said.contains("max_completion_tokens") {
            manners.limit = None;
        } else if error.trouble == Trouble::Refused && manners.form < Form::Words {
            manners.form = match manners.form {
                Form::Schema => Form::Tool,
                Form::Tool => Form::Object,
                Form::Object | Form::Words => Form::Words,
            };
        } else {
            return false;
        }
        true
    }

    /// One request in one form.
    pub(super) async fn once(&self, request: &Request, form: Form) -> Result<Completion, ModelError> {
        let body = self.body(request, form);
        let sent = body.to_string();
        let answered: Result<Value, _> = self.client.chat().create_byot(&body).await;
        let value = answered.map_err(transport::error_of)?;
        answer::completion(&value, &self.endpoint.model, &sent)
    }

    fn body(&self, request: &Request, form: Form) -> Value {
        let manners = self.manners();
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.endpoint.model));
        body.insert("messages".to_owned(), json!(sent(request, form)));
        body.insert("stream".to_owned(), json!(false));
        if let (true, Some(temperature)) = (manners.temperature, self.endpoint.temperature) {
            body.insert("temperature".to_owned(), json!(temperature));
        }
        if let (true, Some(effort)) = (manners.effort, &self.endpoint.effort) {
            body.insert("reasoning_effort".to_owned(), json!(effort));
        }
        if let Some(name) = manners.limit {
            body.insert(name.to_owned(), json!(self.endpoint.limits.answer_tokens));
        }
        match form {
            Form::Schema => {
                let schema = strict(&request.schema);
                body.insert(
                    "response_format".to_owned(),
                    json!({"type": "json_schema", "json_schema": {"name": request.name, "strict": true, "schema": schema}}),
                );
            }
            Form::Tool => {
                let function = json!({"name": request.name, "description": "Takes the answer.", "parameters": strict(&request.schema)});
                body.insert(
                    "tools".to_owned(),
                    json!([{"type": "function", "function": function}]),
                );
                body.insert(
                    "tool_choice".to_owned(),
                    json!({"type": "function", "function": {"name": request.name}}),
                );
            }
            Form::Object => {
                body.insert("response_format".to_owned(), json!({"type": "json_object"}));
            }
            Form::Words => {}
        }
        Value::Object(body)
    }

    async fn answered(&self, request: &Request) -> Asked {
        let limits = self.endpoint.limits;
        let started = Instant::now();
        let (mut requests, mut failed) = (0, 0);
        let mut pause = limits.first_pause;
        loop {
            let form = self.manners().form;
            requests += 1;
            let error = match self.once(request, form).await {
                Ok(completion) => {
                    return Asked {
                        result: Ok(completion),
                        requests,
                        sent: sent(request, form),
                    };
                }
                Err(error) => error,
            };
            tracing::debug!(trouble = ?error.trouble, requests, "the model did not answer");
            if requests < MOST_REQUESTS && self.adapt(&error) {
                continue;
            }
            // What hung once hangs again: one more try, no three.
            failed += if error.trouble == Trouble::Timeout { 2 } else { 1 };
            let wait = error.retry_after_ms.map_or(pause, Duration::from_millis);
            let late = started.elapsed() + wait > limits.whole;
            if !error.passes() || failed >= limits.attempts || late {
                let asks = error.retry_after_ms.filter(|_| error.passes() && late);
                let message = match asks {
                    Some(ms) => format!(
                        "{}; it asks to wait {} s, which is longer than a question may take",
                        error.message,
                        ms / 1000
                    ),
                    None if failed > 1 && error.trouble != Trouble::Timeout => {
                        format!("{} ({failed} times)", error.message)
                    }
                    None => error.message.clone(),
                };
                return Asked {
                    result: Err(ModelError { message, ..error }),
                    requests,
                    sent: sent(request, form),
                };
            }
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2);
        }
    }
}

/// Requests of one question, whatever comes: an endpoint that understands nothing is not asked for ever.
const MOST_REQUESTS: u32 = 12;

/// The messages in a form: where the schema cannot be given otherwise, it stands at their end.
fn sent(request: &Request, form: Form) -> Vec<Message> {
    let mut messages = request.messages.clone();
    if form >= Form::Object
        && let Some(last) = messages.iter_mut().rfind(|message| message.role == "user")
    {
        last.content = format!("{}\n\n{}", last.content, request.schema_in_words);
    }
    messages
}

/// The client of all requests to a model.
pub(super) fn http_client() -> Result<reqwest::Client, ModelError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Fails only where somebody else installed one just now; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| {
            ModelError::new(
                Trouble::Unreachable,
                format!("no HTTP client can be made: {error}"),
            )
        })
}

impl OpenAi {
    pub(super) fn endpoint(&self) -> &ModelEndpoint {
        &self.endpoint
    }

    pub(super) fn headers(&self) -> HeaderMap {
        self.client.config().headers()
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.endpoint.model
    }

    fn ask<'a>(&'a self, request: &'a Request) -> Answering<'a> {
        Box::pin(self.answered(request))
    }
}
