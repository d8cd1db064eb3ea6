//! The words of times.

use chrono::Weekday;

use super::phrase::Part;
use crate::time::abbreviation;

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

pub(super) fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "wk" | "wks" | "week" | "weeks" => Unit::Week,
        _ => return None,
    })
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "monday" | "mon" => Weekday::Mon,
        "tuesday" | "tue" | "tues" => Weekday::Tue,
        "wednesday" | "wed" | "weds" => Weekday::Wed,
        "thursday" | "thu" | "thur" | "thurs" => Weekday::Thu,
        "friday" | "fri" => Weekday::Fri,
        "saturday" | "sat" => Weekday::Sat,
        "sunday" | "sun" => Weekday::Sun,
        _ => return None,
    })
}

/// 1 to 12.
pub(super) fn month(word: &str) -> Option<u32> {
    Some(match word {
        "january" | "jan" => 1,
        "february" | "feb" => 2,
        "march" | "mar" => 3,
        "april" | "apr" => 4,
        "may" => 5,
        "june" | "jun" => 6,
        "july" | "jul" => 7,
        "august" | "aug" => 8,
        "september" | "sep" | "sept" => 9,
        "october" | "oct" => 10,
        "november" | "nov" => 11,
        "december" | "dec" => 12,
        _ => return None,
    })
}

pub(super) fn part(word: &str) -> Option<Part> {
    Some(match word {
        "morning" => Part::Morning,
        "afternoon" => Part::Afternoon,
        "evening" => Part::Evening,
        "night" => Part::Night,
        _ => return None,
    })
}

/// `an`, `two`, … as numbers; `half` is not one of them.
pub(super) fn number(word: &str) -> Option<u64> {
    Some(match word {
        "a" | "an" | "one" => 1,
        "two" | "couple" => 2,
        "three" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "eight" => 8,
        "nine" => 9,
        "ten" => 10,
        "fifteen" => 15,
        "twenty" => 20,
        "thirty" => 30,
        "forty" => 40,
        "ninety" => 90,
        _ => return None,
    })
}

pub(super) const ABOUT: &[&str] = &[
    "around",
    "about",
    "circa",
    "ca",
    "approximately",
    "approx",
    "roughly",
];
pub(super) const PAST: &[&str] = &["last", "past", "previous"];
pub(super) const AGO: &[&str] = &["ago", "earlier", "back"];
pub(super) const UNTIL: &[&str] = &["to", "until", "till", "til", "through", "thru"];
pub(super) const ORDINAL: &[&str] = &["st", "nd", "rd", "th"];

/// Words that are offered for one misspelt; the long forms only, since any short word is near a short one.
const OFFERED: &[&str] = &[
    "today",
    "yesterday",
    "tonight",
    "noon",
    "midnight",
    "now",
    "ago",
    "last",
    "past",
    "since",
    "from",
    "between",
    "until",
    "around",
    "about",
    "this",
    "morning",
    "afternoon",
    "evening",
    "night",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
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
    "second",
    "seconds",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "week",
    "weeks",
];

/// The word that `word` is most like, quoted.
pub(super) fn nearest_word(word: &str) -> Option<String> {
    let length = word.chars().count();
    if !(3..=16).contains(&length) {
        return None;
    }
    let allowed = if length < 5 { 1 } else { 2 };
    let near = OFFERED
        .iter()
        .map(|known| (strsim::osa_distance(word, known), *known));
    let near = near.filter(|(edits, known)| *edits <= allowed && *edits < known.len());
    near.min_by_key(|(edits, _)| *edits)
        .map(|(_, known)| format!("`{known}`"))
}

/// The abbreviation one letter away from `letters`, quoted.
pub(super) fn nearest_abbreviation(letters: &str) -> Option<String> {
    let known = abbreviation::names().find(|name| name.len() > 2 && strsim::osa_distance(name, letters) == 1);
    known.map(|name| format!("`{name}`"))
}
