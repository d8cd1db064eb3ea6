//! The report as one HTML file: no network, nothing that has to run, light and dark, printable.
//!
//! Whatever came from the cluster passes through [`Text`] or through maud's own escaping; nothing else writes text into
//! the page. The content security policy allows this style sheet and this script by their hashes, so that even what
//! should slip through could neither run nor fetch anything.

mod card;
mod evidence;
mod opinion;
mod pictures;
mod tables;

use base64::Engine;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::{Digest, Sha256};

use super::{
    document::{is_shown, parts, plain},
    draw::short,
    layout::{in_rows, title},
    model::Report,
};
use crate::time::Clock;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Characters of one text, and links of one claim. What is left out is in report.json.
const LONGEST: usize = 1_200;
const LINKS: usize = 8;
/// Rows of a table, hops of a path.
const ROWS: usize = 60;
const HOPS: usize = 20;

/// Text of whatever origin, on one line, with parts between backquotes as code.
struct Text<'a>(&'a str);

impl Render for Text<'_> {
    fn render(&self) -> Markup {
        let mut text = plain(self.0);
        if let Some((end, _)) = text.char_indices().nth(LONGEST) {
            text.truncate(end);
            text.push('…');
        }
        html! {
            @for (code, part) in parts(&text) {
                @if code { code { (part) } } @else { (part) }
            }
        }
    }
}

/// What a section of the page needs.
struct Page<'a> {
    report: &'a Report,
    clock: &'a Clock,
    claims: evidence::Claims,
}

/// The sections in the order of reading, each with its anchor and heading; one without content is left out.
type Section = (&'static str, &'static str, fn(&Page<'_>) -> Option<Markup>);

const SECTIONS: &[Section] = &[
    ("path", "Who called whom", pictures::spread),
    ("account", "In a model's words", opinion::account),
    ("over-time", "Errors and latency over time", pictures::over_time),
    (
        "common",
        "What the abnormal calls have in common",
        pictures::common,
    ),
    ("opinion", "A second opinion, by a model", opinion::second),
    ("impact", "Impact", tables::impact),
    ("timeline", "Timeline", tables::timeline),
    ("evidence", "Evidence", evidence::section),
    ("coverage", "Coverage", tables::coverage),
    ("ruled-out", "Ruled out", tables::ruled_out),
    ("refusals", "Refusals", tables::refusals),
    ("cost", "Cost", tables::cost),
    ("repeat", "How to repeat it", tables::repeat),
];

/// Renders the page. The same report is the same page, byte by byte.
pub fn page(report: &Report, clock: &Clock) -> String {
    let page = Page {
        report,
        clock,
        claims: evidence::Claims::of(report),
    };
    let sections: Vec<(&str, &str, Markup)> = SECTIONS
        .iter()
        .filter_map(|(id, heading, section)| Some((*id, *heading, section(&page)?)))
        .collect();
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let heading = plain(&title(report));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (heading) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (card::card(&page))
                    @for (id, heading, content) in &sections {
                        section id=(id) {
                            h2 { (heading) }
                            (content)
                        }
                    }
                }
                footer {
                    "Case " code { (plain(&report.case)) } ". Everything that is shown here was computed from recorded \
                    results; texts of the cluster's clients and servers are shown as they were sent, with secrets taken out."
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Whatever a section may have let through: nothing moves a cursor, hides or reorders text.
    page.0.chars().filter(|c| *c == '\n' || is_shown(*c)).collect()
}

/// A source expression that allows exactly this text.
fn hash(text: &str) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
    format!("'sha256-{digest}'")
}

/// Links to the evidence of a claim. Of three and more in a row the first and the last: they stand one below the other.
fn cited(page: &Page<'_>, ids: &[String]) -> Markup {
    let link = |id: &str| {
        html! { @if page.claims.knows(id) { a href=(format!("#{id}")) { (id) } } @else { (short(id, 12)) } }
    };
    html! {
        @if !ids.is_empty() {
            span class="cited" {
                @for part in in_rows(ids).iter().take(LINKS) {
                    @match part.as_slice() {
                        [first, _, .., last] => { (link(first)) "–" (link(last)) },
                        few => { @for id in few { (link(id)) " " } },
                    }
                    " "
                }
                @if in_rows(ids).len() > LINKS { "…" }
            }
        }
    }
}

/// The values of a list, or `None` where it is empty.
fn filled<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}
