//! What a phrase means in instants.

use chrono::{NaiveDateTime, TimeDelta};

use super::error::TimeError;
use super::halves::share;
use super::phrase::{End, FrameSpec, Moment, Phrase, Span, Wall};
use super::reading::{AROUND, LONGEST_OPEN};
use super::resolve::{Edge, Resolver};
use crate::time::frame::{Frame, WallTime};
use crate::time::{Clock, Utc, Window, duration};

/// A range over midnight that is longer is mentioned: its ends may have been mixed up.
const LONGEST_NIGHT: TimeDelta = TimeDelta::hours(12);

/// What is wanted of a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Window,
    /// A window that is empty and starts at the point.
    Point,
}

/// The window a phrase means; decisions and notes stay with the resolver.
pub(super) fn meant(resolver: &mut Resolver<'_>, phrase: &Phrase, what: Meant) -> Result<Window, TimeError> {
    let now = resolver.clock.now;
    if let (Meant::Point, Phrase::Point(moment)) = (what, phrase) {
        let start = resolver.start(moment, now)?;
        return Ok(Window { start, end: start });
    }
    let window = match phrase {
        Phrase::Point(Moment::Wall(wall)) if wall.time.is_none() => {
            let frame = resolver.frame(wall, now)?;
            let (start, end) = resolver.stretch(wall, frame, now, None)?;
            Window {
                start,
                end: end.min(now.max(start)),
            }
        }
        Phrase::Point(moment) => resolver.open(moment)?,
        Phrase::UntilNow(moment) => Window {
            start: resolver.start(moment, now)?,
            end: now,
        },
        Phrase::Around(moment) => {
            resolver.alone = true;
            let middle = resolver.start(moment, now)?;
            resolver.not_yet(middle, moment)?;
            resolver.note(format!(
                "around {} was taken as {} to either side",
                resolver.clock.at(middle),
                duration(AROUND)
            ));
            let wide = Window {
                start: middle,
                end: resolver.both_until.unwrap_or(middle),
            }
            .widened(AROUND);
            Window {
                end: wide.end.min(now),
                ..wide
            }
        }
        Phrase::Between(start, end) => resolver.between(start, end)?,
    };
    let moment = match phrase {
        Phrase::Point(moment)
        | Phrase::Between(moment, _)
        | Phrase::UntilNow(moment)
        | Phrase::Around(moment) => moment,
    };
    resolver.not_yet(window.start, moment)?;
    resolver.checked(window)
}

impl Resolver<'_> {
    /// A start without an end.
    fn open(&mut self, moment: &Moment) -> Result<Window, TimeError> {
        let now = self.clock.now;
        self.alone = true;
        let start = self.start(moment, now)?;
        let last = self.both_until.unwrap_or(start);
        let hour = last.checked_add_signed(LONGEST_OPEN).unwrap_or(last);
        let end = if hour < now {
            self.note(format!(
                "no end was given: the window ends an hour after its start, at {}",
                self.clock.at(hour)
            ));
            hour
        } else {
            self.note(format!(
                "no end was given: the window ends now, at {}",
                self.clock.at(now)
            ));
            now
        };
        Ok(Window { start, end })
    }

    /// Two ends, of which each may leave to the other what it does not say.
    fn between(&mut self, start: &Moment, end: &End) -> Result<Window, TimeError> {
        let now = self.clock.now;
        let (mut start, mut end) = (start.clone(), end.clone());
        if let (Moment::Wall(first), End::At(Moment::Wall(second))) = (&mut start, &mut end) {
            share(first, second);
            first.frame = first.frame.clone().or_else(|| second.frame.clone());
            second.frame = second.frame.clone().or_else(|| first.frame.clone());
        }
        let window = match (&start, &end) {
            (_, End::After(span)) => {
                let start = self.start(&start, now)?;
                let end = self.after(start, *span).ok_or_else(|| TimeError::OutOfRange {
                    text: "the end".to_owned(),
                })?;
                Window { start, end }
            }
            (Moment::Wall(first), End::At(Moment::Wall(second)))
                if first.day.is_some() || second.day.is_none() =>
            {
                let start = self.wall_start(first, now)?;
                // Before the end is looked for: it follows a start that is past.
                self.not_yet(start, &Moment::Wall(first.clone()))?;
                let window = Window {
                    start,
                    end: self.wall_end(second, start, self.skipped(first))?,
                };
                if second.day.is_none() && window.length() > LONGEST_NIGHT && over_midnight(self, window) {
                    let length = duration(window.length());
                    self.note(format!(
                        "`{}` was taken as the day after the start: the range lasts {length}",
                        second.typed
                    ));
                }
                window
            }
            (Moment::Wall(first), End::At(end)) => {
                // The date of the end, `from 14:00 to 15:00 yesterday`, is also that of the start.
                let end = match end {
                    Moment::Wall(wall) => self.dated_end(wall)?,
                    other => self.start(other, now)?,
                };
                let limit = end.checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(end);
                Window {
                    start: self.wall_start(first, limit.min(now))?,
                    end,
                }
            }
            (_, End::At(Moment::Wall(second))) => {
                let start = self.start(&start, now)?;
                Window {
                    start,
                    end: self.wall_end(second, start, None)?,
                }
            }
            (_, End::At(end)) => Window {
                start: self.start(&start, now)?,
                end: self.start(end, now)?,
            },
        };
        if window.end > now && window.start < now {
            self.note(format!(
                "the end, {}, is still to come: the window ends now, at {}",
                self.clock.at(window.end),
                self.clock.at(now)
            ));
            return Ok(Window { end: now, ..window });
        }
        if window.end > now && window.start == now {
            // Cut to now, like any end still to come, nothing is left of it.
            return Err(TimeError::Backwards {
                start: self.clock.at(window.start),
                end: self.clock.at(now),
            });
        }
        Ok(window)
    }

    /// The instant a moment means, or begins at; `limit` is what it lies before.
    fn start(&mut self, moment: &Moment, limit: Utc) -> Result<Utc, TimeError> {
        match moment {
            Moment::Now => Ok(self.clock.now),
            Moment::Exact(at) => Ok(*at),
            Moment::Ago { span, .. } => self.ago(*span),
            Moment::Wall(wall) => self.wall_start(wall, limit),
        }
    }

    fn ago(&self, span: Span) -> Result<Utc, TimeError> {
        let text = || format!("{} days and {} ago", span.days, duration(span.rest));
        self.before(self.clock.now, span)
            .ok_or_else(|| TimeError::OutOfRange { text: text() })
    }

    fn wall_start(&mut self, wall: &Wall, limit: Utc) -> Result<Utc, TimeError> {
        self.take_notes(wall);
        let frame = self.frame(wall, limit)?;
        match wall.time {
            Some(time) => self.last(wall, time, frame, limit, Edge::Start),
            None => Ok(self.stretch(wall, frame, limit, Some(Edge::Start))?.0),
        }
    }

    /// The wall time of a start that the reader's clocks skipped.
    fn skipped(&self, wall: &Wall) -> Option<NaiveDateTime> {
        let frame = Frame::Zone(self.clock.zone);
        let naive = self.last_wall(wall, wall.time?, frame, self.clock.now).ok()?;
        let own = matches!(wall.frame, None | Some(FrameSpec::Local));
        (own && matches!(frame.on(naive), WallTime::Skipped { .. })).then_some(naive)
    }

    /// The end that follows `start`; `skipped` as for [`Resolver::first_after`].
    fn wall_end(
        &mut self,
        wall: &Wall,
        start: Utc,
        skipped: Option<NaiveDateTime>,
    ) -> Result<Utc, TimeError> {
        self.take_notes(wall);
        let frame = self.frame(wall, start)?;
        match wall.time {
            Some(time) => self.first_after(wall, time, frame, start, skipped.filter(|_| wall.day.is_none())),
            None => Ok(self.stretch(wall, frame, self.clock.now, Some(Edge::End))?.1),
        }
    }

    /// An end with a date of its own: the last one that is past.
    fn dated_end(&mut self, wall: &Wall) -> Result<Utc, TimeError> {
        self.take_notes(wall);
        let now = self.clock.now;
        let frame = self.frame(wall, now)?;
        match wall.time {
            Some(time) => self.last(wall, time, frame, now, Edge::End),
            None => Ok(self.stretch(wall, frame, now, Some(Edge::End))?.1),
        }
    }

    fn take_notes(&mut self, wall: &Wall) {
        for note in &wall.notes {
            self.note(note.clone());
        }
    }

    fn not_yet(&self, start: Utc, moment: &Moment) -> Result<(), TimeError> {
        let Clock { now, .. } = self.clock;
        if start <= now {
            return Ok(());
        }
        let text = match moment {
            Moment::Wall(wall) => wall.typed.clone(),
            Moment::Exact(at) => at.timestamp().to_string(),
            Moment::Now | Moment::Ago { .. } => "the start".to_owned(),
        };
        Err(TimeError::NotYet {
            text,
            start: self.clock.at(start),
            now: self.clock.at(now),
        })
    }

    fn checked(&self, window: Window) -> Result<Window, TimeError> {
        if window.start < window.end {
            return Ok(window);
        }
        Err(TimeError::Backwards {
            start: self.clock.at(window.start),
            end: self.clock.at(window.end),
        })
    }
}

/// Whether the window ends on another day than it starts on.
fn over_midnight(resolver: &Resolver<'_>, window: Window) -> bool {
    let zone = resolver.clock.zone;
    zone.local(window.start).date() != zone.local(window.end).date()
}
