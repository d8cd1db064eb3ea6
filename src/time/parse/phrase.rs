//! What a typed time says, before a zone and "now" make instants of it.

use chrono::{FixedOffset, NaiveDate, TimeDelta, Weekday};

use crate::time::{Utc, Zone};

/// A whole text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phrase {
    /// `3pm`, `yesterday`, `this morning`.
    Point(Moment),
    /// `3pm-3:30pm`.
    Between(Moment, End),
    /// `last 2 hours`, `since 9am`.
    UntilNow(Moment),
    /// `around 3pm`.
    Around(Moment),
}

/// Where a range ends.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    At(Moment),
    /// `for 30 min`.
    After(Span),
}

/// One end of a phrase.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Moment {
    Now,
    /// Unix time.
    Exact(Utc),
    Ago {
        span: Span,
        /// Whether it said so: `2h ago`, against `2h`.
        said: bool,
    },
    Wall(Wall),
}

/// A length of time: days of the calendar, then time on the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub(super) days: u64,
    pub(super) rest: TimeDelta,
}

/// A date, a time of day, or both.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wall {
    pub(super) day: Option<Day>,
    pub(super) time: Option<Time>,
    pub(super) part: Option<Part>,
    pub(super) frame: Option<FrameSpec>,
    /// As typed.
    pub(super) typed: String,
    /// Sentences about how it was read.
    pub(super) notes: Vec<String>,
}

impl Wall {
    pub(super) fn is_empty(&self) -> bool {
        self.day.is_none() && self.time.is_none() && self.part.is_none()
    }

    /// Whether it says that it is in UTC.
    pub(super) fn is_universal(&self) -> bool {
        matches!(&self.frame, Some(FrameSpec::Letters(letters)) if letters == "UTC" || letters == "Z")
    }
}

/// Which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// Days before today: 0 is today, -1 tomorrow.
    Ago(i64),
    /// `tuesday`; with `last`, never today.
    Weekday {
        weekday: Weekday,
        last: bool,
    },
    /// `the 14th`.
    OfMonth(u32),
    /// `14 Mar`.
    OfYear {
        month: u32,
        day: u32,
    },
    Date(NaiveDate),
}

/// A time of day as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time {
    /// 0 to 24; 24 only as 24:00:00.
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nano: u32,
    pub(super) half: Option<Half>,
    pub(super) form: Form,
}

/// Which half of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

/// How a time of day was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `3`: an hour without anything.
    Bare,
    /// `3:15`: could be meant on either clock.
    Short,
    /// `03:15`, `15:04`, `noon`: one clock only.
    Plain,
}

impl Time {
    /// Noon, midnight.
    pub(super) fn whole(hour: u32) -> Self {
        Self {
            hour,
            minute: 0,
            second: 0,
            nano: 0,
            half: None,
            form: Form::Plain,
        }
    }

    /// The hour on the 24-hour clock.
    pub(super) fn hour24(&self) -> u32 {
        match self.half {
            Some(Half::Am) if self.hour == 12 => 0,
            Some(Half::Pm) if self.hour < 12 => self.hour + 12,
            _ => self.hour,
        }
    }

    /// Whether `am` or `pm` could still be added.
    pub(super) fn is_open(&self) -> bool {
        self.half.is_none() && self.form != Form::Plain && (1..=12).contains(&self.hour)
    }

    /// Seconds since midnight.
    pub(super) fn seconds(&self) -> i64 {
        i64::from(self.hour24() * 3600 + self.minute * 60 + self.second)
    }
}

/// A part of the day, by common usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    /// Of the day on which it begins.
    Night,
}

impl Part {
    /// The hours it is taken to last: first and last, the last of a night on the next day (30 is 06:00).
    pub(super) fn hours(self) -> (u32, u32) {
        match self {
            Self::Morning => (6, 12),
            Self::Afternoon => (12, 18),
            Self::Evening => (18, 22),
            Self::Night => (18, 30),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
            Self::Night => "night",
        }
    }

    /// Which half of the day an hour on the 12-hour clock falls in.
    pub(super) fn half(self, hour: u32) -> Half {
        match self {
            Self::Afternoon | Self::Evening => Half::Pm,
            Self::Night if (6..=11).contains(&hour) => Half::Pm,
            Self::Morning | Self::Night => Half::Am,
        }
    }
}

/// A zone as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FrameSpec {
    Zone(Zone),
    Offset(FixedOffset),
    /// Letters in upper case, whose meaning has to be settled.
    Letters(String),
    /// The reader's own.
    Local,
}
