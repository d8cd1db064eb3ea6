//! Reading one field in whatever form a version of the server sends it.

use chrono::{DateTime, TimeDelta};
use serde_json::{Map, Value};

use super::DecodeError;
use crate::time::{Utc, Window};

/// The fields of one JSON object, found under any of several names.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The fields of `value`, or `None` where it is no object.
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        value.as_object().map(Self)
    }

    /// The first of `names` that is there and not null. Case and underscores do not matter, so that
    /// `oldest_ts` finds `oldestTs`.
    pub(super) fn get(self, names: &[&str]) -> Option<&'a Value> {
        names.iter().find_map(|name| {
            let exact = self.0.get(*name);
            let found = exact.or_else(|| {
                self.0
                    .iter()
                    .find(|(key, _)| same_name(key, name))
                    .map(|(_, v)| v)
            });
            found.filter(|value| !value.is_null())
        })
    }

    /// Whether one of `names` is there at all, be it null.
    pub(super) fn has(self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.0.contains_key(*name) || self.0.keys().any(|key| same_name(key, name)))
    }

    /// The first of `names` whose value `read` understands.
    fn first<T>(self, names: &[&str], read: fn(&Value) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| self.get(&[name]).and_then(read))
    }

    pub(super) fn text(self, names: &[&str]) -> Option<String> {
        self.first(names, text)
    }

    pub(super) fn int(self, names: &[&str]) -> Option<i64> {
        self.first(names, int)
    }

    pub(super) fn count(self, names: &[&str]) -> Option<u64> {
        self.int(names).and_then(|n| u64::try_from(n).ok())
    }

    pub(super) fn number(self, names: &[&str]) -> Option<f64> {
        self.first(names, number)
    }

    pub(super) fn flag(self, names: &[&str]) -> Option<bool> {
        self.first(names, flag)
    }

    pub(super) fn millis(self, names: &[&str]) -> Option<Utc> {
        self.first(names, millis)
    }

    pub(super) fn instant(self, names: &[&str]) -> Option<Utc> {
        self.first(names, instant)
    }

    pub(super) fn object(self, names: &[&str]) -> Option<Fields<'a>> {
        self.get(names).and_then(Fields::of)
    }

    /// The list under one of `names`; null, absent or anything else than a list is empty.
    pub(super) fn list(self, names: &[&str]) -> &'a [Value] {
        self.get(names)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// A window from a start and an end in Unix ms or RFC 3339; `None` where either is missing or
    /// nothing lies between them.
    pub(super) fn window(self, start: &[&str], end: &[&str]) -> Option<Window> {
        let window = Window {
            start: self.millis(start)?,
            end: self.millis(end)?,
        };
        (window.start < window.end).then_some(window)
    }

    /// Every field, for maps with keys of the user's (labels, headers).
    pub(super) fn iter(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0.iter()
    }
}

/// Whether two field names are the same but for case, underscores and hyphens.
fn same_name(a: &str, b: &str) -> bool {
    fn plain(name: &str) -> impl Iterator<Item = u8> {
        name.bytes()
            .filter(|c| *c != b'_' && *c != b'-')
            .map(|c| c.to_ascii_lowercase())
    }
    // Most names differ in their first letter: each field of each row is held against a dozen names.
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(x), Some(y))
            if x.is_ascii_alphabetic() && y.is_ascii_alphabetic() && !x.eq_ignore_ascii_case(y) =>
        {
            false
        }
        _ => plain(a).eq(plain(b)),
    }
}

/// Reads each of `items`, leaving out what cannot be read; where nothing can, the first error.
pub(super) fn each<T>(
    items: &[Value],
    read: fn(&Value) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut first_error = None;
    let good: Vec<T> = items
        .iter()
        .filter_map(|item| read(item).map_err(|e| first_error.get_or_insert(e).what).ok())
        .collect();
    match first_error {
        Some(error) if good.is_empty() => Err(error),
        _ => Ok(good),
    }
}

/// A text; a number or a flag is taken as its text, an empty text as absent.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) if s.is_empty() => None,
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// A finite number, also as a text, with an optional per cent sign.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().trim_end_matches('%').trim_end().parse().ok(),
        _ => None,
    }
    .filter(|n: &f64| n.is_finite())
}

/// An integer, also as a text or as a float without a fraction that matters (it is cut off).
pub(super) fn int(value: &Value) -> Option<i64> {
    let exact = match value {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    exact.or_else(|| number(value).and_then(whole))
}

/// The integer part of a float, where an `i64` holds it.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
pub(super) fn whole(n: f64) -> Option<i64> {
    // 2^53: beyond it a float does not tell neighbouring integers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (n.abs() <= EXACT).then_some(n.trunc() as i64)
}

/// A flag, also as "true", "yes", "1" or 1.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => n.as_f64().map(|n| n != 0.0),
        Value::String(s) => match s.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" | "enabled" | "on" => Some(true),
            "false" | "no" | "0" | "disabled" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A point in time from Unix milliseconds (a fraction is kept to the µs) or RFC 3339. Numbers too
/// large for milliseconds are taken as micro- or nanoseconds. Zero and below mean "nothing there".
pub(super) fn millis(value: &Value) -> Option<Utc> {
    // The year 5138 in milliseconds, 1973 in microseconds: nothing real lies on the wrong side.
    const MICROS_FROM: f64 = 1e14;
    const NANOS_FROM: f64 = 1e17;
    if let Some(at) = rfc3339(value) {
        return Some(at);
    }
    if let Some(ms) = exact_int(value).filter(|ms| *ms > 0 && *ms < 100_000_000_000_000) {
        return DateTime::from_timestamp_millis(ms);
    }
    let n = number(value).filter(|n| *n > 0.0)?;
    let micros = if n < MICROS_FROM {
        n * 1e3
    } else if n < NANOS_FROM {
        n
    } else {
        n / 1e3
    };
    DateTime::from_timestamp_micros(whole(micros.round())?)
}

/// An integer that needed no rounding.
fn exact_int(value: &Value) -> Option<i64> {
    match value {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    }
}

/// A point in time from a field that no document gives a unit: RFC 3339, Unix seconds or Unix
/// milliseconds, told apart by size.
pub(super) fn instant(value: &Value) -> Option<Utc> {
    // The year 5138 in seconds, 1973 in milliseconds.
    const MILLIS_FROM: f64 = 1e11;
    match number(value) {
        Some(n) if n > 0.0 && n < MILLIS_FROM => {
            DateTime::from_timestamp_micros(whole((n * 1e6).round()).unwrap_or_default())
        }
        _ => millis(value),
    }
}

fn rfc3339(value: &Value) -> Option<Utc> {
    let text = value.as_str()?.trim();
    // Go's zero time means "not set".
    if text.starts_with("0001-") {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
}

/// A length of time as Go writes it (`30m`, `1h15m`, `1.5s`) or a number of seconds.
pub(super) fn go_duration(value: &Value) -> Option<TimeDelta> {
    let seconds = match value {
        Value::Number(_) => number(value)?,
        Value::String(s) => go_seconds(s.trim())?,
        _ => return None,
    };
    let millis = whole((seconds * 1e3).round()).filter(|ms| *ms >= 0)?;
    TimeDelta::try_milliseconds(millis)
}

fn go_seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest.get(..digits)?.parse().ok()?;
        let unit_on = rest.get(digits..)?;
        let unit_end = unit_on
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit_on.len());
        let scale = match unit_on.get(..unit_end)?.trim() {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += amount * scale;
        rest = unit_on.get(unit_end..)?;
    }
    Some(total)
}

/// A map of names to texts: an object (a list of values becomes one entry each), or a list of
/// `{name, value}` or `[name, value]`. In the order sent.
pub(super) fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(_) => Fields::of(value)
            .into_iter()
            .flat_map(Fields::iter)
            .flat_map(flatten)
            .collect(),
        Value::Array(items) => items.iter().filter_map(pair).collect(),
        _ => Vec::new(),
    }
}

fn flatten((name, value): (&String, &Value)) -> Vec<(String, String)> {
    match value {
        Value::Array(values) => values.iter().map(|v| (name.clone(), plain(v))).collect(),
        other => vec![(name.clone(), plain(other))],
    }
}

fn pair(value: &Value) -> Option<(String, String)> {
    if let Some(fields) = Fields::of(value) {
        let value = fields.get(&["value"]).map(plain).unwrap_or_default();
        return fields.text(&["name", "key"]).map(|name| (name, value));
    }
    match value.as_array().map(Vec::as_slice) {
        Some([name, value]) => Some((text(name)?, plain(value))),
        _ => None,
    }
}

/// A text as it is; anything else as JSON; null as nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A body: a text as it is (also empty), anything else as JSON.
pub(super) fn body(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| plain(value))
}

/// A list of texts: a list, where an object stands for its name, or a single text.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let named = |item: &Value| {
        text(item).or_else(|| {
            let fields = Fields::of(item)?;
            fields.text(&["message", "error", "name", "value", "address", "data"])
        })
    };
    match value {
        Value::Array(items) => items.iter().filter_map(named).collect(),
        other => named(other).into_iter().collect(),
    }
}
