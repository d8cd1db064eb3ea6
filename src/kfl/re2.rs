//! Regular expressions as RE2 has them, which servers match with.
//!
//! The `regex` crate descends from RE2 but differs at the edges. What RE2 refuses is refused here too, and
//! what both read differently is rewritten: `\d`, `\w`, `\s` and `\b` are ASCII in RE2, and `&&`, `--` and
//! `[` have no meaning inside of an RE2 class.

use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Hir, HirKind};

/// Bytes of a compiled expression at most.
const MAX_COMPILED: usize = 1 << 20;
/// Bytes of an expression at most.
const MAX_BYTES: usize = 2048;
/// The largest count RE2 takes in `x{n,m}`.
const MAX_REPEAT: u32 = 1000;

/// A compiled expression that compares by what was written.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    regex: Regex,
    /// A text that is in everything the expression matches: looked for first, as that is several times faster
    /// and most entries lack it.
    needle: Option<Finder<'static>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// Why RE2 refuses an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRegex {
    pub(super) reason: String,
    pub(super) advice: &'static str,
}

fn bad<T>(reason: impl Into<String>, advice: &'static str) -> Result<T, BadRegex> {
    Err(BadRegex {
        reason: reason.into(),
        advice,
    })
}

/// The longest text that is in everything an expression matches, where there is one of two bytes or more.
fn needle(expression: &str) -> Option<String> {
    let hir = regex_syntax::parse(expression).ok()?;
    let mut found = Vec::new();
    let mut run = Vec::new();
    literals(&hir, &mut run, &mut found);
    found.push(run);
    let longest = found.into_iter().max_by_key(Vec::len)?;
    String::from_utf8(longest).ok().filter(|text| text.len() > 1)
}

/// Collects texts that have to be there: `run` is the one that goes on, `found` those that ended.
fn literals(hir: &Hir, run: &mut Vec<u8>, found: &mut Vec<Vec<u8>>) {
    match hir.kind() {
        HirKind::Literal(literal) => run.extend_from_slice(&literal.0),
        HirKind::Capture(capture) => literals(&capture.sub, run, found),
        HirKind::Concat(parts) => parts.iter().for_each(|part| literals(part, run, found)),
        // An anchor takes no room, so the text goes on behind it.
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Repetition(repetition) => {
            found.push(std::mem::take(run));
            if repetition.min > 0 {
                literals(&repetition.sub, run, found);
                found.push(std::mem::take(run));
            }
        }
        HirKind::Class(_) | HirKind::Alternation(_) => found.push(std::mem::take(run)),
    }
}

impl Pattern {
    pub(super) fn new(source: &str) -> Result<Self, BadRegex> {
        if source.len() > MAX_BYTES {
            return bad(
                "it is longer than 2048 bytes",
                "match a part of the text, or use `in [..]`",
            );
        }
        let translated = Translator::new(source).run()?;
        let built = RegexBuilder::new(&translated).size_limit(MAX_COMPILED).build();
        match built {
            Ok(regex) => Ok(Self {
                source: source.to_owned(),
                needle: needle(&translated).map(|text| Finder::new(&text).into_owned()),
                regex,
            }),
            Err(regex::Error::CompiledTooBig(_)) => bad(
                "it grows too large when compiled",
                "use smaller repetition counts",
            ),
            Err(_) if source.starts_with(['*', '?', '+']) => bad(
                format!(
                    "`{}` repeats what is before it, and there is nothing",
                    &source[..1]
                ),
                "write `.*` for any text, and `\\\\*` for a star; an expression matches anywhere in the text",
            ),
            Err(error) => {
                // The last line of the crate's message is the reason; the lines before draw the place.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default();
                bad(
                    reason.trim_start_matches("error: "),
                    "escape characters that are meant as themselves: `\\\\.` `\\\\(` `\\\\[`",
                )
            }
        }
    }

    /// Whether the expression occurs anywhere in `text`.
    pub(super) fn is_match(&self, text: &str) -> bool {
        let needle = self.needle.as_ref();
        needle.is_none_or(|needle| needle.find(text.as_bytes()).is_some()) && self.regex.is_match(text)
    }
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    /// What was just written can be repeated, and is not itself a repetition.
    repeated: bool,
}

impl<'a> Translator<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            rest: source,
            out: String::with_capacity(source.len() + 16),
            repeated: false,
        }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn run(mut self) -> Result<String, BadRegex> {
        while let Some(c) = self.take() {
            match c {
                '\\' => {
                    self.escape(false)?;
                    self.repeated = false;
                }
                '[' => {
                    self.class()?;
                    self.repeated = false;
                }
                '(' => {
                    self.group()?;
                    self.repeated = false;
                }
                '*' | '+' | '?' => self.repetition(c)?,
                '{' => self.counted()?,
                // A lone brace is itself in RE2.
                '}' => self.literal("\\}"),
                _ => {
                    self.out.push(c);
                    self.repeated = false;
                }
            }
        }
        Ok(self.out)
    }

    fn literal(&mut self, text: &str) {
        self.out.push_str(text);
        self.repeated = false;
    }

    /// Behind a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), BadRegex> {
        const ADVICE: &str = "use `contains`, `startsWith` or two `matches` joined by `&&`";
        let Some(c) = self.take() else {
            return bad("it ends in a lone backslash", "write `\\\\\\\\` for a backslash");
        };
        let ascii = match c {
            'd' => Some("0-9"),
            'w' => Some("0-9A-Za-z_"),
            's' => Some("\\t\\n\\f\\r "),
            'D' => Some("^0-9"),
            'W' => Some("^0-9A-Za-z_"),
            'S' => Some("^\\t\\n\\f\\r "),
            _ => None,
        };
        if let Some(class) = ascii {
            if in_class && c.is_lowercase() {
                self.out.push_str(class);
            } else {
                self.out.push('[');
                self.out.push_str(class);
                self.out.push(']');
            }
            return Ok(());
        }
        match c {
            '1'..='9' => return bad(format!("RE2 has no back-references such as `\\{c}`"), ADVICE),
            'k' | 'g' => return bad("RE2 has no named back-references", ADVICE),
            'b' if !in_class => self.out.push_str("(?-u:\\b)"),
            'Z' => return bad("RE2 has no `\\Z`", "write `\\\\z` or `$`"),
            'G' | 'K' | 'R' | 'X' | 'h' | 'H' | 'N' | 'E' | 'o' | 'c' | 'e' | 'u' | 'U' | '<' | '>' => {
                return bad(
                    format!("RE2 has no `\\{c}`"),
                    "write the characters out, or as `\\\\x{2022}`",
                );
            }
            'C' => {
                return bad(
                    "`\\C` matches single bytes, which text does not have",
                    "write `.`",
                );
            }
            'Q' => {
                let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = after;
                self.out.push_str(&regex::escape(quoted));
            }
            _ => {
                self.out.push('\\');
                self.out.push(c);
                // The braces of \x{..} and \p{..} are no repetition.
                if matches!(c, 'x' | 'p' | 'P')
                    && self.rest.starts_with('{')
                    && let Some(end) = self.rest.find('}')
                {
                    let (braces, after) = self.rest.split_at(end + 1);
                    self.out.push_str(braces);
                    self.rest = after;
                }
            }
        }
        Ok(())
    }

    /// Behind `[`, up to the bracket that closes it.
    fn class(&mut self) -> Result<(), BadRegex> {
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.take() {
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.rest.starts_with(':') => {
                    let Some(end) = self.rest.find(":]") else {
                        return bad(
                            "a `[:name:]` has no end",
                            "write a class such as `[[:alpha:]]` or `[a-z]`",
                        );
                    };
                    let (name, after) = self.rest.split_at(end + 2);
                    self.out.push('[');
                    self.out.push_str(name);
                    self.rest = after;
                }
                '\\' => self.escape(true)?,
                '[' | ']' | '&' | '~' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                // Two in a row would subtract; one is a range, or itself at an end.
                '-' if self.out.ends_with('-') => self.out.push_str("\\-"),
                _ => self.out.push(c),
            }
            first = false;
        }
        bad(
            "a `[` is not closed",
            "close it with `]`, or write `\\\\[` for a bracket",
        )
    }

    /// Behind `(`.
    fn group(&mut self) -> Result<(), BadRegex> {
        const ADVICE: &str = "use two terms instead: `path.matches(..) && !path.matches(..)`";
        self.out.push('(');
        if !self.rest.starts_with('?') {
            return Ok(());
        }
        for (text, name) in [
            ("?=", "look-ahead"),
            ("?!", "look-ahead"),
            ("?<=", "look-behind"),
            ("?<!", "look-behind"),
        ] {
            if self.rest.starts_with(text) {
                return bad(format!("RE2 has no {name} `({text}`"), ADVICE);
            }
        }
        if self.rest.starts_with("?>") {
            return bad(
                "RE2 has no atomic groups `(?>`",
                "write `(?:`; RE2 never backtracks",
            );
        }
        if self.rest.starts_with("?P=") || self.rest.starts_with("?P>") || self.rest.starts_with("?#") {
            return bad("RE2 has no such group", ADVICE);
        }
        if self.rest.starts_with("?P<") || self.rest.starts_with("?<") {
            return Ok(());
        }
        let flags: String = self.rest[1..]
            .chars()
            .take_while(|c| !matches!(c, ')' | ':'))
            .collect();
        if let Some(flag) = flags.chars().find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | '-')) {
            return bad(
                format!("RE2 has no flag `{flag}`"),
                "the flags are i, m, s and U: `(?i)error`",
            );
        }
        // The flags are copied as they are: `?` here is no repetition.
        self.out.push('?');
        self.out.push_str(&flags);
        self.rest = &self.rest[1 + flags.len()..];
        if self.skip(":") {
            self.out.push(':');
        }
        Ok(())
    }

    /// `*`, `+` or `?`, perhaps with the `?` that makes it lazy.
    fn repetition(&mut self, c: char) -> Result<(), BadRegex> {
        // `(?P<` and `(?<` arrive here with the group's question mark.
        if c == '?' && self.out.ends_with('(') {
            self.out.push('?');
            return Ok(());
        }
        self.once(&c.to_string())?;
        self.out.push(c);
        self.lazy();
        Ok(())
    }

    /// `{n}`, `{n,}` or `{n,m}`; another brace is itself.
    fn counted(&mut self) -> Result<(), BadRegex> {
        let Some((counts, after)) = self.rest.split_once('}') else {
            self.literal("\\{");
            return Ok(());
        };
        let (low, high) = counts.split_once(',').unwrap_or((counts, ""));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if low.is_empty() || !digits(low) || !digits(high) {
            self.literal("\\{");
            return Ok(());
        }
        let too_many = |text: &str| !text.is_empty() && text.parse::<u32>().map_or(true, |n| n > MAX_REPEAT);
        if too_many(low) || too_many(high) {
            return bad(
                format!("RE2 repeats at most {MAX_REPEAT} times"),
                "use a smaller count, or `*`",
            );
        }
        self.once(&format!("{{{counts}}}"))?;
        self.out.push('{');
        self.out.push_str(counts);
        self.out.push('}');
        self.rest = after;
        self.lazy();
        Ok(())
    }

    /// Two repetitions in a row are refused, as are possessive ones.
    fn once(&mut self, written: &str) -> Result<(), BadRegex> {
        if self.repeated {
            return bad(
                format!("`{written}` repeats a repetition"),
                "leave one of them out; RE2 has no possessive forms",
            );
        }
        self.repeated = true;
        Ok(())
    }

    fn lazy(&mut self) {
        if self.skip("?") {
            self.out.push('?');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::new(pattern).unwrap().is_match(text)
    }

    #[test]
    fn classes_are_ascii_as_in_re2() {
        assert!(matches(r"^\d+$", "123") && !matches(r"^\d+$", "१२३"));
        assert!(matches(r"^\w+$", "a_1") && !matches(r"^\w+$", "é"));
        assert!(matches(r"^[\w.]+$", "a.b") && !matches(r"^[\w.]+$", "é"));
        assert!(matches(r"^[^\s]+$", "a\u{a0}b") && !matches(r"^\S+$", "a b"));
        assert!(matches(r"^\D$", "é") && matches(r"^[\D]$", "é") && !matches(r"^[^\D]$", "x"));
        assert!(matches(r"\bpay\b", "épay"), "é is no word character of RE2");
    }

    #[test]
    fn class_operators_of_the_crate_are_plain_characters() {
        assert!(matches(r"^[a&&b]+$", "a&b"));
        assert!(matches(r"^[[]$", "[") && matches(r"^[]]$", "]") && matches(r"^[a[b]$", "["));
        assert!(matches(r"^[~~a]+$", "~a"));
        assert!(matches(r"^[[:alpha:]]+$", "abc") && !matches(r"^[[:alpha:]]+$", "1"));
    }

    #[test]
    fn braces_groups_and_quotes_are_read_as_in_re2() {
        assert!(matches(r"^a{2}$", "aa") && matches(r"^{a}$", "{a}") && matches(r"a{,2}", "a{,2}"));
        assert!(matches(r"(?i)ERROR", "an error") && matches(r"(?:a|b)+?c", "abc"));
        assert!(matches(r"(?P<x>a)(?<y>b)", "ab"));
        assert!(matches(r"^\Qa.b*\E$", "a.b*") && !matches(r"^\Qa.b\E$", "axb"));
        assert!(matches(r"\x{e9}\pL", "éa") && matches(r"\.json$", "a.json"));
    }

    #[test]
    fn what_re2_refuses_is_refused_with_a_reason() {
        let refused: Vec<_> = [
            r"(a)\1",
            r"(?=a)",
            r"(?<!a)b",
            r"(?>a)",
            r"a**",
            r"a++",
            r"a{1001}",
            r"(?x)a b",
            r"a\Z",
            r"[a",
            r"(a",
            r"a\",
            r"*a",
            r"\p{Nonsense}",
            r"\C",
            r"(((a{1000}){1000}){1000})",
        ]
        .into_iter()
        .map(|pattern| {
            let error = Pattern::new(pattern).unwrap_err();
            assert!(!error.advice.is_empty());
            format!("{pattern}: {}", error.reason)
        })
        .collect();
        insta::assert_snapshot!(refused.join("\n"));
    }

    #[test]
    fn what_every_match_contains_is_known() {
        let needles = [
            (r"^/api/v[0-9]+/charge/9[0-9]*$", Some("/charge/9")),
            (r"/orders/(77|78)$", Some("/orders/")),
            (r"(pay)ments", Some("payments")),
            (r"a(bc)+d", Some("bc")),
            (r"x(abc)?y", None),
            (r"(?i)orders", None),
            (r"foo|bar", None),
            (r"", None),
        ];
        for (pattern, expected) in needles {
            let pattern = Pattern::new(pattern).unwrap();
            let found = pattern.needle.as_ref().map(Finder::needle);
            assert_eq!(found, expected.map(str::as_bytes), "{}", pattern.source);
        }
    }

    proptest::proptest! {
        #[test]
        fn looking_for_it_first_changes_no_answer(
            pattern in r"[ab]{0,2}(\(|\?:)?[ab.*+?|^$]{0,6}(b\{2\}|[ab]{2}|\[ab\])?[ab$]{0,2}",
            text in "[ab]{0,8}",
        ) {
            if let Ok(pattern) = Pattern::new(&pattern) {
                proptest::prop_assert_eq!(pattern.is_match(&text), pattern.regex.is_match(&text), "{:?}", pattern);
            }
        }
    }
}
