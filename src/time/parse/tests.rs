//! What people type, and what it means.

mod ambiguous;
mod daylight;
mod errors;
mod forms;
mod phrases;
mod properties;

use super::*;
use crate::time::{Clock, HourStyle, Utc, Window, Zone};

fn utc(text: &str) -> Utc {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn clock(now: Utc, zone: Zone) -> Clock {
    Clock {
        zone,
        now,
        hours: HourStyle::TwentyFour,
    }
}

/// Wednesday, 16:20, in Israel.
fn wednesday() -> (Utc, Zone) {
    (utc("2026-03-18T14:20:00Z"), zone("Asia/Jerusalem"))
}

/// One line: `since || until => window`, then assumptions and choices below it.
fn told(text: &str, now: Utc, zone: Zone) -> String {
    let (since, until) = text
        .split_once(" || ")
        .map_or((text, None), |(since, until)| (since, Some(until)));
    let clock = clock(now, zone);
    let reading = match parse_window(since, until, now, &zone) {
        Ok(reading) => reading,
        Err(error) => return format!("{text} => {error}\n"),
    };
    let mut lines = format!("{text} => {}\n", clock.window(&reading.window));
    for assumption in &reading.assumptions {
        lines.extend(["    ", assumption, "\n"]);
    }
    for Ambiguity {
        question,
        choices,
        chosen,
    } in &reading.ambiguities
    {
        lines.extend(["  ? ", question, "\n"]);
        for (index, choice) in choices.iter().enumerate() {
            let mark = if index == *chosen { "*" } else { " " };
            lines.extend(["  ", mark, " ", &choice.label, "\n"]);
        }
    }
    lines
}

/// The windows alone.
fn windows(phrases: &[&str], now: Utc, zone: Zone) -> String {
    phrases
        .iter()
        .map(|text| told(text, now, zone).lines().next().unwrap().to_owned() + "\n")
        .collect()
}

fn all(phrases: &[&str], now: Utc, zone: Zone) -> String {
    phrases.iter().map(|text| told(text, now, zone)).collect()
}
