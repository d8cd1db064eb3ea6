//! A time zone of the IANA database.

mod posix;
mod suggest;
mod system;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, OffsetName, Tz};
use serde::{Deserialize, Serialize};

use super::Utc;
use super::frame::WallTime;
pub use suggest::ZoneError;
pub use system::{SystemZone, ZoneSource};

/// A time zone of the IANA database; serialized as its name (`Asia/Jerusalem`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of that name, in any case; `None` where the database has none.
    pub fn named(name: &str) -> Option<Self> {
        Tz::from_str_insensitive(name).ok().map(Self)
    }

    /// The name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The wall clock at `at`.
    pub fn local(self, at: Utc) -> NaiveDateTime {
        let at = within_calendar(at);
        at.naive_utc()
            .checked_add_offset(self.offset(at))
            .unwrap_or_else(|| at.naive_utc())
    }

    /// The offset from UTC at `at`.
    pub fn offset(self, at: Utc) -> FixedOffset {
        self.0
            .offset_from_utc_datetime(&within_calendar(at).naive_utc())
            .fix()
    }

    /// The abbreviation in use at `at` (`IST`); where the database has only a number (`+04`), that
    /// number marked as an offset (`UTC+04`).
    pub fn abbreviation(self, at: Utc) -> String {
        let offset = self.0.offset_from_utc_datetime(&within_calendar(at).naive_utc());
        match offset.abbreviation() {
            Some(letters) if letters.starts_with(|c: char| c.is_ascii_alphabetic()) => letters.to_owned(),
            _ => short_offset(offset.fix()),
        }
    }

    /// When the wall clock showed the same a day before: where it did so twice, the one with the offset of `at`; where it
    /// never did, 24 hours before.
    pub fn day_before(self, at: Utc) -> Utc {
        let day = TimeDelta::days(1);
        let plain = at.checked_sub_signed(day).unwrap_or(at);
        let Some(wall) = self.local(at).checked_sub_signed(day) else {
            return plain;
        };
        match self.on(wall) {
            WallTime::Once(then) => then,
            WallTime::Twice { second, .. } if self.offset(second) == self.offset(at) => second,
            WallTime::Twice { first, .. } => first,
            WallTime::Skipped { .. } => plain,
        }
    }

    /// When the wall clock of this zone shows `wall`: once, twice, or never.
    pub(super) fn on(self, wall: NaiveDateTime) -> WallTime {
        use chrono::LocalResult::{Ambiguous, None, Single};
        match self.0.offset_from_local_datetime(&wall) {
            Single(offset) => WallTime::Once(instant(wall, offset.fix())),
            Ambiguous(one, other) => {
                let (one, other) = (instant(wall, one.fix()), instant(wall, other.fix()));
                WallTime::Twice {
                    first: one.min(other),
                    second: one.max(other),
                }
            }
            None => self.in_gap(wall),
        }
    }

    fn in_gap(self, wall: NaiveDateTime) -> WallTime {
        let gap = GapInfo::new(&wall, &self.0);
        let before = gap
            .as_ref()
            .and_then(|gap| gap.begin.as_ref())
            .map(|(_, offset)| offset.fix());
        let after = gap.as_ref().and_then(|gap| gap.end.as_ref());
        match (before, after) {
            (Some(before), Some(after)) => WallTime::Skipped {
                forward: instant(wall, before),
                change: after.to_utc(),
                backward: instant(wall, after.offset().fix()),
            },
            // The database knows both sides of every gap; should it not, the offset of that day serves.
            _ => WallTime::Once(instant(wall, self.offset(wall.and_utc()))),
        }
    }
}

/// The instant at which a clock `offset` from UTC shows `wall`.
pub(super) fn instant(wall: NaiveDateTime, offset: FixedOffset) -> Utc {
    wall.checked_sub_offset(offset).unwrap_or(wall).and_utc()
}

/// `UTC+04`, `UTC+05:30`: minutes only where there are any.
pub(super) fn short_offset(offset: FixedOffset) -> String {
    let long = long_offset(offset);
    match long.strip_suffix(":00") {
        Some("UTC+00" | "UTC-00") => "UTC".to_owned(),
        Some(short) => short.to_owned(),
        None => long,
    }
}

/// `UTC+04:00`; seconds of an offset, which only times before 1972 have, are left out.
pub(super) fn long_offset(offset: FixedOffset) -> String {
    let seconds = offset.local_minus_utc();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `at`, or the nearest instant for which every zone's wall clock is still inside chrono's calendar.
fn within_calendar(at: Utc) -> Utc {
    let margin = TimeDelta::days(2);
    let first = DateTime::<chrono::Utc>::MIN_UTC
        .checked_add_signed(margin)
        .unwrap_or(at);
    let last = DateTime::<chrono::Utc>::MAX_UTC
        .checked_sub_signed(margin)
        .unwrap_or(at);
    at.clamp(first, last)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    /// Reads a name in any case, `Z`, or an offset in whole hours (`UTC+2`, `+02:00`), which the
    /// database knows as `Etc/GMT-2`.
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let name = text.trim();
        Self::named(name)
            .or_else(|| whole_hours(name))
            .ok_or_else(|| ZoneError::new(name))
    }
}

/// The `Etc/GMT` zone of an offset; its name has the sign the other way round, by POSIX's habit.
fn whole_hours(text: &str) -> Option<Zone> {
    let text = text.to_ascii_uppercase();
    if text == "Z" {
        return Some(Zone::UTC);
    }
    let offset = text
        .strip_prefix("UTC")
        .or_else(|| text.strip_prefix("GMT"))
        .unwrap_or(&text);
    let (reversed, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => ('-', digits),
        ("-", digits) => ('+', digits),
        _ => return None,
    };
    let hours = digits
        .strip_suffix(":00")
        .or_else(|| digits.strip_suffix("00").filter(|h| h.len() == 2));
    let hours = hours.unwrap_or(digits);
    if hours.is_empty() || hours.len() > 2 || !hours.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match hours.parse::<u8>().ok()? {
        0 => Some(Zone::UTC),
        hours => Zone::named(&format!("Etc/GMT{reversed}{hours}")),
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;

    fn try_from(name: String) -> Result<Self, ZoneError> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

/// The zones most like `name`, quoted for a sentence.
pub(super) fn nearest_zones(name: &str) -> Option<String> {
    Some(either(&suggest::nearest(name))).filter(|names| !names.is_empty())
}

/// "`a`, `b` or `c`".
pub(super) fn either<T: fmt::Display>(names: &[T]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
