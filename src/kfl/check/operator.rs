//! `+`, `-`, `*`, `/`, `%` and `in`.

use super::super::ast::{Arithmetic, Node};
use super::super::build::quoted;
use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::field::{FieldId, Type};
use super::super::instant;
use super::super::typed::{BoolExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TimeExpr, Typed};
use super::expression::{Checker, Outcome};

impl Checker<'_> {
    pub(super) fn negate(&mut self, node: &Node, operand: &Node) -> Outcome<Typed> {
        match self.expression(operand)? {
            Typed::Int(IntExpr::Const(value)) if value != i64::MIN => {
                Some(Typed::Int(IntExpr::Const(-value)))
            }
            Typed::Int(int) => Some(Typed::Int(IntExpr::Negate(Box::new(int), node.span.clone()))),
            // -d is 0 - d.
            Typed::Duration(duration) => Some(Typed::Duration(DurationExpr::Sum(
                Box::new(DurationExpr::Const(0)),
                Box::new(duration),
                true,
                node.span.clone(),
            ))),
            other => {
                let text = self.operand_text(operand);
                let diagnostic = Diagnostic::error(
                    Code::WrongType,
                    &node.span,
                    format!("`-` does not apply to {}", other.kind().with_article()),
                    "only ints and durations have a sign",
                );
                self.report(match other.kind() {
                    Type::Bool => diagnostic.replace(&node.span, format!("!{text}")),
                    _ => diagnostic.suggest("leave the `-` out"),
                });
                None
            }
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        node: &Node,
        operator: Arithmetic,
        operator_span: &Span,
        left: &Node,
        right: &Node,
    ) -> Outcome<Typed> {
        let (left_typed, right_typed) = (self.expression(left), self.expression(right));
        let (a, b) = (left_typed?, right_typed?);
        let span = node.span.clone();
        let minus = operator == Arithmetic::Subtract;
        let sum = minus || operator == Arithmetic::Add;
        Some(match (a, b) {
            (Typed::Int(a), Typed::Int(b)) => return self.int_arithmetic(node, operator, a, b),
            (Typed::Str(a), Typed::Str(b)) if operator == Arithmetic::Add => Typed::Str(match (a, b) {
                (StrExpr::Const(a), StrExpr::Const(b)) => StrExpr::Const(a + &b),
                (a, b) => StrExpr::Concat(Box::new(a), Box::new(b)),
            }),
            (Typed::Time(time), Typed::Duration(by)) if sum => {
                Typed::Time(TimeExpr::Shift(Box::new(time), Box::new(by), minus, span))
            }
            (Typed::Duration(by), Typed::Time(time)) if operator == Arithmetic::Add => {
                Typed::Time(TimeExpr::Shift(Box::new(time), Box::new(by), false, span))
            }
            (Typed::Time(a), Typed::Time(b)) if minus => {
                Typed::Duration(DurationExpr::Between(Box::new(a), Box::new(b), span))
            }
            (Typed::Duration(a), Typed::Duration(b)) if sum => {
                Typed::Duration(DurationExpr::Sum(Box::new(a), Box::new(b), minus, span))
            }
            (a, b) => {
                self.report(no_arithmetic(operator, operator_span, &a, (right, &b)));
                return None;
            }
        })
    }

    fn int_arithmetic(
        &mut self,
        node: &Node,
        operator: Arithmetic,
        left: IntExpr,
        right: IntExpr,
    ) -> Outcome<Typed> {
        let constant = match (&left, &right) {
            (IntExpr::Const(a), IntExpr::Const(b)) => Some(operator.apply(*a, *b)),
            (_, IntExpr::Const(0)) if matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) => {
                Some(None)
            }
            _ => None,
        };
        match constant {
            Some(Some(value)) => Some(Typed::Int(IntExpr::Const(value))),
            Some(None) => {
                self.report(
                    Diagnostic::error(
                        Code::BadLiteral,
                        &node.span,
                        format!("`{}` has no result", shown(self.text(&node.span))),
                        "an int has 64 bits, and nothing divides by zero",
                    )
                    .suggest("write the number that is meant"),
                );
                None
            }
            None => Some(Typed::Int(IntExpr::Arithmetic(
                operator,
                Box::new(left),
                Box::new(right),
                node.span.clone(),
            ))),
        }
    }

    pub(super) fn membership(
        &mut self,
        node: &Node,
        operator_span: &Span,
        left: &Node,
        right: &Node,
    ) -> Outcome<Typed> {
        let (left_typed, right_typed) = (self.expression(left), self.expression(right));
        let (value, within) = (left_typed?, right_typed?);
        Some(Typed::Bool(match (value, within) {
            (Typed::Str(value), Typed::List(list)) => {
                if let (StrExpr::Field(FieldId::METHOD), ListExpr::Const(methods)) = (&value, &list) {
                    for method in methods {
                        self.warn_about_case(method, right);
                    }
                }
                match (&value, &list) {
                    (_, ListExpr::Const(items)) if items.is_empty() => BoolExpr::Const(false),
                    (StrExpr::Const(value), ListExpr::Const(items)) => BoolExpr::Const(items.contains(value)),
                    _ => BoolExpr::StrIn(value, list),
                }
            }
            (Typed::Int(IntExpr::Const(value)), Typed::IntList(list)) => {
                BoolExpr::Const(list.contains(&value))
            }
            (Typed::Int(value), Typed::IntList(list)) => BoolExpr::IntIn(value, list),
            (Typed::Int(_), Typed::List(ListExpr::Const(items))) if items.is_empty() => {
                BoolExpr::Const(false)
            }
            (Typed::Str(key), Typed::Map(map)) => BoolExpr::KeyIn(key, map),
            (value, within) => {
                let diagnostic = self.no_membership(node, operator_span, (left, &value), (right, &within));
                self.report(diagnostic);
                return None;
            }
        }))
    }

    fn no_membership(
        &self,
        node: &Node,
        operator_span: &Span,
        (left, value): (&Node, &Typed),
        (right, within): (&Node, &Typed),
    ) -> Diagnostic {
        let (left_text, right_text) = (self.operand_text(left), self.operand_text(right));
        let at = |span: &Span, reason: &str| {
            Diagnostic::error(
                Code::WrongType,
                span,
                format!(
                    "`in` does not look for {} in {}",
                    value.kind().with_article(),
                    within.kind().with_article()
                ),
                reason,
            )
        };
        match (value, within) {
            (Typed::Str(_), Typed::Str(_)) => at(operator_span, "`in` searches lists and the keys of maps")
                .replace(&node.span, format!("{right_text}.contains({left_text})")),
            (Typed::Int(_), Typed::Int(_)) => at(operator_span, "`in` searches lists and the keys of maps")
                .replace(&node.span, format!("{left_text} == {right_text}")),
            (Typed::Int(_), Typed::List(ListExpr::Const(items))) => {
                let diagnostic = at(&right.span, "the elements are strings, the value is an int");
                let numbers: Option<Vec<i64>> = items.iter().map(|item| item.trim().parse().ok()).collect();
                match numbers {
                    Some(numbers) => diagnostic.replace(&right.span, format!("{numbers:?}")),
                    None => diagnostic.suggest("write a list of numbers"),
                }
            }
            (Typed::Str(_), Typed::IntList(items)) => {
                let texts: Vec<_> = items.iter().map(|item| quoted(&item.to_string())).collect();
                at(&right.span, "the elements are ints, the value is a string")
                    .replace(&right.span, format!("[{}]", texts.join(", ")))
            }
            (Typed::List(_) | Typed::Map(_), Typed::Str(_)) => at(
                &node.span,
                "the value stands on the left of `in`, the list or map on the right",
            )
            .replace(&node.span, format!("{right_text} in {left_text}")),
            (Typed::List(_), Typed::List(ListExpr::Const(items))) => {
                let terms: Vec<_> = items
                    .iter()
                    .map(|item| format!("{} in {left_text}", quoted(item)))
                    .collect();
                let text = match terms.as_slice() {
                    [only] => only.clone(),
                    _ => format!("({})", terms.join(" || ")),
                };
                at(&node.span, "a list is asked for one value at a time").replace(&node.span, text)
            }
            (_, Typed::Map(map)) => {
                at(&left.span, "the keys of a map are strings").suggest(format!("write `\"key\" in {map}`"))
            }
            _ => at(
                operator_span,
                "`in` looks for a value in a list of its type, or for a key in a map",
            )
            .suggest("write it like `status_code in [500, 503]` or `\"key\" in map`"),
        }
    }
}

/// Two types that cannot be added and so on.
fn no_arithmetic(
    operator: Arithmetic,
    operator_span: &Span,
    left: &Typed,
    (right_node, right): (&Node, &Typed),
) -> Diagnostic {
    let symbol = operator.symbol();
    let diagnostic = Diagnostic::error(
        Code::WrongType,
        operator_span,
        format!(
            "`{symbol}` does not join {} and {}",
            left.kind().with_article(),
            right.kind().with_article()
        ),
        "ints are reckoned with ints, strings are joined with `+`, times are moved by durations",
    );
    match (left, right) {
        (Typed::Time(_), Typed::Int(IntExpr::Const(number))) => {
            diagnostic.replace(&right_node.span, format!("duration(\"{number}s\")"))
        }
        (Typed::Time(_), Typed::Str(StrExpr::Const(text))) if instant::parse_duration(text).is_ok() => {
            diagnostic.replace(&right_node.span, format!("duration(\"{text}\")"))
        }
        (Typed::Str(_), Typed::Int(IntExpr::Const(number))) if operator == Arithmetic::Add => {
            diagnostic.replace(&right_node.span, format!("\"{number}\""))
        }
        (Typed::Int(_), Typed::Str(StrExpr::Const(text))) if text.parse::<i64>().is_ok() => {
            diagnostic.replace(&right_node.span, text.clone())
        }
        (Typed::Bool(_), Typed::Bool(_)) => diagnostic.suggest("join conditions with `&&` and `||`"),
        _ => diagnostic.suggest("write both operands in one type"),
    }
}
