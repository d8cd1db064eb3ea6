//! What the checker has to say, with the place in the filter.

use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;

/// Byte positions in the filter's text.
pub type Span = Range<usize>;

/// Whether a filter may be sent in spite of the diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The filter is refused.
    Error,
    /// The filter may be sent, but perhaps does not say what was meant.
    Warning,
}

/// The kind of mistake, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The text is no expression.
    Syntax,
    /// The text is longer, deeper or fuller than the checker takes.
    TooLarge,
    UnknownField,
    UnknownFunction,
    /// A function with too few or too many arguments, or on the wrong kind of thing.
    WrongCall,
    WrongType,
    /// A literal that its type does not have: a number too large, a date without a zone.
    BadLiteral,
    /// A regular expression that RE2 refuses.
    BadRegex,
    /// `map["key"]` where nothing makes sure that the key exists.
    UnguardedIndex,
    AlwaysTrue,
    AlwaysFalse,
    /// A value that is probably in another unit.
    Unit,
    /// A value that probably has another spelling.
    Spelling,
}

impl Code {
    /// Whether a server would take the filter all the same: the checker then knows better than the
    /// language does.
    pub(super) fn is_lint(self) -> bool {
        matches!(
            self,
            Code::UnguardedIndex | Code::AlwaysTrue | Code::AlwaysFalse | Code::Unit | Code::Spelling
        )
    }
}

/// A change of the filter's text that mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The bytes to take out; an empty span is an insertion.
    pub span: Span,
    /// What to put there.
    pub text: String,
}

/// One thing found in a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    /// The bytes of the filter it is about.
    pub span: Span,
    /// What is wrong, a fragment in lower case.
    pub message: String,
    /// Why that is so.
    pub reason: String,
    /// What to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The suggestion as a change, where one change mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

impl Diagnostic {
    pub(super) fn error(
        code: Code,
        span: &Span,
        message: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span: span.clone(),
            message: message.into(),
            reason: reason.into(),
            suggestion: None,
            fix: None,
        }
    }

    pub(super) fn warning(
        code: Code,
        span: &Span,
        message: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message, reason)
        }
    }

    /// Adds advice in words.
    pub(super) fn suggest(mut self, advice: impl Into<String>) -> Self {
        self.suggestion = Some(advice.into());
        self
    }

    /// Adds the change that mends it, and the advice to make it.
    pub(super) fn replace(mut self, span: &Span, text: impl Into<String>) -> Self {
        let text = text.into();
        if self.suggestion.is_none() {
            self.suggestion = Some(match text.trim() {
                "" => "take it out".to_owned(),
                text => format!("write `{}`", shown(text)),
            });
        }
        self.fix = Some(Fix {
            span: span.clone(),
            text,
        });
        self
    }

    /// The filter's text with the fix made; `None` without a fix.
    pub fn mended(&self, source: &str) -> Option<String> {
        let fix = self.fix.as_ref()?;
        let (before, after) = (source.get(..fix.span.start)?, source.get(fix.span.end..)?);
        Some(format!("{before}{}{after}", fix.text))
    }

    /// The diagnostic with the line of `source` it is about, in plain text, ending with a line feed:
    ///
    /// ```text
    /// error: no field is named `dst.pod.namespce`
    ///   |
    /// 1 | http && dst.pod.namespce == "shop"
    ///   |         ^^^^^^^^^^^^^^^^
    ///   = because: a server answers an unknown name with nothing
    ///   = help: write `dst.pod.namespace`
    /// ```
    pub fn render(&self, source: &str) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let excerpt = Excerpt::around(source, &self.span);
        let number = excerpt.line_number.to_string();
        let gutter = " ".repeat(number.len());
        let mut out = format!("{severity}: {}\n{gutter} |\n", self.message);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{number} | {}", excerpt.text);
        let _ = writeln!(
            out,
            "{gutter} | {}{}",
            " ".repeat(excerpt.column),
            "^".repeat(excerpt.width)
        );
        let _ = writeln!(out, "{gutter} = because: {}", self.reason);
        if let Some(suggestion) = &self.suggestion {
            let _ = writeln!(out, "{gutter} = help: {suggestion}");
        }
        out
    }
}

/// Characters of a line shown at most; a longer line is cut around the place.
const EXCERPT: usize = 120;

/// The part of one line that is shown.
struct Excerpt {
    line_number: usize,
    text: String,
    /// Characters before the mark.
    column: usize,
    /// Characters of the mark, at least 1.
    width: usize,
}

impl Excerpt {
    fn around(source: &str, span: &Span) -> Self {
        let start = floor(source, span.start);
        let (before, rest) = source.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = rest.find('\n').map_or(source.len(), |at| start + at);
        let end = floor(source, span.end).clamp(start, line_end);
        let line: Vec<char> = source[line_start..line_end].chars().map(visible).collect();
        let column = source[line_start..start].chars().count();
        let width = source[start..end].chars().count();
        // Some of what comes before is kept, so that the place can be recognised.
        let first = if line.len() <= EXCERPT {
            0
        } else {
            column.saturating_sub(EXCERPT / 3).min(line.len() - EXCERPT)
        };
        let last = (first + EXCERPT).min(line.len());
        let mut text: String = line[first..last].iter().collect();
        let mut column = column - first;
        if first > 0 {
            text.insert(0, '…');
            column += 1;
        }
        if last < line.len() {
            text.push('…');
        }
        Self {
            line_number: before.matches('\n').count() + 1,
            width: width.min(EXCERPT.saturating_sub(column)).max(1),
            text,
            column,
        }
    }
}

/// The nearest character boundary at or below `at`.
fn floor(source: &str, at: usize) -> usize {
    source.floor_char_boundary(at.min(source.len()))
}

/// What stands for a character on a terminal: nothing that moves the cursor or turns the writing direction.
fn visible(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// A piece of a filter as it is quoted in a message: one line, visible, not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut out: String = text.chars().take(LONGEST).map(visible).collect();
    if out.len() < text.len() && text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out
}
