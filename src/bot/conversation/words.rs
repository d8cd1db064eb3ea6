//! What words mean: the time inside a question, whom it is about, and what somebody wants of a case.

use crate::{
    bot::work::FollowUp,
    investigation::ServiceName,
    question::{self, Kind, Wanted},
    time::{Utc, Zone, parse_window},
};

/// Characters of a question that are kept.
pub(super) const QUESTION: usize = 2000;
/// Words among which a time is looked for.
const WORDS: usize = 300;
/// Words that a time has at most.
const LONGEST: usize = 12;

/// A word after which a number is a time.
const BEFORE_TIME: &[&str] = &[
    "at", "around", "about", "since", "from", "between", "~", "circa", "before", "by",
];
/// Words of a time without any digit.
const TIME_WORDS: &[&str] = &[
    "yesterday",
    "today",
    "noon",
    "midnight",
    "tonight",
    "morning",
    "afternoon",
    "evening",
    "night",
    "hour",
    "hours",
    "minutes",
    "week",
    "day",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// Words that a time may begin with, besides digits.
const BEGINS: &[&str] = &[
    "at",
    "around",
    "about",
    "since",
    "from",
    "between",
    "in",
    "on",
    "the",
    "last",
    "past",
    "yesterday",
    "today",
    "this",
    "noon",
    "midnight",
    "tonight",
    "during",
    "for",
    "half",
    "quarter",
    "an",
    "a",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "utc",
    "circa",
    "previous",
];
const CLOCK_WORDS: &[&str] = &["am", "pm", "a.m.", "p.m."];

/// The words for the window inside a question: the longest that the parser of times reads. A day and a time of day that
/// stand apart ("3pm", "yesterday") are put together. Several where an hour says no half of the day ("at 3"): which one
/// is for a person to say. Empty where there is no time.
pub(super) fn time(text: &str, now: Utc, zone: Zone) -> Vec<String> {
    let text: String = text.chars().take(QUESTION).collect();
    // A full stop: the hour ends there.
    let text = text
        .replace(" o'clock", ".")
        .replace(" o’clock", ".")
        .replace(" oclock", ".");
    let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
    // What is still to come is no window; the rest of its words must not be taken for one.
    if words.iter().any(|word| lower(word) == "tomorrow") {
        return Vec::new();
    }
    let reads = |said: &str| parse_window(said, None, now, &zone).is_ok();
    let Some((first, after)) = find(&words, 0, reads) else {
        return Vec::new();
    };
    let Some((second, _)) = find(&words, after, reads) else {
        return first;
    };
    let clocked = |said: &[String]| said.iter().any(|said| is_clocked(said));
    let (day, times) = match (clocked(&first), clocked(&second)) {
        (false, true) => (first.first(), &second),
        (true, false) => (second.first(), &first),
        _ => (None, &second),
    };
    let together: Vec<String> = day
        .into_iter()
        .flat_map(|day| times.iter().map(move |time| joined(day, time)))
        .filter_map(|forms| forms.into_iter().find(|said| reads(said)))
        .collect();
    if together.is_empty() { first } else { together }
}

/// The first words from `from` on that are a time, and where they end.
fn find(words: &[&str], from: usize, reads: impl Fn(&str) -> bool) -> Option<(Vec<String>, usize)> {
    for start in from..words.len() {
        let first = lower(words.get(start).copied().unwrap_or_default());
        let digit = first.chars().any(|c| c.is_ascii_digit()) || first.starts_with('~');
        if !digit && !BEGINS.contains(&first.as_str()) {
            continue;
        }
        for length in (1..=LONGEST.min(words.len() - start)).rev() {
            let Some(candidate) = words.get(start..start + length) else {
                continue;
            };
            let said = bare(&candidate.join(" ")).to_owned();
            let before = start.checked_sub(1).and_then(|at| words.get(at).copied());
            if !may_be_time(&said, before) {
                continue;
            }
            if let Some(said) = forms(&said).into_iter().find(|said| reads(said)) {
                return Some((vec![said], start + length));
            }
            // An hour alone is one where nothing follows that it could count.
            let ends = start + length == words.len()
                || candidate
                    .last()
                    .is_some_and(|word| word.ends_with(['?', '!', '.', ',', ';']));
            if ends {
                let mut halves = halves(&said);
                halves.retain(|said| reads(said));
                if !halves.is_empty() {
                    return Some((halves, start + length));
                }
            }
        }
    }
    None
}

/// What a bare hour after a word of time may mean: "at 3" is 3am or 3pm, "at 15" is 15:00.
fn halves(said: &str) -> Vec<String> {
    let mark = said.split(' ').next().map(lower).unwrap_or_default();
    let Some((head, last)) = said.rsplit_once(' ') else {
        return Vec::new();
    };
    if !matches!(mark.as_str(), "at" | "around" | "about" | "since" | "between") || last.len() > 2 {
        return Vec::new();
    }
    let head = match head {
        "at" | "At" => String::new(),
        head => format!("{head} "),
    };
    // Of a range the parser of times takes the half of the other end from this one.
    match last.parse::<u32>() {
        Ok(1..=12) => ["am", "pm"].map(|half| format!("{head}{last}{half}")).into(),
        Ok(0 | 13..=23) => vec![format!("{head}{last}:00")],
        _ => Vec::new(),
    }
}

/// Whether words say a time of day or a length, not only a day.
fn is_clocked(said: &str) -> bool {
    said.split_whitespace().map(lower).any(|word| {
        let half = word.strip_suffix("am").or_else(|| word.strip_suffix("pm"));
        word.contains(':')
            || half.is_some_and(|hour| hour.chars().all(|c| c.is_ascii_digit()))
            || [
                "ago", "noon", "midnight", "hour", "hours", "minutes", "min", "last", "past", "since",
            ]
            .contains(&word.as_str())
    })
}

/// A day and a time of day as the parser of times reads them together.
fn joined(day: &str, time: &str) -> Vec<String> {
    let day = match day.strip_prefix("on ").unwrap_or(day) {
        "this morning" | "this afternoon" | "this evening" => "today",
        day => day,
    };
    let range = time
        .strip_prefix("between ")
        .map(|range| range.replacen(" and ", " to ", 1))
        .or_else(|| time.strip_prefix("from ").map(str::to_owned));
    let around = ["around ", "about ", "at about "]
        .iter()
        .find_map(|mark| time.strip_prefix(mark))
        .map(|time| format!("around {day} {time}"));
    let mut forms: Vec<String> = around.into_iter().collect();
    forms.extend(range.map(|range| format!("{day} {range}")));
    forms.push(format!("{day} {time}"));
    forms.push(format!("{time} {day}"));
    forms
}

fn lower(word: &str) -> String {
    bare(word).to_lowercase()
}

fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '?' | '!' | '.' | ',' | ';' | ':' | '"' | '\'' | '(' | ')' | '`'
            )
    })
}

/// A candidate as it is, and without the words in front that the parser of times does not expect.
fn forms(said: &str) -> Vec<String> {
    let mut forms = vec![said.to_owned()];
    let mut rest = said;
    while let Some((first, after)) = rest.split_once(' ') {
        if !matches!(
            first.to_lowercase().as_str(),
            "at" | "in" | "on" | "the" | "during" | "from" | "for" | "by" | "circa"
        ) {
            break;
        }
        rest = after;
        forms.push(rest.to_owned());
    }
    forms
}

/// Whether words can be meant as a time: not "500" in "why 500s", nor "5 services".
fn may_be_time(said: &str, before: Option<&str>) -> bool {
    let words: Vec<String> = said.split_whitespace().map(lower).collect();
    let is_number = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_digit());
    if words.iter().any(|word| TIME_WORDS.contains(&word.as_str())) {
        return true;
    }
    if !said.chars().any(|c| c.is_ascii_digit()) {
        return false;
    }
    // A number alone, or after words that say nothing of time, is a status, a port, a count.
    let numbers: Vec<&String> = words.iter().filter(|word| is_number(word)).collect();
    let marked = words.iter().any(|word| {
        CLOCK_WORDS.contains(&word.as_str())
            || (word.chars().any(|c| c.is_ascii_digit()) && !word.chars().all(|c| c.is_ascii_digit()))
            || matches!(
                word.as_str(),
                "ago" | "min" | "mins" | "h" | "hr" | "hrs" | "s" | "seconds"
            )
    });
    if marked {
        return true;
    }
    // "In 404", "about 500", "from 502": no hour.
    let small = numbers
        .iter()
        .all(|number| number.parse::<u32>().is_ok_and(|hour| hour <= 23) || number.len() == 4);
    let told = words
        .first()
        .map(String::as_str)
        .into_iter()
        .chain(before)
        .any(|word| BEFORE_TIME.contains(&word.to_lowercase().as_str()));
    small && told && words.len() > 1
}

/// The namespace and the service that a question names outright.
pub(super) fn named(text: &str, now: Utc, zone: Zone) -> (Option<String>, Option<ServiceName>) {
    let text: String = text.chars().take(QUESTION).collect();
    let is_time = |said: &str| parse_window(said, None, now, &zone).is_ok();
    let Ok(asked) = question::parse(&text, is_time) else {
        return (None, None);
    };
    let of = |kind: Kind| {
        let mut names = asked.names().iter().filter(|name| name.kind == kind);
        let first = names.next()?;
        let one = names.all(|name| name.text == first.text) && !first.text.contains('\u{0}');
        one.then(|| first.text.clone())
    };
    let namespace = of(Kind::Namespace).filter(|name| is_name(name));
    let service = of(Kind::Service).filter(|name| is_name(name));
    let service = service.map(|name| ServiceName {
        namespace: namespace.clone(),
        name,
    });
    (namespace, service)
}

/// As Kubernetes allows names.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a text asks something by itself, and is not only an answer.
pub(super) fn is_question(text: &str) -> bool {
    let first = text.split_whitespace().next().map(lower).unwrap_or_default();
    let asks = [
        "what", "why", "how", "who", "where", "which", "did", "is", "are", "was", "were",
    ];
    asks.contains(&first.as_str()) && text.split_whitespace().take(5).count() > 4
}

/// What somebody wants of the case of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Stop,
    Follow(FollowUp),
    /// Why that verdict.
    Why,
    RuledOut,
    Evidence,
    Next,
    /// With the words for how far, where there are any.
    Widen(Option<String>),
    Feedback(bool),
    /// How far it is.
    State,
}

/// Reads a follow-up: only what is short, or says it outright.
pub(super) fn wish(text: &str) -> Option<Wish> {
    let text: String = text.chars().take(QUESTION).collect();
    let words: Vec<String> = text
        .split_whitespace()
        .map(lower)
        .filter(|word| !word.is_empty() && !matches!(word.as_str(), "please" | "pls" | "now" | "ok" | "and"))
        .collect();
    let said = words.join(" ");
    let has = |word: &str| words.iter().any(|known| known == word);
    let begins = |options: &[&str]| words.first().is_some_and(|word| options.contains(&word.as_str()));
    let short = words.len() <= 6;
    Some(match said.as_str() {
        "" | "help" | "what can you do" | "usage" | "commands" => Wish::Help,
        "stop" | "cancel" | "abort" | "stop it" | "cancel it" | "stop this" | "never mind" | "nevermind" => {
            Wish::Stop
        }
        "status" | "how far" | "how far are you" | "are you done" | "progress" => Wish::State,
        "right" | "correct" | "that was it" | "you were right" | "that is right" | "yes that was it" => {
            Wish::Feedback(true)
        }
        "wrong" | "incorrect" | "that was not it" | "that is wrong" | "you were wrong" | "that wasn't it" => {
            Wish::Feedback(false)
        }
        _ if begins(&["widen", "wider", "extend"]) => {
            let words = said
                .find(" to ")
                .map(|at| at + 4)
                .or_else(|| said.find(" until ").map(|at| at + 7))
                .and_then(|at| said.get(at..))
                .map(str::to_owned);
            Wish::Widen(words)
        }
        _ if begins(&["compare"]) || (short && has("compare")) => Wish::Follow(FollowUp::Compare),
        _ if begins(&["confirm", "recheck"]) || (short && (said.contains("is it fixed") || has("fixed"))) => {
            Wish::Follow(FollowUp::Confirm)
        }
        _ if begins(&["preserve", "archive", "keep"]) && short => Wish::Follow(FollowUp::Preserve),
        _ if short && (question::wanted(&text) == Wanted::Packets || said == "packets") => {
            Wish::Follow(FollowUp::Pcap)
        }
        _ if said.contains("ruled out") || said.contains("rule out") => Wish::RuledOut,
        _ if short && (has("evidence") || has("proof") || said == "how do you know" || said == "show me") => {
            Wish::Evidence
        }
        "what next" | "next" | "next steps" | "what should we do" | "what should i do" | "what to do"
        | "what do" => Wish::Next,
        "why" | "why that" | "why this" | "why is that" | "how so" | "explain" | "why do you think so" => {
            Wish::Why
        }
        _ => return None,
    })
}
