//! What follows the pictures: impact, timeline, coverage, ruled out, refusals, cost, repetition.

use maud::{Markup, html};

use super::{Page, ROWS, Text, cited, filled};
use crate::{
    investigation::words,
    report::{
        document::plain,
        draw,
        layout::{bytes, named, span},
        model::Stretch,
    },
};

fn more(shown: usize, all: usize) -> Markup {
    html! {
        @if all > shown { p class="note" { (words::number(u64::try_from(all - shown).unwrap_or(0))) " more are in report.json." } }
    }
}

pub(super) fn impact(page: &Page<'_>) -> Option<Markup> {
    let impact = filled(&page.report.impact)?;
    Some(html! {
        table {
            thead { tr { th { "Service" } th { "What" } } }
            tbody {
                @for (at, hurt) in impact.iter().take(ROWS).enumerate() {
                    tr id=(format!("impact-{}", at + 1)) {
                        td { (plain(&named(&hurt.service, hurt.namespace.as_deref()))) }
                        td { (Text(&hurt.what)) " " (cited(page, &hurt.evidence)) }
                    }
                }
            }
        }
        (more(ROWS, impact.len()))
    })
}

pub(super) fn timeline(page: &Page<'_>) -> Option<Markup> {
    let moments = filled(&page.report.timeline)?;
    Some(html! {
        ol class="timeline" {
            @for (at, moment) in moments.iter().take(ROWS).enumerate() {
                li id=(format!("moment-{}", at + 1)) {
                    time datetime=(moment.at) { (Text(&moment.local)) }
                    span { (Text(&moment.what)) " " (cited(page, &moment.evidence)) }
                }
            }
        }
        (more(ROWS, moments.len()))
    })
}

pub(super) fn ruled_out(page: &Page<'_>) -> Option<Markup> {
    let ruled = filled(&page.report.ruled_out)?;
    Some(html! {
        table {
            thead { tr { th { "Service" } th { "Why" } } }
            tbody {
                @for (at, out) in ruled.iter().take(ROWS).enumerate() {
                    tr id=(format!("ruled-out-{}", at + 1)) {
                        td { (plain(&named(&out.service, out.namespace.as_deref()))) }
                        td { (Text(&out.reason)) " " (cited(page, &out.evidence)) }
                    }
                }
            }
        }
        (more(ROWS, ruled.len()))
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a section may be left out; this one never is"
)]
pub(super) fn coverage(page: &Page<'_>) -> Option<Markup> {
    let coverage = &page.report.coverage;
    let held = |stretch: &Option<Stretch>| {
        stretch.as_ref().map_or_else(
            || "nothing".to_owned(),
            |held| span(&held.start, &held.end, page.clock),
        )
    };
    let gaps = [
        ("Buffers", &coverage.retention),
        ("Not seen", &coverage.not_seen),
        ("Cut short", &coverage.truncated),
    ];
    Some(html! {
        @if let Some(picture) = draw::strip(coverage, page.clock) {
            figure {
                div class="wide" tabindex="0" { (picture.inline("strip")) }
                figcaption {
                    (picture.title) ". "
                    span class="key captured" { "captured" } " " span class="key dissected" { "dissected" } " "
                    span class="key traffic" { "calls seen, by minute" } " " span class="key asked" { "asked about" }
                }
            }
        }
        dl class="facts" {
            div { dt { "Asked" } dd { (span(&coverage.asked.start, &coverage.asked.end, page.clock)) } }
            div { dt { "Captured" } dd { (held(&coverage.captured)) } }
            div {
                dt { "Dissected" }
                dd {
                    (held(&coverage.dissected))
                    @if let Some(entries) = coverage.entries { ", " (words::number(entries)) " calls and connections" }
                }
            }
            @for (name, lines) in gaps {
                @for line in lines.iter().take(ROWS) { div { dt { (name) } dd { (Text(line)) } } }
            }
        }
        @if gaps.iter().all(|(_, lines)| lines.is_empty()) {
            p class="note" { "Nothing that was asked for was left out." }
        }
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a section may be left out; this one never is"
)]
pub(super) fn refusals(page: &Page<'_>) -> Option<Markup> {
    let refusals = &page.report.refusals;
    Some(html! {
        @if refusals.is_empty() {
            p class="note" { "No guard refused anything." }
        } @else {
            table {
                thead { tr { th { "Guard" } th { "Times" } th { "Why" } } }
                tbody {
                    @for refusal in refusals.iter().take(ROWS) {
                        tr { td { code { (plain(&refusal.guard)) } } td { (refusal.times) } td { (Text(&refusal.why)) } }
                    }
                }
            }
            (more(ROWS, refusals.len()))
        }
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a section may be left out; this one never is"
)]
pub(super) fn cost(page: &Page<'_>) -> Option<Markup> {
    let cost = &page.report.cost;
    let about = |estimated: bool| if estimated { "about " } else { "" };
    Some(html! {
        table {
            thead { tr { th { "Spent by" } th { "Calls" } th { "What" } } }
            tbody {
                tr {
                    td { "Tools" }
                    td { (words::number(u64::from(cost.tool_calls))) }
                    td { (bytes(cost.bytes_in)) " of answers, " (format!("{:.1}", cost.seconds)) " s" }
                }
                @for role in &cost.roles {
                    tr {
                        td { "Model, as " (role.role.to_string()) }
                        td { (words::number(u64::from(role.calls))) }
                        td {
                            (about(role.estimated)) (words::number(role.tokens_in)) " tokens read, "
                            (about(role.estimated)) (words::number(role.tokens_out)) " written; "
                            (role.failed) " failed, " (role.rejected) " not accepted"
                        }
                    }
                }
                @if page.report.model.is_none() {
                    tr { td { "Model" } td { "0" } td { "none was asked" } }
                }
            }
        }
        @if let Some(money) = cost.money { p class="note" { (format!("{money:.4}")) " spent on the model." } }
    })
}

pub(super) fn repeat(page: &Page<'_>) -> Option<Markup> {
    let report = page.report;
    if report.repeat.is_empty() && report.attachments.is_empty() {
        return None;
    }
    Some(html! {
        @for repeat in &report.repeat {
            div class="query" {
                p { (Text(&repeat.what)) }
                pre { code { (plain(&repeat.command)) } }
                button class="copy" type="button" hidden { "Copy" }
            }
        }
        @if !report.attachments.is_empty() {
            table {
                thead { tr { th { "File" } th { "What" } } }
                tbody {
                    @for file in report.attachments.iter().take(ROWS) {
                        tr { td { code { (plain(&file.file)) } } td { (Text(&file.what)) } }
                    }
                }
            }
        }
    })
}
