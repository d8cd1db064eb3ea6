//! Evidence that can be checked: the query, what was read from its result, how the result begins, its hash, and the
//! claims that rest on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use maud::{Markup, Render, html};
use serde_json::Value;

use super::{HOPS, Page, ROWS};
use crate::{
    investigation::words,
    report::{
        document::plain,
        draw::short,
        layout::{local, moment},
        model::{Evidence, Report},
    },
};

/// Bytes that entries in full may take together, so that the page stays one that a mail can carry.
const ROOM: usize = 200_000;
/// Characters of one query, and of all facts of one result.
const QUERY: usize = 1_500;
const FACT: usize = 300;
const FACTS: usize = 16;
/// Of the name of a claim.
const NAME: usize = 60;

/// Which claims rest on which evidence.
pub(super) struct Claims {
    known: BTreeSet<String>,
    /// (anchor, what it is called)
    of: BTreeMap<String, Vec<(String, String)>>,
}

impl Claims {
    pub(super) fn of(report: &Report) -> Self {
        let known = report
            .evidence
            .iter()
            .filter(|evidence| is_anchor(&evidence.id))
            .map(|evidence| evidence.id.clone())
            .collect();
        let mut of: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut put = |ids: &[String], anchor: &str, at: usize, name: &str| {
            for id in ids {
                of.entry(id.clone())
                    .or_default()
                    .push((format!("{anchor}-{}", at + 1), short(name, NAME)));
            }
        };
        for (at, cause) in report.root_causes.iter().enumerate() {
            put(&cause.evidence, "cause", at, "the cause");
        }
        for (at, hop) in report.path.iter().take(HOPS).enumerate() {
            put(&hop.evidence, "hop", at, &format!("{} → {}", hop.from, hop.to));
        }
        for (at, hurt) in report.impact.iter().take(ROWS).enumerate() {
            put(
                &hurt.evidence,
                "impact",
                at,
                &format!("impact on {}", hurt.service),
            );
        }
        for (at, moment) in report.timeline.iter().take(ROWS).enumerate() {
            put(&moment.evidence, "moment", at, &moment.what);
        }
        let prose = report.model.iter().flat_map(|model| &model.prose).take(ROWS);
        for (at, sentence) in prose.enumerate() {
            put(&sentence.evidence, "sentence", at, "a model's sentence");
        }
        for (at, out) in report.ruled_out.iter().take(ROWS).enumerate() {
            put(
                &out.evidence,
                "ruled-out",
                at,
                &format!("{} ruled out", out.service),
            );
        }
        Self { known, of }
    }

    pub(super) fn knows(&self, id: &str) -> bool {
        self.known.contains(id)
    }
}

/// What can be a place in the page: a letter, then letters and digits.
fn is_anchor(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_alphabetic()) && id.chars().all(|c| c.is_ascii_alphanumeric())
}

fn anchor(evidence: &Evidence) -> Option<&str> {
    is_anchor(&evidence.id).then_some(evidence.id.as_str())
}

/// Text of several lines; what would move or hide other text is taken out of each.
struct Lines<'a>(&'a str, usize);

impl Render for Lines<'_> {
    fn render(&self) -> Markup {
        let mut text: String = self.0.chars().take(self.1).collect();
        if text.len() < self.0.len() {
            text.push('…');
        }
        let lines: Vec<String> = text.lines().map(plain).collect();
        html! { (lines.join("\n")) }
    }
}

pub(super) fn section(page: &Page<'_>) -> Option<Markup> {
    let report = page.report;
    if report.evidence.is_empty() {
        return None;
    }
    // What claims rest on comes first.
    let (cited_ones, others): (Vec<&Evidence>, Vec<&Evidence>) = report
        .evidence
        .iter()
        .partition(|evidence| page.claims.of.contains_key(&evidence.id));
    let mut left = ROOM;
    let mut shown = |list: &[&Evidence]| -> Vec<Markup> {
        list.iter()
            .map(|evidence| {
                let full = entry(page, evidence);
                match left.checked_sub(full.0.len()) {
                    Some(rest) => {
                        left = rest;
                        full
                    }
                    None => row(evidence),
                }
            })
            .collect()
    };
    let (first, rest) = (shown(&cited_ones), shown(&others));
    Some(html! {
        p class="note" {
            "Every number on this page was computed from these results. An id leads to the query, what was read from its \
            result, how the result begins after secrets were taken out, and its hash; the whole result lies under this \
            hash in the case."
        }
        div class="entries" { @for entry in &first { (entry) } }
        @if !rest.is_empty() {
            details {
                summary { (rest.len()) " more results that no claim rests on" }
                div class="entries" { @for entry in &rest { (entry) } }
            }
        }
    })
}

/// An entry where there is no room for more.
fn row(evidence: &Evidence) -> Markup {
    let hash: String = evidence.result_sha256.chars().take(12).collect();
    html! {
        p class="entry" id=[anchor(evidence)] {
            b { (plain(&evidence.id)) } " " code { (plain(&evidence.tool)) } " " (plain(&hash)) ": in report.json"
        }
    }
}

fn entry(page: &Page<'_>, evidence: &Evidence) -> Markup {
    let facts = facts(page, evidence);
    let hash: String = evidence.result_sha256.chars().take(12).collect();
    html! {
        details class="entry" id=[anchor(evidence)] {
            summary {
                b { (plain(&evidence.id)) } " " code { (plain(&evidence.tool)) }
                @if let Some(filter) = filter(&evidence.arguments) { " " span class="filter" { (plain(&filter)) } }
            }
            div class="query" {
                pre { code { (Lines(&query(evidence), QUERY)) } }
                button class="copy" type="button" hidden { "Copy" }
                @if let Some(link) = link(page, evidence) {
                    a class="dashboard" href=(link) rel="noopener noreferrer" target="_blank" { "Open this filter in Kubeshark" }
                }
            }
            @if !facts.is_empty() {
                dl class="facts" { @for (name, value) in &facts { div { dt { (plain(name)) } dd { (plain(value)) } } } }
            }
            @if !evidence.excerpt.is_empty() { pre class="excerpt" { code { (Lines(&evidence.excerpt, 1_000)) } } }
            p class="note" {
                "SHA-256 of the result " code title=(evidence.result_sha256) { (plain(&hash)) }
                @if let Some(claims) = page.claims.of.get(&evidence.id) {
                    ". Supports: "
                    @for (at, (anchor, name)) in claims.iter().take(12).enumerate() {
                        @if at > 0 { ", " }
                        a href=(format!("#{anchor}")) { (plain(name)) }
                    }
                }
            }
        }
    }
}

/// The call as a client makes it: the tool and its arguments.
fn query(evidence: &Evidence) -> String {
    let arguments = serde_json::to_string_pretty(&evidence.arguments).unwrap_or_default();
    format!("{} {arguments}", evidence.tool)
}

fn filter(arguments: &Value) -> Option<String> {
    let text = arguments.get("kfl")?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The dashboard with the filter of a query in its search field, as its own address shows it: `/?q=`.
fn link(page: &Page<'_>, evidence: &Evidence) -> Option<String> {
    let dashboard = page.report.dashboard.as_ref()?;
    if !(dashboard.starts_with("https://") || dashboard.starts_with("http://")) {
        return None;
    }
    let filter = filter(&evidence.arguments)?;
    let mut link = format!("{}/?q=", dashboard.trim_end_matches('/'));
    for byte in filter.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                link.push(char::from(byte));
            }
            other => {
                // Writing to a string cannot fail.
                let _ = write!(link, "%{other:02X}");
            }
        }
    }
    Some(link)
}

/// Names and values for people: numbers with commas, times local first.
fn facts(page: &Page<'_>, evidence: &Evidence) -> Vec<(String, String)> {
    let shown = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) if moment(text).is_some() => Some(local(text, page.clock)),
        Value::String(text) => Some(text.chars().take(FACT).collect()),
        Value::Number(number) => Some(number.as_u64().map_or_else(|| number.to_string(), words::number)),
        other => Some(other.to_string().chars().take(FACT).collect()),
    };
    evidence
        .facts
        .iter()
        .filter_map(|(name, value)| Some((name.replace('_', " "), shown(value)?)))
        .take(FACTS)
        .collect()
}
