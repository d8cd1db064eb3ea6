//! The checker: from a text to an expression that cannot go wrong, or to what is wrong with it.
//!
//! A server answers a wrong field name or type with an empty list and no warning, which reads like
//! "nothing happened". So no filter is sent before [`check`] accepted it.

mod bounds;
mod call;
mod compare;
mod expression;
mod lint;
mod miscall;
mod name;
mod operator;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::ast::{Expr, Node};
use super::diagnostic::{Diagnostic, Severity, Span};
use super::field::FieldId;
use super::parse;
use super::typed::BoolExpr;
use expression::Checker;

/// A filter that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    source: String,
    /// `None` matches everything.
    root: Option<BoolExpr>,
    /// Where the terms joined by `&&` stand.
    terms: Vec<Span>,
    warnings: Vec<Diagnostic>,
    fields: BTreeSet<FieldId>,
}

/// One of the terms of a filter that are joined by `&&` at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    pub text: &'a str,
    pub span: Span,
}

/// Checks a filter that is about to be sent: besides what a server refuses, what is sure to mislead is
/// refused too (terms that are always true or false, an index that fails where the key is missing).
///
/// The empty filter is accepted and matches everything.
///
/// # Errors
/// Everything that was found, warnings included, in the order of the text; at least one is an error.
pub fn check(text: &str) -> Result<Checked, Vec<Diagnostic>> {
    run(text, true)
}

/// Checks a filter that came in, as a server does: what [`check`] refuses for being misleading is a
/// warning here.
///
/// # Errors
/// As [`check`].
pub fn check_as_server(text: &str) -> Result<Checked, Vec<Diagnostic>> {
    run(text, false)
}

fn run(text: &str, strict: bool) -> Result<Checked, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let parsed = parse::parse(text, &mut found);
    let mut checked = None;
    if let Ok(tree) = &parsed {
        // A mistake in spelling was read as what it stands for, so the rest can be looked at as well.
        let mut walk = Checker::new(text, &mut found);
        let root = tree.as_ref().map(|tree| walk.condition(tree));
        let fields = walk.into_fields();
        checked = match root {
            None => Some((None, fields)),
            Some(root) => root.map(|root| (Some(root), fields)),
        };
    }
    if !strict {
        for diagnostic in found.iter_mut().filter(|diagnostic| diagnostic.code.is_lint()) {
            diagnostic.severity = Severity::Warning;
        }
    }
    found.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
    found.dedup();
    let refused = found
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    match checked {
        Some((root, fields)) if !refused => Ok(Checked {
            source: text.to_owned(),
            root,
            terms: parsed.ok().flatten().map_or_else(Vec::new, |tree| spans(&tree)),
            warnings: found,
            fields,
        }),
        _ => Err(found),
    }
}

fn spans(tree: &Node) -> Vec<Span> {
    match &tree.expr {
        Expr::All(terms) => terms.iter().map(|term| term.span.clone()).collect(),
        _ => vec![tree.span.clone()],
    }
}

impl Checked {
    /// The text that was checked.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is the empty filter.
    pub fn matches_all(&self) -> bool {
        self.root.is_none()
    }

    /// What probably is not meant, though allowed.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The fields it looks at.
    pub fn fields(&self) -> &BTreeSet<FieldId> {
        &self.fields
    }

    /// The terms joined by `&&` at the top, in the order of the text; none where everything matches.
    pub fn terms(&self) -> Vec<Term<'_>> {
        let term = |span: &Span| {
            let text = self.source.get(span.clone())?;
            Some(Term {
                text,
                span: span.clone(),
            })
        };
        self.terms.iter().filter_map(term).collect()
    }

    /// The filter without the last of its [`terms`](Self::terms): what must match where "nothing found" is to
    /// mean anything. Empty after a single term; `None` where everything matches already.
    pub fn without_last_term(&self) -> Option<String> {
        let terms = self.terms();
        let (_, kept) = terms.split_last()?;
        let texts: Vec<_> = kept.iter().map(|term| term.text).collect();
        Some(texts.join(" && "))
    }

    pub(super) fn root(&self) -> Option<&BoolExpr> {
        self.root.as_ref()
    }
}
