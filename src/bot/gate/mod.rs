//! The bot over HTTP: Slack's Events API, alert webhooks, health, readiness, metrics.

mod alerts;
mod signature;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::timeout};

pub use alerts::Mapping;

use super::{
    incoming::{Accept, Delivery, DeliveryKind},
    metrics::Metrics,
    worker::Now,
};
use crate::driver::Performed;

/// Slack wants an answer within three seconds.
const ACCEPT: Duration = Duration::from_millis(2_500);

/// A larger body is refused, bytes.
const LARGEST: usize = 1024 * 1024;

/// Alerts of one request; more are no notification but a flood.
const ALERTS: usize = 100;

/// Says whether this process can do its work.
pub trait Ready: Send + Sync + 'static {
    /// `Err` says what is missing.
    fn ready(&self) -> Performed<'_, Result<(), String>>;
}

/// What the routes need.
pub struct Gate {
    pub accept: Arc<dyn Accept>,
    pub ready: Arc<dyn Ready>,
    pub metrics: Metrics,
    pub now: Now,
    /// Proves that Slack sends; without it Slack's routes are not there.
    pub signing: Option<SecretString>,
    /// Bearer token of the webhooks; without it they are not there.
    pub token: Option<SecretString>,
    /// Channels of Alertmanager's receivers.
    pub receivers: BTreeMap<String, String>,
    /// Other senders, by name.
    pub generic: BTreeMap<String, Mapping>,
}

/// Serves until `closing` says so.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    gate: Gate,
    listener: TcpListener,
    mut closing: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let end = async move {
        while !*closing.borrow() {
            if closing.changed().await.is_err() {
                break;
            }
        }
    };
    axum::serve(listener, routes(gate))
        .with_graceful_shutdown(end)
        .await
}

fn routes(gate: Gate) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics));
    if gate.signing.is_some() {
        router = router
            .route("/slack/events", post(events))
            .route("/slack/interactions", post(interactions))
            .route("/slack/commands", post(commands));
    }
    if gate.token.is_some() {
        router = router
            .route("/webhooks/alertmanager", post(alertmanager))
            .route("/webhooks/generic/{name}", post(generic));
    }
    router
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Arc::new(gate))
}

fn said(status: StatusCode, what: impl Into<String>) -> Response {
    (status, what.into()).into_response()
}

async fn ready(State(gate): State<Arc<Gate>>) -> Response {
    match timeout(ACCEPT, gate.ready.ready()).await {
        Ok(Ok(())) => said(StatusCode::OK, "ready"),
        Ok(Err(why)) => said(StatusCode::SERVICE_UNAVAILABLE, why),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, "no answer in time"),
    }
}

async fn metrics(State(gate): State<Arc<Gate>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], gate.metrics.text()).into_response()
}

/// The body, if Slack signed it.
fn signed(gate: &Gate, headers: &HeaderMap, body: &[u8]) -> Result<(), Box<Response>> {
    let secret = gate.signing.as_ref().map(ExposeSecret::expose_secret);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let checked = signature::check(
        secret.unwrap_or_default().as_bytes(),
        text("x-slack-request-timestamp"),
        text("x-slack-signature"),
        body,
        (gate.now)(),
    );
    checked.map_err(|refused| {
        tracing::warn!(why = refused.why(), "a request that Slack did not sign");
        gate.metrics.delivery("unsigned", "refused");
        Box::new(said(StatusCode::UNAUTHORIZED, refused.why()))
    })
}

async fn taken(gate: &Gate, delivery: Delivery) -> Result<(), Box<Response>> {
    let kind = delivery.kind.name();
    let outcome = match timeout(ACCEPT, gate.accept.accept(delivery)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(why),
        Err(_) => Err("it took too long".to_owned()),
    };
    gate.metrics
        .delivery(kind, if outcome.is_ok() { "taken" } else { "not_taken" });
    outcome.map_err(|why| {
        tracing::warn!(why, kind, "a delivery was not taken in: it is sent again");
        // Whoever delivers tries again; why is for our own log.
        Box::new(said(
            StatusCode::SERVICE_UNAVAILABLE,
            "not taken in: please try again",
        ))
    })
}

async fn deliver(gate: &Gate, kind: DeliveryKind, body: Value) -> Response {
    let Some(id) = kind.id_of(&body) else {
        return said(StatusCode::BAD_REQUEST, "it has no id");
    };
    let delivery = Delivery::new(&id, kind, (gate.now)(), body);
    match taken(gate, delivery).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(response) => *response,
    }
}

async fn events(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(response) = signed(&gate, &headers, &body) {
        return *response;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return said(StatusCode::BAD_REQUEST, "it is no JSON");
    };
    match body.get("type").and_then(Value::as_str) {
        Some("url_verification") => {
            let challenge = body.get("challenge").and_then(Value::as_str).unwrap_or_default();
            said(StatusCode::OK, challenge)
        }
        Some("event_callback") => deliver(&gate, DeliveryKind::Event, body).await,
        // Slack says that its limits were passed, and the like: nothing to do, and nothing to repeat.
        _ => StatusCode::OK.into_response(),
    }
}

/// The fields of a form.
fn fields(body: &[u8]) -> Option<serde_json::Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut url = reqwest::Url::parse("form:").ok()?;
    url.set_query(Some(text));
    Some(
        url.query_pairs()
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect(),
    )
}

async fn interactions(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(response) = signed(&gate, &headers, &body) {
        return *response;
    }
    let payload = fields(&body).and_then(|mut fields| fields.remove("payload"));
    let parsed = payload
        .as_ref()
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    match parsed {
        Some(body) => deliver(&gate, DeliveryKind::Interaction, body).await,
        None => said(StatusCode::BAD_REQUEST, "the field `payload` is no JSON"),
    }
}

async fn commands(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(response) = signed(&gate, &headers, &body) {
        return *response;
    }
    match fields(&body) {
        Some(fields) => deliver(&gate, DeliveryKind::Command, Value::Object(fields)).await,
        None => said(StatusCode::BAD_REQUEST, "it is no form"),
    }
}

/// Lets in whoever has the bearer token.
fn allowed(gate: &Gate, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let wanted = gate.token.as_ref().map(ExposeSecret::expose_secret);
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match (wanted, given) {
        (Some(wanted), Some(given)) if signature::same(wanted.as_bytes(), given.trim().as_bytes()) => Ok(()),
        _ => {
            gate.metrics.delivery("alert", "refused");
            Err(Box::new(said(
                StatusCode::UNAUTHORIZED,
                "the bearer token is missing or wrong",
            )))
        }
    }
}

async fn alertmanager(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(response) = allowed(&gate, &headers) {
        return *response;
    }
    hook(&gate, &body, |body| alerts::alertmanager(body, &gate.receivers)).await
}

async fn generic(
    State(gate): State<Arc<Gate>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(response) = allowed(&gate, &headers) {
        return *response;
    }
    let Some(mapping) = gate.generic.get(&name) else {
        return said(
            StatusCode::NOT_FOUND,
            "no mapping has this name: `[webhooks.generic.NAME]` in rca-agent.toml makes one",
        );
    };
    hook(&gate, &body, |body| {
        alerts::mapped(body, mapping, &name).map(|alert| vec![alert])
    })
    .await
}

/// Takes in the alerts of one request: all of them, or the sender hears that it has to try again.
async fn hook(
    gate: &Gate,
    body: &[u8],
    read: impl FnOnce(&Value) -> Result<Vec<super::alert::Alert>, String>,
) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return said(StatusCode::BAD_REQUEST, "it is no JSON");
    };
    let alerts = match read(&body) {
        Ok(alerts) => alerts,
        Err(why) => return said(StatusCode::BAD_REQUEST, why),
    };
    if alerts.len() > ALERTS {
        return said(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("more than {ALERTS} alerts in one request"),
        );
    }
    let count = alerts.len();
    for alert in alerts {
        let state = if alert.firing { "firing" } else { "resolved" };
        let id = format!(
            "alert:{}:{}:{state}",
            alert.fingerprint,
            alert.starts.timestamp_millis()
        );
        let Ok(body) = serde_json::to_value(&alert) else {
            return said(StatusCode::BAD_REQUEST, "an alert cannot be kept");
        };
        let delivery = Delivery::new(&id, DeliveryKind::Alert, (gate.now)(), body);
        if let Err(response) = taken(gate, delivery).await {
            return *response;
        }
    }
    said(StatusCode::OK, format!("{count} taken in"))
}
