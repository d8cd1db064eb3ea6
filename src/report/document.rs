//! What a report is made of before it takes a form: headings, paragraphs, lists, tables.
//!
//! In every text a part between backquotes is code. Texts may hold what the cluster's clients and
//! servers sent: each renderer takes care that it can do nothing there.

/// A report without a form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    pub title: String,
    /// What there is to know at a glance, where there is a verdict.
    pub card: Option<Card>,
    pub blocks: Vec<Block>,
}

/// The verdict in a few lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    pub tone: Tone,
    pub summary: String,
    /// (name, value)
    pub rows: Vec<(String, String)>,
}

/// How a verdict is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Bad,
    Good,
    Doubtful,
}

/// One hop of the path from where it was noticed to the cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub from: String,
    pub to: String,
    /// When its first abnormal call was.
    pub first: String,
    pub what: String,
    pub evidence: String,
    /// Errors or latencies over time, and what they are.
    pub spark: Option<(String, Vec<u64>)>,
    /// It leads to the cause.
    pub cause: bool,
}

/// One part of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Numbered(Vec<String>),
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Code(String),
    /// A tree where there is room for a line each, a table elsewhere; `legend` is of the lines of the tree.
    Path {
        steps: Vec<Step>,
        legend: Option<String>,
    },
    /// A picture as Mermaid text.
    Diagram(String),
}

impl Document {
    pub(super) fn heading(&mut self, text: &str) {
        self.blocks.push(Block::Heading(text.to_owned()));
    }

    pub(super) fn paragraph(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    pub(super) fn table(&mut self, head: &[&str], rows: Vec<Vec<String>>) {
        self.blocks.push(Block::Table {
            head: head.iter().map(|cell| (*cell).to_owned()).collect(),
            rows,
        });
    }
}

/// Splits a text into (is code, part). Without a closing backquote the rest is text.
pub(super) fn parts(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, after)) = after.split_once('`') else {
            break;
        };
        parts.push((false, before));
        parts.push((true, code));
        rest = after;
    }
    parts.push((false, rest));
    parts.retain(|(_, part)| !part.is_empty());
    parts
}

/// Whether a character is no control character and no mark that reorders or hides text on a screen.
pub(super) fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text on one line without characters that move a cursor, change colours or hide other text.
pub fn plain(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            c => is_shown(c).then_some(c),
        })
        .collect()
}
