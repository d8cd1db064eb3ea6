//! Logs to stderr, where MCP over stdio leaves them alone, and spans to a collector. Secrets are taken out of both.
//!
//! Libraries log what they carry. So every line passes the redactor, and those that would log whole messages of a
//! server are held to warnings. Spans hold names of tools and models, sizes and kinds of failure, and nothing else.

use std::{
    io::{self, Write},
    time::Duration,
};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::Targets, fmt::MakeWriter, layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{
    config::{Config, LogFormat},
    effects::SPANS,
    error::AppError,
    journal::redact::Redactor,
};

/// Targets that log messages of servers and models whole, and how much of them is logged at most.
const TALKATIVE: &[&str] = &[
    "rmcp=warn",
    "async_openai=error",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
    "reqwest=info",
    "sqlx=warn",
    "slack_morphism=warn",
    "tungstenite=info",
    "tokio_tungstenite=info",
];

/// How long the last spans are waited for when the program ends.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// What logs. Spans that are not exported yet are when it is dropped.
pub(super) struct Logging {
    spans: Option<SdkTracerProvider>,
}

impl Drop for Logging {
    fn drop(&mut self) {
        if let Some(spans) = &self.spans {
            // A collector that is away is no reason to fail: the report is written.
            let _ = spans.shutdown_with_timeout(LAST_SPANS);
        }
    }
}

/// Starts logging. `verbose` counts the flags that ask for more.
pub(super) fn start(config: &Config, verbose: u8) -> Result<Logging, AppError> {
    let default = match verbose {
        0 => "off,rca_agent=error",
        1 => "rca_agent=info,kubeshark=info,warn",
        2 => "rca_agent=debug,kubeshark=debug,info",
        _ => "trace",
    };
    let filter = config.log.as_deref().unwrap_or(default);
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(default));
    if verbose > 0 || config.log.is_some() {
        for target in TALKATIVE {
            if let Ok(directive) = target.parse() {
                filter = filter.add_directive(directive);
            }
        }
    }
    let redactor = Redactor::new("log");
    let writer = Redacted(
        redactor
            .clone()
            .with(&config.redact.patterns, &config.redact.names)
            .unwrap_or(redactor),
    );
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines = match config.log_format {
        LogFormat::Text => lines.with_ansi(!config.no_color).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let spans = config.traces.then(exporter).transpose()?;
    let layer = spans.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("rca-agent"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(SPANS, Level::INFO))
    });
    // Fails only where something has set a subscriber already; then that one logs.
    let _ = Registry::default()
        .with(lines.with_filter(filter))
        .with(layer)
        .try_init();
    Ok(Logging { spans })
}

/// Exports spans as OTLP over HTTP. Where to, with which headers and how long is read from OpenTelemetry's own variables
/// by its library.
fn exporter() -> Result<SdkTracerProvider, AppError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .build()
        .map_err(|error| {
            AppError::usage("spans cannot be exported").because(&error).hint(
                "OTEL_EXPORTER_OTLP_ENDPOINT is the address of a collector that takes OTLP over HTTP, such as http://localhost:4318",
            )
        })?;
    let resource = Resource::builder()
        .with_service_name("rca-agent")
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        .build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build())
}

/// Writes to stderr what is left of a line without its secrets.
#[derive(Clone)]
struct Redacted(Redactor);

impl Write for Redacted {
    /// One event: it is formatted whole before it is written.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = self.0.text(&String::from_utf8_lossy(line));
        io::stderr().write_all(text.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Redacted {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}
