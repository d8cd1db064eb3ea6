//! The world: a Kubeshark server, the clock, and the person at the terminal.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use chrono::Utc as ChronoUtc;
use futures::future::join_all;
use serde_json::Value;
use tracing::Span;

use super::{
    arriving::{Arriving, watched},
    consult::consult,
    spans,
};
use crate::{
    driver::{Effects, Performed},
    investigation::{Action, Answer, Body, Failure, FailureKind, Observation},
    journal::{body_hash, redact::Redactor},
    kubeshark::{self, Catalogue, Client, Endpoint, Limits},
    model::Model,
    wire::{Operation, decode},
};

/// Asks the person who started the run. The answer is an index into the choices.
pub trait Ask: Send + Sync {
    fn ask(&mut self, question: &str, choices: &[String], default: usize) -> usize;
}

/// Nobody is there: the default is taken.
pub struct Nobody;

impl Ask for Nobody {
    fn ask(&mut self, _: &str, _: &[String], default: usize) -> usize {
        default
    }
}

/// Performs actions against a server. Secrets are removed from every answer before anybody sees it.
pub struct LiveEffects {
    endpoint: Endpoint,
    limits: Limits,
    redactor: Redactor,
    ask: Box<dyn Ask>,
    /// Where downloads go: a file that an investigation names lies beside its journal.
    downloads: PathBuf,
    connected: Option<Connected>,
    /// Told how much of a download is there.
    arriving: Option<Arriving>,
    model: Option<Box<dyn Model>>,
    /// The run that calls and questions belong to.
    span: Span,
}

struct Connected {
    client: Client,
    catalogue: Catalogue,
}

/// How long a restored job is waited for, and how often it is looked at.
const RESTORE_LOOKS: u32 = 600;
const RESTORE_EVERY: Duration = Duration::from_millis(200);

impl LiveEffects {
    pub fn new(
        endpoint: Endpoint,
        limits: Limits,
        redactor: Redactor,
        ask: Box<dyn Ask>,
        downloads: PathBuf,
    ) -> Self {
        Self {
            downloads,
            endpoint,
            limits,
            redactor,
            ask,
            connected: None,
            arriving: None,
            model: None,
            span: Span::none(),
        }
    }

    /// The same with a language model to ask.
    #[must_use]
    pub fn with_model(mut self, model: Option<Box<dyn Model>>) -> Self {
        self.model = model;
        self
    }

    /// The same with somebody who is told how much of a download is there.
    #[must_use]
    pub fn with_arriving(mut self, arriving: Option<Arriving>) -> Self {
        self.arriving = arriving;
        self
    }

    /// The same with its calls and questions told as parts of a span, which lasts as long as these effects do.
    #[must_use]
    pub fn with_span(mut self, span: Span) -> Self {
        self.span = span;
        self
    }

    /// The server's tools, once connected.
    async fn connect(&mut self) -> Result<&Connected, Failure> {
        if self.connected.is_none() {
            let client = Client::connect(self.endpoint.clone(), self.limits)
                .await
                .map_err(|error| Failure {
                    kind: kind(error.kind()),
                    message: self.redactor.text(&error.to_string()),
                    hints: vec![error.hint()],
                })?;
            let tools = client.tools().await.map_err(|error| self.failed(&error))?;
            self.connected = Some(Connected {
                client,
                catalogue: Catalogue::from_tools(tools),
            });
        }
        self.connected.as_ref().ok_or_else(|| Failure {
            kind: FailureKind::Unreachable,
            message: "there is no connection".to_owned(),
            hints: Vec::new(),
        })
    }

    fn failed(&self, error: &kubeshark::CallError) -> Failure {
        let hint = error.hint();
        Failure {
            kind: kind(error.kind()),
            message: self.redactor.text(&error.to_string()),
            hints: if hint.is_empty() { Vec::new() } else { vec![hint] },
        }
    }

    async fn connected(&mut self) -> Observation {
        let started = Instant::now();
        let connected = match self.connect().await {
            Ok(connected) => connected,
            Err(failure) => return Observation::Unavailable { failure },
        };
        let info = connected.client.server();
        let schemas =
            serde_json::to_value(connected.catalogue.schemas().collect::<Vec<_>>()).unwrap_or_default();
        let mut tools: Vec<String> = connected
            .catalogue
            .schemas()
            .map(|tool| tool.name.clone())
            .collect();
        tools.sort();
        let supported = Operation::examples()
            .iter()
            .filter(|operation| connected.catalogue.supports(operation))
            .map(|operation| operation.name().to_owned())
            .collect();
        let (server, protocol) = (format!("{} {}", info.name, info.version), info.protocol.clone());
        Observation::Connected {
            server: self.redactor.text(&server),
            protocol,
            tools,
            schemas: Body {
                sha256: body_hash(&schemas),
                value: schemas,
            },
            supported,
            took_ms: millis(started.elapsed()),
        }
    }

    async fn query(&mut self, calls: &[Operation]) -> Observation {
        if let Err(failure) = self.connect().await {
            return Observation::Unavailable { failure };
        }
        let Some(connected) = &self.connected else {
            return Observation::Answers { answers: Vec::new() };
        };
        let answers = join_all(calls.iter().map(|call| self.call(connected, call))).await;
        Observation::Answers { answers }
    }

    async fn call(&self, connected: &Connected, operation: &Operation) -> Answer {
        let placed = match operation {
            Operation::DownloadFile { path, dest } => Some(Operation::DownloadFile {
                path: path.clone(),
                dest: self.downloads.join(dest).to_string_lossy().into_owned(),
            }),
            _ => None,
        };
        let operation = placed.as_ref().unwrap_or(operation);
        let request = match connected.catalogue.request(operation, ChronoUtc::now()) {
            Ok(request) => request,
            Err(error) => {
                let failure = Failure {
                    kind: FailureKind::Unsupported,
                    message: error.to_string(),
                    hints: vec![error.hint().to_owned()],
                };
                let tool = operation.name().to_owned();
                return Answer {
                    tool,
                    arguments: Value::Null,
                    took_ms: 0,
                    bytes: 0,
                    result: Err(failure),
                };
            }
        };
        let span = spans::tool(&self.span, &request.tool);
        let started = Instant::now();
        let call = connected.client.call(&request);
        let called = match (operation, &self.arriving) {
            (Operation::DownloadFile { dest, .. }, Some(tell)) => {
                Box::pin(watched(call, Path::new(dest), tell)).await
            }
            _ => call.await,
        };
        let took_ms = millis(started.elapsed());
        tracing::debug!(tool = request.tool, took_ms, ok = called.is_ok(), "called");
        let arguments = self.redactor.value(Value::Object(request.arguments));
        let (bytes, result) = match called {
            Ok(raw) => {
                let value = self.redactor.value(raw.body);
                (
                    raw.bytes,
                    Ok(Body {
                        sha256: body_hash(&value),
                        value,
                    }),
                )
            }
            Err(error) => (0, Err(self.failed(&error))),
        };
        let answer = Answer {
            tool: request.tool,
            arguments,
            took_ms,
            bytes,
            result,
        };
        spans::answered(&span, &answer);
        answer
    }

    /// Makes a snapshot or a dissection again where the server does not know it any more.
    async fn restore_one(&mut self, operation: &Operation) -> Result<(), String> {
        let look = match operation {
            Operation::CreateSnapshot { .. } => Operation::ListSnapshots,
            Operation::StartDissection { snapshot, .. } => Operation::DissectionStatus {
                snapshot: snapshot.clone(),
                dissection: None,
            },
            _ => return Ok(()),
        };
        let mut made = false;
        for _ in 0..RESTORE_LOOKS {
            match self.progress_of(operation, &look).await? {
                Progress::Done => return Ok(()),
                Progress::Underway => tokio::time::sleep(RESTORE_EVERY).await,
                Progress::Missing if made => {
                    return Err(format!("`{}` had no effect", operation.name()));
                }
                Progress::Missing => {
                    made = true;
                    if let Err(failure) = self.single(operation).await {
                        return Err(failure.to_string());
                    }
                }
            }
        }
        Err(format!("`{}` did not end", operation.name()))
    }

    async fn single(&mut self, operation: &Operation) -> Result<Value, Failure> {
        match self.query(std::slice::from_ref(operation)).await {
            Observation::Answers { mut answers } => match answers.pop() {
                Some(answer) => answer.result.map(|body| body.value),
                None => Ok(Value::Null),
            },
            Observation::Unavailable { failure } => Err(failure),
            Observation::Connected { .. } | Observation::Chosen { .. } | Observation::Replied { .. } => {
                Ok(Value::Null)
            }
        }
    }

    async fn progress_of(&mut self, operation: &Operation, look: &Operation) -> Result<Progress, String> {
        let value = match self.single(look).await {
            Ok(value) => value,
            Err(failure) if failure.kind == FailureKind::NotFound => return Ok(Progress::Missing),
            Err(failure) => return Err(failure.to_string()),
        };
        if let Operation::CreateSnapshot { name, .. } = operation {
            let known = decode::snapshots(&value).map_err(|error| error.to_string())?;
            return match known
                .iter()
                .find(|snapshot| &snapshot.reference.name == name)
                .map(|snapshot| &snapshot.status)
            {
                None => Ok(Progress::Missing),
                Some(decode::SnapshotStatus::Completed) => Ok(Progress::Done),
                Some(decode::SnapshotStatus::Failed) => Err(format!("the snapshot {name} failed")),
                Some(_) => Ok(Progress::Underway),
            };
        }
        let dissection = decode::dissection(&value).map_err(|error| error.to_string())?;
        match dissection.status {
            decode::DissectionStatus::Completed => Ok(Progress::Done),
            decode::DissectionStatus::Missing => Ok(Progress::Missing),
            decode::DissectionStatus::Failed | decode::DissectionStatus::Cancelled => {
                Err("the dissection failed".to_owned())
            }
            _ => Ok(Progress::Underway),
        }
    }
}

enum Progress {
    Missing,
    Underway,
    Done,
}

impl Effects for LiveEffects {
    fn perform<'a>(&'a mut self, action: &'a Action) -> Performed<'a, Observation> {
        Box::pin(async move {
            match action {
                Action::Connect => self.connected().await,
                Action::Query { calls, .. } => self.query(calls).await,
                Action::Wait { after_ms, then, .. } => {
                    tokio::time::sleep(Duration::from_millis(*after_ms)).await;
                    self.query(std::slice::from_ref(then)).await
                }
                Action::Consult { consultation } => {
                    consult(self.model.as_deref(), &self.redactor, consultation, &self.span).await
                }
                Action::AskUser {
                    question,
                    choices,
                    default,
                } => Observation::Chosen {
                    choice: self.ask.ask(question, choices, *default),
                },
            }
        })
    }

    fn restore<'a>(&'a mut self, done: &'a [Operation]) -> Performed<'a, Result<(), String>> {
        Box::pin(async move {
            for operation in done {
                self.restore_one(operation).await?;
            }
            Ok(())
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The client's kinds of failure as the machine tells them apart.
fn kind(kind: kubeshark::FailureKind) -> FailureKind {
    use kubeshark::FailureKind as Client;
    match kind {
        Client::Unauthorized => FailureKind::Unauthorized,
        Client::Forbidden => FailureKind::Forbidden,
        Client::NotFound => FailureKind::NotFound,
        Client::HubUnreachable | Client::NotRunning | Client::Died | Client::NotStarted => {
            FailureKind::Unreachable
        }
        Client::RawCaptureOff => FailureKind::RawCaptureOff,
        Client::Conflict => FailureKind::Conflict,
        Client::Timeout => FailureKind::Timeout,
        Client::TooLarge => FailureKind::TooLarge,
        Client::Malformed => FailureKind::Malformed,
        Client::ReadOnly | Client::Other => FailureKind::Tool,
    }
}
