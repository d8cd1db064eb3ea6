//! The report as a page: what it is made of, what planted text can do there, and how it looks in a browser.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod browser;
mod pages;
mod pictures;

use std::collections::BTreeSet;

use pages::{captures, hostile};
use regex::Regex;

/// Everything that a page is made of.
const TAGS: &[&str] = &[
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "header",
    "footer",
    "section",
    "h1",
    "h2",
    "p",
    "span",
    "b",
    "strong",
    "a",
    "code",
    "pre",
    "dl",
    "dt",
    "dd",
    "div",
    "ol",
    "ul",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "time",
    "details",
    "summary",
    "figure",
    "figcaption",
    "button",
    "script",
    "svg",
    "g",
    "defs",
    "marker",
    "path",
    "rect",
    "line",
    "text",
    "tspan",
];
const ATTRIBUTES: &[&str] = &[
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "id",
    "class",
    "href",
    "rel",
    "target",
    "datetime",
    "type",
    "hidden",
    "tabindex",
    "title",
    "aria-hidden",
    "aria-label",
    "role",
    "viewBox",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "rx",
    "d",
    "marker-end",
    "refX",
    "refY",
    "markerWidth",
    "markerHeight",
    "markerUnits",
    "orient",
    "transform",
    "text-anchor",
    "fill-opacity",
];

/// What is wrong with a page, without a browser.
fn problems(page: &str) -> Vec<String> {
    let mut problems = Vec::new();
    // The style sheet and the script are ours, and a comparison in it is no tag.
    let (style, script) = (
        Regex::new("(?s)<style>.*?</style>").unwrap(),
        Regex::new("(?s)<script>.*?</script>").unwrap(),
    );
    let body = script.replace_all(page, "").into_owned();
    let body = style.replace_all(&body, "").into_owned();
    for (what, regex) in [("style sheets", &style), ("scripts", &script)] {
        let count = regex.find_iter(page).count();
        if count != 1 {
            problems.push(format!("{count} {what}"));
        }
    }
    let tag = Regex::new(r#"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[^\s=>]+(?:="[^"]*")?)*)\s*>"#).unwrap();
    let attribute = Regex::new(r#"([^\s="]+)(?:="([^"]*)")?"#).unwrap();
    let (mut ids, mut links) = (BTreeSet::new(), Vec::new());
    let mut opened = 0;
    for found in tag.captures_iter(&body) {
        opened += 1;
        if !TAGS.contains(&&found[2]) {
            problems.push(format!("a tag {}", &found[0]));
        }
        for pair in attribute.captures_iter(&found[3]) {
            let (name, value) = (&pair[1], pair.get(2).map_or("", |value| value.as_str()));
            if !ATTRIBUTES.contains(&name) {
                problems.push(format!("an attribute {name} in {}", &found[0]));
            }
            match name {
                "id" if !ids.insert(value.to_owned()) => problems.push(format!("two places {value}")),
                "href" => links.push(value.to_owned()),
                _ => {}
            }
        }
    }
    let angles = body.matches('<').count();
    // The document type is no tag.
    if angles != opened + 1 {
        problems.push(format!("{angles} angle brackets for {opened} tags"));
    }
    for link in links {
        match link.strip_prefix('#') {
            Some(id) if ids.contains(id) => {}
            None if link.starts_with("https://kubeshark.example.com/?q=") => {}
            _ => problems.push(format!("a link that leads nowhere or away: {link}")),
        }
    }
    if !page
        .contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-")
    {
        problems.push("no content security policy".to_owned());
    }
    if page.len() > 500_000 {
        problems.push(format!("{} bytes", page.len()));
    }
    let hidden = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{0}'..='\u{8}' | '\u{1b}');
    if page.contains(hidden) {
        problems.push("characters that hide or reorder text".to_owned());
    }
    problems
}

#[test]
fn pages_are_made_of_what_they_may_be_made_of() {
    for (name, page) in captures() {
        assert_eq!(problems(page), Vec::<String>::new(), "{name}");
        // Something is there to be wrong.
        assert!(
            page.contains("id=\"E6\"") && page.contains("<svg class=\"graph\""),
            "{name}"
        );
    }
}

#[test]
fn planted_text_stays_text() {
    for (name, page) in hostile() {
        assert_eq!(problems(&page), Vec::<String>::new(), "{name}");
        assert!(
            page.contains("&lt;script&gt;window.pwned"),
            "{name}: nothing was planted"
        );
    }
}

#[test]
fn a_page_of_the_largest_report_is_small() {
    let page = pages::largest();
    assert_eq!(problems(&page), Vec::<String>::new());
    assert!(
        page.len() > 200_000,
        "{} bytes: the report was not large",
        page.len()
    );
}

#[test]
fn the_policy_allows_this_style_sheet_and_this_script_only() {
    use base64::Engine;
    use sha2::{Digest, Sha256};

    let (_, page) = &captures()[0];
    for (open, close) in [("<style>", "</style>"), ("<script>", "</script>")] {
        let text = page.split_once(open).unwrap().1.split_once(close).unwrap().0;
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        assert!(page.contains(&format!("'sha256-{digest}'")), "{open}");
    }
}

#[test]
fn a_filter_leads_into_the_dashboard_where_its_address_is_known() {
    let (_, page) = captures().iter().find(|(name, _)| *name == "slow-a").unwrap();
    assert!(
        page.contains("https://kubeshark.example.com/?q=http%20%26%26%20%28status_code%20%3E%3D%20400"),
        "no link with a filter"
    );
    let (_, other) = captures().iter().find(|(name, _)| *name == "healthy-b").unwrap();
    assert!(!other.contains("https://"), "a link although no address is known");
}
