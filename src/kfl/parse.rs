//! Tokens to a syntax tree, by precedence climbing.
//!
//! The grammar is CEL's without what KFL has no use for (maps and messages written out, macros with
//! variables, leading dots). An own parser rather than a CEL library's: its positions are exact for every
//! part, it reads on over the mistakes people make, and it says what to write instead.

mod errors;
mod operand;

use super::ast::{Arithmetic, Binary, Call, Expr, Node};
use super::diagnostic::{Code, Diagnostic, Span, shown};
use super::lex::{self, Kind, Stop, Token};

/// Nesting of an expression at most. Everything that recurses over the tree relies on it.
const MAX_DEPTH: usize = 64;

/// The tree of `source`, or `None` where there is nothing but blanks and comments.
pub(super) fn parse(source: &str, found: &mut Vec<Diagnostic>) -> Result<Option<Node>, Stop> {
    let tokens = lex::tokens(source, found)?;
    let mut parser = Parser {
        source,
        tokens,
        at: 0,
        depth: 0,
        found,
    };
    if *parser.kind() == Kind::End {
        return Ok(None);
    }
    let root = parser.expression()?;
    if *parser.kind() != Kind::End {
        return Err(parser.leftover());
    }
    Ok(Some(root))
}

struct Parser<'a> {
    source: &'a str,
    /// Ends with `End`, which is never passed.
    tokens: Vec<Token>,
    at: usize,
    /// Of the recursion at this moment.
    depth: usize,
    found: &'a mut Vec<Diagnostic>,
}

type Parsed<T> = Result<T, Stop>;

impl Parser<'_> {
    fn kind(&self) -> &Kind {
        self.kind_at(0)
    }

    fn kind_at(&self, ahead: usize) -> &Kind {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Kind::End, |token| &token.kind)
    }

    fn span(&self) -> Span {
        let end = self.source.len();
        self.tokens
            .get(self.at)
            .map_or(end..end, |token| token.span.clone())
    }

    fn advance(&mut self) -> Span {
        let span = self.span();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        span
    }

    fn eat(&mut self, kind: &Kind) -> Option<Span> {
        (self.kind() == kind).then(|| self.advance())
    }

    fn text(&self, span: &Span) -> &str {
        self.source.get(span.clone()).unwrap_or_default()
    }

    fn fail(&mut self, diagnostic: Diagnostic) -> Stop {
        self.found.push(diagnostic);
        Stop
    }

    /// Whether the next token is `word`, in either case.
    fn at_word(&self, word: &str) -> bool {
        matches!(self.kind(), Kind::Ident(name) if name.eq_ignore_ascii_case(word))
    }

    fn node(&mut self, span: Span, expr: Expr, below: usize) -> Parsed<Node> {
        let depth = below + 1;
        if depth > MAX_DEPTH {
            return Err(self.too_deep(&span));
        }
        Ok(Node { span, expr, depth })
    }

    fn too_deep(&mut self, span: &Span) -> Stop {
        self.fail(
            Diagnostic::error(
                Code::TooLarge,
                span,
                "the filter is nested too deeply",
                format!("an expression has at most {MAX_DEPTH} levels"),
            )
            .suggest("split it into several filters, or use `value in [..]`"),
        )
    }

    /// `or`, or `or ? expression : expression`.
    fn expression(&mut self) -> Parsed<Node> {
        // The level of parentheses and branches; every other recursion goes through here or `unary`.
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let span = self.span();
            return Err(self.too_deep(&span));
        }
        let condition = self.or()?;
        let node = if self.eat(&Kind::Question).is_some() {
            let yes = self.expression()?;
            if self.eat(&Kind::Colon).is_none() {
                let span = self.span();
                return Err(self.fail(
                    Diagnostic::error(
                        Code::Syntax,
                        &span,
                        "the `?` has no `:`",
                        "a choice has two branches",
                    )
                    .suggest("write `condition ? value : other`"),
                ));
            }
            let no = self.expression()?;
            let span = condition.span.start..no.span.end;
            let below = condition.depth.max(yes.depth).max(no.depth);
            self.node(
                span,
                Expr::Ternary(Box::new(condition), Box::new(yes), Box::new(no)),
                below,
            )?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(node)
    }

    fn or(&mut self) -> Parsed<Node> {
        self.joined(&Kind::Or, "or", "||", Self::and, Expr::Any)
    }

    fn and(&mut self) -> Parsed<Node> {
        self.joined(&Kind::And, "and", "&&", Self::relation, Expr::All)
    }

    /// Operands joined by `&&` or by `||`, in one node however many they are.
    fn joined(
        &mut self,
        operator: &Kind,
        word: &str,
        symbol: &str,
        operand: fn(&mut Self) -> Parsed<Node>,
        build: fn(Vec<Node>) -> Expr,
    ) -> Parsed<Node> {
        let first = operand(self)?;
        let mut operands = vec![first];
        loop {
            if self.at_word(word) {
                let span = self.advance();
                let written = self.text(&span).to_owned();
                self.found.push(
                    Diagnostic::error(
                        Code::Syntax,
                        &span,
                        format!("`{written}` is no operator"),
                        format!("KFL writes it `{symbol}`"),
                    )
                    .replace(&span, symbol),
                );
            } else if self.eat(operator).is_none() {
                break;
            }
            operands.push(operand(self)?);
        }
        if operands.len() == 1
            && let Some(only) = operands.pop()
        {
            return Ok(only);
        }
        let span = operands.first().map_or(0, |node| node.span.start)
            ..operands.last().map_or(0, |node| node.span.end);
        let below = operands.iter().map(|node| node.depth).max().unwrap_or(0);
        self.node(span, build(operands), below)
    }

    fn relation(&mut self) -> Parsed<Node> {
        let mut left = self.sum()?;
        loop {
            let operator = match self.kind() {
                Kind::Compare(comparison) => Binary::Compare(*comparison),
                Kind::In => Binary::In,
                Kind::Ident(_) | Kind::Not => match self.infix_word(left)? {
                    Ok(node) => {
                        left = node;
                        continue;
                    }
                    Err(unchanged) => return Ok(unchanged),
                },
                _ => return Ok(left),
            };
            let operator_span = self.advance();
            let right = self.sum()?;
            let span = left.span.start..right.span.end;
            let below = left.depth.max(right.depth);
            left = self.node(
                span,
                Expr::Binary(operator, operator_span, Box::new(left), Box::new(right)),
                below,
            )?;
        }
    }

    /// `left contains "x"`, `left not in list`, `left is "x"`: reported, and read as what was meant.
    /// Gives `left` back where no such word follows.
    fn infix_word(&mut self, left: Node) -> Parsed<Result<Node, Node>> {
        let negated = self.at_word("not") || *self.kind() == Kind::Not;
        let word_at = usize::from(negated);
        let word = match self.kind_at(word_at) {
            Kind::Ident(word) => word.to_ascii_lowercase(),
            Kind::In if negated => "in".to_owned(),
            _ => return Ok(Err(left)),
        };
        let function = match word.as_str() {
            "contains" | "includes" | "like" | "has" => "contains",
            "startswith" | "starts_with" => "startsWith",
            "endswith" | "ends_with" => "endsWith",
            "matches" | "regex" | "rlike" => "matches",
            "is" | "eq" | "equals" | "ne" | "in" => "",
            _ => return Ok(Err(left)),
        };
        let mut operator_span = self.advance();
        if negated {
            operator_span.end = self.advance().end;
        }
        let is_not = word == "is" && self.at_word("not");
        if is_not {
            operator_span.end = self.advance().end;
        }
        let right = self.sum()?;
        let (left_text, right_text) = (self.text(&left.span), self.text(&right.span));
        let bang = if negated { "!" } else { "" };
        let text = match word.as_str() {
            "in" => format!("!({left_text} in {right_text})"),
            "ne" => format!("{left_text} != {right_text}"),
            _ if function.is_empty() && (negated || is_not) => format!("{left_text} != {right_text}"),
            _ if function.is_empty() => format!("{left_text} == {right_text}"),
            _ => format!("{bang}{left_text}.{function}({right_text})"),
        };
        let written = shown(self.text(&operator_span));
        let span = left.span.start..right.span.end;
        let reason = if function.is_empty() {
            "KFL compares with `==`, `!=` and `in`".to_owned()
        } else {
            format!("`{function}` is a function of the string, called with a dot")
        };
        self.found.push(
            Diagnostic::error(
                Code::Syntax,
                &operator_span,
                format!("`{written}` is no operator"),
                reason,
            )
            .replace(&span, text),
        );
        let below = left.depth.max(right.depth);
        let expr = if function.is_empty() {
            let operator = if word == "in" {
                Binary::In
            } else {
                Binary::Compare(super::ast::Comparison::Eq)
            };
            Expr::Binary(operator, operator_span, Box::new(left), Box::new(right))
        } else {
            Expr::Call(Call {
                name: function.to_owned(),
                name_span: operator_span,
                target: Some(Box::new(left)),
                arguments: vec![right],
            })
        };
        Ok(Ok(self.node(span, expr, below)?))
    }

    fn sum(&mut self) -> Parsed<Node> {
        self.chain(Self::product, |kind| match kind {
            Kind::Plus => Some(Arithmetic::Add),
            Kind::Minus => Some(Arithmetic::Subtract),
            _ => None,
        })
    }

    fn product(&mut self) -> Parsed<Node> {
        self.chain(Self::unary, |kind| match kind {
            Kind::Star => Some(Arithmetic::Multiply),
            Kind::Slash => Some(Arithmetic::Divide),
            Kind::Percent => Some(Arithmetic::Remainder),
            _ => None,
        })
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Parsed<Node>,
        operator: fn(&Kind) -> Option<Arithmetic>,
    ) -> Parsed<Node> {
        let mut left = operand(self)?;
        while let Some(arithmetic) = operator(self.kind()) {
            let operator_span = self.advance();
            let right = operand(self)?;
            let span = left.span.start..right.span.end;
            let below = left.depth.max(right.depth);
            let expr = Expr::Binary(
                Binary::Arithmetic(arithmetic),
                operator_span,
                Box::new(left),
                Box::new(right),
            );
            left = self.node(span, expr, below)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Node> {
        let start = self.span();
        let negates = *self.kind() == Kind::Minus;
        let build: fn(Box<Node>) -> Expr = match self.kind() {
            Kind::Not => Expr::Not,
            Kind::Minus => {
                if *self.kind_at(1) == Kind::IntBelowMinimum {
                    self.advance();
                    let end = self.advance().end;
                    let node = self.node(start.start..end, Expr::Int(i64::MIN), 0)?;
                    return self.postfix(node);
                }
                Expr::Negate
            }
            Kind::Ident(word) if word.eq_ignore_ascii_case("not") && self.begins_operand(1) => {
                return self.not_word();
            }
            _ => return self.primary(),
        };
        self.advance();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(&start));
        }
        let operand = self.unary()?;
        self.depth -= 1;
        let span = start.start..operand.span.end;
        let below = operand.depth;
        // A negative literal is a literal, as in CEL.
        if let Expr::Int(value) = operand.expr
            && negates
            && let Some(negative) = value.checked_neg()
        {
            return self.node(span, Expr::Int(negative), 0);
        }
        self.node(span, build(Box::new(operand)), below)
    }

    /// `not a == b`, which elsewhere binds looser than a comparison; read as `!(a == b)`.
    fn not_word(&mut self) -> Parsed<Node> {
        let word = self.advance();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(&word));
        }
        let operand = self.relation()?;
        self.depth -= 1;
        let span = word.start..operand.span.end;
        let text = self.text(&operand.span);
        let text = if matches!(operand.expr, Expr::Binary(..)) && !text.starts_with('(') {
            format!("!({text})")
        } else {
            format!("!{text}")
        };
        self.found.push(
            Diagnostic::error(Code::Syntax, &word, "`not` is no operator", "KFL writes it `!`")
                .replace(&span, text),
        );
        let below = operand.depth;
        self.node(span, Expr::Not(Box::new(operand)), below)
    }

    fn begins_operand(&self, ahead: usize) -> bool {
        matches!(
            self.kind_at(ahead),
            Kind::Ident(_) | Kind::Open | Kind::Str(_) | Kind::Int(_) | Kind::True | Kind::False | Kind::Not
        )
    }
}
