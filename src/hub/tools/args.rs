//! Arguments of a tool call, read tolerantly: a number may come as a string, a list as a single value.

use serde_json::{Map, Value};

use super::super::error::ToolError;

/// The arguments of one call.
#[derive(Clone, Debug, Default)]
pub struct Args(pub Map<String, Value>);

impl Args {
    /// The first of these names that has a text which is not empty.
    pub fn text(&self, names: &[&str]) -> Result<Option<&str>, ToolError> {
        for name in names {
            match self.0.get(*name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => return Ok(Some(text)),
                Some(other) => return Err(wrong(name, "a string", other)),
            }
        }
        Ok(None)
    }

    /// The text of one of these names.
    pub fn required(&self, names: &[&str]) -> Result<&str, ToolError> {
        let first = names.first().unwrap_or(&"");
        self.text(names)?
            .ok_or_else(|| ToolError::bad_request(format!("parameter `{first}` is required")))
    }

    /// A whole number, also written as a string or with an empty fraction.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ToolError> {
        let Some(value) = self.0.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let read = match value {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) if text.is_empty() => return Ok(None),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        read.map(Some).ok_or_else(|| wrong(name, "a whole number", value))
    }

    /// Unix ms as µs.
    pub fn ms_as_us(&self, name: &str) -> Result<Option<i64>, ToolError> {
        Ok(self.integer(name)?.map(|ms| ms.saturating_mul(1000)))
    }

    /// Yes or no, also as a string.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ToolError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(yes)) => Ok(Some(*yes)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// Several texts; a single one counts as a list of it.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, ToolError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::String(one)) if one.is_empty() => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one.clone()]),
            Some(all @ Value::Array(list)) => list
                .iter()
                .map(|one| {
                    one.as_str()
                        .map(str::to_owned)
                        .ok_or_else(|| wrong(name, "a list of strings", all))
                })
                .collect(),
            Some(other) => Err(wrong(name, "a list of strings", other)),
        }
    }

    /// Names with texts.
    pub fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, ToolError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(all @ Value::Object(object)) => object
                .iter()
                .map(|(key, value)| {
                    let text = value
                        .as_str()
                        .ok_or_else(|| wrong(name, "an object of strings", all))?;
                    Ok((key.clone(), text.to_owned()))
                })
                .collect(),
            Some(other) => Err(wrong(name, "an object of strings", other)),
        }
    }
}

fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

fn wrong(name: &str, wanted: &str, got: &Value) -> ToolError {
    let mut got = got.to_string();
    if got.len() > 80 {
        got = got.chars().take(80).chain(['…']).collect();
    }
    ToolError::bad_request(format!("parameter `{name}` must be {wanted}, not {got}"))
}

/// A duration as Go writes it, `1h30m` or `90s`, in µs; `None` where it is none.
pub fn duration_us(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        let unit_and_rest = rest.get(digits..)?;
        let unit_end = unit_and_rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(unit_and_rest.len());
        let scale = match unit_and_rest.get(..unit_end)? {
            "d" => 86_400_000_000.0,
            "h" => 3_600_000_000.0,
            "m" => 60_000_000.0,
            "s" => 1_000_000.0,
            "ms" => 1_000.0,
            _ => return None,
        };
        total = total.checked_add(whole((number * scale).round())?)?;
        rest = unit_and_rest.get(unit_end..)?;
    }
    Some(total)
}

/// µs as Go writes a duration: `1h30m0s`.
pub fn go_duration(us: i64) -> String {
    let seconds = us / 1_000_000;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (h, m) {
        (0, 0) => format!("{s}s"),
        (0, m) => format!("{m}m{s}s"),
        (h, m) => format!("{h}h{m}m{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(value: Value) -> Args {
        match value {
            Value::Object(object) => Args(object),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn numbers_come_in_three_spellings() {
        for spelled in [
            json!({"start": 1_700}),
            json!({"start": "1700"}),
            json!({"start": 1.7e3}),
        ] {
            assert_eq!(args(spelled).integer("start"), Ok(Some(1700)));
        }
        assert_eq!(args(json!({"start": null})).integer("start"), Ok(None));
        let refused = args(json!({"start": "soon"}))
            .integer("start")
            .unwrap_err()
            .to_string();
        assert_eq!(
            refused,
            "Hub API error (400): parameter `start` must be a whole number, not \"soon\""
        );
    }

    #[test]
    fn a_list_may_be_a_single_value() {
        assert_eq!(
            args(json!({"nodes": "a"})).texts("nodes"),
            Ok(vec!["a".to_owned()])
        );
        assert_eq!(
            args(json!({"nodes": ["a", "b"]})).texts("nodes").unwrap().len(),
            2
        );
        assert!(args(json!({"nodes": [1]})).texts("nodes").is_err());
    }

    #[test]
    fn durations_go_both_ways() {
        assert_eq!(duration_us("30m"), Some(1_800_000_000));
        assert_eq!(duration_us("1h30m"), Some(5_400_000_000));
        assert_eq!(duration_us("1.5s"), Some(1_500_000));
        assert_eq!(
            (
                duration_us(""),
                duration_us("30"),
                duration_us("m"),
                duration_us("3y")
            ),
            (None, None, None, None)
        );
        assert_eq!(duration_us("99999999999999999999h"), None);
        assert_eq!(go_duration(5_400_000_000), "1h30m0s");
        assert_eq!(go_duration(59_999_999), "59s");
    }
}
