//! The path, the graph, what happened over time, and what abnormal calls have in common.

use maud::{Markup, html};

use super::{HOPS, Page, Text, cited, filled};
use crate::{
    investigation::words,
    report::{
        document::plain,
        draw,
        layout::{first_abnormal, local, named, span},
        picture::{GraphEdge, Series},
    },
};

/// The graph, the hops in words, and every edge as a table for whoever does not see the picture.
pub(super) fn spread(page: &Page<'_>) -> Option<Markup> {
    let report = page.report;
    let picture = draw::graph(report, page.clock);
    if picture.is_none() && report.path.is_empty() {
        return None;
    }
    let left_out = report.graph.nodes_left_out + report.graph.edges_left_out;
    Some(html! {
        @if let Some(picture) = &picture {
            figure {
                div class="wide" tabindex="0" { (picture.inline("graph")) }
                figcaption {
                    (key("cause", "the cause")) (key("affected", "affected")) (key("healthy", "as before"))
                    "On the edges: failing of all calls, 95th percentile of latency before → during, first abnormal call."
                    @if left_out > 0 {
                        " Left out: " (report.graph.nodes_left_out) " services and " (report.graph.edges_left_out)
                        " edges, the calmest."
                    }
                }
            }
        }
        @if let Some(path) = filled(&report.path) {
            ol class="hops" {
                @for (at, hop) in path.iter().take(HOPS).enumerate() {
                    li id=(format!("hop-{}", at + 1)) {
                        p class="hop" {
                            span class="name" { (plain(&hop.from)) } " → " span class="name" { (plain(&hop.to)) }
                            span class="when" { " from " (first_abnormal(report, &hop.first_abnormal, page.clock)) }
                        }
                        p { (Text(&hop.what)) " " (cited(page, &hop.evidence)) }
                    }
                }
            }
        }
        @if let Some(edges) = filled(&report.graph.edges) { (table(page, edges)) }
    })
}

fn key(class: &str, text: &str) -> Markup {
    html! { span class=(format!("key {class}")) { (text) } " " }
}

/// The graph as a table.
fn table(page: &Page<'_>, edges: &[GraphEdge]) -> Markup {
    let name = |at: usize| {
        let node = page.report.graph.nodes.get(at);
        node.map_or_else(String::new, |node| {
            plain(&named(&node.name, node.namespace.as_deref()))
        })
    };
    let mut sorted: Vec<&GraphEdge> = edges.iter().collect();
    sorted.sort_by_key(|edge| (!edge.on_path, !edge.abnormal, edge.first_abnormal.clone()));
    let latency = |us: Option<i64>| us.map_or_else(|| "–".to_owned(), words::latency);
    html! {
        details class="screen" {
            summary { "The graph as a table (" (edges.len()) " edges)" }
            div class="wide" tabindex="0" {
                table {
                    thead { tr {
                        th { "Calls" } th { "Protocol" } th { "Failing before" } th { "Failing during" } th { "p95 before" }
                        th { "p95 during" } th { "First abnormal" } th { "Evidence" }
                    } }
                    tbody {
                        @for edge in sorted {
                            tr class=(if edge.abnormal || edge.on_path { "abnormal" } else { "calm" }) {
                                td { (name(edge.from)) " → " (name(edge.to)) }
                                td { (plain(&edge.protocol)) }
                                td { (words::of(edge.before.failing, edge.before.calls)) }
                                td { (words::of(edge.during.failing, edge.during.calls)) }
                                td { (latency(edge.before.p95_us)) }
                                td { (latency(edge.during.p95_us)) }
                                td { (edge.first_abnormal.as_ref().map(|time| local(time, page.clock)).unwrap_or_default()) }
                                td { (cited(page, &edge.evidence)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn over_time(page: &Page<'_>) -> Option<Markup> {
    let over = page.report.over_time.as_ref()?;
    let shown = |series: &&Series| series.calls.iter().any(|count| *count > 0);
    Some(html! {
        p class="note" {
            (span(&over.start, &over.end, page.clock)) ". " (key("asked", "asked about")) (key("baseline", "baseline"))
            (key("calls", "calls")) (key("failing", "failing"))
            @if over.sampled { " From a sample of the calls: shares are right, amounts are not." }
        }
        @for series in over.series.iter().filter(shown) {
            figure class=(if is_cause(page, series) { "series of-cause" } else { "series" }) {
                figcaption {
                    @if series.made { "Calls made by " } @else { "Calls to " }
                    b { (plain(&named(&series.service, series.namespace.as_deref()))) }
                    " (" (plain(&series.protocol)) "): "
                    @for (at, picture) in draw::chart(page.report, over, series, page.clock).iter().enumerate() {
                        @if at > 0 { ". " }
                        (picture.title)
                    }
                    "."
                }
                div class="charts" {
                    @for picture in draw::chart(page.report, over, series, page.clock) { (picture.inline("chart")) }
                }
            }
        }
    })
}

fn is_cause(page: &Page<'_>, series: &Series) -> bool {
    let causes = &page.report.root_causes;
    causes
        .iter()
        .any(|cause| cause.service.as_ref() == Some(&series.service) && cause.namespace == series.namespace)
}

pub(super) fn common(page: &Page<'_>) -> Option<Markup> {
    let causes = &page.report.root_causes;
    if causes.iter().all(|cause| cause.factors.is_empty()) {
        return None;
    }
    Some(html! {
        @for cause in causes.iter().filter(|cause| !cause.factors.is_empty()) {
            div class="wide" tabindex="0" {
                table {
                    thead { tr { th { "Abnormal calls went" } th { "Share" } th { "Of abnormal" } th { "Of good" } th { "Lift" } } }
                    tbody {
                        @for factor in &cause.factors {
                            tr {
                                td { (plain(&factor.dimension)) " " code { (plain(&factor.value)) } }
                                td { (draw::shares(factor).inline("shares")) }
                                td { (words::of(factor.failing, factor.failing_of)) }
                                td { (words::of(factor.good, factor.good_of)) }
                                td { b { (format!("{:.1}×", factor.lift)) } }
                            }
                        }
                    }
                }
            }
        }
        p class="note" { "Lift: how many times as frequent among abnormal calls as among good ones." }
    })
}
