//! Dates, as figures (`2026-03-14`) and in words (`the 14th`, `Mar 14`).

use chrono::{Datelike, NaiveDate};

use super::error::Unreadable;
use super::grammar::Parser;
use super::lexer::{Digits, Kind};
use super::phrase::{Day, Time, Wall};
use super::vocabulary::{ORDINAL, month};

/// Years that are read; captures are younger, and chrono's calendar is far larger.
pub(super) const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

impl Parser {
    /// `2026-03-14`, `2026/03/14`, and the `T` before a time.
    pub(super) fn iso_date(&mut self, wall: &mut Wall, year: Digits) -> Result<bool, Unreadable> {
        let mark = self
            .kind(1)
            .filter(|mark| matches!(mark, Kind::Dash | Kind::Slash));
        let (Some(mark), Some(month)) = (mark, self.digits_at(2)) else {
            return Ok(false);
        };
        let Some(day) = self
            .digits_at(4)
            .filter(|_| self.kind(3) == Some(mark) && month.len <= 2)
        else {
            return Ok(false);
        };
        self.set_date(wall, year.value, month.value, day.value, 5)?;
        self.skip_t();
        Ok(true)
    }

    /// `20260314`, `20260314T181200`.
    pub(super) fn compact_date(&mut self, wall: &mut Wall, digits: Digits) -> Result<(), Unreadable> {
        let (year, month, day) = (
            digits.value / 10_000,
            digits.value / 100 % 100,
            digits.value % 100,
        );
        self.set_date(wall, year, month, day, 1)?;
        self.skip_t();
        let Some(time) = self.digits().filter(|time| matches!(time.len, 4 | 6)) else {
            return Ok(());
        };
        let value = if time.len == 4 {
            time.value * 100
        } else {
            time.value
        };
        let part = |value: u64| u32::try_from(value % 100).unwrap_or(0);
        let time = Time {
            minute: part(value / 100),
            second: part(value),
            ..Time::whole(part(value / 10_000))
        };
        if time.hour > 23 || time.minute > 59 || time.second > 59 {
            return Err(self.error("is no time of day"));
        }
        self.set_time(wall, time, 1)
    }

    fn skip_t(&mut self) {
        if self.word() == Some("t") && self.digits_at(1).is_some() {
            self.advance(1);
        }
    }

    /// `14 Mar`, `14th of March 2026`, `the 14th`; `taken` tokens make the number.
    pub(super) fn day_first(
        &mut self,
        wall: &mut Wall,
        digits: Digits,
        taken: usize,
    ) -> Result<(), Unreadable> {
        let Some(day) = u32::try_from(digits.value)
            .ok()
            .filter(|day| (1..=31).contains(day))
        else {
            return Err(self.error("should be a day from 1 to 31"));
        };
        let of = usize::from(self.word_at(taken) == Some("of"));
        match self.word_at(taken + of).and_then(month) {
            Some(month) => {
                self.advance(taken + of + 1);
                self.with_year(wall, month, day)
            }
            None => self.set_day(wall, Day::OfMonth(day), taken),
        }
    }

    /// `Mar 14`, `March 14th, 2026`.
    pub(super) fn month_first(&mut self, wall: &mut Wall, month: u32) -> Result<(), Unreadable> {
        self.skip(&["the"]);
        let day = self
            .digits()
            .filter(|day| day.len <= 2 && self.kind(1) != Some(&Kind::Colon));
        let Some(day) = day
            .and_then(|day| u32::try_from(day.value).ok())
            .filter(|day| (1..=31).contains(day))
        else {
            return Err(self.error("should be a day of the month"));
        };
        self.advance(1);
        self.skip(ORDINAL);
        self.with_year(wall, month, day)
    }

    fn with_year(&mut self, wall: &mut Wall, month: u32, day: u32) -> Result<(), Unreadable> {
        let comma = usize::from(self.is(&Kind::Comma));
        let year = self
            .digits_at(comma)
            .filter(|year| year.len == 4 && self.kind(comma + 1) != Some(&Kind::Colon));
        if let Some(year) = year {
            return self.set_date(wall, year.value, month.into(), day.into(), comma + 1);
        }
        // Of a leap year, so that 29 February passes.
        if NaiveDate::from_ymd_opt(2024, month, day).is_none() {
            return Err(self.error_at(self.behind(), "belongs to a day that this month does not have"));
        }
        self.set_day(wall, Day::OfYear { month, day }, 0)
    }

    fn set_date(
        &mut self,
        wall: &mut Wall,
        year: u64,
        month: u64,
        day: u64,
        taken: usize,
    ) -> Result<(), Unreadable> {
        let place = self.place();
        let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let year = i32::try_from(year).ok().filter(|year| YEARS.contains(year));
        let date = year.and_then(|year| NaiveDate::from_ymd_opt(year, number(month), number(day)));
        let Some(date) = date else {
            let end = self.tokens_end(taken);
            return Err(self.error_at(place.start..end.max(place.end), "is no date from 1970 to 2199"));
        };
        if let Some(Day::Weekday { weekday, last: false }) = wall.day {
            if date.weekday() != weekday {
                return Err(self.error(&format!("begins a date that is a {}", date.format("%A"))));
            }
            wall.day = None;
        }
        self.set_day(wall, Day::Date(date), taken)
    }

    pub(super) fn set_day(&mut self, wall: &mut Wall, day: Day, taken: usize) -> Result<(), Unreadable> {
        let repeated = matches!(
            (wall.day, day),
            (Some(Day::Weekday { .. }), Day::OfYear { .. } | Day::OfMonth(_))
        );
        if wall.day.is_some() && !repeated {
            return Err(self.error("is a second date"));
        }
        wall.day = Some(day);
        self.advance(taken);
        Ok(())
    }
}
