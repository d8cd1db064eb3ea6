//! Evaluation of a checked filter over records.
//!
//! A filter is compiled once ([`Checked::compile`]): `now()` becomes a number, terms are put in order of
//! cost. Then the typed tree is walked for each record. Everything is borrowed from the record and the tree,
//! so nothing is allocated, except by `+` on strings.
//!
//! The semantics are CEL's: an error in one operand of `&&` or `||` does not count where the other operand
//! decides, so the order of terms never changes the answer.

mod plan;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use super::check::Checked;
use super::diagnostic::Span;
use super::field::FieldId;
use super::record::Record;
use super::typed::BoolExpr;

/// What a filter gives on a record it fails on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// The error.
    #[default]
    Report,
    /// No match: what servers do that return nothing instead of an error.
    NoMatch,
}

/// A filter ready for evaluation.
#[derive(Clone, Debug)]
pub struct Predicate {
    /// `None` matches everything.
    plan: Option<BoolExpr>,
    on_error: OnError,
}

impl Checked {
    /// Prepares the filter; `now_us` is what `now()` gives, Unix µs.
    pub fn compile(&self, now_us: i64) -> Predicate {
        Predicate {
            plan: self.root().map(|root| plan::prepare(root.clone(), now_us)),
            on_error: OnError::Report,
        }
    }
}

impl Predicate {
    /// The same with another way of treating errors.
    #[must_use]
    pub fn on_error(mut self, on_error: OnError) -> Self {
        self.on_error = on_error;
        self
    }

    /// Whether the filter matches the record.
    ///
    /// # Errors
    /// What depends on the record's data and so cannot be found beforehand; see [`EvalErrorKind`].
    pub fn matches<R: Record + ?Sized>(&self, record: &R) -> Result<bool, EvalError> {
        let Some(plan) = &self.plan else {
            return Ok(true);
        };
        match (value::holds(plan, record), self.on_error) {
            (Err(_), OnError::NoMatch) => Ok(false),
            (result, _) => result,
        }
    }
}

/// An error on one record. Small and without text, as there may be one for each of a million records;
/// [`describe`](Self::describe) makes the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct EvalError {
    pub kind: EvalErrorKind,
    /// First byte of the part of the filter that failed.
    start: u32,
    /// The byte behind it.
    end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// The map has no such key.
    MissingKey(FieldId),
    /// The result does not fit into 64 bits, or a time is outside of the calendar.
    Overflow,
    DivisionByZero,
    /// The record gives a value of another type than the table says: a mistake of the program.
    WrongType(FieldId),
}

impl EvalError {
    fn at(kind: EvalErrorKind, span: &Span) -> Self {
        // A filter has some thousand bytes; the checker sees to it.
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            kind,
            start: narrow(span.start),
            end: narrow(span.end),
        }
    }

    /// The bytes of the filter that failed.
    pub fn span(&self) -> Span {
        self.start as usize..self.end as usize
    }

    /// The error in words, with the part of `source` (the filter's text) it is about.
    pub fn describe(&self, source: &str) -> String {
        match source.get(self.span()).filter(|text| !text.is_empty()) {
            Some(text) => format!("{self}: `{}`", super::diagnostic::shown(text)),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            EvalErrorKind::MissingKey(map) => write!(f, "no such key in `{map}`"),
            EvalErrorKind::Overflow => f.write_str("the result is out of range"),
            EvalErrorKind::DivisionByZero => f.write_str("division by zero"),
            EvalErrorKind::WrongType(field) => {
                write!(f, "the record's `{field}` is not {}", field.kind().with_article())
            }
        }
    }
}
