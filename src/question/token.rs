//! Words of a question, and what single ones say by their shape: times, bounds, statuses, addresses.

use std::net::IpAddr;

/// A word without the marks around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    /// As it was written.
    pub text: String,
    /// In lower case.
    pub word: String,
    /// It stood between quotes: a name, whatever it looks like.
    pub quoted: bool,
}

/// More words than a question has.
const MOST: usize = 200;

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && tokens.len() < MOST {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '`' | '“'));
        let (word, after, quoted) = if let Some(open) = quote {
            let close = if open == '“' { '”' } else { open };
            let inner = rest.get(open.len_utf8()..).unwrap_or_default();
            let (word, after) = inner.split_once(close).unwrap_or((inner, ""));
            (word, after, true)
        } else {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            (word, after, false)
        };
        let word = if quoted {
            word
        } else {
            word.trim_matches(|c: char| {
                matches!(c, '?' | '!' | ',' | '.' | ';' | ':' | '(' | ')' | '"' | '\'')
            })
        };
        let word = word
            .strip_suffix("'s")
            .or(word.strip_suffix("’s"))
            .filter(|_| !quoted)
            .unwrap_or(word);
        if !word.is_empty() {
            tokens.push(Token {
                text: word.to_owned(),
                word: word.to_lowercase(),
                quoted,
            });
        }
        rest = after.trim_start();
    }
    tokens
}

/// Words with which a time may begin.
const TIME_BEGINS: &[&str] = &[
    "since",
    "between",
    "from",
    "in",
    "during",
    "over",
    "last",
    "past",
    "yesterday",
    "today",
    "at",
    "after",
    "around",
    "on",
    "for",
];

/// Takes the window off the tokens of the question, wherever it stands: the longest words after one that times begin with.
pub(super) fn window(tokens: &mut Vec<Token>, is_time: impl Fn(&str) -> bool) -> Option<String> {
    /// No time takes more words: "between yesterday 14:05 and yesterday 15:05 UTC".
    const LONGEST: usize = 9;
    for at in 0..tokens.len() {
        let first = tokens.get(at)?;
        if first.quoted || !TIME_BEGINS.contains(&first.word.as_str()) {
            continue;
        }
        for end in (at + 1..=tokens.len().min(at + LONGEST)).rev() {
            let words: Vec<&str> = tokens
                .get(at..end)?
                .iter()
                .map(|token| token.text.as_str())
                .collect();
            let whole = words.join(" ");
            let without = words.get(1..)?.join(" ");
            let without = without.strip_prefix("the ").unwrap_or(&without).to_owned();
            // "since 3pm", "in the last 20 minutes", "between 3pm and 4pm", "yesterday 14:05".
            for said in [without, whole] {
                let said = said.trim_end_matches([',', ';']).to_owned();
                if !said.is_empty() && says_when(&said) && is_time(&said) {
                    tokens.drain(at..end);
                    return Some(said);
                }
            }
        }
    }
    None
}

/// Short words are many things: a time has a number, or names a part of a day.
fn says_when(said: &str) -> bool {
    const WORDS: [&str; 6] = ["hour", "minute", "noon", "midnight", "morning", "yesterday"];
    said.chars().any(|c| c.is_ascii_digit()) || WORDS.iter().any(|word| said.contains(word))
}

fn number(text: &str) -> Option<f64> {
    text.replace(',', "")
        .parse()
        .ok()
        .filter(|number: &f64| *number >= 0.0)
}

/// µs of one of a unit.
fn unit(word: &str) -> Option<f64> {
    Some(match word {
        "us" | "µs" | "microseconds" => 1.0,
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => 1e3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e6,
        "m" | "min" | "minute" | "minutes" => 60e6,
        _ => return None,
    })
}

/// A length of time at the beginning: how many tokens, and µs.
fn duration(rest: &[Token]) -> Option<(usize, i64)> {
    let first = &rest.first()?.word;
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the check before")]
    let micros = |value: f64| (value <= 1e15).then(|| value.round() as i64);
    let digits = first
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(first.len());
    let (value, rest_of_word) = first.split_at(digits);
    let value = number(value)?;
    if let Some(unit) = unit(rest_of_word) {
        return Some((1, micros(value * unit)?));
    }
    let unit = unit(&rest.get(1).filter(|_| rest_of_word.is_empty())?.word)?;
    Some((2, micros(value * unit)?))
}

/// "slower than 2s", "over 500 ms": how many tokens, µs, and whether above.
pub(super) fn bound(rest: &[Token]) -> Option<(usize, i64, bool)> {
    const ABOVE: &[&[&str]] = &[
        &["slower", "than"],
        &["longer", "than"],
        &["more", "than"],
        &["greater", "than"],
        &["at", "least"],
        &["over"],
        &["above"],
        &["exceeding"],
        &["beyond"],
        &[">"],
        &[">="],
    ];
    const BELOW: &[&[&str]] = &[
        &["faster", "than"],
        &["shorter", "than"],
        &["less", "than"],
        &["under"],
        &["below"],
        &["within"],
        &["<"],
    ];
    for (phrases, above) in [(ABOVE, true), (BELOW, false)] {
        for phrase in phrases {
            let begins = phrase
                .iter()
                .enumerate()
                .all(|(at, word)| rest.get(at).is_some_and(|token| token.word == *word));
            if begins && let Some((length, micros)) = duration(rest.get(phrase.len()..).unwrap_or_default()) {
                return Some((phrase.len() + length, micros, above));
            }
        }
    }
    // ">500ms" in one word.
    let first = rest.first()?;
    let above = first.word.strip_prefix('>');
    let bare = above.or_else(|| first.word.strip_prefix('<'))?;
    let token = Token {
        text: bare.to_owned(),
        word: bare.trim_start_matches('=').to_owned(),
        quoted: false,
    };
    let mut with = vec![token];
    with.extend(rest.get(1).cloned());
    let (length, micros) = duration(&with)?;
    Some((length, micros, above.is_some()))
}

/// "500", "5xx", "503s".
pub(super) fn status(rest: &[Token], before: &[Token]) -> Option<String> {
    let first = &rest.first().filter(|token| !token.quoted)?.word;
    let class = first.strip_suffix("xx").or_else(|| first.strip_suffix("xxs"));
    if let Some(class @ ("1" | "2" | "3" | "4" | "5")) = class {
        return Some(match class {
            "5" => "status_code >= 500".to_owned(),
            class => format!(
                "status_code >= {class}00 && status_code < {}00",
                class.parse::<u8>().ok()? + 1
            ),
        });
    }
    let digits = first.strip_suffix('s').unwrap_or(first);
    let code: u16 = digits.parse().ok().filter(|code| (100..600).contains(code))?;
    let told = |token: Option<&Token>, words: &[&str]| {
        token.is_some_and(|token| words.contains(&token.word.as_str()))
    };
    let said = told(
        before.last(),
        &[
            "status",
            "code",
            "http",
            "returned",
            "returning",
            "returns",
            "with",
            "=",
            "is",
            "got",
            "a",
            "all",
            "many",
        ],
    ) || told(
        rest.get(1),
        &[
            "error",
            "errors",
            "status",
            "response",
            "responses",
            "s",
            "calls",
            "requests",
        ],
    );
    (said || code >= 400).then(|| format!("status_code == {code}"))
}

/// "top 5", "first 20", "last 10 calls", "5 slowest".
pub(super) fn count(rest: &[Token]) -> Option<(usize, u32)> {
    let (first, second) = (rest.first()?, rest.get(1)?);
    let number = |token: &Token| {
        token
            .word
            .parse::<u32>()
            .ok()
            .filter(|count| (1..=1000).contains(count))
    };
    if matches!(first.word.as_str(), "top" | "first" | "last" | "worst")
        && let Some(count) = number(second)
    {
        return Some((2, count));
    }
    let ranked = matches!(second.word.as_str(), "slowest" | "first" | "latest" | "examples");
    number(first).filter(|_| ranked).map(|count| (1, count))
}

/// An address as a term: of either end.
pub(super) fn address(token: &Token) -> Option<String> {
    let ip: IpAddr = token.text.parse().ok()?;
    Some(format!("(src.ip == \"{ip}\" || dst.ip == \"{ip}\")"))
}
