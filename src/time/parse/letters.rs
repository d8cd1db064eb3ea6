//! Which zone or offset a wall time is read against.

use chrono::FixedOffset;

use super::error::TimeError;
use super::phrase::{FrameSpec, Time, Wall};
use super::resolve::{Decision, Resolver, Taken};
use super::vocabulary::nearest_abbreviation;
use crate::time::Utc;
use crate::time::abbreviation::{self, Meaning};
use crate::time::frame::{Frame, WallTime};
use crate::time::zone::{either, long_offset};

impl Resolver<'_> {
    /// The zone of `wall`, or the reader's own where it names none.
    pub(super) fn frame(&mut self, wall: &Wall, limit: Utc) -> Result<Frame, TimeError> {
        Ok(match &wall.frame {
            None | Some(FrameSpec::Local) => Frame::Zone(self.clock.zone),
            Some(FrameSpec::Zone(zone)) => Frame::Zone(*zone),
            Some(FrameSpec::Offset(offset)) => Frame::Fixed(*offset),
            Some(FrameSpec::Letters(letters)) => self.letters(wall, letters, limit)?,
        })
    }

    /// What the letters mean: the reader's own zone where it uses them at that time, else what the table has,
    /// which may have to be decided.
    fn letters(&mut self, wall: &Wall, letters: &str, limit: Utc) -> Result<Frame, TimeError> {
        if let Some((_, frame)) = self.settled.iter().find(|(known, _)| known == letters) {
            return Ok(*frame);
        }
        let meanings = abbreviation::meanings(letters);
        let frame = match self.own_offset(wall, letters, limit) {
            Some(offset) => {
                self.mention_others(letters, offset, meanings);
                Frame::Fixed(offset)
            }
            None => match meanings {
                [] => {
                    return Err(unknown(letters));
                }
                [only] => self.meaning(wall, letters, only, limit),
                [first, ..] => {
                    let meaning = self.choose(letters, meanings).unwrap_or(first);
                    self.meaning(wall, letters, meaning, limit)
                }
            },
        };
        self.settled.push((letters.to_owned(), frame));
        Ok(frame)
    }

    fn choose(&mut self, letters: &str, meanings: &'static [Meaning]) -> Option<&'static Meaning> {
        let label = |meaning: &Meaning| {
            let offset = meaning
                .offset()
                .map_or_else(String::new, |offset| format!(" ({})", long_offset(offset)));
            format!("{}{offset}", meaning.place)
        };
        let options = meanings.iter().map(|meaning| {
            let others: Vec<&str> = meanings
                .iter()
                .filter(|m| *m != meaning)
                .map(|m| m.place)
                .collect();
            let others = either(&others).replace('`', "");
            Taken {
                label: label(meaning),
                said: format!(
                    "{letters} was taken as the one of {}, not of {others}",
                    label(meaning)
                ),
            }
        });
        let decision = Decision {
            question: format!("whose {letters} is meant?"),
            options: options.collect(),
            default: 0,
        };
        let pick = self.decide(decision);
        meanings.get(pick)
    }

    /// The frame of one meaning, with a note where the place keeps another time then (`EST` in July).
    fn meaning(&mut self, wall: &Wall, letters: &str, meaning: &Meaning, limit: Utc) -> Frame {
        let (Some(offset), Some(zone)) = (meaning.offset(), meaning.zone()) else {
            return Frame::Zone(meaning.zone().unwrap_or(self.clock.zone));
        };
        let frame = Frame::Fixed(offset);
        if let Some(at) = self.guess(wall, frame, limit).map(WallTime::earliest)
            && zone.offset(at) != offset
        {
            self.note(format!(
                "{letters} was read as {}, although {zone} has {} ({}) then",
                long_offset(offset),
                zone.abbreviation(at),
                long_offset(zone.offset(at)),
            ));
        }
        frame
    }

    /// The offset of the reader's zone, where it goes by these letters at that time.
    fn own_offset(&self, wall: &Wall, letters: &str, limit: Utc) -> Option<FixedOffset> {
        let zone = self.clock.zone;
        let found = match self.guess(wall, Frame::Zone(zone), limit)? {
            WallTime::Once(at) => vec![at],
            WallTime::Twice { first, second } => vec![first, second],
            WallTime::Skipped {
                forward, backward, ..
            } => vec![forward, backward],
        };
        let used = found
            .into_iter()
            .find(|at| zone.abbreviation(*at).eq_ignore_ascii_case(letters))?;
        Some(zone.offset(used))
    }

    fn mention_others(&mut self, letters: &str, offset: FixedOffset, meanings: &[Meaning]) {
        let others = meanings
            .iter()
            .filter(|meaning| meaning.offset().is_some_and(|other| other != offset));
        let others: Vec<&str> = others.map(|meaning| meaning.place).collect();
        if !others.is_empty() {
            let places = either(&others).replace('`', "");
            let zone = self.clock.zone;
            let offset = long_offset(offset);
            self.note(format!(
                "{letters} was taken as your own zone's, {zone} ({offset}), not that of {places}"
            ));
        }
    }

    fn guess(&self, wall: &Wall, frame: Frame, limit: Utc) -> Option<WallTime> {
        let time = wall.time.unwrap_or(Time::whole(12));
        self.last_wall(wall, time, frame, limit)
            .ok()
            .map(|naive| frame.on(naive))
    }
}

fn unknown(letters: &str) -> TimeError {
    TimeError::UnknownZone {
        letters: letters.to_owned(),
        suggestion: nearest_abbreviation(letters),
    }
}
