//! Which half of the day is meant where only one end of a range says so: `3-3:30pm`, `11pm-1`.

use super::phrase::{Form, Half, Time, Wall};

/// A day in seconds.
const DAY: i64 = 86_400;

/// Fills in am or pm, and the minutes of a bare hour, from the other end.
pub(super) fn share(start: &mut Wall, end: &mut Wall) {
    let (Some(first), Some(second)) = (&mut start.time, &mut end.time) else {
        return;
    };
    match (first.half, second.half) {
        // Whatever makes the shorter range.
        (None, Some(_)) if first.is_open() => {
            first.half = Some(nearer(*first, |first| second.seconds() - first.seconds()));
        }
        (Some(_), None) if second.is_open() => {
            second.half = Some(nearer(*second, |second| second.seconds() - first.seconds()));
        }
        (None, None) => {
            // Minutes, or an hour after twelve, at one end tell the clock of both.
            let tells =
                |time: &Time| time.form != Form::Bare && !(time.form == Form::Short && time.is_open());
            if tells(first) || tells(second) {
                (first.form, second.form) = (Form::Plain, Form::Plain);
            } else if first.form == Form::Short || second.form == Form::Short {
                (first.form, second.form) = (Form::Short, Form::Short);
            }
        }
        _ => {}
    }
}

/// The half of the day of `time` for which `length` is the shorter way round the clock, a whole day being the
/// longest.
fn nearer(time: Time, length: impl Fn(Time) -> i64) -> Half {
    let round = |half| {
        (length(Time {
            half: Some(half),
            ..time
        }) - 1)
            .rem_euclid(DAY)
    };
    if round(Half::Am) < round(Half::Pm) {
        Half::Am
    } else {
        Half::Pm
    }
}
