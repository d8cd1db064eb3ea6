//! Rules as `TZ` and zone files write them (POSIX.1, 8.3; RFC 9636, 3.3): `IST-2IDT,M3.4.4/26,M10.5.0`.
//!
//! Such a rule has no name, so the zone that keeps it is looked for.

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Weekday};
use chrono_tz::TZ_VARIANTS;

use super::Zone;
use crate::time::abbreviation;

/// The year whose changes are compared; any year in which today's rules hold does.
const YEAR: i32 = 2026;
/// Rules are short; RFC 9636 sets no limit.
const LONGEST: usize = 80;

/// A parsed rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    standard: (String, FixedOffset),
    summer: Option<Summer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Summer {
    name: String,
    offset: FixedOffset,
    /// Both in the wall time before the change.
    begins: NaiveDateTime,
    ends: NaiveDateTime,
}

impl Rule {
    /// Reads a rule; `None` where it is none, or counts its days (`J60`), which no zone of today does.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (name, rest) = letters(text)?;
        let (west, rest) = seconds(rest)?;
        let standard = (name, FixedOffset::west_opt(west)?);
        if rest.is_empty() {
            return Some(Self {
                standard,
                summer: None,
            });
        }
        let (name, rest) = letters(rest)?;
        let (west, rest) = match rest.chars().next() {
            None | Some(',') => (west.checked_sub(3600)?, rest),
            Some(_) => seconds(rest)?,
        };
        // Without dates, those of the United States are meant.
        let dates = if rest.is_empty() {
            "M3.2.0,M11.1.0"
        } else {
            rest.strip_prefix(',')?
        };
        let (begins, ends) = dates.split_once(',')?;
        let offset = FixedOffset::west_opt(west)?;
        Some(Self {
            standard,
            summer: Some(Summer {
                name,
                offset,
                begins: change(begins)?,
                ends: change(ends)?,
            }),
        })
    }

    /// A zone that keeps this rule: one with the same letters, or for a fixed whole hour the `Etc/GMT` zone.
    pub(super) fn zone(&self) -> Option<Zone> {
        let known = TZ_VARIANTS
            .iter()
            .map(|tz| Zone(*tz))
            .filter(|zone| zone.name().contains('/'));
        let same = abbreviation::zones()
            .chain(known)
            .find(|zone| self.is_kept_by(*zone));
        same.or_else(|| self.fixed_hour())
    }

    /// Whether the zone has these letters and offsets, and changes between them when the rule says.
    pub(super) fn is_kept_by(&self, zone: Zone) -> bool {
        let shows = |wall: NaiveDateTime, reckoned: FixedOffset, name: &str, offset: FixedOffset| {
            let at = reckoned.from_local_datetime(&wall).single().map(|at| at.to_utc());
            at.is_some_and(|at| zone.offset(at) == offset && zone.abbreviation(at) == normal(name, offset))
        };
        let (name, offset) = (self.standard.0.as_str(), self.standard.1);
        let second = TimeDelta::seconds(1);
        let Some(summer) = &self.summer else {
            let always = [1, 3, 5, 7, 9, 11]
                .into_iter()
                .filter_map(|month| NaiveDate::from_ymd_opt(YEAR, month, 15));
            return always
                .map(|day| day.and_time(NaiveTime::MIN))
                .all(|wall| shows(wall, offset, name, offset));
        };
        let Some(before) = summer.begins.checked_sub_signed(second) else {
            return false;
        };
        let Some(during) = summer.ends.checked_sub_signed(second) else {
            return false;
        };
        shows(before, offset, name, offset)
            && shows(summer.begins, offset, &summer.name, summer.offset)
            && shows(during, summer.offset, &summer.name, summer.offset)
            && shows(summer.ends, summer.offset, name, offset)
    }

    fn fixed_hour(&self) -> Option<Zone> {
        let seconds = self.standard.1.local_minus_utc();
        if self.summer.is_some() || seconds % 3600 != 0 {
            return None;
        }
        let hours = seconds / 3600;
        // The names have the sign the other way round, as the rules do.
        let sign = if hours > 0 { '-' } else { '+' };
        if hours == 0 {
            Some(Zone::UTC)
        } else {
            Zone::named(&format!("Etc/GMT{sign}{}", hours.abs()))
        }
    }
}

/// How [`Zone::abbreviation`] would write the name.
fn normal(name: &str, offset: FixedOffset) -> String {
    if name.starts_with(['+', '-']) {
        super::short_offset(offset)
    } else {
        name.to_owned()
    }
}

/// `IST` or `<+03>`, and what follows.
fn letters(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('<') {
        let (name, rest) = quoted.split_once('>')?;
        let fits = name.len() >= 3
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'-');
        return fits.then(|| (name.to_owned(), rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    (name.len() >= 3).then(|| (name.to_owned(), rest))
}

/// `[+-]hh[:mm[:ss]]` in seconds, and what follows. Hours go to 167: RFC 9636 lets a change be days away.
fn seconds(text: &str) -> Option<(i32, &str)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != ':')
        .unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    let mut total = 0;
    let mut parts = digits.split(':');
    for (unit, most) in [(3600, 167), (60, 59), (1, 59)] {
        let Some(part) = parts.next() else { break };
        let value: i32 = part.parse().ok()?;
        if value > most {
            return None;
        }
        total += value * unit;
    }
    parts.next().is_none().then_some((sign * total, rest))
}

/// `Mm.w.d[/time]`: the w-th (5: last) weekday d (0: Sunday) of month m, in [`YEAR`].
fn change(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('/').unwrap_or((text, "2"));
    let mut numbers = date.strip_prefix('M')?.split('.').map(str::parse::<u8>);
    let (month, week, day) = (
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
        numbers.next()?.ok()?,
    );
    let (time, rest) = seconds(time)?;
    if numbers.next().is_some() || !rest.is_empty() || !(1..=5).contains(&week) || day > 6 {
        return None;
    }
    let weekday = Weekday::try_from((day + 6) % 7).ok()?;
    let month = u32::from(month);
    let nth = |week| NaiveDate::from_weekday_of_month_opt(YEAR, month, weekday, week);
    let date = nth(week)
        .or_else(|| nth(4))
        .filter(|date| date.month() == month)?;
    date.and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::seconds(i64::from(time)))
}
