//! The walk over the typed tree, for one record.

use std::borrow::Cow;

use super::super::ast::Arithmetic;
use super::super::diagnostic::Span;
use super::super::field::FieldId;
use super::super::record::{Record, Value};
use super::super::typed::{BoolExpr, BytesExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TimeExpr};
use super::{EvalError, EvalErrorKind};

type Evaluated<T> = Result<T, EvalError>;

/// The value of a field as the type the table gives it, or the language's default.
macro_rules! field {
    ($record:expr, $id:expr, $variant:ident) => {
        field!($record, $id, $variant, Default::default())
    };
    ($record:expr, $id:expr, $variant:ident, $default:expr) => {
        match $record.field($id) {
            Some(Value::$variant(value)) => Ok(value),
            None => Ok($default),
            Some(_) => Err(EvalError::at(EvalErrorKind::WrongType($id), &(0..0))),
        }
    };
}

pub(super) fn holds<R: Record + ?Sized>(condition: &BoolExpr, record: &R) -> Evaluated<bool> {
    match condition {
        BoolExpr::Const(value) => Ok(*value),
        BoolExpr::Field(id) => field!(record, *id, Bool),
        BoolExpr::Not(inner) => holds(inner, record).map(|value| !value),
        BoolExpr::All(terms) => decided(terms, record, false),
        BoolExpr::Any(terms) => decided(terms, record, true),
        BoolExpr::If(condition, yes, no) => holds(if holds(condition, record)? { yes } else { no }, record),
        BoolExpr::Same(a, b) => Ok(holds(a, record)? == holds(b, record)?),
        BoolExpr::Int(operator, a, b) => Ok(operator.holds(&int(a, record)?, &int(b, record)?)),
        BoolExpr::Str(operator, a, b) => {
            let (a, b) = (text(a, record)?, text(b, record)?);
            Ok(operator.holds::<str>(&a, &b))
        }
        BoolExpr::Time(operator, a, b) => Ok(operator.holds(&time(a, record)?, &time(b, record)?)),
        BoolExpr::Duration(operator, a, b) => {
            Ok(operator.holds(&duration(a, record)?, &duration(b, record)?))
        }
        BoolExpr::Bytes(a, b) => Ok(bytes(a, record)? == bytes(b, record)?),
        BoolExpr::List(a, b) => same_lists(a, b, record),
        BoolExpr::IntIn(value, list) => Ok(list.contains(&int(value, record)?)),
        BoolExpr::StrIn(value, list) => {
            let value = text(value, record)?;
            match list {
                ListExpr::Const(items) => Ok(items.iter().any(|item| *item == *value)),
                ListExpr::Field(id) => Ok(field!(record, *id, List)?.iter().any(|item| *item == *value)),
                ListExpr::Items(items) => {
                    for item in items {
                        if text(item, record)? == value {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                }
            }
        }
        BoolExpr::KeyIn(key, map) => {
            let key = text(key, record)?;
            Ok(find(field!(record, *map, Map)?, &key).is_some())
        }
        BoolExpr::Text(test, whole, part) => Ok(test.holds(&text(whole, record)?, &text(part, record)?)),
        BoolExpr::Matches(whole, pattern) => Ok(pattern.is_match(&text(whole, record)?)),
    }
}

/// `&&` is decided by a `false`, `||` by a `true`. Without one, an error of an operand is the result.
fn decided<R: Record + ?Sized>(terms: &[BoolExpr], record: &R, by: bool) -> Evaluated<bool> {
    let mut failure = None;
    for term in terms {
        match holds(term, record) {
            Ok(value) if value == by => return Ok(by),
            Ok(_) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(!by), Err)
}

fn int<R: Record + ?Sized>(value: &IntExpr, record: &R) -> Evaluated<i64> {
    match value {
        IntExpr::Const(value) => Ok(*value),
        IntExpr::Field(FieldId::GRPC_STATUS) => field!(record, FieldId::GRPC_STATUS, Int, -1),
        IntExpr::Field(id) => field!(record, *id, Int),
        IntExpr::Negate(operand, span) => in_range(int(operand, record)?.checked_neg(), span),
        IntExpr::Arithmetic(operator, a, b, span) => {
            let (a, b) = (int(a, record)?, int(b, record)?);
            let divides = matches!(operator, Arithmetic::Divide | Arithmetic::Remainder);
            if divides && b == 0 {
                return Err(EvalError::at(EvalErrorKind::DivisionByZero, span));
            }
            in_range(operator.apply(a, b), span)
        }
        IntExpr::StrSize(of) => Ok(length(text(of, record)?.chars().count())),
        IntExpr::BytesSize(of) => Ok(length(bytes(of, record)?.len())),
        IntExpr::ListSize(ListExpr::Const(items)) => Ok(length(items.len())),
        IntExpr::ListSize(ListExpr::Items(items)) => Ok(length(items.len())),
        IntExpr::ListSize(ListExpr::Field(id)) => Ok(length(field!(record, *id, List)?.len())),
        IntExpr::MapSize(id) => Ok(length(field!(record, *id, Map)?.len())),
        IntExpr::If(condition, yes, no) => int(if holds(condition, record)? { yes } else { no }, record),
    }
}

fn text<'a, R: Record + ?Sized>(value: &'a StrExpr, record: &'a R) -> Evaluated<Cow<'a, str>> {
    match value {
        StrExpr::Const(value) => Ok(Cow::Borrowed(value)),
        StrExpr::Field(id) => field!(record, *id, Str).map(Cow::Borrowed),
        StrExpr::Index(map, key, span) => {
            let key = text(key, record)?;
            find(field!(record, *map, Map)?, &key)
                .map(Cow::Borrowed)
                .ok_or_else(|| EvalError::at(EvalErrorKind::MissingKey(*map), span))
        }
        StrExpr::MapGet(map, key, default) => {
            let key = text(key, record)?;
            match find(field!(record, *map, Map)?, &key) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => text(default, record),
            }
        }
        StrExpr::Concat(a, b) => Ok(text(a, record)? + text(b, record)?),
        StrExpr::If(condition, yes, no) => text(if holds(condition, record)? { yes } else { no }, record),
    }
}

fn bytes<'a, R: Record + ?Sized>(value: &'a BytesExpr, record: &'a R) -> Evaluated<&'a [u8]> {
    match value {
        BytesExpr::Const(value) => Ok(value),
        BytesExpr::Field(id) => field!(record, *id, Bytes),
    }
}

/// Unix µs.
fn time<R: Record + ?Sized>(value: &TimeExpr, record: &R) -> Evaluated<i64> {
    match value {
        TimeExpr::Const(value) => Ok(*value),
        TimeExpr::Field(id) => field!(record, *id, Timestamp),
        // Compiling replaced it; before that there is no record.
        TimeExpr::Now => Ok(0),
        TimeExpr::Shift(at, by, back, span) => {
            let (at, by) = (time(at, record)?, duration(by, record)?);
            in_range(
                if *back {
                    at.checked_sub(by)
                } else {
                    at.checked_add(by)
                },
                span,
            )
        }
        TimeExpr::If(condition, yes, no) => time(if holds(condition, record)? { yes } else { no }, record),
    }
}

/// µs.
fn duration<R: Record + ?Sized>(value: &DurationExpr, record: &R) -> Evaluated<i64> {
    match value {
        DurationExpr::Const(value) => Ok(*value),
        DurationExpr::Between(later, earlier, span) => {
            in_range(time(later, record)?.checked_sub(time(earlier, record)?), span)
        }
        DurationExpr::Sum(a, b, minus, span) => {
            let (a, b) = (duration(a, record)?, duration(b, record)?);
            in_range(
                if *minus {
                    a.checked_sub(b)
                } else {
                    a.checked_add(b)
                },
                span,
            )
        }
        DurationExpr::If(condition, yes, no) => {
            duration(if holds(condition, record)? { yes } else { no }, record)
        }
    }
}

fn in_range(value: Option<i64>, span: &Span) -> Evaluated<i64> {
    value.ok_or_else(|| EvalError::at(EvalErrorKind::Overflow, span))
}

fn length(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The value under a key; of several, the first.
fn find<'a>(map: &'a [(String, String)], key: &str) -> Option<&'a str> {
    map.iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.as_str())
}

fn same_lists<R: Record + ?Sized>(a: &ListExpr, b: &ListExpr, record: &R) -> Evaluated<bool> {
    let size = |list: &ListExpr| -> Evaluated<usize> {
        Ok(match list {
            ListExpr::Const(items) => items.len(),
            ListExpr::Field(id) => field!(record, *id, List)?.len(),
            ListExpr::Items(items) => items.len(),
        })
    };
    let length = size(a)?;
    if length != size(b)? {
        return Ok(false);
    }
    for at in 0..length {
        if item(a, at, record)? != item(b, at, record)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The element of a list; empty behind its end.
fn item<'a, R: Record + ?Sized>(list: &'a ListExpr, at: usize, record: &'a R) -> Evaluated<Cow<'a, str>> {
    let borrowed = |items: &'a [String]| Cow::Borrowed(items.get(at).map_or("", String::as_str));
    match list {
        ListExpr::Const(items) => Ok(borrowed(items)),
        ListExpr::Field(id) => field!(record, *id, List).map(borrowed),
        ListExpr::Items(items) => match items.get(at) {
            Some(item) => text(item, record),
            None => Ok(Cow::Borrowed("")),
        },
    }
}
