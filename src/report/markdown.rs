//! A document as Markdown (GitHub's dialect, for its tables). No raw HTML can come of any text.

use std::fmt::Write;

use super::document::{Block, Document, parts, plain};

/// Renders a document as Markdown.
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n", inline(&document.title));
    if let Some(card) = &document.card {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{}", inline(&card.summary));
        if !card.rows.is_empty() {
            out.push('\n');
        }
        for (name, value) in &card.rows {
            let _ = writeln!(out, "- **{}:** {}", inline(name), inline(value));
        }
    }
    for block in &document.blocks {
        out.push('\n');
        // Writing to a string cannot fail.
        let _ = match block {
            Block::Heading(text) => writeln!(out, "## {}", inline(text)),
            Block::Paragraph(text) => writeln!(out, "{}", inline(text)),
            Block::List(items) => items
                .iter()
                .try_for_each(|item| writeln!(out, "- {}", inline(item))),
            Block::Numbered(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(index, item)| writeln!(out, "{}. {}", index + 1, inline(item))),
            Block::Code(text) => fenced(&mut out, "text", text),
            Block::Diagram(text) => fenced(&mut out, "mermaid", text),
            Block::Path { steps, .. } => {
                let head = ["Hop", "First abnormal", "What", "Evidence"].map(str::to_owned);
                let rows: Vec<Vec<String>> = steps
                    .iter()
                    .map(|step| {
                        vec![
                            format!("{} → {}", step.from, step.to),
                            step.first.clone(),
                            step.what.clone(),
                            step.evidence.clone(),
                        ]
                    })
                    .collect();
                table(&mut out, &head, &rows)
            }
            Block::Table { head, rows } => table(&mut out, head, rows),
        };
    }
    out
}

fn fenced(out: &mut String, language: &str, text: &str) -> std::fmt::Result {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    writeln!(out, "{fence}{language}\n{text}\n{fence}")
}

fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) -> std::fmt::Result {
    // In a row a bar ends the cell, also inside of code; text has its bars escaped already.
    let cell = |text: &String| inline(text).replace("\\|", "|").replace('|', "\\|");
    let line = |cells: &[String]| format!("| {} |", cells.iter().map(cell).collect::<Vec<_>>().join(" | "));
    writeln!(out, "{}", line(head))?;
    writeln!(out, "|{}", " --- |".repeat(head.len()))?;
    rows.iter().try_for_each(|row| writeln!(out, "{}", line(row)))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// One line of text; everything that means something to Markdown or HTML is escaped.
fn inline(text: &str) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len());
    for (code, part) in parts(&text) {
        if code {
            out.push('`');
            out.push_str(part);
            out.push('`');
            continue;
        }
        let mut chars = part.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '&' => out.push_str("&amp;"),
                '\\' | '*' | '[' | ']' | '|' | '`' | '~' => {
                    out.push('\\');
                    out.push(c);
                }
                '!' if chars.peek() == Some(&'[') => out.push_str("\\!"),
                // Only between words does an underscore mean nothing.
                '_' if !(out.ends_with(char::is_alphanumeric)
                    && chars.peek().is_some_and(|next| next.is_alphanumeric())) =>
                {
                    out.push_str("\\_");
                }
                c => out.push(c),
            }
        }
    }
    // A line that begins like a heading, a list or a rule would become one.
    if out.starts_with(['#', '+', '-', '=']) {
        out.insert(0, '\\');
    }
    out
}
