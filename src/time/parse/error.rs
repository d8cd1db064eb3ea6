//! Why something is no time, for the person who typed it.

use std::fmt;

use thiserror::Error;

/// What may be typed, shown with every text that could not be read.
const EXAMPLES: &str =
    "times look like `3pm`, `yesterday 14:05`, `20 minutes ago`, `2026-03-14 18:12` or `3pm-3:30pm`";

/// Why a text gives no time or no window.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TimeError {
    #[error("no time was given; {EXAMPLES}")]
    Empty,
    #[error("a time of {length} characters is too long, at most {limit} are read; {EXAMPLES}")]
    TooLong { length: usize, limit: usize },
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// The window begins after now; both rendered in the zone.
    #[error("`{text}` is still to come: it is {start}, and now it is {now}")]
    NotYet {
        text: String,
        start: String,
        now: String,
    },
    /// The window's end does not follow its start; both rendered in the zone.
    #[error("the end does not come after the start: the start is {start}, the end {end}")]
    Backwards { start: String, end: String },
    /// An hour without am, pm or minutes.
    #[error(
        "`{text}` has an hour that could be before or after noon; write it as `3pm`, `3am`, `03:00` or `15:00`"
    )]
    HourAlone { text: String },
    /// Letters where a zone would stand.
    #[error(
        "`{letters}` is no abbreviation of a time zone that is known here{}; write the zone as in `18:12 Asia/Tokyo` or \
         its offset as in `18:12+09:00`",
        suggestion.as_ref().map(|known| format!(" (did you mean {known}?)")).unwrap_or_default()
    )]
    UnknownZone {
        letters: String,
        suggestion: Option<String>,
    },
    /// `--until` beside a `--since` that already says until when.
    #[error("two ends were given: `{text}` already says when the window ends")]
    TwoEnds { text: String },
    /// A range where one time is needed.
    #[error("`{text}` is a stretch of time where a single time is needed, such as `3pm`")]
    NotOne { text: String },
    /// The calendar has no such time, or it lies outside the years that are read.
    #[error("`{text}` is not a time between the years 1970 and 2199")]
    OutOfRange { text: String },
}

/// A text with the place that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The text as typed, control characters replaced.
    pub input: String,
    /// Where `found` starts, counted in characters from 0.
    pub position: usize,
    /// The part that could not be read; empty at the end of the text.
    pub found: String,
    /// What is wrong with it.
    pub why: String,
    /// What may have been meant.
    pub suggestion: Option<String>,
}

impl Unreadable {
    /// Two lines: the text, and marks below the part that could not be read.
    pub fn pointer(&self) -> String {
        let marks = self.found.chars().count().max(1);
        format!(
            "{}\n{}{}",
            self.input,
            " ".repeat(self.position),
            "^".repeat(marks)
        )
    }
}

impl std::error::Error for Unreadable {}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not read `{}` as a time: ", self.input)?;
        if self.found.is_empty() {
            write!(f, "what is missing at the end {}", self.why)?;
        } else if self.found == self.input {
            write!(f, "it {}", self.why)?;
        } else {
            write!(
                f,
                "`{}` (character {}) {}",
                self.found,
                self.position + 1,
                self.why
            )?;
        }
        match &self.suggestion {
            Some(suggestion) => write!(f, "; did you mean {suggestion}? {EXAMPLES}"),
            None => write!(f, "; {EXAMPLES}"),
        }
    }
}
