//! From a typed text to a window, with everything that had to be assumed and every other way to read it.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::error::TimeError;
use super::grammar;
use super::phrase::Phrase;
use super::range::{Meant, meant};
use super::resolve::Resolver;
use crate::time::{Clock, HourStyle, Utc, Window, Zone};

/// What a text means: the window, what was assumed to get there, and what else it could mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The default choice, or the one picked.
    pub window: Window,
    /// Sentences, times in the zone.
    pub assumptions: Vec<String>,
    /// Where the text has several meanings. Each default is also among the assumptions.
    pub ambiguities: Vec<Ambiguity>,
}

/// What a text about a single time means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointReading {
    pub at: Utc,
    /// Sentences, times in the zone.
    pub assumptions: Vec<String>,
    /// Where the text has several meanings; the windows of the choices are empty and start at the time.
    pub ambiguities: Vec<Ambiguity>,
}

/// A question about a text, with the answers there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ambiguity {
    pub question: String,
    /// At least two.
    pub choices: Vec<Choice>,
    /// Which of the choices was taken.
    pub chosen: usize,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The answer in words, with the window it leads to.
    pub label: String,
    /// The window where only this answer changes.
    pub window: Window,
}

/// Reads when something happened.
///
/// `since` may be one time, a range, or a length of time; `until` one time, or a length (`for 30 min`). A time of
/// day without a date is its last occurrence before `now`; that of `until` the first one after `since`. One time
/// alone begins a window that ends an hour later, or now.
///
/// # Errors
/// [`TimeError`] where the text cannot be read, or gives a window in the future or without a length.
pub fn parse_window(since: &str, until: Option<&str>, now: Utc, zone: &Zone) -> Result<Reading, TimeError> {
    parse_window_with(since, until, now, zone, &[])
}

/// [`parse_window`] with answers: `answers[i]` is which choice of the i-th ambiguity is meant.
///
/// An answer can bring up another question, or settle one, so ask one at a time: read with the answers so far, and
/// ask the ambiguity at index `answers.len()` while there is one. What was answered is no assumption any more.
///
/// # Errors
/// As [`parse_window`].
pub fn parse_window_with(
    since: &str,
    until: Option<&str>,
    now: Utc,
    zone: &Zone,
    answers: &[usize],
) -> Result<Reading, TimeError> {
    let mut phrase = grammar::phrase(since)?;
    if let Some(until) = until {
        let end = grammar::end(until)?;
        phrase = match phrase {
            Phrase::Point(start) | Phrase::UntilNow(start) => Phrase::Between(start, end),
            Phrase::Between(..) | Phrase::Around(_) => {
                return Err(TimeError::TwoEnds {
                    text: since.trim().chars().take(80).collect(),
                });
            }
        };
    }
    read(&phrase, Meant::Window, now, *zone, answers)
}

/// Reads a single time; for a day or a part of it that is its start. A date in the future is accepted.
///
/// # Errors
/// [`TimeError`] where the text cannot be read or is a range.
pub fn parse_point(text: &str, now: Utc, zone: &Zone) -> Result<PointReading, TimeError> {
    parse_point_with(text, now, zone, &[])
}

/// [`parse_point`] with answers, as [`parse_window_with`] takes them.
///
/// # Errors
/// As [`parse_point`].
pub fn parse_point_with(
    text: &str,
    now: Utc,
    zone: &Zone,
    answers: &[usize],
) -> Result<PointReading, TimeError> {
    let phrase = grammar::phrase(text)?;
    let (Phrase::Point(moment) | Phrase::UntilNow(moment)) = phrase else {
        return Err(TimeError::NotOne {
            text: text.trim().chars().take(80).collect(),
        });
    };
    let reading = read(&Phrase::Point(moment), Meant::Point, now, *zone, answers)?;
    let Reading {
        window,
        assumptions,
        ambiguities,
    } = reading;
    Ok(PointReading {
        at: window.start,
        assumptions,
        ambiguities,
    })
}

/// Resolves a phrase, tries every option of every decision, and keeps those that lead somewhere.
fn read(phrase: &Phrase, what: Meant, now: Utc, zone: Zone, answers: &[usize]) -> Result<Reading, TimeError> {
    let clock = Clock {
        zone,
        now,
        hours: HourStyle::TwentyFour,
    };
    let run = |picks: &[usize]| {
        let mut resolver = Resolver::new(clock, picks, what == Meant::Point);
        let window = meant(&mut resolver, phrase, what);
        (window, resolver.decisions, resolver.notes)
    };
    let mut picks: Vec<usize> = Vec::new();
    let mut ambiguities: Vec<Ambiguity> = Vec::new();
    let mut assumed: Vec<String> = Vec::new();
    loop {
        let (window, decisions, notes) = run(&picks);
        let Some(decision) = decisions.get(picks.len()) else {
            assumed.extend(notes);
            return Ok(Reading {
                window: window?,
                assumptions: assumed,
                ambiguities,
            });
        };
        // Options that end in an error are none, unless all of them do.
        let tried = decision.options.iter().enumerate().filter_map(|(option, taken)| {
            let picks: Vec<usize> = picks.iter().copied().chain([option]).collect();
            run(&picks).0.ok().map(|window| (option, taken, window))
        });
        let possible: Vec<_> = tried.collect();
        let default = possible
            .iter()
            .position(|(option, ..)| *option == decision.default)
            .unwrap_or(0);
        let answer = answers
            .get(ambiguities.len())
            .copied()
            .filter(|answer| *answer < possible.len());
        let chosen = answer.unwrap_or(default);
        let Some((option, taken, _)) = possible.get(chosen) else {
            window?;
            // An error of the default is reported; where only another option failed there is none to report.
            picks.push(decision.default);
            continue;
        };
        if possible.len() > 1 {
            let label = |label: &str, window: &Window| match what {
                Meant::Window => format!("{label}: {}", clock.window(window)),
                Meant::Point => format!("{label}: {}", clock.at(window.start)),
            };
            let choices = possible
                .iter()
                .map(|(_, taken, window)| Choice {
                    label: label(&taken.label, window),
                    window: *window,
                })
                .collect();
            if answer.is_none() {
                assumed.push(taken.said.clone());
            }
            ambiguities.push(Ambiguity {
                question: decision.question.clone(),
                choices,
                chosen,
            });
        } else {
            assumed.push(taken.said.clone());
        }
        picks.push(*option);
    }
}

/// How long a window without an end is at most.
pub(super) const LONGEST_OPEN: TimeDelta = TimeDelta::hours(1);
/// How far `around` reaches to either side.
pub(super) const AROUND: TimeDelta = TimeDelta::minutes(15);
