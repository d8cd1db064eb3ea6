//! Dates and times of day to instants, deciding what is open on the way.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::error::TimeError;
use super::phrase::{Day, Form, Part, Span, Time, Wall};
use crate::time::frame::{Frame, WallTime};
use crate::time::{Clock, Utc};

/// How many years back `29 Feb` is looked for: 2096 and 2104 are eight apart.
const LEAP_YEARS: i32 = 9;

/// Something that can be read in several ways.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) question: String,
    pub(super) options: Vec<Taken>,
    pub(super) default: usize,
}

/// One way to read it.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) label: String,
    /// How it was read, as a sentence.
    pub(super) said: String,
}

/// Which end of the window an instant is: what is open is settled so that the window is not too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

/// One run from a phrase to a window, in which decisions come up one after the other.
pub(super) struct Resolver<'a> {
    pub(super) clock: Clock,
    /// For the first decisions, which option to take; the default for the rest.
    picks: &'a [usize],
    /// Whether a single time is wanted, not a window.
    point: bool,
    /// Whether the start that is looked for stands alone, so that a window could reach over both of two times.
    pub(super) alone: bool,
    /// The later of two times, where the window is to reach over both.
    pub(super) both_until: Option<Utc>,
    pub(super) decisions: Vec<Decision>,
    pub(super) notes: Vec<String>,
    /// Letters of zones that are settled already, so that one range is not asked twice.
    pub(super) settled: Vec<(String, Frame)>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(clock: Clock, picks: &'a [usize], point: bool) -> Self {
        Self {
            clock,
            picks,
            point,
            alone: false,
            both_until: None,
            decisions: Vec::new(),
            notes: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// The option taken.
    pub(super) fn decide(&mut self, decision: Decision) -> usize {
        let pick = self
            .picks
            .get(self.decisions.len())
            .copied()
            .unwrap_or(decision.default);
        let pick = pick.min(decision.options.len().saturating_sub(1));
        self.decisions.push(decision);
        pick
    }

    pub(super) fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The last time before or at `limit` that `wall` means; a fixed date stands, whatever the limit.
    pub(super) fn last(
        &mut self,
        wall: &Wall,
        time: Time,
        frame: Frame,
        limit: Utc,
        edge: Edge,
    ) -> Result<Utc, TimeError> {
        let naive = self.last_wall(wall, time, frame, limit)?;
        self.mention_clock(
            wall,
            time,
            |afternoon| frame.on(afternoon).earliest() <= limit,
            naive,
        );
        Ok(self.instant(naive, frame, edge, |at| at <= limit))
    }

    /// The first time after `start` that `wall` means; a fixed date stands, whatever the start.
    ///
    /// Where the clocks skipped the start, `skipped` is its wall time: a later one of that day is the end, even where
    /// the instant taken for the start comes after it (`02:30-03:15`); that way to read the start then falls out.
    pub(super) fn first_after(
        &mut self,
        wall: &Wall,
        time: Time,
        frame: Frame,
        start: Utc,
        skipped: Option<NaiveDateTime>,
    ) -> Result<Utc, TimeError> {
        if let Some(naive) =
            skipped.and_then(|skipped| on_date(wall, time, skipped.date()).filter(|end| *end > skipped))
        {
            return Ok(self.instant(naive, frame, Edge::End, |at| at > start));
        }
        let anchor = frame.local(start).date();
        let dates = self.dates(wall.day, frame, anchor, 1);
        let later = |naive: &NaiveDateTime| match frame.on(*naive) {
            WallTime::Skipped { forward, .. } => forward > start,
            other => other.latest() > start,
        };
        let candidates: Vec<NaiveDateTime> = dates
            .into_iter()
            .filter_map(|date| on_date(wall, time, date))
            .collect();
        let naive = candidates
            .iter()
            .copied()
            .find(later)
            .or(candidates.first().copied());
        let naive = naive.ok_or_else(|| out_of_range(wall))?;
        Ok(self.instant(naive, frame, Edge::End, |at| at > start))
    }

    /// The last wall time before or at `limit`.
    pub(super) fn last_wall(
        &self,
        wall: &Wall,
        time: Time,
        frame: Frame,
        limit: Utc,
    ) -> Result<NaiveDateTime, TimeError> {
        if time.form == Form::Bare && time.half.is_none() {
            return Err(TimeError::HourAlone {
                text: wall.typed.clone(),
            });
        }
        let anchor = frame.local(limit).date();
        let candidates: Vec<NaiveDateTime> = self
            .dates(wall.day, frame, anchor, -1)
            .into_iter()
            .filter_map(|date| on_date(wall, time, date))
            .collect();
        let past = candidates
            .iter()
            .copied()
            .find(|naive| frame.on(*naive).earliest() <= limit);
        past.or(candidates.last().copied())
            .ok_or_else(|| out_of_range(wall))
    }

    /// The last day, or part of one, that began before or at `limit`; `edge_of` tells what is wanted of it.
    pub(super) fn stretch(
        &mut self,
        wall: &Wall,
        frame: Frame,
        limit: Utc,
        edge_of: Option<Edge>,
    ) -> Result<(Utc, Utc), TimeError> {
        let (from, to) = wall.part.map_or((0, 24), Part::hours);
        let edge = |date: NaiveDate, hour: u32| {
            let midnight = date.and_time(NaiveTime::MIN);
            let naive = midnight.checked_add_signed(TimeDelta::hours(i64::from(hour)))?;
            Some(frame.on(naive).reached())
        };
        let anchor = frame.local(limit).date();
        let dates = self.dates(wall.day, frame, anchor, -1);
        let began = |date: &&NaiveDate| edge(**date, from).is_some_and(|start| start <= limit);
        let date = dates
            .iter()
            .find(began)
            .or(dates.last())
            .copied()
            .ok_or_else(|| out_of_range(wall))?;
        let (Some(mut start), Some(end)) = (edge(date, from), edge(date, to)) else {
            return Err(out_of_range(wall));
        };
        // Before six, "this morning" is the one that began at midnight.
        if wall.part == Some(Part::Morning) && start > limit {
            start = edge(date, 0).unwrap_or(start);
        }
        if let Some(part) = wall.part {
            let hours = format!("{from:02}:00 to {:02}:00", to % 24);
            self.note(format!(
                "`{}`: the {} was taken as {hours}",
                wall.typed,
                part.name()
            ));
        } else {
            let taken = match edge_of {
                None => "whole",
                Some(Edge::Start) => "beginning",
                Some(Edge::End) => "end",
            };
            self.note(format!(
                "`{}` has no time of day: the {taken} of {date} was taken",
                wall.typed
            ));
        }
        Ok((start, end))
    }

    /// `span` before `at`: days on the calendar of the reader's zone, the rest on the clock.
    pub(super) fn before(&self, at: Utc, span: Span) -> Option<Utc> {
        let at = if span.days == 0 {
            at
        } else {
            let date = self
                .clock
                .zone
                .local(at)
                .checked_sub_days(chrono::Days::new(span.days))?;
            self.clock.zone.on(date).earliest()
        };
        at.checked_sub_signed(span.rest)
            .filter(|at| (1970..2200).contains(&at.year()))
    }

    /// `span` after `at`.
    pub(super) fn after(&self, at: Utc, span: Span) -> Option<Utc> {
        let at = if span.days == 0 {
            at
        } else {
            let date = self
                .clock
                .zone
                .local(at)
                .checked_add_days(chrono::Days::new(span.days))?;
            self.clock.zone.on(date).latest()
        };
        at.checked_add_signed(span.rest)
    }

    /// The dates that may be meant, the likeliest first: from `anchor` on in the direction of `step` (1 or -1).
    fn dates(&self, day: Option<Day>, frame: Frame, anchor: NaiveDate, step: i64) -> Vec<NaiveDate> {
        let today = frame.local(self.clock.now).date();
        let from = |date: NaiveDate, days: i64| date.checked_add_signed(TimeDelta::try_days(days)?);
        let near =
            |days: std::ops::RangeInclusive<i64>| days.filter_map(move |count| from(anchor, count * step));
        // One day more to either side: a skipped time can move to the next day, and 24:00 is of the day before.
        match day {
            None => near(-1..=2).collect(),
            Some(Day::Ago(days)) => days
                .checked_neg()
                .and_then(|days| from(today, days))
                .into_iter()
                .collect(),
            Some(Day::Date(date)) => vec![date],
            Some(Day::Weekday { weekday, last }) => {
                let fits = |date: &NaiveDate| date.weekday() == weekday && !(last && *date == today);
                near(-1..=15).filter(fits).collect()
            }
            Some(Day::OfMonth(day)) => {
                let months = (-1..=4).filter_map(|count: i32| month_after(anchor, count * direction(step)));
                months.filter_map(|month| month.with_day(day)).collect()
            }
            Some(Day::OfYear { month, day }) => {
                let years =
                    (-1..=LEAP_YEARS).map(|count| anchor.year().saturating_add(count * direction(step)));
                years
                    .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
                    .collect()
            }
        }
    }

    /// A note where `3:15` without am or pm was read as before noon and the afternoon had been possible too.
    fn mention_clock(
        &mut self,
        wall: &Wall,
        time: Time,
        possible: impl Fn(NaiveDateTime) -> bool,
        naive: NaiveDateTime,
    ) {
        let afternoon = naive.checked_add_signed(TimeDelta::hours(12));
        // Whoever writes a whole date or a zone writes the hour on the 24-hour clock.
        let exact = wall.frame.is_some() || matches!(wall.day, Some(Day::Date(_)));
        let open = time.is_open() && time.hour < 12 && wall.part.is_none() && !exact;
        if open && afternoon.is_some_and(possible) {
            let (hour, minute) = (time.hour, time.minute);
            self.note(format!(
                "`{}` was read on the 24-hour clock, as {hour:02}:{minute:02}; for the afternoon write `{hour}:{minute:02}pm`",
                wall.typed
            ));
        }
    }

    /// The instant of a wall time; where there are several, or none, that is decided.
    fn instant(&mut self, naive: NaiveDateTime, frame: Frame, edge: Edge, fits: impl Fn(Utc) -> bool) -> Utc {
        let clock_time = naive.format("%H:%M").to_string();
        let (date, place) = (naive.date(), frame.name());
        let end = match edge {
            _ if self.point => "time",
            Edge::Start => "start of the window",
            Edge::End => "end of the window",
        };
        let shown = |at: Utc| format!("{} {}", frame.local(at).format("%H:%M"), frame.label(at));
        let (question, said, options, default): (String, String, Vec<(Utc, String)>, Utc) = match frame
            .on(naive)
        {
            WallTime::Once(at) => return at,
            WallTime::Twice { first, second } => (
                format!(
                    "{clock_time} came twice on {date} in {place}, when the clocks were set back: which one is the {end}?"
                ),
                format!(
                    "{clock_time} came twice on {date} in {place}, when the clocks were set back; taken as the {end}"
                ),
                vec![
                    (first, format!("the first, {}", shown(first))),
                    (second, format!("the second, {}", shown(second))),
                ],
                if edge == Edge::Start { first } else { second },
            ),
            WallTime::Skipped {
                forward,
                change,
                backward,
            } => (
                format!(
                    "{clock_time} did not exist on {date} in {place}, the clocks were set forward over it: what is the {end}?"
                ),
                format!(
                    "{clock_time} did not exist on {date} in {place}, the clocks were set forward over it; taken as the {end}"
                ),
                vec![
                    (
                        forward,
                        format!(
                            "{}, where a clock that was not set forward shows it",
                            shown(forward)
                        ),
                    ),
                    (
                        change,
                        format!("{}, the moment the clocks were set forward", shown(change)),
                    ),
                    (
                        backward,
                        format!(
                            "{}, where a clock that was set forward too early shows it",
                            shown(backward)
                        ),
                    ),
                ],
                forward,
            ),
        };
        // A fixed date may lie beyond the limit; then that decides nothing.
        let any = options.iter().any(|(at, _)| fits(*at));
        let mut possible: Vec<(Utc, String)> =
            options.into_iter().filter(|(at, _)| fits(*at) || !any).collect();
        // At the first second of a gap two of them are the same instant.
        possible.dedup_by_key(|(at, _)| *at);
        let second = match (frame.on(naive), possible.len()) {
            (WallTime::Twice { second, .. }, 2) if self.alone => Some(second),
            _ => None,
        };
        if second.is_some() {
            possible.insert(
                0,
                (default, "either of them, the window reaches over both".to_owned()),
            );
        }
        let decision = Decision {
            question,
            default: possible.iter().position(|(at, _)| *at == default).unwrap_or(0),
            options: possible
                .iter()
                .map(|(_, label)| Taken {
                    label: label.clone(),
                    said: format!("{said}: {label}"),
                })
                .collect(),
        };
        let pick = self.decide(decision);
        self.both_until = second.filter(|_| pick == 0);
        possible.get(pick).map_or(default, |(at, _)| *at)
    }
}

/// The wall time on a date; `None` beyond the calendar. The hours of a night after midnight are of the next day.
fn on_date(wall: &Wall, time: Time, date: NaiveDate) -> Option<NaiveDateTime> {
    let hour = time.hour24();
    let small_hours = wall.part == Some(Part::Night) && hour < 12;
    let date = if hour == 24 || small_hours {
        date.succ_opt()?
    } else {
        date
    };
    date.and_hms_nano_opt(hour % 24, time.minute, time.second, time.nano)
}

fn month_after(date: NaiveDate, months: i32) -> Option<NaiveDate> {
    let count = chrono::Months::new(months.unsigned_abs());
    let first = date.with_day(1)?;
    if months < 0 {
        first.checked_sub_months(count)
    } else {
        first.checked_add_months(count)
    }
}

fn direction(step: i64) -> i32 {
    if step < 0 { -1 } else { 1 }
}

pub(super) fn out_of_range(wall: &Wall) -> TimeError {
    TimeError::OutOfRange {
        text: wall.typed.clone(),
    }
}
