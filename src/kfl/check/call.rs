//! Functions.

use super::super::ast::{Call, Expr, Node};
use super::super::diagnostic::{Code, Diagnostic, shown};
use super::super::field::Type;
use super::super::instant;
use super::super::re2::Pattern;
use super::super::typed::{
    BoolExpr, BytesExpr, DurationExpr, IntExpr, ListExpr, StrExpr, TextTest, TimeExpr, Typed,
};
use super::expression::{Checker, Outcome};
use super::name;

impl Checker<'_> {
    pub(super) fn call(&mut self, node: &Node, call: &Call) -> Outcome<Typed> {
        match &call.target {
            Some(target) => self.method(node, call, target),
            None => self.function(node, call),
        }
    }

    fn function(&mut self, node: &Node, call: &Call) -> Outcome<Typed> {
        match (call.name.as_str(), call.arguments.as_slice()) {
            ("size", [of]) => self.size(of),
            ("map_get", [map, key, default]) => self.map_get(map, key, default),
            ("timestamp", [text]) => self.timestamp(node, text),
            ("duration", [text]) => self.duration(text),
            ("now", []) => Some(Typed::Time(TimeExpr::Now)),
            ("has", [of]) => self.has(node, of),
            ("map_get", [map, key]) => {
                let (map, key) = (self.text(&map.span), self.text(&key.span));
                self.report(
                    Diagnostic::error(
                        Code::WrongCall,
                        &node.span,
                        "`map_get` has three arguments",
                        "the third is the value for entries without the key",
                    )
                    .replace(&node.span, format!("map_get({map}, {key}, \"\")")),
                );
                None
            }
            (name @ ("size" | "map_get" | "timestamp" | "duration" | "now" | "has"), arguments) => {
                let shape = match name {
                    "size" => "size(list)",
                    "map_get" => "map_get(map, key, default)",
                    "timestamp" => "timestamp(\"2026-03-14T16:12:34Z\")",
                    "duration" => "duration(\"5m\")",
                    "now" => "now()",
                    _ => "has(map.key)",
                };
                self.report(
                    Diagnostic::error(
                        Code::WrongCall,
                        &node.span,
                        format!("`{name}` is called with {}", count(arguments.len())),
                        format!("it is called as `{shape}`"),
                    )
                    .suggest(format!("write `{shape}`")),
                );
                None
            }
            _ => {
                let diagnostic = self.unknown_function(node, call);
                self.report(diagnostic);
                None
            }
        }
    }

    fn method(&mut self, node: &Node, call: &Call, target: &Node) -> Outcome<Typed> {
        let name = call.name.as_str();
        if matches!(name, "exists" | "all" | "exists_one" | "filter" | "map") {
            let list = self.operand_text(target);
            self.report(
                Diagnostic::error(
                    Code::UnknownFunction,
                    &call.name_span,
                    format!("`{name}` is no function of KFL"),
                    "KFL has no functions with variables of their own",
                )
                .suggest(format!("ask for whole values: `\"value\" in {list}`")),
            );
            return None;
        }
        let subject = self.expression(target)?;
        let arguments: Option<Vec<Typed>> = call
            .arguments
            .iter()
            .map(|argument| self.expression(argument))
            .collect();
        let arguments = arguments?;
        match (subject, name, arguments.as_slice(), call.arguments.as_slice()) {
            (subject, "size", [], _) => self.size_of(target, subject),
            (Typed::Str(text), "matches", [Typed::Str(pattern)], [at]) => self.matches(text, pattern, at),
            (Typed::Str(text), _, [Typed::Str(part)], _) if TextTest::named(name).is_some() => {
                let function = TextTest::named(name)?;
                Some(Typed::Bool(match (&text, part) {
                    (StrExpr::Const(text), StrExpr::Const(part)) => {
                        BoolExpr::Const(function.holds(text, part))
                    }
                    _ => BoolExpr::Text(function, text, part.clone()),
                }))
            }
            (subject, _, arguments, _) => {
                let diagnostic = self.no_method(node, call, target, &subject, arguments);
                self.report(diagnostic);
                None
            }
        }
    }

    fn matches(&mut self, text: StrExpr, pattern: &StrExpr, at: &Node) -> Outcome<Typed> {
        let StrExpr::Const(pattern) = pattern else {
            self.report(
                Diagnostic::error(
                    Code::BadRegex,
                    &at.span,
                    "the regular expression is no literal",
                    "an expression that differs from entry to entry cannot be checked",
                )
                .suggest("write it as a string, or use `contains`"),
            );
            return None;
        };
        match Pattern::new(pattern) {
            Ok(pattern) => Some(Typed::Bool(BoolExpr::Matches(text, Box::new(pattern)))),
            Err(bad) => {
                self.report(
                    Diagnostic::error(
                        Code::BadRegex,
                        &at.span,
                        "RE2 refuses the regular expression",
                        bad.reason,
                    )
                    .suggest(bad.advice),
                );
                None
            }
        }
    }

    fn size(&mut self, of: &Node) -> Outcome<Typed> {
        let typed = self.expression(of)?;
        self.size_of(of, typed)
    }

    fn size_of(&mut self, node: &Node, typed: Typed) -> Outcome<Typed> {
        let length = |length: usize| IntExpr::Const(i64::try_from(length).unwrap_or(i64::MAX));
        Some(Typed::Int(match typed {
            Typed::Str(StrExpr::Const(text)) => length(text.chars().count()),
            Typed::Str(text) => IntExpr::StrSize(Box::new(text)),
            Typed::Bytes(BytesExpr::Const(bytes)) => length(bytes.len()),
            Typed::Bytes(bytes) => IntExpr::BytesSize(bytes),
            Typed::List(ListExpr::Const(items)) => length(items.len()),
            Typed::List(list) => IntExpr::ListSize(list),
            Typed::IntList(items) => length(items.len()),
            Typed::Map(map) => IntExpr::MapSize(map),
            other => {
                let text = shown(self.text(&node.span));
                self.report(
                    Diagnostic::error(
                        Code::WrongCall,
                        &node.span,
                        format!("{} has no size", other.kind().with_article()),
                        "strings, bytes, lists and maps have one",
                    )
                    .suggest(format!("compare `{text}` itself")),
                );
                return None;
            }
        }))
    }

    fn map_get(&mut self, map: &Node, key: &Node, default: &Node) -> Outcome<Typed> {
        let map = self.map(map);
        let key_typed = self.expression(key);
        let key = self.expect_string(key, key_typed, "the key of a map");
        let default_typed = self.expression(default);
        let default = self.expect_string(default, default_typed, "the default of `map_get`");
        Some(Typed::Str(StrExpr::MapGet(
            map?,
            Box::new(key?),
            Box::new(default?),
        )))
    }

    /// The expression where it is a string; `what` it is goes into the message where it is not.
    pub(super) fn expect_string(
        &mut self,
        node: &Node,
        typed: Option<Typed>,
        what: &str,
    ) -> Outcome<StrExpr> {
        let kind = match typed? {
            Typed::Str(text) => return Some(text),
            other => other.kind(),
        };
        let text = self.text(&node.span);
        let diagnostic = Diagnostic::error(
            Code::WrongType,
            &node.span,
            format!(
                "{what} is a string, and `{}` is {}",
                shown(text),
                kind.with_article()
            ),
            "maps hold strings under strings",
        );
        self.report(match &node.expr {
            Expr::Int(_) | Expr::Bool(_) => diagnostic.replace(&node.span, format!("\"{text}\"")),
            _ => diagnostic.suggest("write a string"),
        });
        None
    }

    fn timestamp(&mut self, node: &Node, argument: &Node) -> Outcome<Typed> {
        let typed = self.expression(argument)?;
        let (bad, span) = match &typed {
            Typed::Str(StrExpr::Const(text)) => match instant::parse_timestamp(text) {
                Ok(micros) => return Some(Typed::Time(TimeExpr::Const(micros))),
                Err(bad) => (bad, &argument.span),
            },
            Typed::Int(IntExpr::Const(number)) => (
                instant::BadTime {
                    reason: "`timestamp` takes RFC 3339 text, not a Unix time",
                    meant: instant::unix_number(*number),
                },
                &argument.span,
            ),
            _ => (
                instant::BadTime {
                    reason: "`timestamp` takes RFC 3339 text in quotes",
                    meant: None,
                },
                &node.span,
            ),
        };
        let diagnostic = Diagnostic::error(
            Code::BadLiteral,
            span,
            format!("`{}` is no point in time", shown(self.text(span))),
            bad.reason,
        );
        self.report(match bad.meant {
            Some(meant) => diagnostic
                .suggest(format!("write `timestamp(\"{meant}\")`"))
                .replace(&node.span, format!("timestamp(\"{meant}\")")),
            None => diagnostic.suggest("write it like `timestamp(\"2026-03-14T16:12:34Z\")`"),
        });
        None
    }

    fn duration(&mut self, argument: &Node) -> Outcome<Typed> {
        let typed = self.expression(argument)?;
        let (reason, meant) = match &typed {
            Typed::Str(StrExpr::Const(text)) => match instant::parse_duration(text) {
                Ok(micros) => return Some(Typed::Duration(DurationExpr::Const(micros))),
                Err(reason) => (reason, instant::parse_loose_duration(text)),
            },
            Typed::Int(IntExpr::Const(number)) => {
                ("`duration` takes text with a unit", Some(format!("{number}s")))
            }
            _ => ("`duration` takes text in quotes, such as \"5m\"", None),
        };
        let diagnostic = Diagnostic::error(
            Code::BadLiteral,
            &argument.span,
            format!("`{}` is no duration", shown(self.text(&argument.span))),
            reason,
        );
        self.report(match meant {
            Some(meant) => diagnostic.replace(&argument.span, format!("\"{meant}\"")),
            None => diagnostic.suggest("write it like `duration(\"1h30m\")`; the largest unit is h"),
        });
        None
    }

    /// `has(map.key)`.
    fn has(&mut self, node: &Node, of: &Node) -> Outcome<Typed> {
        if let Expr::Select(map, key, _) = &of.expr
            && let Some(id) = name::plain_field(map)
            && id.kind() == Type::Map
            && name::plain_field(of).is_none()
        {
            self.uses(id);
            return Some(Typed::Bool(BoolExpr::KeyIn(StrExpr::Const(key.clone()), id)));
        }
        if let Expr::Index(map, key) = &of.expr {
            let text = format!("{} in {}", self.text(&key.span), self.text(&map.span));
            self.report(
                Diagnostic::error(
                    Code::WrongCall,
                    &node.span,
                    "`has` does not take an index",
                    "whether a map has a key is asked with `in`",
                )
                .replace(&node.span, text),
            );
            return None;
        }
        let typed = self.expression(of)?;
        let text = self.operand_text(of);
        let condition = match typed.kind() {
            Type::Bool => text,
            Type::String => format!("{text} != \"\""),
            Type::Int => format!("{text} != 0"),
            _ => format!("size({text}) > 0"),
        };
        self.report(
            Diagnostic::error(
                Code::WrongCall,
                &node.span,
                "`has` asks for keys of maps only",
                "every entry has every field: an absent one is \"\", 0, false or empty",
            )
            .replace(&node.span, condition),
        );
        None
    }
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        n => format!("{n} arguments"),
    }
}
