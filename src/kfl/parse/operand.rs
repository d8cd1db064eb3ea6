//! Operands: literals, names, lists, parentheses, and what hangs behind them.

use super::{Kind, Parsed, Parser};
use crate::kfl::ast::{Call, Expr, Node};
use crate::kfl::diagnostic::Span;

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Parsed<Node> {
        let start = self.span();
        let expr = match self.kind().clone() {
            Kind::Ident(name) => {
                self.advance();
                if *self.kind() == Kind::Open {
                    let node = self.call(name, start, None)?;
                    return self.postfix(node);
                }
                Expr::Ident(name)
            }
            Kind::Int(value) => {
                self.advance();
                Expr::Int(value)
            }
            Kind::Str(text) => {
                self.advance();
                Expr::Str(text)
            }
            Kind::Bytes(bytes) => {
                self.advance();
                Expr::Bytes(bytes)
            }
            Kind::True | Kind::False => {
                let value = *self.kind() == Kind::True;
                self.advance();
                Expr::Bool(value)
            }
            Kind::Open => {
                self.advance();
                let mut inner = self.expression()?;
                let Some(close) = self.eat(&Kind::Close) else {
                    return Err(self.unclosed(&start, ")"));
                };
                inner.span = start.start..close.end;
                return self.postfix(inner);
            }
            Kind::OpenList => {
                self.advance();
                let (items, close) = self.items(&Kind::CloseList, &start, "]")?;
                let below = items.iter().map(|node| node.depth).max().unwrap_or(0);
                let node = self.node(start.start..close.end, Expr::List(items), below)?;
                return self.postfix(node);
            }
            _ => return Err(self.no_operand()),
        };
        let node = self.node(start, expr, 0)?;
        self.postfix(node)
    }

    /// `.name`, `.name(…)` and `[key]` behind an operand.
    pub(super) fn postfix(&mut self, mut node: Node) -> Parsed<Node> {
        loop {
            if self.eat(&Kind::Dot).is_some() {
                let name_span = self.span();
                let name = match self.kind().clone() {
                    Kind::Ident(name) => name,
                    // Fields may be called like words of the language.
                    Kind::In | Kind::True | Kind::False => self.text(&name_span).to_owned(),
                    _ => return Err(self.no_name(&name_span)),
                };
                self.advance();
                if *self.kind() == Kind::Open {
                    node = self.call(name, name_span, Some(node))?;
                    continue;
                }
                let span = node.span.start..name_span.end;
                let below = node.depth;
                node = self.node(span, Expr::Select(Box::new(node), name, name_span), below)?;
            } else if let Some(open) = self.eat(&Kind::OpenList) {
                let key = self.expression()?;
                let Some(close) = self.eat(&Kind::CloseList) else {
                    return Err(self.unclosed(&open, "]"));
                };
                let span = node.span.start..close.end;
                let below = node.depth.max(key.depth);
                node = self.node(span, Expr::Index(Box::new(node), Box::new(key)), below)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn call(&mut self, name: String, name_span: Span, target: Option<Node>) -> Parsed<Node> {
        let open = self.advance();
        let (arguments, close) = self.items(&Kind::Close, &open, ")")?;
        let start = target.as_ref().map_or(name_span.start, |node| node.span.start);
        let below = arguments
            .iter()
            .chain(target.as_ref())
            .map(|node| node.depth)
            .max()
            .unwrap_or(0);
        let call = Call {
            name,
            name_span,
            target: target.map(Box::new),
            arguments,
        };
        self.node(start..close.end, Expr::Call(call), below)
    }

    /// Expressions with commas between, up to and with `close`. A comma may stand before it.
    fn items(&mut self, close: &Kind, open: &Span, symbol: &str) -> Parsed<(Vec<Node>, Span)> {
        let mut items = Vec::new();
        loop {
            if let Some(span) = self.eat(close) {
                return Ok((items, span));
            }
            items.push(self.expression()?);
            if self.eat(&Kind::Comma).is_none() {
                return match self.eat(close) {
                    Some(span) => Ok((items, span)),
                    None => Err(self.unclosed(open, symbol)),
                };
            }
        }
    }
}
