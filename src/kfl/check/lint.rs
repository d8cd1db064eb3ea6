//! Terms that are true or false whatever the entry: the language allows them, but nobody means them.

use super::super::ast::Comparison;
use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::typed::{BoolExpr, DurationExpr, IntExpr, StrExpr};
use super::bounds::{self, Facts};

/// Whether a condition by itself is always true or always false, and why. Conditions inside of it are
/// looked at when they are checked themselves.
pub(super) fn constant(condition: &BoolExpr) -> Option<(bool, String)> {
    match condition {
        BoolExpr::Const(value) => Some((*value, "nothing in it depends on the entry".to_owned())),
        BoolExpr::Int(operator, left, IntExpr::Const(bound)) => {
            let (low, high) = bounds::natural(left)?;
            let truth = range_verdict(*operator, (low, high), *bound)?;
            let subject = match left {
                IntExpr::Field(id) => format!("`{id}`"),
                _ => "a size".to_owned(),
            };
            let reason = if high == i64::MAX {
                format!("{subject} is never below {low}")
            } else {
                format!("{subject} lies between {low} and {high}")
            };
            Some((truth, reason))
        }
        BoolExpr::IntIn(value, list) => {
            let (low, high) = bounds::natural(value)?;
            let outside = list.iter().all(|item| !(low..=high).contains(item));
            outside.then(|| (false, "the value is none of these on any entry".to_owned()))
        }
        BoolExpr::Int(operator, left, right) if left == right => Some(itself(*operator)),
        BoolExpr::Str(operator, left, right) if left == right => Some(itself(*operator)),
        BoolExpr::Time(operator, left, right) if left == right => Some(itself(*operator)),
        BoolExpr::Duration(operator, DurationExpr::Const(a), DurationExpr::Const(b)) => Some((
            operator.holds(a, b),
            "nothing in it depends on the entry".to_owned(),
        )),
        BoolExpr::Same(left, right) if left == right => Some(itself(Comparison::Eq)),
        BoolExpr::List(left, right) if left == right => Some(itself(Comparison::Eq)),
        BoolExpr::Str(Comparison::Lt, _, StrExpr::Const(text)) if text.is_empty() => {
            Some((false, "no text is less than the empty one".to_owned()))
        }
        BoolExpr::Str(Comparison::Ge, _, StrExpr::Const(text)) if text.is_empty() => {
            Some((true, "every text is at least the empty one".to_owned()))
        }
        BoolExpr::Text(_, _, StrExpr::Const(part)) if part.is_empty() => {
            Some((true, "the empty text is part of every text".to_owned()))
        }
        BoolExpr::Matches(_, pattern) if matches!(pattern.source.as_str(), "" | ".*" | "^" | "$" | "^.*") => {
            Some((true, "the regular expression matches every text".to_owned()))
        }
        _ => None,
    }
}

fn itself(operator: Comparison) -> (bool, String) {
    let truth = matches!(operator, Comparison::Eq | Comparison::Le | Comparison::Ge);
    (truth, "both sides are the same".to_owned())
}

/// What a comparison with `bound` is for all values of a range, where it is the same for all.
fn range_verdict(operator: Comparison, (low, high): (i64, i64), bound: i64) -> Option<bool> {
    let (all, none) = match operator {
        Comparison::Lt => (high < bound, low >= bound),
        Comparison::Le => (high <= bound, low > bound),
        Comparison::Gt => (low > bound, high <= bound),
        Comparison::Ge => (low >= bound, high < bound),
        Comparison::Eq => (false, !(low..=high).contains(&bound)),
        Comparison::Ne => (!(low..=high).contains(&bound), false),
    };
    if all { Some(true) } else { none.then_some(false) }
}

/// The diagnostic of a condition that never varies.
pub(super) fn never_varies(span: &Span, truth: bool, reason: &str) -> Diagnostic {
    if truth {
        Diagnostic::error(Code::AlwaysTrue, span, "this is always true", reason)
            .suggest("leave it out; the empty filter matches everything")
    } else {
        Diagnostic::error(Code::AlwaysFalse, span, "this is never true", reason)
            .suggest("write a value that occurs; an answer to this is always empty")
    }
}

/// The first of the operands of `&&` that cannot hold together with those before it; without `all`, the
/// first operand of `||` one of which always holds.
pub(super) fn together<'a>(
    source: &str,
    terms: impl Iterator<Item = (&'a BoolExpr, &'a Span)>,
    all: bool,
) -> Option<Diagnostic> {
    let mut before = Facts::default();
    let mut earlier: Vec<(Facts, &Span)> = Vec::new();
    for (term, span) in terms {
        let facts = Facts::of(term, all);
        // Such a term was reported where it stands.
        if !facts.can_hold() {
            return None;
        }
        before.add(&facts);
        if !before.can_hold() {
            let rival = earlier.iter().find(|(other, _)| {
                let mut both = other.clone();
                both.add(&facts);
                !both.can_hold()
            });
            return Some(conflict(source, span, rival.map(|(_, span)| *span), all));
        }
        earlier.push((facts, span));
    }
    None
}

fn conflict(source: &str, span: &Span, rival: Option<&Span>, all: bool) -> Diagnostic {
    let rival = rival.and_then(|rival| source.get(rival.clone())).map(shown);
    let with = rival.map_or_else(|| "the terms before it".to_owned(), |text| format!("`{text}`"));
    if all {
        Diagnostic::error(
            Code::AlwaysFalse,
            span,
            format!("this never holds together with {with}"),
            "no entry fulfils both, so the answer is always empty",
        )
        .suggest("join them with `||` where either is meant, or leave one out")
    } else {
        Diagnostic::error(
            Code::AlwaysTrue,
            span,
            format!("this holds wherever {with} does not"),
            "every entry fulfils one or the other",
        )
        .suggest("join them with `&&` where both are meant, or leave them out")
    }
}
