//! What was said, as text for snapshots.

use std::fmt::Write as _;

use serde_json::Value;

use super::{BOT_USER, Posted, State};

/// Messages, each under the name of who said it; replies are set in.
pub(super) fn messages<'a>(state: &State, messages: impl Iterator<Item = &'a Posted>) -> String {
    let mut out = String::new();
    for message in messages {
        let name = if message.user == BOT_USER {
            "rca-agent".to_owned()
        } else {
            let user = state.users.get(&message.user);
            user.and_then(|user| user.get("real_name")?.as_str())
                .unwrap_or(&message.user)
                .to_owned()
        };
        let edited = match message.edits {
            0 => String::new(),
            _ => " (edited)".to_owned(),
        };
        let mut said = if message.blocks.is_empty() {
            message.text.clone()
        } else {
            blocks(&message.blocks)
        };
        for id in &message.files {
            if let Some(file) = state.files.get(id) {
                let line = format!("📎 {} ({})", file.name, file.title);
                said = if said.is_empty() {
                    line
                } else {
                    format!("{said}\n{line}")
                };
            }
        }
        let _ = writeln!(out, "── {name}{edited}");
        for line in said.lines() {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

/// Blocks, a line or more each.
pub(super) fn blocks(blocks: &[Value]) -> String {
    blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn text(value: Option<&Value>) -> &str {
    let text = value.and_then(|value| value.get("text"));
    text.and_then(Value::as_str).unwrap_or_default()
}

fn elements(block: &Value, name: &str) -> Vec<Value> {
    block
        .get(name)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default()
}

fn button(element: &Value) -> String {
    let style = match element.get("style").and_then(Value::as_str) {
        Some(style) => format!(" {style}"),
        None => String::new(),
    };
    let asks = if element.get("confirm").is_some() {
        " ?"
    } else {
        ""
    };
    format!("[{}{style}{asks}]", text(element.get("text")))
}

fn block(block: &Value) -> String {
    match block.get("type").and_then(Value::as_str) {
        Some("header") => format!("# {}", text(block.get("text"))),
        Some("section") => {
            let mut lines = vec![text(block.get("text")).to_owned()];
            lines.extend(
                elements(block, "fields")
                    .iter()
                    .map(|field| format!("| {}", text(Some(field)).replace('\n', ": "))),
            );
            lines.extend(block.get("accessory").map(button));
            lines.retain(|line| !line.is_empty());
            lines.join("\n")
        }
        Some("divider") => "———".to_owned(),
        Some("context") => {
            let parts: Vec<String> = elements(block, "elements")
                .iter()
                .map(|element| text(Some(element)).to_owned())
                .collect();
            format!("· {}", parts.join(" · "))
        }
        Some("actions") => elements(block, "elements")
            .iter()
            .map(button)
            .collect::<Vec<_>>()
            .join(" "),
        other => format!("({})", other.unwrap_or("no type")),
    }
}
