//! JSON Schema in the dialect of structured outputs: every property required, those that may be absent nullable, no
//! further properties, `anyOf` for `oneOf`, `enum` for `const`, no formats.

use serde_json::{Map, Value, json};

/// The schema in the strict dialect.
pub fn strict(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("$schema");
    }
    convert(&mut schema);
    schema
}

fn convert(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    for unwanted in ["title", "format", "default", "minimum", "maximum"] {
        if map
            .get(unwanted)
            .is_some_and(|value| !value.is_object() || unwanted == "default")
        {
            map.remove(unwanted);
        }
    }
    if let Some(constant) = map.remove("const") {
        map.insert("type".to_owned(), json!("string"));
        map.insert("enum".to_owned(), json!([constant]));
    }
    if let Some(any) = map.remove("oneOf") {
        map.insert("anyOf".to_owned(), any);
    }
    for list in ["anyOf", "allOf"] {
        if let Some(Value::Array(items)) = map.get_mut(list) {
            items.iter_mut().for_each(convert);
        }
    }
    if let Some(items) = map.get_mut("items") {
        convert(items);
    }
    for group in ["$defs", "definitions"] {
        if let Some(Value::Object(definitions)) = map.get_mut(group) {
            definitions.values_mut().for_each(convert);
        }
    }
    if map.get("properties").is_some_and(Value::is_object) {
        let required: Vec<String> = map
            .get("required")
            .and_then(Value::as_array)
            .map(|names| {
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default();
        if let Some(Value::Object(properties)) = map.get_mut("properties") {
            for (name, property) in properties.iter_mut() {
                convert(property);
                if !required.contains(name) {
                    nullable(property);
                }
            }
            let names: Vec<String> = properties.keys().cloned().collect();
            map.insert("required".to_owned(), json!(names));
        }
        map.insert("additionalProperties".to_owned(), json!(false));
    }
}

/// Lets a property be null, which is how the dialect says "absent".
fn nullable(property: &mut Value) {
    let Value::Object(map) = property else { return };
    match map.get_mut("type") {
        Some(Value::String(one)) => {
            let both = json!([one, "null"]);
            map.insert("type".to_owned(), both);
        }
        Some(Value::Array(types)) => {
            if !types.contains(&json!("null")) {
                types.push(json!("null"));
            }
        }
        _ => {
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                if !any.iter().any(|part| part.get("type") == Some(&json!("null"))) {
                    any.push(json!({"type": "null"}));
                }
            } else {
                let inner = Value::Object(std::mem::take(map));
                *map = Map::from_iter([("anyOf".to_owned(), json!([inner, {"type": "null"}]))]);
            }
        }
    }
}

/// The value without nulls in its objects: what the strict dialect sends for "absent".
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, without_nulls(member)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Sample {
        /// Needed.
        name: String,
        count: Option<u32>,
        kind: Kind,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Inner {
        other: Option<Kind>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Kind {
        /// One with words of its own.
        A,
        B,
    }

    /// The rules of the dialect, at any depth.
    fn lint(schema: &Value) {
        match schema {
            Value::Object(map) => {
                assert!(
                    !map.contains_key("oneOf") && !map.contains_key("const") && !map.contains_key("format")
                );
                if let Some(Value::Object(properties)) = map.get("properties") {
                    assert_eq!(map.get("additionalProperties"), Some(&json!(false)));
                    let required = map["required"].as_array().unwrap();
                    assert_eq!(required.len(), properties.len());
                }
                map.values().for_each(lint);
            }
            Value::Array(items) => items.iter().for_each(lint),
            _ => {}
        }
    }

    #[test]
    fn the_strict_dialect_is_kept_at_any_depth() {
        let schema = serde_json::to_value(schemars::schema_for!(Sample)).unwrap();
        let strict = strict(&schema);
        lint(&strict);
        assert_eq!(strict["properties"]["count"]["type"], json!(["integer", "null"]));
        assert_eq!(strict["properties"]["name"]["type"], "string");
    }

    #[test]
    fn null_is_absent() {
        assert_eq!(
            without_nulls(json!({"a": null, "b": [{"c": null, "d": 1}]})),
            json!({"b": [{"d": 1}]})
        );
    }
}
