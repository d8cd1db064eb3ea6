//! Spans of a run, named and described by OpenTelemetry's conventions for generative AI: one `invoke_agent`, below it an
//! `execute_tool` for every call of a tool and a `chat` for every question to a model.
//!
//! A span lasts from its making to its dropping and is never entered: a client's background tasks would keep what was
//! entered when they were started, and such a span would never end. So parents are given by hand.
//!
//! Source: OpenTelemetry semantic conventions 1.38, "Generative AI".

use tracing::{Span, field::Empty, info_span};

use crate::{
    investigation::{Answer, Failure, FailureKind},
    model::{Completion, ModelError, Trouble},
};

/// Target of all spans; what exports them picks them by it.
pub const TARGET: &str = "rca_agent::spans";

/// A run of a case, from here to the drop.
pub fn run(case: &str) -> Span {
    info_span!(
        target: "rca_agent::spans",
        parent: None,
        "invoke_agent",
        "otel.name" = "invoke_agent rca-agent",
        "gen_ai.operation.name" = "invoke_agent",
        "gen_ai.agent.name" = "rca-agent",
        "gen_ai.conversation.id" = case,
    )
}

/// One call of a tool of the server.
pub(super) fn tool(run: &Span, tool: &str) -> Span {
    info_span!(
        target: "rca_agent::spans",
        parent: run,
        "execute_tool",
        "otel.name" = format!("execute_tool {tool}"),
        "gen_ai.operation.name" = "execute_tool",
        "gen_ai.tool.name" = tool,
        "gen_ai.tool.type" = "extension",
        "rca.result.bytes" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

/// Says on the span of a tool what came of it.
pub(super) fn answered(span: &Span, answer: &Answer) {
    match &answer.result {
        Ok(_) => {
            span.record("rca.result.bytes", answer.bytes);
        }
        Err(failure) => failed(span, kind(failure)),
    }
}

/// One question to a model in a role.
pub(super) fn chat(run: &Span, model: &str, role: &str) -> Span {
    info_span!(
        target: "rca_agent::spans",
        parent: run,
        "chat",
        "otel.name" = format!("chat {model}"),
        "otel.kind" = "client",
        "gen_ai.operation.name" = "chat",
        "gen_ai.request.model" = model,
        "gen_ai.response.model" = Empty,
        "gen_ai.usage.input_tokens" = Empty,
        "gen_ai.usage.output_tokens" = Empty,
        "rca.role" = role,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

/// Says on the span of a question what came of it.
pub(super) fn completed(span: &Span, result: &Result<Completion, ModelError>) {
    match result {
        Ok(completion) => {
            span.record("gen_ai.response.model", completion.model.as_str());
            span.record("gen_ai.usage.input_tokens", completion.usage.tokens_in);
            span.record("gen_ai.usage.output_tokens", completion.usage.tokens_out);
        }
        Err(error) => failed(span, trouble(error)),
    }
}

/// `error.type` has few values, so that it can be counted by them: never a message.
fn failed(span: &Span, kind: &'static str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}

fn kind(failure: &Failure) -> &'static str {
    match failure.kind {
        FailureKind::Unreachable => "unreachable",
        FailureKind::Unauthorized => "unauthorized",
        FailureKind::Forbidden => "forbidden",
        FailureKind::NotFound => "not_found",
        FailureKind::RawCaptureOff => "raw_capture_off",
        FailureKind::Conflict => "conflict",
        FailureKind::Timeout => "timeout",
        FailureKind::TooLarge => "too_large",
        FailureKind::Malformed => "malformed",
        FailureKind::Unsupported => "unsupported",
        FailureKind::Tool => "tool",
    }
}

fn trouble(error: &ModelError) -> &'static str {
    match error.trouble {
        Trouble::Unreachable => "unreachable",
        Trouble::Server => "server",
        Trouble::RateLimited => "rate_limited",
        Trouble::Timeout => "timeout",
        Trouble::Unauthorized => "unauthorized",
        Trouble::NotFound => "not_found",
        Trouble::Refused => "refused",
        Trouble::Malformed => "malformed",
        Trouble::TooLarge => "too_large",
    }
}
