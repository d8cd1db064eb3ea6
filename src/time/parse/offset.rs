//! Zones and offsets behind a time of day.

use chrono::FixedOffset;

use super::error::Unreadable;
use super::grammar::Parser;
use super::lexer::Kind;
use super::phrase::{Day, FrameSpec, Wall};
use super::vocabulary::unit;

/// Minutes of an hour at which offsets in use lie.
const QUARTERS: [u64; 4] = [0, 15, 30, 45];

impl Parser {
    /// `UTC`, `IST`, and `UTC+2`.
    pub(super) fn universal_or_letters(
        &mut self,
        wall: &mut Wall,
        letters: String,
    ) -> Result<(), Unreadable> {
        if matches!(letters.as_str(), "UTC" | "GMT")
            && matches!(self.kind(1), Some(Kind::Plus | Kind::Dash))
            && let Some((offset, taken)) =
                self.offset(1, if self.kind(1) == Some(&Kind::Dash) { 12 } else { 14 })
        {
            return self.set_frame(wall, FrameSpec::Offset(offset), 1 + taken);
        }
        self.set_frame(wall, FrameSpec::Letters(letters), 1)
    }

    /// `+02:00` is an offset; `-05:00` could as well be the end of a range. It is an offset only where ISO 8601
    /// has one: behind a full date with a time to the second, or joined by `T`.
    pub(super) fn offset_after_time(&mut self, wall: &mut Wall) -> Result<bool, Unreadable> {
        let behind = self.is(&Kind::Dash);
        let Some((offset, taken)) = self.offset(0, if behind { 12 } else { 14 }) else {
            return Ok(false);
        };
        if behind {
            let dated = matches!(wall.day, Some(Day::Date(_)));
            let full =
                dated && (self.has_seconds() || self.joined_by_t()) && self.is_glued(0) && self.is_glued(1);
            let written = self.shown(self.place().start..self.tokens_end(taken));
            if !full {
                if dated && self.two_digits_twice() {
                    let note = "was read as the end of a range; an offset from UTC is written as in";
                    wall.notes
                        .push(format!("`{written}` {note} `18:12 UTC{written}`"));
                }
                return Ok(false);
            }
            if !self.has_seconds() {
                let end = written.trim_start_matches('-');
                wall.notes.push(format!(
                    "`{written}` was read as an offset from UTC; a range is written with `..{end}`"
                ));
            }
        }
        self.set_frame(wall, FrameSpec::Offset(offset), taken)?;
        Ok(true)
    }

    /// A sign at `ahead` and hours, with or without minutes; how many tokens. `None` where something else begins
    /// there: a range's other time, a length of time.
    fn offset(&self, ahead: usize, most: u64) -> Option<(FixedOffset, usize)> {
        let negative = self.kind(ahead)? == &Kind::Dash;
        let digits = self.digits_at(ahead + 1).filter(|_| self.is_glued(ahead + 1))?;
        let mut taken = 2;
        let (hours, minutes) = match digits.len {
            1 | 2 => {
                let minutes = self
                    .digits_at(ahead + 3)
                    .filter(|_| self.kind(ahead + 2) == Some(&Kind::Colon));
                taken += 2 * usize::from(minutes.is_some());
                (digits.value, minutes.map_or(0, |minutes| minutes.value))
            }
            4 => (digits.value / 100, digits.value % 100),
            _ => return None,
        };
        let more = self.kind(ahead + taken);
        let goes_on = match more {
            Some(Kind::Colon) => true,
            Some(Kind::Word(word)) => {
                matches!(word.as_str(), "am" | "pm" | "a" | "p") || unit(word).is_some()
            }
            Some(Kind::Dash) => digits.len == 4,
            _ => false,
        };
        // The quarters first: minutes may be any number somebody types, and are added only where they are few.
        if goes_on || !QUARTERS.contains(&minutes) || hours * 60 + minutes > most * 60 {
            return None;
        }
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        let offset = FixedOffset::east_opt(if negative { -seconds } else { seconds })?;
        Some((offset, taken))
    }

    /// Whether the time just read was written with seconds.
    fn has_seconds(&self) -> bool {
        let mut back = 1;
        if self
            .before(2)
            .is_some_and(|kind| matches!(kind, Kind::Dot | Kind::Comma))
        {
            back += 2;
        }
        self.before(back + 1) == Some(&Kind::Colon) && self.before(back + 3) == Some(&Kind::Colon)
    }

    /// Whether a `T` stands before the time just read, `18:12` or `181200`.
    fn joined_by_t(&self) -> bool {
        let is_t = |kind: &Kind| matches!(kind, Kind::Word(word) if word == "t");
        self.before(4).is_some_and(is_t) || self.before(2).is_some_and(is_t)
    }

    fn two_digits_twice(&self) -> bool {
        let two = |ahead| self.digits_at(ahead).is_some_and(|digits| digits.len == 2);
        self.is_glued(0)
            && two(1)
            && self.kind(2) == Some(&Kind::Colon)
            && two(3)
            && self.digits_at(1).is_some_and(|d| d.value < 10)
    }

    pub(super) fn set_frame(
        &mut self,
        wall: &mut Wall,
        frame: FrameSpec,
        taken: usize,
    ) -> Result<(), Unreadable> {
        if wall.frame.is_some() {
            return Err(self.error("is a second time zone"));
        }
        wall.frame = Some(frame);
        self.advance(taken);
        if matches!(wall.frame, Some(FrameSpec::Letters(_))) {
            self.skip(&["time"]);
        }
        Ok(())
    }
}
