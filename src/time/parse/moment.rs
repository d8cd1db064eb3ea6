//! One end of a phrase: a date, a time of day and a zone, in whatever order they come.

use chrono::{DateTime, Datelike};

use super::date::YEARS;
use super::error::Unreadable;
use super::grammar::Parser;
use super::lexer::{Digits, Kind};
use super::phrase::{Day, Form, FrameSpec, Moment, Part, Time, Wall};
use super::vocabulary::{AGO, ORDINAL, PAST, UNTIL, month, nearest_word, part, weekday};
use crate::time::abbreviation;
use crate::time::zone::{Zone, nearest_zones};

impl Parser {
    /// Reads one end. `and` is false where `and` separates it from the other.
    pub(super) fn moment(&mut self, and: bool) -> Result<Moment, Unreadable> {
        let start = self.place().start;
        if self.skip(&["now"]) {
            return Ok(Moment::Now);
        }
        if let Some(moment) = self.unix()? {
            return Ok(moment);
        }
        let mut wall = Wall::default();
        if let Some(span) = self.span(and)? {
            let said = self.skip(AGO);
            let dated = said && span.rest.is_zero() && span.days > 0 && self.time_follows();
            if !dated {
                return Ok(Moment::Ago { span, said });
            }
            wall.day = Some(Day::Ago(i64::try_from(span.days).unwrap_or(i64::MAX)));
        }
        while self.piece(&mut wall)? {}
        if wall.is_empty() {
            return Err(self.error("should be a time"));
        }
        wall.typed = self.shown(start..self.behind().end);
        settle_half(&mut wall);
        if wall.day.is_some() && wall.typed.to_ascii_lowercase().contains("midnight") {
            wall.notes.push(format!(
                "`{}` was taken as 00:00, the beginning of that day",
                wall.typed
            ));
        }
        Ok(Moment::Wall(wall))
    }

    /// `3 days ago at 14:05`, against `3 days ago`.
    fn time_follows(&self) -> bool {
        self.digits().is_some() || matches!(self.word(), Some("at" | "noon" | "midday" | "midnight"))
    }

    /// Unix seconds (10 digits) or milliseconds (13).
    fn unix(&mut self) -> Result<Option<Moment>, Unreadable> {
        let marked = usize::from(self.is(&Kind::At));
        let Some(digits) = self.digits_at(marked) else {
            return Ok(None);
        };
        let Ok(value) = i64::try_from(digits.value) else {
            return Ok(None);
        };
        let at = match digits.len {
            10 => DateTime::from_timestamp(value, 0),
            13 => DateTime::from_timestamp_millis(value),
            _ => return Ok(None),
        };
        let Some(at) = at.filter(|at| YEARS.contains(&at.year())) else {
            return Err(self.error("is Unix time beyond the year 2199"));
        };
        self.advance(marked + 1);
        Ok(Some(Moment::Exact(at)))
    }

    /// The next piece; false where the moment is over.
    fn piece(&mut self, wall: &mut Wall) -> Result<bool, Unreadable> {
        match self.kind(0) {
            Some(Kind::Number(digits)) => {
                let digits = *digits;
                self.number(wall, digits)?;
            }
            Some(Kind::Word(word)) => {
                let word = word.clone();
                return self.named(wall, &word);
            }
            Some(Kind::Zone(zone)) => {
                let zone = *zone;
                self.set_frame(wall, FrameSpec::Zone(zone), 1)?;
            }
            Some(Kind::BadZone(name)) => {
                let suggestion = nearest_zones(name);
                let mut error = self.error("is no time zone");
                error.suggestion = suggestion;
                return Err(error);
            }
            // `14:05 (UTC)`
            Some(Kind::Open) if wall.frame.is_none() && self.kind(2) == Some(&Kind::Close) => {
                let Some(letters) = self
                    .word_at(1)
                    .filter(|word| !abbreviation::meanings(word).is_empty())
                else {
                    return Ok(false);
                };
                let letters = FrameSpec::Letters(letters.to_ascii_uppercase());
                self.set_frame(wall, letters, 3)?;
            }
            Some(Kind::Comma) if !wall.is_empty() => self.advance(1),
            Some(Kind::Plus | Kind::Dash) if wall.time.is_some() && wall.frame.is_none() => {
                return self.offset_after_time(wall);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn named(&mut self, wall: &mut Wall, word: &str) -> Result<bool, Unreadable> {
        let next = self.word_at(1).map(str::to_owned);
        let next = next.as_deref();
        match word {
            "at" | "on" | "of" => self.advance(1),
            "the" if next == Some("day") && self.word_at(2) == Some("before") => {
                self.advance(1);
                return self.named(wall, "day");
            }
            "the" if self.digits_at(1).is_some() || next.and_then(part).is_some() => self.advance(1),
            "in" if next == Some("the") || next.and_then(part).is_some() => self.advance(1),
            "day" if next == Some("before") && self.word_at(2) == Some("yesterday") => {
                self.set_day(wall, Day::Ago(2), 3)?;
            }
            "today" => self.set_day(wall, Day::Ago(0), 1)?,
            "yesterday" => self.set_day(wall, Day::Ago(1), 1)?,
            "tomorrow" => self.set_day(wall, Day::Ago(-1), 1)?,
            "tonight" => {
                self.set_day(wall, Day::Ago(0), 1)?;
                wall.part = Some(Part::Night);
            }
            "overnight" => {
                self.set_day(wall, Day::Ago(1), 1)?;
                wall.part = Some(Part::Night);
            }
            "noon" | "midday" => self.set_time(wall, Time::whole(12), 1)?,
            "midnight" => self.set_time(wall, Time::whole(0), 1)?,
            "this" => self.relative(wall, next, false)?,
            _ if PAST.contains(&word) => self.relative(wall, next, true)?,
            "next" => return Err(self.error("lies ahead, and only what was recorded can be investigated")),
            "local" => self.set_frame(wall, FrameSpec::Local, 1 + usize::from(next == Some("time")))?,
            _ if AGO.contains(&word) || UNTIL.contains(&word) || matches!(word, "and" | "for") => {
                return Ok(false);
            }
            _ => return self.calendar_or_zone(wall, word).map(|()| true),
        }
        Ok(true)
    }

    fn calendar_or_zone(&mut self, wall: &mut Wall, word: &str) -> Result<(), Unreadable> {
        if let Some(weekday) = weekday(word) {
            // A weekday before a full date only repeats it: `Wed, 18 Mar 2026`.
            self.set_day(wall, Day::Weekday { weekday, last: false }, 1)
        } else if let Some(part) = part(word) {
            self.set_part(wall, part, 1)
        } else if let Some(month) = month(word) {
            self.advance(1);
            self.month_first(wall, month)
        } else if !abbreviation::meanings(word).is_empty() {
            let letters = word.to_ascii_uppercase();
            self.universal_or_letters(wall, letters)
        } else if let Some(zone) = Zone::named(word).filter(|_| word.len() > 2) {
            self.set_frame(wall, FrameSpec::Zone(zone), 1)
        } else if wall.time.is_some_and(|time| time.form != Form::Bare)
            && (2..=5).contains(&word.len())
            && nearest_word(word).is_none()
        {
            // Perhaps the abbreviation of the reader's own zone; refused later where it is not.
            self.set_frame(wall, FrameSpec::Letters(word.to_ascii_uppercase()), 1)
        } else {
            let mut error = self.error("is no word of a time");
            error.suggestion = nearest_word(word);
            Err(error)
        }
    }

    /// `last tuesday`, `this morning`.
    fn relative(&mut self, wall: &mut Wall, next: Option<&str>, last: bool) -> Result<(), Unreadable> {
        let next = next.unwrap_or_default();
        if let Some(weekday) = weekday(next) {
            return self.set_day(wall, Day::Weekday { weekday, last }, 2);
        }
        if let Some(part) = part(next) {
            self.set_day(wall, Day::Ago(i64::from(last)), 1)?;
            return self.set_part(wall, part, 1);
        }
        self.advance(1);
        let mut error = self.error("should be a day, a part of the day or a length of time");
        error.suggestion = nearest_word(next);
        Err(error)
    }

    fn number(&mut self, wall: &mut Wall, digits: Digits) -> Result<(), Unreadable> {
        let colon = self.kind(1) == Some(&Kind::Colon) && self.digits_at(2).is_some();
        if colon {
            return self.clock_time(wall, digits);
        }
        if digits.len == 4 && self.iso_date(wall, digits)? {
            return Ok(());
        }
        if digits.len == 8 && wall.day.is_none() {
            return self.compact_date(wall, digits);
        }
        if let Some((half, taken)) = self.half(1) {
            let time = Time {
                half: Some(half),
                form: Form::Short,
                ..self.hour_alone(digits)?
            };
            return self.set_time(wall, time, 1 + taken);
        }
        // `3.30pm`
        if let (Some(Kind::Dot), Some(minutes)) = (self.kind(1), self.digits_at(2))
            && let Some((half, taken)) = self.half(3).filter(|_| minutes.len == 2 && minutes.value < 60)
        {
            let minute = u32::try_from(minutes.value).unwrap_or(0);
            let time = Time {
                minute,
                half: Some(half),
                form: Form::Short,
                ..self.hour_alone(digits)?
            };
            return self.set_time(wall, time, 3 + taken);
        }
        if let Some(word) = self.word_at(1).map(str::to_owned) {
            if ORDINAL.contains(&word.as_str()) && self.is_glued(1) {
                return self.day_first(wall, digits, 2);
            }
            if month(&word).is_some() {
                return self.day_first(wall, digits, 1);
            }
        }
        if matches!(self.kind(1), Some(Kind::Slash | Kind::Dot))
            && self.digits_at(2).is_some()
            && digits.len <= 2
        {
            return Err(self.error(
                "begins a date that could be read in two ways, write it as `14 Mar` or `2026-03-14`",
            ));
        }
        if digits.len <= 2 && digits.value < 24 {
            let time = self.hour_alone(digits)?;
            return self.set_time(wall, time, 1);
        }
        Err(self.error("is a number that fits no time"))
    }

    /// `15:04`, `3:04:05 pm`, `18:12:00.250`, `24:00`.
    fn clock_time(&mut self, wall: &mut Wall, hour: Digits) -> Result<(), Unreadable> {
        let place = self.place();
        let minute = self.digits_at(2).filter(|m| m.len == 2 && m.value < 60);
        let Some(minute) = minute.filter(|_| hour.len <= 2) else {
            self.advance(2);
            return Err(self.error("should be minutes from 00 to 59"));
        };
        let mut taken = 3;
        let (mut second, mut nano) = (0, 0);
        if self.kind(taken) == Some(&Kind::Colon)
            && let Some(digits) = self.digits_at(taken + 1)
        {
            if digits.len != 2 || digits.value > 59 {
                self.advance(taken + 1);
                return Err(self.error("should be seconds from 00 to 59"));
            }
            (second, taken) = (digits.value, taken + 2);
            // A comma too, as ISO 8601 and many logs have it; glued, so that `18:12:00, 14 Mar` is none.
            let mark = matches!(self.kind(taken), Some(Kind::Dot | Kind::Comma));
            if let Some(digits) = self
                .digits_at(taken + 1)
                .filter(|d| mark && d.len <= 18 && self.is_glued(taken + 1))
            {
                nano = nanoseconds(digits);
                taken += 2;
            }
        }
        let mut time = Time {
            hour: u32::try_from(hour.value).unwrap_or(u32::MAX),
            minute: u32::try_from(minute.value).unwrap_or(0),
            second: u32::try_from(second).unwrap_or(0),
            nano,
            half: None,
            form: if hour.len == 1 || hour.value >= 10 {
                Form::Short
            } else {
                Form::Plain
            },
        };
        if let Some((half, words)) = self.half(taken) {
            (time.half, taken) = (Some(half), taken + words);
            if !(1..=12).contains(&time.hour) {
                return Err(self.error_at(place, "is an hour that has no am or pm, those go from 1 to 12"));
            }
        }
        let midnight = time.hour == 24 && time.minute == 0 && time.second == 0 && nano == 0;
        if time.hour > 23 && !midnight {
            return Err(self.error("should be an hour from 0 to 23"));
        }
        self.set_time(wall, time, taken)
    }

    /// `3` of `3pm`.
    fn hour_alone(&self, digits: Digits) -> Result<Time, Unreadable> {
        let hour = u32::try_from(digits.value).unwrap_or(u32::MAX);
        let with_half = self.half(1).is_some() || self.kind(1) == Some(&Kind::Dot);
        if digits.len > 2 || hour > 23 || (with_half && !(1..=12).contains(&hour)) {
            return Err(self.error("is an hour that has no am or pm, those go from 1 to 12"));
        }
        Ok(Time {
            form: Form::Bare,
            ..Time::whole(hour)
        })
    }

    /// `am`, `p.m.`, `p` at `ahead`, and how many tokens that is.
    fn half(&self, ahead: usize) -> Option<(super::phrase::Half, usize)> {
        use super::phrase::Half::{Am, Pm};
        let (half, one_letter) = match self.word_at(ahead)? {
            "am" => (Am, false),
            "pm" => (Pm, false),
            "a" => (Am, true),
            "p" => (Pm, true),
            _ => return None,
        };
        if !one_letter {
            return Some((half, 1));
        }
        let dotted = self.kind(ahead + 1) == Some(&Kind::Dot) && self.word_at(ahead + 2) == Some("m");
        let closed = self.kind(ahead + 3) == Some(&Kind::Dot);
        if dotted {
            return Some((half, 3 + usize::from(closed)));
        }
        self.is_glued(ahead).then_some((half, 1))
    }

    pub(super) fn set_time(&mut self, wall: &mut Wall, time: Time, taken: usize) -> Result<(), Unreadable> {
        if wall.time.is_some() {
            return Err(self.error("is a second time of day"));
        }
        wall.time = Some(time);
        self.advance(taken);
        Ok(())
    }

    fn set_part(&mut self, wall: &mut Wall, part: Part, taken: usize) -> Result<(), Unreadable> {
        if wall.part.is_some() {
            return Err(self.error("is a second part of the day"));
        }
        wall.part = Some(part);
        self.advance(taken);
        Ok(())
    }
}

/// `at 9` of `this morning at 9` is am.
fn settle_half(wall: &mut Wall) {
    if let (Some(time), Some(part)) = (&mut wall.time, wall.part) {
        if time.is_open() {
            time.half = Some(part.half(time.hour));
        }
        time.form = Form::Plain;
    }
}

/// `250` after the decimal mark is 250,000,000 ns; digits beyond the ninth are dropped.
fn nanoseconds(fraction: Digits) -> u32 {
    let exponent = |digits: usize| 10_u64.saturating_pow(u32::try_from(digits).unwrap_or(u32::MAX));
    let nanos = match fraction.len.checked_sub(9) {
        Some(more) => fraction.value / exponent(more),
        None => fraction.value * exponent(9 - fraction.len),
    };
    u32::try_from(nanos).unwrap_or(0)
}
