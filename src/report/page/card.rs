//! What somebody who was woken has to know before anything else.

use maud::{Markup, html};

use super::{Page, Text, cited};
use crate::{
    investigation::{Confidence, Verdict},
    report::{
        build::said,
        document::plain,
        layout::{local, named, onset, span},
        model::RootCause,
    },
    time::Clock,
};

/// Names of the confidence, and how many of three marks are filled.
fn confidence(confidence: Confidence) -> (&'static str, usize) {
    match confidence {
        Confidence::High => ("high", 3),
        Confidence::Medium => ("medium", 2),
        Confidence::Low => ("low", 1),
    }
}

pub(super) fn card(page: &Page<'_>) -> Markup {
    let report = page.report;
    let (tone, word) = match report.verdict {
        Verdict::RootCause => ("bad", "Root cause"),
        Verdict::NoAnomaly => ("good", "No anomaly"),
        Verdict::Inconclusive => ("doubtful", "Inconclusive"),
        Verdict::NoData => ("doubtful", "No data"),
    };
    let (sure, filled) = confidence(report.confidence);
    let cause = report.root_causes.first();
    html! {
        header id="verdict" class=(format!("card {tone}")) {
            div class="verdict-line" {
                p class="verdict" { (word) }
                p class="confidence" {
                    span class="marks" aria-hidden="true" {
                        @for at in 0..3 { span class=(if at < filled { "mark on" } else { "mark" }) {} }
                    }
                    (sure) " confidence"
                    @if report.probability > 0.0 { " (" (format!("{:.0}", report.probability * 100.0)) " in 100)" }
                }
            }
            h1 { (headline(page, word)) }
            p class="summary" { (Text(&report.summary)) }
            dl class="facts" {
                @if let Some(cause) = cause { (facts(cause, page.clock)) }
                @if let Some(impact) = report.impact.first() {
                    div {
                        dt { "Impact" }
                        dd {
                            strong { (plain(&named(&impact.service, impact.namespace.as_deref()))) } ": " (Text(&impact.what))
                            @if report.impact.len() > 1 {
                                " " a href="#impact" { "and " (report.impact.len() - 1) " more" }
                            }
                        }
                    }
                }
                div { dt { "Asked about" } dd { (span(&report.window.start, &report.window.end, page.clock)) } }
                @if !report.question.is_empty() { div { dt { "Question" } dd { (Text(&report.question)) } } }
                @if let Some(about) = &report.about { div { dt { "Named" } dd { (Text(about)) } } }
            }
            @for (at, cause) in report.root_causes.iter().enumerate() { (explained(page, at, cause)) }
            (doubts(page))
            @if !report.next.is_empty() {
                div class="next" {
                    h2 { "Do now" }
                    ol { @for step in &report.next { li { (Text(step)) } } }
                }
            }
        }
    }
}

/// The cause in a line: who, and what it did.
fn headline(page: &Page<'_>, word: &str) -> Markup {
    let causes = page.report.root_causes.iter().map(|cause| {
        let service = cause.service.as_ref();
        let service = service.map(|name| named(name, cause.namespace.as_deref()));
        said(
            service.as_deref(),
            cause.workload.as_deref(),
            cause.kind,
            cause.ended.is_some(),
        )
    });
    html! {
        @if page.report.root_causes.is_empty() { (word) }
        @for (at, (who, what)) in causes.enumerate() {
            @if at > 0 { "; " }
            (plain(&who)) span class="kind" { " " (what) }
        }
    }
}

fn facts(cause: &RootCause, clock: &Clock) -> Markup {
    html! {
        div { dt { "Began" } dd { strong { (onset(cause, clock)) } } }
        div {
            dt { "Over" }
            dd {
                @match &cause.ended {
                    Some(ended) => { "since " (local(ended, clock)) },
                    None => { "no: it went on to the end of what was looked at" },
                }
            }
        }
        @if let Some(workload) = &cause.workload { div { dt { "Pod or node" } dd { (Text(workload)) } } }
        @if let Some(endpoint) = &cause.endpoint { div { dt { "Endpoint" } dd { code { (plain(endpoint)) } } } }
    }
}

fn explained(page: &Page<'_>, at: usize, cause: &RootCause) -> Markup {
    html! {
        div class="why" id=(format!("cause-{}", at + 1)) {
            p { (Text(&cause.explanation)) " " (cited(page, &cause.evidence)) }
        }
    }
}

/// Why it may be otherwise, and what was assumed.
fn doubts(page: &Page<'_>) -> Markup {
    let report = page.report;
    let name = match report.verdict {
        Verdict::RootCause | Verdict::NoAnomaly => "Doubt",
        Verdict::Inconclusive | Verdict::NoData => "Because",
    };
    html! {
        @if !report.because.is_empty() || !report.window.assumptions.is_empty() {
            ul class="doubts" {
                @for reason in &report.because { li { b { (name) ": " } (Text(reason)) } }
                @for assumption in &report.window.assumptions { li { b { "Assumed: " } (Text(assumption)) } }
            }
        }
    }
}
