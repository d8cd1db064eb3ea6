//! Slack's Web API.
//!
//! Spoken as plain HTTP and JSON: blocks are ours, errors are Slack's own words, and how long to wait is in a header. A
//! client with a type for everything takes all three away.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use super::{Message, Slack, SlackError};
use crate::{
    bot::{
        metrics::Metrics,
        person::{Person, Place, Profile},
        runs::Attachment,
    },
    driver::Performed,
    time::Zone,
};

/// Where Slack's API is.
pub const API: &str = "https://slack.com/api";

/// Type of the metadata that our messages carry.
const METADATA: &str = "rca_agent";

/// One attempt of a call may take so long.
const ATTEMPT: Duration = Duration::from_secs(15);

/// Attempts of a call that can be repeated.
const ATTEMPTS: u32 = 3;

/// So long a rate limit is waited out here, in all; a longer one is the caller's to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// For so long a profile is not asked for again.
const FRESH: Duration = Duration::from_mins(10);

/// So many profiles are kept.
const PROFILES: usize = 10_000;

/// Pages of a thread that are looked through for a message.
const PAGES: usize = 5;

/// Slack's words for trouble of its own that passes.
const PASSES: &[&str] = &[
    "fatal_error",
    "internal_error",
    "request_timeout",
    "service_unavailable",
];

/// Who the token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    pub team: String,
    pub team_name: String,
    pub user: String,
    pub user_name: String,
    /// Scopes of the token, as Slack's header names them.
    pub scopes: Vec<String>,
}

/// A client with one token.
pub struct WebApi {
    client: Client,
    base: String,
    token: SecretString,
    metrics: Metrics,
    profiles: Mutex<HashMap<Person, (Instant, Profile)>>,
    /// The bot's user; asked for once.
    own: OnceCell<String>,
}

/// What came back of one attempt.
enum Came {
    Answer(Value, header::HeaderMap),
    /// Too much was asked for; how long to wait.
    Wait(Duration),
    Away(String),
}

impl WebApi {
    /// A client for the API at `base`; [`API`] is Slack's own.
    ///
    /// # Errors
    /// Where no TLS can be set up.
    pub fn new(token: SecretString, base: Option<&str>, metrics: Metrics) -> Result<Self, SlackError> {
        let client = Client::builder()
            .timeout(ATTEMPT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| SlackError::Away(error.to_string()))?;
        Ok(Self {
            client,
            base: base.unwrap_or(API).trim_end_matches('/').to_owned(),
            token,
            metrics,
            profiles: Mutex::new(HashMap::new()),
            own: OnceCell::new(),
        })
    }

    /// Asks who we are.
    pub async fn me(&self) -> Result<Me, SlackError> {
        let (body, headers) = self.call("auth.test", &json!({}), true).await?;
        let text = |name: &str| {
            body.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let scopes = headers
            .get("x-oauth-scopes")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        Ok(Me {
            team: text("team_id"),
            team_name: text("team"),
            user: text("user_id"),
            user_name: text("user"),
            scopes: scopes
                .split(',')
                .map(|scope| scope.trim().to_owned())
                .filter(|scope| !scope.is_empty())
                .collect(),
        })
    }

    /// Where a WebSocket of Socket Mode can be opened; for a client with an app's token.
    pub async fn socket(&self) -> Result<String, SlackError> {
        let (body, _) = self.call("apps.connections.open", &json!({}), true).await?;
        let url = body.get("url").and_then(Value::as_str);
        url.map(str::to_owned)
            .ok_or_else(|| SlackError::Away("no address of a socket came back".to_owned()))
    }

    /// One attempt.
    async fn attempt(&self, method: &str, body: &Value) -> Came {
        let request = self
            .client
            .post(format!("{}/{method}", self.base))
            .bearer_auth(self.token.expose_secret());
        // Methods that read take forms only.
        let request = if matches!(
            method,
            "users.info" | "conversations.replies" | "conversations.history" | "files.getUploadURLExternal"
        ) {
            let fields: Vec<(&str, String)> = body
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (name.as_str(), text)
                })
                .collect();
            request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form(&fields))
        } else {
            request.json(body)
        };
        let response = match request.send().await {
            Ok(response) => response,
            // Without the address: it is no secret, but says nothing either.
            Err(error) => return Came::Away(error.without_url().to_string()),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Came::Wait(retry_after(&headers));
        }
        if !status.is_success() {
            return Came::Away(format!("it answered {status}"));
        }
        match response.json::<Value>().await {
            Ok(body) => match body.get("error").and_then(Value::as_str) {
                Some(word) if PASSES.contains(&word) => Came::Away(format!("it answered {word}")),
                _ => Came::Answer(body, headers),
            },
            Err(error) => Came::Away(format!("its answer is no JSON: {}", error.without_url())),
        }
    }

    /// A call. Where `repeatable`, it is made again when Slack could not be reached; a message must not be posted twice.
    async fn call(
        &self,
        method: &'static str,
        body: &Value,
        repeatable: bool,
    ) -> Result<(Value, header::HeaderMap), SlackError> {
        let mut waited = Duration::ZERO;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let wait = match self.attempt(method, body).await {
                Came::Answer(body, headers) => {
                    if body.get("ok").and_then(Value::as_bool) == Some(true) {
                        self.metrics.slack(method, "ok");
                        return Ok((body, headers));
                    }
                    let word = body
                        .get("error")
                        .and_then(Value::as_str)
                        .unwrap_or("no reason given");
                    if !matches!(word, "ratelimited" | "rate_limited") {
                        self.metrics.slack(method, "refused");
                        let word: String = word.chars().filter(|c| !c.is_control()).take(80).collect();
                        return Err(SlackError::Refused(word));
                    }
                    retry_after(&headers)
                }
                Came::Wait(wait) => wait,
                Came::Away(why) => {
                    self.metrics.slack(method, "away");
                    if !repeatable || attempts >= ATTEMPTS {
                        return Err(SlackError::Away(why));
                    }
                    sleep(Duration::from_millis(250 << attempts)).await;
                    continue;
                }
            };
            // Slack has not taken it: whatever it is, it may be sent again.
            self.metrics.slack(method, "rate_limited");
            if waited + wait > PATIENCE {
                return Err(SlackError::Busy {
                    seconds: wait.as_secs().max(1),
                });
            }
            waited += wait;
            sleep(wait).await;
        }
    }

    /// The bot's own messages of a thread, page by page, until `wanted` gives something. Others can put the same metadata
    /// and files of the same names beside ours.
    async fn search<T>(
        &self,
        at: &Place,
        wanted: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, SlackError> {
        let method = if at.thread.is_some() {
            "conversations.replies"
        } else {
            "conversations.history"
        };
        let own = self
            .own
            .get_or_try_init(async || Ok(self.me().await?.user))
            .await?;
        let ours = |message: &&Value| message.get("user").and_then(Value::as_str) == Some(own);
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let mut body = json!({"channel": at.channel, "limit": 200, "include_all_metadata": true});
            if let Some(object) = body.as_object_mut() {
                if let Some(thread) = &at.thread {
                    object.insert("ts".to_owned(), json!(thread));
                }
                if !cursor.is_empty() {
                    object.insert("cursor".to_owned(), json!(cursor));
                }
            }
            let (body, _) = self.call(method, &body, true).await?;
            let messages = body.get("messages").and_then(Value::as_array);
            if let Some(found) = messages.into_iter().flatten().filter(ours).find_map(&wanted) {
                return Ok(Some(found));
            }
            match body
                .pointer("/response_metadata/next_cursor")
                .and_then(Value::as_str)
            {
                Some(next) if !next.is_empty() => next.clone_into(&mut cursor),
                _ => break,
            }
        }
        Ok(None)
    }

    async fn put(&self, at: &Place, file: &Attachment) -> Result<(), SlackError> {
        let asked = json!({"filename": file.name, "length": file.bytes.len()});
        let (body, _) = self.call("files.getUploadURLExternal", &asked, true).await?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let (Some(url), Some(id)) = (text("upload_url"), text("file_id")) else {
            return Err(SlackError::Away("no address for the file came back".to_owned()));
        };
        let sent = self
            .client
            .post(url)
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .timeout(ATTEMPT * 8)
            .body(file.bytes.clone())
            .send()
            .await
            .map_err(|error| SlackError::Away(error.without_url().to_string()))?;
        if !sent.status().is_success() {
            return Err(SlackError::Away(format!(
                "the file was answered {}",
                sent.status()
            )));
        }
        let mut done = json!({
            "files": [{"id": id, "title": file.title}],
            "channel_id": at.channel,
        });
        if let (Some(thread), Some(object)) = (&at.thread, done.as_object_mut()) {
            object.insert("thread_ts".to_owned(), json!(thread));
        }
        self.call("files.completeUploadExternal", &done, false).await?;
        Ok(())
    }
}

/// How long Slack asks to wait; a second where it does not say.
fn retry_after(headers: &header::HeaderMap) -> Duration {
    let seconds = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<u64>().ok());
    Duration::from_secs(seconds.unwrap_or(1).clamp(1, 3_600))
}

/// Fields as a form.
fn form(fields: &[(&str, String)]) -> String {
    let mut url = reqwest::Url::parse("form:").ok();
    if let Some(url) = &mut url {
        let mut pairs = url.query_pairs_mut();
        for (name, value) in fields {
            pairs.append_pair(name, value);
        }
    }
    url.and_then(|url| url.query().map(str::to_owned))
        .unwrap_or_default()
}

/// A message with what tells it from all others.
fn payload(at: &Place, message: &Message) -> Value {
    let mut body = json!({
        "channel": at.channel,
        "text": message.text,
        "blocks": message.blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    });
    if let (Some(thread), Some(object)) = (&at.thread, body.as_object_mut()) {
        object.insert("thread_ts".to_owned(), json!(thread));
    }
    body
}

impl Slack for WebApi {
    fn post<'a>(
        &'a self,
        at: &'a Place,
        key: &'a str,
        message: &'a Message,
    ) -> Performed<'a, Result<String, SlackError>> {
        Box::pin(async move {
            let mut body = payload(at, message);
            if let Some(object) = body.as_object_mut() {
                let metadata = json!({"event_type": METADATA, "event_payload": {"key": key}});
                object.insert("metadata".to_owned(), metadata);
            }
            let (body, _) = self.call("chat.postMessage", &body, false).await?;
            let ts = body.get("ts").and_then(Value::as_str);
            ts.map(str::to_owned)
                .ok_or_else(|| SlackError::Away("no time stamp of the message came back".to_owned()))
        })
    }

    fn find<'a>(&'a self, at: &'a Place, key: &'a str) -> Performed<'a, Result<Option<String>, SlackError>> {
        Box::pin(async move {
            self.search(at, |message| {
                let ours = message.pointer("/metadata/event_type").and_then(Value::as_str) == Some(METADATA);
                let found = message
                    .pointer("/metadata/event_payload/key")
                    .and_then(Value::as_str)
                    == Some(key);
                (ours && found)
                    .then(|| message.get("ts").and_then(Value::as_str).map(str::to_owned))
                    .flatten()
            })
            .await
        })
    }

    fn update<'a>(
        &'a self,
        at: &'a Place,
        ts: &'a str,
        message: &'a Message,
    ) -> Performed<'a, Result<(), SlackError>> {
        Box::pin(async move {
            let body = json!({
                "channel": at.channel,
                "ts": ts,
                "text": message.text,
                "blocks": message.blocks,
            });
            self.call("chat.update", &body, true).await.map(|_| ())
        })
    }

    fn whisper<'a>(
        &'a self,
        to: &'a Person,
        at: &'a Place,
        message: &'a Message,
    ) -> Performed<'a, Result<(), SlackError>> {
        Box::pin(async move {
            let mut body = payload(at, message);
            if let Some(object) = body.as_object_mut() {
                object.insert("user".to_owned(), json!(to.user));
            }
            self.call("chat.postEphemeral", &body, true).await.map(|_| ())
        })
    }

    fn upload<'a>(&'a self, at: &'a Place, files: &'a [Attachment]) -> Performed<'a, Result<(), SlackError>> {
        Box::pin(async move {
            for file in files {
                self.put(at, file).await?;
            }
            Ok(())
        })
    }

    fn uploaded<'a>(&'a self, at: &'a Place) -> Performed<'a, Result<Vec<String>, SlackError>> {
        Box::pin(async move {
            let names = Mutex::new(Vec::new());
            self.search(at, |message| {
                let files = message.get("files").and_then(Value::as_array);
                let found = files
                    .into_iter()
                    .flatten()
                    .filter_map(|file| file.get("name").and_then(Value::as_str).map(str::to_owned));
                names.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                None::<()>
            })
            .await?;
            Ok(names.into_inner().unwrap_or_else(PoisonError::into_inner))
        })
    }

    fn profile<'a>(&'a self, person: &'a Person) -> Performed<'a, Result<Profile, SlackError>> {
        Box::pin(async move {
            let known = {
                let profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
                profiles
                    .get(person)
                    .filter(|(asked, _)| asked.elapsed() < FRESH)
                    .map(|(_, profile)| profile.clone())
            };
            if let Some(profile) = known {
                return Ok(profile);
            }
            let (body, _) = self
                .call("users.info", &json!({"user": person.user}), true)
                .await?;
            let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
            let name = ["/user/profile/display_name", "/user/real_name", "/user/name"]
                .iter()
                .find_map(|pointer| text(pointer).filter(|name| !name.is_empty()));
            let profile = Profile {
                name: name.unwrap_or_default().chars().take(80).collect(),
                zone: text("/user/tz").and_then(Zone::named),
                bot: body.pointer("/user/is_bot").and_then(Value::as_bool) == Some(true),
            };
            let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
            if profiles.len() >= PROFILES {
                profiles.clear();
            }
            profiles.insert(person.clone(), (Instant::now(), profile.clone()));
            Ok(profile)
        })
    }

    fn publish_home<'a>(
        &'a self,
        to: &'a Person,
        blocks: &'a [Value],
    ) -> Performed<'a, Result<(), SlackError>> {
        Box::pin(async move {
            let body = json!({"user_id": to.user, "view": {"type": "home", "blocks": blocks}});
            self.call("views.publish", &body, true).await.map(|_| ())
        })
    }
}
