//! A document as plain text for a terminal or a log.

use comfy_table::{ContentArrangement, Table};

use super::document::{Block, Document, plain};

/// Renders a document as text at most `width` columns wide where words allow it.
pub fn text(document: &Document, width: u16) -> String {
    let columns = usize::from(width.max(40));
    let mut out = String::new();
    let title = plain(&document.title);
    out.push_str(&title);
    out.push('\n');
    out.push_str(&"═".repeat(title.chars().count().min(columns)));
    out.push('\n');
    for block in &document.blocks {
        out.push('\n');
        match block {
            Block::Heading(text) => {
                let text = plain(text);
                out.push_str(&text);
                out.push('\n');
                out.push_str(&"─".repeat(text.chars().count()));
                out.push('\n');
            }
            Block::Paragraph(text) => out.push_str(&wrapped(&clean(text), columns, "", "")),
            Block::List(items) => {
                for item in items {
                    out.push_str(&wrapped(&clean(item), columns, "• ", "  "));
                }
            }
            Block::Numbered(items) => {
                for (index, item) in items.iter().enumerate() {
                    out.push_str(&wrapped(
                        &clean(item),
                        columns,
                        &format!("{}. ", index + 1),
                        "   ",
                    ));
                }
            }
            Block::Code(text) => {
                for line in text.lines() {
                    out.push_str("    ");
                    out.push_str(&plain(line));
                    out.push('\n');
                }
            }
            Block::Table { head, rows } => {
                let mut table = Table::new();
                table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
                table
                    .set_content_arrangement(ContentArrangement::Dynamic)
                    .set_width(width.max(40));
                table.set_header(head.iter().map(|cell| clean(cell)));
                for row in rows {
                    table.add_row(row.iter().map(|cell| clean(cell)));
                }
                out.push_str(&table.to_string());
                out.push('\n');
            }
        }
    }
    out
}

/// Backquotes help nobody on a terminal that shows no code.
fn clean(text: &str) -> String {
    plain(text).replace('`', "")
}

/// Words in lines of at most `width` columns; `first` and `rest` are put before the lines.
pub fn wrapped(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > width {
            out.push_str(&line);
            out.push('\n');
            rest.clone_into(&mut line);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(&line);
    out.push('\n');
    out
}
