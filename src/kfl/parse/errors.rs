//! What the parser says where it cannot read on.

use super::{Kind, Parser, Stop};
use crate::kfl::diagnostic::{Code, Diagnostic, Span, shown};

impl Parser<'_> {
    /// After a whole expression something else follows.
    pub(super) fn leftover(&mut self) -> Stop {
        let span = self.span();
        let text = shown(self.text(&span));
        let syntax = |message: String, reason: &str| Diagnostic::error(Code::Syntax, &span, message, reason);
        let diagnostic = match self.kind() {
            Kind::Close => syntax("this `)` closes nothing".into(), "no `(` is open here").replace(&span, ""),
            Kind::CloseList => {
                syntax("this `]` closes nothing".into(), "no `[` is open here").replace(&span, "")
            }
            Kind::Comma => {
                syntax("`,` joins nothing here".into(), "a filter is one expression").replace(&span, " &&")
            }
            Kind::Ident(word) if word.eq_ignore_ascii_case("between") => syntax(
                format!("`{text}` is no operator"),
                "a range is written as two comparisons",
            )
            .suggest("write it like `status_code >= 500 && status_code <= 599`"),
            Kind::Ident(word)
                if ["order", "limit", "group", "where"].contains(&word.to_ascii_lowercase().as_str()) =>
            {
                syntax(
                    format!("`{text}` is no part of a filter"),
                    "a filter chooses entries; it neither orders nor limits nor groups them",
                )
                .suggest("give a limit or a grouping to the tool that takes the filter")
            }
            Kind::Question | Kind::Colon => syntax(
                format!("`{text}` has no place here"),
                "`? :` takes a condition before it",
            )
            .suggest("write `condition ? value : other`"),
            _ => syntax(
                format!("expected an operator before `{text}`"),
                "two operands stand side by side",
            )
            .replace(&(span.start..span.start), "&& "),
        };
        self.fail(diagnostic)
    }

    /// An operand should begin here and does not.
    pub(super) fn no_operand(&mut self) -> Stop {
        let span = self.span();
        let text = shown(self.text(&span));
        let diagnostic = match self.kind() {
            Kind::End => self.dangling(&span),
            Kind::IntBelowMinimum => Diagnostic::error(
                Code::BadLiteral,
                &span,
                "the number is too large",
                "an int has 64 bits, so it ends at 9223372036854775807",
            )
            .suggest("write a smaller number"),
            Kind::Dot => Diagnostic::error(
                Code::Syntax,
                &span,
                "a name cannot begin with a dot",
                "fields are named from their beginning, as in `dst.pod.name`",
            )
            .replace(&span, ""),
            _ => Diagnostic::error(
                Code::Syntax,
                &span,
                format!("expected a field, a literal or `(`, found `{text}`"),
                "an operator needs a value on either side",
            )
            .suggest("write the missing value, or take the operator out"),
        };
        self.fail(diagnostic)
    }

    /// The filter ends where a value is due.
    fn dangling(&self, span: &Span) -> Diagnostic {
        let last = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let Some(last) = last else {
            return Diagnostic::error(
                Code::Syntax,
                span,
                "the filter ends too early",
                "a value is missing",
            );
        };
        let text = shown(self.text(&last.span));
        let diagnostic = Diagnostic::error(
            Code::Syntax,
            &last.span,
            format!("the filter ends after `{text}`"),
            "a value has to follow",
        );
        match last.kind {
            // Taking the operator out, with the blank before it, leaves a whole filter.
            Kind::And | Kind::Or => {
                let before = self.source.get(..last.span.start).unwrap_or_default();
                diagnostic
                    .replace(&(before.trim_end().len()..last.span.end), "")
                    .suggest(format!("write another term, or leave the `{text}` out"))
            }
            _ => diagnostic.suggest("write the missing value"),
        }
    }

    pub(super) fn no_name(&mut self, span: &Span) -> Stop {
        let text = shown(self.text(span));
        let message = if text.is_empty() {
            "the filter ends after a dot".to_owned()
        } else {
            format!("expected a name after the dot, found `{text}`")
        };
        self.fail(
            Diagnostic::error(
                Code::Syntax,
                span,
                message,
                "a dot joins the parts of a field's name, or calls a function of a string",
            )
            .suggest("a key with special characters goes in brackets: `request.headers[\"x-request-id\"]`"),
        )
    }

    /// `open` has no `symbol`.
    pub(super) fn unclosed(&mut self, open: &Span, symbol: &str) -> Stop {
        let at = self.span();
        let opening = shown(self.text(open));
        let diagnostic = if *self.kind() == Kind::End {
            let end = self.source.trim_end().len();
            Diagnostic::error(
                Code::Syntax,
                open,
                format!("this `{opening}` is not closed"),
                format!("the filter ends without a `{symbol}` for it"),
            )
            .suggest(format!("add a `{symbol}`"))
            .replace(&(end..end), symbol)
        } else {
            let text = shown(self.text(&at));
            Diagnostic::error(
                Code::Syntax,
                &at,
                format!("expected an operator or `{symbol}`, found `{text}`"),
                format!(
                    "the `{opening}` at position {} is still open",
                    self.position(open.start)
                ),
            )
            .suggest(format!(
                "close it with `{symbol}`, or put `,` or an operator between the values"
            ))
        };
        self.fail(diagnostic)
    }

    /// Characters up to a byte, counted from 1 as people do.
    fn position(&self, byte: usize) -> usize {
        self.source.get(..byte).unwrap_or_default().chars().count() + 1
    }
}
