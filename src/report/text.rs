//! A document as plain text for a terminal or a log.

use std::fmt::Write;

use comfy_table::{ContentArrangement, Table};
use console::Style;

use super::document::{Block, Card, Document, Step, Tone, plain};

/// Renders a document as text at most `width` columns wide where words allow it.
pub fn text(document: &Document, width: u16) -> String {
    render(document, width, Paint { colour: false })
}

/// The same in the colours of a terminal. They say nothing that the words do not.
pub fn coloured(document: &Document, width: u16) -> String {
    render(document, width, Paint { colour: true })
}

/// Narrower than this nothing is readable.
const NARROWEST: u16 = 40;

/// Colours, or none. Whether there are any is the caller's to say, never read from the environment.
#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    fn style(self) -> Style {
        Style::new().force_styling(self.colour)
    }

    fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Bad => self.style().red().bold(),
            Tone::Good => self.style().green().bold(),
            Tone::Doubtful => self.style().yellow().bold(),
        }
    }

    fn lines(style: &Style, text: &str) -> String {
        text.split_inclusive('\n')
            .map(|line| match line.strip_suffix('\n') {
                Some(line) => format!("{}\n", style.apply_to(line)),
                None => style.apply_to(line).to_string(),
            })
            .collect()
    }
}

fn render(document: &Document, width: u16, paint: Paint) -> String {
    let columns = usize::from(width.max(NARROWEST));
    let mut out = String::new();
    let title = plain(&document.title);
    if let Some(shown) = &document.card {
        card(&mut out, &title, shown, columns, paint);
    } else {
        out.push_str(&wrapped(&title, columns, "", ""));
        out.push_str(&"═".repeat(title.chars().count().min(columns)));
        out.push('\n');
    }
    for block in &document.blocks {
        // Pictures as source are for other formats.
        if matches!(block, Block::Diagram(_)) {
            continue;
        }
        out.push('\n');
        match block {
            Block::Heading(text) => {
                let text = plain(text);
                let rule = "─".repeat(text.chars().count().min(columns));
                out.push_str(&Paint::lines(
                    &paint.style().bold(),
                    &wrapped(&text, columns, "", ""),
                ));
                out.push_str(&Paint::lines(&paint.style().dim(), &format!("{rule}\n")));
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
            Block::Table { head, rows } => table(&mut out, head, rows, width.max(NARROWEST)),
            Block::Path { steps, legend } => {
                path(&mut out, steps, columns, paint);
                if let Some(legend) = legend {
                    out.push('\n');
                    out.push_str(&Paint::lines(
                        &paint.style().dim(),
                        &wrapped(&clean(legend), columns, "", ""),
                    ));
                }
            }
            Block::Diagram(_) => {}
        }
    }
    out
}

fn table(out: &mut String, head: &[String], rows: &[Vec<String>], width: u16) {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    table.set_header(head.iter().map(|cell| clean(cell)));
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    out.push_str(&table.to_string());
    out.push('\n');
}

fn put_line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

/// What there is to know at a glance, in a frame.
fn card(out: &mut String, title: &str, card: &Card, columns: usize, paint: Paint) {
    let inner = columns - 4;
    let frame = paint.tone(card.tone);
    let mut lines: Vec<(Style, String)> = Vec::new();
    let mut put = |style: Style, text: &str| {
        lines.extend(text.lines().map(|line| (style.clone(), line.to_owned())));
    };
    put(frame.clone(), &wrapped(title, inner, "", ""));
    put(paint.style(), " ");
    put(paint.style(), &wrapped(&clean(&card.summary), inner, "", ""));
    if !card.rows.is_empty() {
        put(paint.style(), " ");
    }
    let names = card
        .rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    for (name, value) in &card.rows {
        let first = format!("{name:<names$}  ");
        put(
            paint.style(),
            &wrapped(&clean(value), inner, &first, &" ".repeat(names + 2)),
        );
    }
    let rule = "─".repeat(inner + 2);
    put_line(out, format_args!("{}", frame.apply_to(format!("╭{rule}╮"))));
    for (style, line) in lines {
        let line = line.trim_end();
        // A word longer than the card sticks out rather than being cut.
        let pad = " ".repeat(inner.saturating_sub(console::measure_text_width(line)));
        put_line(
            out,
            format_args!(
                "{} {}{pad} {}",
                frame.apply_to("│"),
                style.apply_to(line),
                frame.apply_to("│")
            ),
        );
    }
    put_line(out, format_args!("{}", frame.apply_to(format!("╰{rule}╯"))));
}

/// Hops as a tree: who was called by whom, from where it was noticed to the cause.
fn path(out: &mut String, steps: &[Step], columns: usize, paint: Paint) {
    let dim = paint.style().dim();
    let mut at = 0;
    let mut last: Option<&str> = None;
    for (index, step) in steps.iter().enumerate() {
        if last != Some(step.from.as_str()) {
            at = 0;
            put_line(out, format_args!("{}", plain(&step.from)));
        }
        let (indent, inside) = ("   ".repeat(at), "   ".repeat(at + 1));
        let goes_on = steps.get(index + 1).is_some_and(|next| next.from == step.to);
        let bar = if goes_on { "│  " } else { "   " };
        let name = plain(&step.to);
        let (style, mark) = if step.cause {
            (paint.tone(Tone::Bad), " ← the cause")
        } else {
            (paint.tone(Tone::Doubtful), "")
        };
        put_line(
            out,
            format_args!("{indent}└─ {}", style.apply_to(format!("{name}{mark}"))),
        );
        let before = format!("{inside}{bar}");
        let mut put = |style: &Style, text: &str| {
            let width = columns.saturating_sub(before.chars().count()).max(24);
            for line in wrapped(&clean(text), width, "", "").lines() {
                put_line(out, format_args!("{before}{}", style.apply_to(line)));
            }
        };
        put(&paint.style(), &step.what);
        put(&dim, &format!("first {}, {}", step.first, step.evidence));
        if let Some((what, values)) = &step.spark {
            let room = columns.saturating_sub(before.chars().count() + what.chars().count() + 1);
            put(
                &paint.style().red(),
                &format!("{what} {}", spark(values, room.max(10))),
            );
        }
        last = Some(&step.to);
        at += 1;
    }
}

/// Heights of a spark line; the lowest stands for nothing.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Values as a line of `columns` characters at most, each as high as the largest of those that it stands for.
fn spark(values: &[u64], columns: usize) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let each = values.len().div_ceil(columns.max(1)).max(1);
    values
        .chunks(each)
        .map(|part| {
            let value = part.iter().copied().max().unwrap_or(0);
            let height = u128::from(value) * 7;
            let height = usize::try_from(height.div_ceil(u128::from(most))).unwrap_or(7);
            SPARKS.get(height).copied().unwrap_or('█')
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spark_line_shows_the_largest_of_what_it_stands_for() {
        assert_eq!(spark(&[0, 0, 1, 7, 3, 0], 6), "▁▁▂█▄▁");
        assert_eq!(spark(&[0, 0, 1, 7, 3, 0], 3), "▁█▄");
        assert_eq!(spark(&[0, 0], 10), "▁▁");
        assert_eq!(spark(&[], 10), "");
        assert_eq!(spark(&[u64::MAX, 1], 2), "█▂");
    }
}
