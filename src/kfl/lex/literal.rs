//! Numbers and strings.

use super::super::diagnostic::{Code, Diagnostic, Span, shown};
use super::super::instant;
use super::{Kind, Lexer, Stop};

impl Lexer<'_> {
    /// A number, which begins with a digit. `5s`, `500ms`, `5xx` and `1.5` are reported as what they are.
    pub(super) fn number(&mut self) -> Result<Kind, Stop> {
        let start = self.at;
        let rest = self.rest();
        let length = rest
            .find(|c: char| c != '_' && c != 'µ' && !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let text = rest[..length].to_owned();
        self.at += length;
        let fraction = self
            .rest()
            .strip_prefix('.')
            .is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        if fraction {
            return self.fraction(start);
        }
        let digits = text.strip_suffix(['u', 'U']).unwrap_or(&text);
        let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
        let radix = if hex.is_some() { 16 } else { 10 };
        let figures = hex.unwrap_or(digits);
        let plain = !figures.is_empty() && figures.chars().all(|c| c.is_digit(radix));
        let span = start..self.at;
        if !plain {
            self.found.push(measure(&text, &span));
            return Err(Stop);
        }
        if digits.len() < text.len() {
            let reason = "every number of KFL is a signed int, and ints and uints do not compare";
            self.found.push(
                Diagnostic::error(
                    Code::BadLiteral,
                    &span,
                    format!("`{text}` is an unsigned number"),
                    reason,
                )
                .replace(&span, digits),
            );
        }
        match u64::from_str_radix(figures, radix) {
            Ok(value) if value == i64::MIN.unsigned_abs() => Ok(Kind::IntBelowMinimum),
            Ok(value) if i64::try_from(value).is_ok() => Ok(Kind::Int(value.cast_signed())),
            _ => {
                self.found.push(
                    Diagnostic::error(
                        Code::BadLiteral,
                        &span,
                        "the number is too large",
                        "an int has 64 bits, so it ends at 9223372036854775807",
                    )
                    .suggest("write a smaller number"),
                );
                Err(Stop)
            }
        }
    }

    /// `1.5`, or an address without quotes.
    fn fraction(&mut self, start: usize) -> Result<Kind, Stop> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| c != '.' && !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        self.at += length;
        let span = start..self.at;
        let text = self.source[span.clone()].to_owned();
        let found = if text.parse::<std::net::Ipv4Addr>().is_ok() {
            Diagnostic::error(
                Code::Syntax,
                &span,
                "an address is written as a string",
                "`src.ip` and `dst.ip` are strings",
            )
            .replace(&span, format!("\"{text}\""))
        } else if text.parse::<f64>().is_ok() {
            Diagnostic::error(
                Code::BadLiteral,
                &span,
                format!("`{text}` is no int"),
                "no field of KFL holds fractions; times are whole microseconds",
            )
            .suggest("write a whole number in the field's unit: 1.5 s are 1500000 µs")
        } else {
            measure(&text, &span)
        };
        self.found.push(found);
        Err(Stop)
    }

    /// A string or bytes literal with its prefix, or `None` where none begins here.
    pub(super) fn string(&mut self) -> Result<Option<Kind>, Stop> {
        let rest = self.rest();
        let prefix = rest.chars().take_while(char::is_ascii_alphabetic).count();
        let (letters, quoted) = rest.split_at(prefix);
        let (raw, bytes) = match letters.to_ascii_lowercase().as_str() {
            "" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "rb" | "br" => (true, true),
            _ => return Ok(None),
        };
        let Some(quote) = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| quoted.starts_with(quote))
        else {
            return Ok(None);
        };
        let start = self.at;
        let inner = start + prefix + quote.len();
        let Some(end) = self.closing(inner, quote, raw) else {
            self.unclosed(start, quote);
            return Err(Stop);
        };
        self.at = end + quote.len();
        let text = self.source[inner..end].to_owned();
        let mut value = Vec::with_capacity(text.len());
        if raw {
            value.extend_from_slice(text.as_bytes());
        } else {
            self.unescape(&text, inner, bytes, &mut value)?;
        }
        if bytes {
            return Ok(Some(Kind::Bytes(value)));
        }
        // Escapes of a string give whole characters, so the bytes are UTF-8.
        Ok(Some(Kind::Str(String::from_utf8_lossy(&value).into_owned())))
    }

    /// Where the closing quote begins. A backslash hides the character after it, unless the string is raw.
    fn closing(&self, inner: usize, quote: &str, raw: bool) -> Option<usize> {
        let body = self.source.get(inner..)?;
        let mut characters = body.char_indices();
        while let Some((at, c)) = characters.next() {
            if body[at..].starts_with(quote) {
                return Some(inner + at);
            }
            match c {
                '\\' if !raw => {
                    characters.next();
                }
                '\n' | '\r' if quote.len() == 1 => return None,
                _ => {}
            }
        }
        None
    }

    fn unclosed(&mut self, start: usize, quote: &str) {
        let rest = &self.source[start..];
        let span = start..start + rest.find('\n').unwrap_or(rest.len());
        self.found.push(
            Diagnostic::error(
                Code::Syntax,
                &span,
                "the string has no end",
                format!("no closing {quote} follows on the line"),
            )
            .suggest(format!(
                "close it with {quote}; a {quote} inside a string is written \\{quote}"
            )),
        );
    }

    fn unescape(&mut self, text: &str, offset: usize, bytes: bool, value: &mut Vec<u8>) -> Result<(), Stop> {
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            value.extend_from_slice(&rest.as_bytes()[..at]);
            let escape = &rest[at..];
            let start = offset + text.len() - escape.len();
            let Some((code, length)) = escape_code(&escape[1..]) else {
                self.bad_escape(escape, start);
                return Err(Stop);
            };
            let in_bytes = bytes && matches!(escape.as_bytes().get(1), Some(b'x' | b'X' | b'0'..=b'3'));
            match (in_bytes, u8::try_from(code), char::from_u32(code)) {
                (true, Ok(byte), _) => value.push(byte),
                (false, _, Some(c)) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                _ => {
                    self.bad_escape(escape, start);
                    return Err(Stop);
                }
            }
            rest = &escape[1 + length..];
        }
        value.extend_from_slice(rest.as_bytes());
        Ok(())
    }

    fn bad_escape(&mut self, escape: &str, start: usize) {
        let shown_escape: String = escape.chars().take(2).collect();
        let span = start..start + shown_escape.len();
        self.found.push(
            Diagnostic::error(
                Code::Syntax,
                &span,
                format!("`{}` is no escape of a string", shown(&shown_escape)),
                "strings know \\\\ \\\" \\' \\n \\r \\t \\a \\b \\f \\v \\? \\` \\xHH \\uHHHH \\UHHHHHHHH \\OOO",
            )
            .suggest("double the backslash, or write a raw string: r\"\\d+\""),
        );
    }
}

/// The code of an escape and how many bytes it takes behind the backslash.
fn escape_code(after: &str) -> Option<(u32, usize)> {
    let first = after.chars().next()?;
    let number = |from: usize, digits: usize, radix: u32| {
        let text = after.get(from..from + digits)?;
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        Some((u32::from_str_radix(text, radix).ok()?, from + digits))
    };
    let simple = match first {
        '\\' | '"' | '\'' | '`' | '?' => first,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'x' | 'X' => return number(1, 2, 16),
        'u' => return number(1, 4, 16),
        'U' => return number(1, 8, 16),
        '0'..='3' => return number(0, 3, 8),
        _ => return None,
    };
    Some((u32::from(simple), 1))
}

/// A number with letters behind it.
fn measure(text: &str, span: &Span) -> Diagnostic {
    let bad = |reason: &str| {
        Diagnostic::error(
            Code::Syntax,
            span,
            format!("`{}` is no number", shown(text)),
            reason,
        )
    };
    let lower = text.to_ascii_lowercase();
    if let Some(class) = lower
        .strip_suffix("xx")
        .and_then(|class| class.parse::<u8>().ok())
    {
        let low = u32::from(class) * 100;
        return bad("a status class is a range of `status_code`").suggest(format!(
            "write `status_code >= {low} && status_code < {}`",
            low + 100
        ));
    }
    if let Ok(micros) = instant::parse_duration(text) {
        return bad("numbers carry no unit").suggest(format!(
            "write `{micros}` for `elapsed_time`, which is in microseconds, or `duration(\"{text}\")` with times"
        ));
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) && lower.contains('e') && lower.parse::<f64>().is_ok() {
        return bad("no field of KFL holds fractions or exponents").suggest("write the number out");
    }
    if text.contains('_') {
        return bad("digits are not grouped").suggest(format!("write `{}`", text.replace('_', "")));
    }
    bad("a number has digits only, and a name begins with a letter")
        .suggest(format!("put it in quotes if it is text: \"{}\"", shown(text)))
}
