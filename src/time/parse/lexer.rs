//! Words, numbers and marks of a typed time, each with its place.

use std::ops::Range;

use super::error::TimeError;
use crate::time::Zone;

/// Longer texts are refused; the longest useful ones (two full dates with zones) have about 90 characters.
const LONGEST_INPUT: usize = 160;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(Digits),
    /// Letters, in lower case.
    Word(String),
    /// A zone by its name.
    Zone(Zone),
    /// Something like `Area/City` that is no zone.
    BadZone(String),
    Plus,
    Dash,
    Colon,
    Dot,
    /// `..`, `…`, `→`, `->`.
    Until,
    Comma,
    Slash,
    /// `~`, about.
    Tilde,
    /// `@`, before Unix seconds.
    At,
    Open,
    Close,
    Other,
}

/// Digits as typed: `05` has the value 5 and the length 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digits {
    /// At most `u64::MAX`, however many digits there are.
    pub(super) value: u64,
    pub(super) len: usize,
}

/// A token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// In characters of the text.
    pub(super) place: Range<usize>,
    /// No space before it.
    pub(super) glued: bool,
}

/// The text with control characters replaced, as errors show it, and its tokens.
pub(super) fn tokens(text: &str) -> Result<(Vec<char>, Vec<Token>), TimeError> {
    let length = text.chars().count();
    if length > LONGEST_INPUT {
        return Err(TimeError::TooLong {
            length,
            limit: LONGEST_INPUT,
        });
    }
    let shown: Vec<char> = text.chars().map(printable).collect();
    // What is read is as long as what is shown, so that places agree.
    let read: Vec<char> = shown.iter().map(|c| plain(*c)).collect();
    let mut lexer = Lexer {
        read: &read,
        at: 0,
        tokens: Vec::new(),
    };
    lexer.run();
    if lexer.tokens.is_empty() {
        return Err(TimeError::Empty);
    }
    Ok((shown, lexer.tokens))
}

/// Tabs, newlines and the like as a space, other control characters as a mark.
fn printable(c: char) -> char {
    match c {
        _ if c.is_whitespace() => ' ',
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// The ASCII character that `c` is another form of. Characters without width become a space that does not part.
fn plain(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(c) - 0xfee0).map_or(c, |wide| wide.to_ascii_lowercase())
        }
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}'
        | '\u{ad}' => INVISIBLE,
        '\u{2248}' => '~',
        _ => c.to_ascii_lowercase(),
    }
}

/// Stands for a character without width: copied text holds direction marks and the like.
const INVISIBLE: char = '\0';

struct Lexer<'t> {
    read: &'t [char],
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        let mut spaced = true;
        while let Some(&c) = self.read.get(self.at) {
            if c == ' ' || c == INVISIBLE {
                spaced |= c == ' ';
                self.at += 1;
                continue;
            }
            let start = self.at;
            let kind = self.token(c);
            self.tokens.push(Token {
                kind,
                place: start..self.at,
                glued: !spaced,
            });
            spaced = false;
        }
    }

    fn token(&mut self, c: char) -> Kind {
        if c.is_ascii_digit() {
            let digits = self.take_while(|c| c.is_ascii_digit());
            let value = digits.parse().unwrap_or(u64::MAX);
            return Kind::Number(Digits {
                value,
                len: digits.len(),
            });
        }
        if c.is_alphabetic() {
            return self
                .zone()
                .unwrap_or_else(|| Kind::Word(self.take_while(char::is_alphabetic)));
        }
        if let Some(arrow) = self.arrow(c) {
            return arrow;
        }
        self.at += 1;
        match c {
            '+' => Kind::Plus,
            '-' => Kind::Dash,
            ':' => Kind::Colon,
            '.' => Kind::Dot,
            ',' => Kind::Comma,
            '/' => Kind::Slash,
            '~' => Kind::Tilde,
            '@' => Kind::At,
            '(' => Kind::Open,
            ')' => Kind::Close,
            _ => Kind::Other,
        }
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> String {
        let rest = self.read.get(self.at..).unwrap_or(&[]);
        let taken: String = rest.iter().copied().take_while(|c| fits(*c)).collect();
        self.at += taken.chars().count();
        taken
    }

    /// Signs between two times that are more than one character, or one of Unicode's.
    fn arrow(&mut self, c: char) -> Option<Kind> {
        let next = self.read.get(self.at + 1).copied();
        match (c, next) {
            ('.', Some('.')) => {
                self.take_while(|c| c == '.');
            }
            ('-', Some('>')) => self.at += 2,
            ('\u{2026}' | '\u{2192}', _) => self.at += 1,
            _ => return None,
        }
        Some(Kind::Until)
    }

    /// A name with a slash or a digit (`America/New_York`, `EST5EDT`), the longest that the database has; the
    /// names without either are words, since only their place tells what they are.
    fn zone(&mut self) -> Option<Kind> {
        let part = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, '_' | '/' | '+' | '-');
        let rest = self.read.get(self.at..)?;
        let run: String = rest.iter().take_while(part).collect();
        if !run.contains(|c: char| c == '/' || c.is_ascii_digit()) {
            return None;
        }
        for end in (1..=run.len()).rev() {
            let (name, after) = run.split_at_checked(end)?;
            let whole = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            if !whole || !name.contains(|c: char| c == '/' || c.is_ascii_digit()) || universal(name) {
                continue;
            }
            if let Some(zone) = Zone::named(name) {
                self.at += end;
                return Some(Kind::Zone(zone));
            }
        }
        let like_a_zone = run.split_once('/').is_some_and(|(area, city)| {
            area.len() > 2
                && area.bytes().all(|b| b.is_ascii_alphabetic())
                && city.starts_with(|c: char| c.is_ascii_alphabetic())
        });
        if !like_a_zone {
            return None;
        }
        // Up to the first dash or digit, where a range or another number may begin.
        let name = self.take_while(|c| c.is_ascii_alphabetic() || c == '_' || c == '/');
        Some(Kind::BadZone(name))
    }
}

/// `UTC` and `GMT` with a number are read as offsets, not as the few such names of the database.
fn universal(name: &str) -> bool {
    name.starts_with("utc") || name.starts_with("gmt")
}
