//! Names: fields, keys of maps, and what people write instead.

use super::super::ast::{Expr, Node};
use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::field::{self, FieldId, Type};
use super::super::mistakes::{self, Meant};
use super::super::typed::{StrExpr, Typed};
use super::expression::{Checker, Outcome};

/// The parts of `a.b.c`, or `None` where the expression is something else.
fn parts(node: &Node) -> Option<Vec<&str>> {
    match &node.expr {
        Expr::Ident(name) => Some(vec![name]),
        Expr::Select(operand, name, _) => {
            let mut parts = parts(operand)?;
            parts.push(name);
            Some(parts)
        }
        _ => None,
    }
}

/// The name as it is written, without blanks.
pub(super) fn dotted(node: &Node) -> Option<String> {
    parts(node).map(|parts| parts.join("."))
}

/// The field, where the expression is nothing but its name.
pub(super) fn plain_field(node: &Node) -> Option<FieldId> {
    field::lookup(&dotted(node)?)
}

impl Checker<'_> {
    /// A name: a field, or a key of a map behind its field (`request.headers.host`).
    pub(super) fn name(&mut self, node: &Node) -> Outcome<Typed> {
        let Some(name) = dotted(node) else {
            // The operand is no name: `f(x).y`.
            if let Expr::Select(operand, part, part_span) = &node.expr {
                let typed = self.expression(operand)?;
                self.report(no_parts(
                    part,
                    part_span,
                    typed.kind(),
                    &self.operand_text(operand),
                ));
            }
            return None;
        };
        if let Some(id) = field::lookup(&name) {
            return Some(self.uses(id));
        }
        // A known mistake goes before a key of a map: `node.name` is meant as `node_name`.
        if mistakes::known(&name).is_none()
            && let Expr::Select(operand, part, part_span) = &node.expr
            && let Some(id) = plain_field(operand)
        {
            self.uses(id);
            if id.kind() == Type::Map {
                return Some(self.index(node, id, StrExpr::Const(part.clone())));
            }
            self.report(no_parts(part, part_span, id.kind(), id.name()));
            return None;
        }
        self.report(unknown(&name, &node.span));
        None
    }

    /// The field of a map.
    pub(super) fn map(&mut self, node: &Node) -> Outcome<FieldId> {
        let typed = self.expression(node)?;
        if let Typed::Map(id) = typed {
            return Some(id);
        }
        let text = self.operand_text(node);
        let diagnostic = Diagnostic::error(
            Code::WrongType,
            &node.span,
            format!("`{}` is {}, not a map", shown(&text), typed.kind().with_article()),
            "only maps have keys",
        );
        self.report(match typed.kind() {
            Type::List => diagnostic.suggest(format!(
                "lists are asked with `in`, as in `\"value\" in {text}`, or by `size({text})`"
            )),
            Type::String => diagnostic.suggest(format!(
                "strings are asked with functions, as in `{text}.startsWith(\"…\")`"
            )),
            _ => diagnostic.suggest("maps are `request.headers`, `local_labels` and the like"),
        });
        None
    }

    /// `map[key]`, which has to be guarded.
    pub(super) fn index(&mut self, node: &Node, map: FieldId, key: StrExpr) -> Typed {
        let (key_text, guarded) = match &key {
            StrExpr::Const(text) => (super::super::build::quoted(text), self.is_guarded(map, text)),
            _ => match &node.expr {
                Expr::Index(_, key) => (self.text(&key.span).to_owned(), false),
                _ => (String::new(), false),
            },
        };
        if !guarded {
            let diagnostic = Diagnostic::error(
                Code::UnguardedIndex,
                &node.span,
                format!("nothing makes sure that `{map}` has the key {}", shown(&key_text)),
                "on every entry without the key the filter ends in an error",
            );
            let safe = format!("map_get({map}, {key_text}, \"\")");
            self.report(match &key {
                StrExpr::Const(_) => diagnostic
                    .suggest(format!(
                        "write `{}`, or put `{} in {map} &&` before it",
                        shown(&safe),
                        shown(&key_text)
                    ))
                    .replace(&node.span, safe),
                _ => diagnostic.suggest(format!("write `{}`", shown(&safe))),
            });
        }
        Typed::Str(StrExpr::Index(map, Box::new(key), node.span.clone()))
    }
}

/// `.part` behind something that is neither a map nor the beginning of a name.
fn no_parts(part: &str, span: &Span, kind: Type, operand: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        Code::UnknownField,
        span,
        format!("`{}` has no `{}`", shown(operand), shown(part)),
        format!("it is {}, which has no parts", kind.with_article()),
    );
    match part.to_ascii_lowercase().as_str() {
        "length" | "len" | "size" | "count" => {
            diagnostic.suggest(format!("write `size({})`", shown(operand)))
        }
        _ => diagnostic.suggest(format!("leave `.{}` out", shown(part))),
    }
}

/// A name that is no field.
fn unknown(name: &str, span: &Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        Code::UnknownField,
        span,
        format!("no field is named `{}`", shown(name)),
        "a server answers an unknown name with an empty list",
    );
    match mistakes::known(name) {
        Some((Meant::Field(id), reason)) => {
            let mut diagnostic = diagnostic.replace(span, id.name());
            if let Some(reason) = reason {
                reason.clone_into(&mut diagnostic.reason);
            }
            return diagnostic;
        }
        Some((Meant::Advice(advice), reason)) => {
            let mut diagnostic = diagnostic.suggest(advice);
            if let Some(reason) = reason {
                reason.clone_into(&mut diagnostic.reason);
            }
            return diagnostic;
        }
        None => {}
    }
    let near = mistakes::nearest(name);
    match near.as_slice() {
        [] => diagnostic.suggest("`rca-agent kfl fields PATTERN` searches the names"),
        [only] => diagnostic.replace(span, only.name()),
        [first, others @ ..] => {
            let others: Vec<_> = others.iter().map(|id| format!("`{id}`")).collect();
            diagnostic
                .suggest(format!("write `{first}`; near are also {}", others.join(" and ")))
                .replace(span, first.name())
        }
    }
}
