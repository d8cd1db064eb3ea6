//! Messages as a person sees them, and what Slack would refuse of them.

use std::{collections::BTreeSet, fmt::Write as _};

use rca_agent::bot::slack::Message;
use serde_json::Value;

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A message as lines.
pub(crate) fn seen(message: &Message) -> String {
    check(message).unwrap();
    let mut out = format!("  ┌ {}\n", message.text.replace('\n', "\n  ┌ "));
    let mut line = |text: &str, mark: &str| {
        for one in text.trim_end().lines() {
            let _ = writeln!(out, "  │ {mark}{one}");
        }
    };
    for block in &message.blocks {
        let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
        match block["type"].as_str().unwrap() {
            "header" => line(&text(&block["text"]), "# "),
            "section" => {
                if block["text"].is_object() {
                    line(&text(&block["text"]), "");
                }
                for field in block["fields"].as_array().into_iter().flatten() {
                    line(&text(field).replace('\n', " "), "» ");
                }
            }
            "context" => {
                for element in block["elements"].as_array().unwrap() {
                    line(&text(element), "  ");
                }
            }
            "divider" => line("────", ""),
            "actions" => {
                for element in block["elements"].as_array().unwrap() {
                    let (label, action, value) =
                        (text(&element["text"]), &element["action_id"], &element["value"]);
                    line(
                        &format!(
                            "[{label}] {} {}",
                            action.as_str().unwrap(),
                            value.as_str().unwrap()
                        ),
                        "",
                    );
                }
            }
            other => panic!("a block of the type {other}"),
        }
    }
    out
}

/// What Slack would refuse, or show as what it is not.
pub(crate) fn check(message: &Message) -> Result<(), String> {
    if message.text.trim().is_empty() {
        return Err("no text beside the blocks".to_owned());
    }
    harmless(&message.text)?;
    check_blocks(&message.blocks, 50)
}

/// The same of blocks alone.
pub(crate) fn check_blocks(blocks: &[Value], most: usize) -> Result<(), String> {
    if blocks.len() > most {
        return Err(format!("{} blocks", blocks.len()));
    }
    let mut actions = BTreeSet::new();
    for block in blocks {
        let limit = |value: &Value, limit: usize| {
            let text = value["text"].as_str().ok_or("a text without text")?;
            if text.is_empty() || units(text) > limit {
                return Err(format!("a text of {} units", units(text)));
            }
            if value["type"] == "mrkdwn" {
                harmless(text)?;
            }
            if let Some(hidden) = text
                .chars()
                .find(|c| *c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(c)))
            {
                return Err(format!("{hidden:?} in a text"));
            }
            Ok(())
        };
        let elements = || block["elements"].as_array().cloned().unwrap_or_default();
        match block["type"].as_str().unwrap_or_default() {
            "header" => limit(&block["text"], 150)?,
            "section" => {
                let fields = block["fields"].as_array().cloned().unwrap_or_default();
                if fields.is_empty() {
                    limit(&block["text"], 3000)?;
                }
                if fields.len() > 10 {
                    return Err(format!("{} fields", fields.len()));
                }
                fields.iter().try_for_each(|field| limit(field, 2000))?;
            }
            "context" => {
                if elements().is_empty() || elements().len() > 10 {
                    return Err("elements of a context".to_owned());
                }
                elements().iter().try_for_each(|element| limit(element, 3000))?;
            }
            "actions" => {
                if elements().is_empty() || elements().len() > 25 {
                    return Err("elements of actions".to_owned());
                }
                for element in elements() {
                    limit(&element["text"], 75)?;
                    let id = element["action_id"].as_str().unwrap_or_default().to_owned();
                    if id.is_empty() || id.len() > 255 || !actions.insert(id.clone()) {
                        return Err(format!("the action id {id:?}"));
                    }
                    if units(element["value"].as_str().unwrap_or_default()) > 2000 {
                        return Err("a long value".to_owned());
                    }
                }
            }
            "divider" => {}
            other => return Err(format!("a block of the type {other:?}")),
        }
    }
    Ok(())
}

/// Only dates and people that we mention ourselves are between angle brackets; every ampersand is an entity.
fn harmless(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        let (inside, tail) = after.split_once('>').ok_or("a `<` without an end")?;
        let person = inside
            .strip_prefix('@')
            .is_some_and(|id| id.chars().all(|c| c.is_ascii_alphanumeric()) && id != "U0EVIL");
        let date = inside.starts_with("!date^") && inside.split('^').count() == 3 && inside.contains('|');
        if !person && !date {
            return Err(format!("<{inside}> in a text"));
        }
        rest = tail;
    }
    for (at, _) in text.match_indices('&') {
        if !["&amp;", "&lt;", "&gt;"]
            .iter()
            .any(|entity| text[at..].starts_with(entity))
        {
            return Err(format!("a bare ampersand in {text:?}"));
        }
    }
    Ok(())
}
