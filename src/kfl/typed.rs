//! The checked expression: one type of tree for each type of value, so that nothing is left to go wrong
//! but what depends on the data (a missing map key, overflow, division by zero).

use super::ast::{Arithmetic, Comparison};
use super::diagnostic::Span;
use super::field::{FieldId, Type};
use super::re2::Pattern;

/// An expression of any type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed {
    Bool(BoolExpr),
    Int(IntExpr),
    Str(StrExpr),
    Bytes(BytesExpr),
    List(ListExpr),
    Map(FieldId),
    Time(TimeExpr),
    Duration(DurationExpr),
    IntList(Vec<i64>),
}

impl Typed {
    pub(super) fn kind(&self) -> Type {
        match self {
            Typed::Bool(_) => Type::Bool,
            Typed::Int(_) => Type::Int,
            Typed::Str(_) => Type::String,
            Typed::Bytes(_) => Type::Bytes,
            Typed::List(_) => Type::List,
            Typed::Map(_) => Type::Map,
            Typed::Time(_) => Type::Timestamp,
            Typed::Duration(_) => Type::Duration,
            Typed::IntList(_) => Type::IntList,
        }
    }

    /// The field itself, where the expression is nothing else.
    pub(super) fn field(&self) -> Option<FieldId> {
        match self {
            Typed::Bool(BoolExpr::Field(id))
            | Typed::Int(IntExpr::Field(id))
            | Typed::Str(StrExpr::Field(id))
            | Typed::Bytes(BytesExpr::Field(id))
            | Typed::List(ListExpr::Field(id))
            | Typed::Time(TimeExpr::Field(id))
            | Typed::Map(id) => Some(*id),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum BoolExpr {
    Const(bool),
    Field(FieldId),
    Not(Box<BoolExpr>),
    All(Vec<BoolExpr>),
    Any(Vec<BoolExpr>),
    If(Box<BoolExpr>, Box<BoolExpr>, Box<BoolExpr>),
    /// Whether both are equal.
    Same(Box<BoolExpr>, Box<BoolExpr>),
    Int(Comparison, IntExpr, IntExpr),
    Str(Comparison, StrExpr, StrExpr),
    Time(Comparison, TimeExpr, TimeExpr),
    Duration(Comparison, DurationExpr, DurationExpr),
    Bytes(BytesExpr, BytesExpr),
    List(ListExpr, ListExpr),
    IntIn(IntExpr, Vec<i64>),
    StrIn(StrExpr, ListExpr),
    KeyIn(StrExpr, FieldId),
    Text(TextTest, StrExpr, StrExpr),
    Matches(StrExpr, Box<Pattern>),
}

/// Functions of two strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    Contains,
    StartsWith,
    EndsWith,
}

impl TextTest {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "contains" => Some(Self::Contains),
            "startsWith" => Some(Self::StartsWith),
            "endsWith" => Some(Self::EndsWith),
            _ => None,
        }
    }

    pub(super) fn holds(self, text: &str, part: &str) -> bool {
        match self {
            Self::Contains => text.contains(part),
            Self::StartsWith => text.starts_with(part),
            Self::EndsWith => text.ends_with(part),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum IntExpr {
    Const(i64),
    Field(FieldId),
    /// The span is the operator's: both operations can fail.
    Negate(Box<IntExpr>, Span),
    Arithmetic(Arithmetic, Box<IntExpr>, Box<IntExpr>, Span),
    /// Unicode characters, not bytes.
    StrSize(Box<StrExpr>),
    BytesSize(BytesExpr),
    ListSize(ListExpr),
    MapSize(FieldId),
    If(Box<BoolExpr>, Box<IntExpr>, Box<IntExpr>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum StrExpr {
    Const(String),
    Field(FieldId),
    /// `map[key]`, which fails where the key is missing.
    Index(FieldId, Box<StrExpr>, Span),
    /// `map_get(map, key, default)`.
    MapGet(FieldId, Box<StrExpr>, Box<StrExpr>),
    Concat(Box<StrExpr>, Box<StrExpr>),
    If(Box<BoolExpr>, Box<StrExpr>, Box<StrExpr>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum BytesExpr {
    Const(Vec<u8>),
    Field(FieldId),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ListExpr {
    Const(Vec<String>),
    Field(FieldId),
    /// A list with an element that is no literal.
    Items(Vec<StrExpr>),
}

/// Unix µs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TimeExpr {
    Const(i64),
    Field(FieldId),
    Now,
    /// A time plus (or, with `true`, minus) a duration.
    Shift(Box<TimeExpr>, Box<DurationExpr>, bool, Span),
    If(Box<BoolExpr>, Box<TimeExpr>, Box<TimeExpr>),
}

/// µs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DurationExpr {
    Const(i64),
    Between(Box<TimeExpr>, Box<TimeExpr>, Span),
    /// The sum (or, with `true`, the difference) of two.
    Sum(Box<DurationExpr>, Box<DurationExpr>, bool, Span),
    If(Box<BoolExpr>, Box<DurationExpr>, Box<DurationExpr>),
}
