//! `==`, `!=`, `<`, `<=`, `>`, `>=`.

use super::super::ast::{Comparison, Expr, Node};
use super::super::build::quoted;
use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::field::{self, FieldId, Type};
use super::super::instant;
use super::super::typed::{BoolExpr, IntExpr, StrExpr, TimeExpr, Typed};
use super::expression::{Checker, Outcome};
use super::name;

/// Bounds of `elapsed_time` up to here are reported: calls over a network rarely take less than that, and
/// milliseconds written by mistake lie below it.
const SUSPICIOUS_US: i64 = 60_000;

impl Checker<'_> {
    pub(super) fn comparison(
        &mut self,
        node: &Node,
        operator: Comparison,
        operator_span: &Span,
        left: &Node,
        right: &Node,
    ) -> Outcome<Typed> {
        let left_typed = self.expression(left);
        if let Some(Typed::Str(_)) = &left_typed
            && self.bare_text(right)
        {
            return None;
        }
        let right_typed = self.expression(right);
        let (a, b) = (left_typed?, right_typed?);
        self.warn_about_units(operator, &a, right, &b);
        self.warn_about_units(operator.mirrored(), &b, left, &a);
        let typed = match (a, b) {
            (Typed::Int(a), Typed::Int(b)) => int_comparison(operator, a, b),
            (Typed::Str(a), Typed::Str(b)) => self.text_comparison(operator, (left, a), (right, b)),
            (Typed::Time(a), Typed::Time(b)) => match (&a, &b) {
                (TimeExpr::Const(x), TimeExpr::Const(y)) => BoolExpr::Const(operator.holds(x, y)),
                _ => BoolExpr::Time(operator, a, b),
            },
            (Typed::Duration(a), Typed::Duration(b)) => BoolExpr::Duration(operator, a, b),
            (Typed::Bool(a), Typed::Bool(b)) if operator.is_equality() => bool_equality(operator, a, b),
            (Typed::Bytes(a), Typed::Bytes(b)) if operator.is_equality() => {
                negated_unless_eq(operator, BoolExpr::Bytes(a, b))
            }
            (Typed::List(a), Typed::List(b)) if operator.is_equality() => {
                negated_unless_eq(operator, BoolExpr::List(a, b))
            }
            (a, b) if a.kind() == b.kind() => {
                let diagnostic = unordered(node, operator, operator_span, a.kind());
                let diagnostic = match (a, b) {
                    (Typed::Map(map), _) | (_, Typed::Map(map)) => diagnostic.suggest(format!(
                        "compare `size({map})`, or `map_get({map}, \"key\", \"\")`"
                    )),
                    _ if operator.is_equality() => {
                        diagnostic.suggest("compare single values, or use `value in [..]`")
                    }
                    _ => diagnostic.suggest("compare with `==` or `!=`"),
                };
                self.report(diagnostic);
                return None;
            }
            (a, b) => {
                let diagnostic = self.mismatch(node, operator, operator_span, (left, &a), (right, &b));
                self.report(diagnostic);
                return None;
            }
        };
        Some(Typed::Bool(typed))
    }

    /// Text without quotes behind a comparison with a string: `method == GET`.
    fn bare_text(&mut self, node: &Node) -> bool {
        let text = self.text(&node.span);
        let bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'));
        let root = text.split(['-', '/']).next().unwrap_or_default();
        if !bare || matches!(node.expr, Expr::Bool(_)) || field::lookup(root).is_some() {
            return false;
        }
        // A slip in a field's name is likelier than text that looks like one.
        if name::dotted(node).is_some() && (root.contains('.') || root.contains('_')) {
            return false;
        }
        self.report(
            Diagnostic::error(
                Code::UnknownField,
                &node.span,
                format!("`{}` is neither a field nor a string", shown(text)),
                "text is written in quotes",
            )
            .replace(&node.span, quoted(text)),
        );
        true
    }

    fn text_comparison(
        &mut self,
        operator: Comparison,
        (left_node, left): (&Node, StrExpr),
        (right_node, right): (&Node, StrExpr),
    ) -> BoolExpr {
        match (&left, &right) {
            (StrExpr::Const(a), StrExpr::Const(b)) => {
                return BoolExpr::Const(operator.holds(a.as_str(), b.as_str()));
            }
            (StrExpr::Field(FieldId::METHOD), StrExpr::Const(text)) => {
                self.warn_about_case(text, right_node);
            }
            (StrExpr::Const(text), StrExpr::Field(FieldId::METHOD)) => {
                self.warn_about_case(text, left_node);
            }
            _ => {}
        }
        BoolExpr::Str(operator, left, right)
    }

    pub(super) fn warn_about_case(&mut self, method: &str, node: &Node) {
        const METHODS: [&str; 9] = [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ];
        let upper = method.to_ascii_uppercase();
        if upper != method && METHODS.contains(&upper.as_str()) {
            self.report(
                Diagnostic::warning(
                    Code::Spelling,
                    &node.span,
                    format!("HTTP writes the method `{upper}`"),
                    "strings are compared letter by letter, case included",
                )
                .replace(&node.span, quoted(&upper)),
            );
        }
    }

    /// A bound that is small for microseconds.
    fn warn_about_units(&mut self, operator: Comparison, field: &Typed, node: &Node, bound: &Typed) {
        if let (Typed::Int(IntExpr::Field(FieldId::ELAPSED_TIME)), Typed::Int(IntExpr::Const(value))) =
            (field, bound)
            && !operator.is_equality()
            && (1..=SUSPICIOUS_US).contains(value)
        {
            self.report(
                Diagnostic::warning(
                    Code::Unit,
                    &node.span,
                    format!(
                        "{} µs are only {}",
                        instant::grouped(*value),
                        instant::spoken(*value)
                    ),
                    "`elapsed_time` is in microseconds",
                )
                .suggest(format!("write `{}` if {value} ms are meant", value * 1000))
                .replace(&node.span, (value * 1000).to_string()),
            );
        }
    }

    /// Two types that do not compare, and what was probably meant.
    fn mismatch(
        &self,
        node: &Node,
        operator: Comparison,
        operator_span: &Span,
        (left, a): (&Node, &Typed),
        (right, b): (&Node, &Typed),
    ) -> Diagnostic {
        if let Some(diagnostic) = self
            .meant(node, operator, (left, a), (right, b))
            .or_else(|| self.meant(node, operator.mirrored(), (right, b), (left, a)))
        {
            return diagnostic;
        }
        Diagnostic::error(
            Code::WrongType,
            operator_span,
            format!(
                "{} and {} do not compare",
                a.kind().with_article(),
                b.kind().with_article()
            ),
            format!(
                "`{}` is {} and `{}` is {}",
                shown(self.text(&left.span)),
                a.kind().with_article(),
                shown(self.text(&right.span)),
                b.kind().with_article()
            ),
        )
        .suggest("compare values of one type")
    }

    /// The mistakes people make, seen from the side of the value that is right (`subject`).
    fn meant(
        &self,
        node: &Node,
        operator: Comparison,
        (subject_node, subject): (&Node, &Typed),
        (other_node, other): (&Node, &Typed),
    ) -> Option<Diagnostic> {
        let symbol = operator.symbol();
        let subject_text = self.operand_text(subject_node);
        let other_text = self.operand_text(other_node);
        let wrong = |reason: String| {
            Diagnostic::error(
                Code::WrongType,
                &other_node.span,
                format!(
                    "`{}` is {}, and `{}` is {}",
                    shown(&subject_text),
                    subject.kind().with_article(),
                    shown(&other_text),
                    other.kind().with_article()
                ),
                reason,
            )
        };
        let one_type = || "values of different types do not compare".to_owned();
        Some(match (subject, other) {
            (Typed::Int(subject), Typed::Str(StrExpr::Const(text))) => {
                let diagnostic = wrong(one_type());
                number_for_text(diagnostic, subject, text, &subject_text, other_node)
            }
            (Typed::Str(_), Typed::Int(IntExpr::Const(value))) => {
                wrong(one_type()).replace(&other_node.span, format!("\"{value}\""))
            }
            (Typed::Bool(_), Typed::Int(IntExpr::Const(value @ (0 | 1)))) => truth(
                wrong("a flag is a condition by itself".into()),
                node,
                operator,
                *value == 1,
                &subject_text,
            ),
            (Typed::Bool(_), Typed::Str(StrExpr::Const(text))) if text == "true" || text == "false" => truth(
                wrong("a flag is a condition by itself".into()),
                node,
                operator,
                text == "true",
                &subject_text,
            ),
            (Typed::Time(_), Typed::Str(StrExpr::Const(text))) => {
                let diagnostic = wrong("a time is made from text by `timestamp(\"…Z\")`".into());
                let meant = match instant::parse_timestamp(text) {
                    Ok(_) => Some(text.clone()),
                    Err(bad) => bad.meant,
                };
                match meant {
                    Some(meant) => diagnostic.replace(&other_node.span, format!("timestamp(\"{meant}\")")),
                    None => diagnostic.suggest("write it like `timestamp(\"2026-03-14T16:12:34Z\")`"),
                }
            }
            (Typed::Time(_), Typed::Int(IntExpr::Const(value))) => {
                let diagnostic = wrong("times compare with `timestamp(\"…Z\")` only".into());
                match instant::unix_number(*value) {
                    Some(meant) => diagnostic.replace(&other_node.span, format!("timestamp(\"{meant}\")")),
                    None => diagnostic.suggest("write it like `timestamp(\"2026-03-14T16:12:34Z\")`"),
                }
            }
            (Typed::Time(_), Typed::Duration(_)) => wrong("a point in time is no stretch of time".into())
                .replace(&other_node.span, format!("now() - {other_text}")),
            (Typed::Int(IntExpr::Field(FieldId::ELAPSED_TIME)), Typed::Duration(duration)) => {
                let diagnostic = wrong("`elapsed_time` is an int of microseconds".into());
                match duration {
                    super::super::typed::DurationExpr::Const(micros) => {
                        diagnostic.replace(&other_node.span, micros.to_string())
                    }
                    _ => diagnostic.suggest("compare it with a number of microseconds"),
                }
            }
            (Typed::List(_), Typed::Str(_)) => {
                let bang = if operator == Comparison::Ne { "!" } else { "" };
                let text = if bang.is_empty() {
                    format!("{other_text} in {subject_text}")
                } else {
                    format!("!({other_text} in {subject_text})")
                };
                wrong("a list is asked whether it holds a value".into()).replace(&node.span, text)
            }
            (Typed::Map(map), _) => wrong("a map is asked for the value of a key".into()).suggest(format!(
                "write `map_get({map}, \"key\", \"\") {symbol} …`, or `\"key\" in {map}`"
            )),
            (Typed::Str(_) | Typed::Int(_), Typed::List(_) | Typed::IntList(_)) if operator.is_equality() => {
                let text = if operator == Comparison::Eq {
                    format!("{subject_text} in {other_text}")
                } else {
                    format!("!({subject_text} in {other_text})")
                };
                wrong("whether a value is one of several is asked with `in`".into()).replace(&node.span, text)
            }
            _ => return None,
        })
    }
}

fn int_comparison(operator: Comparison, left: IntExpr, right: IntExpr) -> BoolExpr {
    match (&left, &right) {
        (IntExpr::Const(a), IntExpr::Const(b)) => BoolExpr::Const(operator.holds(a, b)),
        // The constant on the right, which is how everything else looks at it.
        (IntExpr::Const(_), _) => BoolExpr::Int(operator.mirrored(), right, left),
        _ => BoolExpr::Int(operator, left, right),
    }
}

fn bool_equality(operator: Comparison, left: BoolExpr, right: BoolExpr) -> BoolExpr {
    let truth = operator == Comparison::Eq;
    match (left, right) {
        (BoolExpr::Const(a), BoolExpr::Const(b)) => BoolExpr::Const((a == b) == truth),
        (BoolExpr::Const(constant), other) | (other, BoolExpr::Const(constant)) => {
            if constant == truth {
                other
            } else {
                BoolExpr::Not(Box::new(other))
            }
        }
        (a, b) => negated_unless_eq(operator, BoolExpr::Same(Box::new(a), Box::new(b))),
    }
}

fn negated_unless_eq(operator: Comparison, equal: BoolExpr) -> BoolExpr {
    if operator == Comparison::Eq {
        equal
    } else {
        BoolExpr::Not(Box::new(equal))
    }
}

fn unordered(node: &Node, operator: Comparison, operator_span: &Span, kind: Type) -> Diagnostic {
    let span = if operator.is_equality() {
        &node.span
    } else {
        operator_span
    };
    Diagnostic::error(
        Code::WrongType,
        span,
        format!("`{}` does not compare values of type {kind}", operator.symbol()),
        if operator.is_equality() {
            format!("whether two of {kind} are equal cannot be asked")
        } else {
            format!("values of type {kind} have no order")
        },
    )
}

/// A flag compared with something that stands for true or false.
fn truth(diagnostic: Diagnostic, node: &Node, operator: Comparison, value: bool, flag: &str) -> Diagnostic {
    if !operator.is_equality() {
        return diagnostic.suggest(format!("write `{flag}` or `!{flag}`"));
    }
    let holds = value == (operator == Comparison::Eq);
    diagnostic.replace(
        &node.span,
        if holds {
            flag.to_owned()
        } else {
            format!("!{flag}")
        },
    )
}

/// An int compared with text: a number in quotes, a status class, a duration.
fn number_for_text(
    diagnostic: Diagnostic,
    subject: &IntExpr,
    text: &str,
    subject_text: &str,
    node: &Node,
) -> Diagnostic {
    if let Ok(number) = text.trim().parse::<i64>() {
        return diagnostic.replace(&node.span, number.to_string());
    }
    if *subject == IntExpr::Field(FieldId::ELAPSED_TIME)
        && let Ok(micros) = instant::parse_duration(text.trim())
    {
        let mut diagnostic = diagnostic.replace(&node.span, micros.to_string());
        "`elapsed_time` is an int of microseconds".clone_into(&mut diagnostic.reason);
        return diagnostic;
    }
    let class = text
        .to_ascii_lowercase()
        .strip_suffix("xx")
        .and_then(|class| class.parse::<u8>().ok());
    match class {
        Some(class) => diagnostic.suggest(format!(
            "write `{subject_text} >= {class}00 && {subject_text} < {}00`",
            u16::from(class) + 1
        )),
        None => diagnostic.suggest(format!("compare `{subject_text}` with a number")),
    }
}
