//! What is done once for a filter: `now()` is filled in, and terms are put in order of cost.

use super::super::typed::{BoolExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TimeExpr};

/// The condition ready for evaluation. Reordering is allowed, as errors count only where no operand
/// decides.
pub(super) fn prepare(condition: BoolExpr, now_us: i64) -> BoolExpr {
    let again = |condition: Box<BoolExpr>| Box::new(prepare(*condition, now_us));
    let ordered = |terms: Vec<BoolExpr>| {
        let mut terms: Vec<_> = terms.into_iter().map(|term| prepare(term, now_us)).collect();
        terms.sort_by_cached_key(cost);
        terms
    };
    let int = |value| prepare_int(value, now_us);
    let text = |value| prepare_text(value, now_us);
    let list = |value| prepare_list(value, now_us);
    match condition {
        BoolExpr::Not(inner) => BoolExpr::Not(again(inner)),
        BoolExpr::All(terms) => BoolExpr::All(ordered(terms)),
        BoolExpr::Any(terms) => BoolExpr::Any(ordered(terms)),
        BoolExpr::If(condition, yes, no) => BoolExpr::If(again(condition), again(yes), again(no)),
        BoolExpr::Same(a, b) => BoolExpr::Same(again(a), again(b)),
        BoolExpr::Int(operator, a, b) => BoolExpr::Int(operator, int(a), int(b)),
        BoolExpr::Str(operator, a, b) => BoolExpr::Str(operator, text(a), text(b)),
        BoolExpr::Time(operator, a, b) => {
            BoolExpr::Time(operator, prepare_time(a, now_us), prepare_time(b, now_us))
        }
        BoolExpr::Duration(operator, a, b) => {
            BoolExpr::Duration(operator, prepare_duration(a, now_us), prepare_duration(b, now_us))
        }
        BoolExpr::List(a, b) => BoolExpr::List(list(a), list(b)),
        BoolExpr::IntIn(value, items) => BoolExpr::IntIn(int(value), items),
        BoolExpr::StrIn(value, items) => BoolExpr::StrIn(text(value), list(items)),
        BoolExpr::KeyIn(key, map) => BoolExpr::KeyIn(text(key), map),
        BoolExpr::Text(function, whole, part) => BoolExpr::Text(function, text(whole), text(part)),
        BoolExpr::Matches(whole, pattern) => BoolExpr::Matches(text(whole), pattern),
        constant @ (BoolExpr::Const(_) | BoolExpr::Field(_) | BoolExpr::Bytes(..)) => constant,
    }
}

fn prepare_int(value: IntExpr, now_us: i64) -> IntExpr {
    let again = |value: Box<IntExpr>| Box::new(prepare_int(*value, now_us));
    match value {
        IntExpr::Negate(operand, span) => IntExpr::Negate(again(operand), span),
        IntExpr::Arithmetic(operator, a, b, span) => IntExpr::Arithmetic(operator, again(a), again(b), span),
        IntExpr::StrSize(text) => IntExpr::StrSize(Box::new(prepare_text(*text, now_us))),
        IntExpr::ListSize(list) => IntExpr::ListSize(prepare_list(list, now_us)),
        IntExpr::If(condition, yes, no) => {
            IntExpr::If(Box::new(prepare(*condition, now_us)), again(yes), again(no))
        }
        constant @ (IntExpr::Const(_) | IntExpr::Field(_) | IntExpr::BytesSize(_) | IntExpr::MapSize(_)) => {
            constant
        }
    }
}

fn prepare_text(value: StrExpr, now_us: i64) -> StrExpr {
    let again = |value: Box<StrExpr>| Box::new(prepare_text(*value, now_us));
    match value {
        StrExpr::Index(map, key, span) => StrExpr::Index(map, again(key), span),
        StrExpr::MapGet(map, key, default) => StrExpr::MapGet(map, again(key), again(default)),
        StrExpr::Concat(a, b) => StrExpr::Concat(again(a), again(b)),
        StrExpr::If(condition, yes, no) => {
            StrExpr::If(Box::new(prepare(*condition, now_us)), again(yes), again(no))
        }
        constant @ (StrExpr::Const(_) | StrExpr::Field(_)) => constant,
    }
}

fn prepare_list(value: ListExpr, now_us: i64) -> ListExpr {
    match value {
        ListExpr::Items(items) => {
            ListExpr::Items(items.into_iter().map(|item| prepare_text(item, now_us)).collect())
        }
        constant => constant,
    }
}

fn prepare_time(value: TimeExpr, now_us: i64) -> TimeExpr {
    let again = |value: Box<TimeExpr>| prepare_time(*value, now_us);
    match value {
        TimeExpr::Now => TimeExpr::Const(now_us),
        TimeExpr::Shift(at, by, back, span) => {
            let (at, by) = (again(at), prepare_duration(*by, now_us));
            let constant = match (&at, &by) {
                (TimeExpr::Const(at), DurationExpr::Const(by)) if back => at.checked_sub(*by),
                (TimeExpr::Const(at), DurationExpr::Const(by)) => at.checked_add(*by),
                _ => None,
            };
            constant.map_or_else(
                || TimeExpr::Shift(Box::new(at), Box::new(by), back, span),
                TimeExpr::Const,
            )
        }
        TimeExpr::If(condition, yes, no) => TimeExpr::If(
            Box::new(prepare(*condition, now_us)),
            Box::new(again(yes)),
            Box::new(again(no)),
        ),
        constant @ (TimeExpr::Const(_) | TimeExpr::Field(_)) => constant,
    }
}

fn prepare_duration(value: DurationExpr, now_us: i64) -> DurationExpr {
    let again = |value: Box<DurationExpr>| Box::new(prepare_duration(*value, now_us));
    match value {
        DurationExpr::Between(a, b, span) => DurationExpr::Between(
            Box::new(prepare_time(*a, now_us)),
            Box::new(prepare_time(*b, now_us)),
            span,
        ),
        DurationExpr::Sum(a, b, minus, span) => DurationExpr::Sum(again(a), again(b), minus, span),
        DurationExpr::If(condition, yes, no) => {
            DurationExpr::If(Box::new(prepare(*condition, now_us)), again(yes), again(no))
        }
        constant @ DurationExpr::Const(_) => constant,
    }
}

/// How much looking at a condition takes, roughly in comparisons of ints.
fn cost(condition: &BoolExpr) -> usize {
    match condition {
        BoolExpr::Const(_) | BoolExpr::Field(_) => 1,
        BoolExpr::Not(inner) => cost(inner),
        BoolExpr::All(terms) | BoolExpr::Any(terms) => terms.iter().map(cost).sum::<usize>().max(1),
        BoolExpr::If(condition, yes, no) => cost(condition) + cost(yes).max(cost(no)),
        BoolExpr::Same(a, b) => cost(a) + cost(b),
        BoolExpr::Int(..) | BoolExpr::Time(..) | BoolExpr::Duration(..) => 2,
        BoolExpr::IntIn(_, list) => 2 + list.len() / 4,
        BoolExpr::Str(..) | BoolExpr::Bytes(..) => 4,
        BoolExpr::Text(..) => 10,
        BoolExpr::StrIn(_, ListExpr::Const(items)) => 4 + 2 * items.len(),
        BoolExpr::StrIn(..) | BoolExpr::List(..) | BoolExpr::KeyIn(..) => 12,
        BoolExpr::Matches(..) => 60,
    }
}
