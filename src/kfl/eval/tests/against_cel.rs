//! The CEL crate's interpreter as an oracle: where it has an answer, ours is the same.

use super::*;
use cel::{Context, Program};
use proptest::prelude::*;

/// Conditions over a few plain fields, some of which fail.
fn condition() -> impl Strategy<Value = String> {
    let int = prop_oneof![
        Just("status_code".to_owned()),
        Just("elapsed_time".to_owned()),
        Just("size(path)".to_owned()),
        Just("size(namespaces)".to_owned()),
        (-3_i64..600).prop_map(|n| n.to_string()),
    ];
    let int = int.prop_recursive(2, 8, 2, |inner| {
        (
            inner.clone(),
            prop::sample::select(vec!["+", "-", "*", "/", "%"]),
            inner,
        )
            .prop_map(|(a, operator, b)| format!("({a} {operator} {b})"))
    });
    let text = prop_oneof![
        Just("path".to_owned()),
        Just("method".to_owned()),
        Just("node[\"a\"]".to_owned()),
        Just("node[\"b\"]".to_owned()),
        "[a-c/é]{0,3}".prop_map(|text| crate::kfl::quoted(&text)),
    ];
    let leaf = prop_oneof![
        Just("http".to_owned()),
        Just("dns".to_owned()),
        (
            int.clone(),
            prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]),
            int.clone()
        )
            .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        (
            text.clone(),
            prop::sample::select(vec!["==", "!=", "<", ">="]),
            text.clone()
        )
            .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        (
            text.clone(),
            prop::sample::select(vec!["contains", "startsWith", "endsWith"]),
            text.clone()
        )
            .prop_map(|(a, function, b)| format!("{a}.{function}({b})")),
        text.clone().prop_map(|text| format!("{text} in namespaces")),
        text.prop_map(|text| format!("{text} in node")),
        int.prop_map(|int| format!("{int} in [0, 1, 200, 503]")),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

fn theirs(filter: &str, record: &Pairs) -> Option<bool> {
    let program = Program::compile(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let mut context = Context::default();
    for (id, value) in &record.values {
        let name = id.name();
        match value {
            Owned::Bool(value) => context.add_variable(name, *value).unwrap(),
            Owned::Int(value) => context.add_variable(name, *value).unwrap(),
            Owned::Str(value) => context.add_variable(name, value.clone()).unwrap(),
            Owned::List(value) => context.add_variable(name, value.clone()).unwrap(),
            Owned::Map(value) => {
                let map: std::collections::HashMap<String, String> = value.iter().cloned().collect();
                context.add_variable(name, map).unwrap();
            }
            Owned::Bytes(_) | Owned::Timestamp(_) => {}
        }
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(value)) => Some(value),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn evaluation_agrees(
        filter in condition(),
        http in any::<bool>(),
        status in prop::sample::select(vec![0_i64, 200, 503]),
        elapsed in -2_i64..3,
        path in "[a-c/é]{0,4}",
    ) {
        let record = Pairs {
            values: vec![
                (FieldId::HTTP, Owned::Bool(http)),
                (FieldId::DNS, Owned::Bool(!http)),
                (FieldId::STATUS_CODE, Owned::Int(status)),
                (FieldId::ELAPSED_TIME, Owned::Int(elapsed)),
                (FieldId::METHOD, Owned::Str("a".into())),
                (FieldId::PATH, Owned::Str(path)),
                (FieldId::NAMESPACES, Owned::List(vec!["a".into(), "b/".into()])),
                (FieldId::NODE, Owned::Map(vec![("a".into(), "c".into())])),
            ],
        };
        // Some are refused for what they divide by; those have no value in CEL either.
        if let Ok(checked) = check_as_server(&filter) {
            let ours = checked.compile(NOW_US).matches(&record).ok();
            let theirs = theirs(&filter, &record);
            prop_assert_eq!(ours, theirs, "{}", filter);
        }
    }
}
