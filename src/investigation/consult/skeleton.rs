//! Bodies as typed skeletons: what is as in a good answer becomes its type, what differs is shown.

use serde_json::{Map, Value};

/// Characters of a text that is shown whole, levels that are gone into, and members shown of each.
const TEXT: usize = 160;
const DEPTH: usize = 5;
const MEMBERS: usize = 12;

/// The body as a model gets to see it, and the same of a good one left out. Both are untrusted text.
pub fn skeleton(body: &str, good: Option<&str>) -> String {
    let parse = |text: &str| serde_json::from_str::<Value>(text).ok();
    match parse(body) {
        Some(value @ (Value::Object(_) | Value::Array(_))) => {
            let good = good.and_then(parse);
            of(&value, good.as_ref(), 0).to_string()
        }
        _ => cut(body),
    }
}

fn of(value: &Value, good: Option<&Value>, depth: usize) -> Value {
    if depth >= DEPTH || (good == Some(value) && !matches!(value, Value::Object(_))) {
        return Value::String(type_of(value));
    }
    match value {
        Value::Object(map) => {
            let mut members: Map<String, Value> = map
                .iter()
                .take(MEMBERS)
                .map(|(name, member)| {
                    let good = good.and_then(|good| good.get(name));
                    (cut(name), of(member, good, depth + 1))
                })
                .collect();
            if map.len() > MEMBERS {
                members.insert(
                    "…".to_owned(),
                    Value::String(format!("{} more", map.len() - MEMBERS)),
                );
            }
            Value::Object(members)
        }
        // Items of a list are alike: the first one shows what they are.
        Value::Array(items) => match items.first() {
            Some(first) => Value::Array(vec![
                of(first, good.and_then(|good| good.get(0)), depth + 1),
                Value::String(format!("{} items", items.len())),
            ]),
            None => Value::Array(Vec::new()),
        },
        Value::String(text) => Value::String(cut(text)),
        other => other.clone(),
    }
}

fn type_of(value: &Value) -> String {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
    .to_owned()
}

/// The beginning of a text on one line.
fn cut(text: &str) -> String {
    let line: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    if line.chars().count() <= TEXT {
        return line;
    }
    let cut: String = line.chars().take(TEXT).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::skeleton;

    #[test]
    fn what_differs_from_a_good_answer_is_shown() {
        let good = r#"{"id": 7, "items": [{"sku": "a"}, {"sku": "b"}], "error": null, "v": "2"}"#;
        let bad = r#"{"id": 9, "items": [{"sku": "a"}, {"sku": "c"}], "error": {"code": "pool_exhausted"}, "v": "2"}"#;
        assert_eq!(
            skeleton(bad, Some(good)),
            r#"{"id":9,"items":[{"sku":"string"},"2 items"],"error":{"code":"pool_exhausted"},"v":"string"}"#
        );
    }

    #[test]
    fn what_is_no_json_is_cut_to_a_line() {
        assert_eq!(
            skeleton("upstream\n  connect error\u{1b}[31m", None),
            "upstream connect error[31m"
        );
        assert_eq!(skeleton(&"x".repeat(500), None).chars().count(), 161);
    }

    #[test]
    fn depth_and_width_have_limits() {
        let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        assert!(skeleton(&deep, None).len() < 200);
        let wide: Vec<String> = (0..500).map(|n| format!("\"k{n}\": {n}")).collect();
        assert!(skeleton(&format!("{{{}}}", wide.join(",")), None).contains("488 more"));
    }
}
