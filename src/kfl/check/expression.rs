//! The walk over the syntax tree.

use std::collections::BTreeSet;

use super::super::ast::{Binary, Expr, Node};
use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::field::{FieldId, Type};
use super::super::typed::{BoolExpr, BytesExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TimeExpr, Typed};
use super::{lint, name};

/// Elements of a list that is written out, at most.
const MAX_ITEMS: usize = 1000;

pub(super) struct Checker<'a> {
    source: &'a str,
    found: &'a mut Vec<Diagnostic>,
    /// Keys of maps that are sure to exist at the place that is looked at.
    guards: Vec<(FieldId, String)>,
    fields: BTreeSet<FieldId>,
}

/// `None` where a mistake was found, and reported, on the way.
pub(super) type Outcome<T> = Option<T>;

impl<'a> Checker<'a> {
    pub(super) fn new(source: &'a str, found: &'a mut Vec<Diagnostic>) -> Self {
        Self {
            source,
            found,
            guards: Vec::new(),
            fields: BTreeSet::new(),
        }
    }

    pub(super) fn into_fields(self) -> BTreeSet<FieldId> {
        self.fields
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    pub(super) fn text(&self, span: &Span) -> &'a str {
        self.source.get(span.clone()).unwrap_or_default()
    }

    /// The text of an expression, in parentheses where it would fall apart in front of a dot.
    pub(super) fn operand_text(&self, node: &Node) -> String {
        let text = self.text(&node.span);
        match node.expr {
            Expr::Binary(..)
            | Expr::All(_)
            | Expr::Any(_)
            | Expr::Ternary(..)
            | Expr::Not(_)
            | Expr::Negate(_)
                if !text.starts_with('(') =>
            {
                format!("({text})")
            }
            _ => text.to_owned(),
        }
    }

    /// An expression in a place where only a bool makes sense: a term, the operand of `!`, a condition.
    pub(super) fn condition(&mut self, node: &Node) -> Outcome<BoolExpr> {
        let typed = self.expression(node)?;
        self.as_condition(node, typed)
    }

    fn as_condition(&mut self, node: &Node, typed: Typed) -> Outcome<BoolExpr> {
        let Typed::Bool(condition) = typed else {
            self.report(self.not_a_condition(node, &typed));
            return None;
        };
        if let Some((truth, reason)) = lint::constant(&condition) {
            self.report(lint::never_varies(&node.span, truth, &reason));
        }
        Some(condition)
    }

    fn not_a_condition(&self, node: &Node, typed: &Typed) -> Diagnostic {
        let text = shown(self.text(&node.span));
        let kind = typed.kind();
        let diagnostic = Diagnostic::error(
            Code::WrongType,
            &node.span,
            format!("`{text}` is {}, not a condition", kind.with_article()),
            "a filter and each of its terms is true or false",
        );
        let text = self.operand_text(node);
        match kind {
            Type::String if !matches!(node.expr, Expr::Str(_)) => {
                diagnostic.replace(&node.span, format!("{text} != \"\""))
            }
            Type::Int if typed.field().is_some() => {
                diagnostic.suggest(format!("compare it, as in `{text} > 0`"))
            }
            Type::List | Type::Map => diagnostic.replace(&node.span, format!("size({text}) > 0")),
            Type::String => {
                diagnostic.suggest(format!("look for it in a field, as in `path.contains({text})`"))
            }
            _ => diagnostic.suggest("compare it with `==`, `!=`, `<` or `>`"),
        }
    }

    pub(super) fn expression(&mut self, node: &Node) -> Outcome<Typed> {
        Some(match &node.expr {
            Expr::Bool(value) => Typed::Bool(BoolExpr::Const(*value)),
            Expr::Int(value) => Typed::Int(IntExpr::Const(*value)),
            Expr::Str(value) => Typed::Str(StrExpr::Const(value.clone())),
            Expr::Bytes(value) => Typed::Bytes(BytesExpr::Const(value.clone())),
            Expr::List(items) => return self.list(node, items),
            Expr::Ident(_) | Expr::Select(..) => return self.name(node),
            Expr::Index(map, key) => {
                let map_id = self.map(map);
                let typed = self.expression(key);
                let key = self.expect_string(key, typed, "the key of a map");
                return Some(self.index(node, map_id?, key?));
            }
            Expr::Call(call) => return self.call(node, call),
            Expr::Not(operand) => return self.not(node, operand),
            Expr::Negate(operand) => return self.negate(node, operand),
            Expr::All(operands) => {
                let guards = operands.iter().flat_map(|operand| keys(operand, true)).collect();
                Typed::Bool(BoolExpr::All(self.conditions(operands, guards, true)?))
            }
            Expr::Any(operands) => {
                let guards = operands.iter().flat_map(|operand| keys(operand, false)).collect();
                Typed::Bool(BoolExpr::Any(self.conditions(operands, guards, false)?))
            }
            Expr::Binary(Binary::Arithmetic(operator), span, left, right) => {
                return self.arithmetic(node, *operator, span, left, right);
            }
            Expr::Binary(Binary::In, span, left, right) => return self.membership(node, span, left, right),
            Expr::Binary(Binary::Compare(comparison), span, left, right) => {
                return self.comparison(node, *comparison, span, left, right);
            }
            Expr::Ternary(condition, yes, no) => return self.choice(node, condition, yes, no),
        })
    }

    fn not(&mut self, node: &Node, operand: &Node) -> Outcome<Typed> {
        let typed = self.expression(operand)?;
        if !matches!(typed, Typed::Bool(_)) && !self.text(&operand.span).starts_with('(') {
            // `!a == b` is meant as `!(a == b)`.
            let text = shown(self.text(&operand.span));
            self.report(
                Diagnostic::error(
                    Code::WrongType,
                    &node.span,
                    format!("`!` does not apply to {}", typed.kind().with_article()),
                    format!("it binds tighter than a comparison, so here it stands for `{text}` alone"),
                )
                .suggest(format!("write `!({text} == …)`, or `{text} != …`")),
            );
            return None;
        }
        let condition = self.as_condition(operand, typed)?;
        Some(Typed::Bool(match condition {
            BoolExpr::Not(inner) => *inner,
            other => BoolExpr::Not(Box::new(other)),
        }))
    }

    /// The operands of `&&` (or, without `all`, of `||`), and what they say together.
    fn conditions(
        &mut self,
        operands: &[Node],
        guards: Vec<(FieldId, String)>,
        all: bool,
    ) -> Outcome<Vec<BoolExpr>> {
        let typed = self.guarded(guards, |checker| {
            let conditions: Vec<_> = operands
                .iter()
                .map(|operand| checker.condition(operand))
                .collect();
            conditions.into_iter().collect::<Option<Vec<_>>>()
        })?;
        let spanned = typed
            .iter()
            .zip(operands)
            .map(|(condition, operand)| (condition, &operand.span));
        if let Some(diagnostic) = lint::together(self.source, spanned, all) {
            self.report(diagnostic);
        }
        Some(typed)
    }

    /// Runs `inner` where the keys of `guards` are sure to exist.
    fn guarded<T>(&mut self, guards: Vec<(FieldId, String)>, inner: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.guards.len();
        self.guards.extend(guards);
        let result = inner(self);
        self.guards.truncate(before);
        result
    }

    pub(super) fn is_guarded(&self, map: FieldId, key: &str) -> bool {
        self.guards
            .iter()
            .any(|(guarded, name)| *guarded == map && name == key)
    }

    fn list(&mut self, node: &Node, items: &[Node]) -> Outcome<Typed> {
        if items.len() > MAX_ITEMS {
            self.report(
                Diagnostic::error(
                    Code::TooLarge,
                    &node.span,
                    format!("the list has {} elements", items.len()),
                    format!("a list has at most {MAX_ITEMS}"),
                )
                .suggest("ask with several filters"),
            );
            return None;
        }
        let mut ints = Vec::new();
        let mut texts = Vec::new();
        for item in items {
            match self.expression(item)? {
                Typed::Int(IntExpr::Const(value)) if texts.is_empty() => ints.push(value),
                Typed::Str(text) if ints.is_empty() => texts.push(text),
                other => {
                    let mixed = matches!(other, Typed::Int(IntExpr::Const(_)) | Typed::Str(_));
                    let kind = other.kind().with_article();
                    let message = if mixed {
                        format!("`{}` is {kind} among others", shown(self.text(&item.span)))
                    } else {
                        format!("`{}` cannot stand in a list", shown(self.text(&item.span)))
                    };
                    self.report(
                        Diagnostic::error(
                            Code::WrongType,
                            &item.span,
                            message,
                            "a list holds strings only, or literal ints only",
                        )
                        .suggest("write all elements alike, or join comparisons with `||`"),
                    );
                    return None;
                }
            }
        }
        if !ints.is_empty() {
            return Some(Typed::IntList(ints));
        }
        let constants: Option<Vec<String>> = texts
            .iter()
            .map(|text| match text {
                StrExpr::Const(text) => Some(text.clone()),
                _ => None,
            })
            .collect();
        Some(Typed::List(
            constants.map_or_else(|| ListExpr::Items(texts.clone()), ListExpr::Const),
        ))
    }

    fn choice(&mut self, node: &Node, condition: &Node, yes: &Node, no: &Node) -> Outcome<Typed> {
        let typed = self.condition(condition);
        let yes_guards = keys(condition, true);
        let no_guards = keys(condition, false);
        let left = self.guarded(yes_guards, |checker| checker.expression(yes));
        let right = self.guarded(no_guards, |checker| checker.expression(no));
        let (condition, left, right) = (Box::new(typed?), left?, right?);
        Some(match (left, right) {
            (Typed::Bool(a), Typed::Bool(b)) => {
                Typed::Bool(BoolExpr::If(condition, Box::new(a), Box::new(b)))
            }
            (Typed::Int(a), Typed::Int(b)) => Typed::Int(IntExpr::If(condition, Box::new(a), Box::new(b))),
            (Typed::Str(a), Typed::Str(b)) => Typed::Str(StrExpr::If(condition, Box::new(a), Box::new(b))),
            (Typed::Time(a), Typed::Time(b)) => {
                Typed::Time(TimeExpr::If(condition, Box::new(a), Box::new(b)))
            }
            (Typed::Duration(a), Typed::Duration(b)) => {
                Typed::Duration(DurationExpr::If(condition, Box::new(a), Box::new(b)))
            }
            (left, right) => {
                let same = left.kind() == right.kind();
                let message = if same {
                    format!("`? :` cannot choose between two of {}", left.kind())
                } else {
                    format!(
                        "the branches are {} and {}",
                        left.kind().with_article(),
                        right.kind().with_article()
                    )
                };
                self.report(
                    Diagnostic::error(
                        Code::WrongType,
                        &node.span,
                        message,
                        "both branches have one type: bool, int, string, timestamp or duration",
                    )
                    .suggest("write both branches alike, or two terms joined by `||`"),
                );
                return None;
            }
        })
    }

    /// A use of a field.
    pub(super) fn uses(&mut self, id: FieldId) -> Typed {
        self.fields.insert(id);
        match id.kind() {
            Type::Bool => Typed::Bool(BoolExpr::Field(id)),
            Type::Int => Typed::Int(IntExpr::Field(id)),
            Type::Bytes => Typed::Bytes(BytesExpr::Field(id)),
            Type::List => Typed::List(ListExpr::Field(id)),
            Type::Map => Typed::Map(id),
            Type::Timestamp => Typed::Time(TimeExpr::Field(id)),
            // No field has the types of expressions; see `field::Type`.
            Type::String | Type::Duration | Type::IntList => Typed::Str(StrExpr::Field(id)),
        }
    }
}

/// The keys that are sure to exist where `node` is `truth`.
fn keys(node: &Node, truth: bool) -> Vec<(FieldId, String)> {
    match &node.expr {
        Expr::Binary(Binary::In, _, key, map) if truth => {
            let (Expr::Str(key), Some(map)) = (&key.expr, name::plain_field(map)) else {
                return Vec::new();
            };
            vec![(map, key.clone())]
        }
        Expr::Call(call) if truth && call.name == "has" && call.target.is_none() => {
            let Some(Expr::Select(map, key, _)) = call.arguments.first().map(|node| &node.expr) else {
                return Vec::new();
            };
            name::plain_field(map)
                .map(|map| vec![(map, key.clone())])
                .unwrap_or_default()
        }
        Expr::Not(operand) => keys(operand, !truth),
        Expr::All(operands) if truth => operands.iter().flat_map(|node| keys(node, true)).collect(),
        Expr::Any(operands) if !truth => operands.iter().flat_map(|node| keys(node, false)).collect(),
        _ => Vec::new(),
    }
}
