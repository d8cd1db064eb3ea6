//! The one type that renders a time for people.

#[cfg(test)]
mod tests;

use chrono::format::{DelayedFormat, StrftimeItems};
use chrono::{DateTime, Datelike, NaiveDateTime, SecondsFormat, TimeDelta};

use super::abbreviation::{self, Meaning};
use super::duration::duration;
use super::zone::{either, long_offset};
use super::{HourStyle, Utc, Window, Zone};

/// Renders times in a zone, local first and UTC in parentheses: `15:03:22 IST (13:03:22 UTC)`, with the date where
/// it is not the day of `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The zone of the reader.
    pub zone: Zone,
    /// What counts as today.
    pub now: Utc,
    /// How prose writes an hour.
    pub hours: HourStyle,
}

/// How exactly a time is written.
#[derive(Clone, Copy)]
enum Precision {
    Minutes,
    Seconds,
    Millis,
}

impl Precision {
    fn time(self, wall: NaiveDateTime) -> DelayedFormat<StrftimeItems<'static>> {
        wall.format(match self {
            Self::Minutes => "%H:%M",
            Self::Seconds => "%H:%M:%S",
            Self::Millis => "%H:%M:%S%.3f",
        })
    }
}

impl Clock {
    /// To the second: `15:03:22 IST (13:03:22 UTC)`.
    pub fn at(&self, at: Utc) -> String {
        self.point(at, Precision::Seconds)
    }

    /// To the millisecond: `15:03:22.123 IST (13:03:22.123 UTC)`.
    pub fn at_millis(&self, at: Utc) -> String {
        self.point(at, Precision::Millis)
    }

    /// To the minute: `15:03 IST (13:03 UTC)`.
    pub fn day_time(&self, at: Utc) -> String {
        self.point(at, Precision::Minutes)
    }

    /// Local time alone, to the second, for the rows of a table whose head names the zone: `15:03:22`, or
    /// `2026-03-14 15:03:22` where that is not today.
    pub fn bare(&self, at: Utc) -> String {
        let local = self.zone.local(at);
        format!("{}{}", self.date(local), Precision::Seconds.time(local))
    }

    /// A stretch: `15:00:00–15:30:00 IST (13:00:00–13:30:00 UTC)`. Dates where the stretch is not all of today,
    /// both abbreviations where the clocks change inside.
    pub fn window(&self, window: &Window) -> String {
        let time = |wall| Precision::Seconds.time(wall);
        let (start, end) = (self.zone.local(window.start), self.zone.local(window.end));
        let one_day = start.date() == end.date();
        let first = if one_day {
            self.date(start)
        } else {
            format!("{} ", start.date())
        };
        let second = if one_day {
            String::new()
        } else {
            format!("{} ", end.date())
        };
        let (before, after) = (
            self.zone.abbreviation(window.start),
            self.zone.abbreviation(window.end),
        );
        let changed = if before == after {
            String::new()
        } else {
            format!(" {before}")
        };
        let local = format!("{first}{}{changed}–{second}{} {after}", time(start), time(end));
        if before == "UTC" && after == "UTC" {
            return local;
        }
        let (utc_start, utc_end) = (window.start.naive_utc(), window.end.naive_utc());
        let same = utc_start.date() == start.date() && utc_end.date() == end.date();
        let utc_one_day = utc_start.date() == utc_end.date();
        let first = if same {
            String::new()
        } else {
            format!("{} ", utc_start.date())
        };
        let second = if same || utc_one_day {
            String::new()
        } else {
            format!("{} ", utc_end.date())
        };
        format!(
            "{local} ({first}{}–{second}{} UTC)",
            time(utc_start),
            time(utc_end)
        )
    }

    /// As a sentence names it, after "at": `3:23 PM`, `15:23 yesterday`, `15:23 on 14 March`.
    pub fn prose(&self, at: Utc) -> String {
        let local = self.zone.local(at);
        let today = self.zone.local(self.now);
        let time = match self.hours {
            HourStyle::Twelve => local.format("%-I:%M %p"),
            HourStyle::TwentyFour => local.format("%H:%M"),
        };
        let days = today.date().signed_duration_since(local.date()).num_days();
        match days {
            0 => time.to_string(),
            1 => format!("{time} yesterday"),
            _ if local.year() == today.year() => format!("{time} on {}", local.format("%-d %B")),
            _ => format!("{time} on {}", local.format("%-d %B %Y")),
        }
    }

    /// Local time as part of a name: `2026-03-14-1823`.
    pub fn stamp(&self, at: Utc) -> String {
        self.zone.local(at).format("%Y-%m-%d-%H%M").to_string()
    }

    /// RFC 3339 with the local offset, milliseconds (or finer) where there are any:
    /// `2026-03-14T15:03:22+02:00`.
    ///
    /// RFC 3339 has no offsets with seconds, which zones had before 1972; such a time is given in UTC.
    pub fn rfc3339(&self, at: Utc) -> String {
        let precision = match at.timestamp_subsec_nanos() {
            0 => SecondsFormat::Secs,
            nanos if nanos.is_multiple_of(1_000_000) => SecondsFormat::Millis,
            _ => SecondsFormat::AutoSi,
        };
        let offset = self.zone.offset(at);
        let beyond_calendar = DateTime::<chrono::Utc>::MAX_UTC.signed_duration_since(at) < TimeDelta::days(2)
            || at.signed_duration_since(DateTime::<chrono::Utc>::MIN_UTC) < TimeDelta::days(2);
        if offset.local_minus_utc() % 60 != 0 || beyond_calendar {
            return at.to_rfc3339_opts(precision, true);
        }
        let is_utc = self.zone.abbreviation(at) == "UTC";
        at.with_timezone(&offset).to_rfc3339_opts(precision, is_utc)
    }

    /// A length of time in at most two units; see [`duration`].
    pub fn duration(&self, length: TimeDelta) -> String {
        duration(length)
    }

    /// The zone with what it is at `at`: `Asia/Jerusalem (IST, UTC+02:00)`.
    pub fn zone_line(&self, at: Utc) -> String {
        let name = self.zone.name();
        let abbreviation = self.zone.abbreviation(at);
        let offset = long_offset(self.zone.offset(at));
        match abbreviation.as_str() {
            "UTC" => name.to_owned(),
            numeric if numeric.starts_with("UTC") => format!("{name} ({offset})"),
            letters => format!("{name} ({letters}, {offset})"),
        }
    }

    /// A sentence about the abbreviation in use at `at`, where other zones use it for other times.
    pub fn zone_note(&self, at: Utc) -> Option<String> {
        let letters = self.zone.abbreviation(at);
        let offset = self.zone.offset(at);
        let elsewhere: Vec<&Meaning> = abbreviation::meanings(&letters)
            .iter()
            .filter(|meaning| meaning.offset().is_some_and(|theirs| theirs != offset))
            .collect();
        if elsewhere.is_empty() {
            return None;
        }
        let places: Vec<&str> = elsewhere.iter().map(|meaning| meaning.place).collect();
        let places = either(&places).replace('`', "");
        Some(format!(
            "{letters} is {} here, not the {letters} of {places}",
            long_offset(offset)
        ))
    }

    fn point(&self, at: Utc, precision: Precision) -> String {
        let (local, utc) = (self.zone.local(at), at.naive_utc());
        let abbreviation = self.zone.abbreviation(at);
        let text = format!("{}{} {abbreviation}", self.date(local), precision.time(local));
        if abbreviation == "UTC" {
            return text;
        }
        let utc_date = if utc.date() == local.date() {
            String::new()
        } else {
            format!("{} ", utc.date())
        };
        format!("{text} ({utc_date}{} UTC)", precision.time(utc))
    }

    /// The date and a space, or nothing for today.
    fn date(&self, local: NaiveDateTime) -> String {
        if local.date() == self.zone.local(self.now).date() {
            String::new()
        } else {
            format!("{} ", local.date())
        }
    }
}
