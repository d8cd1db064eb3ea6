//! Text to tokens. Spellings of other languages are recognised here, reported with the right one, and
//! read as what was meant, so that one look finds all mistakes.

mod literal;

use super::ast::Comparison;
use super::diagnostic::{Code, Diagnostic, Span, shown};

/// Bytes of a filter at most. The longest filter a person or a planner writes is far below.
pub(super) const MAX_BYTES: usize = 16 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Ident(String),
    Int(i64),
    /// 9223372036854775808, which exists only behind a minus.
    IntBelowMinimum,
    Str(String),
    Bytes(Vec<u8>),
    True,
    False,
    In,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Dot,
    Question,
    Colon,
    Or,
    And,
    Not,
    Compare(Comparison),
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    End,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// Reading cannot go on; the reason is among the diagnostics.
pub(super) struct Stop;

/// The tokens of `source`, the last of which is [`Kind::End`].
pub(super) fn tokens(source: &str, found: &mut Vec<Diagnostic>) -> Result<Vec<Token>, Stop> {
    if source.len() > MAX_BYTES {
        let message = format!("the filter is {} bytes long", source.len());
        let reason = format!("a filter has at most {MAX_BYTES} bytes");
        found.push(
            Diagnostic::error(Code::TooLarge, &(0..0), message, reason)
                .suggest("ask with several shorter filters, or with `value in [..]`"),
        );
        return Err(Stop);
    }
    let mut lexer = Lexer { source, at: 0, found };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let kind = lexer.token()?;
        let end = kind == Kind::End;
        tokens.push(Token {
            kind,
            span: start..lexer.at,
        });
        if end {
            return Ok(tokens);
        }
    }
}

/// Operators, the longest first. The third column is what to write instead where it is none of KFL's.
const OPERATORS: &[(&str, Kind, Option<&str>)] = &[
    ("===", Kind::Compare(Comparison::Eq), Some("==")),
    ("!==", Kind::Compare(Comparison::Ne), Some("!=")),
    ("&&", Kind::And, None),
    ("||", Kind::Or, None),
    ("==", Kind::Compare(Comparison::Eq), None),
    ("!=", Kind::Compare(Comparison::Ne), None),
    ("<>", Kind::Compare(Comparison::Ne), Some("!=")),
    ("<=", Kind::Compare(Comparison::Le), None),
    (">=", Kind::Compare(Comparison::Ge), None),
    ("=<", Kind::Compare(Comparison::Le), Some("<=")),
    ("=>", Kind::Compare(Comparison::Ge), Some(">=")),
    ("≤", Kind::Compare(Comparison::Le), Some("<=")),
    ("≥", Kind::Compare(Comparison::Ge), Some(">=")),
    ("≠", Kind::Compare(Comparison::Ne), Some("!=")),
    ("<", Kind::Compare(Comparison::Lt), None),
    (">", Kind::Compare(Comparison::Gt), None),
    ("=", Kind::Compare(Comparison::Eq), Some("==")),
    ("&", Kind::And, Some("&&")),
    ("|", Kind::Or, Some("||")),
    ("!", Kind::Not, None),
    ("+", Kind::Plus, None),
    ("-", Kind::Minus, None),
    ("*", Kind::Star, None),
    ("/", Kind::Slash, None),
    ("%", Kind::Percent, None),
    ("(", Kind::Open, None),
    (")", Kind::Close, None),
    ("[", Kind::OpenList, None),
    ("]", Kind::CloseList, None),
    (",", Kind::Comma, None),
    (".", Kind::Dot, None),
    ("?", Kind::Question, None),
    (":", Kind::Colon, None),
];

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    found: &'a mut Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips white space and comments, which run from `//` to the end of the line.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let mut skipped = rest.len() - trimmed.len();
            if trimmed.starts_with("//") {
                skipped += trimmed.find('\n').unwrap_or(trimmed.len());
            }
            if skipped == 0 {
                return;
            }
            self.at += skipped;
        }
    }

    fn token(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        let Some(first) = self.peek() else {
            return Ok(Kind::End);
        };
        if first.is_ascii_digit() {
            return self.number();
        }
        if let Some(kind) = self.string()? {
            return Ok(kind);
        }
        if first == '_' || first.is_ascii_alphabetic() {
            return Ok(self.word());
        }
        if let Some(kind) = self.regex_operator() {
            return kind;
        }
        for (text, kind, right) in OPERATORS {
            if self.rest().starts_with(text) {
                self.at += text.len();
                if let Some(right) = right {
                    let span = start..self.at;
                    self.found.push(
                        Diagnostic::error(
                            Code::Syntax,
                            &span,
                            format!("`{text}` is no operator"),
                            format!("KFL writes it `{right}`"),
                        )
                        .replace(&span, *right),
                    );
                }
                return Ok(kind.clone());
            }
        }
        Err(self.unknown(first))
    }

    fn word(&mut self) -> Kind {
        let rest = self.rest();
        let length = rest
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let word = rest[..length].to_owned();
        self.at += length;
        match word.as_str() {
            "true" => Kind::True,
            "false" => Kind::False,
            "in" => Kind::In,
            _ => Kind::Ident(word),
        }
    }

    /// `~`, `=~` and `!~` of other languages, which have no operator in KFL.
    fn regex_operator(&mut self) -> Option<Result<Kind, Stop>> {
        let text = ["=~", "!~", "~=", "~"]
            .into_iter()
            .find(|text| self.rest().starts_with(text))?;
        let span = self.at..self.at + text.len();
        let example = if text.starts_with('!') {
            "!path.matches(\"^/api\")"
        } else {
            "path.matches(\"^/api\")"
        };
        self.found.push(
            Diagnostic::error(
                Code::Syntax,
                &span,
                format!("`{text}` is no operator"),
                "regular expressions are matched by a function",
            )
            .suggest(format!("write it like `{example}`")),
        );
        Some(Err(Stop))
    }

    fn unknown(&mut self, first: char) -> Stop {
        let span = self.at..self.at + first.len_utf8();
        let name = shown(&first.to_string());
        let found = match first {
            '“' | '”' | '„' | '‘' | '’' | '«' | '»' => Diagnostic::error(
                Code::Syntax,
                &span,
                format!("`{name}` is no quote"),
                "typographic quotes come from word processors and chats",
            )
            .suggest("write strings in straight quotes: \"shop\""),
            '#' => Diagnostic::error(
                Code::Syntax,
                &span,
                "`#` begins no comment",
                "a comment runs from `//` to the end of the line",
            )
            .replace(&span, "//"),
            '{' | '}' => Diagnostic::error(
                Code::Syntax,
                &span,
                format!("`{name}` has no meaning in a filter"),
                "maps come from fields such as `request.headers`; they cannot be written",
            )
            .suggest("use `map_get(map, \"key\", \"default\")` or `\"key\" in map`"),
            ';' => Diagnostic::error(
                Code::Syntax,
                &span,
                "`;` has no meaning in a filter",
                "a filter is one expression",
            )
            .suggest("join terms with `&&`, and drop a `;` at the end"),
            '`' => Diagnostic::error(
                Code::Syntax,
                &span,
                "a backtick has no meaning in a filter",
                "backticks mark code in texts; fields are written without quotes, strings in straight ones",
            )
            .suggest("leave the backticks out"),
            _ => Diagnostic::error(
                Code::Syntax,
                &span,
                format!("`{name}` has no meaning in a filter"),
                "a filter is made of fields, literals, operators and functions",
            )
            .suggest("put text in straight quotes: \"shop\""),
        };
        self.found.push(found);
        Stop
    }
}
