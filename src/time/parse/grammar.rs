//! Tokens to a phrase: what stands around the times themselves.

use std::ops::Range;

use chrono::{FixedOffset, TimeDelta};

use super::error::{TimeError, Unreadable};
use super::lexer::{Digits, Kind, Token, tokens};
use super::phrase::{End, FrameSpec, Moment, Phrase, Span, Wall};
use super::vocabulary::{ABOUT, AGO, PAST, UNTIL, Unit, number, unit};

/// How far back a length of time may go: captures are days old, not decades.
const LONGEST_SPAN: TimeDelta = TimeDelta::days(20 * 366);

/// Reads a text that says when.
pub(super) fn phrase(text: &str) -> Result<Phrase, TimeError> {
    let mut parser = Parser::new(text)?;
    let phrase = parser.phrase()?;
    let phrase = parser.parenthesis(phrase)?;
    parser.finish()?;
    Ok(phrase)
}

/// Reads a text that says until when.
pub(super) fn end(text: &str) -> Result<End, TimeError> {
    let mut parser = Parser::new(text)?;
    parser.skip(UNTIL);
    let end = if parser.skip(&["for"]) || parser.eat(&Kind::Plus) {
        End::After(parser.needed_span()?)
    } else {
        End::At(parser.moment(true)?)
    };
    parser.finish()?;
    Ok(end)
}

pub(super) struct Parser {
    shown: Vec<char>,
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, TimeError> {
        let (shown, tokens) = tokens(text)?;
        Ok(Self { shown, tokens, at: 0 })
    }

    fn phrase(&mut self) -> Result<Phrase, Unreadable> {
        if self.eat(&Kind::Tilde) || self.skip(ABOUT) || (self.skip_pair("at", ABOUT)) {
            return Ok(Phrase::Around(self.moment(true)?));
        }
        if let Some(span) = self.past()? {
            return Ok(Phrase::UntilNow(Moment::Ago { span, said: false }));
        }
        let since = self.skip(&["since"]);
        let between = !since && self.skip(&["between"]);
        let _ = !since && !between && self.skip(&["from"]);
        let start = self.moment(!between)?;
        if self.separator(between) {
            return Ok(Phrase::Between(start, End::At(self.moment(true)?)));
        }
        if between {
            return Err(self.error("should be `and` with a second time, after `between`"));
        }
        if self.skip(&["for"]) || self.eat(&Kind::Plus) {
            return Ok(Phrase::Between(start, End::After(self.needed_span()?)));
        }
        Ok(match start {
            // As with `kubectl logs --since 2h`.
            Moment::Ago { said: false, .. } => Phrase::UntilNow(start),
            _ if since => Phrase::UntilNow(start),
            _ => Phrase::Point(start),
        })
    }

    fn separator(&mut self, between: bool) -> bool {
        self.eat(&Kind::Dash)
            || self.eat(&Kind::Until)
            || self.eat(&Kind::Slash)
            || self.skip(UNTIL)
            || (between && self.skip(&["and"]))
    }

    /// `last 45 min`, `in the past hour`.
    fn past(&mut self) -> Result<Option<Span>, Unreadable> {
        let before = self.at;
        self.skip(&["in", "for", "over", "during", "within"]);
        self.skip(&["the"]);
        if self.skip(PAST) {
            if let Some(span) = self.span(true)? {
                return Ok(Some(span));
            }
            if let Some(unit) = self.word().and_then(unit) {
                self.at += 1;
                return self.add_up(&[(unit, 1.0)]).map(Some);
            }
        }
        self.at = before;
        Ok(None)
    }

    /// Our own way of writing a time ends in the same time in UTC: `15:03:22 IST (13:03:22 UTC)`. It settles which
    /// IST that was, and where it has a date of its own, it is all that is needed.
    fn parenthesis(&mut self, mut phrase: Phrase) -> Result<Phrase, Unreadable> {
        if !self.eat(&Kind::Open) {
            return Ok(phrase);
        }
        let place = self.place();
        let inner = self.phrase()?;
        if !self.eat(&Kind::Close) {
            return Err(self.error("should be `)`"));
        }
        let settled = match (&mut phrase, &inner) {
            (Phrase::Point(Moment::Wall(outer)), Phrase::Point(Moment::Wall(inner)))
                if inner.is_universal() =>
            {
                settle(outer, inner)
            }
            (
                Phrase::Between(Moment::Wall(start), End::At(Moment::Wall(end))),
                Phrase::Between(Moment::Wall(inner_start), End::At(Moment::Wall(inner_end))),
            ) if inner_end.is_universal() => match settle(start, inner_start) {
                // A date at one end serves both.
                Some(false) => settle(end, inner_end),
                dated => dated,
            },
            _ => None,
        };
        match settled {
            Some(true) => Ok(inner),
            Some(false) => Ok(phrase),
            None => Err(self.error_at(place, "does not say the same time in UTC")),
        }
    }

    /// A length of time, where one stands here.
    pub(super) fn span(&mut self, and: bool) -> Result<Option<Span>, Unreadable> {
        let mut parts = Vec::new();
        let mut smallest = None;
        loop {
            let before = self.at;
            if !parts.is_empty() && !self.eat(&Kind::Comma) && and {
                self.skip(&["and"]);
            }
            if let Some((unit, count)) = self.counted(smallest) {
                smallest = Some(unit);
                parts.push((unit, count));
            } else {
                self.at = before;
                break;
            }
        }
        if parts.is_empty() {
            Ok(None)
        } else {
            self.add_up(&parts).map(Some)
        }
    }

    fn needed_span(&mut self) -> Result<Span, Unreadable> {
        self.span(true)?
            .ok_or_else(|| self.error("should be a length of time, such as `30 min`"))
    }

    /// A count with its unit, which must be smaller than the one before.
    fn counted(&mut self, before: Option<Unit>) -> Option<(Unit, f64)> {
        let start = self.at;
        let found = self.count().and_then(|(count, decimal)| {
            let glued = self.peek().is_some_and(|token| token.glued);
            match self.word().and_then(unit) {
                Some(unit) => {
                    self.at += 1;
                    Some((unit, count))
                }
                // `1h30`
                None if before == Some(Unit::Hour) && !decimal && !glued => Some((Unit::Minute, count)),
                None => None,
            }
        });
        let found = found.filter(|(unit, _)| before.is_none_or(|before| *unit < before));
        if found.is_none() {
            self.at = start;
        }
        found
    }

    /// A number in digits or a word, and whether it had decimals.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts that lose precision are far beyond the longest span"
    )]
    fn count(&mut self) -> Option<(f64, bool)> {
        if let Some(digits) = self.digits() {
            self.at += 1;
            let Some(fraction) = self
                .digits_at(1)
                .filter(|_| self.is(&Kind::Dot) && self.is_glued(1))
            else {
                return Some((digits.value as f64, false));
            };
            self.at += 2;
            let scale = 10_f64.powi(i32::try_from(fraction.len).unwrap_or(i32::MAX));
            return Some((digits.value as f64 + fraction.value as f64 / scale, true));
        }
        if self.skip(&["half"]) {
            self.skip(&["a", "an"]);
            return Some((0.5, true));
        }
        let count = self.word().and_then(number)?;
        self.at += 1;
        if self.skip(&["half"]) {
            return Some((0.5, true));
        }
        if count == 1 && self.skip(&["couple"]) {
            self.skip(&["of"]);
            return Some((2.0, false));
        }
        self.skip(&["of"]);
        Some((count as f64, false))
    }

    /// The sum; whole days count on the calendar, whatever the clocks did in between.
    fn add_up(&self, parts: &[(Unit, f64)]) -> Result<Span, Unreadable> {
        let (mut days, mut seconds) = (0.0, 0.0);
        for (unit, count) in parts {
            let (whole, part) = match unit {
                Unit::Second => (0.0, *count),
                Unit::Minute => (0.0, count * 60.0),
                Unit::Hour => (0.0, count * 3600.0),
                Unit::Day => (count.trunc(), count.fract() * 86_400.0),
                Unit::Week => ((count * 7.0).trunc(), (count * 7.0).fract() * 86_400.0),
            };
            days += whole;
            seconds += part;
        }
        #[expect(clippy::cast_precision_loss, reason = "a constant far below 2^53")]
        let longest = LONGEST_SPAN.num_seconds() as f64;
        if days * 86_400.0 + seconds > longest {
            return Err(self.error_at(self.behind(), "is more than 20 years"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked just above; never negative"
        )]
        let (days, millis) = (days as u64, (seconds * 1000.0).round() as i64);
        Ok(Span {
            days,
            rest: TimeDelta::milliseconds(millis),
        })
    }

    fn finish(&mut self) -> Result<(), Unreadable> {
        if self.is(&Kind::Dot) && self.at + 1 == self.tokens.len() {
            self.at += 1;
        }
        match self.peek().map(|token| &token.kind) {
            None => Ok(()),
            Some(Kind::Word(word)) if AGO.contains(&word.as_str()) => {
                Err(self.error("goes after a length of time, as in `20 minutes ago`"))
            }
            Some(_) => Err(self.error("is left over after what could be read")),
        }
    }

    // Looking at tokens

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn kind(&self, ahead: usize) -> Option<&Kind> {
        self.tokens.get(self.at + ahead).map(|token| &token.kind)
    }

    /// The token that many before the one here: 1 is the one just taken.
    pub(super) fn before(&self, back: usize) -> Option<&Kind> {
        let at = self.at.checked_sub(back)?;
        self.tokens.get(at).map(|token| &token.kind)
    }

    /// Where the next `count` tokens end, in characters.
    pub(super) fn tokens_end(&self, count: usize) -> usize {
        let last = count
            .checked_sub(1)
            .and_then(|last| self.tokens.get(self.at + last));
        last.map_or(self.shown.len(), |token| token.place.end)
    }

    pub(super) fn is(&self, kind: &Kind) -> bool {
        self.kind(0) == Some(kind)
    }

    /// Whether the token `ahead` has no space before it.
    pub(super) fn is_glued(&self, ahead: usize) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| token.glued)
    }

    pub(super) fn word(&self) -> Option<&str> {
        self.word_at(0)
    }

    pub(super) fn word_at(&self, ahead: usize) -> Option<&str> {
        match self.kind(ahead) {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    pub(super) fn digits(&self) -> Option<Digits> {
        self.digits_at(0)
    }

    pub(super) fn digits_at(&self, ahead: usize) -> Option<Digits> {
        match self.kind(ahead) {
            Some(Kind::Number(digits)) => Some(*digits),
            _ => None,
        }
    }

    // Taking tokens

    pub(super) fn advance(&mut self, tokens: usize) {
        self.at += tokens;
    }

    pub(super) fn eat(&mut self, kind: &Kind) -> bool {
        let fits = self.is(kind);
        self.at += usize::from(fits);
        fits
    }

    pub(super) fn skip(&mut self, words: &[&str]) -> bool {
        let fits = self.word().is_some_and(|word| words.contains(&word));
        self.at += usize::from(fits);
        fits
    }

    fn skip_pair(&mut self, first: &str, second: &[&str]) -> bool {
        let fits = self.word() == Some(first) && self.word_at(1).is_some_and(|word| second.contains(&word));
        self.at += 2 * usize::from(fits);
        fits
    }

    // Errors

    /// The place of the token here, or the end of the text.
    pub(super) fn place(&self) -> Range<usize> {
        let end = self.shown.len();
        self.peek().map_or(end..end, |token| token.place.clone())
    }

    /// The place of the token just taken.
    pub(super) fn behind(&self) -> Range<usize> {
        let token = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        token.map_or_else(|| self.place(), |token| token.place.clone())
    }

    pub(super) fn error(&self, why: &str) -> Unreadable {
        self.error_at(self.place(), why)
    }

    pub(super) fn error_at(&self, place: Range<usize>, why: &str) -> Unreadable {
        let found = self.shown.get(place.clone()).unwrap_or(&[]).iter().collect();
        let input = self.shown.iter().collect();
        Unreadable {
            input,
            position: place.start,
            found,
            why: why.to_owned(),
            suggestion: None,
        }
    }

    /// What stands at `place`, as typed.
    pub(super) fn shown(&self, place: Range<usize>) -> String {
        self.shown.get(place).unwrap_or(&[]).iter().collect()
    }
}

/// Gives `outer` the offset that makes it the time `inner`, in UTC, of the same date; or tells that `inner` has a
/// date of its own. `None` where the two do not fit.
fn settle(outer: &mut Wall, inner: &Wall) -> Option<bool> {
    let (local, utc) = (outer.time?, inner.time?);
    let ahead = local.seconds() - utc.seconds();
    if local.nano != utc.nano || ahead % 900 != 0 {
        return None;
    }
    if inner.day.is_some() {
        return Some(true);
    }
    let offset = i32::try_from(ahead)
        .ok()
        .filter(|ahead| (-43_200..=50_400).contains(ahead))?;
    if matches!(outer.frame, None | Some(FrameSpec::Letters(_))) {
        outer.frame = FixedOffset::east_opt(offset).map(FrameSpec::Offset);
    }
    Some(false)
}
