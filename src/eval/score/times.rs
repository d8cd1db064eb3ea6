//! Whether times are right in the zone of the person who asked.
//!
//! The offsets are taken from the zone database here and nowhere else, so that a report that renders or reads times
//! wrongly disagrees with it.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::{OffsetName, Tz};
use regex::{Captures, Regex};
use serde_json::Value;

use super::Check;
use crate::{
    eval::{load::EvalCase, run::Ran},
    report::Report,
};

/// The words of the case mean the window that they have to mean.
pub(super) fn window(case: &EvalCase, report: &Report) -> Option<Check> {
    let wanted = case.true_window?;
    let asked = &report.coverage.asked;
    let same =
        |text: &str, at: crate::time::Utc| DateTime::parse_from_rfc3339(text).is_ok_and(|said| said == at);
    let right = same(&asked.start, wanted.start) && same(&asked.end, wanted.end);
    Some(Check::all_or_nothing(
        "window",
        (!right).then(|| {
            format!(
                "`{}`{} was read as {} to {}, and means {} to {}",
                case.since,
                case.until
                    .as_ref()
                    .map_or_else(String::new, |until| format!(" to `{until}`")),
                asked.start,
                asked.end,
                wanted.start.to_rfc3339(),
                wanted.end.to_rfc3339()
            )
        }),
    ))
}

/// `2026-03-14 18:23:45.123`: the date may be left out, and seconds.
const POINT: &str = r"(?:(\d{4}-\d\d-\d\d) )?(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)";

static POINTS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!(r"{POINT} ([A-Z][A-Z0-9:+−-]*) \({POINT} UTC\)")).ok());
static RANGES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"{POINT}(?: ([A-Z][A-Z0-9:+−-]*))?–{POINT} ([A-Z][A-Z0-9:+−-]*) \({POINT}–{POINT} UTC\)"
    ))
    .ok()
});

struct Zoned {
    zone: Tz,
    /// The date of whoever reads, which is left out.
    today: NaiveDate,
    looked_at: usize,
    wrong: Vec<String>,
}

pub(super) fn times(case: &EvalCase, ran: &Ran, report: &Report) -> Check {
    let name = "times";
    let Ok(zone) = report.window.zone.parse::<Tz>() else {
        return Check::all_or_nothing(name, Some(format!("there is no zone `{}`", report.window.zone)));
    };
    if report.window.zone != case.zone.name() {
        let wrong = format!(
            "the report is for {}, not for {}",
            report.window.zone,
            case.zone.name()
        );
        return Check::all_or_nothing(name, Some(wrong));
    }
    let mut zoned = Zoned {
        zone,
        today: zone.from_utc_datetime(&case.now.naive_utc()).date_naive(),
        looked_at: 0,
        wrong: Vec::new(),
    };
    if let Ok(Value::Object(mut json)) = serde_json::to_value(report) {
        // Arguments and facts are as they are on the wire.
        json.remove("evidence");
        zoned.offsets(&Value::Object(json));
    }
    zoned.prose(&ran.text);
    zoned.wrong.dedup();
    let more = zoned.wrong.len().saturating_sub(3);
    let things = zoned.looked_at;
    let mut wrong = zoned.wrong;
    wrong.truncate(3);
    if more > 0 {
        wrong.push(format!("{more} more"));
    }
    if things == 0 {
        wrong.push("the report holds no time".to_owned());
    }
    Check::of_many(name, things, &wrong)
}

impl Zoned {
    /// Every RFC 3339 time has the offset of the zone at that moment.
    fn offsets(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                let Ok(at) = DateTime::parse_from_rfc3339(text) else {
                    return;
                };
                self.looked_at += 1;
                let right = self.zone.offset_from_utc_datetime(&at.naive_utc()).fix();
                if at.offset() != &right {
                    self.wrong.push(format!("{text} should have the offset {right}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.offsets(item)),
            Value::Object(map) => map.values().for_each(|value| self.offsets(value)),
            _ => {}
        }
    }

    /// Every local time is the UTC time beside it.
    fn prose(&mut self, text: &str) {
        for found in RANGES.iter().flat_map(|regex| regex.captures_iter(text)) {
            let start = self.local(&found, 1);
            let Some(start) = start else { continue };
            let end = time(&found, 4, start.date());
            let utc_start = time(&found, 7, start.date());
            let (Some(end), Some(utc_start)) = (end, utc_start) else {
                continue;
            };
            let utc_end = time(&found, 9, utc_start.date());
            let after = text_of(&found, 6);
            let before = found.get(3).map_or(after, |letters| letters.as_str());
            self.same(&found, start, before, utc_start);
            if let Some(utc_end) = utc_end {
                self.same(&found, end, after, utc_end);
            }
        }
        for found in POINTS.iter().flat_map(|regex| regex.captures_iter(text)) {
            let Some(local) = self.local(&found, 1) else {
                continue;
            };
            let Some(utc) = time(&found, 4, local.date()) else {
                continue;
            };
            self.same(&found, local, text_of(&found, 3), utc);
        }
    }

    fn local(&self, found: &Captures<'_>, group: usize) -> Option<NaiveDateTime> {
        time(found, group, self.today)
    }

    fn same(&mut self, found: &Captures<'_>, local: NaiveDateTime, letters: &str, utc: NaiveDateTime) {
        self.looked_at += 1;
        let right = self.zone.from_utc_datetime(&utc);
        let known = right.offset().abbreviation();
        // Zones without letters of their own are written as an offset.
        let lettered = known
            .is_none_or(|known| known == letters || !known.starts_with(|c: char| c.is_ascii_alphabetic()));
        if right.naive_local() != local || !lettered {
            self.wrong.push(format!(
                "`{}` should be {}",
                text_of(found, 0),
                right.format("%Y-%m-%d %H:%M:%S%.f %Z")
            ));
        }
    }
}

/// The date of a group, else this one, and the time of the next group.
fn time(found: &Captures<'_>, group: usize, otherwise: NaiveDate) -> Option<NaiveDateTime> {
    let date = match found.get(group) {
        Some(date) => date.as_str().parse().ok()?,
        None => otherwise,
    };
    let text = text_of(found, group + 1);
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"))
        .ok()?;
    Some(date.and_time(time))
}

fn text_of<'t>(found: &Captures<'t>, group: usize) -> &'t str {
    found.get(group).map_or("", |text| text.as_str())
}
