//! Calls of functions that do not exist, or not on that.

use super::super::ast::{Call, Node};
use super::super::diagnostic::{Code, Diagnostic, shown};
use super::super::field::Type;
use super::super::typed::{IntExpr, Typed};
use super::expression::Checker;

/// Other languages' names of the functions of strings.
const METHODS: [(&str, &[&str]); 4] = [
    (
        "contains",
        &["contains", "includes", "has", "indexof", "like", "find"],
    ),
    (
        "startsWith",
        &["startswith", "starts_with", "hasprefix", "beginswith"],
    ),
    ("endsWith", &["endswith", "ends_with", "hassuffix"]),
    (
        "matches",
        &["matches", "match", "regex", "regexp", "matchesregex", "test"],
    ),
];

/// KFL's name of a function of strings, where it is called otherwise elsewhere.
fn method_meant(written: &str) -> Option<&'static str> {
    let lower = written.to_ascii_lowercase();
    METHODS
        .iter()
        .find(|(_, names)| names.contains(&lower.as_str()))
        .map(|(right, _)| *right)
}

impl Checker<'_> {
    /// A function that does not exist.
    pub(super) fn unknown_function(&self, node: &Node, call: &Call) -> Diagnostic {
        let name = call.name.as_str();
        let diagnostic = Diagnostic::error(
            Code::UnknownFunction,
            &call.name_span,
            format!("no function is named `{}`", shown(name)),
            "the functions are size, map_get, timestamp, duration and now, and those of strings",
        );
        if let (Some(right), [subject, argument]) = (method_meant(name), call.arguments.as_slice()) {
            let text = format!(
                "{}.{right}({})",
                self.operand_text(subject),
                self.text(&argument.span)
            );
            let mut diagnostic = diagnostic.replace(&node.span, text);
            diagnostic.reason = format!("`{right}` is called on the string, with a dot");
            return diagnostic;
        }
        match (name.to_ascii_lowercase().as_str(), call.arguments.as_slice()) {
            ("len" | "length" | "count" | "strlen", [of]) => {
                diagnostic.replace(&node.span, format!("size({})", self.text(&of.span)))
            }
            ("get" | "mapget" | "getordefault", _) => {
                diagnostic.suggest("write `map_get(map, \"key\", \"default\")`")
            }
            ("int" | "string" | "double" | "bool" | "uint" | "bytes" | "type" | "dyn", _) => {
                diagnostic.suggest("values have the types of the field table; compare them as they are")
            }
            ("lower" | "upper" | "tolower" | "toupper" | "lowerascii", _) => {
                diagnostic.suggest("match without case by a regular expression: `path.matches(\"(?i)…\")`")
            }
            ("avg" | "sum" | "min" | "max" | "percentile", _) => {
                diagnostic.suggest("a filter chooses single entries; statistics come from `get_api_stats`")
            }
            ("not", [operand]) => diagnostic.replace(&node.span, format!("!{}", self.operand_text(operand))),
            (lower @ ("size" | "map_get" | "timestamp" | "duration" | "now"), _) => {
                diagnostic.replace(&call.name_span, lower)
            }
            ("time" | "date" | "datetime" | "todatetime", _) => {
                diagnostic.suggest("write `timestamp(\"2026-03-14T16:12:34Z\")`")
            }
            _ => diagnostic.suggest("write the condition with operators and these functions"),
        }
    }

    /// A function that its subject does not have, or not with these arguments.
    pub(super) fn no_method(
        &self,
        node: &Node,
        call: &Call,
        target: &Node,
        subject: &Typed,
        arguments: &[Typed],
    ) -> Diagnostic {
        let written = shown(&call.name);
        let kind = subject.kind();
        let text = self.operand_text(target);
        let argument = call.arguments.first().map(|argument| self.text(&argument.span));
        let meant = method_meant(&call.name);
        let diagnostic = |code, reason: String| {
            Diagnostic::error(
                code,
                &call.name_span,
                format!("{} has no function `{written}`", kind.with_article()),
                reason,
            )
        };
        let is = format!("`{}` is {}", shown(&text), kind.with_article());
        match (subject, meant, argument, arguments) {
            (Typed::Str(_), Some(right), Some(argument), [Typed::Str(_)]) if right != call.name => {
                diagnostic(Code::UnknownFunction, format!("it is named `{right}`"))
                    .replace(&node.span, format!("{text}.{right}({argument})"))
            }
            (Typed::Str(_), Some(right), Some(_), [Typed::Int(IntExpr::Const(number))]) => {
                let at = call
                    .arguments
                    .first()
                    .map_or(&node.span, |argument| &argument.span);
                Diagnostic::error(
                    Code::WrongType,
                    at,
                    format!("`{right}` looks for text, not for an int"),
                    "text is written in quotes",
                )
                .replace(at, format!("\"{number}\""))
            }
            (Typed::Str(_), Some(right), _, _) => Diagnostic::error(
                Code::WrongCall,
                &node.span,
                format!("`{right}` takes one string"),
                format!("it is called as `text.{right}(\"part\")`"),
            )
            .suggest("join several conditions with `||`"),
            (Typed::List(_) | Typed::IntList(_) | Typed::Map(_), Some(_), Some(argument), _) => {
                diagnostic(Code::WrongCall, is).replace(&node.span, format!("{argument} in {text}"))
            }
            (Typed::Int(_), Some(_), Some(argument), _) => {
                let digit = argument
                    .trim_matches(['"', '\'', '^', '.', '*'])
                    .parse::<u8>()
                    .ok();
                let diagnostic = diagnostic(Code::WrongCall, is);
                match digit.filter(|digit| (1..=5).contains(digit)) {
                    Some(class) if text == "status_code" => diagnostic.replace(
                        &node.span,
                        format!("(status_code >= {class}00 && status_code < {}00)", class + 1),
                    ),
                    _ => diagnostic.suggest(format!("compare it, as in `{text} >= 500`")),
                }
            }
            _ => match call.name.to_ascii_lowercase().as_str() {
                "length" | "len" | "count" => diagnostic(Code::UnknownFunction, "it is named `size`".into())
                    .replace(&node.span, format!("size({})", self.text(&target.span))),
                "lower" | "tolower" | "tolowercase" | "lowerascii" | "upper" | "toupper" | "touppercase"
                | "upperascii" => diagnostic(
                    Code::UnknownFunction,
                    "KFL does not change the case of text".into(),
                )
                .suggest(format!("match without case: `{text}.matches(\"(?i)…\")`")),
                "get" if kind == Type::Map => diagnostic(Code::UnknownFunction, is)
                    .suggest(format!("write `map_get({text}, \"key\", \"\")`")),
                _ => diagnostic(
                    Code::UnknownFunction,
                    "strings have contains, startsWith, endsWith, matches and size".into(),
                )
                .suggest("write the condition with these or with operators"),
            },
        }
    }
}
