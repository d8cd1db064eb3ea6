//! The syntax tree: what was written, with the place of everything.

use super::diagnostic::Span;

/// One expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// From the first to the last byte, parentheses included.
    pub(super) span: Span,
    pub(super) expr: Expr,
    /// Longest way down to a leaf, so that a chain of a thousand operators is refused before
    /// anything recurses over it.
    pub(super) depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Bool(bool),
    Int(i64),
    Str(String),
    Bytes(Vec<u8>),
    List(Vec<Node>),
    Ident(String),
    /// `operand.name`; the span is the name's.
    Select(Box<Node>, String, Span),
    /// `operand[key]`.
    Index(Box<Node>, Box<Node>),
    Call(Call),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && c`, two or more.
    All(Vec<Node>),
    /// `a || b || c`, two or more.
    Any(Vec<Node>),
    /// `left op right`; the span is the operator's.
    Binary(Binary, Span, Box<Node>, Box<Node>),
    /// `condition ? yes : no`.
    Ternary(Box<Node>, Box<Node>, Box<Node>),
}

/// `name(arguments)` or `target.name(arguments)`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) name_span: Span,
    pub(super) target: Option<Box<Node>>,
    pub(super) arguments: Vec<Node>,
}

/// Operators with two operands, without `&&` and `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Compare(Comparison),
    In,
    Arithmetic(Arithmetic),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }

    /// The comparison that says the same with the sides exchanged.
    pub(super) fn mirrored(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            same => same,
        }
    }

    /// The comparison that holds exactly where this one does not.
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Eq => Self::Ne,
            Self::Ne => Self::Eq,
            Self::Lt => Self::Ge,
            Self::Le => Self::Gt,
            Self::Gt => Self::Le,
            Self::Ge => Self::Lt,
        }
    }

    /// Whether it holds between two values.
    pub(super) fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }

    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Eq | Self::Ne)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// The result, or `None` on overflow and division by zero.
    pub(super) fn apply(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide => left.checked_div(right),
            Self::Remainder => left.checked_rem(right),
        }
    }
}
